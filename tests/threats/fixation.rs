//! Session fixation: an attacker makes a victim use a key that the attacker knows.

use auth_poem::prelude::*;
use auth_tests::{Browser, World};

fn with_cookie(world: &World, value: &str) -> Browser {
    let browser = world.browser();
    browser.plant("__Host-sid", value);
    browser
}

#[tokio::test]
async fn a_key_that_a_client_chose_is_never_taken_over() {
    let world = World::new().await;
    let chosen = "A".repeat(43);
    for (method, path) in [("POST", "/cart/note?text=x"), ("POST", "/cart/add")] {
        let browser = with_cookie(&world, &chosen);
        let _ = browser.ask(method, path).await.is(200);
        assert_ne!(browser.cookie().unwrap(), chosen, "{path}");
        assert_eq!(browser.get("/session").await.json()["exists"], true);
        let attacker = with_cookie(&world, &chosen);
        assert_eq!(attacker.get("/session").await.json()["exists"], false);
    }
    let browser = with_cookie(&world, &chosen);
    let _ = browser.login("ann").await.is(200);
    assert_ne!(browser.cookie().unwrap(), chosen);
    assert_eq!(with_cookie(&world, &chosen).get("/me").await.status, 401);
}

#[tokio::test]
async fn the_key_that_an_attacker_planted_is_worth_nothing_after_the_login() {
    let world = World::new().await;
    // The attacker's own anonymous session, in the victim's browser.
    let attacker = world.browser();
    let _ = attacker.post("/cart/note?text=bait").await.is(200);
    let victim = attacker.stolen();
    let _ = victim.login("ann").await.is(200);
    assert_eq!(attacker.get("/maybe").await.body, "nobody");
    assert_eq!(attacker.get("/session").await.json()["exists"], false);
    assert_eq!(victim.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn every_login_has_a_key_of_its_own() {
    let world = World::new().await;
    let browser = world.browser();
    let mut seen = Vec::new();
    for name in ["ann", "ann", "bob", "ann"] {
        let _ = browser.login(name).await.is(200);
        let cookie = browser.cookie().unwrap();
        assert!(!seen.contains(&cookie));
        for old in &seen {
            assert_eq!(with_cookie(&world, old).get("/me").await.code(), "invalid_session");
        }
        assert_eq!(browser.get("/me").await.is(200).body, name);
        seen.push(cookie);
    }
}

#[tokio::test]
async fn the_next_user_of_a_browser_sees_nothing_of_the_one_before() {
    let world = World::new().await;
    let browser = world.logged_in("ann").await;
    let _ = browser.post("/cart/note?text=secret").await.is(200);
    let _ = browser.ask("PUT", "/untyped/pin").json(4711.into()).await.is(200);
    let handle = browser.get("/session").await.json()["handle"].clone();
    let anns = browser.stolen();

    let _ = browser.login("bob").await.is(200);
    let shown = browser.get("/session").await;
    assert!(!shown.body.contains("secret") && !shown.body.contains("pin"), "{}", shown.body);
    assert_ne!(shown.json()["handle"], handle);
    assert_eq!(anns.get("/me").await.code(), "invalid_session");
}

#[tokio::test]
async fn the_old_key_dies_when_the_key_changes() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let old = ann.stolen();
    let _ = ann.post("/session/cycle").await.is(200);
    assert_eq!(old.get("/me").await.outcome(), (401, "invalid_session".into()));
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn a_session_of_before_a_password_reset_helps_nobody() {
    let world = World::new().await;
    let thief = world.logged_in("ann").await;
    world.change("ann", |ann| ann.epoch += 1);
    assert_eq!(thief.get("/me").await.status, 401);
    // Its record is gone, not only refused: what comes next finds nothing to go on with.
    assert_eq!(thief.get("/session").await.json()["exists"], false);
}

#[tokio::test]
async fn what_is_no_key_is_no_session_and_is_removed() {
    let world = World::new().await;
    let key = world.logged_in("ann").await.cookie().unwrap();
    let mut not_canonical = key.clone();
    // The last of 43 characters has two spare bits; another character with the same four is not
    // the same key.
    let last = not_canonical.pop().unwrap();
    not_canonical.push(char::from_u32(u32::from(last) + 1).unwrap());
    for value in [
        "",
        "x",
        "null",
        &key[..42],
        &format!("{key}="),
        &format!("{key}A"),
        &not_canonical,
        &"=".repeat(43),
        &"A".repeat(100_000),
        "../../../../etc/passwd",
        "' OR 1=1 --",
        "%00",
    ] {
        let browser = with_cookie(&world, value);
        let answer = browser.get("/me").await;
        assert_eq!(answer.outcome(), (401, "invalid_session".into()), "{value}");
        assert!(answer.removes_cookie(), "{value}");
    }
}

#[tokio::test]
async fn two_different_keys_in_one_request_are_none() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await.cookie().unwrap();
    let bob = world.logged_in("bob").await.cookie().unwrap();
    let name = "__Host-sid";
    let pairs = [
        vec![format!("{name}={ann}; {name}={bob}")],
        vec![format!("{name}={bob}; {name}={ann}")],
        vec![format!("{name}={ann}"), format!("{name}={bob}")],
        vec![format!("{name}={ann}; {name}=x")],
        vec![format!("{name}=; {name}={ann}")],
        vec![format!("{name}={ann}"), format!("other=Jörg; {name}={bob}")],
    ];
    for headers in pairs {
        for (path, status) in [("/me", 401), ("/maybe", 200)] {
            let mut request = world.browser().get(path);
            for header in &headers {
                request = request.header("cookie", header);
            }
            let answer = request.await.is(status);
            assert_ne!(answer.body, "ann");
            assert_ne!(answer.body, "bob");
            assert!(answer.removes_cookie(), "{headers:?}");
        }
    }
    // Neither session was harmed.
    assert_eq!(with_cookie(&world, &ann).get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn the_public_name_of_a_session_is_no_key() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let handle = ann.get("/session").await.json()["handle"].as_str().unwrap().to_owned();
    assert_eq!(with_cookie(&world, &handle).get("/me").await.status, 401);
    let _: Uuid = handle.parse().unwrap();
}
