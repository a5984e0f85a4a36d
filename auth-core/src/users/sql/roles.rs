//! Roles in a table of their own: [`SqlRoles`].

use std::{fmt, marker::PhantomData, sync::Arc};

use sqlx::{AssertSqlSafe, Connection, Database, Pool, SqlSafeStr, SqlStr, Type, TypeInfo};

use super::columns::in_table;
use crate::{
    error::Error,
    sql::{SqlPool, SqlValue, dialect::Dialect, migrate::migrate, on_engine, on_pool},
    user::{AuthRole, AuthUser, RoleSource, Scoped, UserMeta},
};

/// Grants and revokes the roles of users whose type has `#[auth(roles(table = "…"))]`.
///
/// The table has a row for each role of each user: `user_id`, `role`, `scope`, where no scope is an
/// empty text. [`SqlUsers`](super::SqlUsers) reads it together with the user, so that a change
/// holds from the next request on, for every session and every token.
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
/// #         password: None, login_time: None, login_ip: None, epoch: None, active: None,
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
    /// Binds the id, the role, the scope.
    revoke: SqlStr,
    /// Binds the id.
    revoke_all: SqlStr,
    /// Binds the id: keeps everybody else from changing this user's roles meanwhile.
    lock: SqlStr,
}

impl Statements {
    fn new(dialect: &Dialect, meta: &UserMeta, table: &str) -> Self {
        let sql = |sql: String| AssertSqlSafe(Arc::<str>::from(dialect.sql(&sql))).into_sql_str();
        let [table, users, id] = [table, meta.table, meta.id].map(|name| dialect.name(name, ""));
        Self {
            of: sql(format!("SELECT scope, role FROM {table} WHERE user_id = ? ORDER BY 1, 2")),
            grant: sql(format!(
                "INSERT INTO {table} (user_id, role, scope) \
                 SELECT {id}, ?, ? FROM {users} WHERE {id} = ? ON CONFLICT DO NOTHING"
            )),
            revoke: sql(format!(
                "DELETE FROM {table} WHERE user_id = ? AND role = ? AND scope = ?"
            )),
            revoke_all: sql(format!("DELETE FROM {table} WHERE user_id = ?")),
            // A lock in the words of every engine; nothing changes.
            lock: sql(format!("UPDATE {users} SET {id} = {id} WHERE {id} = ?")),
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
        let id_type = on_pool!(&self.pool, pool => column_type::<U::Id, _>(pool));
        let [table, users, id] =
            [Self::TABLE, U::META.table, U::META.id].map(|name| dialect.name(name, ""));
        let key_text = dialect.key_text;
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {table} (
    user_id {id_type} NOT NULL REFERENCES {users} ({id}) ON DELETE CASCADE,
    role {key_text} NOT NULL,
    scope {key_text} NOT NULL DEFAULT '',
    PRIMARY KEY (user_id, role, scope)
)"
        );
        migrate(&self.pool, Self::TABLE, &[vec![create]]).await.map_err(Error::user_store)
    }

    /// The roles of a user, in the order of their scopes.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or has a role that the application does not know:
    ///   [`Error::Store`]
    pub async fn of(&self, id: &U::Id) -> Result<Vec<Scoped<U::Role>>, Error> {
        let sql = self.sql.of.clone();
        let rows: Vec<(String, String)> = on_engine!(&self.pool, connection => {
            sqlx::query_as(sql).bind(id).fetch_all(connection).await
        })
        .map_err(Error::user_store)?;
        let roles = rows.into_iter().map(|(scope, role)| in_table(scope, role));
        roles.collect::<Result<_, _>>().map_err(Error::user_store)
    }

    /// Gives a user a role. `false` if he has it already, or if there is no such user.
    ///
    /// # Errors
    ///
    /// - the scope is an empty text: [`Error::Misconfigured`]
    /// - the database cannot answer: [`Error::Store`]
    pub async fn grant(&self, id: &U::Id, role: &Scoped<U::Role>) -> Result<bool, Error> {
        let (scope, role, sql) = (scope_of(role)?, role.role.name(), self.sql.grant.clone());
        on_engine!(&self.pool, connection => {
            let done = sqlx::query(sql).bind(role).bind(scope).bind(id).execute(connection).await;
            done.map(|done| done.rows_affected() > 0)
        })
        .map_err(Error::user_store)
    }

    /// Takes a role from a user. `false` if he does not have it.
    ///
    /// # Errors
    ///
    /// As [`grant`](Self::grant).
    pub async fn revoke(&self, id: &U::Id, role: &Scoped<U::Role>) -> Result<bool, Error> {
        let (scope, role, sql) = (scope_of(role)?, role.role.name(), self.sql.revoke.clone());
        on_engine!(&self.pool, connection => {
            let done = sqlx::query(sql).bind(id).bind(role).bind(scope).execute(connection).await;
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
        on_engine!(&self.pool, connection => {
            let mut work = connection.begin().await?;
            let locked = sqlx::query(lock.clone()).bind(id).execute(&mut *work).await?;
            if locked.rows_affected() == 0 {
                return Ok(false);
            }
            sqlx::query(revoke_all.clone()).bind(id).execute(&mut *work).await?;
            for (scope, role) in roles {
                let grant = sqlx::query(grant.clone()).bind(role).bind(scope).bind(id);
                grant.execute(&mut *work).await?;
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
