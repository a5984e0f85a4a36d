//! How often one client may ask something.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use auth_poem::prelude::*;

/// How often, in a window of time.
const TIMES: u32 = 30;
const WINDOW: Duration = Duration::minutes(1);

/// How many clients are remembered before those are forgotten whose window is over.
const CLIENTS: usize = 10_000;

/// Counts what clients ask, by their addresses.
#[derive(Debug, Default)]
pub struct Limit {
    clients: Mutex<HashMap<Option<IpAddr>, (DateTime<Utc>, u32)>>,
}

impl Limit {
    /// Counts once more.
    ///
    /// # Errors
    ///
    /// - that was too often: [`Rejection::TooManyAttempts`]
    pub(crate) fn count(
        &self,
        client: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<(), Rejection> {
        // Entries are plain values; a panic while they are held leaves none half written.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS {
            clients.retain(|_, (begun, _)| now - *begun < WINDOW);
        }
        let (begun, times) = clients.entry(client).or_insert((now, 0));
        if now - *begun >= WINDOW {
            (*begun, *times) = (now, 0);
        }
        *times += 1;
        if *times <= TIMES {
            return Ok(());
        }
        let left = (*begun + WINDOW - now).to_std().unwrap_or_default();
        Err(Rejection::TooManyAttempts { retry_after: left })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_client_and_forgets() {
        let (limit, now) = (Limit::default(), Utc::now());
        let clients = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().ok());
        for _ in 0..TIMES {
            limit.count(clients[0], now).unwrap();
        }
        let later = now + WINDOW / 2;
        let refused = limit.count(clients[0], later).unwrap_err();
        assert_eq!(refused.retry_after(), (WINDOW / 2).to_std().ok());
        limit.count(clients[1], later).unwrap();
        limit.count(clients[0], now + WINDOW).unwrap();
    }
}
