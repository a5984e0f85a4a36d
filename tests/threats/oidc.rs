//! Answers of providers that belong to others, and addresses that prove nothing: each is refused, and
//! no account is touched.

use auth_poem::prelude::Duration;
use auth_tests::{
    Browser, Logs, OidcWorld, Person, Signed, Whose, oidc::location, provider::CLIENT_SECRET,
};

pub(crate) fn eve() -> Person {
    Person::new("eve", "eve@example.org")
}

/// Nobody is logged in, and there is not one account or identity more than before.
pub(crate) async fn nothing_happened(
    world: &OidcWorld,
    browser: &Browser,
    before: &(usize, String),
) {
    assert_eq!(browser.get("/me").await.status, 401);
    assert_eq!(&world.accounts(), before);
    assert!(world.seen().is_empty(), "{:?}", world.seen());
}

#[tokio::test]
async fn an_answer_belongs_to_the_browser_that_began() {
    let world = OidcWorld::new().await;
    let before = world.accounts();
    let mallory = world.browser();
    let url = world.begin(&mallory, "main").await;
    let answer = world.main.log_in(&url, &eve());
    // A victim without a session, one with a login of his own under way, one who is logged in.
    let (fresh, busy) = (world.browser(), world.browser());
    let _ = world.begin(&busy, "main").await;
    for victim in [&fresh, &busy] {
        let refused = victim.get(&answer).await;
        assert_eq!(refused.outcome(), (400, "invalid_login_state".into()));
        nothing_happened(&world, victim, &before).await;
    }
    assert_eq!(fresh.cookie(), None);
    let ann = world.logged_in("ann").await;
    assert_eq!(ann.get(&answer).await.outcome(), (400, "invalid_login_state".into()));
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
    assert_eq!(world.accounts(), before);
    // The victim's own login was not harmed.
    let _ = mallory.get(&answer).await.is(302);
}

#[tokio::test]
async fn an_answer_is_good_once_and_for_ten_minutes() {
    let world = OidcWorld::new().await;
    let browser = world.browser();
    let url = world.begin(&browser, "main").await;
    let answer = world.main.log_in(&url, &eve());
    let _ = browser.get(&answer).await.is(302);
    let tokens = world.main.asked("/token");
    for again in [&browser, &browser.stolen(), &world.browser()] {
        assert_eq!(again.get(&answer).await.outcome(), (400, "invalid_login_state".into()));
    }
    assert_eq!(world.main.asked("/token"), tokens, "the provider is not even asked");

    let (before, late) = (world.accounts(), world.browser());
    let in_time = world.browser();
    let urls = (world.begin(&late, "main").await, world.begin(&in_time, "main").await);
    world.world.wait(Duration::seconds(599));
    let _ = in_time.get(world.main.log_in(&urls.1, &eve())).await.is(302);
    world.world.wait(Duration::seconds(1));
    let refused = late.get(world.main.log_in(&urls.0, &eve())).await;
    assert_eq!(refused.outcome(), (400, "invalid_login_state".into()));
    assert_eq!(late.get("/me").await.status, 401);
    assert_eq!(world.accounts(), before);
}

#[tokio::test]
async fn of_fifty_answers_at_once_one_logs_in() {
    let world = OidcWorld::new().await;
    world.world.stores_wait();
    let browser = world.browser();
    let url = world.begin(&browser, "main").await;
    let answer = world.main.log_in(&url, &eve());
    let all = (0..50).map(|_| std::future::IntoFuture::into_future(browser.stolen().get(&answer)));
    let all = futures_util::future::join_all(all).await;
    let done = all.iter().filter(|answer| answer.status == 302).count();
    assert_eq!(done, 1);
    let refused = (400, "invalid_login_state".to_owned());
    assert!(all.iter().all(|answer| answer.status == 302 || answer.outcome() == refused));
    assert_eq!(world.main.asked("/token"), 1);
}

