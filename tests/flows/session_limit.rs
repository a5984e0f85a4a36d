//! How many sessions a user may have at once.

use auth_core::testing::FailingSessions;
use auth_poem::prelude::*;
use auth_tests::{Answer, Browser, User, World, world};
use poem_openapi::payload::PlainText;
use serde_json::Value;

async fn at_most(max: u32, full: WhenFull) -> World {
    World::with(|config| config.session_limit(max, full)).await
}

/// How many sessions a user has.
async fn sessions(browser: &Browser) -> usize {
    let handles: Vec<Uuid> =
        serde_json::from_str(&browser.get("/sessions").await.is(200).body).unwrap();
    handles.len()
}

#[track_caller]
fn is_refused(answer: &Answer) {
    assert_eq!(answer.outcome(), (409, "too_many_sessions".into()), "{answer:?}");
    assert_eq!(answer.set_cookie(), None, "{answer:?}");
}

#[tokio::test]
async fn the_oldest_session_ends() {
    let world = at_most(2, WhenFull::EndOldest).await;
    let mut browsers = Vec::new();
    for _ in 0..4 {
        browsers.push(world.logged_in("ann").await);
        world.wait(Duration::minutes(1));
    }
    for (number, browser) in browsers.iter().enumerate() {
        let expected = if number < 2 { 401 } else { 200 };
        assert_eq!(browser.get("/me").await.status, expected, "{number}");
    }
    let bob = world.logged_in("bob").await;
    assert_eq!((sessions(&bob).await, sessions(&browsers[3]).await), (1, 2), "each has his own");
}

#[tokio::test]
async fn a_login_is_refused_until_there_is_room() {
    let world = at_most(2, WhenFull::Refuse).await;
    let (one, two) = (world.logged_in("ann").await, world.logged_in("ann").await);
    let last_login = world.user("ann").last_login;
    world.wait(Duration::minutes(1));
    let three = world.browser();
    is_refused(&three.login("ann").await);
    assert_eq!(three.get("/maybe").await.is(200).body, "nobody");
    assert_eq!(world.user("ann").last_login, last_login, "nobody has logged in");
    assert_eq!(sessions(&two).await, 2);

    let _ = one.post("/logout").await.is(200);
    assert_eq!(three.login("ann").await.is(200).body, "ann");
    assert_eq!(three.get("/me").await.is(200).body, "ann");
    is_refused(&one.login("ann").await);

    // What has expired does not count.
    world.wait(Duration::minutes(31));
    let _ = one.login("ann").await.is(200);
}

#[tokio::test]
async fn who_does_not_know_the_password_is_not_told_of_sessions() {
    let world = at_most(1, WhenFull::Refuse).await;
    let _ = world.logged_in("ann").await;
    let answer = world.browser().login_with("ann", "a wrong password").await;
    assert_eq!(answer.outcome(), (401, "wrong_credentials".into()));
}

#[tokio::test]
async fn a_login_in_the_same_browser_replaces_the_session_there() {
    for full in [WhenFull::Refuse, WhenFull::EndOldest] {
        let world = at_most(2, full).await;
        let (other, ann) = (world.logged_in("ann").await, world.logged_in("ann").await);
        for _ in 0..3 {
            let thief = ann.stolen();
            let _ = ann.login("ann").await.is(200);
            assert_eq!(thief.get("/me").await.status, 401, "the old key is dead");
            assert_eq!(ann.get("/me").await.is(200).body, "ann");
            assert_eq!(other.get("/me").await.is(200).body, "ann", "{full:?}");
        }
    }
}

#[tokio::test]
async fn a_new_key_and_a_new_password_are_no_new_sessions() {
    for full in [WhenFull::Refuse, WhenFull::EndOldest] {
        let world = at_most(2, full).await;
        let (other, ann) = (world.logged_in("ann").await, world.logged_in("ann").await);
        let _ = ann.post("/session/cycle").await.is(200);
        assert_eq!(other.get("/me").await.is(200).body, "ann", "{full:?}");
        assert_eq!(sessions(&ann).await, 2);
        let passwords = serde_json::json!({
            "current": world::password_of("ann"), "new": "eleven green elephants",
        });
        let _ = ann.post("/password").json(passwords).await.is(200);
        assert_eq!(ann.get("/me").await.is(200).body, "ann", "{full:?}");
        assert_eq!(sessions(&ann).await, 1);
    }
}

#[tokio::test]
async fn a_refused_login_leaves_the_session_as_it_was() {
    let world = at_most(1, WhenFull::Refuse).await;
    let _ = world.logged_in("ann").await;
    let visitor = world.browser();
    let _ = visitor.post("/cart/note?text=shoes").await.is(200);
    is_refused(&visitor.login("ann").await);
    assert!(visitor.get("/session").await.is(200).body.contains("shoes"));

    let bob = world.logged_in("bob").await;
    let _ = bob.post("/cart/note?text=hats").await.is(200);
    is_refused(&bob.login("ann").await);
    assert_eq!(bob.get("/me").await.is(200).body, "bob");
    assert!(bob.get("/session").await.is(200).body.contains("hats"));
}

