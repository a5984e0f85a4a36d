//! What poem and its extractors refuse, answered in the form of all other errors.

use std::{borrow::Cow, fmt, future::Future};

use auth_core::{config::Authenticator, rejection::Rejection};
use poem::{
    Endpoint, IntoResponse, Middleware, PathPattern, Request, Response, Result,
    error::{
        MethodNotAllowedError, NotFoundError, ParseFormError, ParseJsonError, ParseMultipartError,
        ParsePathError, ParseQueryError, ParseTypedHeaderError, ParseXmlError, ParseYamlError,
        ReadBodyError, SizedLimitError,
    },
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE},
        uri::PathAndQuery,
    },
};
use poem_openapi::error as openapi;

use crate::{body_error::BodyError, error::into_poem, form::Form, safe_detail};

/// What poem or an extractor refused: an unknown path, a wrong method, input that cannot be read.
#[derive(Debug)]
pub struct OtherError<'a> {
    status: StatusCode,
    code: &'static str,
    method: &'a Method,
    path: &'a str,
    said: Said,
}

impl OtherError<'_> {
    /// The status of the answer, as [`ErrorBody::other_status`](crate::ErrorBody::other_status)
    /// has it.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What happened, whatever the status: `malformed_request`, `not_found`, `method_not_allowed`,
    /// `length_required`, `payload_too_large` or `unsupported_media_type`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.method
    }

    /// The path of the request, as it was sent.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path
    }

    /// What is wrong with the body, if the error is about the body.
    #[must_use]
    pub fn body(&self) -> Option<BodyError> {
        self.said.body
    }

    /// What happened, for people.
    ///
    /// # Security
    ///
    /// It names parameters, members and bounds of the document, and never quotes the request.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.said.detail
    }

    /// The same as a refusal, for responders that know only these.
    pub(crate) fn to_rejection(&self) -> Rejection {
        Rejection::new(self.status, self.code, self.said.detail.clone())
    }

    /// What a responder that knows only refusals is asked for documents.
    pub(crate) fn rejection(status: StatusCode) -> Rejection {
        Rejection::new(status, code(status), safe_detail::of_status(status))
    }
}

fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::LENGTH_REQUIRED => "length_required",
        StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        _ => "malformed_request",
    }
}

/// Answers what poem and its extractors refuse in the form of all other errors:
/// `.with(auth.errors())` around the routes.
///
/// APIs from [`openapi`](crate::AuthenticatorExt::openapi) do it by themselves; this is for plain
/// handlers and for addresses that no route has. An error of another type is the application's own
/// and stays what it is, and so does every response.
#[derive(Debug, Clone)]
pub struct Errors {
    auth: Authenticator,
}

impl Errors {
    pub(crate) fn new(auth: Authenticator) -> Self {
        Self { auth }
    }
}

impl<E: Endpoint> Middleware<E> for Errors {
    type Output = ErrorsEndpoint<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        ErrorsEndpoint { auth: self.auth.clone(), endpoint }
    }
}

/// What [`Errors`] makes of an endpoint.
#[derive(Debug)]
pub struct ErrorsEndpoint<E> {
    auth: Authenticator,
    endpoint: E,
}

impl<E: Endpoint> Endpoint for ErrorsEndpoint<E> {
    type Output = Response;

    // No `async fn`: its future would hold the request.
    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        let asked = Asked::of(&request);
        let answer = self.endpoint.call(request);
        async move {
            let result = answer.await.map(IntoResponse::into_response);
            result.map_err(|error| asked.answer(&self.auth, error, None))
        }
    }
}

/// The headers that go with a body; those of an answer replace those of the error.
const BODY: [&HeaderName; 2] = [&CONTENT_TYPE, &CACHE_CONTROL];

