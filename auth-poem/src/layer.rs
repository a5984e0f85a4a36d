//! The middleware: opens the context of a request, and commits it when the operation is done.

use std::{future::Future, sync::Arc};

use auth_core::{config::Authenticator, context::Context, error::Failure, session::TokenHeaders};
use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{HeaderMap, HeaderValue, header},
};

use crate::{
    error::{Error, into_poem},
    errors::with_headers,
};

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

    // No `async fn`: its future would hold the request, which is large, and copy it twice. Each call
    // that is not inlined copies it once.
    #[inline(always)]
    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response>> + Send {
        let outer = request.extensions().get::<Arc<Context>>();
        // Where a layer further out has the same configuration, that one commits.
        let context = match outer.is_some_and(|outer| outer.auth().is(&self.auth)) {
            true => None,
            false => Some(Arc::new(Context::new(self.auth.clone()))),
        };
        if let Some(context) = &context {
            request.extensions_mut().insert(context.clone());
        }
        let answer = self.endpoint.call(request);
        async move {
            let mut result = answer.await.map(IntoResponse::into_response);
            let Some(context) = context else { return result };
            if let Err(error) = result {
                result = Err(settle(context.auth(), error));
            }
            // If it is not, nobody has asked for a user or a session, and nothing is to commit.
            if !context.is_personal() {
                return result;
            }
            match context.commit(is_failure(&result)).await {
                Ok(token) => match &mut result {
                    Ok(response) => {
                        complete(&context, token, response.headers_mut());
                        result
                    }
                    Err(_) => result.map_err(|error| {
                        with_headers(error, |headers| complete(&context, token, headers))
                    }),
                },
                // The operation said something that is not so: a login that is not stored, a change
                // that is lost.
                Err(fault) => Ok(into_poem(context.auth().answer(None, &Failure::Fault(fault)))),
            }
        }
    }
}

fn is_failure(result: &Result<Response>) -> bool {
    match result {
        Ok(response) => response.status().is_client_error() || response.status().is_server_error(),
        Err(_) => true,
    }
}

/// Writes into an answer what the commit and caches need.
fn complete(context: &Context, token: TokenHeaders, headers: &mut HeaderMap) {
    token.append_to(headers);
    if let Some(vary) = context.vary() {
        headers.append(header::VARY, vary.clone());
    }
    headers.entry(header::CACHE_CONTROL).or_insert_with(|| HeaderValue::from_static("no-store"));
}

/// Has an error of ours answered as the application configured it.
pub(crate) fn settle(auth: &Authenticator, error: poem::Error) -> poem::Error {
    match error.downcast::<Error>() {
        Ok(error) => error.under(auth).into(),
        Err(other) => other,
    }
}
