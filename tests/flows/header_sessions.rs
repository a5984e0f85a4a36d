//! Sessions whose token travels in a header, for clients that keep it themselves.

use auth_poem::prelude::*;
use auth_tests::{Answer, Browser, Office, World, browser::Ask, world::password_of};
use serde_json::json;

const HEADER: &str = "x-session-id";

async fn world() -> World {
    World::with(|config| config.session_header(HEADER)).await
}

async fn without_cookie() -> World {
    World::with(|config| config.session_header(HEADER).without_session_cookie()).await
}

/// The token that an answer hands over, or nothing.
#[track_caller]
fn handed(answer: &Answer) -> Option<String> {
    let all = answer.all(HEADER);
    assert!(all.len() <= 1, "{all:?}");
    all.first().map(|token| (*token).to_owned())
}

/// The token of a user who has logged in.
async fn logged_in(world: &World, name: &str) -> String {
    handed(&world.browser().login(name).await.is(200)).unwrap()
}

fn by(ask: Ask, token: &str) -> Ask {
    ask.header(HEADER, token)
}

#[tokio::test]
async fn a_login_is_answered_with_cookie_and_header_and_either_is_enough() {
    for wait in [false, true] {
        let world = world().await;
        if wait {
            world.stores_wait();
        }
        let browser = world.browser();
        let login = browser.login("ann").await.is(200);
        let token = handed(&login).unwrap();
        assert_eq!(browser.cookie().unwrap(), token, "one session");
        assert_eq!(browser.get("/me").await.is(200).body, "ann");
        let stranger = world.browser();
        for path in ["/me", "/maybe"] {
            let answer = by(stranger.get(path), &token).await.is(200);
            assert_eq!(answer.body, "ann");
            assert_eq!((handed(&answer), answer.set_cookie()), (None, None), "nothing is new");
        }
    }
}

#[tokio::test]
async fn a_client_with_a_header_is_answered_by_header_only() {
    let world = world().await;
    let first = logged_in(&world, "ann").await;
    let client = world.browser();

    let cycled = by(client.post("/session/cycle"), &first).await.is(200);
    let second = handed(&cycled).unwrap();
    let again = by(client.login("ann"), &second).await.is(200);
    let third = handed(&again).unwrap();
    let change = json!({ "current": password_of("ann"), "new": "an entirely different secret" });
    let changed = by(client.post("/password").json(change), &third).await.is(200);
    let fourth = handed(&changed).unwrap();
    for answer in [&cycled, &again, &changed] {
        assert_eq!(answer.set_cookie(), None);
    }
    for old in [first, second, third] {
        let answer = by(client.get("/me"), &old).await;
        assert_eq!(answer.outcome(), (401, "invalid_session".into()));
    }
    assert_eq!(by(client.get("/me"), &fourth).await.is(200).body, "ann");
}

