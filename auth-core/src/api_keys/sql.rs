//! API keys in an SQL database: [`SqlApiKeys`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{ApiKeyHash, ApiKeyRecord, ApiKeyStore, NewSecret};
use crate::{
    error::{BoxError, Error},
    scopes::Scopes,
    secret::SecurityStamp,
    sql::{
        SqlPool,
        dialect::{Dialect, check_table},
        migrate::migrate,
        on_engine,
        value::{TextColumn, Time},
    },
    user::UserKey,
};

/// Keeps API keys in a table of an SQL database, which any number of processes may share.
///
/// [`migrate`](Self::migrate) makes the table.
///
/// # Security
///
/// The table holds digests of secrets, and ids, which are no credentials: who reads it has no key.
///
/// # Examples
///
/// ```
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{api_keys::SqlApiKeys, sql::open_sqlite};
///
/// let keys = SqlApiKeys::new(open_sqlite("sqlite::memory:").await?);
/// keys.migrate().await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(start()).unwrap();
/// ```
#[derive(Clone)]
pub struct SqlApiKeys {
    pool: SqlPool,
    table: Arc<str>,
    sql: Arc<Statements>,
}

struct Statements {
    create: SqlStr,
    load: SqlStr,
    list_by_user: SqlStr,
    rotate: SqlStr,
    touch: SqlStr,
    delete: SqlStr,
    delete_by_user: SqlStr,
    purge: SqlStr,
}

/// A key as it is selected.
type Row = (
    TextColumn,
    TextColumn,
    Vec<u8>,
    String,
    Option<String>,
    Vec<u8>,
    Time,
    Option<Time>,
    Option<Time>,
);

const RECORD: &str =
    "id, user_key, secret_hash, name, scopes, stamp, created_at, expires_at, last_used_at";

impl Statements {
    fn new(dialect: &Dialect, table: &str) -> Self {
        let table = dialect.name(table, "");
        let greatest = dialect.greatest;
        let sql = |sql: &str| AssertSqlSafe(Arc::<str>::from(dialect.sql(sql))).into_sql_str();
        Self {
            create: sql(&format!(
                "INSERT INTO {table} ({RECORD}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )),
            load: sql(&format!("SELECT {RECORD} FROM {table} WHERE id = ?")),
            list_by_user: sql(&format!(
                "SELECT {RECORD} FROM {table} WHERE user_key = ? ORDER BY created_at, id"
            )),
            rotate: sql(&format!(
                "UPDATE {table} SET secret_hash = ?, stamp = ? \
                 WHERE id = ? AND user_key = ? AND (expires_at IS NULL OR expires_at > ?)"
            )),
            touch: sql(&format!(
                "UPDATE {table} SET last_used_at = {greatest}(COALESCE(last_used_at, ?), ?) \
                 WHERE id = ?"
            )),
            delete: sql(&format!("DELETE FROM {table} WHERE id = ? AND user_key = ?")),
            delete_by_user: sql(&format!("DELETE FROM {table} WHERE user_key = ?")),
            purge: sql(&format!("DELETE FROM {table} WHERE expires_at <= ?")),
        }
    }
}

fn migrations(dialect: &Dialect, table: &str) -> Vec<Vec<String>> {
    let Dialect { bytes, time, text, key_text, unless_there, table_options, .. } = dialect;
    let name = |ending| dialect.name(table, ending);
    vec![vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {keys} (
    id {key_text} NOT NULL PRIMARY KEY,
    user_key {key_text} NOT NULL,
    secret_hash {bytes} NOT NULL,
    name {text} NOT NULL,
    scopes {text},
    stamp {bytes} NOT NULL,
    created_at {time} NOT NULL,
    expires_at {time},
    last_used_at {time}
){table_options}",
            keys = name(""),
        ),
        format!("CREATE INDEX {unless_there}{} ON {} (user_key)", name("_user_key"), name("")),
        format!("CREATE INDEX {unless_there}{} ON {} (expires_at)", name("_expires_at"), name("")),
    ]]
}

impl SqlApiKeys {
    /// A store in the table `auth_api_keys`.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::in_table(pool.into(), "auth_api_keys")
    }

    /// Chooses another table.
    ///
    /// # Errors
    ///
    /// - the name is not made of ASCII letters, digits and underscores, begins with a digit, or is
    ///   longer than 40: [`Error::Misconfigured`]
    pub fn table(self, name: &str) -> Result<Self, Error> {
        check_table(name)?;
        Ok(Self::in_table(self.pool, name))
    }

    fn in_table(pool: SqlPool, table: &str) -> Self {
        let sql = Arc::new(Statements::new(Dialect::of(&pool), table));
        Self { pool, table: table.into(), sql }
    }

    /// Makes the table, or brings it up to date. Run it when the application starts; several
    /// processes may do so at once.
    ///
    /// # Errors
    ///
    /// - the database does not do it: [`Error::Store`]
    pub async fn migrate(&self) -> Result<(), Error> {
        let migrations = migrations(Dialect::of(&self.pool), &self.table);
        migrate(&self.pool, &self.table, &migrations).await.map_err(fault)
    }

    /// The statements that [`migrate`](Self::migrate) runs on an empty database, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        migrations(Dialect::of(&self.pool), &self.table).concat()
    }
}

