//! Users who come from a system with other password hashes.

use auth_poem::{password::LegacyHash, prelude::*};
use auth_tests::{Office, world::fast_hasher};
use aws_lc_rs::digest::{SHA256, digest};

/// Unsalted SHA-256 in hexadecimal.
struct Sha256Hex;

impl LegacyHash for Sha256Hex {
    fn verify(&self, password: &str, stored: &str) -> Option<bool> {
        (stored.len() == 64).then(|| hex(password) == stored)
    }
}

fn hex(password: &str) -> String {
    let digest = digest(&SHA256, password.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn imported() -> Office {
    let office = Office::with(|config| config.hasher(fast_hasher().accept(Sha256Hex))).await;
    office.change("ann", |ann| {
        ann.password = Some(PasswordHash::from_stored(hex("a password from before")));
    });
    office
}

fn stored(office: &Office) -> String {
    office.clerk("ann").password.unwrap().expose().to_owned()
}

#[tokio::test]
async fn the_first_login_replaces_the_old_hash() {
    let office = imported().await;
    assert_eq!(office.browser().login_with("ann", "wrong").await.status, 401);
    assert_eq!(stored(&office), hex("a password from before"));

    let ann = office.browser();
    let _ = ann.login_with("ann", "a password from before").await.is(200);
    let new = stored(&office);
    assert!(new.starts_with("$argon2id$"), "{new}");
    assert_eq!(ann.get("/me").await.is(200).body, "ann", "the session carries the new stamp");

    let _ = office.browser().login_with("ann", "a password from before").await.is(200);
    assert_eq!(stored(&office), new, "once is enough");
    assert_eq!(office.browser().login_with("ann", "wrong").await.status, 401);
}

#[tokio::test]
async fn so_does_the_first_request_by_http_basic() {
    let office = imported().await;
    for _ in 0..2 {
        let answer = office.browser().get("/me").basic("ann", "a password from before").await;
        assert_eq!(answer.is(200).body, "ann");
        assert!(stored(&office).starts_with("$argon2id$"));
    }
}

#[tokio::test]
async fn users_with_hashes_of_both_kinds_live_side_by_side() {
    let office = imported().await;
    let _ = office.logged_in("bob").await;
    let _ = office.browser().login_with("ann", "a password from before").await.is(200);
}
