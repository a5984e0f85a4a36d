//! Opaque tokens of a provider, checked by asking it: [`Introspection`]
//! ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use http::{
    Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use openidconnect::url::form_urlencoded::{Serializer, byte_serialize};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::{
    answers::Answers,
    cached::{Cached, Freshness},
    client::text,
    http::{Http, HttpError, fault, is_protected},
    provider::{Kind, Provider},
};
use crate::{
    clock::{Clock, SystemClock},
    error::{Error, Failure},
    http::RequestHead,
    identities::{ExternalId, IdentityStore},
    rejection::Rejection,
    scheme::{Proof, Scheme, SchemeInfo},
    scopes::Scopes,
    secret::sha256,
    user::AuthUser,
};

/// How long an answer is good for. A token that is taken back at the provider goes on so long here.
const REMEMBERED: TimeDelta = TimeDelta::seconds(30);
/// How long it is good for that a token does not hold.
const REFUSED: TimeDelta = TimeDelta::seconds(5);
/// How many questions are under way at once. Beyond it, requests are told to come back.
const AT_ONCE: usize = 32;
/// Longer tokens are not asked about; servers commonly take 8 KiB of headers in all.
const MAX_TOKEN: usize = 8 * 1024;

/// A scheme for tokens that only their provider can read: each is checked at the provider's
/// introspection endpoint, with this application's credentials there.
///
/// A type of user declares it as `#[auth(schemes(custom = "provider"))]`, and
/// [`AuthConfig::scheme`](crate::config::AuthConfig::scheme) takes this value under the same name.
/// The provider's scopes are how far the credential reaches.
///
/// # Examples
///
/// ```
/// use auth_core::{
///     identities::MemoryIdentities,
///     oidc::{Introspection, LinkedUsers, Provider},
/// };
/// # use auth_core::user::{AuthUser, NoRole, RoleSource, UserMeta};
/// # #[derive(Clone)] struct User { id: i64 }
/// # impl AuthUser for User {
/// #     type Id = i64;
/// #     type Role = NoRole;
/// #     const META: &'static UserMeta = &UserMeta {
/// #         name: "User", path: "User", table: "users", columns: &["id"], id: "id", login: &[],
/// #         password: None, login_time: None, login_ip: None, token: None, epoch: None, active: None,
/// #         roles: RoleSource::Column, schemes: &["provider"],
/// #     };
/// #     fn id(&self) -> &i64 { &self.id }
/// #     fn login_name(&self, _: usize) -> Option<&str> { None }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let identities = MemoryIdentities::<User>::new();
/// let provider = Provider::new("https://login.example.com", "api", "secret");
/// let scheme = Introspection::new(provider, "https://api.example.com", LinkedUsers::new(identities))?;
/// let auth = auth_core::config::AuthConfig::new()
///     .user::<User>(auth_core::users::MemoryUsers::default())
///     .scheme::<User>("provider", scheme)
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// A token holds if the provider calls it active, it is for this audience, it has not expired, and it
/// is a bearer token: one that is bound to a key of its client (`cnf`) is refused, for nobody here
/// checks the binding. Answers are kept by the token's SHA-256 for 30 seconds, never beyond `exp`;
/// refusals for 5. A provider that does not answer is 503, never "nobody".
pub struct Introspection<U: AuthUser> {
    provider: Provider,
    issuer: String,
    endpoint: Option<String>,
    audience: Option<String>,
    prefix: String,
    users: Arc<dyn TokenUsers<U>>,
    clock: Arc<dyn Clock>,
    http: Http,
    found: Cached<String>,
    answers: Answers<IntrospectedToken>,
    under_way: Semaphore,
}

/// What a provider says of a token that holds.
#[derive(Clone)]
#[non_exhaustive]
pub struct IntrospectedToken {
    /// Whose it is: the issuer, and its subject.
    pub id: ExternalId,
    /// The client to which it was issued.
    pub client_id: Option<String>,
    /// How far it reaches.
    pub scopes: Scopes,
    /// When it ends, if the provider says so.
    pub expires_at: Option<DateTime<Utc>>,
    /// The whole answer.
    pub claims: Map<String, Value>,
}

