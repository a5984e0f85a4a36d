//! The public keys, for those who verify the tokens.

use std::fmt;

use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    error::MethodNotAllowedError,
    http::{
        HeaderValue, Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
};

/// The public keys as a JWK set (RFC 7517), made by
/// [`auth.jwks()`](crate::AuthenticatorExt::jwks):
/// `.at("/.well-known/jwks.json", auth.jwks())`.
///
/// Caches may keep it for five minutes, so a new key should stand in the ring that long before it
/// signs. Shared secrets are not in it.
#[derive(Clone)]
pub struct JwksEndpoint {
    document: String,
    tag: HeaderValue,
}

impl JwksEndpoint {
    pub(crate) fn new(document: String) -> Self {
        Self { tag: tag(&document), document }
    }
}

/// A tag for a text. Another text may have it only if somebody wanted that, and nobody can: the
/// keys are the application's own.
fn tag(document: &str) -> HeaderValue {
    // FNV-1a, which is the same in every process, so that caches in front of several agree.
    let hash = document.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    HeaderValue::from_str(&format!("\"{hash:016x}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

impl fmt::Debug for JwksEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksEndpoint").field("document", &self.document).finish()
    }
}

impl Endpoint for JwksEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(MethodNotAllowedError.into());
        }
        let known = request.headers().get_all(IF_NONE_MATCH).iter().any(|tags| {
            let tags = tags.to_str().unwrap_or_default();
            tags.split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"))
                .any(|tag| tag == "*" || tag.as_bytes() == self.tag.as_bytes())
        });
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = self.document.clone().into_response();
            let media_type = HeaderValue::from_static("application/jwk-set+json");
            response.headers_mut().insert(CONTENT_TYPE, media_type);
            response
        };
        let caching = HeaderValue::from_static("public, max-age=300");
        response.headers_mut().insert(CACHE_CONTROL, caching);
        response.headers_mut().insert(ETAG, self.tag.clone());
        Ok(response)
    }
}
