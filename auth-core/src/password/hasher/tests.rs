use super::*;

fn fast() -> PasswordHasher {
    PasswordHasher::dangerous_fast_for_tests()
}

#[tokio::test]
async fn the_default_is_what_the_documentation_says() {
    let hash = PasswordHasher::default().hash("correct horse battery staple").await.unwrap();
    let fields: Vec<_> = hash.expose().split('$').collect();
    assert_eq!(fields[1..4], ["argon2id", "v=19", "m=19456,t=2,p=1"]);
    // 16 and 32 bytes in base64 without padding.
    assert_eq!((fields[4].len(), fields[5].len()), (22, 43));
}

#[tokio::test]
async fn a_password_verifies_exactly_as_it_was_given() {
    let hasher = fast();
    let long = format!("{}a{}", "x".repeat(150), "y".repeat(800));
    for password in ["  pässwörd…  ", "a\0b", "🦀🦀", "", &long] {
        let hash = hasher.hash(password).await.unwrap();
        let verdict = hasher.verify(password, Some(&hash)).await.unwrap();
        assert_eq!(verdict, Verdict::Right { outdated: false });
        let cut = |n: usize| password.chars().take(n).collect::<String>();
        for other in [
            password.trim().to_owned(),
            password.to_uppercase(),
            cut(1),
            cut(72),
            password.replace('a', "b"),
            format!("{password} "),
        ] {
            if other != password {
                let verdict = hasher.verify(&other, Some(&hash)).await.unwrap();
                assert_eq!(verdict, Verdict::Wrong, "{other:?}");
            }
        }
    }
}

#[tokio::test]
async fn two_hashes_of_one_password_differ() {
    let hasher = fast();
    assert_ne!(hasher.hash("x").await.unwrap(), hasher.hash("x").await.unwrap());
}

#[tokio::test]
async fn nothing_verifies_without_a_usable_hash() {
    let hasher = fast();
    let broken = PasswordHash::from_stored("not a hash");
    for password in ["", "x", "not a hash"] {
        assert_eq!(hasher.verify(password, None).await.unwrap(), Verdict::Wrong);
        assert_eq!(hasher.verify(password, Some(&broken)).await.unwrap(), Verdict::Wrong);
    }
}

#[tokio::test]
async fn an_overlong_password_is_wrong_and_never_hashed() {
    let hasher = fast();
    let longest = "x".repeat(MAX_PASSWORD_BYTES);
    let hash = hasher.hash(&longest).await.unwrap();
    let verdict = hasher.verify(&longest, Some(&hash)).await.unwrap();
    assert_eq!(verdict, Verdict::Right { outdated: false });
    let longer = format!("{longest}x");
    assert_eq!(hasher.verify(&longer, Some(&hash)).await.unwrap(), Verdict::Wrong);
    assert!(matches!(hasher.hash(&longer).await, Err(Error::Misconfigured(_))));
}

#[tokio::test]
async fn a_hash_of_lower_cost_is_outdated() {
    let hash = fast().hash("x").await.unwrap();
    let verdict = PasswordHasher::default().verify("x", Some(&hash)).await.unwrap();
    assert_eq!(verdict, Verdict::Right { outdated: true });
}

#[tokio::test]
async fn a_full_queue_is_an_error_not_a_wrong_password() {
    use futures_util::future::join_all;
    let hasher = PasswordHasher::default().threads(1).queue(2);
    let results = join_all((0..8).map(|_| hasher.verify("x", None))).await;
    let overloaded =
        results.iter().filter(|result| matches!(result, Err(Error::Overloaded { .. }))).count();
    assert!(overloaded >= 1, "{results:?}");
    assert!(results.iter().flatten().all(|verdict| *verdict == Verdict::Wrong));
}

