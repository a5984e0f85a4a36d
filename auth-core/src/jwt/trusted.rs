//! Tokens of other issuers.

use std::{
    any::{Any, TypeId},
    fmt::{self, Debug},
    sync::{Arc, OnceLock},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    cache::{Ends, VerifiedTokens},
    claims::{Audience, Seconds},
    config::LEEWAY,
    jws::{self, Header},
    keys::JwtKeys,
    present,
    verify::object,
};
use crate::{error::Error, secret::TokenId};

const CACHE_ENTRIES: usize = 4096;

/// Where the keys of another issuer come from.
///
/// # Security
///
/// The name comes from a token that is not verified yet. A source that asks the issuer for keys that
/// it does not know does so now and then, never once for each name, and at an address that the
/// configuration has, never one from a token.
#[async_trait]
pub trait KeySource: Debug + Send + Sync + 'static {
    /// The ring in which the key of this name is, if there is one. The same [`Arc`] as long as the
    /// keys are the same: what was verified by others is verified again.
    ///
    /// # Errors
    ///
    /// - the keys are not known, and cannot be had: [`Error`]. A name that is not in the ring is no
    ///   error
    async fn keys(&self, kid: Option<&str>) -> Result<Arc<JwtKeys>, Error>;

    /// Answers [`keys`](Self::keys) without waiting, where that is possible. `None` means "ask
    /// `keys`".
    fn keys_now(&self, kid: Option<&str>) -> Option<Arc<JwtKeys>> {
        let _ = kid;
        None
    }
}

/// Keys that do not change while the process runs.
#[derive(Debug)]
struct Fixed(Arc<JwtKeys>);

#[async_trait]
impl KeySource for Fixed {
    async fn keys(&self, _: Option<&str>) -> Result<Arc<JwtKeys>, Error> {
        Ok(self.0.clone())
    }

    fn keys_now(&self, _: Option<&str>) -> Option<Arc<JwtKeys>> {
        Some(self.0.clone())
    }
}

/// Another issuer whose tokens are taken: an identity provider, or the service that logs users in.
///
/// Its tokens make users of the types with `#[auth(claims, …)]`, never those of a table.
///
/// | | |
/// |---|---|
/// | `typ` | `at+jwt`, `JWT`, or none; compared without case |
/// | `iss` `aud` `sub` `exp` | must be there and hold |
/// | `nbf` `iat` `auth_time` | must hold where they are |
/// | `jti` | asked of the deny list where both are there |
///
/// `fresh` counts from `auth_time`; without it no login is recent.
///
/// # Examples
///
/// ```
/// use auth_core::jwt::{JwtAlgorithm, JwtKeys, TrustedIssuer};
///
/// let published = JwtKeys::generate(JwtAlgorithm::EdDsa)?.public_jwks()?;
/// let keys = JwtKeys::published_jwks(&published)?;
/// let issuer = TrustedIssuer::new("https://id.example", "https://api.example", keys);
/// # Ok::<(), auth_core::error::Error>(())
/// ```
pub struct TrustedIssuer {
    issuer: Box<str>,
    audience: Box<str>,
    keys: Arc<dyn KeySource>,
    cache: Option<VerifiedTokens<Remembered>>,
}

/// What a token of another issuer says.
#[derive(Debug, Clone)]
pub(crate) struct ForeignClaims {
    pub(crate) id: Option<TokenId>,
    auth_time: Option<i64>,
    exp: i64,
    nbf: i64,
    /// All of the claims, a JSON object.
    pub(crate) json: Box<str>,
    /// The user whom they make, of the first type that was asked for.
    user: OnceLock<(TypeId, Arc<dyn Any + Send + Sync>)>,
}

/// Claims of a token that is known, and the keys that they were verified with.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    claims: Arc<ForeignClaims>,
    ring: Arc<JwtKeys>,
    /// The key that the token names.
    kid: Option<Arc<str>>,
}

impl Remembered {
    /// What the token is now; `None` if the keys are others by now, and may not hold it.
    fn under(self, ring: &Arc<JwtKeys>, now: DateTime<Utc>) -> Option<Foreign> {
        Arc::ptr_eq(&self.ring, ring).then(|| match self.claims.check_time(now.timestamp()) {
            Ok(()) => Foreign::Valid(self.claims),
            Err(reason) => Foreign::Invalid(reason),
        })
    }
}

