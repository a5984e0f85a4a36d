//! An empty database: [`Database`].

use std::{fmt, net::ToSocketAddrs, sync::mpsc, thread, time::Duration};

use crate::Proxy;

/// An empty database, which is removed when this is dropped.
pub struct Database {
    url: String,
    /// `host:port` as it stands in the URL; empty where the server listens elsewhere.
    server: String,
    remove: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Database {
    pub(crate) fn new(
        url: String,
        server: String,
        remove: impl FnOnce() + Send + Sync + 'static,
    ) -> Self {
        Self { url, server, remove: Some(Box::new(remove)) }
    }

    /// What connects to it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A proxy in front of the server, and what connects to the database through it.
    #[must_use]
    pub fn behind_proxy(&self) -> (Proxy, String) {
        let mut addresses = self.server.to_socket_addrs().expect("a server that listens on TCP");
        let proxy = Proxy::to(addresses.next().expect("an address"));
        let url = self.url.replacen(&self.server, &proxy.address().to_string(), 1);
        (proxy, url)
    }
}

impl Drop for Database {
    /// Waits a moment, so that the end of the process does not come first; but no longer, because
    /// the server may be waiting for a connection that this very thread is about to serve.
    fn drop(&mut self) {
        let Some(remove) = self.remove.take() else { return };
        let (done, removed) = mpsc::channel();
        thread::spawn(move || {
            remove();
            let _ = done.send(());
        });
        let _ = removed.recv_timeout(Duration::from_secs(1));
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("url", &self.url).finish_non_exhaustive()
    }
}
