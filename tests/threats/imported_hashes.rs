//! Hashes of an older system: nothing about them helps whoever has stolen or guesses them.

use auth_poem::{
    password::{LegacyHash, PasswordHasher},
    prelude::*,
};
use auth_tests::{Logs, Office};

/// A system that kept passwords as they are: the worst form that there is.
struct AsItIs;

impl LegacyHash for AsItIs {
    fn verify(&self, password: &str, stored: &str) -> Option<bool> {
        (stored != "unknown form").then(|| password == stored)
    }
}

async fn office() -> (Office, PasswordHasher) {
    let hasher = PasswordHasher::dangerous_fast_for_tests().threads(1).accept(AsItIs);
    (Office::with(|config| config.hasher(hasher.clone())).await, hasher)
}

#[tokio::test]
async fn a_stolen_hash_is_no_password() {
    let (office, _) = office().await;
    let stolen = office.clerk("ann").password.unwrap().expose().to_owned();
    for browser in [office.browser(), office.logged_in("ann").await] {
        let answer = browser.login_with("ann", &stolen).await;
        assert_eq!(answer.outcome(), (401, "wrong_credentials".into()));
    }
    let answer = office.browser().get("/me").basic("ann", &stolen).await;
    assert_eq!(answer.outcome(), (401, "wrong_credentials".into()));
}

#[tokio::test]
async fn an_empty_column_is_no_password() {
    let (office, _) = office().await;
    office.change("ann", |ann| ann.password = Some(PasswordHash::from_stored("")));
    for ask in
        [office.browser().login_with("ann", ""), office.browser().get("/me").basic("ann", "")]
    {
        assert_eq!(ask.await.outcome(), (401, "wrong_credentials".into()));
    }
}

#[tokio::test]
async fn users_with_an_old_hash_are_as_unknown_as_others() {
    let (office, hasher) = office().await;
    office.change("bob", |bob| bob.password = Some(PasswordHash::from_stored("bobs old one")));
    office.change("zoë", |zoe| zoe.password = Some(PasswordHash::from_stored("unknown form")));
    let logs = Logs::capture();
    let mut bodies = Vec::new();
    for name in ["ann", "bob", "zoë", "nobody"] {
        let before = hasher.jobs();
        let answer = office.browser().login_with(name, "a guess that is wrong").await;
        assert_eq!(answer.outcome(), (401, "wrong_credentials".into()), "{name}");
        assert_eq!(hasher.jobs() - before, 1, "{name}");
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    let text = logs.text();
    assert!(text.contains("a stored password hash cannot be used"), "{text}");
    for secret in ["bobs old one", "unknown form", "a guess"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn a_form_that_panics_is_a_fault_and_lets_nobody_in() {
    struct Broken;
    impl LegacyHash for Broken {
        fn verify(&self, _: &str, _: &str) -> Option<bool> {
            panic!("broken")
        }
    }
    let hasher = PasswordHasher::dangerous_fast_for_tests().threads(1).accept(Broken);
    let office = Office::with(|config| config.hasher(hasher)).await;
    office.change("ann", |ann| ann.password = Some(PasswordHash::from_stored("old")));
    for _ in 0..3 {
        let answer = office.browser().login_with("ann", "old").await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()));
    }
    let _ = office.logged_in("bob").await;
}
