//! Refresh tokens: a login that outlives its access tokens.

use auth_poem::prelude::*;
use auth_tests::{Browser, vault::Vault, world::password_of};
use serde_json::json;

#[tokio::test]
async fn a_refresh_token_is_good_for_the_next_two() {
    let vault = Vault::new().await;
    let first = vault.login("ann").await;
    vault.wait(Duration::minutes(11));
    assert_eq!(vault.me(&first.access).await.1, "invalid_token");
    let second = vault.refreshed(&first.refresh).await;
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(vault.me(&second.access).await, (200, "ann".into()));
    vault.wait(Duration::minutes(11));
    let third = vault.refreshed(&second.refresh).await;
    assert_eq!(vault.me(&third.access).await, (200, "ann".into()));
}

#[tokio::test]
async fn a_login_that_starts_a_session_issues_none() {
    let vault = Vault::new().await;
    let _ = vault.browser().login("ann").await.is(200);
    assert_eq!(vault.tokens.calls(), 0);
}

#[tokio::test]
async fn there_are_none_unless_they_are_configured() {
    let world = auth_tests::World::new().await;
    let login = json!({ "name": "ann", "password": password_of("ann") });
    let _ = world.browser().post("/token").json(login).await.is(200);
    assert!(world.auth.token_store().is_none());
    assert!(world.auth.deny_list().is_none());
}

#[tokio::test]
async fn it_may_lie_unused_for_fourteen_days() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    let late = vault.login("ann").await;
    vault.wait(Duration::days(14) - Duration::milliseconds(1));
    let _ = vault.refreshed(&tokens.refresh).await;
    vault.wait(Duration::milliseconds(1));
    let answer = vault.refresh(&late.refresh).await;
    assert_eq!(answer.outcome(), (401, "invalid_refresh_token".into()));
}

#[tokio::test]
async fn thirty_days_are_the_end_however_much_it_is_used() {
    let vault = Vault::new().await;
    let mut tokens = vault.login("ann").await;
    for day in 1..30 {
        vault.wait(Duration::days(1));
        tokens = vault.refreshed(&tokens.refresh).await;
        assert_eq!(vault.me(&tokens.access).await.0, 200, "day {day}");
    }
    vault.wait(Duration::days(1));
    let answer = vault.refresh(&tokens.refresh).await;
    assert_eq!(answer.outcome(), (401, "invalid_refresh_token".into()));
}

#[tokio::test]
async fn its_times_can_be_configured() {
    let hour = Duration::hours(1);
    let vault = Vault::with(|config| config.refresh_lifetime(hour, hour * 2)).await;
    let unused = vault.login("ann").await;
    let mut used = vault.login("ann").await;
    for _ in 0..3 {
        vault.wait(Duration::minutes(30));
        used = vault.refreshed(&used.refresh).await;
    }
    assert_eq!(vault.refresh(&unused.refresh).await.status, 401);
    vault.wait(Duration::minutes(30));
    assert_eq!(vault.refresh(&used.refresh).await.status, 401);
}

#[tokio::test]
async fn the_lifetime_that_a_login_asked_for_stays() {
    let vault = Vault::new().await;
    let login = json!({ "name": "ann", "password": password_of("ann") });
    let answer = vault.browser().post("/short").json(login).await.is(200);
    assert_eq!(answer.json()["expires_in"], 90);
    let refresh = answer.json()["refresh"].as_str().unwrap().to_owned();
    let answer = vault.refresh(&refresh).await.is(200);
    assert_eq!(answer.json()["expires_in"], 90);
    let ten = vault.login("ann").await;
    assert_eq!(vault.refresh(&ten.refresh).await.is(200).json()["expires_in"], 600);
}

#[tokio::test]
async fn a_refresh_is_no_new_login() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    let fresh = async |access: &str| vault.browser().get("/fresh").bearer(access).await;
    let _ = fresh(&tokens.access).await.is(200);
    vault.wait(Duration::minutes(11));
    let tokens = vault.refreshed(&tokens.refresh).await;
    assert_eq!(fresh(&tokens.access).await.outcome().1, "reauthentication_required");
}

#[tokio::test]
async fn a_user_lists_his_logins_and_ends_one() {
    let vault = Vault::new().await;
    let here = vault.login("ann").await;
    vault.wait(Duration::seconds(1));
    let there = vault.login("ann").await;
    let bob = vault.login("bob").await;
    let client = vault.browser();
    let listed = async |access: &str| {
        let answer = client.get("/families").bearer(access).await.is(200);
        serde_json::from_str::<Vec<String>>(&answer.body).unwrap()
    };
    let end = async |access: &str, handle: &str| {
        client.ask("DELETE", format!("/families/{handle}")).bearer(access).await.is(200).body
    };
    let handles = listed(&here.access).await;
    assert_eq!(handles.len(), 2);
    assert_eq!(listed(&bob.access).await.len(), 1);
    assert_eq!(end(&bob.access, &handles[1]).await, "false", "it is ann's");
    assert_eq!(end(&here.access, &handles[1]).await, "true");
    assert_eq!(end(&here.access, &handles[1]).await, "false", "it is gone");
    assert_eq!(listed(&here.access).await, handles[..1]);
    assert_eq!(vault.refresh(&there.refresh).await.status, 401);
    let _ = vault.refreshed(&here.refresh).await;
    // Handles are no tokens.
    assert_eq!(vault.refresh(&handles[0]).await.status, 401);
}

