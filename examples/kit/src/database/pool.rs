//! The connections for the example's own statements: [`Pool`] and [`Transaction`].
//!
//! `sqlx` runs a query on them as on pools and connections of its own. In between, the statement is
//! written as the engine wants it.

use futures_util::{future::BoxFuture, stream::BoxStream};
use sqlx::{
    Any, AnyPool, Connection, Either, Execute, Executor, SqlStr,
    any::{AnyArguments, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo},
    error::BoxDynError,
    query::Query,
};

use super::{Engine, mysql};

/// Connections for the example's own statements. Clones share them.
#[derive(Debug, Clone)]
pub struct Pool {
    connections: AnyPool,
    engine: Engine,
}

/// Changes that happen together or not at all: what is not committed is undone.
#[derive(Debug)]
pub struct Transaction {
    connection: sqlx::Transaction<'static, Any>,
    engine: Engine,
}

impl Pool {
    pub(super) fn new(connections: AnyPool, engine: Engine) -> Self {
        Self { connections, engine }
    }

    pub(super) fn connections(&self) -> &AnyPool {
        &self.connections
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn begin(&self) -> sqlx::Result<Transaction> {
        let connection = self.connections.begin().await?;
        Ok(Transaction { connection, engine: self.engine })
    }
}

impl Transaction {
    /// Makes the changes last.
    ///
    /// # Errors
    ///
    /// - the database cannot answer
    pub async fn commit(self) -> sqlx::Result<()> {
        self.connection.commit().await
    }

    /// Inserts a row, unless one with the same key is there: `false`, and no change, if it is. The
    /// transaction goes on in both cases.
    ///
    /// # Errors
    ///
    /// - the database cannot answer, or refuses the row for another reason
    pub async fn insert(&mut self, insert: Query<'_, Any, AnyArguments>) -> sqlx::Result<bool> {
        // PostgreSQL goes on after an error only from a savepoint, which this is.
        let mut attempt = self.connection.begin().await?;
        match attempt.execute(self.engine.translate(insert)).await {
            Ok(_) => attempt.commit().await.map(|()| true),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                attempt.rollback().await.map(|()| false)
            }
            Err(error) => Err(error),
        }
    }
}

/// A statement as its engine wants it.
struct Translated {
    sql: SqlStr,
    arguments: Result<Option<AnyArguments>, BoxDynError>,
    persistent: bool,
}

impl Engine {
    fn translate<'q>(self, mut query: impl Execute<'q, Any>) -> Translated {
        let persistent = query.persistent();
        let (arguments, sql) = (query.take_arguments(), query.sql());
        match (self, arguments) {
            (Self::MySql, Ok(Some(arguments))) => {
                let (sql, arguments) = mysql::translate(sql.as_str(), &arguments);
                Translated { sql, arguments: arguments.map(Some), persistent }
            }
            (_, arguments) => Translated { sql, arguments, persistent },
        }
    }
}

impl Execute<'_, Any> for Translated {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&AnyStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<AnyArguments>, BoxDynError> {
        std::mem::replace(&mut self.arguments, Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

type Step = Either<AnyQueryResult, AnyRow>;

/// Makes something an executor that translates and leaves the rest to connections of `sqlx`.
macro_rules! translating_executor {
    ($executor:ty, $self:ident => $inner:expr) => {
        impl<'c> Executor<'c> for $executor {
            type Database = Any;

            fn fetch_many<'e, 'q: 'e, E>($self, query: E) -> BoxStream<'e, sqlx::Result<Step>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Any>,
            {
                let query = $self.engine.translate(query);
                $inner.fetch_many(query)
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                $self,
                query: E,
            ) -> BoxFuture<'e, sqlx::Result<Option<AnyRow>>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Any>,
            {
                let query = $self.engine.translate(query);
                $inner.fetch_optional(query)
            }

            fn prepare_with<'e>(
                $self,
                sql: SqlStr,
                parameters: &'e [AnyTypeInfo],
            ) -> BoxFuture<'e, sqlx::Result<AnyStatement>>
            where
                'c: 'e,
            {
                $inner.prepare_with(sql, parameters)
            }
        }
    };
}

translating_executor!(&'c Pool, self => (&self.connections));
translating_executor!(&'c mut Transaction, self => (&mut *self.connection));
