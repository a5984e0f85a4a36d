//! Roles in a table of their own: [`SqlRoles`].

use std::{fmt, marker::PhantomData, sync::Arc};

use sqlx::{AssertSqlSafe, Connection, Database, Pool, SqlSafeStr, SqlStr, Type, TypeInfo};

use super::{TextColumn, columns::in_table};
use crate::{
    error::Error,
    sql::{SqlPool, SqlValue, bind_key, dialect::Dialect, migrate::migrate, on_engine, on_pool},
    user::{AuthRole, AuthUser, RoleSource, Scoped, UserMeta},
    users::Changing,
};

/// Grants and revokes the roles of users whose type has `#[auth(roles(table = "…"))]`.
///
/// The table has a row for each role of each user: `user_id`, `role`, `scope`, where no scope is an
/// empty text. [`SqlUsers`](super::SqlUsers) reads it together with the user, so that a change
/// holds from the next request on, for every session and every token.
///
/// That is so in every process that shares the database. Where one keeps copies of users,
/// [`cached`](crate::users::UserStore::cached), a change that it makes here ends its copy of the
/// user, and a change that another one makes holds when its copy's life is over, at the latest.
///
/// Of a type whose roles are elsewhere there is nothing to grant, which the compiler says:
///
/// ```compile_fail,E0080
/// # use auth_core::{sql::SqlPool, user::{AuthUser, NoRole, RoleSource, UserMeta}, users::SqlRoles};
/// # #[derive(Clone)] struct User { id: i64 }
/// # impl AuthUser for User {
/// #     type Id = i64;
/// #     type Role = NoRole;
/// #     const META: &'static UserMeta = &UserMeta {
/// #         name: "User", path: "User", table: "users", columns: &["id"], id: "id", login: &[],
/// #         password: None, login_time: None, login_ip: None, epoch: None, active: None, token: None,
/// #         roles: RoleSource::Column, schemes: &[],
/// #     };
/// #     fn id(&self) -> &i64 { &self.id }
/// #     fn login_name(&self, _: usize) -> Option<&str> { None }
/// # }
/// fn roles(pool: SqlPool) -> SqlRoles<User> {
///     SqlRoles::new(pool)
/// }
/// # fn main() { let _ = roles as fn(SqlPool) -> _; }
/// ```
///
/// # Security
///
/// The rows of a user who is deleted go with him; an id that is given out again, as SQLite does
/// it, finds no roles.
#[derive(Clone)]
pub struct SqlRoles<U> {
    pool: SqlPool,
    sql: Arc<Statements>,
    user: PhantomData<fn() -> U>,
}

/// The statements. Only quoted names vary, which are constants of the program.
struct Statements {
    /// Binds the id.
    of: SqlStr,
    /// Binds the role, the scope, the id.
    grant: SqlStr,
    /// Binds the role, the scope, the id.
    revoke: SqlStr,
    /// Binds the id.
    revoke_all: SqlStr,
    /// Binds the id: keeps everybody else from changing this user's roles meanwhile.
    lock: SqlStr,
    /// How often "the id" is bound.
    id_binds: usize,
}

/// Whether a row was inserted, where some engines say that it is there already by an error.
macro_rules! inserted {
    ($done:expr) => {
        match $done {
            Ok(done) => Ok(done.rows_affected() > 0),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(error),
        }
    };
}

impl Statements {
    fn new(dialect: &Dialect, meta: &UserMeta, table: &str) -> Self {
        let sql = |sql: String| AssertSqlSafe(Arc::<str>::from(dialect.sql(&sql))).into_sql_str();
        let [table, users, id] = [table, meta.table, meta.id].map(|name| dialect.name(name, ""));
        let or_nothing = dialect.or_nothing;
        let ((is_id, id_binds), (is_user, _)) = (dialect.is_key(&id), dialect.is_key("user_id"));
        Self {
            of: sql(format!("SELECT scope, role FROM {table} WHERE {is_user} ORDER BY 1, 2")),
            grant: sql(format!(
                "INSERT INTO {table} (user_id, role, scope) \
                 SELECT {id}, ?, ? FROM {users} WHERE {is_id}{or_nothing}"
            )),
            revoke: sql(format!("DELETE FROM {table} WHERE role = ? AND scope = ? AND {is_user}")),
            revoke_all: sql(format!("DELETE FROM {table} WHERE {is_user}")),
            // A lock in the words of every engine; nothing changes.
            lock: sql(format!("UPDATE {users} SET {id} = {id} WHERE {is_id}")),
            id_binds,
        }
    }
}

