//! What every error looks like, and which of them is 401 and which 403.

use auth_poem::prelude::*;
use poem::http::StatusCode;
use poem_openapi::Object;

use crate::api::LOGIN_PATH;

/// Why a request was refused.
#[derive(Debug, Object)]
pub(crate) struct Failure {
    error: String,
}

impl Failure {
    fn new(error: impl Into<String>) -> Self {
        Self { error: error.into() }
    }
}

impl ErrorBody for Failure {
    /// Who presents nothing is 401; who presents something that is nobody's is 403.
    fn status(rejection: &Rejection) -> StatusCode {
        match rejection {
            Rejection::MissingCredentials | Rejection::Custom { .. } => rejection.status(),
            Rejection::WeakPassword(_) => StatusCode::BAD_REQUEST,
            _ if rejection.status() == StatusCode::UNAUTHORIZED => StatusCode::FORBIDDEN,
            _ => rejection.status(),
        }
    }

    fn refusal(rejection: &Rejection, status: StatusCode) -> Self {
        match (rejection, status) {
            (Rejection::Custom { .. }, _) => Self::new(rejection.detail()),
            (Rejection::WeakPassword(reason), _) => {
                Self::new(format!("Can't create User: {reason}"))
            }
            (_, StatusCode::UNAUTHORIZED) => Self::new("Unauthorized"),
            (_, StatusCode::FORBIDDEN) => Self::new("Forbidden"),
            (_, StatusCode::NOT_FOUND) => Self::new("Not found"),
            _ => Self::new(rejection.detail()),
        }
    }

    fn fault(_: StatusCode) -> Self {
        Self::new("Service Unavailable")
    }

    fn other_status(status: StatusCode) -> StatusCode {
        match status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
            other => other,
        }
    }

    fn other(error: &OtherError<'_>) -> Self {
        Self::new(match error.status() {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::METHOD_NOT_ALLOWED => "Method Not Allowed",
            // What is no form has no fields.
            _ if error.path().trim_end_matches('/') == LOGIN_PATH => "email missing",
            _ => "Wrong format",
        })
    }
}
