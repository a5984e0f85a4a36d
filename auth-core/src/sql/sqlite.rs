//! SQLite: [`open_sqlite`], its settings, and how values look there.

use std::{num::NonZero, str::FromStr, thread::available_parallelism, time::Duration};

use sqlx::{
    Connection, Decode, Encode, Pool, Sqlite, SqliteConnection, SqlitePool, Type,
    encode::IsNull,
    error::BoxDynError,
    sqlite::{
        SqliteArgumentsBuffer, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous, SqliteTypeInfo, SqliteValueRef,
    },
};
use tokio::time::{Instant, sleep};

use super::{
    lease::Patience,
    value::{Address, TextColumn, Time},
};
use crate::error::{BoxError, Error};

/// How long a statement waits for the one writer that SQLite has.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// The settings with which this framework's stores are meant to run on SQLite.
///
/// Takes a path (`shop.db`) or a URL (`sqlite://shop.db?mode=rwc`), and sets:
///
/// - the file is made if it is not there;
/// - write-ahead log: readers and the writer do not wait for each other;
/// - a statement that has to wait for another process's write fails after two seconds, so that a
///   stuck database becomes a fault and not a hanging request;
/// - foreign keys are enforced;
/// - `synchronous = NORMAL`: what was acknowledged survives the end of the process, `kill -9`
///   included, because the operating system has it. When the machine loses power, the changes of
///   the last moments may be lost, never the database. A login, but also a logout or a new
///   password, can be undone that way. Where that must not be, set
///   [`SqliteSynchronous::Full`]; every write then waits for the disk.
///
/// For [`open_sqlite`] and for pools that you set up yourself.
///
/// # Errors
///
/// - the URL cannot be read: [`Error::Misconfigured`]
pub fn sqlite_options(path_or_url: &str) -> Result<SqliteConnectOptions, Error> {
    let options = SqliteConnectOptions::from_str(path_or_url)
        .map_err(|error| Error::Misconfigured(format!("`{path_or_url}`: {error}")))?;
    Ok(options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true))
}

/// Opens an SQLite database with [`sqlite_options`], and as many connections as the machine has
/// cores: at least 4, at most 16.
///
/// A request that gets no connection within two seconds fails. A database in memory
/// (`sqlite::memory:`) has one connection, which stays open: the data lives as long as it does.
///
/// # Errors
///
/// - the URL cannot be read: [`Error::Misconfigured`]
/// - the file cannot be opened or made: [`Error::Store`]
///
/// # Examples
///
/// ```
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{sql::open_sqlite, store::SqlSessions};
///
/// let pool = open_sqlite("sqlite://shop.db").await?;
/// let sessions = SqlSessions::new(pool.clone());
/// sessions.migrate().await?;
/// # Ok(())
/// # }
/// ```
pub async fn open_sqlite(path_or_url: &str) -> Result<SqlitePool, Error> {
    let options = sqlite_options(path_or_url)?;
    let pool = SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT);
    let pool = if path_or_url.contains(":memory:") || path_or_url.contains("mode=memory") {
        pool.min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None)
    } else {
        set_wal(&options).await.map_err(fault)?;
        let cores = available_parallelism().map_or(1, NonZero::get);
        pool.max_connections(cores.clamp(4, 16) as u32)
    };
    pool.connect_with(options).await.map_err(fault)
}

/// Opens the file once, so that it exists and is in WAL mode before several connections open it.
///
/// Going over to WAL needs the file for oneself and does not wait for it: where two processes start
/// on a new file, one is told "locked". It tries again; afterwards there is nothing left to change.
async fn set_wal(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match SqliteConnection::connect_with(options).await {
            Ok(connection) => return connection.close().await,
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                sleep(Duration::from_millis(10)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether the error is `SQLITE_BUSY`, in any of its extended forms.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}

fn fault(error: impl Into<BoxError>) -> Error {
    Error::Store { store: "SQLite", source: error.into() }
}

impl Patience for Sqlite {
    /// The file is on this machine, and the busy timeout bounds the wait for its writer. A database
    /// in memory would be gone if its connection were closed.
    fn limit(_: &Pool<Self>) -> Option<Duration> {
        None
    }
}

/// What is stored as another type, of which SQLite has only a few.
macro_rules! stored_as {
    ($($type:ty: $stored:ty, |$value:ident| $write:expr, |$found:ident| $read:expr;)*) => {$(
        impl Type<Sqlite> for $type {
            fn type_info() -> SqliteTypeInfo {
                <$stored as Type<Sqlite>>::type_info()
            }

            fn compatible(ty: &SqliteTypeInfo) -> bool {
                <$stored as Type<Sqlite>>::compatible(ty)
            }
        }

        impl Encode<'_, Sqlite> for $type {
            fn encode_by_ref(&self, buf: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
                let $value = self;
                <$stored as Encode<'_, Sqlite>>::encode($write, buf)
            }
        }

        impl<'r> Decode<'r, Sqlite> for $type {
            fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
                let $found = <$stored as Decode<'r, Sqlite>>::decode(value)?;
                Ok(Self($read))
            }
        }
    )*};
}

stored_as! {
    Time: i64, |time| time.0, |millis| millis;
    Address: String, |address| address.0.to_string(), |text| text.parse()?;
    TextColumn: String, |text| text.0.clone(), |text| text;
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    async fn pragma(pool: &SqlitePool, name: &'static str) -> String {
        let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await.unwrap()
    }

    #[tokio::test]
    async fn opens_a_new_file_with_the_settings_that_the_stores_want() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new.db");
        let pool = open_sqlite(path.to_str().unwrap()).await.unwrap();
        assert_eq!(pragma(&pool, "journal_mode").await, "wal");
        assert_eq!(pragma(&pool, "synchronous").await, "1");
        assert_eq!(pragma(&pool, "foreign_keys").await, "1");
        let timeout: i64 = sqlx::query_scalar("SELECT timeout FROM pragma_busy_timeout")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(timeout, 2_000);
        assert!(path.exists());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_can_open_a_new_file_at_once() {
        for _ in 0..8 {
            let dir = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}", dir.path().join("new.db").display());
            let mut tasks = JoinSet::new();
            for _ in 0..8 {
                let url = url.clone();
                tasks.spawn(async move { open_sqlite(&url).await.map(|_| ()) });
            }
            for opened in tasks.join_all().await {
                opened.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn a_database_in_memory_keeps_its_data() {
        let pool = open_sqlite("sqlite::memory:").await.unwrap();
        sqlx::query("CREATE TABLE t (x)").execute(&pool).await.unwrap();
        let (a, b) = tokio::join!(
            sqlx::query("INSERT INTO t VALUES (1)").execute(&pool),
            sqlx::query("INSERT INTO t VALUES (2)").execute(&pool),
        );
        assert_eq!(a.unwrap().rows_affected() + b.unwrap().rows_affected(), 2);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_made_is_a_fault_and_a_bad_url_a_mistake() {
        let fault = open_sqlite("/no/such/directory/x.db").await.unwrap_err();
        assert!(matches!(fault, Error::Store { store: "SQLite", .. }), "{fault}");
        let mistake = open_sqlite("sqlite://x.db?mode=sideways").await.unwrap_err();
        assert!(matches!(mistake, Error::Misconfigured(_)), "{mistake}");
    }
}
