//! Copies of sessions in Redis: [`RedisCache`].

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use async_trait::async_trait;
use uuid::Uuid;

use super::{Cached, Lease, SessionCache};
use crate::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    store::redis::{Keys, Parts, Redis, call::Effect, record, script::Script},
};

/// How long is waited for a cache. The database is there too, and answers in a few milliseconds.
const TIMEOUT: Duration = Duration::from_millis(250);

/// How long a lease holds at most. A read of the database takes less, or is a fault.
const LEASE: Duration = Duration::from_secs(5);

/// Gives a lease, unless there is one, or a copy by now.
static LOOK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
",
    )
});

/// Stores a copy in place of the lease.
static FILL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
",
    )
});

/// Copies of sessions in Redis or Valkey, which all processes share.
///
/// A read that finds a copy is one `GET`. The keys are `<prefix>c:<digest of the token>`, so the
/// same server may hold [`RedisSessions`](crate::store::RedisSessions) too. Nothing here has to be
/// durable, and the server may evict.
#[derive(Clone)]
pub struct RedisCache {
    redis: Redis,
    keys: Keys,
}

impl RedisCache {
    /// A cache whose keys begin with `auth:`. Waits a quarter of a second for an answer, however
    /// long the given handle would.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self { redis: redis.timeout(TIMEOUT), keys: Keys::default() }
    }

    /// Chooses what the keys begin with.
    ///
    /// # Errors
    ///
    /// - it is not made of ASCII letters, digits and `_-.:`: [`Error::Misconfigured`]
    pub fn prefix(self, prefix: &str) -> Result<Self, Error> {
        Ok(Self { keys: Keys::new(prefix)?, ..self })
    }

    /// How long is waited for an answer; by default a quarter of a second.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { redis: self.redis.timeout(timeout), ..self }
    }

    fn key(&self, key: &SessionKey) -> String {
        self.keys.of("c:", &Keys::member(key))
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("redis", &self.redis).finish_non_exhaustive()
    }
}

/// A lease as it stands under a key. No record begins like it.
fn lease_name(lease: Lease) -> String {
    format!("L{:032x}", lease.0)
}

/// Reads what stands under a key.
fn read(held: &[u8]) -> Result<Cached, Error> {
    match held.strip_prefix(b"L") {
        Some(lease) => {
            let lease = str::from_utf8(lease).map_err(Error::session_store)?;
            let lease = u128::from_str_radix(lease, 16).map_err(Error::session_store)?;
            Ok(Cached::Missing(Lease(lease)))
        }
        None => record(held).map(Cached::Copy),
    }
}

#[async_trait]
impl SessionCache for RedisCache {
    async fn look(&self, key: &SessionKey) -> Result<Cached, Error> {
        let call = self.redis.call();
        let key = self.key(key);
        let mut command = ::redis::cmd("GET");
        command.arg(&key);
        let held: Option<Vec<u8>> = call.ask(&command, Effect::Repeatable).await?;
        if let Some(held) = held {
            return read(&held);
        }
        let lease = lease_name(Lease(Uuid::new_v4().as_u128()));
        let millis = LEASE.as_millis().to_string();
        let arguments = [lease.as_bytes(), millis.as_bytes()];
        let held: Vec<u8> = LOOK.run(&call, &key, &arguments, Effect::Repeatable).await?;
        read(&held)
    }

    async fn fill(
        &self,
        key: &SessionKey,
        lease: Lease,
        record: Arc<SessionRecord>,
        life: Duration,
    ) -> Result<(), Error> {
        let (lease, value) = (lease_name(lease), Parts::of(&record)?.value());
        let millis = life.as_millis().max(1).to_string();
        let arguments = [lease.as_bytes(), &value, millis.as_bytes()];
        let call = self.redis.call();
        let _stored: bool = FILL.run(&call, &self.key(key), &arguments, Effect::Repeatable).await?;
        Ok(())
    }

    async fn invalidate(&self, keys: &[SessionKey]) -> Result<(), Error> {
        let mut command = ::redis::cmd("DEL");
        for key in keys {
            command.arg(self.key(key));
        }
        let _dropped: u64 = self.redis.call().ask(&command, Effect::Repeatable).await?;
        Ok(())
    }
}
