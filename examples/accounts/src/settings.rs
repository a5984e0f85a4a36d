//! What the environment says.

use std::{
    env,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use auth_poem::prelude::*;

/// The settings, each from the environment variable of its name.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `HOST` and `PORT`, default `127.0.0.1:8000`; port 0 is any that is free.
    pub address: SocketAddr,
    /// `DATABASE_URL`, default an SQLite file in the working directory.
    pub database_url: String,
    /// `SECURE_COOKIES`: the library's cookie, for https. Off, because the example speaks http.
    pub secure_cookies: bool,
    /// `OUTBOX`: the folder that messages are written to; without it they are logged.
    pub outbox: Option<PathBuf>,
    /// `PASSWORD_MIN_LENGTH`, default the library's 15.
    pub password_min_length: Option<usize>,
    /// `ADMIN_USERNAME` and `ADMIN_PASSWORD`: an administrator to create.
    pub admin: Option<Admin>,
}

/// The administrator to create if there is no user of that name.
#[derive(Clone)]
pub struct Admin {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Admin({})", self.username)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 8000).into(),
            database_url: "sqlite://accounts.db".into(),
            secure_cookies: false,
            outbox: None,
            password_min_length: None,
            admin: None,
        }
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// - a variable cannot be read; the message names it
    pub fn from_env() -> Result<Self, String> {
        let default = Self::default();
        let host: IpAddr = read("HOST")?.unwrap_or(default.address.ip());
        let port = read("PORT")?.unwrap_or(default.address.port());
        let admin = match (text("ADMIN_USERNAME"), text("ADMIN_PASSWORD")) {
            (Some(username), Some(password)) => Some(Admin { username, password }),
            (None, None) => None,
            _ => return Err("ADMIN_USERNAME and ADMIN_PASSWORD go together".into()),
        };
        Ok(Self {
            address: (host, port).into(),
            database_url: text("DATABASE_URL").unwrap_or(default.database_url),
            secure_cookies: text("SECURE_COOKIES").is_some_and(|value| value != "0"),
            outbox: text("OUTBOX").map(PathBuf::from),
            password_min_length: read("PASSWORD_MIN_LENGTH")?,
            admin,
        })
    }

    /// What new passwords must be.
    #[must_use]
    pub fn password_policy(&self) -> PasswordPolicy {
        let policy = PasswordPolicy::default();
        match self.password_min_length {
            Some(length) => policy.min_length(length),
            None => policy,
        }
    }
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn read<T: std::str::FromStr>(name: &str) -> Result<Option<T>, String> {
    text(name)
        .map(|value| value.parse().map_err(|_| format!("{name} cannot be read: {value:?}")))
        .transpose()
}
