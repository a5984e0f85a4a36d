//! A role in a scope: manager of one site and of no other.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{AuthRole, RoleSet};

/// A role that a user has in one scope, or in none.
///
/// As text it is `manager`, or `1:manager` for the role `manager` in the scope `1`: what follows
/// the last `:` is the role, so a scope may hold any character. Roles that have scopes have no `:`
/// in their names; that is checked at compile time.
///
/// # Security
///
/// A role in no scope is not a role in every scope, and the scope `*` is one like any other. Who
/// may do something everywhere has a role that the operation names beside the scoped one:
/// `any(role = "admin", role = "{site_id}:manager")`. There is no empty scope: a path without a
/// value where the scope should stand meets nothing.
///
/// # Examples
///
/// ```
/// # use auth_core::user::{AuthRole, Scoped};
/// # #[derive(Debug, PartialEq)] enum Role { Manager }
/// # impl AuthRole for Role {
/// #     const NAMES: &'static [&'static str] = &["manager"];
/// #     fn name(&self) -> &'static str { "manager" }
/// #     fn from_name(name: &str) -> Option<Self> { (name == "manager").then_some(Self::Manager) }
/// # }
/// let role = Scoped::in_scope("1", Role::Manager);
/// assert_eq!(role.to_string(), "1:manager");
/// assert_eq!("1:manager".parse(), Ok(role));
/// assert_eq!("manager".parse(), Ok(Scoped::from(Role::Manager)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scoped<R> {
    /// The scope, as in the path; never empty.
    pub scope: Option<String>,
    /// The role.
    pub role: R,
}

/// A text that is no [`Scoped`] role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// There is no role of that name.
    #[error("no such role")]
    UnknownRole,
    /// Nothing stands in front of the `:`.
    #[error("the scope is empty")]
    EmptyScope,
}

impl<R: AuthRole> Scoped<R> {
    /// What a name with a `:` in it would leave open: where the scope ends.
    const TELLS_SCOPE_FROM_ROLE: () = {
        let mut index = 0;
        while index < R::NAMES.len() {
            let name = R::NAMES[index].as_bytes();
            let mut at = 0;
            while at < name.len() {
                assert!(
                    name[at] != b':',
                    "a role that can have a scope has no `:` in its name; write \
                     #[role(name = \"…\")] with another one"
                );
                at += 1;
            }
            index += 1;
        }
    };

    /// A role in a scope.
    pub fn in_scope(scope: impl Into<String>, role: R) -> Self {
        Self { scope: Some(scope.into()), role }
    }
}

impl<R> From<R> for Scoped<R> {
    /// The role in no scope.
    fn from(role: R) -> Self {
        Self { scope: None, role }
    }
}

impl<R: AuthRole> Display for Scoped<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Some(scope) => write!(f, "{scope}:{}", self.role.name()),
            None => f.write_str(self.role.name()),
        }
    }
}

impl<R: AuthRole> FromStr for Scoped<R> {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let () = Self::TELLS_SCOPE_FROM_ROLE;
        let (scope, role) = match text.rsplit_once(':') {
            Some(("", _)) => return Err(ScopeError::EmptyScope),
            Some((scope, role)) => (Some(scope.to_owned()), role),
            None => (None, text),
        };
        let role = R::from_name(role).ok_or(ScopeError::UnknownRole)?;
        Ok(Self { scope, role })
    }
}

impl<R: AuthRole> Serialize for Scoped<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, R: AuthRole> Deserialize<'de> for Scoped<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl<R: AuthRole> RoleSet<R> for Vec<Scoped<R>> {
    const SCOPED: bool = {
        let () = Scoped::<R>::TELLS_SCOPE_FROM_ROLE;
        true
    };

    fn has_role(&self, name: &str) -> bool {
        self.iter().any(|held| held.scope.is_none() && held.role.name() == name)
    }

    fn has_role_in(&self, scope: &str, name: &str) -> bool {
        // Compared part by part: joined to one text, the scope `a` with the role `b:c` would be
        // the scope `a:b` with the role `c`.
        !scope.is_empty()
            && self
                .iter()
                .any(|held| held.scope.as_deref() == Some(scope) && held.role.name() == name)
    }

    /// Permissions hold everywhere, so only roles in no scope grant them.
    fn grants(&self, permission: &str) -> bool {
        self.iter()
            .any(|held| held.scope.is_none() && held.role.permissions().contains(&permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Role {
        Admin,
        Manager,
    }

    impl AuthRole for Role {
        const NAMES: &'static [&'static str] = &["admin", "manager"];

        fn name(&self) -> &'static str {
            match self {
                Self::Admin => "admin",
                Self::Manager => "manager",
            }
        }

        fn from_name(name: &str) -> Option<Self> {
            match name {
                "admin" => Some(Self::Admin),
                "manager" => Some(Self::Manager),
                _ => None,
            }
        }

        fn permissions(&self) -> &'static [&'static str] {
            &["sites:close"]
        }
    }

    #[test]
    fn text_and_role_are_two_forms_of_one_thing() {
        for (text, role) in [
            ("admin", Scoped::from(Role::Admin)),
            ("1:manager", Scoped::in_scope("1", Role::Manager)),
            ("*:manager", Scoped::in_scope("*", Role::Manager)),
            ("a:b:manager", Scoped::in_scope("a:b", Role::Manager)),
            ("::manager", Scoped::in_scope(":", Role::Manager)),
        ] {
            assert_eq!(text.parse(), Ok(role.clone()));
            assert_eq!(role.to_string(), text);
            let json = serde_json::to_string(&role).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Scoped<Role>>(&json).unwrap(), role);
        }
    }

    #[test]
    fn what_is_no_role_is_refused() {
        for (text, error) in [
            ("", ScopeError::UnknownRole),
            ("owner", ScopeError::UnknownRole),
            ("manager:1", ScopeError::UnknownRole),
            ("1:", ScopeError::UnknownRole),
            (":manager", ScopeError::EmptyScope),
        ] {
            assert_eq!(text.parse::<Scoped<Role>>(), Err(error), "{text}");
        }
        serde_json::from_str::<Scoped<Role>>("\":manager\"").unwrap_err();
    }

    #[test]
    fn a_role_holds_in_its_own_scope_only() {
        let held = vec![
            Scoped::from(Role::Admin),
            Scoped::in_scope("1", Role::Manager),
            Scoped::in_scope("*", Role::Manager),
            Scoped::in_scope("", Role::Admin),
        ];
        assert!(held.has_role("admin") && !held.has_role("manager"));
        assert!(held.has_role_in("1", "manager") && held.has_role_in("*", "manager"));
        for (scope, role) in
            [("2", "manager"), ("1", "admin"), ("", "admin"), ("1:manager", ""), ("11", "manager")]
        {
            assert!(!held.has_role_in(scope, role), "{scope} {role}");
        }
        assert!(held.grants("sites:close"));
        assert!(!vec![Scoped::in_scope("1", Role::Admin)].grants("sites:close"));
    }
}
