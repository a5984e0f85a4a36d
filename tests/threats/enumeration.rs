//! Finding out who has an account.

use auth_poem::{
    password::{PasswordHash, PasswordHasher},
    prelude::*,
};
use auth_tests::{World, world::password_of};
use futures_util::poll;

/// Every reason why a login fails.
const REASONS: [(&str, &str, &str); 6] = [
    ("unknown", "zoe", "zoe"),
    ("wrong password", "ann", "bob"),
    ("inactive", "ina", "ina"),
    ("without a password", "nora", "nora"),
    ("ambiguous", "twin@example.org", "twin@example.org"),
    ("inactive and wrong", "ina", "bob"),
];

#[tokio::test]
async fn whyever_a_login_fails_the_answer_is_the_same() {
    let world = World::new().await;
    let mut answers = Vec::new();
    for (reason, name, password_owner) in REASONS {
        for path in ["/login", "/token"] {
            let login =
                serde_json::json!({ "name": name, "password": password_of(password_owner) });
            let answer = world.browser().post(path).json(login).await;
            assert_eq!(answer.outcome(), (401, "wrong_credentials".into()), "{reason}");
            let mut headers: Vec<_> =
                answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            headers.sort();
            answers.push((reason, answer.body, headers));
        }
    }
    for (reason, body, headers) in &answers {
        assert_eq!((body, headers), (&answers[0].1, &answers[0].2), "{reason}");
    }
}

#[tokio::test]
async fn whyever_a_login_fails_the_work_is_the_same() {
    let hasher = PasswordHasher::dangerous_fast_for_tests().threads(1);
    let world = World::with(|config| config.hasher(hasher.clone())).await;
    for (reason, name, password_owner) in REASONS {
        world.reset_calls();
        let hashes = hasher.jobs();
        let _ = world.browser().login_with(name, &password_of(password_owner)).await.is(401);
        assert_eq!(hasher.jobs() - hashes, 1, "{reason}");
        let calls = world.users.calls();
        assert_eq!((calls.by_login, calls.total()), (1, 1), "{reason}");
        assert_eq!(world.sessions.calls().total(), 0, "{reason}");
    }
}

/// A hash that takes a second or more: as much as is ever verified.
pub(crate) fn expensive() -> PasswordHash {
    let (salt, tag) = ("A".repeat(22), "A".repeat(43));
    PasswordHash::from_stored(format!("$argon2id$v=19$m=131072,t=8,p=1${salt}${tag}"))
}

#[tokio::test]
async fn an_overload_says_nothing_about_anybody_either() {
    let hasher = PasswordHasher::dangerous_fast_for_tests().threads(1).queue(0);
    let world = World::with(|config| config.hasher(hasher.clone())).await;
    // The only thread is busy from here to the end of the test.
    let hash = expensive();
    let mut busy = Box::pin(hasher.verify("x", Some(&hash)));
    assert!(poll!(&mut busy).is_pending());
    for (reason, name, password_owner) in REASONS {
        let answer = world.browser().login_with(name, &password_of(password_owner)).await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()), "{reason}");
        assert_eq!(answer.all("retry-after"), ["1"], "{reason}");
    }
    assert!(poll!(&mut busy).is_pending(), "the test proves nothing if the thread was free");
}

#[tokio::test]
async fn a_name_that_means_two_users_is_refused_and_not_guessed() {
    let world = World::new().await;
    // Right for the one whose name it is, right for the one whose address it is: no.
    for owner in ["twin@example.org", "other"] {
        let answer = world.browser().login_with("twin@example.org", &password_of(owner)).await;
        assert_eq!(answer.outcome(), (401, "wrong_credentials".into()));
    }
    let password = password_of("twin@example.org");
    assert_eq!(world.browser().login_with("one@example.org", &password).await.status, 200);
    assert_eq!(world.browser().login("other").await.status, 200);
}

#[tokio::test]
async fn an_empty_or_overlong_password_is_a_wrong_password() {
    let world = World::new().await;
    for name in ["ann", "nora", "zoe"] {
        for password in ["", &"x".repeat(1025), &"x".repeat(1 << 20), "a\0b"] {
            let answer = world.browser().login_with(name, password).await;
            assert_eq!(answer.outcome(), (401, "wrong_credentials".into()), "{name}");
        }
    }
}

#[tokio::test]
async fn a_dead_session_and_an_unknown_one_are_refused_alike() {
    let world = World::new().await;
    let expired = world.logged_in("ann").await;
    world.wait(Duration::hours(1));
    let unknown = world.browser();
    unknown.plant("__Host-sid", &"A".repeat(43));
    let (expired, unknown) = (expired.get("/me").await, unknown.get("/me").await);
    assert_eq!(expired.body, unknown.body);
    assert_eq!(expired.headers, unknown.headers);
}
