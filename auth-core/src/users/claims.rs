//! Users who are made of the claims of a token, and of nothing else: [`ClaimsUsers`].

use std::{fmt, marker::PhantomData, net::IpAddr, ops::Deref, str::FromStr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{Lookup, PasswordChange, UserStore, no_column};
use crate::{error::Error, user::AuthUser};

/// A type of user without a table: `#[auth(claims, schemes(bearer))]`. serde fills it from the claims
/// of a token of a [`TrustedIssuer`](crate::jwt::TrustedIssuer).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made of claims",
    note = "write `#[derive(AuthUser, Deserialize)]` and `#[auth(claims, schemes(bearer))]`, and \
            `#[auth(id)] #[serde(flatten)] id: Subject` for the id"
)]
pub trait ClaimsUser: AuthUser<Id = Subject> + DeserializeOwned {}

/// Who the subject of a token is: the issuer, and what he calls him. Neither means anything without
/// the other (OWASP ASVS 6.8.1).
///
/// As the id of a user it is written `#[auth(id)] #[serde(flatten)] id: Subject`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Subject {
    /// The issuer: the claim `iss`.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The user, by the name that the issuer has for him: the claim `sub`.
    #[serde(rename = "sub")]
    pub subject: String,
}

impl fmt::Display for Subject {
    /// The issuer, a space, the subject. There is no space in an issuer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.issuer, self.subject)
    }
}

/// A text that names no subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a subject: an issuer, a space, a name")]
pub struct NoSubject;

impl FromStr for Subject {
    type Err = NoSubject;

    fn from_str(text: &str) -> Result<Self, NoSubject> {
        match text.split_once(' ') {
            Some((issuer, subject)) if !issuer.is_empty() && !subject.is_empty() => {
                Ok(Self { issuer: issuer.into(), subject: subject.into() })
            }
            _ => Err(NoSubject),
        }
    }
}

/// What a token of another issuer allows: the claim `scope` (RFC 8693), text with spaces, or `scp`,
/// a list. As permissions of a user it is written
/// `#[auth(permissions)] #[serde(flatten)] scopes: GrantedScopes`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantedScopes(Vec<String>);

impl Deref for GrantedScopes {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for GrantedScopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Scope {
            Text(String),
            List(Vec<String>),
        }
        #[derive(Deserialize)]
        struct Wire {
            scope: Option<Scope>,
            scp: Option<Scope>,
        }
        let Wire { scope, scp } = Wire::deserialize(deserializer)?;
        let scopes = scope.into_iter().chain(scp).flat_map(|scope| match scope {
            Scope::Text(text) => text.split(' ').map(str::to_owned).collect(),
            Scope::List(list) => list,
        });
        Ok(Self(scopes.filter(|scope| !scope.is_empty()).collect()))
    }
}

/// Users who are made of the claims of a token: for services behind an identity provider.
///
/// There is nothing to look up and nothing to write; who the user is and what he may do is what the
/// token says, as long as it holds.
///
/// # Examples
///
/// ```text
/// #[derive(AuthUser, Deserialize, Clone)]
/// #[auth(claims, schemes(bearer))]
/// struct Caller {
///     #[auth(id)]          #[serde(flatten)] id: Subject,
///     #[auth(permissions)] #[serde(flatten)] scopes: GrantedScopes,
///     email: Option<String>,
/// }
///
/// AuthConfig::new()
///     .user::<Caller>(ClaimsUsers::new())
///     .trust(TrustedIssuer::new("https://id.example", "https://api.example", keys))
/// ```
pub struct ClaimsUsers<U>(PhantomData<fn() -> U>);

impl<U: ClaimsUser> ClaimsUsers<U> {
    /// The users of that type.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<U: ClaimsUser> Default for ClaimsUsers<U> {
    fn default() -> Self {
        Self::new()
    }
}

impl<U> fmt::Debug for ClaimsUsers<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimsUsers")
    }
}

#[async_trait]
impl<U: ClaimsUser> UserStore<U> for ClaimsUsers<U> {
    /// Nobody is kept.
    async fn by_id(&self, _: &U::Id) -> Result<Option<Arc<U>>, Error> {
        Ok(None)
    }

    async fn by_login(&self, _: &str) -> Result<Lookup<U>, Error> {
        Ok(Lookup::None)
    }

    async fn set_login(&self, _: &U::Id, _: DateTime<Utc>, _: Option<IpAddr>) -> Result<(), Error> {
        Ok(())
    }

    async fn set_password(
        &self,
        _: &U::Id,
        _: PasswordChange<'_>,
    ) -> Result<Option<Arc<U>>, Error> {
        Err(no_column::<U>("password"))
    }

    async fn raise_epoch(&self, _: &U::Id) -> Result<Option<i64>, Error> {
        Err(no_column::<U>("epoch"))
    }

    fn by_claims(&self, claims: &str) -> Option<Result<Arc<U>, serde_json::Error>> {
        Some(serde_json::from_str(claims).map(Arc::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_back() {
        let subject = Subject { issuer: "https://id".into(), subject: "a b:c ".into() };
        assert_eq!(subject.to_string().parse(), Ok(subject));
        for text in ["", " ", "x", "x ", " x"] {
            assert_eq!(text.parse::<Subject>(), Err(NoSubject), "{text:?}");
        }
    }

    #[test]
    fn scopes_are_text_or_a_list() {
        let read = |json: &str| serde_json::from_str::<GrantedScopes>(json).map(|scopes| scopes.0);
        assert_eq!(read(r#"{"scope":"a  b:c"}"#).unwrap(), ["a", "b:c"]);
        assert_eq!(read(r#"{"scp":["a","b c"]}"#).unwrap(), ["a", "b c"]);
        assert_eq!(read(r#"{"scp":"a b","scope":["c"]}"#).unwrap(), ["c", "a", "b"]);
        assert!(read("{}").unwrap().is_empty());
        for json in [r#"{"scope":1}"#, r#"{"scp":[1]}"#, r#"{"scope":{"a":1}}"#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
