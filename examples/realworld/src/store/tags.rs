//! Tags.

use std::collections::HashMap;

use auth_poem::Error;
use example_kit::database::Transaction;
use sqlx::AssertSqlSafe;

use super::{Result, Store};

impl Store {
    /// The tags of all articles, the most used ones first.
    pub(crate) async fn tags(&self, limit: i64) -> Result<Vec<String>> {
        let select = "SELECT tag FROM article_tags
            GROUP BY tag ORDER BY count(*) DESC, tag LIMIT $1";
        sqlx::query_scalar(select).bind(limit).fetch_all(&self.pool).await.map_err(Error::fault)
    }

    /// The tags of some articles, by the article's id, in one statement.
    pub(super) async fn tags_of(
        &self,
        articles: impl ExactSizeIterator<Item = &str>,
    ) -> Result<HashMap<String, Vec<String>>> {
        let mut tags: HashMap<String, Vec<String>> = HashMap::new();
        if articles.len() == 0 {
            return Ok(tags);
        }
        let list: Vec<String> = (1..=articles.len()).map(|number| format!("${number}")).collect();
        let select = format!(
            "SELECT article_id, tag FROM article_tags WHERE article_id IN ({}) ORDER BY position",
            list.join(", ")
        );
        // Nothing in it but numbers of parameters.
        let mut query = sqlx::query_as::<_, (String, String)>(AssertSqlSafe(select));
        for article in articles {
            query = query.bind(article);
        }
        for (article, tag) in query.fetch_all(&self.pool).await.map_err(Error::fault)? {
            tags.entry(article).or_default().push(tag);
        }
        Ok(tags)
    }
}

/// Gives an article these tags, in this order, and no others.
pub(super) async fn set_tags(
    transaction: &mut Transaction,
    article: &str,
    tags: &[String],
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM article_tags WHERE article_id = $1")
        .bind(article)
        .execute(&mut *transaction)
        .await?;
    let insert = "INSERT INTO article_tags (article_id, tag, position) VALUES ($1, $2, $3)";
    for (tag, position) in tags.iter().zip(0_i64..) {
        sqlx::query(insert)
            .bind(article)
            .bind(tag)
            .bind(position)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}
