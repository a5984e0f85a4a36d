//! What may be said of input that cannot be read.
//!
//! The texts of parsers quote what they could not read, and that may be a password. Only what the
//! author of the API wrote is taken from them: names, and the bounds of validators.

use std::borrow::Cow;

use poem::http::StatusCode;

/// A part of the path cannot be read.
pub(crate) const PATH: &str = "A part of the address cannot be read.";

const BODY: &str = "The body is not what the operation takes.";

/// How poem-openapi says that a validator refused; what follows is the validator.
const REFUSED: &str = "verification failed. ";

/// What is said where only the status is known.
pub(crate) fn of_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is nothing at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "The method is not allowed at this address.",
        StatusCode::LENGTH_REQUIRED => "The length of the body must be told.",
        StatusCode::PAYLOAD_TOO_LARGE => "The body is too large.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "The body is missing or of a type that is not read.",
        _ => "The request cannot be read.",
    }
}

/// Of a parameter and why poem-openapi refused it.
pub(crate) fn of_parameter(name: &str, reason: &str) -> Cow<'static, str> {
    match reason.strip_prefix(REFUSED) {
        Some(validator) => format!("The parameter `{name}` does not fit: {validator}.").into(),
        None => format!("The parameter `{name}` is missing or cannot be read.").into(),
    }
}

/// Of a body and why poem-openapi refused it.
pub(crate) fn of_body(reason: &str) -> Cow<'static, str> {
    if let Some((member, validator)) = refused_member(reason) {
        return format!("The member `{member}` does not fit: {validator}.").into();
    }
    match place(reason) {
        Some((line, column)) => {
            format!("The body cannot be read, at line {line} column {column}.").into()
        }
        None => BODY.into(),
    }
}

/// Member and validator, where a validator refused: `failed to parse "Note": field `text`
/// verification failed. maxLength(3)`, perhaps with ` (occurred while parsing "Notes")` behind it.
///
/// All of that text was written by the author of the API.
fn refused_member(reason: &str) -> Option<(&str, &str)> {
    let (_, rest) = reason.strip_prefix("failed to parse \"")?.split_once("\": ")?;
    let (member, rest) = rest.strip_prefix("field `")?.split_once("` ")?;
    let validator = rest.strip_prefix(REFUSED)?;
    let end = validator.find(" (occurred while parsing").unwrap_or(validator.len());
    Some((member, &validator[..end]))
}

/// Where a text is no JSON: `expected value at line 1 column 5`.
pub(crate) fn place(reason: &str) -> Option<(u32, u32)> {
    let (_, place) = reason.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}
