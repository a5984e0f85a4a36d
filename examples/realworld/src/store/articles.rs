//! Articles: lists, one by its slug, writing.

use auth_poem::{Error, prelude::*};

use super::{Result, Store, is_taken, now, sought, tags::set_tags};
use crate::{
    model::{Article, ArticleSummary},
    slug,
};

/// Which articles a list has; all conditions together.
#[derive(Default)]
pub(crate) struct Filter<'a> {
    /// With this tag.
    pub(crate) tag: Option<&'a str>,
    /// By the user of this name.
    pub(crate) author: Option<&'a str>,
    /// Among the favorites of the user of this name.
    pub(crate) favorited: Option<&'a str>,
    /// By users whom the user of this id follows.
    pub(crate) followed_by: Option<&'a str>,
}

/// Which part of a list.
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// A new article.
pub(crate) struct NewArticle {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) body: String,
    pub(crate) tags: Vec<String>,
}

/// What is to change in an article; what is `None` stays.
pub(crate) struct ArticleChanges {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
}

/// The columns of a summary; the parameter is the id of the user who looks.
macro_rules! summary {
    ($viewer:literal) => {
        concat!(
            "a.id, a.slug, a.title, a.description, a.created_at, a.updated_at,
             u.username, u.bio, u.image,
             (SELECT count(*) FROM favorites f WHERE f.article_id = a.id) AS favorites_count,
             (SELECT count(*) FROM favorites f
                WHERE f.article_id = a.id AND f.user_id = ",
            $viewer,
            ") AS favorited,
             (SELECT count(*) FROM follows w
                WHERE w.followed_id = a.author_id AND w.follower_id = ",
            $viewer,
            ") AS following"
        )
    };
}

/// The conditions of a [`Filter`], whose fields are the parameters 1 to 4.
macro_rules! filter {
    () => {
        "($1 IS NULL OR EXISTS (SELECT 1 FROM article_tags t
            WHERE t.article_id = a.id AND t.tag = $1))
         AND ($2 IS NULL OR a.author_id =
            (SELECT n.id FROM users n WHERE n.username_key = lower($2)))
         AND ($3 IS NULL OR EXISTS (SELECT 1 FROM favorites f
            WHERE f.article_id = a.id AND f.user_id =
                (SELECT n.id FROM users n WHERE n.username_key = lower($3))))
         AND ($4 IS NULL OR EXISTS (SELECT 1 FROM follows w
            WHERE w.followed_id = a.author_id AND w.follower_id = $4))"
    };
}

const PAGE: &str = concat!(
    "SELECT ",
    summary!("$5"),
    " FROM articles a JOIN users u ON u.id = a.author_id WHERE ",
    filter!(),
    " ORDER BY a.created_at DESC, a.id DESC LIMIT $6 OFFSET $7"
);

const COUNT: &str = concat!("SELECT count(*) FROM articles a WHERE ", filter!());

const ONE: &str = concat!(
    "SELECT a.body, ",
    summary!("$1"),
    " FROM articles a JOIN users u ON u.id = a.author_id WHERE a.slug = $2"
);

impl Store {
    /// A page of a list, newest first, and how long the list is: three statements, however many
    /// articles there are.
    pub(crate) async fn articles(
        &self,
        viewer: Option<&str>,
        filter: &Filter<'_>,
        page: &Page,
    ) -> Result<(Vec<ArticleSummary>, i64)> {
        let [tag, author, favorited] =
            [filter.tag, filter.author, filter.favorited].map(|text| text.map(sought));
        let count = sqlx::query_scalar(COUNT)
            .bind(tag)
            .bind(author)
            .bind(favorited)
            .bind(filter.followed_by)
            .fetch_one(&self.pool)
            .await
            .map_err(Error::fault)?;
        let mut articles: Vec<ArticleSummary> = sqlx::query_as(PAGE)
            .bind(tag)
            .bind(author)
            .bind(favorited)
            .bind(filter.followed_by)
            .bind(viewer)
            .bind(page.limit)
            .bind(page.offset)
            .fetch_all(&self.pool)
            .await
            .map_err(Error::fault)?;
        let mut tags = self.tags_of(articles.iter().map(|article| article.id.as_str())).await?;
        for article in &mut articles {
            article.tag_list = tags.remove(&article.id).unwrap_or_default();
        }
        Ok((articles, count))
    }

