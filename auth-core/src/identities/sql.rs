//! Identities in an SQL database: [`SqlIdentities`].

use std::{fmt, marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Database, Pool, SqlSafeStr, SqlStr, Type, TypeInfo};

use super::{ExternalId, IdentityStore, LinkedIdentity};
use crate::{
    error::{BoxError, Error},
    secret::sha256,
    sql::{
        SqlPool, SqlRow, SqlValue, bind_key,
        dialect::{Dialect, check_table},
        migrate::migrate,
        on_engine, on_pool,
        value::Time,
    },
    user::AuthUser,
};

/// Keeps identities in a table beside that of the users.
///
/// The table is `<users>_identities`, where `<users>` is the table of the type of user;
/// [`migrate`](Self::migrate) makes it.
///
/// # Security
///
/// The rows of a user who is deleted go with him; an id that is given out again, as SQLite does it,
/// does not let the old owner of an identity into the new account.
#[derive(Clone)]
pub struct SqlIdentities<U> {
    pool: SqlPool,
    table: Arc<str>,
    sql: Arc<Statements>,
    user: PhantomData<fn() -> U>,
}

/// The statements. Only quoted names vary, which are constants of the program or were checked.
struct Statements {
    /// Binds the digest.
    owner: SqlStr,
    /// Binds the digest, the user, issuer, subject, time.
    link: SqlStr,
    /// Binds the digest, the user.
    unlink: SqlStr,
    /// Binds the user.
    of: SqlStr,
    /// Binds the user.
    unlink_all: SqlStr,
    /// How often "the user" is bound, but for `link`.
    user_binds: usize,
}

impl Statements {
    fn new(dialect: &Dialect, table: &str) -> Self {
        let table = dialect.name(table, "");
        let (is_user, user_binds) = dialect.is_key("user_id");
        let sql = |sql: String| AssertSqlSafe(Arc::<str>::from(dialect.sql(&sql))).into_sql_str();
        Self {
            owner: sql(format!("SELECT user_id FROM {table} WHERE id_hash = ?")),
            link: sql(format!(
                "INSERT INTO {table} (id_hash, user_id, issuer, subject, linked_at) \
                 VALUES (?, ?, ?, ?, ?)"
            )),
            unlink: sql(format!("DELETE FROM {table} WHERE id_hash = ? AND {is_user}")),
            of: sql(format!(
                "SELECT issuer, subject, linked_at FROM {table} WHERE {is_user} \
                 ORDER BY linked_at, issuer, subject"
            )),
            unlink_all: sql(format!("DELETE FROM {table} WHERE {is_user}")),
            user_binds,
        }
    }
}

impl<U: AuthUser<Id: SqlValue>> SqlIdentities<U> {
    /// The identities on this pool.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        Self::in_table(pool.into(), &format!("{}_identities", U::META.table))
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
        Self { pool, table: table.into(), sql, user: PhantomData }
    }

    /// Makes the table, unless it is there. The table of the users must be there already.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or does not allow it: [`Error::Store`]
    pub async fn migrate(&self) -> Result<(), Error> {
        let dialect = Dialect::of(&self.pool);
        let id_type = self.id_type(dialect).await?;
        let [users, id] = [U::META.table, U::META.id].map(|name| dialect.name(name, ""));
        let name = |ending| dialect.name(&self.table, ending);
        let Dialect { bytes, text, time, table_options, unless_there, .. } = dialect;
        // The digest and not issuer and subject is the key: engines limit the length of a key, and
        // some of them compare text more loosely than identities may be compared.
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {table} (
    id_hash {bytes} NOT NULL PRIMARY KEY,
    user_id {id_type} NOT NULL,
    issuer {text} NOT NULL,
    subject {text} NOT NULL,
    linked_at {time} NOT NULL,
    FOREIGN KEY (user_id) REFERENCES {users} ({id}) ON DELETE CASCADE
){table_options}",
            table = name(""),
        );
        let index =
            format!("CREATE INDEX {unless_there}{} ON {} (user_id)", name("_user_id"), name(""));
        let migrations = [vec![create, index]];
        migrate(&self.pool, &self.table, &migrations).await.map_err(fault)
    }

    /// As what the column is declared that refers to the user's id.
    async fn id_type(&self, dialect: &Dialect) -> Result<String, Error> {
        let Some(asks) = dialect.referring_type else {
            return Ok(on_pool!(&self.pool, pool => column_type::<U::Id, _>(pool)));
        };
        let found: Option<String> = on_engine!(&self.pool, connection => sqlx::query_scalar(asks)
            .bind(U::META.table)
            .bind(U::META.id)
            .fetch_optional(connection)
            .await)
        .map_err(fault)?;
        let (table, id) = (U::META.table, U::META.id);
        found.ok_or_else(|| Error::Store {
            store: "identity",
            source: format!("there is no column `{id}` in a table `{table}`").into(),
        })
    }
}

