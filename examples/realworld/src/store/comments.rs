//! Comments.

use auth_poem::Error;

use super::{Result, Store, now, sought};
use crate::model::Comment;

/// The columns of a comment, and where they are from; the parameter is the id of the user who
/// looks.
macro_rules! comments {
    ($viewer:literal) => {
        concat!(
            "SELECT c.id, c.body, c.created_at, c.updated_at, u.username, u.bio, u.image,
                (SELECT count(*) FROM follows w
                    WHERE w.followed_id = u.id AND w.follower_id = ",
            $viewer,
            ") AS following
             FROM comments c
                JOIN users u ON u.id = c.author_id
                JOIN articles a ON a.id = c.article_id "
        )
    };
}

impl Store {
    /// The comments on an article, newest first.
    pub(crate) async fn comments(&self, viewer: Option<&str>, slug: &str) -> Result<Vec<Comment>> {
        let select = concat!(comments!("$1"), "WHERE a.slug = $2 ORDER BY c.id DESC");
        sqlx::query_as(select)
            .bind(viewer)
            .bind(sought(slug))
            .fetch_all(&self.pool)
            .await
            .map_err(Error::fault)
    }

    /// Writes a comment; `None` if there is no article of that slug.
    pub(crate) async fn create_comment(
        &self,
        author: &str,
        slug: &str,
        body: &str,
    ) -> Result<Option<Comment>> {
        let Some(id) = self.insert_comment(author, slug, body).await.map_err(Error::fault)? else {
            return Ok(None);
        };
        let select = concat!(comments!("$1"), "WHERE c.id = $2");
        sqlx::query_as(select)
            .bind(author)
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::fault)
    }

    /// The id of the new comment. Ids are counted in a row of their own: all engines can do that,
    /// and the id of a deleted comment never names another one.
    async fn insert_comment(
        &self,
        author: &str,
        slug: &str,
        body: &str,
    ) -> sqlx::Result<Option<i64>> {
        let mut transaction = self.pool.begin().await?;
        let count = sqlx::query("UPDATE comment_numbers SET last = last + 1");
        count.execute(&mut transaction).await?;
        let id: i64 = sqlx::query_scalar("SELECT last FROM comment_numbers")
            .fetch_one(&mut transaction)
            .await?;
        let insert = "INSERT INTO comments
                (id, article_id, author_id, body, created_at, updated_at)
            SELECT $1, a.id, $2, $3, $4, $4 FROM articles a WHERE a.slug = $5";
        let inserted = sqlx::query(insert)
            .bind(id)
            .bind(author)
            .bind(body)
            .bind(now())
            .bind(sought(slug))
            .execute(&mut transaction)
            .await?;
        if inserted.rows_affected() == 0 {
            return Ok(None);
        }
        transaction.commit().await?;
        Ok(Some(id))
    }

    /// Whose comment it is, if the article has one of that id.
    pub(crate) async fn author_of_comment(&self, slug: &str, id: i64) -> Result<Option<String>> {
        let select = "SELECT c.author_id FROM comments c JOIN articles a ON a.id = c.article_id
            WHERE a.slug = $1 AND c.id = $2";
        sqlx::query_scalar(select)
            .bind(sought(slug))
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::fault)
    }

    /// Deletes a comment of this author on an article, and says whether there was one.
    pub(crate) async fn delete_comment(&self, author: &str, slug: &str, id: i64) -> Result<bool> {
        let delete = "DELETE FROM comments WHERE id = $1 AND author_id = $2
            AND article_id = (SELECT a.id FROM articles a WHERE a.slug = $3)";
        sqlx::query(delete)
            .bind(id)
            .bind(author)
            .bind(sought(slug))
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected() > 0)
            .map_err(Error::fault)
    }
}
