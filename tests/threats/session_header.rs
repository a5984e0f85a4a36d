//! The session header: tokens of the attacker's choice, mixed credentials, other sites.

use auth_poem::prelude::*;
use auth_tests::{Answer, Logs, World, browser::Ask, world::password_of};
use serde_json::json;

const HEADER: &str = "x-session-id";

async fn world() -> World {
    World::with(|config| config.session_header(HEADER)).await
}

async fn token_of(world: &World, name: &str) -> String {
    world.browser().login(name).await.is(200).all(HEADER)[0].to_owned()
}

fn by(ask: Ask, token: &str) -> Ask {
    ask.header(HEADER, token)
}

#[track_caller]
fn is_refused(answer: &Answer, code: &str) {
    assert_eq!(answer.outcome(), (401, code.into()), "{answer:?}");
    assert_eq!(answer.set_cookie(), None, "the cookie is not the header's business");
    assert!(answer.all(HEADER).is_empty());
}

#[tokio::test]
async fn a_token_that_names_no_session_is_refused_wherever_it_is_looked_at() {
    let world = world().await;
    let expired = token_of(&world, "ann").await;
    world.wait(Duration::hours(1));
    let ended = token_of(&world, "ann").await;
    let _ = by(world.browser().post("/logout"), &ended).await.is(200);
    let tokens = [&expired, &ended, &"A".repeat(43), "x", "null", "0", "é", &"A".repeat(1 << 20)];
    for wait in [false, true] {
        world.sessions.wait(wait);
        for token in tokens {
            for path in ["/me", "/maybe", "/session", "/crowd", "/two/maybe", "/plain/maybe"] {
                is_refused(&by(world.browser().get(path), token).await, "invalid_session");
            }
            is_refused(
                &by(world.browser().post("/cart/note?text=x"), token).await,
                "invalid_session",
            );
            let answer = by(world.browser().get("/public"), token).await;
            assert_eq!(answer.is(200).body, "welcome", "not looked at");
        }
    }
}

#[tokio::test]
async fn two_headers_that_differ_are_no_session() {
    let world = world().await;
    let (ann, bob) = (token_of(&world, "ann").await, token_of(&world, "bob").await);
    for (first, second) in [(&*ann, &*bob), (&bob, &ann), (&ann, ""), ("", &ann), (&ann, "x")] {
        for path in ["/me", "/maybe", "/session"] {
            let answer = by(by(world.browser().get(path), first), second).await;
            is_refused(&answer, "invalid_session");
        }
    }
    let answer = by(by(world.browser().get("/me"), &ann), &ann).await;
    assert_eq!(answer.is(200).body, "ann", "the same twice says one thing");
    let joined = format!("{ann}, {ann}");
    is_refused(&by(world.browser().get("/me"), &joined).await, "invalid_session");
}

#[tokio::test]
async fn a_token_that_a_client_chose_is_never_taken_over() {
    let world = world().await;
    let chosen = "A".repeat(43);
    let login = by(world.browser().login("ann"), &chosen).await.is(200);
    assert_eq!(login.set_cookie(), None);
    assert_ne!(login.all(HEADER), [&*chosen]);
    is_refused(&by(world.browser().get("/me"), &chosen).await, "invalid_session");
    assert_eq!(by(world.browser().get("/me"), login.all(HEADER)[0]).await.is(200).body, "ann");
}

#[tokio::test]
async fn the_token_that_an_attacker_planted_is_worth_nothing_after_the_login() {
    let world = world().await;
    let bait = world.browser().post("/cart/note?text=bait").await.is(200);
    let bait = bait.all(HEADER)[0].to_owned();
    let login = by(world.browser().login("ann"), &bait).await.is(200);
    is_refused(&by(world.browser().get("/maybe"), &bait).await, "invalid_session");
    // From one user to another as well, and his data stays behind.
    let anns = login.all(HEADER)[0].to_owned();
    let _ = by(world.browser().post("/cart/note?text=secret"), &anns).await.is(200);
    let login = by(world.browser().login("bob"), &anns).await.is(200);
    is_refused(&by(world.browser().get("/me"), &anns).await, "invalid_session");
    let shown = by(world.browser().get("/session"), login.all(HEADER)[0]).await;
    assert!(!shown.body.contains("secret"), "{}", shown.body);
}

