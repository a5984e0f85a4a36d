//! What every error looks like, as pycnic's clients know it.

use auth_poem::{BodyError, prelude::*};
use poem::http::StatusCode;
use poem_openapi::{Object, types::Any};

/// Why a request was refused.
#[derive(Debug, Object)]
pub(crate) struct Failure {
    /// The status in full, as in `401 Unauthorized`.
    status: String,
    status_code: u16,
    error: String,
    /// Always null.
    data: Any<()>,
}

impl Failure {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        let (status, status_code) = (status.to_string(), status.as_u16());
        Self { status, status_code, error: error.into(), data: Any(()) }
    }
}

impl ErrorBody for Failure {
    fn refusal(rejection: &Rejection, status: StatusCode) -> Self {
        let error = match rejection {
            Rejection::WrongCredentials => "Invalid username or password",
            Rejection::TooManyAttempts { .. } => "Too many attempts, try again later",
            _ => "I can't let you do that",
        };
        Self::new(status, error)
    }

    fn fault(status: StatusCode) -> Self {
        Self::new(status, "Internal server error encountered.")
    }

    fn other_status(status: StatusCode) -> StatusCode {
        match status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
            other => other,
        }
    }

    fn other(error: &OtherError<'_>) -> Self {
        let text = match (error.code(), error.body()) {
            ("not_found", _) => format!("Path {} not found", error.path()),
            ("method_not_allowed", _) => format!("{} not allowed", error.method()),
            (_, Some(BodyError::Missing | BodyError::Unfit)) => {
                "Please specify username and password".into()
            }
            _ => "Expected JSON in request body".into(),
        };
        Self::new(error.status(), text)
    }
}
