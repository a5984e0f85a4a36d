//! Name and password with every request: HTTP Basic.

use auth_poem::{password::Argon2Cost, password::PasswordHasher, prelude::*};
use auth_tests::{Office, world::password_of};

const CHALLENGES: [&str; 2] = ["Basic realm=\"auth\", charset=\"UTF-8\"", "Bearer realm=\"auth\""];

#[tokio::test]
async fn name_and_password_are_all_that_a_request_needs() {
    let office = Office::new().await;
    for name in ["ann", "bob", "zoë"] {
        for path in ["/me", "/maybe"] {
            let answer = office.browser().get(path).basic(name, &password_of(name)).await;
            assert_eq!(answer.status, 200, "{path} {name}: {answer:?}");
            assert_eq!(answer.body, name);
            assert_eq!(answer.set_cookie(), None, "nothing is started");
            assert_eq!(answer.all("cache-control"), ["no-store"]);
        }
    }
    assert_eq!(office.sessions.calls().total(), 0);
}

#[tokio::test]
async fn the_verified_user_is_not_loaded_again() {
    for wait in [false, true] {
        let office = Office::new().await;
        if wait {
            office.stores_wait();
        }
        let hashes = office.hasher.jobs();
        let answer = office.browser().get("/me").basic("ann", &password_of("ann")).await;
        assert_eq!(answer.is(200).body, "ann");
        assert_eq!(office.clerks.calls().by_login, 1);
        assert_eq!(office.clerks.calls().total(), 1);
        assert_eq!(office.hasher.jobs() - hashes, 1);
    }
}

#[tokio::test]
async fn a_request_proves_it_anew_so_it_is_always_fresh() {
    let office = Office::new().await;
    let ann = office.logged_in("ann").await;
    office.clock.advance(Duration::minutes(11));
    let stale = ann.get("/fresh").await;
    assert_eq!(stale.outcome(), (403, "reauthentication_required".into()));
    let basic = ann.get("/fresh").basic("ann", &password_of("ann")).await;
    assert_eq!(basic.is(200).body, "ann", "beside an old session as well");
}

#[tokio::test]
async fn scheme_names_are_compared_without_regard_to_case() {
    let office = Office::new().await;
    for scheme in ["basic", "BASIC", "Basic "] {
        // ann:the long password of ann
        let header = format!("{scheme} YW5uOnRoZSBsb25nIHBhc3N3b3JkIG9mIGFubg==");
        let answer = office.browser().get("/me").header("authorization", header).await;
        assert_eq!(answer.is(200).body, "ann", "{scheme}");
    }
}

#[tokio::test]
async fn a_password_may_have_colons_and_any_letters() {
    let office = Office::new().await;
    for password in
        ["a:b:c, and so on and on", ":begins with one, ends:", "пароль из многих букв £"]
    {
        let hash = office.hasher.hash(password).await.unwrap();
        office.change("ann", |ann| ann.password = Some(hash));
        let answer = office.browser().get("/me").basic("ann", password).await;
        assert_eq!(answer.is(200).body, "ann", "{password}");
    }
}