#[tokio::test]
async fn data_of_a_visitor_goes_with_the_login_and_moves_once() {
    let world = at_most(3, WhenFull::Refuse).await;
    let visitor = world.browser();
    let _ = visitor.post("/cart/note?text=shoes").await.is(200);
    let twin = visitor.stolen();
    let _ = visitor.login("ann").await.is(200);
    assert!(visitor.get("/session").await.is(200).body.contains("shoes"));
    let _ = twin.login("bob").await.is(200);
    assert!(!twin.get("/session").await.is(200).body.contains("shoes"));
}

#[tokio::test]
async fn of_two_logins_at_the_same_moment_one_gets_in() {
    let world = at_most(1, WhenFull::Refuse).await;
    for _ in 0..5 {
        let (one, two) = (world.browser(), world.browser());
        let (first, second) = tokio::join!(one.login("ann"), two.login("ann"));
        let mut statuses = [first.status, second.status];
        statuses.sort();
        assert_eq!(statuses, [200, 409]);
        for browser in [one, two] {
            let _ = browser.post("/logout").await.is(200);
        }
    }
}

#[tokio::test]
async fn a_login_that_fails_for_another_reason_takes_no_place() {
    let world = at_most(1, WhenFull::Refuse).await;
    let ann = world.browser();
    // The time of the login cannot be noted.
    world.users.fail(true);
    assert_eq!(ann.post("/signup/ann").await.outcome(), (503, "unavailable".into()));
    world.users.fail(false);
    assert_eq!(ann.get("/maybe").await.is(200).body, "nobody");
    let _ = ann.login("ann").await.is(200);
}

#[tokio::test]
async fn a_store_that_is_down_is_no_limit() {
    for full in [WhenFull::Refuse, WhenFull::EndOldest] {
        let world = at_most(1, full).await;
        let ann = world.browser();
        world.sessions.fail(true);
        assert_eq!(ann.login("ann").await.outcome(), (503, "unavailable".into()), "{full:?}");
        world.sessions.fail(false);
        let _ = ann.login("ann").await.is(200);
    }
}

struct Twice;

#[auth_api]
impl Twice {
    /// Logs in, and in again.
    #[public]
    #[oai(path = "/twice", method = "post")]
    async fn twice(&self, auth: Auth<User>) -> auth_poem::Result<PlainText<&'static str>> {
        for _ in 0..2 {
            let login = auth.login("ann", &world::password_of("ann")).await?;
            login.ok_or(Rejection::WrongCredentials)?;
        }
        Ok(PlainText("twice"))
    }

    #[oai(path = "/me", method = "get")]
    async fn me(&self, user: User) -> PlainText<String> {
        PlainText(user.username)
    }
}

#[tokio::test]
async fn two_logins_in_one_request_are_one_session() {
    for full in [WhenFull::Refuse, WhenFull::EndOldest] {
        let sessions = FailingSessions::new(MemorySessions::new());
        let kept = sessions.clone();
        let world = World::with(|config| config.sessions(sessions).session_limit(1, full)).await;
        let browser = World::serve(world.auth.openapi(Twice, "Twice", "1.0"));
        for _ in 0..2 {
            assert_eq!(browser.post("/twice").await.is(200).body, "twice", "{full:?}");
            assert_eq!(browser.get("/me").await.is(200).body, "ann");
        }
        assert!(kept.calls().create >= 2);
    }
}

#[tokio::test]
async fn the_document_says_so_where_a_login_may_be_refused() {
    for (full, expected) in [(WhenFull::Refuse, true), (WhenFull::EndOldest, false)] {
        let world = at_most(1, full).await;
        let document = world.auth.openapi(world.apis(), "Tests", "1.0").spec();
        let document: Value = serde_json::from_str(&document).unwrap();
        let has = |path: &str, method: &str| {
            document["paths"][path][method]["responses"]["409"].is_object()
        };
        assert_eq!(has("/login", "post"), expected, "{full:?}");
        assert!(!has("/me", "get"), "nobody logs in there");
    }
}

#[test]
fn a_limit_that_makes_no_sense_is_found_when_the_application_starts() {
    let problems = |config: AuthConfig| config.build().unwrap_err().problems().to_vec().join("\n");
    let sessions = AuthConfig::new().sessions(MemorySessions::new());
    let zero = problems(sessions.session_limit(0, WhenFull::EndOldest));
    assert!(zero.contains("session_limit was called with 0"), "{zero}");
    let none = problems(AuthConfig::new().session_limit(1, WhenFull::Refuse));
    assert!(none.contains("AuthConfig::sessions was not"), "{none}");
}
