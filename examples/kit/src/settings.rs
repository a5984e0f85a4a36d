//! The settings that all examples know.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use crate::environment::{EnvironmentError, flag, read, text};

/// The settings that all examples know, each from the environment variable of its name.
#[derive(Debug, Clone)]
pub struct Common {
    /// `HOST` and `PORT`, default `127.0.0.1:8000`; port 0 is any that is free.
    pub address: SocketAddr,
    /// `DATABASE_URL`: `sqlite://…`, `postgres://…` or `mysql://…`, default an SQLite file in the
    /// working directory.
    pub database_url: String,
    /// `REDIS_URL`: sessions go there, and not into the database. Several, with commas between
    /// them, are nodes of a cluster.
    pub redis_url: Option<RedisUrl>,
    /// `SECURE_COOKIES`: the library's cookie, for https. Off, because the examples speak http.
    pub secure_cookies: bool,
    /// `OUTBOX`: the folder that messages are written to; without it they are logged.
    pub outbox: Option<PathBuf>,
}

/// A URL with a password in it, which is not shown.
#[derive(Clone)]
pub struct RedisUrl(pub String);

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl(…)")
    }
}

impl Common {
    /// The defaults of an example; its database is `<name>.db`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 8000).into(),
            database_url: format!("sqlite://{name}.db"),
            redis_url: None,
            secure_cookies: false,
            outbox: None,
        }
    }

    /// Reads the environment; what is not set keeps its default.
    ///
    /// # Errors
    ///
    /// - a variable cannot be read; the message names it
    pub fn from_env(name: &str) -> Result<Self, EnvironmentError> {
        let default = Self::new(name);
        let host: IpAddr = read("HOST")?.unwrap_or(default.address.ip());
        let port = read("PORT")?.unwrap_or(default.address.port());
        Ok(Self {
            address: (host, port).into(),
            database_url: text("DATABASE_URL")?.unwrap_or(default.database_url),
            redis_url: text("REDIS_URL")?.map(RedisUrl),
            secure_cookies: flag("SECURE_COOKIES")?,
            outbox: text("OUTBOX")?.map(PathBuf::from),
        })
    }
}
