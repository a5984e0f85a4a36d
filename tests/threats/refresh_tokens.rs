//! Stealing refresh tokens, racing with them, and keeping them when they should be over.

use std::{collections::BTreeSet, sync::Arc};

use auth_core::store::{MemoryTokens, SqlTokens, TokenStore};
use auth_poem::prelude::*;
use auth_tests::{
    Logs,
    vault::{Pair, Vault},
    world::password_of,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::json;
use tokio::task::JoinSet;

const INVALID: (u16, &str) = (401, "invalid_refresh_token");
const JUST_USED: (u16, &str) = (409, "refresh_token_just_used");

async fn is_refused(vault: &Vault, token: &str, expected: (u16, &str)) {
    let answer = vault.refresh(token).await;
    assert_eq!(answer.outcome(), (expected.0, expected.1.to_owned()));
}

#[tokio::test]
async fn a_used_token_that_comes_back_ends_all_of_its_family() {
    let logs = Logs::capture();
    let vault = Vault::new().await;
    let other = vault.login("ann").await;
    let first = vault.login("ann").await;
    let second = vault.refreshed(&first.refresh).await;
    vault.wait(Duration::seconds(10));
    assert!(!logs.text().contains("refresh_token_reused"));
    is_refused(&vault, &first.refresh, INVALID).await;
    let text = logs.text();
    let event = text.lines().find(|line| line.contains("refresh_token_reused")).unwrap();
    assert!(event.contains("WARN") && event.contains("auth_core::audit"), "{event}");
    assert!(event.contains("user=\"members:1\"") && event.contains("family="), "{event}");
    is_refused(&vault, &second.refresh, INVALID).await;
    let _ = vault.refreshed(&other.refresh).await;
    for token in [&first, &second, &other] {
        assert!(!text.contains(&token.refresh) && !text.contains(&token.access));
    }
}

#[tokio::test]
async fn one_of_long_ago_ends_it_too_within_any_grace() {
    let vault = Vault::new().await;
    let first = vault.login("ann").await;
    let second = vault.refreshed(&first.refresh).await;
    let third = vault.refreshed(&second.refresh).await;
    is_refused(&vault, &first.refresh, INVALID).await;
    is_refused(&vault, &third.refresh, INVALID).await;
}

/// The token with a bit of this byte turned.
fn altered(token: &str, byte: usize) -> String {
    let mut bytes = BASE64.decode(token).unwrap();
    bytes[byte] ^= 1;
    BASE64.encode(bytes)
}

#[tokio::test]
async fn a_token_of_the_family_that_never_was_ends_it() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    // The first 16 bytes name the family: who knows them has had a token of it.
    is_refused(&vault, &altered(&tokens.refresh, 15), INVALID).await;
    let tokens = vault.refreshed(&tokens.refresh).await;
    is_refused(&vault, &altered(&tokens.refresh, 47), INVALID).await;
    is_refused(&vault, &tokens.refresh, INVALID).await;
}

#[tokio::test]
async fn within_the_grace_a_second_use_does_no_harm_and_gains_nothing() {
    let vault = Vault::new().await;
    let first = vault.login("ann").await;
    let second = vault.refreshed(&first.refresh).await;
    for wait in [0, 9_999] {
        vault.wait(Duration::milliseconds(wait));
        let answer = vault.refresh(&first.refresh).await;
        assert_eq!(answer.outcome(), (JUST_USED.0, JUST_USED.1.to_owned()));
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(!answer.body.contains(&second.refresh));
    }
    let _ = vault.refreshed(&second.refresh).await;
}

#[tokio::test]
async fn without_grace_the_second_use_is_the_end() {
    let vault = Vault::with(|config| config.refresh_grace(Duration::zero())).await;
    let first = vault.login("ann").await;
    let second = vault.refreshed(&first.refresh).await;
    is_refused(&vault, &first.refresh, INVALID).await;
    is_refused(&vault, &second.refresh, INVALID).await;
}

async fn on_sqlite(directory: &tempfile::TempDir) -> Arc<dyn TokenStore> {
    let path = directory.path().join("tokens.db");
    let pool = auth_core::sql::open_sqlite(path.to_str().unwrap()).await.unwrap();
    let tokens = SqlTokens::new(pool);
    tokens.migrate().await.unwrap();
    Arc::new(tokens)
}

