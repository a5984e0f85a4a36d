//! Errors in the form of the contract: `{"errors": {"<what>": ["<message>"]}}`.

use std::{borrow::Cow, collections::BTreeMap};

use auth_poem::prelude::*;
use poem::http::StatusCode;
use poem_openapi::Object;

/// What is wrong, by field or thing.
#[derive(Debug, Default, Object)]
#[oai(rename = "GenericErrorModel")]
pub struct Errors {
    errors: BTreeMap<String, Vec<String>>,
}

impl Errors {
    pub(crate) fn new(what: impl Into<String>, message: impl Into<String>) -> Self {
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

impl Errors {
    fn of(rejection: &Rejection) -> Self {
        let invalid = || Cow::Borrowed("is invalid");
        let (what, message) = match rejection {
            Rejection::MissingCredentials => ("token", "is missing".into()),
            Rejection::InvalidToken | Rejection::MalformedCredentials => ("token", invalid()),
            Rejection::WrongCredentials => ("credentials", "invalid".into()),
            Rejection::TooManyAttempts { .. } => ("credentials", "too many attempts".into()),
            Rejection::WeakPassword(reason) => ("password", reason.to_string().into()),
            Rejection::Custom { code, detail, .. } => (*code, Cow::Borrowed(&**detail)),
            other => (other.code(), other.detail()),
        };
        Self::new(what, message)
    }
}

impl From<Errors> for poem::Error {
    fn from(errors: Errors) -> Self {
        use poem::IntoResponse;
        use poem_openapi::payload::Json;
        let mut response = Json(errors).into_response();
        response.set_status(StatusCode::UNPROCESSABLE_ENTITY);
        Self::from_response(response)
    }
}

#[derive(Debug)]
pub(crate) struct ContractResponder;

impl auth_poem::responder::Responder for ContractResponder {
    fn refuse(&self, rejection: &Rejection) -> poem::http::Response<bytes::Bytes> {
        use poem_openapi::types::ToJSON;
        let body = Errors::of(rejection).to_json_string();
        poem::http::Response::builder()
            .status(rejection.status())
            .header("content-type", "application/json")
            .body(body.into())
            .unwrap()
    }

    fn fail(&self) -> poem::http::Response<bytes::Bytes> {
        use poem_openapi::types::ToJSON;
        let body = Errors::new("service", "is unavailable").to_json_string();
        poem::http::Response::builder()
            .status(503)
            .header("content-type", "application/json")
            .body(body.into())
            .unwrap()
    }
}
