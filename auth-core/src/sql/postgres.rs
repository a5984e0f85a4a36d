//! PostgreSQL: [`open_postgres`], its settings, and how values look there.

use std::{net::IpAddr, str::FromStr, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::{
    Connection, Decode, Encode, PgPool, Pool, Postgres, Type, ValueRef,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgConnectOptions, PgPoolOptions, PgTypeInfo, PgValueRef},
    types::Json,
};

use super::{
    lease::Patience,
    value::{Address, TextColumn, Time},
};
use crate::error::{BoxError, Error};

/// How long a request waits for a connection, and then for each answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// After how long the server ends a statement by itself.
const STATEMENT_TIMEOUT: &str = "2s";

/// How many connections one process holds.
const MAX_CONNECTIONS: u32 = 10;

/// A connection that was used so recently is not tested before it is used again.
const FRESH: Duration = Duration::from_secs(1);

/// The settings of a connection with which this framework's stores are meant to run on PostgreSQL.
///
/// Takes a URL (`postgres://user:password@host:5432/database`); what it leaves out comes from the
/// variables that PostgreSQL's own programs read (`PGHOST`, `PGUSER`, …). Sets:
///
/// - `statement_timeout` to two seconds: the server ends a statement that nobody waits for any
///   more, such as one that was stuck behind a lock. The statements of the stores take less than a
///   millisecond. A pool that the application uses for long statements of its own sets it higher:
///   `?options[statement_timeout]=60s` in the URL is left as it is;
/// - `default_transaction_isolation` to `read committed`, PostgreSQL's own default, also where an
///   administrator has chosen another: at higher levels two requests for one session would fail
///   where they should wait for each other.
///
/// For TLS, enable one of sqlx's features (`tls-rustls`, `tls-native-tls`) in the application, and
/// write `?sslmode=verify-full` into the URL; without it sqlx talks plain text where the server
/// does not offer TLS.
///
/// # Errors
///
/// - the URL cannot be read: [`Error::Misconfigured`]
pub fn postgres_options(url: &str) -> Result<PgConnectOptions, Error> {
    // Not the URL itself: it may hold a password.
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::Misconfigured(format!("the URL of PostgreSQL: {error}")))?;
    let ours = [
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("default_transaction_isolation", "read committed"),
    ];
    let given = options.get_options().unwrap_or_default().to_owned();
    Ok(options.options(ours.into_iter().filter(|(name, _)| !given.contains(name))))
}

