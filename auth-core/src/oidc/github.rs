//! GitHub: OAuth 2.0 without an ID token. Who somebody is, its API says.

use chrono::{DateTime, TimeDelta, Utc};
use http::{
    Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use openidconnect::{
    PkceCodeChallenge, PkceCodeVerifier,
    url::{Url, form_urlencoded},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    client::{Registration, Secrets, refused, text},
    external::{ExternalUser, ProviderTokens},
    http::{HttpError, fault},
};
use crate::{
    error::{BoxError, Error, Failure},
    identities::ExternalId,
    rejection::Rejection,
};

/// A provider that speaks GitHub's OAuth 2.0.
#[derive(Debug)]
pub(super) struct GitHub {
    web: String,
    api: String,
    registration: Registration,
}

/// The answer to a code. A refusal has status 200 as well.
#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<i64>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

impl GitHub {
    pub(super) fn new(web: String, api: String, registration: Registration) -> Self {
        Self { web, api, registration }
    }

    pub(super) fn authorize_url(&self, secrets: &Secrets) -> Result<String, Error> {
        let provider = &self.registration.provider;
        let verifier = PkceCodeVerifier::new(secrets.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let mut url = Url::parse(&format!("{}/login/oauth/authorize", self.web))
            .map_err(|error| self.fault(error))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &provider.client_id)
            .append_pair("redirect_uri", &self.registration.redirect)
            .append_pair("scope", &provider.scopes.join(" "))
            .append_pair("state", &secrets.state)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", challenge.method().as_str())
            .extend_pairs(&provider.parameters);
        Ok(url.into())
    }

    pub(super) async fn identify(
        &self,
        code: &str,
        secrets: &Secrets,
        now: DateTime<Utc>,
    ) -> Result<ExternalUser, Failure> {
        let tokens = self.exchange(code, secrets, now).await?;
        let user: Map<String, Value> = self
            .ask("/user", &tokens)
            .await?
            .ok_or_else(|| self.refused("the user is not told"))?;
        let id = user.get("id").and_then(Value::as_u64).filter(|id| *id > 0);
        let id = id.ok_or_else(|| self.refused("the user has no numeric id"))?;
        // Without the scope there is no list. `email` of the user is what he shows, verified or not.
        let emails: Vec<Email> = self.ask("/user/emails", &tokens).await?.unwrap_or_default();
        let primary = emails.into_iter().find(|email| email.primary);
        Ok(ExternalUser {
            provider: self.registration.name.to_string(),
            id: ExternalId { issuer: self.web.clone(), subject: id.to_string() },
            email_verified: primary.as_ref().is_some_and(|email| email.verified),
            email: primary.map(|email| email.email),
            username: text(&user, "login"),
            name: text(&user, "name"),
            picture: text(&user, "avatar_url"),
            claims: user,
            tokens,
        })
    }

    async fn exchange(
        &self,
        code: &str,
        secrets: &Secrets,
        now: DateTime<Utc>,
    ) -> Result<ProviderTokens, Failure> {
        let provider = &self.registration.provider;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &provider.client_id)
            .append_pair("client_secret", provider.client_secret.expose_secret())
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.registration.redirect)
            .append_pair("code_verifier", &secrets.verifier)
            .finish();
        let request = Request::post(format!("{}/login/oauth/access_token", self.web))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into_bytes())
            .map_err(|error| self.fault(error))?;
        let answer = self.registration.http.send(request).await.map_err(|e| self.fault(e))?;
        let answer: Answer = serde_json::from_slice(answer.body())
            .map_err(|_| self.refused("the answer to a code is not understood"))?;
        match (answer.error.as_deref(), answer.access_token) {
            (None, Some(access)) => Ok(ProviderTokens {
                access: access.into(),
                refresh: answer.refresh_token.map(SecretString::from),
                expires_at: answer
                    .expires_in
                    .and_then(TimeDelta::try_seconds)
                    .and_then(|lifetime| now.checked_add_signed(lifetime)),
                id_token: None,
            }),
            (Some("bad_verification_code"), _) | (None, None) => {
                Err(self.refused("the code is not, or no longer, valid").into())
            }
            (Some(error), _) => {
                Err(self.fault(format!("it refuses to exchange a code: {error:?}")).into())
            }
        }
    }

    /// What the API says, `None` if this token may not know.
    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        tokens: &ProviderTokens,
    ) -> Result<Option<T>, Failure> {
        let token = tokens.access.expose_secret();
        let request = Request::get(format!("{}{path}", self.api))
            .header(ACCEPT, "application/vnd.github+json")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Vec::new())
            .map_err(|_| self.refused("the access token fits into no header"))?;
        let answer = self.registration.http.send(request).await.map_err(|e| self.fault(e))?;
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(answer.body())
                .map(Some)
                .map_err(|_| self.refused("an answer of the API is not understood").into()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(None),
            other => Err(self.fault(HttpError::Status(other)).into()),
        }
    }

    fn fault(&self, source: impl Into<BoxError>) -> Error {
        fault(&self.registration.name, source)
    }

    fn refused(&self, reason: &'static str) -> Rejection {
        refused(&self.registration.name, reason)
    }
}