#[tokio::test]
async fn a_code_of_another_login_is_refused() {
    let world = OidcWorld::new().await;
    let before = world.accounts();
    let (mallory, victim) = (world.browser(), world.browser());
    let url = world.begin(&mallory, "main").await;
    let stolen = world.main.log_in(&url, &eve());
    let code = stolen.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let url = world.begin(&victim, "main").await;
    let own = world.main.log_in(&url, &Person::new("vic", "vic@example.org"));
    let (path, rest) = own.split_once("code=").unwrap();
    let state = rest.split_once('&').unwrap().1;
    let injected = format!("{path}code={code}&{state}");
    assert_eq!(victim.get(injected).await.outcome(), (403, "invalid_identity".into()));
    nothing_happened(&world, &victim, &before).await;
    // A code that was never given out, and none.
    for query in ["code=never&", "code=&", ""] {
        let browser = world.browser();
        let url = world.begin(&browser, "main").await;
        let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
        let answer = browser.get(format!("/oidc/main/callback?{query}state={state}")).await;
        assert!([400, 403].contains(&answer.status), "{answer:?}");
        nothing_happened(&world, &browser, &before).await;
    }
}

#[tokio::test]
async fn one_providers_answer_is_not_taken_for_anothers() {
    let world = OidcWorld::new().await;
    let before = world.accounts();
    // The browser was sent to `other`, and comes back where `main` sends browsers to.
    let browser = world.browser();
    let url = world.begin(&browser, "other").await;
    let answer = world.other.log_in(&url, &eve()).replace("/other/", "/main/");
    assert_eq!(browser.get(answer).await.outcome(), (400, "invalid_login_state".into()));
    // The right address, but the answer is in the other's name (RFC 9207).
    for (name, outcome) in [
        (&world.other.issuer, (403, "invalid_identity")),
        (&format!("{}/", world.main.issuer), (403, "invalid_identity")),
        (&String::new(), (403, "invalid_identity")),
    ] {
        let browser = world.browser();
        let url = world.begin(&browser, "main").await;
        let name = name.replace(':', "%3A").replace('/', "%2F");
        let answer = format!("{}&iss={name}", world.main.log_in(&url, &eve()));
        let answer = browser.get(answer).await;
        assert_eq!(answer.outcome(), (outcome.0, outcome.1.to_owned()), "{name}");
        nothing_happened(&world, &browser, &before).await;
    }
    assert_eq!(world.main.asked("/token") + world.other.asked("/token"), 0);
    let browser = world.browser();
    let url = world.begin(&browser, "main").await;
    let _ = browser.get(world.main.log_in_by_name(&url, &eve())).await.is(302);
}

#[tokio::test]
async fn a_provider_that_names_itself_must_do_so_every_time() {
    let world = OidcWorld::new().await;
    world.main.discovery(|document| {
        document["authorization_response_iss_parameter_supported"] = true.into();
    });
    let before = world.accounts();
    let browser = world.browser();
    let answer = world.log_in(&browser, &eve()).await;
    assert_eq!(answer.outcome(), (403, "invalid_identity".into()));
    nothing_happened(&world, &browser, &before).await;
    let url = world.begin(&browser, "main").await;
    let _ = browser.get(world.main.log_in_by_name(&url, &eve())).await.is(302);
}

#[tokio::test]
async fn an_address_opens_no_account_without_the_word_of_both_sides() {
    let world = OidcWorld::new().await;
    world.whose(Whose::WithHisAddress);
    let before = world.accounts();
    let ann = Person::new("thief", "ann@example.org");
    // A provider that is not trusted, however verified it says the address is.
    let browser = world.browser();
    let url = world.begin(&browser, "other").await;
    let answer = browser.get(world.other.log_in(&url, &ann)).await;
    assert_eq!(answer.outcome(), (403, "account_refused".into()));
    nothing_happened(&world, &browser, &before).await;
    // One that is trusted, and does not say so.
    let unverified = Person { email_verified: false, ..ann.clone() };
    let browser = world.browser();
    let answer = world.log_in(&browser, &unverified).await;
    assert_eq!(answer.outcome(), (403, "account_refused".into()));
    nothing_happened(&world, &browser, &before).await;
    // GitHub is asked in its own way, and is not trusted here.
    let browser = world.browser();
    let url = world.begin(&browser, "hub").await;
    let octo = Person::new("1", "ann@example.org");
    let answer = browser.get(world.hub.log_in(&url, &octo)).await;
    assert_eq!(answer.outcome(), (403, "account_refused".into()));
    nothing_happened(&world, &browser, &before).await;
}

