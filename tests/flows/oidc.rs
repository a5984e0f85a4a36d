//! Logging in through a provider of identities, adding one to an account, logging out there.

use auth_poem::{
    config::{ConfigError, OidcConfig},
    http::cookie::{SameSite, SessionCookie},
    identities::MemoryIdentities,
    oidc::Provider as Registered,
    prelude::*,
};
use auth_tests::{
    OidcWorld, Person, User, Whose, World,
    oidc::{ADDRESS, location},
};
use serde_json::Value;

#[tokio::test]
async fn somebody_new_gets_an_account_and_finds_it_again() {
    let world = OidcWorld::new().await;
    let (browser, eve) = (world.browser(), Person::new("eve", "eve@example.org"));
    let url = location(&browser.get("/oidc/main/login?return_to=/basket?all%3Dyes").await);
    let scope = "scope=openid+profile+email";
    assert!(url.starts_with(&format!("{}/authorize?", world.main.issuer)), "{url}");
    assert!(url.contains(scope), "{url}");
    let back = browser.get(world.main.log_in(&url, &eve)).await;
    assert_eq!(location(&back), "/basket?all=yes");
    assert_eq!(back.all("cache-control"), ["no-store"]);
    assert_eq!(browser.get("/me").await.is(200).body, "eve of main");

    let users = world.world.people.all().len();
    world.whose(Whose::Nobodys);
    let again = world.browser();
    assert_eq!(location(&world.log_in(&again, &eve).await), "/home");
    assert_eq!(again.get("/me").await.is(200).body, "eve of main");
    assert_eq!(world.world.people.all().len(), users);
    assert!(world.world.user("eve of main").last_login.is_some());
    // Both sessions live.
    assert_eq!(browser.get("/me").await.is(200).body, "eve of main");
}

#[tokio::test]
async fn the_application_learns_what_the_provider_says() {
    let world = OidcWorld::new().await;
    let eve = Person::new("eve", "eve@example.org");
    let _ = world.log_in(&world.browser(), &eve).await.is(302);
    let seen = world.seen().remove(0);
    assert_eq!((&*seen.provider, &*seen.id.subject), ("main", "eve"));
    assert_eq!(seen.id.issuer, world.main.issuer);
    assert_eq!((seen.email.as_deref(), seen.email_verified), (Some("eve@example.org"), true));
    assert_eq!((seen.name.as_deref(), seen.username.as_deref()), (Some("Some Body"), Some("eve")));
    assert_eq!(seen.claims["aud"], "shop");
    assert!(seen.tokens.refresh.is_some() && seen.tokens.id_token.is_some());
    let lifetime = seen.tokens.expires_at.unwrap() - world.world.clock.now();
    // The clock's milliseconds apart.
    assert!((Duration::seconds(299)..=Duration::seconds(300)).contains(&lifetime), "{lifetime}");
    // The address was in the ID token.
    assert_eq!(world.main.asked("/userinfo"), 0);
}

#[tokio::test]
async fn what_the_id_token_leaves_out_the_userinfo_endpoint_says() {
    let world = OidcWorld::new().await;
    world.main.tamper(|_, claims| {
        claims.as_object_mut().unwrap().retain(|name, _| !name.starts_with("email"));
    });
    let eve = Person::new("eve", "eve@example.org");
    let _ = world.log_in(&world.browser(), &eve).await.is(302);
    let seen = world.seen().remove(0);
    assert_eq!((seen.email.as_deref(), seen.email_verified), (Some("eve@example.org"), true));
    assert_eq!(seen.claims["nickname"], "from userinfo");
    assert_eq!(seen.name.as_deref(), Some("Some Body"), "the ID token goes before it");
}