impl Ends for Remembered {
    fn exp(&self) -> i64 {
        self.claims.exp
    }
}

/// What a presented token of another issuer is.
#[derive(Debug)]
pub(crate) enum Foreign {
    Valid(Arc<ForeignClaims>),
    Invalid(&'static str),
    WrongAudience,
}

impl ForeignClaims {
    /// When the user proved who he is, if the issuer says so.
    pub(crate) fn auth_time(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.auth_time?, 0)
    }

    /// The user of this type whom they make. He is made once, as long as the token is remembered.
    ///
    /// # Errors
    ///
    /// - what `make` says
    pub(crate) fn user<U: Any + Send + Sync, E>(
        &self,
        make: impl FnOnce(&str) -> Result<Arc<U>, E>,
    ) -> Result<Arc<U>, E> {
        if let Some((kind, user)) = self.user.get()
            && *kind == TypeId::of::<U>()
            && let Ok(user) = user.clone().downcast::<U>()
        {
            return Ok(user);
        }
        let user = make(&self.json)?;
        // Another type of user may have its place by now, and keeps it.
        let _ = self.user.set((TypeId::of::<U>(), user.clone()));
        Ok(user)
    }

    fn check_time(&self, now: i64) -> Result<(), &'static str> {
        let leeway = LEEWAY.num_seconds();
        if now >= self.exp + leeway {
            Err("expired")
        } else if self.nbf > now + leeway {
            Err("not valid yet")
        } else {
            Ok(())
        }
    }
}

