//! OpenID Connect: discovery, authorization code with PKCE, the ID token.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, IssuerUrl, JsonWebKeySetUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
        CoreClientAuthMethod, CoreErrorResponseType, CoreGrantType, CoreIdToken, CoreIdTokenClaims,
        CoreIdTokenVerifier, CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType, CoreTokenResponse,
    },
    url::Url,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    cached::{Cached, Freshness, Renewed},
    client::{Registration, Secrets, refused, text},
    external::{ExternalUser, ProviderTokens},
    http::{HttpError, causes, fault, is_protected},
};
use crate::{
    error::{BoxError, Error, Failure},
    identities::ExternalId,
    rejection::Rejection,
};

/// How an ID token may be signed: by a key pair of the provider, whose public keys it publishes.
/// Never with a shared secret, and never not at all.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 6] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The clocks of two servers.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// A provider that speaks OpenID Connect.
#[derive(Debug)]
pub(super) struct OpenId {
    issuer: String,
    registration: Registration,
    metadata: Cached<Metadata>,
    keys: Cached<CoreJsonWebKeySet>,
}

/// What a provider's discovery document says.
type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the discovery document says beyond OpenID Connect Discovery.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct More {
    end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

impl OpenId {
    pub(super) fn new(issuer: String, registration: Registration) -> Self {
        let (name, freshness) = (&registration.name, Freshness::default());
        let metadata = Cached::new(name.clone(), freshness);
        let keys = Cached::new(name.clone(), freshness);
        Self { issuer, registration, metadata, keys }
    }

    pub(super) async fn authorize_url(
        &self,
        secrets: &Secrets,
        now: DateTime<Utc>,
    ) -> Result<String, Error> {
        let metadata = self.metadata(now).await?;
        let provider = &self.registration.provider;
        let client =
            CoreClient::from_provider_metadata((*metadata).clone(), self.client_id(), None)
                .set_redirect_uri(self.redirect()?);
        let verifier = PkceCodeVerifier::new(secrets.verifier.clone());
        let (state, nonce) = (secrets.state.clone(), secrets.nonce.clone());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(provider.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for (name, value) in &provider.parameters {
            request = request.add_extra_param(name.as_str(), value.as_str());
        }
        Ok(request.url().0.into())
    }

    pub(super) async fn names_itself(&self, now: DateTime<Utc>) -> Result<bool, Error> {
        let metadata = self.metadata(now).await?;
        Ok(metadata.additional_metadata().authorization_response_iss_parameter_supported)
    }

    pub(super) async fn end_session_url(
        &self,
        return_to: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, Error> {
        let metadata = self.metadata(now).await?;
        let Some(endpoint) = &metadata.additional_metadata().end_session_endpoint else {
            return Ok(None);
        };
        let mut url = Url::parse(endpoint).map_err(|error| self.fault(error))?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.registration.provider.client_id)
            .append_pair("post_logout_redirect_uri", return_to);
        Ok(Some(url.into()))
    }

    pub(super) async fn identify(
        &self,
        code: &str,
        secrets: &Secrets,
        now: DateTime<Utc>,
    ) -> Result<ExternalUser, Failure> {
        let answer = self.exchange(code, secrets, now).await?;
        let id_token =
            answer.id_token().ok_or_else(|| self.refused("there is no ID token in the answer"))?;
        let mut keys = self.keys(now).await?;
        let mut verified = self.verify(id_token, &keys, secrets, now);
        if let Err(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        )) = &verified
        {
            // The provider may have a new key. Which URL to ask, it has said before.
            if let Renewed::Newer(newer) = self.newer_keys(keys.clone(), now).await? {
                keys = newer;
                verified = self.verify(id_token, &keys, secrets, now);
            }
        }
        let verified = verified.map_err(|error| self.refused(causes(&error)))?;
        self.check_access_token(id_token, verified, &answer, &keys)?;
        let subject = verified.subject().as_str();
        if subject.is_empty() || subject.len() > 255 {
            return Err(self.refused("the subject is empty or too long").into());
        }
        let mut claims = payload(id_token).ok_or_else(|| self.refused("no claims"))?;
        if !claims.contains_key("email") {
            for (name, value) in self.userinfo(&answer, subject, now).await? {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(self.user(subject, claims, &answer, now))
    }

    /// Exchanges the code for tokens.
    async fn exchange(
        &self,
        code: &str,
        secrets: &Secrets,
        now: DateTime<Utc>,
    ) -> Result<CoreTokenResponse, Failure> {
        let metadata = self.metadata(now).await?;
        let secret =
            ClientSecret::new(self.registration.provider.client_secret.expose_secret().into());
        let mut client =
            CoreClient::from_provider_metadata((*metadata).clone(), self.client_id(), Some(secret))
                .set_redirect_uri(self.redirect()?);
        if let Some(methods) = metadata.token_endpoint_auth_methods_supported()
            && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
            && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        let exchange = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| self.fault("it has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(secrets.verifier.clone()))
            .request_async(&self.registration.http)
            .await;
        exchange.map_err(|error| self.not_exchanged(error))
    }

    fn not_exchanged(
        &self,
        error: RequestTokenError<
            HttpError,
            openidconnect::StandardErrorResponse<CoreErrorResponseType>,
        >,
    ) -> Failure {
        match error {
            RequestTokenError::ServerResponse(answer) => match answer.error() {
                // The code was used, has expired, or belongs to another login.
                CoreErrorResponseType::InvalidGrant => {
                    self.refused("the code is not, or no longer, valid").into()
                }
                error => self.fault(format!("it refuses to exchange a code: {error}")).into(),
            },
            RequestTokenError::Request(error) => self.fault(error).into(),
            // The text of the mistake may quote what was not understood.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                self.refused("the answer to a code is not understood").into()
            }
        }
    }

    /// Checks signature, issuer, audience, expiry and nonce.
    fn verify<'t>(
        &self,
        token: &'t CoreIdToken,
        keys: &CoreJsonWebKeySet,
        secrets: &Secrets,
        now: DateTime<Utc>,
    ) -> Result<&'t CoreIdTokenClaims, ClaimsVerificationError> {
        let issuer = IssuerUrl::new(self.issuer.clone())
            .map_err(|error| ClaimsVerificationError::Other(error.to_string()))?;
        let verifier =
            CoreIdTokenVerifier::new_public_client(self.client_id(), issuer, keys.clone())
                .set_allowed_algs(ALGORITHMS)
                .set_time_fn(move || now - LEEWAY)
                .set_issue_time_verifier_fn(move |issued| {
                    if issued > now + LEEWAY { Err("issued in the future".into()) } else { Ok(()) }
                });
        let claims = token.claims(&verifier, &Nonce::new(secrets.nonce.clone()))?;
        // OpenID Connect Core 3.1.3.7, 4 and 5. That no other audience stands beside this one, the
        // verifier has checked.
        match claims.authorized_party() {
            Some(party) if *party != self.client_id() => {
                Err(ClaimsVerificationError::InvalidAudience("it is for another party".into()))
            }
            _ => Ok(claims),
        }
    }

    /// Checks that the access token is the one that the ID token was issued with.
    fn check_access_token(
        &self,
        token: &CoreIdToken,
        claims: &CoreIdTokenClaims,
        answer: &CoreTokenResponse,
        keys: &CoreJsonWebKeySet,
    ) -> Result<(), Failure> {
        let Some(expected) = claims.access_token_hash() else { return Ok(()) };
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| self.fault(error))?;
        let verifier =
            CoreIdTokenVerifier::new_public_client(self.client_id(), issuer, keys.clone());
        let hash = token
            .signing_alg()
            .and_then(|algorithm| Ok((algorithm, token.signing_key(&verifier)?)))
            .map_err(|error| self.refused(causes(&error)))
            .and_then(|(algorithm, key)| {
                AccessTokenHash::from_token(answer.access_token(), algorithm, key)
                    .map_err(|error| self.refused(causes(&error)))
            })?;
        if hash != *expected {
            return Err(self.refused("the access token is another one than the ID token's").into());
        }
        Ok(())
    }

    /// What the userinfo endpoint says, if there is one: with a code, providers may keep addresses
    /// and names out of the ID token (OpenID Connect Core 5.4).
    async fn userinfo(
        &self,
        answer: &CoreTokenResponse,
        subject: &str,
        now: DateTime<Utc>,
    ) -> Result<Map<String, Value>, Failure> {
        let metadata = self.metadata(now).await?;
        let Some(endpoint) = metadata.userinfo_endpoint() else { return Ok(Map::new()) };
        let token = answer.access_token().secret();
        let request = http::Request::get(endpoint.as_str())
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Vec::new());
        let request = request.map_err(|_| self.refused("the access token fits into no header"))?;
        let answer = self.registration.http.send(request).await.map_err(|e| self.fault(e))?;
        if answer.status() != http::StatusCode::OK {
            return Err(self.fault(HttpError::Status(answer.status())).into());
        }
        let claims: Map<String, Value> = serde_json::from_slice(answer.body())
            .map_err(|_| self.refused("the userinfo is not understood"))?;
        // OpenID Connect Core 5.3.2: without this check, tokens can be swapped.
        if text(&claims, "sub").as_deref() != Some(subject) {
            return Err(self.refused("the userinfo is somebody else's").into());
        }
        Ok(claims)
    }

    fn user(
        &self,
        subject: &str,
        claims: Map<String, Value>,
        answer: &CoreTokenResponse,
        now: DateTime<Utc>,
    ) -> ExternalUser {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let expires_at = answer
            .expires_in()
            .and_then(|lifetime| TimeDelta::from_std(lifetime).ok())
            .and_then(|lifetime| now.checked_add_signed(lifetime));
        ExternalUser {
            provider: self.registration.name.to_string(),
            id: ExternalId { issuer: self.issuer.clone(), subject: subject.to_owned() },
            email: text(&claims, "email"),
            // Some providers write it as text.
            email_verified: claims
                .get("email_verified")
                .is_some_and(|verified| *verified == Value::Bool(true) || *verified == "true"),
            username: text(&claims, "preferred_username"),
            name: text(&claims, "name"),
            picture: text(&claims, "picture"),
            claims,
            tokens: ProviderTokens {
                access: secret(answer.access_token().secret()),
                refresh: answer.refresh_token().map(|token| secret(token.secret())),
                expires_at,
                id_token: answer.id_token().map(|token| secret(&token.to_string())),
            },
        }
    }

    async fn metadata(&self, now: DateTime<Utc>) -> Result<Arc<Metadata>, Error> {
        self.metadata.get(now, self.discover()).await
    }

    /// Reads the discovery document.
    async fn discover(&self) -> Result<Metadata, Error> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let body = self.registration.http.get(&url).await.map_err(|error| self.fault(error))?;
        let metadata: Metadata = serde_json::from_slice(&body)
            .map_err(|error| self.fault(format!("its discovery document: {error}")))?;
        // OpenID Connect Discovery 4.3.
        if metadata.issuer().as_str() != self.issuer {
            return Err(self.fault(format!(
                "its discovery document is that of {:?}",
                metadata.issuer().as_str()
            )));
        }
        let endpoints = [
            Some(metadata.authorization_endpoint().as_str()),
            metadata.token_endpoint().map(|url| url.as_str()),
            metadata.userinfo_endpoint().map(|url| url.as_str()),
            Some(metadata.jwks_uri().as_str()),
            metadata.additional_metadata().end_session_endpoint.as_deref(),
        ];
        for endpoint in endpoints.into_iter().flatten() {
            if !is_protected(endpoint) {
                return Err(self.fault(format!("{endpoint:?} is not protected by https")));
            }
        }
        Ok(metadata)
    }

    async fn keys(&self, now: DateTime<Utc>) -> Result<Arc<CoreJsonWebKeySet>, Error> {
        let metadata = self.metadata(now).await?;
        self.keys.get(now, self.fetch_keys(metadata.jwks_uri())).await
    }

    async fn newer_keys(
        &self,
        seen: Arc<CoreJsonWebKeySet>,
        now: DateTime<Utc>,
    ) -> Result<Renewed<CoreJsonWebKeySet>, Error> {
        let metadata = self.metadata(now).await?;
        self.keys.newer_than(seen, now, self.fetch_keys(metadata.jwks_uri())).await
    }

    async fn fetch_keys(&self, url: &JsonWebKeySetUrl) -> Result<CoreJsonWebKeySet, Error> {
        let body = self.registration.http.get(url.as_str()).await.map_err(|e| self.fault(e))?;
        serde_json::from_slice(&body).map_err(|error| self.fault(format!("its keys: {error}")))
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.registration.provider.client_id.clone())
    }

    fn redirect(&self) -> Result<RedirectUrl, Error> {
        RedirectUrl::new(self.registration.redirect.clone()).map_err(|error| self.fault(error))
    }

    fn fault(&self, source: impl Into<BoxError>) -> Error {
        fault(&self.registration.name, source)
    }

    fn refused(&self, reason: impl Into<Cow<'static, str>>) -> Rejection {
        refused(&self.registration.name, reason)
    }
}

/// The claims of a token that was verified, as they came.
fn payload(token: &CoreIdToken) -> Option<Map<String, Value>> {
    let text = token.to_string();
    let claims = text.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}