#[test]
fn a_cost_below_owasp_is_refused() {
    for (memory_kib, iterations) in Argon2Cost::MINIMA {
        let cost = Argon2Cost { memory_kib, iterations, parallelism: 1 };
        assert!(PasswordHasher::new(cost).is_ok());
        for cost in [
            Argon2Cost { memory_kib: memory_kib - 1, ..cost },
            Argon2Cost { iterations: iterations - 1, ..cost },
        ] {
            assert!(matches!(PasswordHasher::new(cost), Err(Error::Misconfigured(_))));
        }
    }
    let no_lanes = Argon2Cost { parallelism: 0, ..Argon2Cost::default() };
    assert!(matches!(PasswordHasher::new(no_lanes), Err(Error::Misconfigured(_))));
}

/// Keeps passwords as they are, behind a mark.
struct Plain;

impl LegacyHash for Plain {
    fn verify(&self, password: &str, stored: &str) -> Option<bool> {
        assert!(!stored.starts_with("$argon2") && !stored.is_empty(), "not for these eyes");
        Some(stored.strip_prefix("plain:")? == password)
    }
}

/// Takes whatever is stored for the password.
struct AsItIs;

impl LegacyHash for AsItIs {
    fn verify(&self, password: &str, stored: &str) -> Option<bool> {
        Some(password == stored)
    }
}

#[tokio::test]
async fn a_hash_of_an_older_form_is_right_and_outdated() {
    let hasher = fast().accept(Plain).threads(1).queue(4);
    let old = PasswordHash::from_stored("plain:pässword");
    let verify = async |password: &str| hasher.verify(password, Some(&old)).await.unwrap();
    assert_eq!(verify("pässword").await, Verdict::Right { outdated: true });
    for wrong in ["", "password", "plain:pässword"] {
        assert_eq!(verify(wrong).await, Verdict::Wrong, "{wrong}");
    }
    let without = fast();
    assert_eq!(without.verify("pässword", Some(&old)).await.unwrap(), Verdict::Wrong);
}

#[tokio::test]
async fn of_several_forms_the_first_that_knows_a_hash_decides() {
    let hasher = fast().accept(Plain).accept(AsItIs);
    for (stored, password, right) in [
        ("plain:a", "a", true),
        ("plain:a", "plain:a", false),
        ("other", "other", true),
        ("other", "a", false),
    ] {
        let hash = PasswordHash::from_stored(stored);
        let verdict = hasher.verify(password, Some(&hash)).await.unwrap();
        assert_eq!(verdict != Verdict::Wrong, right, "{stored} {password}");
    }
}

#[tokio::test]
async fn our_own_hashes_and_empty_texts_are_never_handed_to_an_older_form() {
    let hasher = fast().accept(AsItIs);
    let own = hasher.hash("x").await.unwrap();
    let broken = "$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR";
    for stored in [own.expose(), broken, "$argon2", ""] {
        let hash = PasswordHash::from_stored(stored);
        assert_eq!(hasher.verify(stored, Some(&hash)).await.unwrap(), Verdict::Wrong, "{stored}");
    }
    let verdict = hasher.verify("x", Some(&own)).await.unwrap();
    assert_eq!(verdict, Verdict::Right { outdated: false });
}

#[tokio::test]
async fn an_overlong_password_is_not_handed_to_an_older_form() {
    let hasher = fast().accept(AsItIs);
    for (length, right) in [(MAX_PASSWORD_BYTES, true), (MAX_PASSWORD_BYTES + 1, false)] {
        let long = "x".repeat(length);
        let hash = PasswordHash::from_stored(&*long);
        let verdict = hasher.verify(&long, Some(&hash)).await.unwrap();
        assert_eq!(verdict != Verdict::Wrong, right, "{length}");
    }
}

#[tokio::test]
async fn an_older_form_is_not_faster() {
    let cost = Argon2Cost { memory_kib: 65_536, iterations: 3, parallelism: 1 };
    let hasher = PasswordHasher::new(cost).unwrap().threads(1).accept(AsItIs);
    let old = PasswordHash::from_stored("old");
    let time = async |password: &str, hash: Option<&PasswordHash>| {
        let start = std::time::Instant::now();
        hasher.verify(password, hash).await.unwrap();
        start.elapsed()
    };
    let nobody = time("old", None).await.min(time("old", None).await);
    // Without the work it would take a thousandth.
    for password in ["old", "wrong"] {
        assert!(time(password, Some(&old)).await > nobody / 10, "{password}");
    }
}
