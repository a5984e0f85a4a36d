//! What a new password must be.

use std::fmt;

/// Rules for new passwords.
#[derive(Debug, Clone)]
pub struct PasswordPolicy {}

/// Why a password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeakPassword {
    /// Too short.
    TooShort {
        /// How many code points it must have.
        min: usize,
    },
    /// Too long.
    TooLong {
        /// How many bytes it may have.
        max: usize,
    },
    /// Among the most used passwords.
    Common,
}

impl fmt::Display for WeakPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { min } => write!(f, "The password needs at least {min} characters."),
            Self::TooLong { max } => write!(f, "The password may have at most {max} bytes."),
            Self::Common => write!(f, "This password is among those that attackers try first."),
        }
    }
}
