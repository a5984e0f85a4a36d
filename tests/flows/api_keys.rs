//! API keys: made, shown once, used, listed, rotated, revoked.

use auth_poem::{api_keys::ApiKeys, prelude::*};
use auth_tests::{Depot, Duty};
use serde_json::{Value, json};

#[tokio::test]
async fn a_key_does_in_its_header_and_as_a_bearer_token() {
    for wait in [false, true] {
        let depot = Depot::new().await;
        if wait {
            depot.stores_wait();
        }
        let (key, _) = depot.api_key("ann", None).await;
        for path in ["/me", "/maybe"] {
            let answer = depot.browser().get(path).header("x-api-key", &key).await;
            assert_eq!(answer.is(200).body, "ann", "{path}");
            assert_eq!(depot.browser().get(path).bearer(&key).await.is(200).body, "ann", "{path}");
        }
        let both = depot.browser().get("/me").bearer(&key).header("x-api-key", &key).await;
        assert_eq!(both.is(200).body, "ann");
        let known = depot.browser().get("/identity").bearer(&key).await.is(200).json();
        assert_eq!(known, json!({ "name": "ann", "scheme": "api_key", "scopes": null }));
        // A token stays one beside keys.
        let token = depot.token("ann").await;
        assert_eq!(depot.browser().get("/me").bearer(&token).await.is(200).body, "ann");
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_listed_without_its_secret() {
    let depot = Depot::new().await;
    let ann = depot.logged_in("ann").await;
    let wanted = json!({ "name": "deploy", "scopes": ["reports:read"], "expires_in": 3600 });
    let made = ann.post("/keys").json(wanted).await.is(200).json();
    let key = made["key"].as_str().unwrap();
    let listed = ann.get("/keys").await.is(200);
    assert!(!listed.body.contains(&key[30..]), "{}", listed.body);
    let list = listed.json();
    let mut expected = made.clone();
    expected["key"] = Value::Null;
    assert_eq!(list, json!([expected]));
    assert_eq!(list[0]["name"], "deploy");
    assert_eq!(list[0]["scopes"], json!(["reports:read"]));
    assert!(list[0]["expires_at"].is_string() && list[0]["last_used_at"].is_null());
    assert_eq!(depot.logged_in("eve").await.get("/keys").await.is(200).json(), json!([]));
}

#[tokio::test]
async fn a_key_has_the_form_that_scanners_look_for() {
    let keys = auth_tests::FailingApiKeys::default();
    let depot = Depot::with(|config| config.api_keys(ApiKeys::new(keys).prefix("depot"))).await;
    let (key, id) = depot.api_key("ann", None).await;
    let (prefix, body) = key.split_once('_').unwrap();
    assert_eq!((prefix, body.len()), ("depot", 71));
    assert!(body.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    assert!(body.starts_with(&id), "the id is public");
}

#[tokio::test]
async fn the_last_use_is_noted_to_the_minute() {
    let depot = Depot::new().await;
    let (key, _) = depot.api_key("ann", None).await;
    let ann = depot.logged_in("ann").await;
    let ask = || depot.browser().get("/me").header("x-api-key", &key);
    for (wait, touches) in [(0, 1), (30, 1), (29, 1), (1, 2)] {
        depot.clock.advance(Duration::seconds(wait));
        assert_eq!(ask().await.is(200).body, "ann");
        assert_eq!(depot.keys.touches(), touches, "{wait}");
    }
    let listed = ann.get("/keys").await.is(200).json();
    let last: DateTime<Utc> = listed[0]["last_used_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(last.timestamp(), depot.clock.now().timestamp());
}

#[tokio::test]
async fn a_key_ends_when_it_says_when_it_is_revoked_or_when_its_user_is_inactive() {
    let refused = (401, "invalid_api_key".to_owned());
    let depot = Depot::new().await;
    let ann = depot.logged_in("ann").await;
    let wanted = json!({ "name": "short", "expires_in": 60 });
    let short = ann.post("/keys").json(wanted).await.json()["key"].as_str().unwrap().to_owned();
    let ask = |key: &str| depot.browser().get("/maybe").header("x-api-key", key);
    depot.clock.advance(Duration::seconds(59));
    assert_eq!(ask(&short).await.is(200).body, "ann");
    depot.clock.advance(Duration::seconds(1));
    assert_eq!(ask(&short).await.outcome(), refused);
    assert_eq!(ann.get("/keys").await.json(), json!([]), "ended keys are not listed");

    let (key, id) = depot.api_key("ann", None).await;
    assert_eq!(ask(&key).await.is(200).body, "ann");
    depot.change("ann", |ann| ann.active = false);
    assert_eq!(ask(&key).await.outcome(), refused);
    depot.change("ann", |ann| ann.active = true);
    assert_eq!(ask(&key).await.is(200).body, "ann");
    let _ = ann.ask("DELETE", format!("/keys/{id}")).await.is(200);
    assert_eq!(ask(&key).await.outcome(), refused);
    let again = ann.ask("DELETE", format!("/keys/{id}")).await;
    assert_eq!(again.outcome(), (404, "not_found".into()));
}

#[tokio::test]
async fn a_rotated_key_has_one_secret_and_all_else_as_it_was() {
    let depot = Depot::new().await;
    let (old, id) = depot.api_key("ann", Some(&["reports:read"])).await;
    let ann = depot.logged_in("ann").await;
    let made = ann.post(format!("/keys/{id}/rotate")).await.is(200).json();
    let new = made["key"].as_str().unwrap();
    assert_eq!((&made["id"], &made["scopes"]), (&json!(id), &json!(["reports:read"])));
    let ask = |key: &str| depot.browser().get("/me").header("x-api-key", key);
    assert_eq!(ask(new).await.is(200).body, "ann");
    assert_eq!(ask(&old).await.outcome(), (401, "invalid_api_key".into()));
}

#[tokio::test]
async fn a_changed_password_ends_keys_only_where_that_was_chosen() {
    for chosen in [false, true] {
        let keys = auth_tests::FailingApiKeys::default();
        let settings = ApiKeys::new(keys);
        let settings = if chosen { settings.end_with_password() } else { settings };
        let depot = Depot::with(|config| config.api_keys(settings)).await;
        let (key, _) = depot.api_key("ann", None).await;
        let hash = depot.hasher.hash("an entirely different secret").await.unwrap();
        depot.change("ann", |ann| ann.password = hash);
        let answer = depot.browser().get("/me").header("x-api-key", &key).await;
        let expected = if chosen { (401, "invalid_api_key".into()) } else { (200, String::new()) };
        assert_eq!(answer.outcome(), expected, "chosen: {chosen}");
    }
}

#[tokio::test]
async fn a_key_reaches_as_far_as_its_scopes_and_its_user() {
    let depot = Depot::new().await;
    let ask = async |name: &str, scopes: Option<&[&str]>, path: &str| {
        let (key, _) = depot.api_key(name, scopes).await;
        depot.browser().get(path).header("x-api-key", &key).await.outcome()
    };
    let fine = (200, String::new());
    let insufficient = (403, "insufficient_scope".to_owned());
    assert_eq!(ask("ann", None, "/reports").await, fine);
    assert_eq!(ask("ann", Some(&["reports:read"]), "/reports").await, fine);
    assert_eq!(ask("ann", Some(&["other"]), "/reports").await, insufficient);
    assert_eq!(ask("ann", Some(&[]), "/reports").await, insufficient);
    assert_eq!(ask("ann", Some(&[]), "/me").await, fine);
    assert_eq!(ask("bob", Some(&["reports:read"]), "/chief").await, insufficient);
    assert_eq!(ask("bob", Some(&["role:chief"]), "/chief").await, fine);
    assert_eq!(ask("eve", Some(&["reports:read"]), "/reports").await, (403, "forbidden".into()));
    let (key, _) = depot.api_key("bob", None).await;
    depot.change("bob", |bob| bob.duties.retain(|duty| *duty != Duty::Chief));
    let answer = depot.browser().get("/chief").header("x-api-key", &key).await;
    assert_eq!(answer.outcome(), (403, "forbidden".into()), "at once");
}

#[tokio::test]
async fn the_header_is_the_applications_to_name() {
    let settings = ApiKeys::new(MemoryApiKeys::new()).header("X-Depot-Key").header_only();
    let depot = Depot::with(|config| config.api_keys(settings)).await;
    let (key, _) = depot.api_key("ann", None).await;
    let get = || depot.browser().get("/me");
    assert_eq!(get().header("x-depot-key", &key).await.is(200).body, "ann");
    assert_eq!(get().header("x-api-key", &key).await.is(401).code(), "missing_credentials");
    assert_eq!(get().bearer(&key).await.is(401).code(), "invalid_token");
    let scheme = &depot.document["components"]["securitySchemes"]["api_key"];
    assert_eq!((&scheme["in"], &scheme["name"]), (&json!("header"), &json!("x-depot-key")));
    assert!(depot.auth.cors_headers().iter().any(|name| name == "x-depot-key"));
}

/// A device: keys are all that it has.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "devices", schemes(api_key))]
struct Device {
    #[auth(id)]
    id: i64,
}

#[test]
fn what_does_not_fit_is_found_when_the_application_starts() {
    let problems = |config: AuthConfig| config.build().unwrap_err().problems().to_vec();
    let devices = || AuthConfig::new().user::<Device>(MemoryUsers::default());
    let keys = || ApiKeys::new(MemoryApiKeys::new());
    assert_eq!(
        problems(devices()),
        ["Device declares the scheme `api_key`, but AuthConfig::api_keys was not called"]
    );
    assert_eq!(
        problems(devices().api_keys(keys().prefix("My Keys"))),
        ["API keys cannot begin with \"My Keys\"; use small letters, digits and `_`, as in `shop`"]
    );
    assert_eq!(
        problems(devices().api_keys(keys().header("cookie"))),
        ["the header for API keys cannot be `cookie`, which means something else; name it as in \
          `x-api-key`"]
    );
    let clash = devices().session_header("x-api-key").api_keys(keys());
    assert_eq!(problems(clash), ["sessions and API keys cannot share the header `x-api-key`"]);
}

#[tokio::test]
async fn where_keys_are_all_there_is_every_bearer_token_is_meant_as_one() {
    struct Api;
    #[auth_api]
    impl Api {
        #[oai(path = "/", method = "get")]
        async fn maybe(&self, device: Option<Device>) -> poem_openapi::payload::Json<Option<i64>> {
            poem_openapi::payload::Json(device.map(|device| device.id))
        }
    }
    let auth = AuthConfig::new()
        .user::<Device>(MemoryUsers::default())
        .api_keys(MemoryApiKeys::new())
        .build()
        .unwrap();
    let browser = auth_tests::World::serve(auth.openapi(Api, "Devices", "1.0"));
    for ask in [browser.get("/").bearer("nonsense"), browser.get("/").header("x-api-key", "x")] {
        assert_eq!(ask.await.outcome(), (401, "invalid_api_key".into()));
    }
    let twice = browser.get("/").bearer("a").bearer("b").await;
    assert_eq!(twice.outcome(), (401, "malformed_credentials".into()));
    assert_eq!(browser.get("/").await.is(200).body, "null");
}
