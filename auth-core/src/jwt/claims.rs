//! What a token says: the wire form, strict, and what is left of it once it is verified.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de};
use uuid::Uuid;

use super::{cache::Ends, present, unbase64url};
use crate::{
    secret::{SecurityStamp, TokenId},
    user::UserKey,
};

/// The last second of the year 9999. A later time is nonsense, and arithmetic on this one cannot
/// overflow.
pub(super) const MAX_SECONDS: i64 = 253_402_300_799;

/// What a verified access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    user: UserKey,
    jti: Box<str>,
    stamp: SecurityStamp,
    auth_time: DateTime<Utc>,
    iat: i64,
    nbf: i64,
    exp: i64,
    family: Option<Uuid>,
    id: Id,
}

/// The digest of issuer and `jti`, made when somebody asks. It says nothing that the claims do not,
/// so all of them are equal.
#[derive(Debug, Clone, Default)]
struct Id(OnceLock<TokenId>);

impl PartialEq for Id {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Id {}

impl AccessClaims {
    /// The user that the token was issued to: `realm` and `sub`.
    #[must_use]
    pub fn user(&self) -> &UserKey {
        &self.user
    }

    /// The name of this one token.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// The same among the tokens of all issuers, if this is its issuer.
    pub(super) fn id(&self, issuer: &str) -> TokenId {
        *self.id.0.get_or_init(|| TokenId::new(issuer, &self.jti))
    }

    /// The handle of the login's refresh tokens, `None` for a token that cannot be refreshed.
    #[must_use]
    pub fn family(&self) -> Option<Uuid> {
        self.family
    }

    /// The user's security stamp when the token was issued. A token whose stamp is no longer the
    /// user's is invalid; that is for the caller to compare.
    #[must_use]
    pub fn stamp(&self) -> SecurityStamp {
        self.stamp
    }

    /// When the user proved who he is.
    #[must_use]
    pub fn auth_time(&self) -> DateTime<Utc> {
        self.auth_time
    }

    /// When the token was issued.
    #[must_use]
    pub fn issued_at(&self) -> DateTime<Utc> {
        at(self.iat)
    }

    /// When the token ends.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        at(self.exp)
    }

    /// Whether this is the time of the token, give or take `leeway` seconds.
    pub(super) fn check_time(&self, now: i64, leeway: i64) -> Result<(), &'static str> {
        if now >= self.exp + leeway {
            Err("expired")
        } else if self.nbf > now + leeway {
            Err("not valid yet")
        } else if self.iat > now + leeway {
            Err("issued in the future")
        } else if self.auth_time.timestamp() > now + leeway {
            Err("login in the future")
        } else {
            Ok(())
        }
    }
}

impl Ends for Arc<AccessClaims> {
    fn exp(&self) -> i64 {
        self.exp
    }
}

/// The instant of a time that was read from a token, which is one that a calendar has.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The claims as they are written. Duplicate members and other types are errors of serde.
#[derive(Serialize, Deserialize)]
pub(super) struct Wire<'a> {
    #[serde(borrow)]
    pub(super) iss: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) sub: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) aud: Audience<'a>,
    pub(super) exp: Seconds,
    pub(super) nbf: Seconds,
    pub(super) iat: Seconds,
    #[serde(borrow)]
    pub(super) jti: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) realm: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) stamp: Cow<'a, str>,
    pub(super) auth_time: Seconds,
    /// The handle of the login's refresh tokens, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) sid: Option<Uuid>,
}

impl Wire<'_> {
    /// The claims, if their values are such as [`issue`](super::Jwt::issue) writes.
    pub(super) fn claims(&self) -> Result<AccessClaims, &'static str> {
        if self.sub.is_empty() || self.jti.is_empty() {
            return Err("`sub` or `jti` is empty");
        }
        // A realm with a colon in it could name the users of another.
        if self.realm.is_empty() || self.realm.contains(':') {
            return Err("`realm` is not a type of user");
        }
        let stamp = unbase64url(&self.stamp).and_then(|bytes| bytes.try_into().ok());
        Ok(AccessClaims {
            user: UserKey::from([&*self.realm, ":", &*self.sub].concat()),
            jti: (*self.jti).into(),
            stamp: SecurityStamp::from_bytes(stamp.ok_or("`stamp` is not 16 bytes")?),
            auth_time: at(self.auth_time.0),
            iat: self.iat.0,
            nbf: self.nbf.0,
            exp: self.exp.0,
            family: self.sid,
            id: Id::default(),
        })
    }
}

/// A time in whole seconds since 1970, as integers only: not negative, not beyond the year 9999.
#[derive(Serialize, Clone, Copy)]
pub(super) struct Seconds(pub(super) i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = i64::deserialize(deserializer)?;
        if (0..=MAX_SECONDS).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(de::Error::custom("a time out of range"))
        }
    }
}

/// `aud`: one name, or a list of names (RFC 7519 section 4.1.3).
pub(super) enum Audience<'a> {
    One(Cow<'a, str>),
    Many(Vec<String>),
}

impl Audience<'_> {
    pub(super) fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }

    pub(super) fn into_owned(self) -> Audience<'static> {
        match self {
            Self::One(one) => Audience::One(Cow::Owned(one.into_owned())),
            Self::Many(many) => Audience::Many(many),
        }
    }

    /// Whether it names anybody at all.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::One(one) => one.is_empty(),
            Self::Many(many) => many.is_empty(),
        }
    }
}

impl Serialize for Audience<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(one) => serializer.serialize_str(one),
            Self::Many(many) => serializer.collect_seq(many),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Audience<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Audience<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_borrowed_str<E>(self, one: &'de str) -> Result<Self::Value, E> {
                Ok(Audience::One(Cow::Borrowed(one)))
            }

            fn visit_str<E>(self, one: &str) -> Result<Self::Value, E> {
                Ok(Audience::One(Cow::Owned(one.to_owned())))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut many = Vec::new();
                while let Some(one) = seq.next_element()? {
                    many.push(one);
                }
                Ok(Audience::Many(many))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