/// What an answer to an error needs of the request, which is gone by then.
pub(crate) struct Asked {
    method: Method,
    path: Option<PathAndQuery>,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Self {
        let (whole, rest) = (request.original_uri(), request.uri());
        // A request that was made in process has no original address.
        let uri = if whole.path().ends_with(rest.path()) { whole } else { rest };
        Self { method: request.method().clone(), path: uri.path_and_query().cloned() }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// Has an error of poem answered as the application configured it, with `Allow` where it is
    /// known. Others stay what they are.
    pub(crate) fn answer(
        &self,
        auth: &Authenticator,
        error: poem::Error,
        allow: Option<HeaderValue>,
    ) -> poem::Error {
        let Some(said) = recognised(&error) else { return error };
        let form = Form::of(auth);
        let mut answer = into_poem(form.answer_other(&OtherError {
            status: form.other_status(error.status()),
            code: code(error.status()),
            method: &self.method,
            path: self.path.as_ref().map_or("", PathAndQuery::path),
            said,
        }));
        let pattern = error.data::<PathPattern>().cloned();
        if error.is_from_response() {
            // What the layer has added: cookies, for whom caches may keep it.
            let response = error.into_response();
            let added = response.headers().iter().filter(|(name, _)| !BODY.contains(name));
            answer.headers_mut().extend(added.map(|(name, value)| (name.clone(), value.clone())));
        }
        if let Some(allow) = allow {
            answer.headers_mut().insert(ALLOW, allow);
        }
        let mut answered = poem::Error::from_response(answer);
        if let Some(pattern) = pattern {
            answered.set_data(pattern);
        }
        answered
    }
}

/// What may be said of an error. It stays with one that has to become a response meanwhile.
#[derive(Debug, Clone)]
struct Said {
    detail: Cow<'static, str>,
    body: Option<BodyError>,
}

/// The response that an error stands for, with headers that an error cannot carry. It is known
/// still as what it was.
pub(crate) fn with_headers(error: poem::Error, add: impl FnOnce(&mut HeaderMap)) -> poem::Error {
    let said = recognised(&error);
    let pattern = error.data::<PathPattern>().cloned();
    let mut response = error.into_response();
    add(response.headers_mut());
    let mut error = poem::Error::from_response(response);
    if let Some(said) = said {
        error.set_data(said);
    }
    if let Some(pattern) = pattern {
        error.set_data(pattern);
    }
    error
}

/// Marks an error that an operation returned. It is the author's, also if it is of a type of poem's.
#[derive(Debug, Clone, Copy)]
struct Authored;

/// Marks an error as the author's own.
pub(crate) fn authored(mut error: poem::Error) -> poem::Error {
    error.set_data(Authored);
    error
}

/// What may be said of an error, if it is one with which poem or an extractor refuses a request.
fn recognised(error: &poem::Error) -> Option<Said> {
    if error.data::<Authored>().is_some() || !error.status().is_client_error() {
        return None;
    }
    match error.data() {
        Some(said) => Some(Said::clone(said)),
        None => detail(error).map(|detail| Said { detail, body: BodyError::of(error) }),
    }
}

/// What happened, for people, if this is one of the errors that poem and extractors make.
fn detail(error: &poem::Error) -> Option<Cow<'static, str>> {
    macro_rules! is_any {
        ($($kind:ty),* $(,)?) => { $(error.is::<$kind>())||* };
    }
    if let Some(error) = error.downcast_ref::<openapi::ParseParamError>() {
        return Some(safe_detail::of_parameter(error.name, &error.reason));
    }
    if let Some(error) = error.downcast_ref::<openapi::ParseRequestPayloadError>() {
        return Some(safe_detail::of_body(&error.reason));
    }
    if is_any!(openapi::ParsePathError, ParsePathError) {
        return Some(safe_detail::PATH.into());
    }
    let ours = is_any!(
        NotFoundError,
        MethodNotAllowedError,
        openapi::ContentTypeError,
        openapi::ParseMultipartError,
        ParseFormError,
        ParseJsonError,
        ParseMultipartError,
        ParseQueryError,
        ParseTypedHeaderError,
        ParseXmlError,
        ParseYamlError,
        ReadBodyError,
        SizedLimitError,
    );
    ours.then(|| safe_detail::of_status(error.status()).into())
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("method", &self.method).finish_non_exhaustive()
    }
}
