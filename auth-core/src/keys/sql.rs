//! Keys in an SQL database: [`SqlKeys`].

use std::{fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{KeyRecord, KeyStore, Verifier};
use crate::{
    error::{BoxError, Error},
    scopes::Scopes,
    sql::{
        SqlPool, SqlRow, SqlValue,
        dialect::{Dialect, check_table},
        migrate::migrate,
        on_engine,
        value::{TextColumn, Time},
    },
    user::UserKey,
};

/// How the verifier of a key lies in a table: in two columns of one type.
pub trait SqlVerifier: Verifier {
    /// The table, unless the application chooses another one.
    const TABLE: &'static str;

    /// The names of the columns.
    const COLUMNS: [&'static str; 2];

    /// What they hold: `String` for text, `Vec<u8>` for at most 32 bytes.
    type Column: VerifierColumn;

    /// What stands in the columns.
    fn to_columns(&self) -> [Self::Column; 2];

    /// A verifier from the columns.
    ///
    /// # Errors
    ///
    /// - they are not what [`to_columns`](Self::to_columns) makes
    fn from_columns(columns: [Self::Column; 2]) -> Result<Self, BoxError>;
}

/// What a column of a [`SqlVerifier`] may hold.
pub trait VerifierColumn: SqlValue + Clone + 'static {
    /// Whether it is bytes and not text.
    #[doc(hidden)]
    const IS_BYTES: bool;

    /// A row with two such columns.
    #[doc(hidden)]
    type Row: SqlRow + Into<Row<Self>>;
}

impl VerifierColumn for String {
    const IS_BYTES: bool = false;
    type Row = Row<Self>;
}

impl VerifierColumn for Vec<u8> {
    const IS_BYTES: bool = true;
    type Row = Row<Self>;
}

/// A key as it is selected.
type Row<C> =
    (TextColumn, TextColumn, C, C, String, Option<String>, Time, Option<Time>, Option<Time>);

/// Keeps keys in a table of an SQL database, which any number of processes may share.
///
/// [`migrate`](Self::migrate) makes the table. What of a key stands in it, its
/// [`SqlVerifier`] says.
pub struct SqlKeys<V> {
    pool: SqlPool,
    table: Arc<str>,
    sql: Arc<Statements>,
    verifier: PhantomData<fn() -> V>,
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

impl Statements {
    fn new(dialect: &Dialect, table: &str, [one, two]: [&str; 2]) -> Self {
        let table = dialect.name(table, "");
        let greatest = dialect.greatest;
        let record = format!(
            "id, user_key, {one}, {two}, name, scopes, created_at, expires_at, last_used_at"
        );
        let sql = |sql: &str| AssertSqlSafe(Arc::<str>::from(dialect.sql(sql))).into_sql_str();
        Self {
            create: sql(&format!(
                "INSERT INTO {table} ({record}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )),
            load: sql(&format!("SELECT {record} FROM {table} WHERE id = ?")),
            list_by_user: sql(&format!(
                "SELECT {record} FROM {table} WHERE user_key = ? ORDER BY created_at, id"
            )),
            rotate: sql(&format!(
                "UPDATE {table} SET {one} = ?, {two} = ? \
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

fn migrations<V: SqlVerifier>(dialect: &Dialect, table: &str) -> Vec<Vec<String>> {
    let Dialect { bytes, time, text, key_text, unless_there, table_options, .. } = dialect;
    let name = |ending| dialect.name(table, ending);
    let [one, two] = V::COLUMNS;
    let kind = if V::Column::IS_BYTES { bytes } else { text };
    vec![vec![
        format!(
            "CREATE TABLE IF NOT EXISTS {keys} (
    id {key_text} NOT NULL PRIMARY KEY,
    user_key {key_text} NOT NULL,
    {one} {kind} NOT NULL,
    {two} {kind} NOT NULL,
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

impl<V: SqlVerifier> SqlKeys<V> {
    /// A store in the table that is usual for this kind of key.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::in_table(pool.into(), V::TABLE)
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
        let sql = Arc::new(Statements::new(Dialect::of(&pool), table, V::COLUMNS));
        Self { pool, table: table.into(), sql, verifier: PhantomData }
    }

    /// Makes the table, or brings it up to date. Run it when the application starts; several
    /// processes may do so at once.
    ///
    /// # Errors
    ///
    /// - the database does not do it: [`Error::Store`]
    pub async fn migrate(&self) -> Result<(), Error> {
        let migrations = migrations::<V>(Dialect::of(&self.pool), &self.table);
        migrate(&self.pool, &self.table, &migrations).await.map_err(Self::fault)
    }

    /// The statements that [`migrate`](Self::migrate) runs on an empty database, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<String> {
        migrations::<V>(Dialect::of(&self.pool), &self.table).concat()
    }

    fn fault(source: impl Into<BoxError>) -> Error {
        Error::Store { store: V::KIND, source: source.into() }
    }

    fn record(row: impl Into<Row<V::Column>>) -> Result<Arc<KeyRecord<V>>, Error> {
        let row = row.into();
        let id = row.0.0.clone();
        let unreadable = |error| Self::fault(format!("key {id} cannot be read: {error}"));
        read(row).map(Arc::new).map_err(unreadable)
    }
}

fn read<V: SqlVerifier>(row: Row<V::Column>) -> Result<KeyRecord<V>, BoxError> {
    let (id, user, one, two, name, scopes, created_at, expires_at, last_used_at) = row;
    Ok(KeyRecord {
        id: id.0,
        user: UserKey::from(user.0),
        verifier: V::from_columns([one, two])?,
        name,
        scopes: scopes.map_or(Scopes::All, |scopes| Scopes::parse(&scopes)),
        created_at: created_at.read()?,
        expires_at: expires_at.map(Time::read).transpose()?,
        last_used_at: last_used_at.map(Time::read).transpose()?,
    })
}

impl<V> Clone for SqlKeys<V> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            table: Arc::clone(&self.table),
            sql: Arc::clone(&self.sql),
            verifier: PhantomData,
        }
    }
}

impl<V> fmt::Debug for SqlKeys<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlKeys").field("table", &self.table).finish_non_exhaustive()
    }
}

#[async_trait]
impl<V: SqlVerifier> KeyStore<V> for SqlKeys<V> {
    async fn create(&self, record: &KeyRecord<V>) -> Result<bool, Error> {
        let sql = &self.sql.create;
        let scopes = record.scopes.list().map(|scopes| scopes.join(" "));
        let [one, two] = record.verifier.to_columns();
        let created = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&*record.id)
            .bind(record.user.as_str())
            .bind(one.clone())
            .bind(two.clone())
            .bind(&*record.name)
            .bind(scopes.as_deref())
            .bind(Time::of(record.created_at))
            .bind(record.expires_at.map(Time::of))
            .bind(record.last_used_at.map(Time::of))
            .execute(connection)
            .await
            .map(drop));
        match created {
            Ok(()) => Ok(true),
            // The id is the only unique column.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(Self::fault(error)),
        }
    }

    async fn load(&self, id: &str) -> Result<Option<Arc<KeyRecord<V>>>, Error> {
        let sql = &self.sql.load;
        let row: Option<<V::Column as VerifierColumn>::Row> =
            on_engine!(&self.pool, connection => sqlx::query_as(sql.clone())
            .bind(id)
            .fetch_optional(connection)
            .await)
            .map_err(Self::fault)?;
        row.map(Self::record).transpose()
    }

    async fn list_by_user(&self, user: &UserKey) -> Result<Vec<Arc<KeyRecord<V>>>, Error> {
        let sql = &self.sql.list_by_user;
        let rows: Vec<<V::Column as VerifierColumn>::Row> =
            on_engine!(&self.pool, connection => sqlx::query_as(sql.clone())
            .bind(user.as_str())
            .fetch_all(connection)
            .await)
            .map_err(Self::fault)?;
        rows.into_iter().map(Self::record).collect()
    }

    async fn rotate(
        &self,
        user: &UserKey,
        id: &str,
        verifier: &V,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let sql = &self.sql.rotate;
        let [one, two] = verifier.to_columns();
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(one.clone())
            .bind(two.clone())
            .bind(id)
            .bind(user.as_str())
            .bind(Time::of(now))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Self::fault)?;
        Ok(rows == 1)
    }

    async fn touch(&self, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let (sql, now) = (&self.sql.touch, Time::of(now));
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(now)
            .bind(now)
            .bind(id)
            .execute(connection)
            .await
            .map(drop))
        .map_err(Self::fault)
    }

    async fn delete(&self, user: &UserKey, id: &str) -> Result<bool, Error> {
        let sql = &self.sql.delete;
        let rows = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(id)
            .bind(user.as_str())
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Self::fault)?;
        Ok(rows == 1)
    }

    async fn delete_by_user(&self, user: &UserKey) -> Result<u64, Error> {
        let sql = &self.sql.delete_by_user;
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(user.as_str())
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Self::fault)
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let sql = &self.sql.purge;
        on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(Time::of(now))
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
        .map_err(Self::fault)
    }
}