#[tokio::test]
async fn one_subject_at_two_providers_is_two_people() {
    let world = OidcWorld::new().await;
    let (one, two) = (world.browser(), world.browser());
    let _ = world.log_in(&one, &eve()).await.is(302);
    let url = world.begin(&two, "other").await;
    let _ = two.get(world.other.log_in(&url, &eve())).await.is(302);
    assert_eq!(one.get("/me").await.is(200).body, "eve of main");
    assert_eq!(two.get("/me").await.is(200).body, "eve of other");
}

#[tokio::test]
async fn logging_in_never_adds_an_identity_to_whoever_was_logged_in() {
    let world = OidcWorld::new().await;
    let browser = world.logged_in("ann").await;
    let _ = world.log_in(&browser, &eve()).await.is(302);
    assert_eq!(browser.get("/me").await.is(200).body, "eve of main");
    assert_ne!(world.owner(&world.main, "eve").await, Some(world.world.user("ann").id));
}

#[tokio::test]
async fn an_identity_is_added_only_by_the_user_himself() {
    let world = OidcWorld::new().await;
    let before = world.accounts();
    let nobody = world.browser();
    let refused = nobody.post("/oidc/main/link").await;
    assert_eq!(refused.outcome(), (401, "missing_credentials".into()));
    // A page of another site.
    let ann = world.logged_in("ann").await;
    for header in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let refused = ann.post("/oidc/main/link").header(header.0, header.1).await;
        assert_eq!(refused.outcome(), (403, "cross_site".into()));
    }
    assert_eq!(ann.get("/oidc/main/link").await.status, 405);
    // Somebody else has logged in meanwhile, or she has logged out.
    for after in ["/login", "/logout"] {
        let browser = world.logged_in("ann").await;
        let url = world.begin_link(&browser, "main").await;
        let answer = world.main.log_in(&url, &eve());
        let _ = match after {
            "/login" => browser.login("bob").await.is(200),
            other => browser.post(other).await.is(200),
        };
        let refused = browser.get(answer).await;
        assert_eq!(refused.outcome(), (400, "invalid_login_state".into()), "{after}");
    }
    assert_eq!(world.accounts(), before);
}

#[tokio::test]
async fn an_identity_of_another_user_is_not_taken_over() {
    let world = OidcWorld::new().await;
    let _ = world.log_in(&world.browser(), &eve()).await.is(302);
    let (owner, before) = (world.owner(&world.main, "eve").await, world.accounts());
    let ann = world.logged_in("ann").await;
    let url = world.begin_link(&ann, "main").await;
    let refused = ann.get(world.main.log_in(&url, &eve())).await;
    assert_eq!(refused.outcome(), (409, "identity_taken".into()));
    assert_eq!((world.owner(&world.main, "eve").await, world.accounts()), (owner, before));
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn an_account_that_is_gone_or_not_active_is_not_opened() {
    let world = OidcWorld::new().await;
    let browser = world.browser();
    let _ = world.log_in(&browser, &eve()).await.is(302);
    let user = world.world.user("eve of main");
    world.world.change("eve of main", |user| user.active = false);
    let again = world.browser();
    let refused = world.log_in(&again, &eve()).await;
    assert_eq!(refused.outcome(), (403, "account_refused".into()));
    assert_eq!(again.get("/me").await.status, 401);
    // He is deleted, and the application does not want him back.
    assert!(world.world.people.remove(&user.id).is_some());
    world.whose(Whose::Nobodys);
    let refused = world.log_in(&again, &eve()).await;
    assert_eq!(refused.outcome(), (403, "account_refused".into()));
    assert_eq!(world.owner(&world.main, "eve").await, None);
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let world = OidcWorld::new().await;
    let browser = world.browser();
    for place in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "%09//evil.example",
        "/%0D%0ASet-Cookie:%20a=b",
        "evil.example",
        "javascript:alert(1)",
        "",
    ] {
        let refused = browser.get(format!("/oidc/main/login?return_to={place}")).await;
        assert_eq!(refused.outcome(), (400, "invalid_return_path".into()), "{place}");
    }
    // The address to come back to is the configured one, whatever the request says.
    let url = browser.get("/oidc/main/login").header("host", "evil.example");
    let url = location(&url.header("x-forwarded-host", "evil.example").await);
    let address = "redirect_uri=https%3A%2F%2Fshop.example%2Foidc%2Fmain%2Fcallback";
    assert!(url.contains(address) && !url.contains("evil"), "{url}");
    assert_eq!(browser.get("/oidc/nowhere/login").await.outcome(), (404, "not_found".into()));
    let unknown = browser.get("/oidc/nowhere/callback?code=x&state=y").await;
    assert_eq!(unknown.outcome(), (404, "not_found".into()));
}

