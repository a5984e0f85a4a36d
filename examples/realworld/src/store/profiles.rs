//! Who follows whom.

use auth_poem::Error;

use super::{Result, Store, is_taken, sought};
use crate::model::Profile;

impl Store {
    /// A user as the viewer sees him.
    pub(crate) async fn profile(
        &self,
        viewer: Option<&str>,
        username: &str,
    ) -> Result<Option<Profile>> {
        let select = "SELECT u.username, u.bio, u.image,
                (SELECT count(*) FROM follows w
                    WHERE w.followed_id = u.id AND w.follower_id = $1) AS following
            FROM users u WHERE u.username_key = lower($2)";
        sqlx::query_as(select)
            .bind(viewer)
            .bind(sought(username))
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::fault)
    }

    /// Follows a user, if there is one of that name.
    pub(crate) async fn follow(&self, follower: &str, username: &str) -> Result<()> {
        let insert = "INSERT INTO follows (follower_id, followed_id)
            SELECT $1, u.id FROM users u WHERE u.username_key = lower($2)";
        self.change(insert, follower, username).await
    }

    /// Follows a user no longer.
    pub(crate) async fn unfollow(&self, follower: &str, username: &str) -> Result<()> {
        let delete = "DELETE FROM follows WHERE follower_id = $1 AND followed_id IN
            (SELECT u.id FROM users u WHERE u.username_key = lower($2))";
        self.change(delete, follower, username).await
    }

    /// Runs a statement on a user and a thing that somebody named. What is there already can be
    /// inserted once more.
    pub(super) async fn change(
        &self,
        statement: &'static str,
        user: &str,
        name: &str,
    ) -> Result<()> {
        let done = sqlx::query(statement).bind(user).bind(sought(name)).execute(&self.pool).await;
        match done {
            Err(error) if !is_taken(&error) => Err(Error::fault(error)),
            _ => Ok(()),
        }
    }
}
