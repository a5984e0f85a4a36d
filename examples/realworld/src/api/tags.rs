//! Tags of articles.

use auth_poem::prelude::*;
use poem_openapi::{Object, payload::Json};

use super::Tag;
use crate::store::Store;

/// How many tags are told: more than a page shows.
const MOST: i64 = 1000;

/// The operations.
#[derive(Debug)]
pub struct TagsApi {
    pub(super) store: Store,
}

#[derive(Object)]
struct TagsBody {
    tags: Vec<String>,
}

#[auth_api(tag = "Tag::Tags")]
impl TagsApi {
    /// The tags of all articles, the most used ones first.
    #[public]
    #[oai(path = "/tags", method = "get", operation_id = "GetTags")]
    async fn list(&self) -> auth_poem::Result<Json<TagsBody>> {
        Ok(Json(TagsBody { tags: self.store.tags(MOST).await? }))
    }
}
