//! Endpoints in the way to an operation: what [`AuthApi`](crate::AuthApi) is when it runs.

use std::{fmt, future::Future, sync::Arc};

use auth_core::config::Authenticator;
use poem::{
    Endpoint, PathPattern, Request, Response, Result,
    endpoint::{BoxEndpoint, DynEndpoint},
    http::{HeaderValue, Method, header::ALLOW},
};

use crate::{before_routing::Rules, errors::Asked, joined::Allowed};

/// A boxed endpoint, called without the two futures that poem puts around one, each of which copies
/// the request.
pub(crate) struct Boxed(pub(crate) BoxEndpoint<'static>);

impl Endpoint for Boxed {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        DynEndpoint::call(&*self.0, request)
    }
}

/// The routes of an API, with its errors in the configured form.
pub struct ApiEndpoint {
    pub(crate) auth: Authenticator,
    pub(crate) routes: Boxed,
    pub(crate) allowed: Allowed,
    /// Whether `OPTIONS` is answered.
    pub(crate) options: bool,
    /// The guard that requests must have passed.
    pub(crate) guard: Option<Arc<Rules>>,
}

impl fmt::Debug for ApiEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiEndpoint").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl Endpoint for ApiEndpoint {
    type Output = Response;

    // No `async fn`: its future would hold the request, which is large, and copy it twice. Each call
    // that is not inlined copies it once.
    #[inline(always)]
    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        let passed = self.guard.as_ref().map_or(Ok(()), |guard| guard.check(&request));
        let asked = Asked::of(&request);
        let mounted = request.data::<PathPattern>().cloned();
        // No closure: it would copy the request once more.
        let answer = match passed {
            Ok(()) => Ok(DynEndpoint::call(&*self.routes.0, request)),
            Err(error) => Err(error),
        };
        async move {
            let error = match answer?.await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let mut allow = self.allowed.header(&error, mounted.as_ref());
            if self.options {
                allow = allow.and_then(with_options);
                if let (Some(allow), &Method::OPTIONS) = (&allow, asked.method()) {
                    return Ok(Response::builder()
                        .content_type("application/json")
                        .header(ALLOW, allow)
                        .body("{}"));
                }
            }
            Err(asked.answer(&self.auth, error, allow))
        }
    }
}

fn with_options(allow: HeaderValue) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{}, OPTIONS", allow.to_str().ok()?)).ok()
}
