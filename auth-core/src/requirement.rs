//! What `#[require(...)]` says, as plain data that a `const` can hold.

use std::{fmt, time::Duration};

use crate::rejection::Rejection;

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
    /// The user has this role.
    Role(&'static str),
    /// The user has this permission.
    Permission(&'static str),
    /// The user proved who he is at most this long ago.
    Fresh(Duration),
    /// At least one of these.
    Any(&'static [Requirement]),
    /// All of these.
    All(&'static [Requirement]),
}

impl Requirement {
    /// How it is refused when it is not met, for documents.
    #[must_use]
    pub fn refusals(&self) -> Vec<Rejection> {
        match self {
            Self::LoggedIn => Vec::new(),
            Self::Role(_) | Self::Permission(_) => vec![Rejection::Forbidden],
            Self::Fresh(_) => vec![Rejection::ReauthenticationRequired],
            Self::Any(items) | Self::All(items) => items.iter().flat_map(Self::refusals).collect(),
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
            Self::Permission(permission) => write!(f, "permission `{permission}`"),
            Self::Fresh(age) => write!(f, "a login of the last {} s", age.as_secs()),
            Self::Any(items) => list(f, items, "or"),
            Self::All(items) => list(f, items, "and"),
        }
    }
}