/// Says whose a provider's token is.
#[async_trait]
pub trait TokenUsers<U: AuthUser>: Send + Sync + 'static {
    /// The user: [`Proof::of_id`], or [`Proof::of_user`] for one whom the token itself describes.
    /// `None` if he is nobody's here. The token's scopes are added to it.
    ///
    /// # Errors
    ///
    /// - a store cannot answer: [`Failure::Fault`]
    async fn user(&self, token: &IntrospectedToken) -> Result<Option<Proof<U>>, Failure>;
}

/// The users to whom an [`IdentityStore`] links identities, as a login through the provider does.
#[derive(Debug)]
pub struct LinkedUsers<U: AuthUser>(Arc<dyn IdentityStore<U>>);

impl<U: AuthUser> LinkedUsers<U> {
    /// The users of this store.
    pub fn new(identities: impl IdentityStore<U>) -> Self {
        Self(Arc::new(identities))
    }
}

#[async_trait]
impl<U: AuthUser> TokenUsers<U> for LinkedUsers<U> {
    async fn user(&self, token: &IntrospectedToken) -> Result<Option<Proof<U>>, Failure> {
        Ok(self.0.owner(&token.id).await?.map(Proof::of_id))
    }
}

/// The part of a discovery document that is needed here.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    introspection_endpoint: Option<String>,
}

impl<U: AuthUser> Introspection<U> {
    /// A scheme for the tokens of this provider that are for this audience. The endpoint is found by
    /// discovery.
    ///
    /// # Errors
    ///
    /// - the provider does not fit, or the audience is empty: [`Error::Misconfigured`]
    pub fn new(
        provider: Provider,
        audience: impl Into<String>,
        users: impl TokenUsers<U>,
    ) -> Result<Self, Error> {
        let audience = audience.into();
        if let Some(problem) = provider.problems("introspection").into_iter().next() {
            return Err(Error::Misconfigured(problem));
        }
        if !matches!(provider.kind, Kind::OpenId { .. }) || audience.is_empty() {
            return Err(Error::Misconfigured(
                "introspection takes a provider of OpenID Connect, and the audience that its tokens \
                 are for"
                    .into(),
            ));
        }
        let issuer = provider.issuer().to_owned();
        Ok(Self {
            provider,
            found: Cached::new(issuer.as_str().into(), Freshness::default()),
            issuer,
            endpoint: None,
            audience: Some(audience),
            prefix: "Bearer".into(),
            users: Arc::new(users),
            clock: Arc::new(SystemClock),
            http: Http::new()?,
            answers: Answers::default(),
            under_way: Semaphore::new(AT_ONCE),
        })
    }

    /// The endpoint, for a provider without a discovery document.
    ///
    /// # Errors
    ///
    /// - it is not protected by https: [`Error::Misconfigured`]
    pub fn endpoint(mut self, url: impl Into<String>) -> Result<Self, Error> {
        let url = url.into();
        if !is_protected(&url) {
            return Err(Error::Misconfigured(format!(
                "the introspection endpoint {url:?} is not protected by https"
            )));
        }
        self.endpoint = Some(url);
        Ok(self)
    }

    /// What stands in front of a token in `Authorization`. Default: `Bearer`. A type of user that has
    /// the scheme `bearer` too needs another one here.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Takes tokens for whatever audience, for providers that do not say it.
    ///
    /// # Security
    ///
    /// Every service that gets a token of the provider can then use it here.
    #[must_use]
    pub fn dangerous_any_audience(mut self) -> Self {
        self.audience = None;
        self
    }

    /// The clock. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What the provider says of a token: `None` if it does not hold.
    async fn token(&self, token: &str) -> Result<Option<Arc<IntrospectedToken>>, Error> {
        let (digest, now) = (sha256(token.as_bytes()), self.clock.now());
        if let Some(known) = self.answers.get(&digest, now) {
            return Ok(known);
        }
        let _permit = self.under_way.try_acquire().map_err(|_| Error::Overloaded {
            resource: "the provider of tokens",
            retry_after: Duration::from_secs(1),
        })?;
        let answer = self.ask(token, now).await?.map(Arc::new);
        let until = match answer.as_deref() {
            Some(IntrospectedToken { expires_at: Some(end), .. }) => (now + REMEMBERED).min(*end),
            Some(_) => now + REMEMBERED,
            None => now + REFUSED,
        };
        self.answers.insert(digest, answer.clone(), until, now);
        Ok(answer)
    }

