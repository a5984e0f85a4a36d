//! MySQL and MariaDB: [`open_mysql`], its settings, and how values look there.

use std::{str::FromStr, time::Duration};

use chrono::{DateTime, NaiveDateTime};
use sqlx::{
    Connection, Decode, Encode, Executor, MySql, MySqlPool, Pool, Type,
    encode::IsNull,
    error::BoxDynError,
    mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlTypeInfo, MySqlValueRef},
};

use super::{
    lease::Patience,
    value::{Address, TextColumn, Time},
};
use crate::error::{BoxError, Error};

/// How long a request waits for a connection, and then for each answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// How many connections one process holds.
const MAX_CONNECTIONS: u32 = 10;

/// A connection that was used so recently is not tested before it is used again.
const FRESH: Duration = Duration::from_secs(1);

/// What each connection begins with. Comments of the first kind are read by MariaDB alone, of the
/// second by MySQL alone.
const SESSION: &str = "SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES'), \
                       innodb_lock_wait_timeout = 2 \
                       /*M!100000 , max_statement_time = 2 */ \
                       /*!80000 , max_execution_time = 2000 */";

/// What a transaction sees while others write: what was committed when each statement began.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// The settings of a connection with which this framework's stores are meant to run on MySQL and
/// MariaDB.
///
/// Takes a URL (`mysql://user:password@host:3306/database`, or `mariadb:`). The character set is
/// `utf8mb4` and times are UTC, as sqlx sets them.
///
/// For TLS, enable one of sqlx's features (`tls-rustls`, `tls-native-tls`) in the application, and
/// write `?ssl-mode=VERIFY_IDENTITY` into the URL; without it sqlx talks plain text where the server
/// does not offer TLS.
///
/// # Errors
///
/// - the URL cannot be read, or names no database: [`Error::Misconfigured`]
pub fn mysql_options(url: &str) -> Result<MySqlConnectOptions, Error> {
    // Not the URL itself: it may hold a password.
    let options = MySqlConnectOptions::from_str(url)
        .map_err(|error| Error::Misconfigured(format!("the URL of MySQL: {error}")))?;
    if options.get_database().is_none_or(str::is_empty) {
        return Err(Error::Misconfigured(
            "the URL of MySQL names no database: end it with `/` and the name".into(),
        ));
    }
    Ok(options)
}

