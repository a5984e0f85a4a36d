//! Sites: what roles are about.

use std::fmt::Debug;

use async_trait::async_trait;
use auth_poem::prelude::*;
use example_kit::{Nullable, database::Pool};
use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{
    Any, AssertSqlSafe, Executor, Row,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{Result, Work, fault, sql};
use crate::paging::{DataPage, Paging};

pub(super) const TABLE: &str = "
    CREATE TABLE sites (
        id VARCHAR(64) PRIMARY KEY,
        code VARCHAR(64) UNIQUE,
        name TEXT NOT NULL,
        create_time BIGINT NOT NULL,
        creator_id TEXT NOT NULL,
        active BIGINT NOT NULL,
        deleted BIGINT NOT NULL,
        data TEXT NOT NULL
    )";

/// A site.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Site {
    /// Its id.
    pub id: String,
    /// The code by which it is found.
    pub code: Option<String>,
    /// When it was created.
    pub create_time: DateTime<Utc>,
    /// Who created it.
    pub creator_id: String,
    /// Whether it is kept for the record only.
    pub deleted: Option<bool>,
    /// What its administrators say of it.
    #[oai(flatten)]
    pub data: SiteData,
}

/// What the administrators of a site say of it. All the rest is the facade's to say.
#[derive(Debug, Clone, Object, Serialize, Deserialize)]
#[oai(skip_serializing_if_is_none)]
pub struct SiteData {
    #[oai(default)]
    pub(crate) name: String,
    #[oai(default = "yes")]
    pub(crate) active: bool,
    description: Option<String>,
    address: Option<String>,
    /// A point, as GeoJSON.
    center: Option<Value>,
    /// In kilometres.
    radius: Option<f64>,
    /// An area, as GeoJSON.
    geometry: Option<Value>,
    /// A box, as GeoJSON.
    boundaries: Option<Value>,
    language: Option<String>,
    timezone: Option<String>,
    industry: Option<String>,
    org_size: Option<i64>,
    total_sites: Option<i64>,
    purpose: Option<String>,
    params: Option<Value>,
}

/// As much of a site as a session remembers and a stranger sees.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize, Deserialize)]
pub struct SiteName {
    /// The site.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Which sites.
#[derive(Debug, Default)]
pub struct SiteFilter {
    /// A part of the id or the name, in upper or lower case.
    pub search: Option<String>,
    /// The one with this id.
    pub id: Option<String>,
    /// The one with this code.
    pub code: Option<String>,
    /// Those in use, or those not.
    pub active: Option<bool>,
    /// The deleted ones too.
    pub deleted: bool,
    /// None but these.
    pub ids: Option<Vec<String>>,
}

/// Keeps sites.
///
/// # Errors
///
/// Every method: the service cannot answer.
#[async_trait]
pub trait Sites: Debug + Send + Sync {
    /// The sites that a filter lets through.
    async fn page(&self, filter: &SiteFilter, paging: Paging) -> Result<DataPage<Site>>;

    /// The names of sites, without those that are deleted.
    async fn names(&self, ids: &[&str]) -> Result<Vec<SiteName>>;

    /// The site, be it deleted.
    async fn by_id(&self, id: &str) -> Result<Option<Site>>;

    /// The site that is found by a code.
    async fn by_code(&self, code: &str) -> Result<Option<Site>>;

    /// Creates a site, and tells what is kept of it. `None`, and no change, if its id is taken, be
    /// it by a deleted one.
    async fn create(&self, work: &mut Work, site: &Site) -> Result<Option<Site>>;

    /// Replaces what is said of a site.
    async fn update(&self, id: &str, data: &SiteData) -> Result<Option<Site>>;

    /// Gives a site a code, in place of the one that it has.
    async fn set_code(&self, id: &str, code: &str) -> Result<Option<Site>>;

    /// Marks a site as deleted. It loses its code.
    async fn delete(&self, work: &mut Work, id: &str) -> Result<Option<Site>>;
}

impl SiteData {
    /// A name, and nothing more.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            active: true,
            description: None,
            address: None,
            center: None,
            radius: None,
            geometry: None,
            boundaries: None,
            language: None,
            timezone: None,
            industry: None,
            org_size: None,
            total_sites: None,
            purpose: None,
            params: None,
        }
    }
}

fn yes() -> bool {
    true
}

impl Site {
    /// What a stranger sees of it.
    #[must_use]
    pub fn as_name(&self) -> SiteName {
        SiteName { id: self.id.clone(), name: self.data.name.clone() }
    }
}

/// Sites on the facade's database.
#[derive(Debug)]
pub struct SqlSites(pub Pool);

const COLUMNS: &str = "id, code, create_time, creator_id, deleted, data";

