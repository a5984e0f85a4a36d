//! The middleware: opens the context of a request, and commits it when the operation is done.

use std::sync::Arc;

use auth_core::{config::Authenticator, context::Context, error::Failure};
use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{HeaderValue, header},
};

use crate::error::{Error, into_poem};

/// Serves an application's endpoints with authentication: `.with(auth.layer())`.
///
/// It opens a context for each request, which costs next to nothing until an operation asks for a
/// user or a session, and commits it afterwards, also when the operation failed.
#[derive(Debug, Clone)]
pub struct AuthLayer {
    auth: Authenticator,
}

impl AuthLayer {
    pub(crate) fn new(auth: Authenticator) -> Self {
        Self { auth }
    }
}

impl<E: Endpoint> Middleware<E> for AuthLayer {
    type Output = AuthEndpoint<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        AuthEndpoint { auth: self.auth.clone(), endpoint }
    }
}

/// What [`AuthLayer`] makes of an endpoint.
#[derive(Debug)]
pub struct AuthEndpoint<E> {
    auth: Authenticator,
    endpoint: E,
}

impl<E: Endpoint> Endpoint for AuthEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let outer = request.extensions().get::<Arc<Context>>();
        if outer.is_some_and(|outer| outer.auth().is(&self.auth)) {
            // A layer further out commits.
            return self.endpoint.call(request).await.map(IntoResponse::into_response);
        }
        let context = Arc::new(Context::new(self.auth.clone()));
        request.extensions_mut().insert(context.clone());
        let result = self.endpoint.call(request).await.map(IntoResponse::into_response);
        close(&context, result).await
    }
}

/// Commits, and writes into the answer what the commit and caches need.
async fn close(context: &Context, result: Result<Response>) -> Result<Response> {
    let result = result.map_err(|error| settle(context.auth(), error));
    let failed = match &result {
        Ok(response) => response.status().is_client_error() || response.status().is_server_error(),
        Err(_) => true,
    };
    let cookie = match context.commit(failed).await {
        Ok(cookie) => cookie,
        // The operation said something that is not so: a login that is not stored, a change that
        // is lost.
        Err(fault) => return Ok(into_poem(context.auth().answer(&Failure::Fault(fault)))),
    };
    if cookie.is_none() && !context.is_personal() {
        return result;
    }
    let complete = |mut response: Response| {
        let headers = response.headers_mut();
        if let Some(cookie) = cookie {
            headers.append(header::SET_COOKIE, cookie);
        }
        if context.looked_at_session() {
            headers.append(header::VARY, HeaderValue::from_static("cookie"));
        }
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert_with(|| HeaderValue::from_static("no-store"));
        response
    };
    match result {
        Ok(response) => Ok(complete(response)),
        // An error cannot carry headers, so it becomes the response that it stands for.
        Err(error) => Err(poem::Error::from_response(complete(error.into_response()))),
    }
}

/// Has an error of ours answered as the application configured it.
pub(crate) fn settle(auth: &Authenticator, error: poem::Error) -> poem::Error {
    match error.downcast::<Error>() {
        Ok(error) => error.under(auth).into(),
        Err(other) => other,
    }
}