impl TrustedIssuer {
    /// An issuer whose keys do not change while the process runs.
    ///
    /// Both names are compared byte by byte with `iss` and `aud`.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, keys: JwtKeys) -> Self {
        Self::with_source(issuer, audience, Fixed(Arc::new(keys)))
    }

    /// An issuer whose keys come from there.
    pub fn with_source(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        keys: impl KeySource,
    ) -> Self {
        Self {
            issuer: issuer.into().into(),
            audience: audience.into().into(),
            keys: Arc::new(keys),
            // Without random numbers there is none, and each token is verified in full.
            cache: VerifiedTokens::new(CACHE_ENTRIES).unwrap_or_default(),
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What a token says that this issuer's keys were found to have signed a moment ago.
    pub(crate) fn remembered(&self, token: &str) -> Option<Remembered> {
        let cache = self.cache.as_ref()?;
        cache.get(&cache.tag(token)?)
    }

    /// What does not fit.
    pub(crate) fn problem(&self) -> Option<String> {
        let names = [&self.issuer, &self.audience];
        if names.iter().any(|name| name.is_empty()) {
            return Some("issuer and audience of a TrustedIssuer may not be empty".into());
        }
        self.issuer
            .contains(' ')
            .then(|| format!("{:?} is no issuer: there is no space in one (RFC 8414)", self.issuer))
    }

    /// Verifies a token of this issuer, which is perhaps [remembered](Self::remembered); `None` if its
    /// keys have to be waited for.
    pub(crate) fn verify_now(
        &self,
        token: &str,
        known: Option<Remembered>,
        now: DateTime<Utc>,
    ) -> Option<Foreign> {
        let presented = match Presented::new(token, known) {
            Ok(presented) => presented,
            Err(reason) => return Some(Foreign::Invalid(reason)),
        };
        let ring = self.keys.keys_now(presented.kid())?;
        Some(self.judge(token, presented, ring, now))
    }

    /// Verifies a token of this issuer, which is perhaps [remembered](Self::remembered).
    pub(crate) async fn verify(
        &self,
        token: &str,
        known: Option<Remembered>,
        now: DateTime<Utc>,
    ) -> Result<Foreign, Error> {
        let presented = match Presented::new(token, known) {
            Ok(presented) => presented,
            Err(reason) => return Ok(Foreign::Invalid(reason)),
        };
        let ring = self.keys.keys(presented.kid()).await?;
        Ok(self.judge(token, presented, ring, now))
    }

    fn judge(
        &self,
        token: &str,
        presented: Presented,
        ring: Arc<JwtKeys>,
        now: DateTime<Utc>,
    ) -> Foreign {
        let judged = match presented {
            Presented::Known(known) => match known.under(&ring, now) {
                Some(foreign) => return foreign,
                None => jws::header(token).map_err(Refused::Invalid),
            },
            Presented::New(header) => Ok(header),
        }
        .and_then(|header| Ok((self.check(token, &header, &ring, now.timestamp())?, header)));
        let (claims, header) = match judged {
            Ok((claims, header)) => (Arc::new(claims), header),
            Err(Refused::Invalid(reason)) => return Foreign::Invalid(reason),
            Err(Refused::WrongAudience) => return Foreign::WrongAudience,
        };
        let cache = self.cache.as_ref();
        if let Some((cache, tag)) = cache.and_then(|cache| Some((cache, cache.tag(token)?))) {
            let kid = header.kid.as_deref().map(Arc::from);
            cache.insert(tag, Remembered { claims: claims.clone(), ring, kid });
        }
        Foreign::Valid(claims)
    }

    fn check(
        &self,
        token: &str,
        header: &Header,
        ring: &JwtKeys,
        now: i64,
    ) -> Result<ForeignClaims, Refused> {
        if !is_token(header.typ.as_deref()) {
            return Err(Refused::Invalid("another type of token"));
        }
        let json = jws::payload(ring, token, header).map_err(Refused::Invalid)?;
        let json =
            String::from_utf8(json).map_err(|_| Refused::Invalid("the claims are not text"))?;
        let wire: Wire = object(&json).ok_or(Refused::Invalid("the claims are malformed"))?;
        if *wire.iss != *self.issuer {
            return Err(Refused::Invalid("another issuer"));
        }
        if wire.sub.is_empty() || wire.jti.as_deref() == Some("") {
            return Err(Refused::Invalid("`sub` or `jti` is empty"));
        }
        let time = |time: Option<Seconds>| time.map(|Seconds(at)| at);
        let future = |at: Option<i64>| at.is_some_and(|at| at > now + LEEWAY.num_seconds());
        let (iat, auth_time) = (time(wire.iat), time(wire.auth_time));
        if future(iat) || future(auth_time) {
            return Err(Refused::Invalid("issued in the future"));
        }
        let claims = ForeignClaims {
            id: wire.jti.map(|jti| TokenId::new(&wire.iss, &jti)),
            auth_time,
            exp: wire.exp.0,
            nbf: time(wire.nbf).unwrap_or_default(),
            json: json.as_str().into(),
            user: OnceLock::new(),
        };
        claims.check_time(now).map_err(Refused::Invalid)?;
        if wire.aud.contains(&self.audience) {
            Ok(claims)
        } else if wire.aud.is_empty() {
            Err(Refused::Invalid("no audience"))
        } else {
            Err(Refused::WrongAudience)
        }
    }
}

/// A token that is about to be judged.
enum Presented {
    Known(Remembered),
    New(Header),
}

impl Presented {
    fn new(token: &str, known: Option<Remembered>) -> Result<Self, &'static str> {
        known.map_or_else(|| jws::header(token).map(Self::New), |known| Ok(Self::Known(known)))
    }

    /// The key that the token names.
    fn kid(&self) -> Option<&str> {
        match self {
            Self::Known(known) => known.kid.as_deref(),
            Self::New(header) => header.kid.as_deref(),
        }
    }
}

enum Refused {
    Invalid(&'static str),
    WrongAudience,
}

/// What is read of the claims; the rest is the application's.
#[derive(Deserialize)]
struct Wire {
    iss: String,
    sub: String,
    #[serde(deserialize_with = "owned")]
    aud: Audience<'static>,
    exp: Seconds,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<Seconds>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<Seconds>,
    #[serde(default, deserialize_with = "present")]
    auth_time: Option<Seconds>,
    #[serde(default, deserialize_with = "present")]
    jti: Option<String>,
}

fn owned<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Audience<'static>, D::Error> {
    Audience::deserialize(d).map(Audience::into_owned)
}

/// `at+jwt`, `JWT`, or nothing, compared without case and without `application/`.
fn is_token(typ: Option<&str>) -> bool {
    let Some(typ) = typ else { return true };
    let rest = match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    };
    rest.eq_ignore_ascii_case("at+jwt") || rest.eq_ignore_ascii_case("jwt")
}

/// The issuer that a token names, which nobody has verified: good for choosing whom to ask.
pub(crate) fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issuer {
        iss: String,
    }
    let claims = jws::unverified_payload(token)?;
    Some(object::<Issuer>(std::str::from_utf8(&claims).ok()?)?.iss)
}

impl Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
