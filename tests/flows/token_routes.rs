//! The ready-made token endpoint, its revocation, and the public keys.

use std::panic::AssertUnwindSafe;

use auth_poem::{jwt::JwtAlgorithm, prelude::*};
use auth_tests::{Answer, vault::Vault, world::password_of};
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

async fn post(vault: &Vault, path: &str, form: &str) -> Answer {
    vault.browser().post(path).body(FORM, form.to_owned()).await
}

async fn token(vault: &Vault, form: &str) -> Answer {
    post(vault, "/oauth/token", form).await
}

fn login(name: &str) -> String {
    let password = password_of(name).replace(' ', "+");
    format!("grant_type=password&username={name}&password={password}")
}

/// The answer of RFC 6749, 5.2.
fn refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 400, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], error);
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["error", "error_description"]);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/json"));
}

#[tokio::test]
async fn issues_tokens_for_name_and_password() {
    let vault = Vault::new().await;
    let answer = token(&vault, &login("ann")).await.is(200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["pragma"], "no-cache");
    assert_eq!(answer.set_cookie(), None);
    let body = answer.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "token_type"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
    let access = body["access_token"].as_str().unwrap();
    assert_eq!(vault.me(access).await, (200, "ann".into()));
}

#[tokio::test]
async fn exchanges_refresh_tokens() {
    let vault = Vault::new().await;
    let text = |answer: &Answer, name: &str| answer.json()[name].as_str().unwrap().to_owned();
    let refresh = |token: &str| format!("grant_type=refresh_token&refresh_token={token}");
    let first = token(&vault, &login("ann")).await.is(200);
    let first = text(&first, "refresh_token");
    let answer = token(&vault, &refresh(&first)).await.is(200);
    let (access, second) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    assert_eq!(vault.me(&access).await, (200, "ann".into()));
    let again = token(&vault, &refresh(&first)).await;
    refused(&again, "invalid_grant");
    assert_eq!(again.headers["retry-after"], "1", "its successor holds");
    vault.wait(Duration::seconds(10));
    let reused = token(&vault, &refresh(&first)).await;
    refused(&reused, "invalid_grant");
    assert!(!reused.headers.contains_key("retry-after"));
    refused(&token(&vault, &refresh(&second)).await, "invalid_grant");
}

#[tokio::test]
async fn refuses_as_the_rfc_says() {
    let vault = Vault::new().await;
    let wrong = "grant_type=password&username=ann&password=wrong";
    let unknown = "grant_type=password&username=nobody&password=wrong";
    let (wrong, unknown) = (token(&vault, wrong).await, token(&vault, unknown).await);
    refused(&wrong, "invalid_grant");
    refused(&unknown, "invalid_grant");
    assert_eq!(wrong.body, unknown.body);
    for (form, error) in [
        ("", "invalid_request"),
        ("grant_type=", "invalid_request"),
        ("grant_type=password", "invalid_request"),
        ("grant_type=password&username=ann", "invalid_request"),
        ("grant_type=password&username=&password=x", "invalid_request"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=x", "invalid_grant"),
        ("grant_type=client_credentials", "unsupported_grant_type"),
        ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
        ("grant_type=Password&username=ann&password=x", "unsupported_grant_type"),
        ("grant_type=password&grant_type=password&username=ann&password=x", "invalid_request"),
        ("grant_type=password&username=ann&username=bob&password=x", "invalid_request"),
    ] {
        refused(&token(&vault, form).await, error);
    }
    // Parameters stand in the body and nowhere else.
    let answer = vault.browser().post(format!("/oauth/token?{}", login("ann"))).await;
    refused(&answer, "invalid_request");
    let json = json!({ "grant_type": "password", "username": "ann", "password": "x" });
    refused(&vault.browser().post("/oauth/token").json(json).await, "invalid_request");
    assert_eq!(vault.browser().get(format!("/oauth/token?{}", login("ann"))).await.status, 405);
}

#[tokio::test]
async fn without_a_store_there_is_no_refresh_grant() {
    let world = auth_tests::World::new().await;
    let api = world.auth.openapi(world.auth.token_routes::<auth_tests::User>(), "Tokens", "1.0");
    let client = auth_tests::World::serve(api);
    let answer = client.post("/oauth/token").body(FORM, login("ann")).await.is(200);
    assert!(answer.json().get("refresh_token").is_none(), "{}", answer.body);
    let form = "grant_type=refresh_token&refresh_token=x";
    refused(&client.post("/oauth/token").body(FORM, form).await, "unsupported_grant_type");
    // Nor is there a list on which an access token could stand.
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    let form = format!("token={access}");
    refused(&client.post("/oauth/revoke").body(FORM, form).await, "unsupported_token_type");
}

#[tokio::test]
async fn slows_guessing_down_as_every_login_does() {
    let vault = Vault::new().await;
    let wrong = "grant_type=password&username=ann&password=wrong";
    for _ in 0..5 {
        refused(&token(&vault, wrong).await, "invalid_grant");
    }
    let answer = token(&vault, &login("ann")).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.json()["error"], "slow_down");
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn revokes_as_the_rfc_says() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    let other = vault.login("ann").await;
    let revoke = async |form: String| post(&vault, "/oauth/revoke", &form).await;
    for form in ["", "token=", "token_type_hint=refresh_token"] {
        refused(&revoke(form.into()).await, "invalid_request");
    }
    let answer = revoke(format!("token={}&token_type_hint=access_token", tokens.refresh)).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "a wrong hint does no harm");
    let form = format!("grant_type=refresh_token&refresh_token={}", tokens.refresh);
    refused(&token(&vault, &form).await, "invalid_grant");
    let _ = revoke(format!("token={}", other.access)).await.is(200);
    assert_eq!(vault.me(&other.access).await.0, 401);
    for nothing in ["x", "a.b.c", &other.access, &tokens.refresh] {
        let _ = revoke(format!("token={nothing}")).await.is(200);
    }
}

