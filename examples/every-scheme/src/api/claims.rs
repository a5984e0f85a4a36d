//! Users of another issuer, who are made of the claims of their tokens. They have no account here.

use std::collections::BTreeMap;

use auth_poem::prelude::*;
use poem_openapi::payload::Json;
use serde::Deserialize;
use serde_json::Value;

use super::Tag;

/// Somebody whom another issuer knows, as its token says. Nothing is looked up.
#[derive(AuthUser, Deserialize, Debug, Clone)]
#[auth(claims, schemes(bearer))]
pub struct Outsider {
    #[auth(id)]
    #[serde(flatten)]
    id: Subject,
}

/// The operations.
#[derive(Debug)]
pub struct ClaimsApi;

#[auth_api(tag = "Tag::Claims")]
impl ClaimsApi {
    /// What a token of the trusted issuer says.
    #[oai(path = "/claims", method = "get")]
    async fn claims(
        &self,
        user: Outsider,
        claims: Claims<BTreeMap<String, Value>>,
    ) -> Json<BTreeMap<String, Value>> {
        tracing::debug!(%user.id, "comes from another issuer");
        Json(claims.0)
    }
}
