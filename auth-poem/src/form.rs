//! How the errors of a configuration look in documents, and in answers to what poem refuses.

use auth_core::{
    config::Authenticator,
    rejection::Rejection,
    responder::{ProblemResponder, Responder},
};
use bytes::Bytes;
use http::{HeaderValue, Response, header::CACHE_CONTROL};
use poem::http::StatusCode;
use poem_openapi::{
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaSchemaRef, Registry},
    types::Type,
};

use crate::{
    errors::OtherError,
    problem::{self, intern},
};

/// What documents say of every fault.
pub(crate) const UNAVAILABLE: &str = "The service cannot answer at the moment.";

/// What a responder of this adapter tells of itself, by [`Responder::document`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bodies {
    pub(crate) content: Content,
    /// How it answers what poem refuses, if it has a way of its own.
    pub(crate) other: Option<OtherBodies>,
}

/// Bodies, as documents show them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    pub(crate) content_type: &'static str,
    pub(crate) schema: fn() -> MetaSchemaRef,
    pub(crate) register: fn(&mut Registry),
}

/// How what poem refuses is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OtherBodies {
    pub(crate) status: fn(StatusCode) -> StatusCode,
    pub(crate) answer: fn(&OtherError<'_>) -> Response<Bytes>,
}

/// The form of a configuration's errors.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    responder: &'a dyn Responder,
    /// `None` if the responder says nothing of its bodies; documents then do not either.
    content: Option<Content>,
    other: Option<OtherBodies>,
}

/// The form where there is no configuration to ask.
pub(crate) const DEFAULT: Form<'static> =
    Form { responder: &ProblemResponder, content: Some(problem::CONTENT), other: None };

impl<'a> Form<'a> {
    /// The form of this configuration.
    pub(crate) fn of(auth: &'a Authenticator) -> Self {
        let responder = auth.responder();
        match responder.document() {
            Some(told) if told.is::<ProblemResponder>() => Self { responder, ..DEFAULT },
            Some(told) => {
                let bodies = told.downcast_ref::<Bodies>();
                Self {
                    responder,
                    content: bodies.map(|bodies| bodies.content),
                    other: bodies.and_then(|bodies| bodies.other),
                }
            }
            None => Self { responder, content: None, other: None },
        }
    }

    /// Adds the schema to the components.
    pub(crate) fn register(&self, registry: &mut Registry) {
        if let Some(content) = self.content {
            (content.register)(registry);
        }
    }

    /// A refusal in documents.
    pub(crate) fn refusal(&self, rejection: &Rejection, description: &str) -> MetaResponse {
        let mut response = self.response(self.refusal_status(rejection), description);
        if rejection.retry_after().is_some() {
            response.headers.push(MetaHeader {
                name: "Retry-After".into(),
                description: Some("When to try again, in seconds.".into()),
                required: false,
                deprecated: false,
                schema: u64::schema_ref(),
            });
        }
        response
    }

    /// The status of a refusal.
    pub(crate) fn refusal_status(&self, rejection: &Rejection) -> StatusCode {
        self.responder.status(rejection)
    }

    /// A fault in documents.
    pub(crate) fn fault(&self) -> MetaResponse {
        self.response(self.responder.fail().status(), UNAVAILABLE)
    }

    /// What poem refuses with this status, in documents.
    pub(crate) fn other(&self, status: StatusCode, description: &str) -> MetaResponse {
        self.response(self.other_status(status), description)
    }

    fn response(&self, status: StatusCode, description: &str) -> MetaResponse {
        let content = self.content.iter().map(|content| MetaMediaType {
            content_type: content.content_type,
            schema: (content.schema)(),
        });
        MetaResponse {
            description: intern(description),
            status: Some(status.as_u16()),
            status_range: None,
            content: content.collect(),
            headers: Vec::new(),
        }
    }

    /// The status that a client sees where poem says this one.
    pub(crate) fn other_status(&self, status: StatusCode) -> StatusCode {
        match self.other {
            Some(other) => (other.status)(status),
            None => self.responder.status(&OtherError::rejection(status)),
        }
    }

    /// The answer to what poem refuses.
    pub(crate) fn answer_other(&self, error: &OtherError<'_>) -> Response<Bytes> {
        let mut response = match self.other {
            Some(other) => (other.answer)(error),
            None => self.responder.refuse(&error.to_rejection()),
        };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
