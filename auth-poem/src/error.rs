//! The adapter's one error type: a refusal or a fault, on its way to becoming an answer.

use std::fmt;

use auth_core::{
    config::Authenticator,
    error::{BoxError, Error as Fault, Failure},
    guard::Policy,
    rejection::Rejection,
    responder::{ProblemResponder, Responder},
};
use poem::{
    IntoResponse, Response,
    error::ResponseError,
    http::{self, StatusCode},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaResponses, Registry},
};

use crate::openapi::{refusals::LOGIN, with_form};

/// What an operation returns that may refuse or fail: `auth_poem::Result<Json<Profile>>`.
///
/// It documents 401, 429 and 503 by itself.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal or a fault. `?` makes one from a [`Rejection`], from a fault of the framework, and
/// from what the handles return.
///
/// A refusal becomes an answer with its code; a fault is logged and becomes 503 without detail.
/// How both look is up to the configured [`Responder`].
pub struct Error {
    failure: Failure,
    /// The configuration of the request, as soon as it is known.
    auth: Option<Authenticator>,
    /// The operation, as soon as it is known.
    policy: Option<&'static Policy>,
}

impl Error {
    /// A fault of the application's own, as in `sqlx::query(..).await.map_err(Error::fault)?`: it
    /// is logged and answered with 503, and the client is not told more.
    pub fn fault(source: impl Into<BoxError>) -> Self {
        Fault::Application(source.into()).into()
    }

    /// What went wrong.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The stable code of a refusal, `None` for a fault.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match &self.failure {
            Failure::Rejected(rejection) => Some(rejection.code()),
            Failure::Fault(_) => None,
        }
    }

    /// What went wrong, without the configuration.
    pub(crate) fn into_failure(self) -> Failure {
        self.failure
    }

    /// Has the error answered as one of this operation.
    pub(crate) fn of(mut self, policy: &'static Policy) -> Self {
        self.policy.get_or_insert(policy);
        self
    }

    /// Has the error answered as `auth` is configured.
    pub(crate) fn under(mut self, auth: &Authenticator) -> Self {
        self.auth.get_or_insert_with(|| auth.clone());
        self
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self { failure, auth: None, policy: None }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Failure::from(rejection).into()
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Failure::from(fault).into()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.failure {
            Failure::Rejected(rejection) => Some(rejection),
            Failure::Fault(error) => Some(error),
        }
    }
}

impl ResponseError for Error {
    fn status(&self) -> StatusCode {
        match &self.failure {
            Failure::Rejected(rejection) => match &self.auth {
                Some(auth) => auth.responder().status(rejection),
                None => rejection.status(),
            },
            Failure::Fault(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn as_response(&self) -> Response {
        let answer = match (&self.auth, &self.failure) {
            (Some(auth), failure) => auth.answer(self.policy, failure),
            // Raised outside of any layer: there is no configuration to ask.
            (None, Failure::Rejected(rejection)) => ProblemResponder.refuse(rejection),
            (None, Failure::Fault(error)) => {
                tracing::error!(%error, "a request failed");
                ProblemResponder.fail()
            }
        };
        into_poem(answer)
    }
}

/// A core answer as poem sends it.
pub(crate) fn into_poem(answer: http::Response<bytes::Bytes>) -> Response {
    let (parts, body) = answer.into_parts();
    let mut response = body.into_response();
    response.set_status(parts.status);
    *response.headers_mut() = parts.headers;
    response
}

impl ApiResponse for Error {
    fn meta() -> MetaResponses {
        with_form(|form| {
            let refusals = LOGIN.iter().map(|(rejection, text)| form.refusal(rejection, text));
            MetaResponses { responses: refusals.chain([form.fault()]).collect() }
        })
    }

    fn register(registry: &mut Registry) {
        with_form(|form| form.register(registry));
    }
}

/// Whether a refusal is one of the application's own.
pub(crate) fn is_custom(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::Custom { .. })
}
