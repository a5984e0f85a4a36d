//! What is wrong with a body, for applications that say it in words of their own.

use poem::error::ParseJsonError;
use poem_openapi::error::{ContentTypeError, ParseRequestPayloadError};

use crate::safe_detail;

/// What is wrong with a body that an operation could not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// There is none, or nothing says of which type it is.
    Missing,
    /// It is of a type that the operation does not read.
    Unsupported,
    /// It is not what its type says, such as JSON that ends in the middle.
    Unreadable,
    /// It can be read, and is not what the operation takes: a member is missing or too long.
    Unfit,
}

impl BodyError {
    /// What an error of poem says of the body, if it is about the body.
    pub(crate) fn of(error: &poem::Error) -> Option<Self> {
        if let Some(error) = error.downcast_ref::<ContentTypeError>() {
            return Some(match error {
                ContentTypeError::ExpectContentType => Self::Missing,
                ContentTypeError::NotSupported { .. } => Self::Unsupported,
            });
        }
        if let Some(error) = error.downcast_ref::<ParseRequestPayloadError>() {
            let is_syntax = safe_detail::place(&error.reason).is_some();
            return Some(if is_syntax { Self::Unreadable } else { Self::Unfit });
        }
        error.downcast_ref().map(|error| match error {
            ParseJsonError::ContentTypeRequired => Self::Missing,
            ParseJsonError::InvalidContentType(_) => Self::Unsupported,
            ParseJsonError::Parse(error) if error.is_data() => Self::Unfit,
            ParseJsonError::Parse(_) => Self::Unreadable,
        })
    }
}