/// The settings of a pool with which this framework's stores are meant to run on MySQL and MariaDB.
///
/// - `acquire_timeout`, two seconds: how long a request waits for a connection; then the store has
///   failed, and the answer is 503. The stores wait as long for the answer to a statement;
/// - `max_connections`, ten: the default of sqlx and of other pools. A server takes 151 by default;
/// - `test_before_acquire`, off: by default sqlx asks the server before each statement whether the
///   connection is still good, which doubles the way. Here it asks where the connection lay idle
///   for more than a second;
/// - `after_connect` sets what a URL cannot. `STRICT_ALL_TABLES`: a value that does not fit is a
///   fault and is not cut. `READ COMMITTED`: requests for neighbouring rows do not wait for each
///   other. `innodb_lock_wait_timeout` and, as far as the server has it, a limit for statements, to
///   two seconds: the server ends a statement that nobody waits for any more. A pool that sets
///   `after_connect` to something of its own does without these.
///
/// For [`open_mysql`] and for pools that you set up yourself; then with [`mysql_options`] too.
///
/// # Examples
///
/// ```
/// use auth_core::sql::{mysql_options, mysql_pool_options};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let options = mysql_options("mysql://shop@localhost/shop")?;
/// let pool = mysql_pool_options().max_connections(30).connect_with(options).await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn mysql_pool_options() -> MySqlPoolOptions {
    MySqlPoolOptions::new()
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_connections(MAX_CONNECTIONS)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SESSION).await?;
                connection.execute(ISOLATION).await?;
                Ok(())
            })
        })
        .before_acquire(|connection, lain| {
            Box::pin(async move {
                if lain.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Connects to a database on MySQL (8.0 and later) or MariaDB (10.6 and later) with
/// [`mysql_options`] and [`mysql_pool_options`].
///
/// # Errors
///
/// - the URL cannot be read, or names no database: [`Error::Misconfigured`]
/// - the server is not there within two seconds, or refuses: [`Error::Store`]
///
/// # Examples
///
/// ```no_run
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{sql::open_mysql, store::SqlSessions};
///
/// let pool = open_mysql("mysql://shop@localhost/shop").await?;
/// let sessions = SqlSessions::new(pool.clone());
/// sessions.migrate().await?;
/// # Ok(())
/// # }
/// ```
pub async fn open_mysql(url: &str) -> Result<MySqlPool, Error> {
    let options = mysql_options(url)?;
    mysql_pool_options().connect_with(options).await.map_err(fault)
}

fn fault(error: impl Into<BoxError>) -> Error {
    Error::Store { store: "MySQL", source: error.into() }
}

impl Patience for MySql {
    /// As long as the pool waits for a connection: one number for both.
    fn limit(pool: &Pool<Self>) -> Option<Duration> {
        Some(pool.options().get_acquire_timeout())
    }
}

impl Type<MySql> for Time {
    fn type_info() -> MySqlTypeInfo {
        <NaiveDateTime as Type<MySql>>::type_info()
    }

    fn compatible(ty: &MySqlTypeInfo) -> bool {
        <NaiveDateTime as Type<MySql>>::compatible(ty)
    }
}

impl Encode<'_, MySql> for Time {
    fn encode_by_ref(&self, buf: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        // What a DATETIME can hold ends with the year 9999, and other bytes would be another time.
        let time = DateTime::from_timestamp_millis(self.0)
            .filter(|time| (1..=9999).contains(&chrono::Datelike::year(time)))
            .ok_or("a time is out of the range of a datetime")?;
        <NaiveDateTime as Encode<'_, MySql>>::encode(time.naive_utc(), buf)
    }
}

impl<'r> Decode<'r, MySql> for Time {
    fn decode(value: MySqlValueRef<'r>) -> Result<Self, BoxDynError> {
        let time = <NaiveDateTime as Decode<'r, MySql>>::decode(value)?;
        Ok(Self(time.and_utc().timestamp_millis()))
    }
}

impl Type<MySql> for Address {
    fn type_info() -> MySqlTypeInfo {
        <String as Type<MySql>>::type_info()
    }

    fn compatible(ty: &MySqlTypeInfo) -> bool {
        <String as Type<MySql>>::compatible(ty)
    }
}

impl Encode<'_, MySql> for Address {
    fn encode_by_ref(&self, buf: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        <String as Encode<'_, MySql>>::encode(self.0.to_string(), buf)
    }
}

impl<'r> Decode<'r, MySql> for Address {
    fn decode(value: MySqlValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<&str as Decode<'r, MySql>>::decode(value)?.parse()?))
    }
}

impl Type<MySql> for TextColumn {
    fn type_info() -> MySqlTypeInfo {
        <String as Type<MySql>>::type_info()
    }

    /// Also bytes, as which text is kept that is compared byte by byte.
    fn compatible(ty: &MySqlTypeInfo) -> bool {
        <Vec<u8> as Type<MySql>>::compatible(ty)
            || <sqlx::types::Json<()> as Type<MySql>>::compatible(ty)
    }
}

impl<'r> Decode<'r, MySql> for TextColumn {
    fn decode(value: MySqlValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = <&[u8] as Decode<'r, MySql>>::decode(value)?;
        Ok(Self(std::str::from_utf8(bytes)?.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "mysql://ann:hunter2@localhost/shop";

    #[test]
    fn a_bad_url_is_a_mistake_that_keeps_the_password() {
        for bad in [
            "mysql://ann:hunter2@localhost:x/shop",
            "mysql://ann:hunter2@[::/shop",
            "mysql://ann:hunter2@localhost",
            "mysql://ann:hunter2@localhost/",
        ] {
            let error = mysql_options(bad).unwrap_err();
            assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn no_password_is_shown() {
        let pool = mysql_pool_options().connect_lazy_with(mysql_options(URL).unwrap());
        let shown = format!("{:?} {:?}", crate::sql::SqlPool::from(pool.clone()), pool);
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_time_that_no_datetime_can_hold_is_an_error() {
        let encoded = |millis: i64| {
            Encode::<MySql>::encode_by_ref(&Time(millis), &mut Vec::new()).map(|_| ())
        };
        encoded(0).unwrap();
        encoded(253_402_300_799_999).unwrap();
        for out in [253_402_300_800_000, i64::MAX, i64::MIN] {
            encoded(out).unwrap_err();
        }
    }

    async fn variable(pool: &MySqlPool, name: &str) -> String {
        let sql = format!("SELECT CAST(@@SESSION.{name} AS CHAR)");
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(pool).await.unwrap()
    }

    #[tokio::test]
    async fn connections_are_set_as_the_stores_want_it() {
        let Some(database) = auth_test_servers::mysql() else { return };
        let pool = open_mysql(database.url()).await.unwrap();
        assert!(variable(&pool, "sql_mode").await.contains("STRICT_ALL_TABLES"));
        assert_eq!(variable(&pool, "innodb_lock_wait_timeout").await, "2");
        assert_eq!(variable(&pool, "time_zone").await, "+00:00");
        assert_eq!(variable(&pool, "character_set_connection").await, "utf8mb4");
        let version: String =
            sqlx::query_scalar("SELECT VERSION()").fetch_one(&pool).await.unwrap();
        if version.contains("MariaDB") {
            assert_eq!(variable(&pool, "max_statement_time").await, "2.000000");
        } else {
            assert_eq!(variable(&pool, "max_execution_time").await, "2000");
        }
    }
}