impl fmt::Debug for SqlApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlApiKeys").field("table", &self.table).finish_non_exhaustive()
    }
}

fn fault(source: impl Into<BoxError>) -> Error {
    Error::Store { store: "API key", source: source.into() }
}

fn record(row: Row) -> Result<Arc<ApiKeyRecord>, Error> {
    let id = row.0.0.clone();
    read(row).map(Arc::new).map_err(|error| fault(format!("key {id} cannot be read: {error}")))
}

fn read(row: Row) -> Result<ApiKeyRecord, BoxError> {
    let (id, user, hash, name, scopes, stamp, created_at, expires_at, last_used_at) = row;
    let hash = hash.try_into().map_err(|_| "its hash is not 32 bytes long")?;
    let stamp = stamp.try_into().map_err(|_| "its stamp is not 16 bytes long")?;
    Ok(ApiKeyRecord {
        id: id.0,
        user: UserKey::from(user.0),
        hash: ApiKeyHash::from_bytes(hash),
        name,
        scopes: scopes.map_or(Scopes::All, |scopes| Scopes::parse(&scopes)),
        stamp: SecurityStamp::from_bytes(stamp),
        created_at: time(created_at)?,
        expires_at: expires_at.map(time).transpose()?,
        last_used_at: last_used_at.map(time).transpose()?,
    })
}

fn millis(at: DateTime<Utc>) -> Time {
    Time(at.timestamp_millis())
}

fn time(Time(millis): Time) -> Result<DateTime<Utc>, BoxError> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| "a time is out of range".into())
}

#[async_trait]
impl ApiKeyStore for SqlApiKeys {
    async fn create(&self, record: &ApiKeyRecord) -> Result<bool, Error> {
        let sql = &self.sql.create;
        let scopes = record.scopes.list().map(|scopes| scopes.join(" "));
        let created = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&*record.id)
            .bind(record.user.as_str())
            .bind(&record.hash.as_bytes()[..])
            .bind(&*record.name)
            .bind(scopes.as_deref())
            .bind(&record.stamp.as_bytes()[..])
            .bind(millis(record.created_at))
            .bind(record.expires_at.map(millis))
            .bind(record.last_used_at.map(millis))
            .execute(connection)
            .await
            .map(drop));
        match created {
            Ok(()) => Ok(true),
            // The id is the only unique column.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(fault(error)),
        }
    }

    async fn load(&self, id: &str) -> Result<Option<Arc<ApiKeyRecord>>, Error> {
        let sql = &self.sql.load;
        let row: Option<Row> = on_engine!(&self.pool, connection => sqlx::query_as(sql.clone())
            .bind(id)
            .fetch_optional(connection)
            .await)
        .map_err(fault)?;
        row.map(record).transpose()
    }

    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<ApiKeyRecord>>, Error> {
        let sql = &self.sql.list_by_user;
        let rows: Vec<Row> = on_engine!(&self.pool, connection => sqlx::query_as(sql.clone())
            .bind(user.as_str())
            .fetch_all(connection)
            .await)
        .map_err(fault)?;
        rows.into_iter().map(record).collect()
    }

    async fn rotate(&self, user: &UserKey, id: &str, secret: NewSecret) -> Result<bool, Error> {
        let sql = &self.sql.rotate;
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&secret.hash.as_bytes()[..])
            .bind(&secret.stamp.as_bytes()[..])
            .bind(id)
            .bind(user.as_str())
            .bind(millis(secret.now))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(fault)?;
        Ok(rows == 1)
    }

    async fn touch(&self, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let sql = &self.sql.touch;
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(millis(now))
            .bind(millis(now))
            .bind(id)
            .execute(connection)
            .await
            .map(drop))
        .map_err(fault)
    }

    async fn delete(&self, user: &UserKey, id: &str) -> Result<bool, Error> {
        let sql = &self.sql.delete;
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(id)
            .bind(user.as_str())
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(fault)?;
        Ok(rows == 1)
    }

    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error> {
        let sql = &self.sql.delete_by_user;
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(user.as_str())
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(fault)
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let sql = &self.sql.purge;
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(millis(now))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(fault)
    }
}
