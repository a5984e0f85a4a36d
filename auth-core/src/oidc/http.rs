//! Asking providers: one client for all requests that leave this process.

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use openidconnect::AsyncHttpClient;

use crate::error::{BoxError, Error};

/// How long one request may take in all: a person waits for the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read. Sets of keys have a few KiB.
const MAX_BYTES: usize = 256 * 1024;

/// A client for providers.
///
/// # Security
///
/// It goes to addresses of the configuration, and to those that the discovery document of a
/// configured issuer names; never to one that a request or a token names. It follows no redirect,
/// waits ten seconds at most, and reads 256 KiB at most.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
}

/// Why there is no answer to go on with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("it cannot be reached: {0}")]
    Transport(#[source] reqwest::Error),
    #[error("it answers with status {0}")]
    Status(StatusCode),
    #[error("its answer is longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("the request cannot be sent: {0}")]
    Request(#[source] http::Error),
}

impl Http {
    /// A client.
    ///
    /// # Errors
    ///
    /// - the system has no certificates to trust: [`Error::Misconfigured`]
    pub(crate) fn new() -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.map_err(|error| {
            Error::Misconfigured(format!("no client for HTTP can be made: {}", causes(&error)))
        })?;
        Ok(Self { client })
    }

    /// Sends a request and reads the answer. One of status 2xx or 4xx is an answer, with 429 as the
    /// exception; anything else is none.
    pub(crate) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let transport = |error: reqwest::Error| HttpError::Transport(error.without_url());
        let request = reqwest::Request::try_from(request).map_err(transport)?;
        let mut answer = self.client.execute(request).await.map_err(transport)?;
        let status = answer.status();
        let is_answer = status.is_success()
            || (status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS);
        if !is_answer {
            return Err(HttpError::Status(status));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(transport)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }

    /// The document at a URL.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, HttpError> {
        let request = Request::get(url).header(http::header::ACCEPT, "application/json");
        let answer = self.send(request.body(Vec::new()).map_err(HttpError::Request)?).await?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body()),
            other => Err(HttpError::Status(other)),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = BoxFuture<'c, Result<Response<Vec<u8>>, HttpError>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

/// A fault of a provider.
pub(crate) fn fault(provider: &str, source: impl Into<BoxError>) -> Error {
    Error::Provider { provider: provider.to_owned(), source: source.into() }
}

/// An error with its causes, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

/// Whether what is sent to this address stays secret on the way: https, or this very machine.
pub(crate) fn is_protected(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let Some(host) = uri.host().filter(|host| !host.is_empty()) else { return false };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return false;
    }
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => matches!(host, "127.0.0.1" | "[::1]" | "localhost"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for url in [
            "https://a.example",
            "https://a.example/x?y",
            "http://127.0.0.1:8080/x",
            "http://[::1]:1",
            "http://localhost/",
        ] {
            assert!(is_protected(url), "{url}");
        }
        for url in [
            "http://a.example",
            "http://127.0.0.1.evil.example",
            "ftp://a",
            "a.example",
            "",
            "/x",
            "https://",
            "https://user@a.example",
            "http://localhost.evil",
            "javascript:x",
        ] {
            assert!(!is_protected(url), "{url}");
        }
    }
}