#[tokio::test]
async fn every_scheme_that_applies_is_named_in_the_order_declared() {
    let office = Office::new().await;
    let answer = office.browser().get("/me").await;
    assert_eq!(answer.outcome(), (401, "missing_credentials".into()));
    assert_eq!(answer.all("www-authenticate"), CHALLENGES);
    let answer = office.browser().get("/maybe").basic("ann", "wrong").await;
    assert_eq!(answer.outcome(), (401, "wrong_credentials".into()));
    assert_eq!(answer.all("www-authenticate"), CHALLENGES);

    let office = Office::with(|config| config.realm("the \"Office\"").issuer("elsewhere")).await;
    let expected =
        [r#"Basic realm="the \"Office\"", charset="UTF-8""#, r#"Bearer realm="the \"Office\"""#];
    assert_eq!(office.browser().get("/me").await.all("www-authenticate"), expected);
    let office = Office::with(|config| config.issuer("issuer").audience("audience")).await;
    let expected = [r#"Basic realm="issuer", charset="UTF-8""#, r#"Bearer realm="audience""#];
    assert_eq!(office.browser().get("/me").await.all("www-authenticate"), expected);
}

#[tokio::test]
async fn an_outdated_hash_is_replaced_as_at_a_login() {
    let office = Office::new().await;
    let cost = Argon2Cost { memory_kib: 19_456, iterations: 3, parallelism: 2 };
    let other = PasswordHasher::new(cost).unwrap().threads(1);
    let old = other.hash(&password_of("ann")).await.unwrap();
    office.change("ann", |ann| ann.password = Some(old.clone()));
    let ask = || office.browser().get("/me").basic("ann", &password_of("ann"));
    assert_eq!(ask().await.is(200).body, "ann");
    let new = office.clerk("ann").password.unwrap();
    assert_ne!(new, old);
    assert_eq!(ask().await.is(200).body, "ann");
    assert_eq!(office.clerk("ann").password, Some(new), "once is enough");
}

#[tokio::test]
async fn the_document_names_the_scheme_and_what_it_refuses() {
    let office = Office::new().await;
    let scheme = &office.document["components"]["securitySchemes"]["basic"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&"http".into(), &"basic".into()));
    let me = &office.document["paths"]["/me"]["get"];
    let alternatives = serde_json::json!([{"basic": []}, {"session": []}, {"bearer": []}]);
    assert_eq!(me["security"], alternatives);
    for path in ["/me", "/maybe"] {
        for status in ["401", "429", "503"] {
            let responses = &office.document["paths"][path]["get"]["responses"];
            assert!(responses[status].is_object(), "{path} {status}");
        }
    }
    assert!(office.document["paths"]["/me"]["post"]["responses"]["403"].is_object());
}

/// Name and password, but no field for the password.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "robots", schemes(basic))]
struct Robot {
    #[auth(id)]
    id: i64,
    #[auth(login)]
    name: String,
}

/// Nobody can be found by name.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "ghosts", schemes(basic))]
struct Ghost {
    #[auth(id)]
    id: i64,
    #[auth(password)]
    password: PasswordHash,
}

#[test]
fn what_it_needs_is_checked_when_the_application_starts() {
    let problems = |config: AuthConfig| config.build().unwrap_err().problems().to_vec();
    let robots = AuthConfig::new().user::<Robot>(MemoryUsers::default());
    let expected = "Robot declares the scheme `basic`, but has no `#[auth(password)]` field";
    assert_eq!(problems(robots), [expected]);
    let ghosts = AuthConfig::new().user::<Ghost>(MemoryUsers::default());
    let expected = "Ghost declares the scheme `basic`, but has no `#[auth(login)]` field";
    assert_eq!(problems(ghosts), [expected]);
    let clash = AuthConfig::new()
        .user::<auth_tests::Clerk>(MemoryUsers::default())
        .sessions(MemorySessions::new())
        .jwt(JwtKeys::hs256(auth_tests::world::JWT_SECRET).unwrap())
        .token_prefix("basic");
    let expected =
        "Clerk declares the scheme `basic`, but AuthConfig::token_prefix gives tokens its name";
    assert_eq!(problems(clash), [expected]);
}

#[tokio::test]
async fn what_was_right_a_moment_ago_is_not_hashed_again() {
    for wait in [false, true] {
        let office = Office::with(|config| config.cache_basic(Duration::minutes(1))).await;
        if wait {
            office.stores_wait();
        }
        let ask = |name: &str| office.browser().get("/me").basic(name, &password_of(name));
        let hashes = || office.hasher.jobs();
        let before = hashes();
        for (seconds, jobs) in [(0, 1), (0, 1), (59, 1), (1, 2), (59, 2)] {
            office.clock.advance(Duration::seconds(seconds));
            assert_eq!(ask("ann").await.is(200).body, "ann");
            assert_eq!(hashes() - before, jobs, "{seconds} s later");
        }
        assert_eq!(ask("bob").await.is(200).body, "bob");
        assert_eq!(hashes() - before, 3, "another one is");
        let fresh = office.browser().get("/fresh").basic("ann", &password_of("ann")).await;
        assert_eq!(fresh.is(200).body, "ann");
    }
    let config = AuthConfig::new().cache_basic(Duration::hours(2));
    let expected = "AuthConfig::cache_basic must be more than nothing and at most an hour";
    assert_eq!(config.build().unwrap_err().problems(), [expected]);
}
