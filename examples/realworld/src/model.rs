//! What clients see of users, articles and comments, as it is read from the database.

use auth_poem::prelude::{DateTime, Utc};
use poem_openapi::Object;
use sqlx::{FromRow, Row, any::AnyRow};

/// A user, as others see him.
#[derive(Debug, Object)]
pub struct Profile {
    username: String,
    #[oai(nullable)]
    bio: Option<String>,
    #[oai(nullable)]
    image: Option<String>,
    /// Whether the caller follows him.
    following: bool,
}

/// An article in a list.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ArticleSummary {
    #[oai(skip)]
    pub(crate) id: String,
    slug: String,
    title: String,
    description: String,
    pub(crate) tag_list: Vec<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Whether the caller has it among his favorites.
    favorited: bool,
    favorites_count: i64,
    author: Profile,
}

/// An article by itself.
#[derive(Debug, Object)]
pub struct Article {
    #[oai(flatten)]
    pub(crate) summary: ArticleSummary,
    body: String,
}

/// A comment on an article.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Comment {
    id: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    body: String,
    author: Profile,
}

impl FromRow<'_, AnyRow> for Profile {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            username: row.try_get("username")?,
            bio: row.try_get("bio")?,
            image: row.try_get("image")?,
            following: flag(row, "following")?,
        })
    }
}

impl FromRow<'_, AnyRow> for ArticleSummary {
    /// Everything but the tags, which are rows of their own.
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            slug: row.try_get("slug")?,
            title: row.try_get("title")?,
            description: row.try_get("description")?,
            tag_list: Vec::new(),
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
            favorited: flag(row, "favorited")?,
            favorites_count: row.try_get("favorites_count")?,
            author: Profile::from_row(row)?,
        })
    }
}

impl FromRow<'_, AnyRow> for Article {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self { summary: ArticleSummary::from_row(row)?, body: row.try_get("body")? })
    }
}

impl FromRow<'_, AnyRow> for Comment {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            created_at: time(row, "created_at")?,
            updated_at: time(row, "updated_at")?,
            body: row.try_get("body")?,
            author: Profile::from_row(row)?,
        })
    }
}

/// A truth value: engines have several kinds of these, but all count rows alike.
fn flag(row: &AnyRow, column: &str) -> sqlx::Result<bool> {
    row.try_get::<i64, _>(column).map(|count| count > 0)
}

/// A time, in milliseconds since 1970.
fn time(row: &AnyRow, column: &str) -> sqlx::Result<DateTime<Utc>> {
    let milliseconds = row.try_get(column)?;
    DateTime::from_timestamp_millis(milliseconds).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: column.into(),
        source: format!("{milliseconds} ms is no time").into(),
    })
}