/// Fifty refreshes of one token at once: their statuses, and the pairs that came out.
async fn at_once(vault: &Arc<Vault>, token: &str) -> (BTreeSet<u16>, Vec<Pair>) {
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let (vault, token) = (vault.clone(), token.to_owned());
        tasks.spawn(async move { vault.refresh(&token).await });
    }
    let answers = tasks.join_all().await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).map(Pair::of).collect();
    (answers.iter().map(|answer| answer.status).collect(), won)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_at_once_one_branch_lives() {
    let directory = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn TokenStore>; 2] =
        [Arc::new(MemoryTokens::new()), on_sqlite(&directory).await];
    for store in stores {
        let vault = Arc::new(Vault::on(store, |config| config).await);
        let first = vault.login("ann").await;
        let (statuses, won) = at_once(&vault, &first.refresh).await;
        assert_eq!(statuses, [200, 409].into());
        let [winner] = &won[..] else { panic!("{} branches", won.len()) };
        let next = vault.refreshed(&winner.refresh).await;
        assert_eq!(vault.me(&next.access).await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_grace_no_second_branch_lives_either() {
    let vault = Arc::new(Vault::with(|config| config.refresh_grace(Duration::zero())).await);
    let first = vault.login("ann").await;
    let (_, won) = at_once(&vault, &first.refresh).await;
    assert!(won.len() <= 1, "{} branches", won.len());
    for pair in won {
        is_refused(&vault, &pair.refresh, INVALID).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_a_login_and_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let vault = Vault::on(on_sqlite(&directory).await, |config| config).await;
    let first = vault.login("ann").await;
    // The token is exchanged, and the process ends before the client has read the answer.
    let lost = vault.refreshed(&first.refresh).await;
    drop(vault);
    let vault = Vault::on(on_sqlite(&directory).await, |config| config).await;
    is_refused(&vault, &first.refresh, JUST_USED).await;
    vault.wait(Duration::seconds(10));
    is_refused(&vault, &first.refresh, INVALID).await;
    is_refused(&vault, &lost.refresh, INVALID).await;
    let again = vault.login("ann").await;
    let _ = vault.refreshed(&again.refresh).await;
}

#[tokio::test]
async fn it_ends_with_the_password_the_account_and_the_user() {
    let vault = Vault::new().await;
    let client = vault.browser();
    let tokens = vault.login("ann").await;
    let new = "another very long password";
    let change = json!({ "current": password_of("ann"), "new": new });
    let _ = client.ask("PUT", "/password").bearer(&tokens.access).json(change).await.is(200);
    is_refused(&vault, &tokens.refresh, INVALID).await;

    let tokens = vault.login("bob").await;
    vault.people.update(&2, |bob| bob.active = false).unwrap();
    is_refused(&vault, &tokens.refresh, INVALID).await;
    vault.people.update(&2, |bob| bob.active = true).unwrap();
    is_refused(&vault, &tokens.refresh, INVALID).await;

    let tokens = vault.login("bob").await;
    let hash = vault.people.all().iter().find(|member| member.id == 1).unwrap().password.clone();
    vault.people.update(&2, |bob| bob.password = hash).unwrap();
    is_refused(&vault, &tokens.refresh, INVALID).await;

    let vault = Vault::new().await;
    let tokens = vault.login("bob").await;
    vault.people.remove(&2).unwrap();
    is_refused(&vault, &tokens.refresh, INVALID).await;
}

#[tokio::test]
async fn it_ends_with_the_others() {
    let vault = Vault::new().await;
    let (here, there) = (vault.login("ann").await, vault.login("ann").await);
    let _ = vault.browser().ask("DELETE", "/others").bearer(&here.access).await.is(200);
    for tokens in [&here, &there] {
        is_refused(&vault, &tokens.refresh, INVALID).await;
    }
}

#[tokio::test]
async fn the_two_kinds_of_token_are_not_taken_for_each_other() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    assert_eq!(vault.me(&tokens.refresh).await, (401, "invalid_token".into()));
    is_refused(&vault, &tokens.access, INVALID).await;
    for garbage in ["", " ", "A", &"A".repeat(64), &"é".repeat(32), &"A".repeat(1 << 16)] {
        is_refused(&vault, garbage, INVALID).await;
    }
    let _ = vault.refreshed(&tokens.refresh).await;
}

#[tokio::test]
async fn a_store_that_is_down_is_no_refusal_and_no_permission() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    let post = async |path: &str, token: &str| {
        vault.browser().post(path).json(json!({ "token": token })).await.status
    };
    vault.tokens.fail(true);
    assert_eq!(vault.refresh(&tokens.refresh).await.status, 503);
    assert_eq!(post("/revoke", &tokens.refresh).await, 503);
    let login = json!({ "name": "ann", "password": password_of("ann") });
    assert_eq!(vault.browser().post("/token").json(login).await.status, 503);
    assert_eq!(vault.browser().post("/logout").bearer(&tokens.access).await.status, 503);
    assert_eq!(vault.me(&tokens.access).await.0, 200, "it needs no refresh tokens");
    vault.tokens.fail(false);

    vault.denied.fail(true);
    assert_eq!(vault.me(&tokens.access).await.0, 503);
    assert_eq!(vault.browser().get("/maybe").bearer(&tokens.access).await.status, 503);
    assert_eq!(vault.browser().post("/logout").bearer(&tokens.access).await.status, 503);
    assert_eq!(vault.me("x.y.z").await.0, 401, "what is forged needs no list");
    vault.denied.fail(false);
    assert_eq!(vault.me(&tokens.access).await.0, 200, "it was not ended");

    let tokens = vault.login("ann").await;
    vault.members.fail(true);
    assert_eq!(vault.refresh(&tokens.refresh).await.status, 503);
    vault.members.fail(false);
    let _ = vault.refreshed(&tokens.refresh).await;
}

#[tokio::test]
async fn what_is_denied_names_issuer_and_token_and_not_the_text() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    let _ = vault.browser().post("/logout").bearer(&tokens.access).await.is(200);
    // The same claims under the same signature, in a header that is written otherwise, would be
    // another text; a right signature is what only the holder of the key can make.
    let [_, claims, _] = tokens.access.split('.').collect::<Vec<_>>().try_into().unwrap();
    let header = tokens.access.split('.').next().unwrap();
    let header: serde_json::Value =
        serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap();
    let spaced =
        format!("{{ \"typ\": \"at+jwt\", \"kid\": {}, \"alg\": \"HS256\" }}", header["kid"]);
    let message = format!("{}.{claims}", BASE64.encode(&spaced));
    let key =
        aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, auth_tests::world::JWT_SECRET);
    let signature = BASE64.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
    let other = format!("{message}.{signature}");
    assert_eq!(vault.me(&other).await, (401, "invalid_token".into()));
    // The test writes such a header rightly: that of a token which was not ended passes.
    let live = vault.login("ann").await;
    let claims = live.access.split('.').nth(1).unwrap();
    let message = format!("{}.{claims}", BASE64.encode(&spaced));
    let signature = BASE64.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
    assert_eq!(vault.me(&format!("{message}.{signature}")).await.0, 200);
}