#[tokio::test]
async fn a_client_ends_its_refresh_token() {
    let vault = Vault::new().await;
    let first = vault.login("ann").await;
    let second = vault.refreshed(&first.refresh).await;
    let revoke = async |token: &str| {
        vault.browser().post("/revoke").json(json!({ "token": token })).await.is(200).body
    };
    // An older one does as well: it names the family.
    assert_eq!(revoke(&first.refresh).await, "true");
    assert_eq!(vault.refresh(&second.refresh).await.status, 401);
    for nothing in ["", "x", &second.refresh, &"A".repeat(64)] {
        assert_eq!(revoke(nothing).await, "true", "what does not hold has ended");
    }
}

#[tokio::test]
async fn a_client_ends_its_access_token_and_the_refresh_tokens_with_it() {
    let vault = Vault::new().await;
    let (ends, stays) = (vault.login("ann").await, vault.login("ann").await);
    let answer = vault.browser().post("/revoke").json(json!({ "token": ends.access })).await;
    assert_eq!(answer.is(200).body, "true");
    assert_eq!(vault.me(&ends.access).await, (401, "invalid_token".into()));
    assert_eq!(vault.refresh(&ends.refresh).await.status, 401);
    assert_eq!(vault.me(&stays.access).await.0, 200);
    let _ = vault.refreshed(&stays.refresh).await;
}

async fn log_out(client: &Browser, access: &str) -> u16 {
    client.post("/logout").bearer(access).await.status
}

#[tokio::test]
async fn a_logout_ends_the_token_that_it_presents() {
    for denied in [false, true] {
        // The list in memory answers at once, the other one later.
        let vault = Vault::with(|config| match denied {
            true => config.deny_list(auth_poem::store::MemoryDenyList::new()),
            false => config,
        })
        .await;
        let (here, there) = (vault.login("ann").await, vault.login("ann").await);
        assert_eq!(log_out(&vault.browser(), &here.access).await, 200);
        for path in ["/me", "/maybe"] {
            let answer = vault.browser().get(path).bearer(&here.access).await;
            assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{path}");
            let challenge = "Bearer realm=\"auth\", error=\"invalid_token\"";
            assert_eq!(answer.all("www-authenticate"), [challenge]);
        }
        assert_eq!(vault.refresh(&here.refresh).await.status, 401);
        assert_eq!(vault.me(&there.access).await.0, 200);
        assert_eq!(log_out(&vault.browser(), &here.access).await, 200, "twice is no harm");
        assert_eq!(log_out(&vault.browser(), "x.y.z").await, 200, "it holds no longer anyway");
    }
}

#[tokio::test]
async fn a_logout_ends_session_and_token_at_once() {
    let vault = Vault::new().await;
    let client = vault.browser();
    let _ = client.login("ann").await.is(200);
    let tokens = vault.login("ann").await;
    let thief = client.stolen();
    assert_eq!(log_out(&client, &tokens.access).await, 200);
    assert_eq!(vault.me(&tokens.access).await.0, 401);
    assert_eq!(thief.get("/me").await.status, 401);
}

#[tokio::test]
async fn a_denied_token_is_forgotten_when_it_has_expired_by_itself() {
    let vault = Vault::new().await;
    let tokens = vault.login("ann").await;
    assert_eq!(log_out(&vault.browser(), &tokens.access).await, 200);
    let list = vault.auth.deny_list().unwrap();
    // To the last moment at which the leeway of clocks would let it pass.
    vault.wait(Duration::minutes(10) + Duration::seconds(29));
    assert_eq!(vault.me(&tokens.access).await.0, 401);
    assert_eq!(list.purge_expired(vault.clock.now()).await.unwrap(), 0);
    vault.wait(Duration::seconds(1));
    assert_eq!(list.purge_expired(vault.clock.now()).await.unwrap(), 1);
    assert_eq!(vault.me(&tokens.access).await.0, 401);
}

#[tokio::test]
async fn requests_without_a_token_ask_no_list() {
    let vault = Vault::new().await;
    let client = vault.browser();
    let _ = client.login("ann").await.is(200);
    let _ = client.get("/me").await.is(200);
    let _ = client.post("/logout").await.is(200);
    assert_eq!((vault.denied.calls(), vault.tokens.calls()), (0, 0));
}