#[tokio::test]
async fn a_header_that_does_not_hold_is_not_made_good_by_another_credential() {
    let world = world().await;
    let ann = world.logged_in("ann").await;
    let bearer = world.token("ann").await;
    for path in ["/me", "/maybe"] {
        is_refused(&by(ann.get(path), &"A".repeat(43)).await, "invalid_session");
        let answer = by(world.browser().get(path).bearer(&bearer), &"A".repeat(43)).await;
        is_refused(&answer, "invalid_session");
    }
    assert_eq!(ann.get("/me").await.is(200).body, "ann", "and the session is as it was");
}

#[tokio::test]
async fn a_header_and_a_token_of_two_users_are_refused() {
    let world = world().await;
    let (ann, bob) = (token_of(&world, "ann").await, world.token("bob").await);
    for path in ["/me", "/maybe"] {
        let answer = by(world.browser().get(path).bearer(&bob), &ann).await;
        is_refused(&answer, "conflicting_credentials");
    }
    let own = world.token("ann").await;
    let answer = by(world.browser().get("/me").bearer(&own), &ann).await;
    assert_eq!(answer.is(200).body, "ann");
}

#[tokio::test]
async fn a_session_that_was_ended_is_dead_by_every_way() {
    let world = world().await;
    let browser = world.browser();
    let token = browser.login("ann").await.is(200).all(HEADER)[0].to_owned();
    let thief = browser.stolen();
    let _ = browser.post("/logout").await.is(200);
    is_refused(&by(world.browser().get("/me"), &token).await, "invalid_session");

    let token = token_of(&world, "ann").await;
    let _ = by(world.browser().post("/session/flush"), &token).await.is(200);
    is_refused(&by(world.browser().get("/maybe"), &token).await, "invalid_session");
    assert_eq!(thief.get("/maybe").await.is(200).body, "nobody");
}

