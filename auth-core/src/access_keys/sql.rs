//! Access keys in an SQL database: [`SqlAccessKeys`].

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{AccessKeyRecord, AccessKeyStore, KeyMaterial};
use crate::{
    error::{BoxError, Error},
    scopes::Scopes,
    signature::SignatureAlgorithm,
    sql::{
        SqlPool,
        dialect::{Dialect, check_table},
        migrate::migrate,
        on_engine,
        value::{TextColumn, Time},
    },
    user::UserKey,
};

/// Keeps access keys in a table of an SQL database, which any number of processes may share.
///
/// [`migrate`](Self::migrate) makes the table.
///
/// # Security
///
/// Secrets are encrypted in the table, and public keys are no secret: who reads it cannot sign.
///
/// # Examples
///
/// ```
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{access_keys::SqlAccessKeys, sql::open_sqlite};
///
/// let keys = SqlAccessKeys::new(open_sqlite("sqlite::memory:").await?);
/// keys.migrate().await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(start()).unwrap();
/// ```
#[derive(Clone)]
pub struct SqlAccessKeys {
    pool: SqlPool,
    table: Arc<str>,
    sql: Arc<Statements>,
}

struct Statements {
    create: SqlStr,
    load: SqlStr,
    list_by_user: SqlStr,
    touch: SqlStr,
    delete: SqlStr,
    delete_by_user: SqlStr,
    purge: SqlStr,
}

/// A key as it is selected.
type Row = (
    TextColumn,
    TextColumn,
    String,
    String,
    String,
    Option<String>,
    Time,
    Option<Time>,
    Option<Time>,
);

const RECORD: &str =
    "id, user_key, algorithm, material, name, scopes, created_at, expires_at, last_used_at";

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
    let Dialect { time, text, key_text, unless_there, table_options, .. } = dialect;
    let name = |ending| dialect.name(table, ending);
    vec![vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {keys} (
    id {key_text} NOT NULL PRIMARY KEY,
    user_key {key_text} NOT NULL,
    algorithm {text} NOT NULL,
    material {text} NOT NULL,
    name {text} NOT NULL,
    scopes {text},
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

impl SqlAccessKeys {
    /// A store in the table `auth_access_keys`.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::in_table(pool.into(), "auth_access_keys")
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

impl fmt::Debug for SqlAccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlAccessKeys").field("table", &self.table).finish_non_exhaustive()
    }
}

fn fault(source: impl Into<BoxError>) -> Error {
    Error::Store { store: "access key", source: source.into() }
}

fn record(row: Row) -> Result<Arc<AccessKeyRecord>, Error> {
    let id = row.0.0.clone();
    read(row).map(Arc::new).map_err(|error| fault(format!("key {id} cannot be read: {error}")))
}

fn read(row: Row) -> Result<AccessKeyRecord, BoxError> {
    let (id, user, algorithm, material, name, scopes, created_at, expires_at, last_used_at) = row;
    let material = match SignatureAlgorithm::from_name(&algorithm) {
        Some(SignatureAlgorithm::HmacSha256) => KeyMaterial::HmacSha256 { sealed: material },
        Some(SignatureAlgorithm::Ed25519) => {
            let bytes = STANDARD.decode(material)?;
            let public_key = bytes.try_into().map_err(|_| "its public key is not 32 bytes long")?;
            KeyMaterial::Ed25519 { public_key }
        }
        None => return Err(format!("its algorithm {algorithm:?} is not known").into()),
    };
    Ok(AccessKeyRecord {
        id: id.0,
        user: UserKey::from(user.0),
        material,
        name,
        scopes: scopes.map_or(Scopes::All, |scopes| Scopes::parse(&scopes)),
        created_at: time(created_at)?,
        expires_at: expires_at.map(time).transpose()?,
        last_used_at: last_used_at.map(time).transpose()?,
    })
}

pub(super) fn millis(at: DateTime<Utc>) -> Time {
    Time(at.timestamp_millis())
}

fn time(Time(millis): Time) -> Result<DateTime<Utc>, BoxError> {
    DateTime::from_timestamp_millis(millis).ok_or_else(|| "a time is out of range".into())
}

#[async_trait]
impl AccessKeyStore for SqlAccessKeys {
    async fn create(&self, record: &AccessKeyRecord) -> Result<bool, Error> {
        let sql = &self.sql.create;
        let scopes = record.scopes.list().map(|scopes| scopes.join(" "));
        let material = match &record.material {
            KeyMaterial::HmacSha256 { sealed } => sealed.clone(),
            KeyMaterial::Ed25519 { public_key } => STANDARD.encode(public_key),
        };
        let created = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&*record.id)
            .bind(record.user.as_str())
            .bind(record.material.algorithm().name())
            .bind(material.as_str())
            .bind(&*record.name)
            .bind(scopes.as_deref())
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

    async fn load(&self, id: &str) -> Result<Option<Arc<AccessKeyRecord>>, Error> {
        let sql = &self.sql.load;
        let row: Option<Row> = on_engine!(&self.pool, connection => sqlx::query_as(sql.clone())
            .bind(id)
            .fetch_optional(connection)
            .await)
        .map_err(fault)?;
        row.map(record).transpose()
    }

    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<AccessKeyRecord>>, Error> {
        let sql = &self.sql.list_by_user;
        let rows: Vec<Row> = on_engine!(&self.pool, connection => sqlx::query_as(sql.clone())
            .bind(user.as_str())
            .fetch_all(connection)
            .await)
        .map_err(fault)?;
        rows.into_iter().map(record).collect()
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
