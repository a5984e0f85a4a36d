//! What a request changed in one part of a session's data: a [`Patch`].
//!
//! Changes are kept field by field, not as a whole object, so that two requests that change
//! different fields of one session both succeed.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, value::to_raw_value};

use super::{
    record::{DataSlot, SessionData},
    schema::SessionSchema,
};
use crate::error::Error;

/// Changes to one part of the data.
#[derive(Clone)]
pub(crate) struct Patch {
    /// Changed fields; `None` for a removed one.
    fields: BTreeMap<String, Option<Value>>,
    /// A change of the part's own expiry.
    expires_at: Option<Option<DateTime<Utc>>>,
    /// Whether the changes survive an operation that fails.
    pub(crate) keep_on_error: bool,
}

impl fmt::Debug for Patch {
    /// Shows the names of the fields only: the values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.fields.keys()).finish()
    }
}

fn failed(name: &str) -> impl Fn(serde_json::Error) -> Error {
    let key = name.to_owned();
    move |error| Error::session_data(key.as_str(), &error)
}

fn object<T: SessionSchema>(value: &T) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(value).map_err(failed(T::NAME))? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::SessionData {
            key: T::NAME.into(),
            source: "a session schema must serialise as an object".into(),
        }),
    }
}

/// The stored fields over those of `Default`: what a value of `T` was read from.
fn base<T: SessionSchema>(
    data: &SessionData,
    now: DateTime<Utc>,
) -> Result<Map<String, Value>, Error> {
    let mut fields = object(&T::default())?;
    if let Some(raw) = data.get(T::NAME, now) {
        let stored: Map<String, Value> =
            serde_json::from_str(raw.get()).map_err(failed(T::NAME))?;
        fields.extend(stored);
    }
    Ok(fields)
}

/// Reads one schema's part of the data.
pub(crate) fn read<T: SessionSchema>(data: &SessionData, now: DateTime<Utc>) -> Result<T, Error> {
    let Some(raw) = data.get(T::NAME, now) else {
        return Ok(T::default());
    };
    // Most of the time every field is there, and one pass over the text is enough.
    if let Ok(value) = serde_json::from_str(raw.get()) {
        return Ok(value);
    }
    serde_json::from_value(Value::Object(base::<T>(data, now)?)).map_err(failed(T::NAME))
}

impl Patch {
    /// What differs between the data and a value that was read from it, or `None` if nothing does.
    pub(crate) fn between<T: SessionSchema>(
        data: &SessionData,
        value: &T,
        expires_at: Option<Option<DateTime<Utc>>>,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, Error> {
        let mut base = base::<T>(data, now)?;
        let mut fields = BTreeMap::new();
        for (name, new) in object(value)? {
            if base.remove(&name).as_ref() != Some(&new) {
                fields.insert(name, Some(new));
            }
        }
        fields.extend(base.into_iter().map(|(name, _)| (name, None)));
        if fields.is_empty() && expires_at.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { fields, expires_at, keep_on_error: T::KEEP_ON_ERROR }))
    }

    /// Adds later changes to these.
    pub(crate) fn merge(&mut self, later: Self) {
        self.fields.extend(later.fields);
        self.expires_at = later.expires_at.or(self.expires_at);
        self.keep_on_error |= later.keep_on_error;
    }

    /// Applies the changes to a part of the data. What has expired meanwhile is not revived.
    pub(crate) fn apply(
        &self,
        name: &str,
        data: &mut SessionData,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let (mut fields, expires_at) = match data.get(name, now) {
            Some(raw) => (
                serde_json::from_str::<Map<String, Value>>(raw.get()).map_err(failed(name))?,
                data.0.get(name).and_then(|slot| slot.expires_at),
            ),
            None => (Map::new(), None),
        };
        for (field, value) in &self.fields {
            match value {
                Some(value) => fields.insert(field.clone(), value.clone()),
                None => fields.remove(field),
            };
        }
        let slot = DataSlot {
            value: to_raw_value(&fields).map_err(failed(name))?,
            expires_at: self.expires_at.unwrap_or(expires_at),
        };
        data.0.insert(name.to_owned(), slot);
        Ok(())
    }
}