/// The settings of a pool with which this framework's stores are meant to run on PostgreSQL.
///
/// - `acquire_timeout`, two seconds: how long a request waits for a connection; then the store has
///   failed, and the answer is 503. The stores wait as long for the answer to a statement. By then
///   most people have given a page up, and a longer queue only fills with requests whose clients
///   have left;
/// - `max_connections`, ten: the default of sqlx and of other pools. Nine such processes fit into
///   the 97 connections that PostgreSQL leaves to applications by default;
/// - `test_before_acquire`, off: by default sqlx asks the server before each statement whether the
///   connection is still good, which doubles the way. Here it asks where the connection lay idle
///   for more than a second; while there is traffic, dead connections are found by using them.
///
/// For [`open_postgres`] and for pools that you set up yourself; then with
/// [`postgres_options`] too.
///
/// # Examples
///
/// ```
/// use auth_core::sql::{postgres_options, postgres_pool_options};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let options = postgres_options("postgres://shop@localhost/shop")?;
/// let pool = postgres_pool_options().max_connections(30).connect_with(options).await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn postgres_pool_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_connections(MAX_CONNECTIONS)
        .test_before_acquire(false)
        .before_acquire(|connection, lain| {
            Box::pin(async move {
                if lain.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Connects to a PostgreSQL database with [`postgres_options`] and [`postgres_pool_options`].
///
/// The database's encoding must be UTF8, as it is by default: in others, a text that a client sends
/// may be one that the database cannot store, which is a fault and not a refusal.
///
/// # Errors
///
/// - the URL cannot be read: [`Error::Misconfigured`]
/// - the server is not there within two seconds, or refuses: [`Error::Store`]
///
/// # Examples
///
/// ```no_run
/// # async fn start() -> Result<(), auth_core::error::Error> {
/// use auth_core::{sql::open_postgres, store::SqlSessions};
///
/// let pool = open_postgres("postgres://shop@localhost/shop").await?;
/// let sessions = SqlSessions::new(pool.clone());
/// sessions.migrate().await?;
/// # Ok(())
/// # }
/// ```
pub async fn open_postgres(url: &str) -> Result<PgPool, Error> {
    let options = postgres_options(url)?;
    postgres_pool_options().connect_with(options).await.map_err(fault)
}

fn fault(error: impl Into<BoxError>) -> Error {
    Error::Store { store: "PostgreSQL", source: error.into() }
}

impl Patience for Postgres {
    /// As long as the pool waits for a connection: one number for both.
    fn limit(pool: &Pool<Self>) -> Option<Duration> {
        Some(pool.options().get_acquire_timeout())
    }
}

/// The milliseconds from 1970 to 2000, where PostgreSQL's time begins.
const YEAR_2000: i64 = 946_684_800_000;

impl Type<Postgres> for Time {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Time {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let since_2000 = self.0.checked_sub(YEAR_2000).and_then(|millis| millis.checked_mul(1_000));
        let micros = since_2000.ok_or("a time is out of the range of a timestamp")?;
        <i64 as Encode<'_, Postgres>>::encode(micros, buf)
    }
}

impl<'r> Decode<'r, Postgres> for Time {
    /// Not by way of chrono, which panics at `infinity`.
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<'r, Postgres>>::decode(value)?;
        Ok(Self(micros.div_euclid(1_000) + YEAR_2000))
    }
}

impl Type<Postgres> for Address {
    fn type_info() -> PgTypeInfo {
        <IpAddr as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Address {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <IpAddr as Encode<'_, Postgres>>::encode_by_ref(&self.0, buf)
    }
}

impl<'r> Decode<'r, Postgres> for Address {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <IpAddr as Decode<'r, Postgres>>::decode(value).map(Self)
    }
}

impl Type<Postgres> for TextColumn {
    fn type_info() -> PgTypeInfo {
        <String as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <String as Type<Postgres>>::compatible(ty)
            || <Json<()> as Type<Postgres>>::compatible(ty)
            || <IpAddr as Type<Postgres>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Postgres> for TextColumn {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let ty = value.type_info().into_owned();
        let text = if <Json<()> as Type<Postgres>>::compatible(&ty) {
            <Json<&RawValue> as Decode<'r, Postgres>>::decode(value)?.0.get().to_owned()
        } else if <IpAddr as Type<Postgres>>::compatible(&ty) {
            <IpAddr as Decode<'r, Postgres>>::decode(value)?.to_string()
        } else {
            <String as Decode<'r, Postgres>>::decode(value)?
        };
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "postgres://ann:hunter2@localhost/shop";

    #[test]
    fn sets_what_the_url_leaves_open() {
        let of = |url: &str| postgres_options(url).unwrap().get_options().unwrap().to_owned();
        assert_eq!(
            of(URL),
            r"-c statement_timeout=2s -c default_transaction_isolation=read\ committed"
        );
        assert_eq!(
            of(&format!("{URL}?options[statement_timeout]=1min")),
            r"-c statement_timeout=1min -c default_transaction_isolation=read\ committed"
        );
    }

    #[test]
    fn a_bad_url_is_a_mistake_that_keeps_the_password() {
        for bad in ["postgres://ann:hunter2@localhost:x/shop", "postgres://ann:hunter2@[::/shop"] {
            let error = postgres_options(bad).unwrap_err();
            assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn no_password_is_shown() {
        let pool = postgres_pool_options().connect_lazy_with(postgres_options(URL).unwrap());
        let shown = format!("{:?} {:?}", crate::sql::SqlPool::from(pool.clone()), pool);
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn times_are_microseconds_since_2000() {
        let encoded = |millis: i64| {
            let mut buf = PgArgumentBuffer::default();
            Encode::<Postgres>::encode_by_ref(&Time(millis), &mut buf).map(|_| buf.to_vec())
        };
        assert_eq!(encoded(YEAR_2000 + 1).unwrap(), 1_000_i64.to_be_bytes());
        assert_eq!(encoded(0).unwrap(), (-YEAR_2000 * 1_000).to_be_bytes());
        assert!(encoded(i64::MAX).is_err());
        assert!(encoded(i64::MIN).is_err());
    }
}
