//! Faults: what only the operator may see.
//!
//! A fault is never an access decision. It is logged and answered with 503, whoever asked and
//! whatever for. What a client may be told is a [`Rejection`]; what can be either is a
//! [`Failure`].

use std::time::Duration;

use serde_json::error::Category;

use crate::rejection::Rejection;

/// A source error of any kind, as stores report them.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A fault of the system: a store is down, a queue is full, a value in a store cannot be read.
///
/// # Security
///
/// The text never holds a secret, and never reaches a client: the adapter logs it and answers
/// 503 with the code `unavailable`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A store could not answer.
    #[error("the {store} store failed: {source}")]
    Store {
        /// Which store: `user`, `session`, `token`, or `deny list`.
        store: &'static str,
        /// What the store said.
        #[source]
        source: BoxError,
    },
    /// A bounded queue is full; the client may come back later.
    #[error("{resource} is overloaded")]
    Overloaded {
        /// What is overloaded, as in `password hashing`.
        resource: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// A cryptographic operation failed that cannot fail on good keys, or the system's source of
    /// random numbers did.
    #[error("cryptography failed: {0}")]
    Crypto(#[source] BoxError),
    /// A value could not be written to or read from session data.
    #[error("session data `{key}` does not convert: {source}")]
    SessionData {
        /// The schema or the key at fault.
        key: String,
        /// What serde said, without the value.
        #[source]
        source: BoxError,
    },
    /// A provider of identities does not answer, or with what nobody can read.
    #[error("the provider {provider} failed: {source}")]
    Provider {
        /// Which provider, as it is configured.
        provider: String,
        /// What happened.
        #[source]
        source: BoxError,
    },
    /// Something of the application's own failed: its database, a service that it calls.
    #[error("the application failed: {0}")]
    Application(#[source] BoxError),
    /// The application is put together wrongly in a way that could not be found earlier.
    #[error("{0}")]
    Misconfigured(String),
}

impl Error {
    /// A fault of the session store.
    pub fn session_store(source: impl Into<BoxError>) -> Self {
        Self::Store { store: "session", source: source.into() }
    }

    /// A fault of the user store.
    pub fn user_store(source: impl Into<BoxError>) -> Self {
        Self::Store { store: "user", source: source.into() }
    }

    /// A fault of the store of refresh tokens.
    pub fn token_store(source: impl Into<BoxError>) -> Self {
        Self::Store { store: "token", source: source.into() }
    }

    /// A fault of the deny list.
    pub fn deny_list(source: impl Into<BoxError>) -> Self {
        Self::Store { store: "deny list", source: source.into() }
    }

    /// Session data that serde could not write or read.
    ///
    /// serde's own text quotes the value, which may be a one-time code; only the kind of mistake
    /// and its place are kept.
    pub(crate) fn session_data(key: impl Into<String>, error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Data => "a value is missing or of another type",
            Category::Syntax | Category::Eof => "it is no JSON",
            Category::Io => "it cannot be written",
        };
        // A value that never was text has no place in one.
        let source = match (error.line(), error.column()) {
            (0, 0) => what.to_owned(),
            (line, column) => format!("{what}, at line {line} column {column}"),
        };
        Self::SessionData { key: key.into(), source: source.into() }
    }

    /// When the client may try again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// Why an operation of the framework did not succeed: the client was refused, or the system
/// failed. `?` makes one from either.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Refused; the client is told why.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// Failed; the client is told only that it did.
    #[error("{0}")]
    Fault(#[from] Error),
}