#[async_trait]
impl Sites for SqlSites {
    async fn page(&self, filter: &SiteFilter, paging: Paging) -> Result<DataPage<Site>> {
        if filter.ids.as_ref().is_some_and(Vec::is_empty) {
            return Ok(DataPage::empty());
        }
        let matching = filter.condition();
        let page = format!(
            "SELECT {COLUMNS} FROM sites WHERE {matching} ORDER BY create_time, id
             LIMIT {} OFFSET {}",
            paging.take, paging.skip
        );
        let data = filter.query(page).try_map(read).fetch_all(&self.0).await;
        let data = data.map_err(fault)?;
        if !paging.total {
            return Ok(DataPage { data, total: Nullable(None) });
        }
        let count = filter.query(format!("SELECT COUNT(*) FROM sites WHERE {matching}"));
        let count = count.try_map(|row: AnyRow| row.try_get(0)).fetch_one(&self.0).await;
        Ok(DataPage { data, total: Nullable(Some(count.map_err(fault)?)) })
    }

    async fn names(&self, ids: &[&str]) -> Result<Vec<SiteName>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let select = format!(
            "SELECT id, name FROM sites WHERE deleted = 0 AND id IN ({}) ORDER BY create_time, id",
            sql::parameters(1, ids.len())
        );
        let select = sqlx::query(AssertSqlSafe(select));
        ids.iter()
            .fold(select, |select, id| select.bind(*id))
            .try_map(|row: AnyRow| Ok(SiteName { id: row.try_get(0)?, name: row.try_get(1)? }))
            .fetch_all(&self.0)
            .await
            .map_err(fault)
    }

    async fn by_id(&self, id: &str) -> Result<Option<Site>> {
        find(&self.0, "id = $1", id).await
    }

    async fn by_code(&self, code: &str) -> Result<Option<Site>> {
        find(&self.0, "code = $1 AND deleted = 0", code).await
    }

    async fn create(&self, work: &mut Work, site: &Site) -> Result<Option<Site>> {
        let insert = sqlx::query(
            "INSERT INTO sites (id, name, create_time, creator_id, active, deleted, data)
             VALUES ($1, $2, $3, $4, $5, 0, $6)",
        )
        .bind(&site.id)
        .bind(&site.data.name)
        .bind(site.create_time.timestamp_millis())
        .bind(&site.creator_id)
        .bind(i64::from(site.data.active))
        .bind(sql::text(&site.data)?);
        match work.connection().insert(insert).await.map_err(fault)? {
            true => find(work.connection(), "id = $1", &site.id).await,
            false => Ok(None),
        }
    }

    async fn update(&self, id: &str, data: &SiteData) -> Result<Option<Site>> {
        sqlx::query("UPDATE sites SET name = $2, active = $3, data = $4 WHERE id = $1")
            .bind(id)
            .bind(&data.name)
            .bind(i64::from(data.active))
            .bind(sql::text(data)?)
            .execute(&self.0)
            .await
            .map_err(fault)?;
        self.by_id(id).await
    }

    async fn set_code(&self, id: &str, code: &str) -> Result<Option<Site>> {
        sqlx::query("UPDATE sites SET code = $2 WHERE id = $1 AND deleted = 0")
            .bind(id)
            .bind(code)
            .execute(&self.0)
            .await
            .map_err(fault)?;
        find(&self.0, "id = $1 AND deleted = 0", id).await
    }

    async fn delete(&self, work: &mut Work, id: &str) -> Result<Option<Site>> {
        sqlx::query("UPDATE sites SET deleted = 1, code = NULL WHERE id = $1")
            .bind(id)
            .execute(work.connection())
            .await
            .map_err(fault)?;
        find(work.connection(), "id = $1", id).await
    }
}

/// The site for which a condition holds, which has one parameter.
async fn find<'c>(
    database: impl Executor<'c, Database = Any>,
    condition: &str,
    value: &str,
) -> Result<Option<Site>> {
    let select = format!("SELECT {COLUMNS} FROM sites WHERE {condition}");
    let select = sqlx::query(AssertSqlSafe(select)).bind(value).try_map(read);
    select.fetch_optional(database).await.map_err(fault)
}

impl SiteFilter {
    /// What stands behind `WHERE`; a value that is not there matches everything.
    fn condition(&self) -> String {
        let mut condition = "($1 = 1 OR deleted = 0) AND ($2 IS NULL OR id = $2)
            AND ($3 IS NULL OR code = $3) AND ($4 IS NULL OR active = $4)
            AND ($5 IS NULL OR lower(id) LIKE $5 ESCAPE '!' OR lower(name) LIKE $5 ESCAPE '!')"
            .to_owned();
        if let Some(ids) = &self.ids {
            condition += &format!(" AND id IN ({})", sql::parameters(6, ids.len()));
        }
        condition
    }

    /// A statement with that condition and its values.
    fn query(&self, statement: String) -> Query<'_, Any, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(statement))
            .bind(i64::from(self.deleted))
            .bind(self.id.as_deref())
            .bind(self.code.as_deref())
            .bind(self.active.map(i64::from))
            .bind(self.search.as_deref().map(sql::anywhere));
        self.ids.iter().flatten().fold(query, |query, id| query.bind(id.as_str()))
    }
}

fn read(row: AnyRow) -> sqlx::Result<Site> {
    let deleted: i64 = row.try_get("deleted")?;
    Ok(Site {
        id: row.try_get("id")?,
        code: row.try_get("code")?,
        create_time: sql::time(&row, "create_time")?,
        creator_id: row.try_get("creator_id")?,
        deleted: (deleted == 1).then_some(true),
        data: sql::json(&row, "data")?,
    })
}
