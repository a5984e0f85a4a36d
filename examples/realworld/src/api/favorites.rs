//! One's favorite articles.

use auth_poem::prelude::*;
use poem_openapi::{param::Path, payload::Json};

use super::{
    Tag,
    articles::{ArticleBody, show},
};
use crate::{store::Store, user::User};

/// The operations.
#[derive(Debug)]
pub struct FavoritesApi {
    pub(super) store: Store,
}

#[auth_api(prefix_path = "/articles", tag = "Tag::Favorites")]
impl FavoritesApi {
    /// Adds an article to the favorites.
    #[rejects(article = 404)]
    #[oai(path = "/:slug/favorite", method = "post", operation_id = "CreateArticleFavorite")]
    async fn add(&self, user: User, slug: Path<String>) -> auth_poem::Result<Json<ArticleBody>> {
        self.store.favorite(&user.account, &slug).await?;
        show(&self.store, Some(&user), &slug).await.map(Json)
    }

    /// Removes an article from the favorites.
    #[rejects(article = 404)]
    #[oai(path = "/:slug/favorite", method = "delete", operation_id = "DeleteArticleFavorite")]
    async fn remove(&self, user: User, slug: Path<String>) -> auth_poem::Result<Json<ArticleBody>> {
        self.store.unfavorite(&user.account, &slug).await?;
        show(&self.store, Some(&user), &slug).await.map(Json)
    }
}
