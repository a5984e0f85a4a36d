//! HTTP Basic: guessing, borrowing a browser's credentials, headers made to be misread.

use auth_poem::{password::PasswordHasher, prelude::*};
use auth_tests::{Answer, Logs, Office, World, world::password_of};
use futures_util::poll;

use crate::enumeration::expensive;

#[track_caller]
fn is_refused(answer: &Answer, code: &str, what: &str) {
    assert_eq!(answer.outcome(), (401, code.into()), "{what}: {answer:?}");
}

#[tokio::test]
async fn whoever_is_wrong_learns_nothing_and_costs_the_same() {
    let office = Office::new().await;
    let mut answers = Vec::new();
    let cases = [
        ("ann", "a guess that is wrong".to_owned()),
        ("zoe", password_of("ann")),
        ("ina", password_of("ina")),
        ("nora", password_of("nora")),
        ("", String::new()),
        ("ann", "x".repeat(3000)),
    ];
    for (name, password) in &cases {
        for path in ["/me", "/maybe"] {
            let before = office.hasher.jobs();
            let answer = office.browser().get(path).basic(name, password).await;
            is_refused(&answer, "wrong_credentials", name);
            assert_eq!(office.hasher.jobs() - before, 1, "{name}");
            answers.push((answer.body, answer.headers));
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_before_any_work() {
    let office = Office::new().await;
    let before = office.hasher.jobs();
    office.reset_calls();
    let headers = [
        "Basic".to_owned(),
        "Basic =".into(),
        "Basic !!!!".into(),
        "Basic YW5u".into(),              // "ann", no colon
        "Basic YW5uOng".into(),           // "ann:x" without its padding
        "Basic YW5uOng= YW5uOng=".into(), // two of them
        "Basic YW5uOng=, Bearer x".into(),
        "Basic YW5u/zp4".into(),     // 0xFF in the name
        "Basic YW5uOv8=".into(),     // 0xFF in the password
        "Basic YW5uADp4".into(),     // NUL in the name
        "Basic YW5uOgA=".into(),     // NUL in the password
        "Basic YW5uDQpYOng=".into(), // a line break
        format!("Basic YW5uOnh4{}", "eHh4".repeat(1024 * 1024 / 4)), // "ann:" and a mebibyte
    ];
    for header in &headers {
        for path in ["/me", "/maybe"] {
            let answer = office.browser().get(path).header("authorization", header).await;
            is_refused(&answer, "malformed_credentials", &header[..header.len().min(40)]);
        }
    }
    assert_eq!(office.hasher.jobs(), before);
    assert_eq!(office.clerks.calls().total(), 0);
}

#[tokio::test]
async fn two_headers_are_refused_and_not_chosen_from() {
    let office = Office::with(|config| config.disable_scheme("bearer")).await;
    let password = password_of("ann");
    let ask = |path: &str| office.browser().get(path).basic("ann", &password);
    for path in ["/me", "/maybe"] {
        for second in ["Basic YW5uOng=", "Bearer x", "Test", ""] {
            let answer = ask(path).header("authorization", second).await;
            is_refused(&answer, "malformed_credentials", second);
        }
        let answer = ask(path).basic("ann", &password).await;
        is_refused(&answer, "malformed_credentials", "the same twice");
    }
}

#[tokio::test]
async fn guesses_count_together_with_those_at_the_login() {
    let office = Office::new().await;
    for _ in 0..3 {
        let answer = office.browser().get("/maybe").basic("ann", "wrong").await;
        is_refused(&answer, "wrong_credentials", "/maybe");
    }
    for _ in 0..2 {
        let answer = office.browser().login_with("ann", "wrong").await;
        is_refused(&answer, "wrong_credentials", "/login");
    }
    let before = office.hasher.jobs();
    for path in ["/me", "/maybe"] {
        let answer = office.browser().get(path).basic("ann", &password_of("ann")).await;
        assert_eq!(answer.outcome(), (429, "too_many_attempts".into()), "{path}");
        assert_eq!(answer.all("retry-after"), ["1"]);
    }
    assert_eq!(office.browser().login("ann").await.status, 429);
    assert_eq!(office.hasher.jobs(), before, "a refused attempt does no work");
    let bob = office.browser().get("/me").basic("bob", &password_of("bob")).await;
    assert_eq!(bob.is(200).body, "bob", "others are not concerned");
    office.clock.advance(Duration::seconds(1));
    let answer = office.browser().get("/me").basic("ann", &password_of("ann")).await;
    assert_eq!(answer.is(200).body, "ann");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_borrow_what_the_browser_remembers() {
    let office = Office::new().await;
    let ask = |method: &str, path: &str| {
        office.browser().ask(method, path).basic("ann", &password_of("ann"))
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        for path in ["/me", "/maybe"] {
            let request = ask("POST", path).header("host", "app.example");
            let answer = request.header(name, value).await;
            assert_eq!(answer.outcome(), (403, "cross_site".into()), "{path} {name} {value}");
            let answer = ask("GET", path).header(name, value).await;
            assert_eq!(answer.is(200).body, "ann", "reading is free, the page cannot see it");
        }
    }
    let own = ask("POST", "/me").header("sec-fetch-site", "same-origin").await;
    assert_eq!(own.is(200).body, "ann");
    assert_eq!(ask("POST", "/me").await.is(200).body, "ann", "no browser");
}

#[tokio::test]
async fn another_credential_of_somebody_else_is_a_conflict() {
    let office = Office::new().await;
    for wait in [false, true] {
        office.sessions.wait(wait);
        let bob = office.logged_in("bob").await;
        for path in ["/me", "/maybe"] {
            let answer = bob.get(path).basic("ann", &password_of("ann")).await;
            is_refused(&answer, "conflicting_credentials", path);
            let answer = bob.get(path).basic("ann", "wrong").await;
            is_refused(&answer, "wrong_credentials", path);
        }
        assert_eq!(bob.get("/me").await.is(200).body, "bob", "the session is as it was");
    }
    let token = office.token("bob").await;
    let twice = office.browser().get("/maybe").bearer(&token);
    let answer = twice.basic("ann", &password_of("ann")).await;
    is_refused(&answer, "malformed_credentials", "two headers");
}

#[tokio::test]
async fn a_dead_session_does_not_spoil_it_and_is_removed() {
    let office = Office::new().await;
    let browser = office.browser();
    browser.plant("__Host-sid", &"A".repeat(43));
    let answer = browser.get("/me").basic("ann", &password_of("ann")).await.is(200);
    assert_eq!(answer.body, "ann");
    assert!(answer.removes_cookie());
}

#[tokio::test]
async fn while_the_store_is_down_nobody_is_anybody() {
    let office = Office::new().await;
    office.clerks.fail(true);
    for _ in 0..10 {
        for password in [password_of("ann"), "wrong".into()] {
            for path in ["/me", "/maybe"] {
                let answer = office.browser().get(path).basic("ann", &password).await;
                assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
            }
        }
    }
    office.clerks.fail(false);
    let answer = office.browser().get("/me").basic("ann", &password_of("ann")).await;
    assert_eq!(answer.status, 200, "a fault is no failed attempt");
}

#[tokio::test]
async fn a_flood_is_told_to_come_back_and_nobody_is_let_in() {
    let hasher = PasswordHasher::dangerous_fast_for_tests().threads(1).queue(0);
    let office = Office::with(|config| config.hasher(hasher.clone())).await;
    // The only thread is busy from here to the end of the test.
    let hash = expensive();
    let mut busy = Box::pin(hasher.verify("x", Some(&hash)));
    assert!(poll!(&mut busy).is_pending());
    for (name, password) in [("ann", password_of("ann")), ("ann", "wrong".into())] {
        for path in ["/me", "/maybe"] {
            let answer = office.browser().get(path).basic(name, &password).await;
            assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
            assert_eq!(answer.all("retry-after"), ["1"]);
        }
    }
    assert!(poll!(&mut busy).is_pending(), "the test proves nothing if the thread was free");
}

#[tokio::test]
async fn a_password_change_ends_it_at_once() {
    let office = Office::new().await;
    let new = office.hasher.hash("an entirely different secret").await.unwrap();
    office.change("ann", |ann| ann.password = Some(new));
    let answer = office.browser().get("/me").basic("ann", &password_of("ann")).await;
    is_refused(&answer, "wrong_credentials", "the old password");
}

#[tokio::test]
async fn name_and_password_are_neither_logged_nor_told() {
    let logs = Logs::capture();
    let office = Office::new().await;
    let header = "YW5uOmEgZ3Vlc3MgdGhhdCBpcyB3cm9uZw==";
    for path in ["/me", "/maybe", "/public"] {
        let answer = office.browser().get(path).basic("ann", "a guess that is wrong").await;
        for secret in ["a guess", header] {
            assert!(!answer.body.contains(secret), "{answer:?}");
            assert!(!format!("{:?}", answer.headers).contains(secret), "{answer:?}");
        }
    }
    let _ = office.browser().get("/me").basic("ann", &password_of("ann")).await.is(200);
    let text = logs.text();
    assert!(text.contains("a login failed"), "{text}");
    for secret in ["a guess", header, "the long password", "YW5uO"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn where_no_user_declares_it_the_header_is_not_looked_at() {
    let world = World::new().await;
    world.reset_calls();
    for header in ["Basic YW5uOng=", "Basic !!!!", "Basic"] {
        let answer = world.browser().get("/maybe").header("authorization", header).await;
        assert_eq!(answer.is(200).body, "nobody", "{header}");
        let answer = world.browser().get("/me").header("authorization", header).await;
        assert_eq!(answer.status, 401, "{header}");
        assert_eq!(answer.all("www-authenticate"), ["Bearer realm=\"auth\""]);
    }
    assert_eq!(world.users.calls().total(), 0);
    let office = Office::new().await;
    let answer = office.browser().get("/public").basic("ann", "wrong").await;
    assert_eq!(answer.is(200).body, "welcome");
    assert_eq!(office.clerks.calls().total(), 0);
}

#[tokio::test]
async fn remembered_passwords_help_nobody_who_does_not_know_them() {
    let office = Office::with(|config| config.cache_basic(Duration::minutes(5))).await;
    let password = password_of("ann");
    let ask = |name: &str, password: &str| office.browser().get("/maybe").basic(name, password);
    let wrong = (401, "wrong_credentials".to_owned());
    assert_eq!(ask("ann", &password).await.is(200).body, "ann");
    let jobs = office.hasher.jobs();
    for (n, (name, text)) in [
        ("ann", "wrong"),
        ("ann", &password[1..]),
        ("bob", &password),
        ("an", &format!("n{password}")),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(ask(name, text).await.outcome(), wrong, "{name} {text}");
        assert_eq!(ask(name, text).await.outcome(), wrong, "{name} {text}");
        assert_eq!(office.hasher.jobs() - jobs, 2 * (n + 1), "a wrong one is hashed each time");
    }
}

#[tokio::test]
async fn what_has_changed_ends_what_is_remembered() {
    let office = Office::with(|config| config.cache_basic(Duration::minutes(5))).await;
    let wrong = (401, "wrong_credentials".to_owned());
    let ask = || office.browser().get("/maybe").basic("ann", &password_of("ann"));
    let old = office.clerk("ann").password;
    let new = office.hasher.hash("an entirely different secret").await.unwrap();
    assert_eq!(ask().await.is(200).body, "ann");
    office.change("ann", |ann| ann.password = Some(new));
    assert_eq!(ask().await.outcome(), wrong, "another password");
    office.change("ann", |ann| ann.password = None);
    assert_eq!(ask().await.outcome(), wrong, "no password");
    office.change("ann", |ann| ann.password = old);
    assert_eq!(ask().await.is(200).body, "ann");
    office.change("ann", |ann| ann.active = false);
    assert_eq!(ask().await.outcome(), wrong, "not active");
    office.change("ann", |ann| ann.active = true);
    assert_eq!(ask().await.is(200).body, "ann");
    office.change("ann", |ann| ann.name = "anna".into());
    assert_eq!(ask().await.outcome(), wrong, "another name");
    office.change("anna", |ann| ann.name = "ann".into());
    office.clerks.fail(true);
    assert_eq!(ask().await.outcome(), (503, "unavailable".into()));
}