    /// The article of that slug, as the viewer sees it.
    pub(crate) async fn article(
        &self,
        viewer: Option<&str>,
        slug: &str,
    ) -> Result<Option<Article>> {
        let article: Option<Article> = sqlx::query_as(ONE)
            .bind(viewer)
            .bind(sought(slug))
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::fault)?;
        let Some(mut article) = article else { return Ok(None) };
        let summary = &mut article.summary;
        let mut tags = self.tags_of([summary.id.as_str()].into_iter()).await?;
        summary.tag_list = tags.remove(&summary.id).unwrap_or_default();
        Ok(Some(article))
    }

    /// Whose article it is, if there is one of that slug.
    pub(crate) async fn author_of_article(&self, slug: &str) -> Result<Option<String>> {
        sqlx::query_scalar("SELECT author_id FROM articles WHERE slug = $1")
            .bind(sought(slug))
            .fetch_optional(&self.pool)
            .await
            .map_err(Error::fault)
    }

    /// Creates an article, and tells its slug.
    pub(crate) async fn create_article(&self, author: &str, new: &NewArticle) -> Result<String> {
        for slug in slug::candidates(&new.title) {
            match self.insert_article(author, new, &slug).await {
                Ok(()) => return Ok(slug),
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(Error::fault(error)),
            }
        }
        Err(no_slug())
    }

    async fn insert_article(&self, author: &str, new: &NewArticle, slug: &str) -> sqlx::Result<()> {
        let id = Uuid::now_v7().to_string();
        let insert = "INSERT INTO articles
                (id, slug, author_id, title, description, body, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
        let mut transaction = self.pool.begin().await?;
        sqlx::query(insert)
            .bind(&id)
            .bind(slug)
            .bind(author)
            .bind(&new.title)
            .bind(&new.description)
            .bind(&new.body)
            .bind(now())
            .execute(&mut transaction)
            .await?;
        set_tags(&mut transaction, &id, &new.tags).await?;
        transaction.commit().await
    }

    /// Changes an article of this author, and tells its slug, which follows the title; `None` if
    /// there is no such article.
    pub(crate) async fn change_article(
        &self,
        author: &str,
        slug: &str,
        changes: &ArticleChanges,
    ) -> Result<Option<String>> {
        let retitled = changes.title.as_deref().filter(|title| !slug::fits(slug, title));
        let slugs: Vec<String> = match retitled {
            Some(title) => slug::candidates(title).collect(),
            None => vec![slug.to_owned()],
        };
        for new_slug in slugs {
            match self.update_article(author, slug, changes, &new_slug).await {
                Ok(true) => return Ok(Some(new_slug)),
                Ok(false) => return Ok(None),
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(Error::fault(error)),
            }
        }
        Err(no_slug())
    }

    async fn update_article(
        &self,
        author: &str,
        slug: &str,
        changes: &ArticleChanges,
        new_slug: &str,
    ) -> sqlx::Result<bool> {
        // The time always moves on, also for two changes within a millisecond.
        let update = "UPDATE articles SET
                slug = $3,
                title = COALESCE($4, title),
                description = COALESCE($5, description),
                body = COALESCE($6, body),
                updated_at = CASE WHEN updated_at < $7 THEN $7 ELSE updated_at + 1 END
            WHERE slug = $1 AND author_id = $2";
        let mut transaction = self.pool.begin().await?;
        let updated = sqlx::query(update)
            .bind(sought(slug))
            .bind(author)
            .bind(new_slug)
            .bind(&changes.title)
            .bind(&changes.description)
            .bind(&changes.body)
            .bind(now())
            .execute(&mut transaction)
            .await?;
        if updated.rows_affected() == 0 {
            return Ok(false);
        }
        if let Some(tags) = &changes.tags {
            let id: String = sqlx::query_scalar("SELECT id FROM articles WHERE slug = $1")
                .bind(new_slug)
                .fetch_one(&mut transaction)
                .await?;
            set_tags(&mut transaction, &id, tags).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Deletes an article of this author, and says whether there was one.
    pub(crate) async fn delete_article(&self, author: &str, slug: &str) -> Result<bool> {
        sqlx::query("DELETE FROM articles WHERE slug = $1 AND author_id = $2")
            .bind(sought(slug))
            .bind(author)
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected() > 0)
            .map_err(Error::fault)
    }

    /// Adds an article to a user's favorites, if there is one of that slug.
    pub(crate) async fn favorite(&self, user: &str, slug: &str) -> Result<()> {
        let insert = "INSERT INTO favorites (user_id, article_id)
            SELECT $1, a.id FROM articles a WHERE a.slug = $2";
        self.change(insert, user, slug).await
    }

    /// Removes an article from a user's favorites.
    pub(crate) async fn unfavorite(&self, user: &str, slug: &str) -> Result<()> {
        let delete = "DELETE FROM favorites WHERE user_id = $1 AND article_id IN
            (SELECT a.id FROM articles a WHERE a.slug = $2)";
        self.change(delete, user, slug).await
    }
}

fn no_slug() -> Error {
    Error::fault("every slug that was tried is taken")
}
