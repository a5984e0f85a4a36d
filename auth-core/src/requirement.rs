//! What `#[require(...)]` says, as plain data that a `const` can hold.

use std::{any::Any, fmt, time::Duration};

use futures_util::future::BoxFuture;

use crate::{error::Failure, http::AdapterRequest, rejection::Rejection};

/// How recent a login must be for `#[require(fresh)]`: 10 minutes, as `phx.gen.auth` has it; OWASP
/// ASVS 7.5.1 asks for the mechanism and names no number.
pub const FRESH: Duration = Duration::from_secs(10 * 60);

/// What a known user must fulfil to use an operation.
///
/// The guard is the only reader; documents and the access report print it with `Display`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requirement {
    /// Any known user.
    LoggedIn,
    /// The user has this role, in no scope.
    Role(&'static str),
    /// The user has this role in the scope that a path parameter names.
    ScopedRole {
        /// The path parameter.
        scope: &'static str,
        /// The role.
        role: &'static str,
    },
    /// The user has this permission.
    Permission(&'static str),
    /// This path parameter is the user's id.
    Owner(&'static str),
    /// The user proved who he is at most this long ago.
    Fresh(Duration),
    /// A condition of the application's own.
    Check(Check),
    /// At least one of these.
    Any(&'static [Requirement]),
    /// All of these.
    All(&'static [Requirement]),
}

/// A role that a requirement names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequiredRole {
    /// The path parameter that names the scope, `None` for a role without one.
    pub scope: Option<&'static str>,
    /// The role's name.
    pub role: &'static str,
}

/// A condition of the application's own: the function that `#[require(check = …)]` names.
#[derive(Clone, Copy)]
pub struct Check {
    /// The function's name.
    pub name: &'static str,
    /// Whether the user may, as the function says.
    pub run: CheckFn,
}

/// How the guard asks a [`Check`]: with the user and the request, each under its hidden type.
pub type CheckFn = for<'a> fn(
    user: &'a (dyn Any + Send + Sync),
    request: AdapterRequest<'a>,
) -> BoxFuture<'a, Result<bool, Failure>>;

impl Requirement {
    /// The roles that are named, at any depth, in the order in which they are written: for an
    /// answer that says which roles would do.
    pub fn roles(&self) -> impl Iterator<Item = RequiredRole> + use<> {
        let mut roles = Vec::new();
        self.collect_roles(&mut roles);
        roles.into_iter()
    }

    /// How it is refused when it is not met, for documents.
    #[must_use]
    pub fn refusals(&self) -> Vec<Rejection> {
        let not_met = self.can_be_lacked().then_some(Rejection::RequirementNotMet(*self));
        let not_fresh = self.asks_for_login().then_some(Rejection::ReauthenticationRequired);
        not_met.into_iter().chain(not_fresh).collect()
    }

    /// Whether a new login may not be enough.
    fn can_be_lacked(&self) -> bool {
        match self {
            Self::LoggedIn | Self::Fresh(_) => false,
            Self::Role(_)
            | Self::ScopedRole { .. }
            | Self::Permission(_)
            | Self::Owner(_)
            | Self::Check(_) => true,
            Self::Any(items) => items.iter().all(Self::can_be_lacked),
            Self::All(items) => items.iter().any(Self::can_be_lacked),
        }
    }

    /// Whether a new login may be enough.
    fn asks_for_login(&self) -> bool {
        match self {
            Self::Fresh(_) => true,
            Self::Any(items) | Self::All(items) => items.iter().any(Self::asks_for_login),
            Self::LoggedIn
            | Self::Role(_)
            | Self::ScopedRole { .. }
            | Self::Permission(_)
            | Self::Owner(_)
            | Self::Check(_) => false,
        }
    }

    /// Whether a credential may reach less far than its user, so that it may not be enough.
    #[must_use]
    pub fn asks_for_scope(&self) -> bool {
        match self {
            Self::Role(_) | Self::ScopedRole { .. } | Self::Permission(_) => true,
            Self::Any(items) | Self::All(items) => items.iter().any(Self::asks_for_scope),
            Self::LoggedIn | Self::Owner(_) | Self::Fresh(_) | Self::Check(_) => false,
        }
    }

    /// What a credential would have to reach to, at any depth, in the order in which it is written:
    /// permissions, and roles as `role:<name>`.
    pub fn scopes(&self) -> impl Iterator<Item = String> + use<> {
        let mut scopes = Vec::new();
        self.collect_scopes(&mut scopes);
        scopes.into_iter()
    }

    fn collect_scopes(&self, scopes: &mut Vec<String>) {
        match *self {
            Self::Permission(permission) => scopes.push(permission.to_owned()),
            Self::Role(role) | Self::ScopedRole { role, .. } => scopes.push(format!("role:{role}")),
            Self::Any(items) | Self::All(items) => {
                items.iter().for_each(|item| item.collect_scopes(scopes));
            }
            Self::LoggedIn | Self::Owner(_) | Self::Fresh(_) | Self::Check(_) => {}
        }
    }

    fn collect_roles(&self, roles: &mut Vec<RequiredRole>) {
        match *self {
            Self::Role(role) => roles.push(RequiredRole { scope: None, role }),
            Self::ScopedRole { scope, role } => {
                roles.push(RequiredRole { scope: Some(scope), role });
            }
            Self::Any(items) | Self::All(items) => {
                items.iter().for_each(|item| item.collect_roles(roles));
            }
            Self::LoggedIn
            | Self::Permission(_)
            | Self::Owner(_)
            | Self::Fresh(_)
            | Self::Check(_) => {}
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &[Self], word: &str| {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                match item {
                    Self::Any(_) | Self::All(_) => write!(f, "({item})")?,
                    _ => write!(f, "{item}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::LoggedIn => write!(f, "any user"),
            Self::Role(role) => write!(f, "role `{role}`"),
            Self::ScopedRole { scope, role } => write!(f, "role `{role}` in `{{{scope}}}`"),
            Self::Permission(permission) => write!(f, "permission `{permission}`"),
            Self::Owner(param) => write!(f, "being the user `{{{param}}}`"),
            Self::Fresh(age) => write!(f, "a login of the last {} s", age.as_secs()),
            Self::Check(check) => write!(f, "the check `{}`", check.name),
            Self::Any(items) => list(f, items, "or"),
            Self::All(items) => list(f, items, "and"),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({})", self.name)
    }
}

/// Two checks are one if they have the name and the function in common. Where the compiler has
/// made two functions of one, they are taken for two; then both are asked.
impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && std::ptr::fn_addr_eq(self.run, other.run)
    }
}

impl Eq for Check {}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK: Requirement = Requirement::Check(Check {
        name: "is_author",
        run: |_, _| Box::pin(std::future::ready(Ok(true))),
    });
    const MANAGER: Requirement = Requirement::ScopedRole { scope: "site_id", role: "manager" };

    #[test]
    fn every_requirement_reads_as_a_phrase() {
        for (requirement, text) in [
            (MANAGER, "role `manager` in `{site_id}`"),
            (Requirement::Owner("user_id"), "being the user `{user_id}`"),
            (CHECK, "the check `is_author`"),
            (
                Requirement::Any(&[
                    Requirement::Role("admin"),
                    Requirement::All(&[MANAGER, CHECK]),
                ]),
                "role `admin` or (role `manager` in `{site_id}` and the check `is_author`)",
            ),
        ] {
            assert_eq!(requirement.to_string(), text);
        }
    }

    #[test]
    fn the_roles_that_would_do_are_found_at_any_depth() {
        let requirement = Requirement::Any(&[
            Requirement::Role("admin"),
            Requirement::All(&[Requirement::Owner("id"), MANAGER, CHECK]),
        ]);
        let roles: Vec<_> = requirement.roles().map(|role| (role.scope, role.role)).collect();
        assert_eq!(roles, [(None, "admin"), (Some("site_id"), "manager")]);
        assert_eq!(Requirement::LoggedIn.roles().count(), 0);
    }

    #[test]
    fn a_check_is_told_from_another_by_name_and_function() {
        let other = |name| {
            Requirement::Check(Check { name, run: |_, _| Box::pin(std::future::ready(Ok(false))) })
        };
        assert_eq!(CHECK, CHECK);
        assert_ne!(CHECK, other("is_author"));
        assert_ne!(CHECK, other("other"));
    }
}
