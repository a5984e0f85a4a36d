//! What others see of a user, and following him.

use auth_poem::prelude::*;
use poem_openapi::{Object, param::Path, payload::Json};

use super::Tag;
use crate::{errors::not_found, model::Profile, store::Store, user::User};

/// The operations.
#[derive(Debug)]
pub struct ProfilesApi {
    pub(super) store: Store,
}

#[derive(Object)]
struct ProfileBody {
    profile: Profile,
}

#[auth_api(prefix_path = "/profiles", tag = "Tag::Profile")]
impl ProfilesApi {
    /// A user, and whether the caller follows him.
    #[rejects(profile = 404)]
    #[oai(path = "/:username", method = "get", operation_id = "GetProfileByUsername")]
    async fn profile(
        &self,
        user: Option<User>,
        username: Path<String>,
    ) -> auth_poem::Result<Json<ProfileBody>> {
        self.show(user.as_ref(), &username).await
    }

    /// Follows a user.
    #[rejects(profile = 404)]
    #[oai(path = "/:username/follow", method = "post", operation_id = "FollowUserByUsername")]
    async fn follow(
        &self,
        user: User,
        username: Path<String>,
    ) -> auth_poem::Result<Json<ProfileBody>> {
        self.store.follow(&user.account, &username).await?;
        self.show(Some(&user), &username).await
    }

    /// Follows a user no longer.
    #[rejects(profile = 404)]
    #[oai(path = "/:username/follow", method = "delete", operation_id = "UnfollowUserByUsername")]
    async fn unfollow(
        &self,
        user: User,
        username: Path<String>,
    ) -> auth_poem::Result<Json<ProfileBody>> {
        self.store.unfollow(&user.account, &username).await?;
        self.show(Some(&user), &username).await
    }
}

impl ProfilesApi {
    async fn show(
        &self,
        viewer: Option<&User>,
        username: &str,
    ) -> auth_poem::Result<Json<ProfileBody>> {
        let viewer = viewer.map(|user| user.account.as_str());
        let profile = self.store.profile(viewer, username).await?;
        let profile = profile.ok_or_else(|| not_found("profile"))?;
        Ok(Json(ProfileBody { profile }))
    }
}