#[tokio::test]
async fn a_login_gives_the_session_a_new_key() {
    let world = OidcWorld::new().await;
    let browser = world.browser();
    let url = world.begin(&browser, "main").await;
    let before = browser.stolen();
    let _ = browser.get(world.main.log_in(&url, &eve())).await.is(302);
    assert_ne!(browser.cookie(), before.cookie());
    assert_eq!(before.get("/me").await.outcome(), (401, "invalid_session".into()));
}

#[tokio::test]
async fn while_a_provider_is_down_nobody_is_logged_in_or_refused() {
    let world = OidcWorld::new().await;
    let before = world.accounts();
    world.main.down("/.well-known/openid-configuration");
    let browser = world.browser();
    let down = browser.get("/oidc/main/login").await;
    assert_eq!(down.outcome(), (503, "unavailable".into()));
    assert!(!down.body.contains(&world.main.issuer), "{down:?}");
    assert_eq!(browser.cookie(), None);
    // It is left in peace for a while.
    let _ = browser.get("/oidc/main/login").await.is(503);
    assert_eq!(world.main.requests(), 1);
    world.main.behave();
    world.world.wait(Duration::seconds(10));
    for path in ["/token", "/jwks"] {
        world.main.down(path);
        let url = world.begin(&browser, "main").await;
        let answer = browser.get(world.main.log_in(&url, &eve())).await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
        nothing_happened(&world, &browser, &before).await;
        world.main.behave();
        world.world.wait(Duration::seconds(10));
    }
    world.main.tamper(|_, claims| drop(claims.as_object_mut().unwrap().remove("email")));
    world.main.down("/userinfo");
    let answer = world.log_in(&browser, &eve()).await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
    nothing_happened(&world, &browser, &before).await;
}

#[tokio::test]
async fn while_a_store_or_the_application_is_down_nobody_is_logged_in() {
    let world = OidcWorld::new().await;
    world.whose(Whose::Unknown);
    let (browser, before) = (world.browser(), world.accounts());
    let answer = world.log_in(&browser, &eve()).await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
    nothing_happened(&world, &browser, &before).await;
    world.whose(Whose::New);
    world.world.sessions.fail(true);
    assert_eq!(browser.get("/oidc/main/login").await.status, 503);
    world.world.sessions.fail(false);
    let url = world.begin(&browser, "main").await;
    let answer = world.main.log_in(&url, &eve());
    world.world.sessions.fail(true);
    assert_eq!(browser.get(&answer).await.status, 503);
    world.world.sessions.fail(false);
    // The answer was not used up.
    let _ = browser.get(&answer).await.is(302);
}

#[tokio::test]
async fn no_secret_is_logged_or_answered() {
    let logs = Logs::capture();
    let world = OidcWorld::new().await;
    let browser = world.browser();
    let url = world.begin(&browser, "main").await;
    let callback = world.main.log_in(&url, &eve());
    let done = browser.get(&callback).await.is(302);
    let _ = browser.get(&callback).await.is(400);
    world.main.sign(Signed::ByAnotherKey);
    let _ = world.log_in(&browser, &eve()).await.is(403);
    let seen = world.seen().remove(0);
    let code = callback.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let state = callback.split("state=").nth(1).unwrap();
    use secrecy::ExposeSecret;
    let access = seen.tokens.access.expose_secret();
    let debug = format!("{seen:?} {:?}", world.oidc);
    // What this crate writes; what the libraries below it trace is theirs.
    let ours: String = logs.text().lines().filter(|l| l.contains("auth_")).collect();
    assert!(ours.contains("logged in"), "{ours}");
    for secret in [code, state, access, CLIENT_SECRET, "a refresh token of the provider"] {
        assert!(!ours.contains(secret), "{secret}: {ours}");
        assert!(!done.body.contains(secret) && !debug.contains(secret), "{secret}");
    }
}