fn fault(source: impl Into<BoxError>) -> Error {
    Error::Store { store: "identity", source: source.into() }
}

/// What stands for an identity in the key. The length keeps apart what the border between issuer and
/// subject could otherwise be moved in.
fn digest(id: &ExternalId) -> [u8; 32] {
    let length = (id.issuer.len() as u64).to_be_bytes();
    sha256(&[&length[..], id.issuer.as_bytes(), id.subject.as_bytes()].concat())
}

/// As which type an engine keeps values of this type.
fn column_type<T: Type<DB>, DB: Database>(_: &Pool<DB>) -> String {
    T::type_info().name().to_owned()
}

#[async_trait]
impl<U: AuthUser<Id: SqlValue>> IdentityStore<U> for SqlIdentities<U>
where
    (U::Id,): SqlRow,
{
    async fn owner(&self, id: &ExternalId) -> Result<Option<U::Id>, Error> {
        let (sql, digest) = (self.sql.owner.clone(), digest(id));
        let row: Option<(U::Id,)> = on_engine!(&self.pool, connection => {
            sqlx::query_as(sql.clone()).bind(&digest[..]).fetch_optional(connection).await
        })
        .map_err(fault)?;
        Ok(row.map(|(user,)| user))
    }

    async fn link(&self, id: &ExternalId, user: &U::Id, at: DateTime<Utc>) -> Result<bool, Error> {
        let (sql, digest) = (self.sql.link.clone(), digest(id));
        let linked = on_engine!(&self.pool, connection => sqlx::query(sql.clone())
            .bind(&digest[..])
            .bind(user)
            .bind(&id.issuer)
            .bind(&id.subject)
            .bind(Time::of(at))
            .execute(connection)
            .await
            .map(drop));
        match linked {
            Ok(()) => Ok(true),
            // The digest is the only unique column.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Ok(IdentityStore::<U>::owner(self, id).await?.as_ref() == Some(user))
            }
            Err(error) => Err(fault(error)),
        }
    }

    async fn unlink(&self, id: &ExternalId, user: &U::Id) -> Result<bool, Error> {
        let (sql, digest) = (self.sql.unlink.clone(), digest(id));
        on_engine!(&self.pool, connection => {
            let done = bind_key!(sqlx::query(sql.clone()).bind(&digest[..]), user, self.sql.user_binds).execute(connection).await;
            done.map(|done| done.rows_affected() > 0)
        })
        .map_err(fault)
    }

    async fn of(&self, user: &U::Id) -> Result<Vec<LinkedIdentity>, Error> {
        let sql = self.sql.of.clone();
        let rows: Vec<(String, String, Time)> = on_engine!(&self.pool, connection => {
            bind_key!(sqlx::query_as(sql.clone()), user, self.sql.user_binds).fetch_all(connection).await
        })
        .map_err(fault)?;
        let read = |(issuer, subject, linked_at): (_, _, Time)| {
            let linked_at = linked_at.read().map_err(fault)?;
            Ok(LinkedIdentity { id: ExternalId { issuer, subject }, linked_at })
        };
        rows.into_iter().map(read).collect()
    }

    async fn unlink_all(&self, user: &U::Id) -> Result<u64, Error> {
        let sql = self.sql.unlink_all.clone();
        on_engine!(&self.pool, connection => {
            let done = bind_key!(sqlx::query(sql.clone()), user, self.sql.user_binds).execute(connection).await;
            done.map(|done| done.rows_affected())
        })
        .map_err(fault)
    }
}

impl<U> fmt::Debug for SqlIdentities<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlIdentities").field("table", &self.table).finish_non_exhaustive()
    }
}