impl<U: AuthUser<Id: SqlValue>> SqlRoles<U> {
    const TABLE: &'static str = match U::META.roles {
        RoleSource::Table { table, .. } => table,
        RoleSource::Column | RoleSource::External => {
            panic!("the roles of this type are in no table: write `#[auth(roles(table = \"…\"))]`")
        }
    };

    /// The roles on this pool.
    pub fn new(pool: impl Into<SqlPool>) -> Self {
        let pool = pool.into();
        let sql = Arc::new(Statements::new(Dialect::of(&pool), U::META, Self::TABLE));
        Self { pool, sql, user: PhantomData }
    }

    /// Makes the table, unless it is there. The table of the users must be there already.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or does not allow it: [`Error::Store`]
    pub async fn migrate(&self) -> Result<(), Error> {
        let dialect = Dialect::of(&self.pool);
        let id_type = self.id_type(dialect).await?;
        let [table, users, id] =
            [Self::TABLE, U::META.table, U::META.id].map(|name| dialect.name(name, ""));
        let key_text = dialect.key_text;
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {table} (
    user_id {id_type} NOT NULL,
    role {key_text} NOT NULL,
    scope {key_text} NOT NULL DEFAULT '',
    PRIMARY KEY (user_id, role, scope),
    FOREIGN KEY (user_id) REFERENCES {users} ({id}) ON DELETE CASCADE
){}",
            dialect.table_options
        );
        migrate(&self.pool, Self::TABLE, &[vec![create]]).await.map_err(Error::user_store)
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
        .map_err(Error::user_store)?;
        found.ok_or_else(|| {
            let (table, id) = (U::META.table, U::META.id);
            Error::user_store(format!("there is no column `{id}` in a table `{table}`"))
        })
    }

    /// The roles of a user, in the order of their scopes.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or has a role that the application does not know:
    ///   [`Error::Store`]
    pub async fn of(&self, id: &U::Id) -> Result<Vec<Scoped<U::Role>>, Error> {
        let rows: Vec<(TextColumn, TextColumn)> = on_engine!(&self.pool, connection => {
            bind_key!(sqlx::query_as(self.sql.of.clone()), id, self.sql.id_binds).fetch_all(connection).await
        })
        .map_err(Error::user_store)?;
        let roles = rows.into_iter().map(|(scope, role)| in_table(scope.0, role.0));
        roles.collect::<Result<_, _>>().map_err(Error::user_store)
    }

    /// Gives a user a role. `false` if he has it already, or if there is no such user.
    ///
    /// # Errors
    ///
    /// - the scope is an empty text: [`Error::Misconfigured`]
    /// - the database cannot answer: [`Error::Store`]
    pub async fn grant(&self, id: &U::Id, role: &Scoped<U::Role>) -> Result<bool, Error> {
        let (scope, role) = (scope_of(role)?, role.role.name());
        let _changing = Changing::<U>(id);
        on_engine!(&self.pool, connection => {
            let grant = sqlx::query(self.sql.grant.clone()).bind(role).bind(scope);
            inserted!(bind_key!(grant, id, self.sql.id_binds).execute(connection).await)
        })
        .map_err(Error::user_store)
    }

    /// Takes a role from a user. `false` if he does not have it.
    ///
    /// # Errors
    ///
    /// As [`grant`](Self::grant).
    pub async fn revoke(&self, id: &U::Id, role: &Scoped<U::Role>) -> Result<bool, Error> {
        let (scope, role) = (scope_of(role)?, role.role.name());
        let _changing = Changing::<U>(id);
        on_engine!(&self.pool, connection => {
            let revoke = sqlx::query(self.sql.revoke.clone()).bind(role).bind(scope);
            let done = bind_key!(revoke, id, self.sql.id_binds).execute(connection).await;
            done.map(|done| done.rows_affected() > 0)
        })
        .map_err(Error::user_store)
    }

    /// Gives a user these roles and takes all others, in one step. `false`, and no change, if there
    /// is no such user.
    ///
    /// # Errors
    ///
    /// As [`grant`](Self::grant).
    pub async fn replace(&self, id: &U::Id, roles: &[Scoped<U::Role>]) -> Result<bool, Error> {
        let roles = roles.iter().map(|role| Ok((scope_of(role)?, role.role.name())));
        let roles: Vec<(&str, &str)> = roles.collect::<Result<_, Error>>()?;
        let Statements { lock, revoke_all, grant, .. } = &*self.sql;
        let _changing = Changing::<U>(id);
        on_engine!(&self.pool, connection => {
            let mut work = connection.begin().await?;
            let lock = bind_key!(sqlx::query(lock.clone()), id, self.sql.id_binds);
            let locked = lock.execute(&mut *work).await?;
            if locked.rows_affected() == 0 {
                return Ok(false);
            }
            let revoke_all = bind_key!(sqlx::query(revoke_all.clone()), id, self.sql.id_binds);
            revoke_all.execute(&mut *work).await?;
            for (scope, role) in &roles {
                let grant = sqlx::query(grant.clone()).bind(*role).bind(*scope);
                inserted!(bind_key!(grant, id, self.sql.id_binds).execute(&mut *work).await)?;
            }
            work.commit().await?;
            Ok(true)
        })
        .map_err(Error::user_store)
    }
}

/// The scope as the table has it.
fn scope_of<R>(role: &Scoped<R>) -> Result<&str, Error> {
    match role.scope.as_deref() {
        None => Ok(""),
        // In the table it would be the role without a scope.
        Some("") => Err(Error::Misconfigured(
            "a role in an empty scope: leave the scope out for a role without one".into(),
        )),
        Some(scope) => Ok(scope),
    }
}

/// As which type an engine keeps values of this type.
fn column_type<T: Type<DB>, DB: Database>(_: &Pool<DB>) -> String {
    T::type_info().name().to_owned()
}

impl<U> fmt::Debug for SqlRoles<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlRoles").field("select", &self.sql.of.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
