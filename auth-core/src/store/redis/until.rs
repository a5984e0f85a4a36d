//! What the server remembers until a time: [`Until`].

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};

use super::{
    Redis,
    call::Effect,
    keys::{GRACE, Keys},
    scan,
    script::Script,
};
use crate::error::Error;

/// Names, each with the time until which it counts, by the clock of whoever asks. The server forgets
/// a name a minute later by its own.
#[derive(Debug, Clone)]
pub(super) struct Until {
    redis: Redis,
    keys: Keys,
    kind: &'static str,
    /// How faults name the store.
    store: &'static str,
}

/// Remembers a name: 1 if it was not known, or ended. With `later`, the later end counts; else one
/// that still counts stays as it is.
static NOTE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local ends, now, later, kept = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local known = redis.call('GET', KEYS[1])
if known and tonumber(known) > now then
    if later ~= '1' or tonumber(known) >= tonumber(ends) then return 0 end
end
redis.call('SET', KEYS[1], ends, 'PX', kept)
return 1
",
    )
});

/// Removes a name that has ended.
static PURGE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local known = redis.call('GET', KEYS[1])
if not known or tonumber(known) > tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
return 1
",
    )
});

impl Until {
    /// Names of some kind, whose keys begin with `auth:`.
    pub(super) fn new(redis: Redis, kind: &'static str, store: &'static str) -> Self {
        Self { redis, keys: Keys::default(), kind, store }
    }

    pub(super) fn prefix(self, prefix: &str) -> Result<Self, Error> {
        Ok(Self { keys: Keys::new(prefix)?, ..self })
    }

    fn fault(&self, error: Error) -> Error {
        match error {
            Error::Store { source, .. } => Error::Store { store: self.store, source },
            other => other,
        }
    }

    fn key(&self, name: &[u8; 32]) -> String {
        self.keys.of(self.kind, &URL_SAFE_NO_PAD.encode(name))
    }

    /// Remembers a name, in one step; `false` if it counted already. Sent twice, it says so too: then
    /// what was new is taken for known, never the other way round.
    pub(super) async fn note(
        &self,
        name: &[u8; 32],
        until: DateTime<Utc>,
        now: DateTime<Utc>,
        later: bool,
    ) -> Result<bool, Error> {
        let (until, now) = (until.timestamp_millis(), now.timestamp_millis());
        let kept = until.saturating_sub(now).max(0).saturating_add(GRACE);
        let [until, now, kept] = [until, now, kept].map(|number| number.to_string());
        let (later, effect) = if later { (b"1", Effect::Repeatable) } else { (b"0", Effect::Once) };
        let arguments = [until.as_bytes(), now.as_bytes(), &later[..], kept.as_bytes()];
        let noted = NOTE.run(&self.redis.call(), &self.key(name), &arguments, effect).await;
        noted.map(|new: i64| new == 1).map_err(|error| self.fault(error))
    }

    /// Whether a name counts now.
    pub(super) async fn holds(&self, name: &[u8; 32], now: DateTime<Utc>) -> Result<bool, Error> {
        let mut command = redis::cmd("GET");
        command.arg(self.key(name));
        let until = self.redis.call().ask(&command, Effect::Repeatable).await;
        let until: Option<i64> = until.map_err(|error| self.fault(error))?;
        Ok(until.is_some_and(|until| until > now.timestamp_millis()))
    }

    /// Removes what has ended, and says how many that were.
    pub(super) async fn purge(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let purged = scan::purge(&self.redis, &self.keys, self.kind, &PURGE, now).await;
        purged.map_err(|error| self.fault(error))
    }
}
