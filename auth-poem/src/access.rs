//! Who may call what, as text.

use std::fmt;

use auth_core::{guard::Policy, requirement::Requirement};
use poem::http::Method;

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
    pub(crate) fn new(operations: Vec<(Method, String, &'static Policy)>) -> Self {
        let mut lines: Vec<Line> = operations
            .into_iter()
            .map(|(method, path, policy)| Line {
                path,
                method: method.to_string(),
                who: who(policy),
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

fn who(policy: &Policy) -> String {
    let subject = policy.subject().map(|subject| subject.user.meta.path);
    let users: Vec<String> = policy
        .users()
        .map(|user| {
            let name = user.user.meta.name;
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
        .collect();
    if users.is_empty() { "anybody".into() } else { users.join(" and ") }
}
