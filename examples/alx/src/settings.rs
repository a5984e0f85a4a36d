//! What the environment says.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use auth_poem::{http::excluded::ExcludedPath, prelude::*};
use example_kit::{EnvironmentError, flag, read, text};

/// The settings, each from the environment variable of its name.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `API_HOST` and `API_PORT`, else `HOST` and `PORT`, default `127.0.0.1:5000`.
    pub address: SocketAddr,
    /// `DATABASE_URL`: `sqlite://…`, `postgres://…` or `mysql://…`, default `sqlite://alx.db`.
    pub database_url: String,
    /// `AUTH_TYPE`: how users prove who they are. There is no default, so that nobody opens the
    /// API by forgetting it.
    pub auth_type: AuthType,
    /// `SESSION_NAME`: the name of the session cookie. Without it no cookie is recognised.
    pub session_name: Option<String>,
    /// `SESSION_DURATION`: how many seconds a session lives, however often it is used. Where it is
    /// 0 or less, not set or no number, sessions live as long as a browser keeps a cookie.
    pub session_duration: i64,
    /// `EXCLUDED_PATHS`, separated by commas: the paths that the guard lets through.
    pub excluded_paths: Vec<String>,
    /// `SECURE_COOKIES`: sends the cookie over https only.
    pub secure_cookies: bool,
    /// `ADMIN_EMAIL` and `ADMIN_PASSWORD`: an administrator to create.
    pub admin: Option<(String, String)>,
    /// `SEED`: creates the two users of the seed.
    pub seed: bool,
    /// `COMPAT`: what clients of the original rely on, where the default is stricter.
    pub compat: bool,
}

/// How users prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthType {
    /// They do not, and the guard is off.
    None,
    /// Nobody is ever let in.
    Auth,
    /// By name and password in every request.
    Basic,
    /// By a session in memory that does not expire.
    Session,
    /// By a session in memory that expires.
    SessionExp,
    /// By a session in the database that expires.
    SessionDb,
}

impl AuthType {
    /// Whether users prove who they are by a session.
    pub(crate) fn has_sessions(self) -> bool {
        matches!(self, Self::Session | Self::SessionExp | Self::SessionDb)
    }
}

impl FromStr for AuthType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "auth" => Ok(Self::Auth),
            "basic_auth" => Ok(Self::Basic),
            "session_auth" => Ok(Self::Session),
            "session_exp_auth" => Ok(Self::SessionExp),
            "session_db_auth" => Ok(Self::SessionDb),
            _ => Err("use none, auth, basic_auth, session_auth, session_exp_auth or \
                      session_db_auth"),
        }
    }
}

impl Settings {
    /// The defaults, for this way to authenticate.
    #[must_use]
    pub fn new(auth_type: AuthType) -> Self {
        let excluded = ["status", "unauthorized", "forbidden", "auth_session/login"];
        Self {
            address: (Ipv4Addr::LOCALHOST, 5000).into(),
            database_url: "sqlite://alx.db".into(),
            auth_type,
            session_name: None,
            session_duration: 0,
            excluded_paths: excluded.map(|path| format!("/api/v1/{path}/")).into(),
            secure_cookies: false,
            admin: None,
            seed: false,
            compat: false,
        }
    }

    /// Reads the environment.
    ///
    /// # Errors
    ///
    /// - a variable cannot be read; the message names it
    /// - `AUTH_TYPE` is not set, without `COMPAT`
    pub fn from_env() -> Result<Self, EnvironmentError> {
        let compat = flag("COMPAT")?;
        let auth_type = match read("AUTH_TYPE")? {
            Some(auth_type) => auth_type,
            None if compat => AuthType::None,
            None => return Err(EnvironmentError::new("AUTH_TYPE", "say `none` to open the API")),
        };
        let admin = match (text("ADMIN_EMAIL")?, text("ADMIN_PASSWORD")?) {
            (Some(email), Some(password)) => Some((email, password)),
            (None, None) => None,
            _ => {
                let names = "ADMIN_EMAIL and ADMIN_PASSWORD";
                return Err(EnvironmentError::new(names, "set both or neither"));
            }
        };
        let default = Self::new(auth_type);
        let host: Option<IpAddr> = first(read("API_HOST")?, || read("HOST"))?;
        let port = first(read("API_PORT")?, || read("PORT"))?;
        let host = host.unwrap_or(default.address.ip());
        let port = port.unwrap_or(default.address.port());
        let excluded_paths = match text("EXCLUDED_PATHS")? {
            Some(paths) => paths.split(',').map(excluded_path).collect::<Result<_, _>>()?,
            None => default.excluded_paths,
        };
        Ok(Self {
            address: (host, port).into(),
            database_url: text("DATABASE_URL")?.unwrap_or(default.database_url),
            session_name: text("SESSION_NAME")?,
            session_duration: whole_number(text("SESSION_DURATION")?),
            secure_cookies: flag("SECURE_COOKIES")?,
            seed: flag("SEED")?,
            auth_type,
            excluded_paths,
            admin,
            compat,
        })
    }

    /// Whether a login starts a session.
    pub(crate) fn has_sessions(&self) -> bool {
        self.auth_type.has_sessions() && self.session_name.is_some()
    }

    /// How long a session lives; `None` if it does not expire.
    pub(crate) fn session_lifetime(&self) -> Option<Duration> {
        match (self.auth_type, self.session_duration) {
            (AuthType::SessionExp | AuthType::SessionDb, seconds @ 1..) => {
                Duration::try_seconds(seconds)
            }
            _ => None,
        }
    }
}

/// A path that the guard can let through.
fn excluded_path(text: &str) -> Result<String, EnvironmentError> {
    let text = text.trim();
    let parsed: Result<ExcludedPath, _> = text.parse();
    parsed.map_err(|error| EnvironmentError::new("EXCLUDED_PATHS", error))?;
    Ok(text.to_owned())
}

/// A value, or else another one.
fn first<T, E>(
    value: Option<T>,
    other: impl FnOnce() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    match value {
        Some(value) => Ok(Some(value)),
        None => other(),
    }
}

/// The number; 0 for what is none, as the original has it.
fn whole_number(text: Option<String>) -> i64 {
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
