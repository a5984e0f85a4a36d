//! Errors in the form of the contract: `{"errors": {"<what>": ["<message>"]}}`.
//!
//! A refusal of the application's own has as its code what is wrong, and as its detail the message.

use std::{borrow::Cow, collections::BTreeMap};

use auth_poem::{password::WeakPassword, prelude::*};
use poem::{IntoResponse, Response, error::ResponseError, http::StatusCode};
use poem_openapi::{Object, payload::Json};

/// What is wrong, by field or by thing.
#[derive(Debug, Default, Object)]
#[oai(rename = "GenericErrorModel")]
pub struct Errors {
    errors: BTreeMap<String, Vec<String>>,
}

impl Errors {
    fn new(what: impl Into<String>, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(what, message);
        errors
    }

    pub(crate) fn add(&mut self, what: impl Into<String>, message: impl Into<String>) {
        self.errors.entry(what.into()).or_default().push(message.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }
}

/// A thing that is not there: an `article`, a `comment`, a `profile`.
pub(crate) fn not_found(thing: &'static str) -> Rejection {
    Rejection::new(StatusCode::NOT_FOUND, thing, "not found")
}

/// Somebody else's thing.
pub(crate) fn forbidden(thing: &'static str) -> Rejection {
    Rejection::new(StatusCode::FORBIDDEN, thing, "forbidden")
}

/// A name that somebody has.
pub(crate) fn taken(field: &'static str) -> Rejection {
    Rejection::new(StatusCode::CONFLICT, field, "has already been taken")
}

impl ErrorBody for Errors {
    /// As poem writes it for bodies, so that an operation has one content type.
    const CONTENT_TYPE: &'static str = "application/json; charset=utf-8";

    fn refusal(rejection: &Rejection, _: StatusCode) -> Self {
        let (what, message) = match rejection {
            // Also beside a credential of another kind: a token is what is missing.
            Rejection::MissingCredentials | Rejection::UnsupportedScheme => {
                ("token", "is missing".into())
            }
            Rejection::NotFound => ("path", "not found".into()),
            Rejection::InvalidToken | Rejection::MalformedCredentials => {
                ("token", "is invalid".into())
            }
            Rejection::WrongCredentials => ("credentials", "invalid".into()),
            Rejection::TooManyAttempts { .. } => ("credentials", "too many attempts".into()),
            Rejection::WeakPassword(reason) => ("password", weakness(*reason)),
            Rejection::Custom { code, detail, .. } => (*code, detail.clone()),
            other => (other.code(), other.detail()),
        };
        Self::new(what, message)
    }

    fn fault(_: StatusCode) -> Self {
        Self::new("service", "is unavailable")
    }

    /// The contract has one status for every body and parameter that is not what it should be.
    fn other_status(status: StatusCode) -> StatusCode {
        match status {
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::UNPROCESSABLE_ENTITY,
            other => other,
        }
    }

    fn other(error: &OtherError<'_>) -> Self {
        match error.status() {
            StatusCode::NOT_FOUND => Self::new("path", "not found"),
            StatusCode::METHOD_NOT_ALLOWED => Self::new("method", "not allowed"),
            _ => Self::new("request", error.detail()),
        }
    }
}

/// Why a password was refused, as what is said of a field.
fn weakness(reason: WeakPassword) -> Cow<'static, str> {
    match reason {
        WeakPassword::TooShort { min } => {
            format!("is too short (minimum is {min} characters)").into()
        }
        WeakPassword::TooLong { max } => format!("is too long (maximum is {max} bytes)").into(),
        WeakPassword::SameAsName => "must not be your name or e-mail address".into(),
        _ => "is too easy to guess".into(),
    }
}

/// A body with errors by itself: 422.
impl ResponseError for Errors {
    fn status(&self) -> StatusCode {
        StatusCode::UNPROCESSABLE_ENTITY
    }

    fn as_response(&self) -> Response {
        let errors = Self { errors: self.errors.clone() };
        Json(errors).with_status(self.status()).into_response()
    }
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fields: Vec<_> = self.errors.keys().map(String::as_str).collect();
        write!(f, "not right: {}", fields.join(", "))
    }
}

impl std::error::Error for Errors {}
