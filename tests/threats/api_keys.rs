//! API keys that somebody made up, stole, kept, or read in the database.

use auth_core::{api_keys::ApiKeyRecord, keys::KeyStore};
use auth_poem::prelude::*;
use auth_tests::{Depot, Logs};
use serde_json::json;

fn refused() -> (u16, String) {
    (401, "invalid_api_key".into())
}

/// A key with other parts, and a checksum that fits.
fn forged(key: &str, id: &str, secret: &str) -> String {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (prefix, _) = key.split_once('_').unwrap();
    let text = format!("{prefix}_{id}{secret}");
    let mut crc = crc32fast::hash(text.as_bytes());
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(crc % 62) as usize];
        crc /= 62;
    }
    text + std::str::from_utf8(&digits).unwrap()
}

fn secret_of(key: &str) -> &str {
    &key.split_once('_').unwrap().1[22..65]
}

#[tokio::test]
async fn a_made_up_key_is_refused_and_a_misspelt_one_costs_no_question() {
    let depot = Depot::new().await;
    let (key, id) = depot.api_key("ann", None).await;
    let ask = |key: &str| depot.browser().get("/maybe").header("x-api-key", key);
    assert_eq!(forged(&key, &id, secret_of(&key)), key, "the test forges rightly");
    let loads = depot.keys.loads();
    let mut wrong = key.clone();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    for text in [&wrong, &key[1..], "", "key_", "null", &"x".repeat(60_000), &format!("{key}0")] {
        assert_eq!(ask(text).await.outcome(), refused(), "{text:.80}");
    }
    assert_eq!(depot.keys.loads(), loads, "the checksum is wrong, so no store is asked");
    for (id, secret) in [
        (&*id, "0".repeat(43)),
        (&"0".repeat(22), secret_of(&key).to_owned()),
        (&id, secret_of(&key).to_ascii_lowercase()),
    ] {
        let text = forged(&key, id, &secret);
        assert_eq!(ask(&text).await.outcome(), refused(), "{text}");
    }
    assert_eq!(ask(&key).await.is(200).body, "ann");
}

#[tokio::test]
async fn one_users_secret_opens_nothing_under_another_users_id() {
    let depot = Depot::new().await;
    let ((ann, ann_id), (bob, bob_id)) =
        (depot.api_key("ann", None).await, depot.api_key("bob", None).await);
    for (id, key) in [(&bob_id, &ann), (&ann_id, &bob)] {
        let text = forged(key, id, secret_of(key));
        let answer = depot.browser().get("/me").header("x-api-key", &text).await;
        assert_eq!(answer.outcome(), refused());
    }
    let eve = depot.logged_in("eve").await;
    for ask in
        [eve.ask("DELETE", format!("/keys/{ann_id}")), eve.post(format!("/keys/{ann_id}/rotate"))]
    {
        assert_eq!(ask.await.outcome(), (404, "not_found".into()));
    }
    assert_eq!(depot.browser().get("/me").header("x-api-key", &ann).await.is(200).body, "ann");
}

#[tokio::test]
async fn two_keys_at_once_are_no_choice() {
    let depot = Depot::new().await;
    let ((ann, _), (bob, _)) = (depot.api_key("ann", None).await, depot.api_key("bob", None).await);
    let malformed = (401, "malformed_credentials".to_owned());
    let both = depot.browser().get("/me").header("x-api-key", &ann).bearer(&bob).await;
    assert_eq!(both.outcome(), malformed);
    let twice =
        depot.browser().get("/me").header("x-api-key", &ann).header("x-api-key", &bob).await;
    assert_eq!(twice.outcome(), malformed);
    let token = depot.token("bob").await;
    let other = depot.browser().get("/me").header("x-api-key", &ann).bearer(&token).await;
    assert_eq!(other.outcome(), (401, "conflicting_credentials".into()));
}

