//! A database of each engine, and cases that run on all of them.

use std::{any::Any, sync::Arc, time::Duration};

use auth_core::sql::{
    SqlPool, mysql_options, mysql_pool_options, open_sqlite, postgres_options,
    postgres_pool_options, sqlite_options,
};
use sqlx::{AssertSqlSafe, sqlite::SqlitePoolOptions};
use tokio::task::JoinSet;

/// An engine that stores run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    MySql,
}

/// An empty database, which is removed with this and its last pool.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) engine: Engine,
    url: String,
    keep: Arc<dyn Any + Send + Sync>,
}

impl Engine {
    /// A database; `None` where there is no server.
    pub(crate) async fn place(self) -> Option<Place> {
        let (url, keep): (String, Arc<dyn Any + Send + Sync>) = match self {
            Self::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}", folder.path().join("test.db").display());
                (url, Arc::new(folder))
            }
            Self::Postgres => {
                let database = auth_test_servers::postgres()?;
                (database.url().to_owned(), Arc::new(database))
            }
            Self::MySql => {
                let database = auth_test_servers::mysql()?;
                (database.url().to_owned(), Arc::new(database))
            }
        };
        Some(Place { engine: self, url, keep })
    }

    /// A pool on a database of its own.
    pub(crate) async fn pool(self) -> Option<SqlPool> {
        Some(self.place().await?.pool().await)
    }

    /// Puts a name in quotes.
    pub(crate) fn quoted(self, name: &str) -> String {
        match self {
            Self::Postgres => format!("\"{name}\""),
            Self::Sqlite | Self::MySql => format!("`{name}`"),
        }
    }
}

impl Place {
    /// A pool, as a process has it, which keeps the database.
    pub(crate) async fn pool(&self) -> SqlPool {
        self.pool_within(Duration::from_secs(2)).await
    }

    /// A pool that is given up on after this time.
    pub(crate) async fn pool_within(&self, limit: Duration) -> SqlPool {
        let keep = Arc::clone(&self.keep);
        match self.engine {
            Engine::Sqlite => {
                // Makes the file what it is to be.
                open_sqlite(&self.url).await.unwrap().close().await;
                let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(limit);
                let pool = pool.after_release(move |_, _| {
                    let _keep = Arc::clone(&keep);
                    Box::pin(async { Ok(true) })
                });
                let options = sqlite_options(&self.url).unwrap().busy_timeout(limit);
                pool.connect_with(options).await.unwrap().into()
            }
            Engine::Postgres => {
                let pool = postgres_pool_options().acquire_timeout(limit);
                let pool = pool.after_release(move |_, _| {
                    let _keep = Arc::clone(&keep);
                    Box::pin(async { Ok(true) })
                });
                pool.connect_with(postgres_options(&self.url).unwrap()).await.unwrap().into()
            }
            Engine::MySql => {
                let pool = mysql_pool_options().acquire_timeout(limit);
                let pool = pool.after_release(move |_, _| {
                    let _keep = Arc::clone(&keep);
                    Box::pin(async { Ok(true) })
                });
                pool.connect_with(mysql_options(&self.url).unwrap()).await.unwrap().into()
            }
        }
    }

    /// Does the same in several processes that start together, each with a pool of its own.
    pub(crate) async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        what: impl Fn(SqlPool) -> F + Clone + Send + Sync + 'static,
    ) -> Vec<T> {
        let mut tasks = JoinSet::new();
        for _ in 0..6 {
            let (url, what) = (self.url.clone(), what.clone());
            tasks.spawn(async move { what(SqlPool::connect(&url).await.unwrap()).await });
        }
        tasks.join_all().await
    }
}

/// Runs code on the pool inside a [`SqlPool`].
macro_rules! on_pool {
    ($sql_pool:expr, $pool:ident => $code:expr) => {
        match $sql_pool {
            auth_core::sql::SqlPool::Sqlite($pool) => $code,
            auth_core::sql::SqlPool::Postgres($pool) => $code,
            auth_core::sql::SqlPool::MySql($pool) => $code,
            other => panic!("{other:?}"),
        }
    };
}
pub(crate) use on_pool;

/// Runs statements.
pub(crate) async fn run(pool: &SqlPool, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    on_pool!(pool, pool => sqlx::raw_sql(sql).execute(pool).await.map(drop)).unwrap();
}

/// The number that a statement finds.
pub(crate) async fn number(pool: &SqlPool, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.to_owned());
    on_pool!(pool, pool => sqlx::query_scalar(sql).fetch_one(pool).await).unwrap()
}

/// Ends all connections.
pub(crate) async fn close(pool: &SqlPool) {
    on_pool!(pool, pool => pool.close().await);
}

/// Makes a test of each case for each engine. A case takes the [`Place`].
macro_rules! on_each_engine {
    ($($case:ident)*) => {
        $crate::engines::on_each_engine! { @on_sqlite Sqlite $($case)* }
        $crate::engines::on_each_engine! { @on_postgres Postgres $($case)* }
        $crate::engines::on_each_engine! { @on_mysql MySql $($case)* }
    };
    (@$module:ident $engine:ident $($case:ident)*) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                if let Some(place) = $crate::engines::Engine::$engine.place().await {
                    super::$case(place).await;
                }
            })*
        }
    };
}
pub(crate) use on_each_engine;

/// As [`on_each_engine`], for those that are servers.
macro_rules! on_each_server {
    ($($case:ident)*) => {
        mod on_servers {
            $crate::engines::on_each_engine! { @postgres Postgres $($case)* }
            $crate::engines::on_each_engine! { @mysql MySql $($case)* }
            $(use super::$case;)*
        }
    };
}
pub(crate) use on_each_server;

/// Runs a conformance suite on each engine. The function makes a store on a pool.
macro_rules! conform_on_each_engine {
    ($suite:ident, $store:path, $sqlite:ident, $postgres:ident, $mysql:ident) => {
        auth_core::$suite!($sqlite, async || $store($crate::engines::Engine::Sqlite.pool().await?)
            .await);
        auth_core::$suite!($postgres, async || $store(
            $crate::engines::Engine::Postgres.pool().await?
        )
        .await);
        auth_core::$suite!($mysql, async || $store($crate::engines::Engine::MySql.pool().await?)
            .await);
    };
}
pub(crate) use conform_on_each_engine;