#[tokio::test]
async fn a_fault_is_503() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    vault.tokens.fail(true);
    assert_eq!(token(&vault, &login("ann")).await.status, 503);
    let form = format!("grant_type=refresh_token&refresh_token={}", tokens.refresh);
    assert_eq!(token(&vault, &form).await.status, 503);
    let form = format!("token={}", tokens.refresh);
    assert_eq!(post(&vault, "/oauth/revoke", &form).await.status, 503);
    vault.tokens.fail(false);
    let _ = vault.refreshed(&tokens.refresh).await;
}

#[tokio::test]
async fn the_document_has_the_operations_and_the_password_flow() {
    let vault = Vault::with(|config| config.document_password_flow("/oauth/token")).await;
    let bearer = &vault.document["components"]["securitySchemes"]["bearer"];
    assert_eq!(bearer["type"], "oauth2");
    let flow = &bearer["flows"]["password"];
    assert_eq!(flow["tokenUrl"], "/oauth/token");
    assert!(flow["scopes"].is_object(), "OpenAPI wants them");
    let me = &vault.document["paths"]["/me"]["get"]["security"];
    assert!(me.as_array().unwrap().contains(&json!({ "bearer": [] })), "{me}");
    for path in ["/oauth/token", "/oauth/revoke"] {
        let operation = &vault.document["paths"][path]["post"];
        assert!(operation["requestBody"]["content"][FORM].is_object(), "{operation}");
        let documented: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
        let expected: &[&str] = match path {
            "/oauth/token" => &["200", "400", "429", "503"],
            _ => &["200", "400", "503"],
        };
        assert_eq!(documented, expected, "{path}");
        assert!(operation.get("security").is_none_or(|s| s == &json!([])), "{operation}");
    }
    let plain = Vault::new().await;
    assert_eq!(plain.document["components"]["securitySchemes"]["bearer"]["type"], "http");
}

#[test]
fn what_does_not_fit_is_found_when_the_application_starts() {
    let keys = || JwtKeys::hs256(auth_tests::world::JWT_SECRET).unwrap();
    let problem = |config: AuthConfig| config.build().unwrap_err().to_string();
    let flow = AuthConfig::new().jwt(keys()).token_prefix("Token").document_password_flow("/t");
    assert!(problem(flow).contains("leave AuthConfig::token_prefix out"));
    let refresh = AuthConfig::new().refresh_tokens(MemoryTokens::new());
    assert!(problem(refresh).contains("AuthConfig::refresh_tokens was called"));
    let denied = AuthConfig::new().deny_list(MemoryDenyList::new());
    assert!(problem(denied).contains("AuthConfig::deny_list was called"));
    for (config, expected) in [
        (AuthConfig::new().refresh_grace(Duration::seconds(61)), "0 to 60 seconds"),
        (AuthConfig::new().refresh_grace(Duration::seconds(-1)), "0 to 60 seconds"),
        (
            AuthConfig::new().refresh_lifetime(Duration::days(2), Duration::days(1)),
            "not below the idle one",
        ),
        (
            AuthConfig::new().refresh_lifetime(Duration::days(1), Duration::days(401)),
            "400 days at most",
        ),
    ] {
        let text = problem(config.jwt(keys()));
        assert!(text.contains(expected), "{text}");
    }
    let auth = AuthConfig::new().build().unwrap();
    assert!(std::panic::catch_unwind(AssertUnwindSafe(|| auth.jwks())).is_err());
    assert!(
        std::panic::catch_unwind(AssertUnwindSafe(|| auth.token_routes::<auth_tests::User>()))
            .is_err()
    );
}

#[tokio::test]
async fn publishes_the_public_keys() {
    let keys = JwtKeys::generate(JwtAlgorithm::EdDsa).unwrap();
    let keys = keys.with_previous(JwtKeys::generate(JwtAlgorithm::Es256).unwrap()).unwrap();
    let expected: Value = serde_json::from_str(&keys.public_jwks().unwrap()).unwrap();
    let vault = Vault::with(|config| config.jwt(keys)).await;
    let client = vault.browser();
    let answer = client.get("/.well-known/jwks.json").await.is(200);
    assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    assert_eq!(answer.json(), expected);
    for key in answer.json()["keys"].as_array().unwrap() {
        assert!(key["kid"].is_string() && key.get("d").is_none() && key.get("k").is_none());
    }
    let tag = answer.headers["etag"].to_str().unwrap().to_owned();
    let known = client.get("/.well-known/jwks.json").header("if-none-match", &tag).await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    let other = client.get("/.well-known/jwks.json").header("if-none-match", "\"x\"").await;
    assert_eq!(other.status, 200);
    assert_eq!(client.post("/.well-known/jwks.json").await.status, 405);
    // A verifier that has only this document takes the tokens.
    let verifier = JwtKeys::verify_only_jwks(&answer.body).unwrap();
    let jwt = auth_poem::jwt::JwtConfig::new(verifier, "auth", "auth").build().unwrap();
    let tokens = vault.login("ann").await;
    let verified = jwt.verify(&tokens.access, vault.clock.now());
    assert!(matches!(verified, auth_poem::jwt::Verified::Valid(_)));
    // A shared secret is not published.
    let shared = Vault::new().await.browser().get("/.well-known/jwks.json").await.is(200);
    assert_eq!(shared.json(), json!({ "keys": [] }));
}