#[tokio::test]
async fn one_provider_is_asked_for_its_document_once() {
    let world = OidcWorld::new().await;
    let eve = Person::new("eve", "eve@example.org");
    for _ in 0..3 {
        let _ = world.log_in(&world.browser(), &eve).await.is(302);
    }
    let asked = |path| world.main.asked(path);
    assert_eq!((asked("/.well-known/openid-configuration"), asked("/jwks")), (1, 1));
    world.world.wait(Duration::hours(1));
    let _ = world.log_in(&world.browser(), &eve).await.is(302);
    assert_eq!((asked("/.well-known/openid-configuration"), asked("/jwks")), (2, 2));
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_found() {
    let world = OidcWorld::new().await;
    let eve = Person::new("eve", "eve@example.org");
    let _ = world.log_in(&world.browser(), &eve).await.is(302);
    world.main.rotate(true);
    world.world.wait(Duration::seconds(10));
    let _ = world.log_in(&world.browser(), &eve).await.is(302);
    assert_eq!(world.main.asked("/jwks"), 2);
}

#[tokio::test]
async fn github_says_by_its_api_who_somebody_is() {
    let world = OidcWorld::new().await;
    let (browser, octo) = (world.browser(), Person::new("583231", "octo@example.org"));
    let url = location(&browser.get("/oidc/hub/login").await);
    assert!(url.starts_with(&format!("{}/login/oauth/authorize?", world.hub.issuer)), "{url}");
    let back = browser.get(world.hub.log_in(&url, &octo)).await;
    assert_eq!(location(&back), "/home");
    assert_eq!(browser.get("/me").await.is(200).body, "583231 of hub");
    let seen = world.seen().remove(0);
    assert_eq!((&*seen.id.issuer, &*seen.id.subject), (&*world.hub.issuer, "583231"));
    // Not the one that the profile shows.
    assert_eq!((seen.email.as_deref(), seen.email_verified), (Some("octo@example.org"), true));
    assert_eq!(seen.username.as_deref(), Some("octocat"));
}

#[tokio::test]
async fn a_user_adds_an_identity_and_takes_it_away() {
    let world = OidcWorld::new().await;
    let ann = world.logged_in("ann").await;
    let me = Person::new("ann-elsewhere", "another@example.org");
    let url = world.begin_link(&ann, "other").await;
    assert_eq!(location(&ann.get(world.other.log_in(&url, &me)).await), "/home");
    assert_eq!(ann.get("/oidc/identities").await.json(), serde_json::json!(["ann-elsewhere"]));
    // Once more does no harm.
    let url = world.begin_link(&ann, "other").await;
    let _ = ann.get(world.other.log_in(&url, &me)).await.is(302);

    world.whose(Whose::Nobodys);
    let browser = world.browser();
    let url = world.begin(&browser, "other").await;
    let _ = browser.get(world.other.log_in(&url, &me)).await.is(302);
    assert_eq!(browser.get("/me").await.is(200).body, "ann");

    let path = format!("/oidc/identities/ann-elsewhere?issuer={}", world.other.issuer);
    assert_eq!(world.logged_in("bob").await.ask("DELETE", &path).await.json(), Value::Bool(false));
    assert_eq!(ann.ask("DELETE", &path).await.json(), Value::Bool(true));
    assert_eq!(world.owner(&world.other, "ann-elsewhere").await, None);
}

#[tokio::test]
async fn an_account_of_the_same_address_is_linked_where_both_sides_have_verified_it() {
    let world = OidcWorld::new().await;
    world.whose(Whose::WithHisAddress);
    let browser = world.browser();
    let _ = world.log_in(&browser, &Person::new("x", "ann@example.org")).await.is(302);
    assert_eq!(browser.get("/me").await.is(200).body, "ann");
    assert_eq!(world.owner(&world.main, "x").await, Some(world.world.user("ann").id));
    // From now on the identity is hers, whatever the provider says of the address.
    let person = Person { email_verified: false, ..Person::new("x", "bob@example.org") };
    let browser = world.browser();
    let _ = world.log_in(&browser, &person).await.is(302);
    assert_eq!(browser.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn several_windows_log_in_at_once() {
    let world = OidcWorld::new().await;
    let (browser, eve) = (world.browser(), Person::new("eve", "eve@example.org"));
    let first = world.begin(&browser, "main").await;
    let second = world.begin(&browser, "main").await;
    let _ = browser.get(world.main.log_in(&second, &eve)).await.is(302);
    let _ = browser.get(world.main.log_in(&first, &eve)).await.is(302);
    assert_eq!(browser.get("/me").await.is(200).body, "eve of main");
    // The oldest of nine is forgotten.
    let mut urls = Vec::new();
    for _ in 0..9 {
        urls.push(world.begin(&browser, "main").await);
        world.world.wait(Duration::seconds(1));
    }
    let oldest = browser.get(world.main.log_in(&urls[0], &eve)).await;
    assert_eq!(oldest.outcome(), (400, "invalid_login_state".into()));
    for url in &urls[1..] {
        let _ = browser.get(world.main.log_in(url, &eve)).await.is(302);
    }
}

#[tokio::test]
async fn whoever_logs_out_is_told_where_to_log_out_at_the_provider() {
    let world = OidcWorld::new().await;
    let browser = world.browser();
    let _ = world.log_in(&browser, &Person::new("eve", "eve@example.org")).await.is(302);
    let url = browser.post("/oidc/logout").await.is(200).body;
    let expected = format!(
        "{}/logout?from=here&client_id=shop&post_logout_redirect_uri=https%3A%2F%2Fshop.example%2F",
        world.main.issuer
    );
    assert_eq!(url, expected);
    assert_eq!(browser.get("/me").await.status, 401);
    // By password, there is no provider to tell.
    assert_eq!(world.logged_in("ann").await.post("/oidc/logout").await.is(200).body, "");
}

#[tokio::test]
async fn a_provider_that_says_no_is_told_apart_from_one_that_cannot() {
    let world = OidcWorld::new().await;
    let before = world.accounts();
    for (error, outcome) in [
        ("access_denied", (403, "login_denied")),
        ("login_required", (403, "login_denied")),
        ("server_error", (503, "unavailable")),
        ("temporarily_unavailable", (503, "unavailable")),
    ] {
        let browser = world.browser();
        let url = world.begin(&browser, "main").await;
        let answer = browser.get(world.main.deny(&url, error)).await;
        assert_eq!(answer.outcome(), (outcome.0, outcome.1.to_owned()), "{error}");
        assert_eq!(browser.get("/me").await.status, 401);
    }
    assert_eq!(world.accounts(), before);
}

#[tokio::test]
async fn the_document_knows_the_routes_and_their_refusals() {
    let world = OidcWorld::new().await;
    let api = world.world.auth.openapi(auth_poem::routes::OidcApi::new(world.oidc), "T", "1");
    let document: Value = serde_json::from_str(&api.spec()).unwrap();
    let operation = |path: &str, method: &str| document["paths"][path][method].clone();
    let statuses = |operation: &Value| -> Vec<String> {
        operation["responses"].as_object().unwrap().keys().cloned().collect()
    };
    let login = operation("/oidc/{provider}/login", "get");
    assert_eq!(statuses(&login), ["302", "400", "403", "404", "409", "503"]);
    assert_eq!(login.get("security"), None);
    let back = operation("/oidc/{provider}/callback", "get");
    assert_eq!(statuses(&back), ["302", "400", "403", "404", "409", "503"]);
    let link = operation("/oidc/{provider}/link", "post");
    assert_eq!(statuses(&link), ["303", "400", "401", "403", "404", "409", "503"]);
    assert!(link["security"].to_string().contains("session"), "{link}");
    assert!(back.to_string().contains("invalid_login_state"), "{back}");
    let report = api.access_report().to_string();
    assert!(report.contains("/oidc/{provider}/link"), "{report}");
}

/// What is wrong with a configuration.
async fn problems(
    change: impl FnOnce(AuthConfig) -> AuthConfig,
    address: &str,
    configure: impl FnOnce(OidcConfig<User>) -> OidcConfig<User>,
) -> Vec<String> {
    struct Nobody;
    #[async_trait::async_trait]
    impl auth_poem::features::ExternalAccounts<User> for Nobody {
        async fn account(
            &self,
            _: &auth_poem::oidc::ExternalUser,
        ) -> Result<auth_poem::features::Account<User>, auth_poem::fault::Failure> {
            Ok(auth_poem::features::Account::Refused)
        }
    }
    let world = World::with(change).await;
    let config = OidcConfig::new(address, MemoryIdentities::new(), Nobody);
    let built = configure(config).build(&world.auth);
    built.err().as_ref().map(ConfigError::problems).unwrap_or_default().to_vec()
}

#[tokio::test]
async fn what_cannot_work_does_not_start() {
    let google = |config: OidcConfig<User>| config.provider("google", Registered::google("i", "s"));
    assert!(problems(|auth| auth, ADDRESS, google).await.is_empty());
    let local = "http://127.0.0.1:8000/oidc";
    assert!(problems(|auth| auth, local, google).await.is_empty());

    let strict =
        |auth: AuthConfig| auth.cookie(SessionCookie::default().same_site(SameSite::Strict));
    let header = |auth: AuthConfig| auth.session_header("x-session").without_session_cookie();
    let path = |auth: AuthConfig| auth.cookie(SessionCookie::new("sid").path("/app"));
    let sessionless = |auth: AuthConfig| auth.disable_scheme("session");
    for (found, expected) in [
        (problems(strict, ADDRESS, google).await, "SameSite=Strict"),
        (problems(header, ADDRESS, google).await, "without_session_cookie"),
        (problems(path, ADDRESS, google).await, "is not sent to \"/oidc\""),
        (problems(sessionless, ADDRESS, google).await, "schemes(session)"),
        (problems(|a| a, "http://shop.example/oidc", google).await, "https://shop.example"),
        (problems(|a| a, "/oidc", google).await, "https://shop.example"),
        (problems(|a| a, ADDRESS, |c| c).await, "OidcConfig::provider"),
        (problems(|a| a, ADDRESS, |c| google(google(c))).await, "two providers"),
        (problems(|a| a, ADDRESS, |c| google(c).home("//evil.example")).await, "no path to go to"),
        (
            problems(|a| a, ADDRESS, |c| c.provider("a/b", Registered::google("i", "s"))).await,
            "\"a/b\"",
        ),
        (
            problems(|a| a, ADDRESS, |c| c.provider("x", Registered::new("http://a.b", "i", "s")))
                .await,
            "https://login.example",
        ),
    ] {
        assert_eq!(found.len(), 1, "{expected}: {found:?}");
        assert!(found[0].contains(expected), "{expected}: {found:?}");
    }
}
