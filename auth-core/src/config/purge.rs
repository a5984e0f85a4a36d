//! Removing what has expired, in all stores: once, or again and again.

use std::{fmt, time::Duration};

use chrono::TimeDelta;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::Authenticator;
use crate::{clock::to_the_millisecond, error::Error};

/// More often than this nobody needs it.
const SHORTEST: Duration = Duration::from_secs(1);

/// The purge that [`Authenticator::purge_every`] has started. It ends when this is dropped.
#[must_use = "the purge ends when this is dropped; keep it as long as the server runs"]
pub struct PurgeTask(JoinHandle<()>);

impl fmt::Debug for PurgeTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PurgeTask")
    }
}

impl Drop for PurgeTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Authenticator {
    /// Removes what has expired, and says how much that was: sessions, and whatever the stores have
    /// that [`AuthConfig::purge`](super::AuthConfig::purge) names. For a task of the application's
    /// own, such as a nightly job.
    ///
    /// What has expired counts for nothing without it, but takes up room.
    ///
    /// # Errors
    ///
    /// - a store cannot answer: its fault, the first if there are several; all others are purged
    ///   all the same
    pub async fn purge_expired(&self) -> Result<u64, Error> {
        let (mut removed, mut fault) = (0, None);
        for (name, outcome) in self.purge_all().await {
            match outcome {
                Ok(number) => removed += number,
                Err(error) => {
                    tracing::warn!(store = name, %error, "what has expired could not be removed");
                    fault.get_or_insert(error);
                }
            }
        }
        fault.map_or(Ok(removed), Err)
    }

    /// Does what [`purge_expired`](Self::purge_expired) does, now and each time when so much time
    /// has passed, until the answer is dropped. Faults are logged; the next time comes all the same.
    /// Less than a second is taken for one.
    ///
    /// Every process of a service may do it: they do not get in each other's way.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # use auth_core::{config::AuthConfig, store::MemorySessions};
    /// # use chrono::TimeDelta;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), auth_core::config::ConfigError> {
    /// let auth = AuthConfig::new().sessions(MemorySessions::default()).build()?;
    /// let _purge = auth.purge_every(TimeDelta::minutes(15));
    /// // … serve, until the process is told to stop.
    /// # Ok(())
    /// # }
    /// ```
    pub fn purge_every(&self, time: TimeDelta) -> PurgeTask {
        let time = time.to_std().unwrap_or(SHORTEST).max(SHORTEST);
        let auth = self.clone();
        PurgeTask(tokio::spawn(async move {
            let mut times = interval(time);
            times.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                times.tick().await;
                match auth.purge_expired().await {
                    Ok(0) => {}
                    Ok(removed) => tracing::info!(removed, "what has expired was removed"),
                    // It was logged, store by store.
                    Err(_) => {}
                }
            }
        }))
    }

    async fn purge_all(&self) -> Vec<(&'static str, Result<u64, Error>)> {
        let now = to_the_millisecond(self.inner.clock.now());
        let mut outcomes = Vec::with_capacity(self.inner.purged.len());
        for store in &self.inner.purged {
            outcomes.push((store.name(), store.purge_expired(now).await));
        }
        outcomes
    }
}
