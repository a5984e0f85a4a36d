//! What surrounds the API: pages of other sites, caches, maintenance, old sessions.

use auth_poem::prelude::*;
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Result,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, EXPIRES, PRAGMA, RETRY_AFTER},
    },
    middleware::Cors,
};