#[tokio::test]
async fn a_key_in_the_address_is_none() {
    let depot = Depot::new().await;
    let (key, _) = depot.api_key("ann", None).await;
    for name in ["api_key", "x-api-key", "key", "access_token"] {
        let answer = depot.browser().get(format!("/me?{name}={key}")).await;
        assert_eq!(answer.outcome(), (401, "missing_credentials".into()), "{name}");
    }
}

#[tokio::test]
async fn who_has_stolen_a_key_makes_no_other_and_locks_nobody_out() {
    let depot = Depot::new().await;
    let (key, id) = depot.api_key("ann", Some(&["reports:read"])).await;
    let thief =
        |method: &str, path: String| depot.browser().ask(method, path).header("x-api-key", &key);
    let wanted = json!({ "name": "mine", "scopes": ["reports:read"] });
    for ask in [
        thief("POST", "/keys".into()).json(wanted),
        thief("POST", format!("/keys/{id}/rotate")),
        thief("DELETE", format!("/keys/{id}")),
    ] {
        assert_eq!(ask.await.outcome(), (403, "reauthentication_required".into()));
    }
    assert_eq!(thief("GET", "/me".into()).await.is(200).body, "ann");
}

#[tokio::test]
async fn a_restricted_credential_makes_no_key_that_reaches_farther() {
    let depot = Depot::new().await;
    depot.badges.give("A", 1, Scopes::only(["a", "b"]));
    let make = async |scopes: serde_json::Value| {
        let wanted = json!({ "name": "k", "scopes": scopes });
        let answer = depot.browser().post("/keys").header("x-badge", "A").json(wanted).await;
        let code = answer.code();
        (
            answer.status,
            if answer.status == 200 { answer.json()["scopes"].to_string() } else { code },
        )
    };
    assert_eq!(make(json!(["a"])).await, (200, r#"["a"]"#.into()));
    assert_eq!(make(json!(null)).await, (200, r#"["a","b"]"#.into()), "as far as he comes");
    for wider in [json!(["c"]), json!(["a", "role:chief"]), json!(["a b c"])] {
        assert_eq!(make(wider.clone()).await, (403, "insufficient_scope".into()), "{wider}");
    }
}

#[tokio::test]
async fn a_copy_of_the_database_is_no_key() {
    let depot = Depot::new().await;
    let (key, id) = depot.api_key("ann", None).await;
    let user = auth_core::user::UserKey::of(&depot.keeper("ann"));
    let record: ApiKeyRecord = (*depot.keys.list_by_user(&user).await.unwrap()[0]).clone();
    let shown = format!("{record:?}");
    assert!(!shown.contains(secret_of(&key)), "{shown}");
    let hash = record.verifier.hash.as_bytes();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)
    };
    for secret in [&hex[..43], &base64[..43]] {
        let text = forged(&key, &id, &secret.replace(['-', '_'], "0"));
        let answer = depot.browser().get("/me").header("x-api-key", &text).await;
        assert_eq!(answer.outcome(), refused());
    }
}

#[tokio::test]
async fn no_log_and_no_answer_holds_a_key() {
    let logs = Logs::capture();
    let depot = Depot::new().await;
    let (key, id) = depot.api_key("ann", None).await;
    let ann = depot.logged_in("ann").await;
    let wrong = forged(&key, &id, &"0".repeat(43));
    for text in [&key, &wrong] {
        let answer = depot.browser().get("/me").header("x-api-key", text).await;
        assert!(!answer.body.contains(secret_of(text)), "{answer:?}");
    }
    depot.keys.fail(true);
    let answer = depot.browser().get("/maybe").header("x-api-key", &key).await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
    depot.keys.fail(false);
    let _ = ann.post(format!("/keys/{id}/rotate")).await.is(200);
    assert!(logs.text().contains("an API key was refused"), "{}", logs.text());
    for text in [&key, &wrong] {
        assert!(!logs.text().contains(secret_of(text)), "{}", logs.text());
    }
}
