//! One form for everything that goes wrong.

use auth_poem::{Error, prelude::*};
use poem::{
    IntoResponse, Response, Result,
    error::ResponseError,
    http::{StatusCode, header::CONTENT_TYPE},
};

/// Turns what poem says in plain text about an address, a method or a body into a problem document,
/// as clients of the API know it from all other refusals.
pub(crate) async fn as_problem(result: Result<impl IntoResponse>) -> Result<Response> {
    let mut response = match result {
        Ok(response) => response.into_response(),
        Err(error) => error.into_response(),
    };
    let is_plain = response.content_type().is_some_and(|kind| kind.starts_with("text/plain"));
    let code = match response.status() {
        StatusCode::BAD_REQUEST => "malformed_request",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        _ => return Ok(response),
    };
    if is_plain || response.content_type().is_none() {
        let detail = response.take_body().into_string().await?;
        let rejection = Rejection::new(response.status(), code, detail);
        let (head, body) = Error::from(rejection).as_response().into_parts();
        response.set_body(body);
        if let Some(kind) = head.headers.get(CONTENT_TYPE) {
            response.headers_mut().insert(CONTENT_TYPE, kind.clone());
        }
    }
    Ok(response)
}
