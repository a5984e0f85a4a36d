//! What the provider answers, by the rules unless it was told otherwise.

use std::collections::HashMap;

use auth_poem::prelude::Clock;
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{
    Endpoint, Request, Response,
    http::{StatusCode, header},
};
use serde_json::{Value, json};

use super::{
    AUDIENCE, CLIENT_ID, CLIENT_SECRET, Key, Person, Provider, Published, base64url, encoded, pairs,
};

impl Provider {
    fn document(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut document = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "end_session_endpoint": at("/logout?from=here"),
            "introspection_endpoint": at("/introspect"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "none", "HS256"],
        });
        if let Some(change) = &self.state().discovery {
            change(&mut document);
        }
        document
    }

    /// Exchanges a code.
    fn exchange(&self, form: &HashMap<String, String>) -> Result<Value, &'static str> {
        let code = form.get("code").ok_or("invalid_request")?;
        let grant = self.state().grants.remove(code).ok_or("invalid_grant")?;
        let verifier = form.get("code_verifier").ok_or("invalid_grant")?;
        let challenge = base64url(digest::digest(&digest::SHA256, verifier.as_bytes()));
        if challenge != grant.challenge || form.get("redirect_uri") != Some(&grant.redirect) {
            return Err("invalid_grant");
        }
        let access = self.access_token(&grant.person);
        let now = self.clock.now().timestamp();
        let hash = digest::digest(&digest::SHA256, access.as_bytes());
        let mut claims = json!({
            "iss": self.issuer, "sub": grant.person.sub, "aud": CLIENT_ID,
            "iat": now, "exp": now + 300, "at_hash": base64url(&hash.as_ref()[..16]),
            "email": grant.person.email, "email_verified": grant.person.email_verified,
            "name": "Some Body", "preferred_username": grant.person.sub,
        });
        if let Some(nonce) = grant.nonce {
            claims["nonce"] = nonce.into();
        }
        Ok(json!({
            "access_token": access, "token_type": "Bearer", "expires_in": 300,
            "refresh_token": "a refresh token of the provider", "id_token": self.token(claims),
        }))
    }

    /// Exchanges a code as GitHub does.
    fn github_exchange(&self, form: &HashMap<String, String>) -> Value {
        if form.get("client_secret").map(String::as_str) != Some(CLIENT_SECRET) {
            return json!({ "error": "incorrect_client_credentials" });
        }
        match self.exchange(form) {
            Ok(answer) => {
                json!({ "access_token": answer["access_token"], "token_type": "bearer", "scope": "" })
            }
            Err(_) => json!({ "error": "bad_verification_code" }),
        }
    }

    fn person(&self, request: &Request) -> Option<Person> {
        let token = request.header(header::AUTHORIZATION)?.strip_prefix("Bearer ")?;
        self.state().tokens.get(token).cloned()
    }

    fn introspect(&self, form: &HashMap<String, String>) -> Value {
        let person = form.get("token").and_then(|token| self.state().tokens.get(token).cloned());
        let mut answer = match person {
            Some(person) => json!({
                "active": true, "sub": person.sub, "iss": self.issuer, "client_id": "another client",
                "aud": AUDIENCE,
                "scope": "reports:read profile", "token_type": "Bearer",
                "exp": self.clock.now().timestamp() + 300,
            }),
            None => json!({ "active": false }),
        };
        if let Some(change) = &self.state().introspection {
            change(&mut answer);
        }
        answer
    }
}

/// Whether a request is this application's, by HTTP Basic with the parts encoded as in forms
/// (RFC 6749, 2.3.1).
fn is_ours(request: &Request) -> bool {
    let credentials = format!("{CLIENT_ID}:{}", encoded(CLIENT_SECRET).replace("%20", "+"));
    request.header(header::AUTHORIZATION)
        == Some(&format!("Basic {}", STANDARD.encode(credentials)))
}

/// The provider as a server.
pub(super) struct Serve(pub(super) Provider);

impl Endpoint for Serve {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let provider = &self.0;
        let path = request.uri().path().to_owned();
        provider.state().asked.push(path.clone());
        if provider.state().down.contains(&path) {
            return Ok(StatusCode::INTERNAL_SERVER_ERROR.into());
        }
        let form = request.take_body().into_string().await.unwrap_or_default();
        let answer = match path.as_str() {
            "/.well-known/openid-configuration" => provider.document(),
            "/jwks" => {
                let state = provider.state();
                match &state.jwks {
                    Published::Also(more) => {
                        let keys = state.published.iter().map(Key::jwk);
                        json!({ "keys": keys.chain(more.iter().cloned()).collect::<Vec<_>>() })
                    }
                    Published::Instead(other) => other.clone(),
                }
            }
            "/token" | "/introspect" if !is_ours(&request) => {
                return Ok(refuse("invalid_client", StatusCode::UNAUTHORIZED));
            }
            "/token" => match provider.exchange(&pairs(&form)) {
                Ok(answer) => answer,
                Err(error) => return Ok(refuse(error, StatusCode::BAD_REQUEST)),
            },
            "/introspect" => provider.introspect(&pairs(&form)),
            "/userinfo" => {
                let Some(person) = provider.person(&request) else {
                    return Ok(StatusCode::UNAUTHORIZED.into());
                };
                let mut claims = json!({
                    "sub": person.sub, "email": person.email,
                    "email_verified": person.email_verified, "nickname": "from userinfo",
                });
                if let Some(change) = &provider.state().userinfo {
                    change(&mut claims);
                }
                claims
            }
            "/login/oauth/access_token" => provider.github_exchange(&pairs(&form)),
            "/api/user" | "/api/user/emails" => {
                let Some(person) = provider.person(&request) else {
                    return Ok(StatusCode::UNAUTHORIZED.into());
                };
                if path == "/api/user" {
                    let id: u64 = person.sub.parse().unwrap();
                    json!({ "id": id, "login": "octocat", "name": null, "email": "shown@example.org" })
                } else {
                    json!([
                        { "email": "old@example.org", "primary": false, "verified": true },
                        {
                            "email": person.email, "primary": true,
                            "verified": person.email_verified,
                        },
                    ])
                }
            }
            _ => return Ok(StatusCode::NOT_FOUND.into()),
        };
        Ok(Response::builder().content_type("application/json").body(answer.to_string()))
    }
}

fn refuse(error: &str, status: StatusCode) -> Response {
    let body = json!({ "error": error }).to_string();
    Response::builder().status(status).content_type("application/json").body(body)
}
