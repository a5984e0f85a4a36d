//! What can be done, one group of operations per file.

use poem_openapi::{ApiResponse, Tags, payload::Json, types::ToJSON};

use crate::store::Store;

mod articles;
mod comments;
mod favorites;
mod profiles;
mod tags;
mod users;

pub use articles::ArticlesApi;
pub use comments::CommentsApi;
pub use favorites::FavoritesApi;
pub use profiles::ProfilesApi;
pub use tags::TagsApi;
pub use users::UsersApi;

/// All operations.
pub type Apis = (UsersApi, ProfilesApi, ArticlesApi, CommentsApi, FavoritesApi, TagsApi);

/// The groups in the document.
#[derive(Debug, Tags)]
enum Tag {
    /// Signing up and logging in, one's own account.
    #[oai(rename = "User and Authentication")]
    User,
    /// What others see of a user, and following him.
    Profile,
    /// Articles.
    Articles,
    /// Comments on articles.
    Comments,
    /// One's favorite articles.
    Favorites,
    /// Tags of articles.
    Tags,
}

/// All operations on the application's tables.
#[must_use]
pub fn apis(store: Store) -> Apis {
    (
        UsersApi { store: store.clone() },
        ProfilesApi { store: store.clone() },
        ArticlesApi { store: store.clone() },
        CommentsApi { store: store.clone() },
        FavoritesApi { store: store.clone() },
        TagsApi { store },
    )
}

/// Something new.
#[derive(ApiResponse)]
enum Created<T: ToJSON> {
    /// What was made.
    #[oai(status = 201)]
    Made(Json<T>),
}

/// Nothing is left to say.
#[derive(ApiResponse)]
enum Deleted {
    /// It is gone.
    #[oai(status = 204)]
    Done,
}