    async fn ask(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<IntrospectedToken>, Error> {
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => (*self.found.get(now, self.discover()).await?).clone(),
        };
        let form = Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "access_token")
            .finish();
        // RFC 6749, 2.3.1: each part as in a form.
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let secret = self.provider.client_secret.expose_secret();
        let credentials = format!("{}:{}", encoded(&self.provider.client_id), encoded(secret));
        let request = Request::post(endpoint)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(credentials)))
            .body(form.into_bytes())
            .map_err(|error| fault(&self.issuer, error))?;
        let answer = self.http.send(request).await.map_err(|error| fault(&self.issuer, error))?;
        if answer.status() != StatusCode::OK {
            return Err(fault(&self.issuer, HttpError::Status(answer.status())));
        }
        let claims: Map<String, Value> = serde_json::from_slice(answer.body())
            .map_err(|_| fault(&self.issuer, "its answer about a token is not understood"))?;
        self.read(claims, now)
    }

    /// Reads an answer.
    fn read(
        &self,
        claims: Map<String, Value>,
        now: DateTime<Utc>,
    ) -> Result<Option<IntrospectedToken>, Error> {
        let refused = |reason: &'static str| {
            tracing::debug!(reason, "a token of a provider was refused");
            Ok(None)
        };
        match claims.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return refused("not active"),
            _ => return Err(fault(&self.issuer, "it does not say whether a token is active")),
        }
        let time = |name: &str| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_i64()
                .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
                .map(Some)
                .ok_or_else(|| fault(&self.issuer, format!("`{name}` of a token is no time"))),
        };
        let (expires_at, from) = (time("exp")?, time("nbf")?);
        if expires_at.is_some_and(|end| end <= now) || from.is_some_and(|from| from > now) {
            return refused("not in its time");
        }
        if claims.contains_key("cnf") {
            return refused("bound to a key of its client");
        }
        if text(&claims, "token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return refused("no bearer token");
        }
        if text(&claims, "iss").is_some_and(|issuer| issuer != self.issuer) {
            return refused("another issuer");
        }
        let Some(subject) = text(&claims, "sub") else { return refused("no subject") };
        let scopes = Scopes::parse(&text(&claims, "scope").unwrap_or_default());
        Ok(Some(IntrospectedToken {
            id: ExternalId { issuer: self.issuer.clone(), subject },
            client_id: text(&claims, "client_id"),
            scopes,
            expires_at,
            claims,
        }))
    }

    /// Whether a token is for us.
    fn is_for_us(&self, token: &IntrospectedToken) -> bool {
        let Some(audience) = self.audience.as_deref() else { return true };
        match token.claims.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(audience)),
            _ => false,
        }
    }

    /// Finds the endpoint.
    async fn discover(&self) -> Result<String, Error> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let body = self.http.get(&url).await.map_err(|error| fault(&self.issuer, error))?;
        let document: Document = serde_json::from_slice(&body)
            .map_err(|error| fault(&self.issuer, format!("its discovery document: {error}")))?;
        if document.issuer != self.issuer {
            return Err(fault(&self.issuer, "its discovery document is another issuer's"));
        }
        let endpoint = document.introspection_endpoint.filter(|endpoint| is_protected(endpoint));
        endpoint.ok_or_else(|| fault(&self.issuer, "it has no introspection endpoint on https"))
    }
}

impl<U: AuthUser> Scheme<U> for Introspection<U> {
    fn info(&self) -> SchemeInfo {
        SchemeInfo::authorization(self.prefix.clone())
            .described(format!("An access token of {}.", self.issuer))
            .refused_with(Rejection::InvalidToken)
    }

    async fn find(&self, head: &RequestHead<'_>) -> Result<Option<Proof<U>>, Failure> {
        let Some(token) = head.authorization(&self.prefix)? else { return Ok(None) };
        // RFC 6750, 2.1. What is none is not worth a question.
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(fits) {
            return Err(Rejection::InvalidToken.into());
        }
        let token = self.token(token).await?.ok_or(Rejection::InvalidToken)?;
        if !self.is_for_us(&token) {
            return Err(Rejection::WrongAudience.into());
        }
        let proof = self.users.user(&token).await?.ok_or(Rejection::InvalidToken)?;
        Ok(Some(proof.scopes(token.scopes.clone())))
    }
}

impl<U: AuthUser> fmt::Debug for Introspection<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("provider", &self.provider)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for IntrospectedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectedToken").field("id", &self.id).finish_non_exhaustive()
    }
}
