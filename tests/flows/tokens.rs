//! JWT access tokens.

use auth_poem::prelude::*;
use auth_tests::{World, world::JWT_SECRET};
use poem::http::HeaderValue;

#[tokio::test]
async fn a_token_is_as_good_as_a_session() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let client = world.browser();
    for path in ["/me", "/maybe"] {
        let answer = client.get(path).bearer(&token).await.is(200);
        assert_eq!(answer.body, "ann");
        assert_eq!(answer.set_cookie(), None);
    }
    assert_eq!(client.cookie(), None);
}

#[tokio::test]
async fn a_login_for_a_token_starts_no_session() {
    let world = World::new().await;
    let _ = world.token("ann").await;
    assert_eq!(world.sessions.calls().total(), 0);
    assert!(world.user("ann").last_login.is_some(), "and is a login all the same");
}

#[tokio::test]
async fn the_name_of_the_scheme_is_compared_without_case_and_others_are_absent() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let cases = [
        ("Bearer", 200, "ann"),
        ("bearer", 200, "ann"),
        ("BEARER", 200, "ann"),
        ("Token", 200, "nobody"),
        ("Basic", 200, "nobody"),
        ("Bearers", 200, "nobody"),
    ];
    for (scheme, status, who) in cases {
        let header = format!("{scheme} {token}");
        let answer = world.browser().get("/maybe").header("authorization", &header).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, who), "{scheme}");
        let answer = world.browser().get("/me").header("authorization", &header).await;
        assert_eq!(answer.status == 200, who == "ann", "{scheme}");
    }
}

#[tokio::test]
async fn the_scheme_has_the_configured_name() {
    let world = World::with(|config| config.token_prefix("Token")).await;
    let token = world.token("ann").await;
    let answer = world.browser().get("/me").header("authorization", format!("token {token}")).await;
    assert_eq!(answer.is(200).body, "ann");
    let answer = world.browser().get("/me").bearer(&token).await;
    assert_eq!(answer.outcome(), (401, "unsupported_scheme".into()));
    assert_eq!(answer.all("www-authenticate"), ["Token realm=\"auth\""]);
}

#[tokio::test]
async fn a_token_lives_ten_minutes_and_the_leeway_of_clocks() {
    let world = World::new().await;
    let token = world.token("ann").await;
    world.wait(Duration::minutes(10));
    let _ = world.browser().get("/me").bearer(&token).await.is(200);
    world.wait(Duration::seconds(31));
    for path in ["/me", "/maybe"] {
        let answer = world.browser().get(path).bearer(&token).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{path}");
    }
}

#[tokio::test]
async fn a_token_from_the_future_is_not_valid_yet() {
    let world = World::new().await;
    world.wait(Duration::minutes(5));
    let token = world.token("ann").await;
    world.wait(-Duration::minutes(5));
    let answer = world.browser().get("/me").bearer(&token).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn a_token_for_another_audience_is_authentic_and_forbidden() {
    let world = World::new().await;
    let elsewhere = World::with(|config| config.audience("https://elsewhere.example")).await;
    let token = elsewhere.token("ann").await;
    let _ = elsewhere.browser().get("/me").bearer(&token).await.is(200);
    for path in ["/me", "/maybe", "/admin/me"] {
        let answer = world.browser().get(path).bearer(&token).await;
        assert_eq!(answer.outcome(), (403, "wrong_audience".into()), "{path}");
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_is_invalid_although_the_key_is_the_same() {
    let world = World::new().await;
    let elsewhere = World::with(|config| config.issuer("other").audience("auth")).await;
    let token = elsewhere.token("ann").await;
    let answer = world.browser().get("/me").bearer(&token).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn a_token_of_another_key_is_invalid() {
    let world = World::new().await;
    let mut other = JWT_SECRET.to_vec();
    other.reverse();
    let elsewhere = World::with(|config| config.jwt(JwtKeys::hs256(&other).unwrap())).await;
    let token = elsewhere.token("ann").await;
    let answer = world.browser().get("/me").bearer(&token).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn a_refusal_names_the_schemes_that_would_do() {
    let world = World::new().await;
    let challenge = |answer: &auth_tests::Answer| {
        answer.headers.get("www-authenticate").map(HeaderValue::to_owned)
    };
    let missing = world.browser().get("/me").await;
    assert_eq!(challenge(&missing).unwrap(), "Bearer realm=\"auth\"");
    let invalid = world.browser().get("/me").bearer("x.y.z").await;
    assert_eq!(challenge(&invalid).unwrap(), "Bearer realm=\"auth\", error=\"invalid_token\"");
    let malformed = world.browser().get("/me").header("authorization", "").await;
    assert_eq!(malformed.code(), "malformed_credentials");
    assert_eq!(challenge(&malformed).unwrap(), "Bearer realm=\"auth\", error=\"invalid_request\"");
    let ann = world.logged_in("ann").await;
    assert_eq!(challenge(&ann.get("/guard/role").await), None, "a 403 challenges nobody");
}
