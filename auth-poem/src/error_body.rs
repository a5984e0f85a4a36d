//! An application's own form of errors, for its answers and its documents alike.

use std::{any::Any, marker::PhantomData};

use auth_core::{config::AuthConfig, rejection::Rejection, responder::Responder};
use bytes::Bytes;
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use poem::http::StatusCode;
use poem_openapi::types::{ToJSON, Type};

use crate::{
    errors::OtherError,
    form::{Bodies, Content, OtherBodies},
};

/// The body of every error of an application: what it is made of, with which statuses it goes.
///
/// Without one, errors are `application/problem+json` (RFC 9457) with a stable `code`. With one,
/// [`AuthConfigExt::error_body`] has every refusal, every fault and everything that poem itself
/// refuses answered in its form, and documents show its schema and its statuses. `WWW-Authenticate`,
/// `Retry-After` and `Cache-Control` are the framework's, whatever the body.
///
/// # Security
///
/// A fault's body is made without the fault, and [`OtherError::detail`] never quotes what the
/// client sent: the text of a body that could not be read may hold a password.
///
/// # Examples
///
/// ```
/// use auth_poem::{ErrorBody, OtherError, prelude::*};
/// use poem::http::StatusCode;
/// use poem_openapi::Object;
///
/// /// What went wrong.
/// #[derive(Object)]
/// struct Failure {
///     status: u16,
///     error: String,
/// }
///
/// impl ErrorBody for Failure {
///     fn status(rejection: &Rejection) -> StatusCode {
///         match rejection {
///             Rejection::InvalidSession => StatusCode::FORBIDDEN,
///             other => other.status(),
///         }
///     }
///
///     fn refusal(rejection: &Rejection, status: StatusCode) -> Self {
///         Self { status: status.as_u16(), error: rejection.detail().into() }
///     }
///
///     fn fault(status: StatusCode) -> Self {
///         Self { status: status.as_u16(), error: "Try again later.".into() }
///     }
///
///     fn other(error: &OtherError<'_>) -> Self {
///         Self { status: error.status().as_u16(), error: error.detail().into() }
///     }
/// }
///
/// let auth = AuthConfig::new().error_body::<Failure>().build()?;
/// # Ok::<(), auth_poem::config::ConfigError>(())
/// ```
pub trait ErrorBody: Type + ToJSON + Send + Sync + 'static {
    /// The media type. Default: `application/json`.
    const CONTENT_TYPE: &'static str = "application/json";

    /// The status of a refusal. Default: the refusal's own. Documents use it too, so it must
    /// depend on nothing but the refusal.
    #[must_use]
    fn status(rejection: &Rejection) -> StatusCode {
        rejection.status()
    }

    /// The body of a refusal, which goes with this status.
    fn refusal(rejection: &Rejection, status: StatusCode) -> Self;

    /// The body of a fault: 503, and nothing about why.
    fn fault(status: StatusCode) -> Self;

    /// The status of what poem refuses: 400 malformed, 404, 405, 413, 415. Default: as it is.
    /// Documents use it too.
    #[must_use]
    fn other_status(status: StatusCode) -> StatusCode {
        status
    }

    /// The body of what poem or an extractor refuses: an unknown path, a wrong method, input that
    /// cannot be read.
    fn other(error: &OtherError<'_>) -> Self;
}

/// What auth-poem adds to [`AuthConfig`].
pub trait AuthConfigExt {
    /// The form of all errors, in answers and documents. Default: `application/problem+json`.
    #[must_use]
    fn error_body<B: ErrorBody>(self) -> Self;
}

impl AuthConfigExt for AuthConfig {
    fn error_body<B: ErrorBody>(self) -> Self {
        self.responder(BodyResponder::<B> { bodies: bodies::<B>(), body: PhantomData })
    }
}

/// Answers with bodies of one type.
struct BodyResponder<B> {
    bodies: Bodies,
    body: PhantomData<fn() -> B>,
}

fn bodies<B: ErrorBody>() -> Bodies {
    Bodies {
        content: Content {
            content_type: B::CONTENT_TYPE,
            schema: B::schema_ref,
            register: B::register,
        },
        other: Some(OtherBodies {
            status: B::other_status,
            answer: |error| response(error.status(), &B::other(error)),
        }),
    }
}

impl<B: ErrorBody> Responder for BodyResponder<B> {
    fn refuse(&self, rejection: &Rejection) -> Response<Bytes> {
        let status = B::status(rejection);
        response(status, &B::refusal(rejection, status))
    }

    fn fail(&self) -> Response<Bytes> {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        response(status, &B::fault(status))
    }

    fn status(&self, rejection: &Rejection) -> StatusCode {
        B::status(rejection)
    }

    fn document(&self) -> Option<&(dyn Any + Send + Sync)> {
        Some(&self.bodies)
    }
}

fn response<B: ErrorBody>(status: StatusCode, body: &B) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_json_string()));
    *response.status_mut() = status;
    // In a `const`, so that what is no media type does not compile.
    let content_type = const { HeaderValue::from_static(B::CONTENT_TYPE) };
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