#[tokio::test]
async fn a_session_that_came_by_cookie_goes_on_by_cookie() {
    let world = world().await;
    let ann = world.logged_in("ann").await;
    let before = ann.cookie();
    let cycled = ann.post("/session/cycle").await.is(200);
    assert_eq!(handed(&cycled), None, "no script gets to see it");
    assert!(ann.cookie().is_some() && ann.cookie() != before);
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn an_anonymous_session_starts_and_goes_on_by_header() {
    for path in ["/cart/note?text=shoes", "/cart/add"] {
        let world = without_cookie().await;
        let client = world.browser();
        let started = client.post(path).await.is(200);
        assert_eq!(started.set_cookie(), None);
        let token = handed(&started).unwrap();
        let shown = by(client.get("/session"), &token).await.is(200);
        assert_eq!(shown.json()["exists"], true);
        assert_eq!(handed(&shown), None, "the token stays the same");
        let more = by(client.post("/cart/note?text=boots"), &token).await.is(200);
        assert_eq!(handed(&more), None);
        let shown = by(client.get("/session"), &token).await;
        assert_eq!(shown.json()["note"], "boots");

        let login = by(client.login("ann"), &token).await.is(200);
        let token = handed(&login).unwrap();
        let shown = by(client.get("/session"), &token).await;
        assert_eq!(shown.json()["note"], "boots", "as with a cookie");
    }
}

#[tokio::test]
async fn without_the_cookie_there_is_no_cookie() {
    let world = without_cookie().await;
    let client = world.browser();
    let login = client.login("ann").await.is(200);
    assert_eq!(login.set_cookie(), None);
    let token = handed(&login).unwrap();
    // One of this name and value is somebody else's, and nothing to us.
    client.plant("__Host-sid", &token);
    let answer = client.get("/me").await;
    assert_eq!(answer.outcome(), (401, "missing_credentials".into()));
    assert_eq!(answer.set_cookie(), None);
    assert_eq!(client.get("/maybe").await.is(200).body, "nobody");
    let answer = by(client.post("/logout"), &token).await.is(200);
    assert_eq!(answer.set_cookie(), None);
}

#[tokio::test]
async fn the_header_wins_over_the_cookie_which_stays() {
    let world = world().await;
    let ann = world.logged_in("ann").await;
    let cookie = ann.cookie();
    let bob = logged_in(&world, "bob").await;
    for path in ["/me", "/maybe"] {
        let answer = by(ann.get(path), &bob).await.is(200);
        assert_eq!(answer.body, "bob");
        assert_eq!(answer.set_cookie(), None);
    }
    let answer = by(ann.post("/logout"), &bob).await.is(200);
    assert_eq!(answer.set_cookie(), None);
    assert_eq!(by(world.browser().get("/me"), &bob).await.code(), "invalid_session");
    assert_eq!(ann.cookie(), cookie);
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn an_empty_header_is_none() {
    let world = world().await;
    let ann = world.logged_in("ann").await;
    for empty in ["", " "] {
        assert_eq!(by(ann.get("/me"), empty).await.is(200).body, "ann", "by cookie");
        assert_eq!(by(world.browser().get("/maybe"), empty).await.is(200).body, "nobody");
        let answer = by(world.browser().get("/me"), empty).await;
        assert_eq!(answer.outcome(), (401, "missing_credentials".into()));
    }
    let login = by(world.browser().login("ann"), "").await.is(200);
    assert!(handed(&login).is_some() && login.set_cookie().is_some());
}

#[tokio::test]
async fn sessions_by_header_end_when_their_time_is_over() {
    let world = without_cookie().await;
    let token = logged_in(&world, "ann").await;
    for _ in 0..3 {
        world.wait(Duration::minutes(20));
        assert_eq!(by(world.browser().get("/me"), &token).await.is(200).body, "ann");
    }
    world.wait(Duration::minutes(31));
    let answer = by(world.browser().get("/me"), &token).await;
    assert_eq!(answer.outcome(), (401, "invalid_session".into()));
}

#[tokio::test]
async fn a_session_that_is_prolonged_tells_a_header_client_nothing_new() {
    let every = Expiry { save_every_request: true, ..Expiry::default() };
    let world = World::with(|config| config.session_header(HEADER).expiry(every)).await;
    let browser = world.browser();
    let token = handed(&browser.login("ann").await).unwrap();
    let answer = by(world.browser().get("/me"), &token).await.is(200);
    assert_eq!((handed(&answer), answer.set_cookie()), (None, None));
    let answer = browser.get("/me").await.is(200);
    assert!(handed(&answer).is_none() && answer.set_cookie().is_some());
}

#[tokio::test]
async fn a_login_tells_the_operation_which_session_it_started() {
    let issued = async |office: &Office, browser: &Browser| {
        let login = browser.login("ann").await.is(200);
        let token = login.json()["token"].as_str().map(str::to_owned);
        let list = browser.get("/sessions");
        let list = match &token {
            Some(token) => by(list, token).await,
            None => list.await,
        };
        assert_eq!(list.is(200).json()[0], login.json()["handle"], "{office:?}");
        assert_eq!(token, handed(&login), "the same in the header");
        token
    };
    let office = Office::with(|config| config.session_header(HEADER)).await;
    assert!(issued(&office, &office.browser()).await.is_some());
    let office = Office::new().await;
    assert_eq!(issued(&office, &office.browser()).await, None, "it is in the cookie only");
}

#[tokio::test]
async fn caches_are_told_on_which_headers_an_answer_depends() {
    let both = world().await;
    let header = without_cookie().await;
    for (world, vary) in [(&both, "x-session-id, cookie"), (&header, "x-session-id")] {
        assert_eq!(world.browser().get("/maybe").await.all("vary"), [vary]);
        assert_eq!(world.browser().get("/session").await.all("vary"), [vary]);
        assert!(world.browser().get("/public").await.all("vary").is_empty());
    }
}

#[tokio::test]
async fn a_public_operation_costs_no_store_call() {
    let world = world().await;
    let token = logged_in(&world, "ann").await;
    world.reset_calls();
    assert_eq!(by(world.browser().get("/public"), &token).await.is(200).body, "welcome");
    assert_eq!(world.sessions.calls().total(), 0);
}

#[tokio::test]
async fn the_document_names_the_ways_that_are_open() {
    let both = Office::with(|config| config.session_header(HEADER)).await;
    let only = Office::with(|config| config.session_header(HEADER).without_session_cookie()).await;
    let neither = Office::new().await;
    let schemes = |office: &Office| office.document["components"]["securitySchemes"].clone();
    let header = &schemes(&both)["session_header"];
    assert_eq!(
        (&header["type"], &header["in"], &header["name"]),
        (&json!("apiKey"), &json!("header"), &json!(HEADER))
    );
    assert_eq!(schemes(&both)["session"]["in"], "cookie");
    assert!(schemes(&only)["session"].is_null() && schemes(&only)["session_header"].is_object());
    assert!(schemes(&neither)["session_header"].is_null());

    let security =
        |office: &Office, path: &str| office.document["paths"][path]["get"]["security"].clone();
    let (basic, cookie, header, bearer) = (
        json!({"basic": []}),
        json!({"session": []}),
        json!({"session_header": []}),
        json!({"bearer": []}),
    );
    assert_eq!(security(&both, "/me"), json!([basic, cookie, header, bearer]));
    assert_eq!(security(&both, "/maybe"), json!([basic, cookie, header, bearer, {}]));
    assert_eq!(security(&only, "/me"), json!([basic, header, bearer]));
    assert_eq!(security(&neither, "/me"), json!([basic, cookie, bearer]));

    // An operation on session data refuses a header that names none, a cookie it does not.
    let refuses = |office: &Office, status: &str| {
        office.document["paths"]["/note"]["post"]["responses"][status].is_object()
    };
    assert!(refuses(&both, "401") && refuses(&only, "401") && !refuses(&neither, "401"));
    assert!(refuses(&both, "403") && !refuses(&only, "403") && refuses(&neither, "403"));
}

#[test]
fn a_header_that_means_something_else_and_no_way_at_all_are_refused_at_the_start() {
    let problems = |config: AuthConfig| match config.sessions(MemorySessions::new()).build() {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().to_vec(),
    };
    let config = AuthConfig::new;
    assert_eq!(problems(config().session_header("X-Session-Id")), [""; 0]);
    assert_eq!(problems(config().session_header(HEADER).without_session_cookie()), [""; 0]);
    let cases = [
        (config().without_session_cookie(), "call AuthConfig::session_header too"),
        (config().session_header("x session"), "the session header cannot be named \"x session\""),
        (config().session_header("Authorization"), "name it as in `x-session-id`"),
        (config().session_header("cookie").without_session_cookie(), "cannot be `cookie`"),
    ];
    for (config, expected) in cases {
        let problems = problems(config);
        assert_eq!(problems.len(), 1, "{expected}: {problems:?}");
        assert!(problems[0].contains(expected), "{expected}: {problems:?}");
    }
}