#[tokio::test]
async fn what_ends_a_users_sessions_ends_those_by_header() {
    let world = world().await;
    let (first, second) = (token_of(&world, "ann").await, token_of(&world, "ann").await);
    let change = json!({ "current": password_of("ann"), "new": "an entirely different secret" });
    let answer = by(world.browser().post("/password").json(change), &first).await.is(200);
    let first = answer.all(HEADER)[0].to_owned();
    is_refused(&by(world.browser().get("/maybe"), &second).await, "invalid_session");
    // By their stamp, where the store still has them.
    world.change("ann", |ann| ann.epoch += 1);
    for path in ["/maybe", "/me"] {
        is_refused(&by(world.browser().get(path), &first).await, "invalid_session");
    }
    let third = world.browser().login_with("ann", "an entirely different secret").await;
    let third = third.is(200).all(HEADER)[0].to_owned();
    world.change("ann", |ann| ann.active = false);
    is_refused(&by(world.browser().get("/maybe"), &third).await, "invalid_session");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_cookie_beside_it() {
    let world = world().await;
    let ann = world.logged_in("ann").await;
    let token = token_of(&world, "ann").await;
    let pages = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    for (name, value) in pages {
        let from = |ask: Ask| ask.header("host", "app.example").header(name, value);
        for path in ["/me", "/maybe", "/cart/note?text=x", "/logout"] {
            let answer = from(ann.post(path)).await;
            assert_eq!(answer.outcome(), (403, "cross_site".into()), "{path}: by cookie");
            // An empty header is none, so it makes nothing good.
            let answer = by(from(ann.post(path)), "").await;
            assert_eq!(answer.outcome(), (403, "cross_site".into()), "{path}: empty");
        }
        for path in ["/me", "/maybe", "/cart/note?text=x"] {
            let answer = by(from(ann.post(path)), &token).await;
            assert_eq!(answer.status, 200, "{path}: no browser sends the header by itself");
            assert_eq!(answer.set_cookie(), None);
            is_refused(&by(from(ann.post(path)), &"A".repeat(43)).await, "invalid_session");
        }
        let answer = from(world.browser().login("ann")).await;
        assert_eq!(answer.outcome(), (403, "cross_site".into()), "it would set the cookie");
        let answer = by(from(world.browser().login("ann")), &"A".repeat(43)).await.is(200);
        assert_eq!(answer.set_cookie(), None, "with a header it sets none");
    }
}

#[tokio::test]
async fn where_there_is_no_cookie_other_sites_have_nothing_to_borrow() {
    let world = World::with(|config| config.session_header(HEADER).without_session_cookie()).await;
    let login = world.browser().login("ann").header("sec-fetch-site", "cross-site").await;
    let token = login.is(200).all(HEADER)[0].to_owned();
    for path in ["/cart/note?text=x", "/logout"] {
        let foreign = world.browser().post(path).header("sec-fetch-site", "cross-site").await;
        assert_eq!(foreign.is(200).set_cookie(), None);
    }
    assert_eq!(by(world.browser().get("/me"), &token).await.is(200).body, "ann");
}

#[tokio::test]
async fn another_type_of_user_is_nobody_and_no_refusal() {
    let world = world().await;
    let root = json!({ "name": "root", "password": password_of("root") });
    let login = world.browser().post("/admin/login").json(root).await.is(200);
    let root = login.all(HEADER)[0].to_owned();
    assert_eq!(by(world.browser().get("/maybe"), &root).await.is(200).body, "nobody");
    is_refused(&by(world.browser().get("/me"), &root).await, "missing_credentials");
    assert_eq!(by(world.browser().get("/admin/me"), &root).await.is(200).body, "root");
}

#[tokio::test]
async fn while_the_store_is_down_nobody_is_anybody() {
    let world = world().await;
    let token = token_of(&world, "ann").await;
    world.sessions.fail(true);
    for token in [&*token, &"A".repeat(43)] {
        for path in ["/me", "/maybe", "/session"] {
            let answer = by(world.browser().get(path), token).await;
            assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
        }
    }
    let answer = by(world.browser().post("/logout"), &token).await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
    world.sessions.fail(false);
    assert_eq!(by(world.browser().get("/me"), &token).await.is(200).body, "ann");
}

#[tokio::test]
async fn the_token_is_neither_logged_nor_told() {
    let logs = Logs::capture();
    let world = world().await;
    let token = token_of(&world, "ann").await;
    let mut answers = vec![by(world.browser().get("/crowd"), &token).await.is(200)];
    answers.push(by(world.browser().get("/sessions"), &token).await.is(200));
    answers.push(by(world.browser().get("/session"), &token).await.is(200));
    world.sessions.fail(true);
    answers.push(by(world.browser().get("/me"), &token).await);
    world.sessions.fail(false);
    let _ = by(world.browser().post("/logout"), &token).await.is(200);
    answers.push(by(world.browser().get("/me"), &token).await);
    answers.push(by(by(world.browser().get("/me"), &token), "x").await);
    for answer in answers {
        assert!(!answer.body.contains(&token), "{answer:?}");
        assert!(!format!("{:?}", answer.headers).contains(&token), "{answer:?}");
    }
    let text = logs.text();
    assert!(text.contains("logged in") && !text.contains(&token), "{text}");
}

#[tokio::test]
async fn the_header_is_marked_as_a_secret_for_whoever_prints_headers() {
    let world = world().await;
    let login = world.browser().login("ann").await.is(200);
    assert!(login.headers[HEADER].is_sensitive());
}

#[tokio::test]
async fn where_it_is_not_configured_the_header_is_not_looked_at() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = ann.cookie().unwrap();
    assert_eq!(by(world.browser().get("/maybe"), &token).await.is(200).body, "nobody");
    assert_eq!(by(ann.get("/me"), &"A".repeat(43)).await.is(200).body, "ann");
    assert!(ann.login("ann").await.is(200).all(HEADER).is_empty());
}
