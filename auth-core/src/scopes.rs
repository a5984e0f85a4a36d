//! How far a credential reaches: [`Scopes`].

use std::{fmt, sync::Arc};

/// What a scope that stands for a role begins with.
const ROLE: &str = "role:";

/// How far a credential reaches: to all that its user may do, or to a part of it.
///
/// A restricted credential never reaches farther than its user: `#[require(permission = "…")]` is
/// met if the user has the permission **and** the list names it; `#[require(role = "admin")]` if the
/// user has the role and the list names `role:admin`. What asks for no permission and no role, such
/// as an operation that takes any user, is open to every credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scopes {
    /// To all that the user may do. Sessions, passwords and tokens of a login are like that.
    #[default]
    All,
    /// To these permissions, and to these roles as `role:<name>`.
    Only(Arc<[String]>),
}

impl Scopes {
    /// A restriction to these.
    ///
    /// # Examples
    ///
    /// ```
    /// use auth_core::scopes::Scopes;
    ///
    /// let scopes = Scopes::only(["reports:read", "role:editor"]);
    /// assert!(scopes.allow_permission("reports:read") && scopes.allow_role("editor"));
    /// assert!(!scopes.allow_permission("reports:write") && !scopes.allow_role("admin"));
    /// ```
    pub fn only<S: Into<String>>(scopes: impl IntoIterator<Item = S>) -> Self {
        Self::Only(scopes.into_iter().map(Into::into).collect())
    }

    /// Reads a list with spaces between its items, as OAuth 2.0 writes it (RFC 6749, 3.3).
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::only(text.split(' ').filter(|scope| !scope.is_empty()))
    }

    /// The list, `None` without a restriction.
    #[must_use]
    pub fn list(&self) -> Option<&[String]> {
        match self {
            Self::All => None,
            Self::Only(scopes) => Some(scopes),
        }
    }

    /// Whether the credential reaches to a permission of its user.
    #[must_use]
    pub fn allow_permission(&self, permission: &str) -> bool {
        self.list().is_none_or(|scopes| scopes.iter().any(|scope| scope == permission))
    }

    /// Whether the credential reaches to a role of its user, in whatever scope of the role.
    #[must_use]
    pub fn allow_role(&self, role: &str) -> bool {
        let is_it = |scope: &String| scope.strip_prefix(ROLE) == Some(role);
        self.list().is_none_or(|scopes| scopes.iter().any(is_it))
    }

    /// Whether every credential with the scopes `other` reaches no farther than one with these.
    #[must_use]
    pub fn include(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Only(_), Self::All) => false,
            (Self::Only(own), Self::Only(other)) => other.iter().all(|scope| own.contains(scope)),
        }
    }
}

impl fmt::Display for Scopes {
    /// The list with spaces between its items; `*` without a restriction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Only(scopes) => f.write_str(&scopes.join(" ")),
        }
    }
}

/// Whether the text can be a scope: visible ASCII without `"` and `\` (RFC 6749, 3.3).
#[must_use]
pub fn is_scope(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_everything_only_without_a_list() {
        assert!(Scopes::All.allow_permission("x") && Scopes::All.allow_role("x"));
        let none = Scopes::parse("");
        assert!(!none.allow_permission("x") && !none.allow_role("x") && !none.allow_permission(""));
        let star = Scopes::only(["*"]);
        assert!(!star.allow_permission("x"), "a name like any other");
        assert!(!Scopes::only(["role:x"]).allow_role("role:x"));
        assert!(!Scopes::only(["x"]).allow_role("x"), "a permission is no role");
    }

    #[test]
    fn a_restriction_includes_what_is_no_wider() {
        let ab = Scopes::parse("a  b");
        assert_eq!(ab, Scopes::only(["a", "b"]));
        assert!(Scopes::All.include(&ab) && ab.include(&Scopes::only(["b"])) && ab.include(&ab));
        assert!(!ab.include(&Scopes::All) && !ab.include(&Scopes::only(["b", "c"])));
        assert_eq!((ab.to_string(), Scopes::All.to_string()), ("a b".into(), "*".into()));
    }

    #[test]
    fn a_scope_has_no_character_that_would_end_it() {
        assert!(is_scope("reports:read") && is_scope("role:admin"));
        for bad in ["", "a b", "a\"", "a\\", "ä", "a\n"] {
            assert!(!is_scope(bad), "{bad:?}");
        }
    }
}
