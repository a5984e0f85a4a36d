//! Environment variables: an empty one is not set, and one that cannot be read is a mistake that
//! the message names.

use std::{env, ffi::OsString, fmt::Display, str::FromStr};

/// What is wrong with the environment; the message names the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{names}: {reason}")]
pub struct EnvironmentError {
    names: String,
    reason: String,
}

impl EnvironmentError {
    /// Says what is wrong with a variable, or with several together (`"A and B"`). The reason is
    /// printed: leave a secret out of it.
    #[must_use]
    pub fn new(names: impl Into<String>, reason: impl Display) -> Self {
        Self { names: names.into(), reason: reason.to_string() }
    }
}

/// The text of a variable.
///
/// # Errors
///
/// - it is not UTF-8
pub fn text(name: &str) -> Result<Option<String>, EnvironmentError> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let not_text = |_: OsString| EnvironmentError::new(name, "is not UTF-8");
    value.into_string().map(Some).map_err(not_text)
}

/// The value of a variable. For what is no secret: a value that cannot be read is printed.
///
/// # Errors
///
/// - it cannot be read as a `T`
pub fn read<T>(name: &str) -> Result<Option<T>, EnvironmentError>
where
    T: FromStr<Err: Display>,
{
    text(name)?.map(|value| parse(name, &value)).transpose()
}

/// Whether a variable is set, and not to `0`.
///
/// # Errors
///
/// - it is not UTF-8
pub fn flag(name: &str) -> Result<bool, EnvironmentError> {
    Ok(text(name)?.is_some_and(|value| value != "0"))
}

fn parse<T>(name: &str, value: &str) -> Result<T, EnvironmentError>
where
    T: FromStr<Err: Display>,
{
    let unreadable = |error| EnvironmentError::new(name, format!("cannot read {value:?}: {error}"));
    value.parse().map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_variable_that_cannot_be_read() {
        let error = parse::<u16>("PORT", "many").unwrap_err().to_string();
        assert_eq!(error, "PORT: cannot read \"many\": invalid digit found in string");
        assert_eq!(parse::<u16>("PORT", "80"), Ok(80));
    }

    #[test]
    fn knows_what_is_not_set() {
        assert_eq!(text("EXAMPLE_KIT_NOT_SET"), Ok(None));
        assert_eq!(read::<u16>("EXAMPLE_KIT_NOT_SET"), Ok(None));
        assert_eq!(flag("EXAMPLE_KIT_NOT_SET"), Ok(false));
        // Cargo sets it for every test.
        assert_eq!(text("CARGO_PKG_NAME"), Ok(Some("example-kit".into())));
        assert_eq!(flag("CARGO_PKG_NAME"), Ok(true));
    }
}
