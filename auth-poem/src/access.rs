//! Who may call what, as text.

use std::fmt;

use auth_core::{guard::Policy, requirement::Requirement};

use crate::{before_routing::Rules, openapi::Documented};

/// Who may call what: one line per operation, sorted by path, made from what is enforced.
///
/// ```text
/// GET     /user         a User
/// POST    /user/login   anybody
/// DELETE  /users/{id}   a User with role `admin`
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessReport {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    path: String,
    method: String,
    who: String,
}

impl AccessReport {
    pub(crate) fn new(operations: Vec<Documented>) -> Self {
        let mut lines: Vec<Line> = operations
            .into_iter()
            .map(|operation| Line {
                method: operation.method.to_string(),
                who: who(&operation),
                path: operation.path,
            })
            .collect();
        lines.sort();
        Self { lines }
    }
}

impl fmt::Display for AccessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&Line) -> &str| {
            self.lines.iter().map(|line| text(line).len()).max().unwrap_or_default()
        };
        let (method, path) = (width(|line| &line.method), width(|line| &line.path));
        for line in &self.lines {
            writeln!(f, "{:method$}  {:path$}  {}", line.method, line.path, line.who)?;
        }
        Ok(())
    }
}

fn who(operation: &Documented) -> String {
    let guard = operation.guard.as_deref().and_then(Rules::user).map(|user| user.user.meta);
    let mut users = Vec::new();
    if let Some(guard) = guard {
        let asks_itself = operation.policy.is_some_and(|policy| {
            policy.users().any(|user| !user.optional && user.user.meta.path == guard.path)
        });
        if !asks_itself {
            users.push(format!("a {}, by the guard", guard.name));
        }
    }
    if let Some(policy) = operation.policy {
        users.extend(asked_for(policy, guard.map(|guard| guard.path)));
    }
    if users.is_empty() { "anybody".into() } else { users.join(" and ") }
}

/// The users whom an operation asks for by itself. Of those whom the guard wants anyway, it asks
/// nothing by taking them if they are there.
fn asked_for(policy: &Policy, guarded: Option<&str>) -> Vec<String> {
    let subject = policy.subject().map(|subject| subject.user.meta.path);
    policy
        .users()
        .filter(|user| !(user.optional && guarded == Some(user.user.meta.path)))
        .map(|user| {
            let name = match policy.schemes {
                [] => user.user.meta.name.to_owned(),
                only => format!("{} by {}", user.user.meta.name, only.join(" or ")),
            };
            match &policy.requirement {
                _ if user.optional => format!("anybody, a {name} by name"),
                Requirement::LoggedIn => format!("a {name}"),
                _ if subject != Some(user.user.meta.path) => format!("a {name}"),
                requirement if policy.conceal => {
                    format!("a {name} with {requirement}; others find nothing")
                }
                requirement => format!("a {name} with {requirement}"),
            }
        })
        .collect()
}
