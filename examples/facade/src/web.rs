//! What surrounds the API: caches, pages of other sites, maintenance.

use auth_poem::{ErrorBody, prelude::*};
use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    endpoint::make_sync,
    http::{
        HeaderValue, Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, PRAGMA, RETRY_AFTER},
    },
    middleware::Cors,
    web::Json,
};
use poem_openapi::types::ToJSON;
use serde_json::json;

use crate::{SESSION_HEADER, errors::ErrorForm, settings::Settings};

/// How long maintenance takes, in seconds.
const MAINTENANCE: u64 = 60 * 60;

/// Whose pages may call, and with what. They send a session's header; no browser lends them a
/// cookie.
pub(crate) fn cors(settings: &Settings) -> Cors {
    Cors::new()
        .allow_origins(settings.cors_origins.iter().cloned())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(settings.cors_headers.iter().cloned())
        .allow_headers([SESSION_HEADER, CONTENT_TYPE.as_str()])
        .expose_header(SESSION_HEADER)
}

/// Keeps every answer out of every cache.
pub(crate) async fn uncached(result: Result<impl IntoResponse>) -> Result<Response> {
    let mut response = match result {
        Ok(response) => response.into_response(),
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    let cache_control = HeaderValue::from_static("no-cache, no-store, must-revalidate");
    headers.insert(CACHE_CONTROL, cache_control);
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("0"));
    Ok(response)
}

/// What runs here, and since when.
pub(crate) fn status() -> impl Endpoint {
    let start_time = Utc::now();
    make_sync(move |_| {
        let current_time = Utc::now();
        Json(json!({
            "name": env!("CARGO_PKG_NAME"),
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "start_time": start_time,
            "current_time": current_time,
            "uptime": (current_time - start_time).num_milliseconds(),
        }))
    })
}

/// Serves nobody.
pub(crate) async fn maintenance<E: Endpoint>(_: std::sync::Arc<E>, _: Request) -> Result<Response> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Ok(Response::builder()
        .status(status)
        .content_type(ErrorForm::CONTENT_TYPE)
        .header(RETRY_AFTER, MAINTENANCE)
        .body(ErrorForm::fault(status).to_json_string()))
}
