//! Session data without a schema: values by key.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::schema::SessionSchema;
use crate::error::Error;

/// The untyped part of a session's data: any serialisable value under a key.
///
/// # Errors
///
/// A value that cannot be written or read is an [`Error::SessionData`], never silence.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untyped(Map<String, Value>);

impl fmt::Debug for Untyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl SessionSchema for Untyped {
    const NAME: &'static str = "";
}

impl Untyped {
    /// The value under a key.
    ///
    /// # Errors
    ///
    /// - the value is of another type: [`Error::SessionData`]
    pub fn get<V: DeserializeOwned>(&self, key: &str) -> Result<Option<V>, Error> {
        self.0.get(key).map(|value| V::deserialize(value)).transpose().map_err(|e| failed(key, e))
    }

    /// Puts a value under a key.
    ///
    /// # Errors
    ///
    /// - serde cannot write the value: [`Error::SessionData`]
    pub fn insert<V: Serialize>(&mut self, key: &str, value: V) -> Result<(), Error> {
        let value = serde_json::to_value(value).map_err(|error| failed(key, error))?;
        self.0.insert(key.to_owned(), value);
        Ok(())
    }

    /// Removes what is under a key, and says whether something was.
    pub fn remove(&mut self, key: &str) -> bool {
        self.0.remove(key).is_some()
    }

    /// Whether something is under a key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn failed(key: &str, error: serde_json::Error) -> Error {
    Error::session_data(key, &error)
}
