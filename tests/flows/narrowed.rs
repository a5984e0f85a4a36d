//! Operations in which not every scheme of the user counts: `#[schemes(bearer)]`.

use auth_poem::{prelude::*, scopes::Scopes};
use auth_tests::{Depot, World, depot::Keeper, world::password_of};
use poem::{EndpointExt, Route};
use poem_openapi::payload::PlainText;
use serde_json::json;

async fn depot() -> Depot {
    let depot = Depot::new().await;
    depot.badges.give("A1", 1, Scopes::All);
    depot
}

#[tokio::test]
async fn only_what_counts_is_looked_at() {
    for wait in [false, true] {
        let depot = depot().await;
        if wait {
            depot.stores_wait();
        }
        let (ann, token) = (depot.logged_in("ann").await, depot.token("ann").await);
        let answer = depot.browser().get("/by/bearer").bearer(&token).await;
        assert_eq!(answer.is(200).body, "ann");
        let nobody = depot.browser().get("/by/bearer").await;
        assert_eq!(nobody.outcome(), (401, "missing_credentials".into()));

        depot.sessions.reset_calls();
        let others = |path: &str| {
            [
                ann.get(path),
                depot.browser().get(path).basic("ann", &password_of("ann")),
                depot.browser().get(path).header("x-badge", "A1"),
            ]
        };
        for ask in others("/by/bearer") {
            assert_eq!(ask.await.outcome(), (401, "unsupported_scheme".into()));
        }
        for ask in others("/by/bearer/maybe") {
            assert_eq!(ask.await.is(200).body, "nobody");
        }
        assert_eq!((depot.sessions.calls().total(), depot.badges.asked()), (0, 0));
        let wrong = depot.browser().get("/by/bearer/maybe").bearer("wrong").await;
        assert_eq!(wrong.outcome(), (401, "invalid_token".into()));
        // The cookie of somebody else says nothing where only tokens count.
        let bob = depot.logged_in("bob").await;
        assert_eq!(bob.get("/by/bearer").bearer(&token).await.is(200).body, "ann");
        assert_eq!(bob.get("/me").bearer(&token).await.code(), "conflicting_credentials");
    }
}

#[tokio::test]
async fn several_may_count() {
    let depot = depot().await;
    let (ann, token) = (depot.logged_in("ann").await, depot.token("ann").await);
    let path = "/by/session-or-badge";
    assert_eq!(ann.get(path).await.is(200).body, "ann");
    assert_eq!(depot.browser().get(path).header("x-badge", "A1").await.is(200).body, "ann");
    let answer = depot.browser().get(path).bearer(&token).await;
    assert_eq!(answer.outcome(), (401, "unsupported_scheme".into()));
}

#[tokio::test]
async fn challenges_and_document_name_what_counts() {
    let depot = depot().await;
    let challenges = async |path: &str| {
        let answer = depot.browser().get(path).await.is(401);
        answer.all("www-authenticate").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(challenges("/by/bearer").await, ["Bearer realm=\"auth\""]);
    assert_eq!(challenges("/by/session-or-badge").await, ["Badge gate=\"north\""]);
    assert_eq!(challenges("/me").await.len(), 5);
    let security = |path: &str| depot.document["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/by/bearer"), json!([{"bearer": []}]));
    assert_eq!(security("/by/bearer/maybe"), json!([{"bearer": []}, {}]));
    assert_eq!(security("/by/session-or-badge"), json!([{"session": []}, {"badge": []}]));
    let responses = &depot.document["paths"]["/by/bearer"]["get"]["responses"];
    assert!(responses["429"].is_null(), "no password is tried: {responses}");
    let api = depot.auth.openapi(auth_tests::depot::DepotApi, "Depot", "1.0");
    let report = api.access_report().to_string();
    assert!(report.contains("a Keeper by session or badge"), "{report}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_why_as_rfc_6750_says() {
    let depot = depot().await;
    let challenge = async |ask: auth_tests::browser::Ask| {
        let answer = ask.await;
        (answer.status, answer.all("www-authenticate").join(" | "))
    };
    let get = |path: &str| depot.browser().get(path);
    assert_eq!(
        challenge(get("/by/bearer").bearer("wrong")).await,
        (401, "Bearer realm=\"auth\", error=\"invalid_token\"".into())
    );
    let twice = get("/by/bearer").bearer("a").bearer("b");
    assert_eq!(
        challenge(twice).await,
        (401, "Bearer realm=\"auth\", error=\"invalid_request\"".into())
    );
    assert_eq!(challenge(get("/by/bearer")).await, (401, "Bearer realm=\"auth\"".into()));
    depot.badges.give("A-none", 1, Scopes::parse(""));
    assert_eq!(
        challenge(get("/reports").header("x-badge", "A-none")).await,
        (403, "Bearer realm=\"auth\", error=\"insufficient_scope\", scope=\"reports:read\"".into())
    );
    let forbidden = get("/reports").bearer(&depot.token("eve").await);
    assert_eq!(challenge(forbidden).await, (403, String::new()));
}

struct Inner;

#[auth_api]
impl Inner {
    #[schemes(bearer)]
    #[oai(path = "/by/bearer", method = "get")]
    async fn bearer(&self, keeper: Keeper) -> PlainText<String> {
        PlainText(keeper.name)
    }

    #[schemes(session)]
    #[oai(path = "/by/session", method = "get")]
    async fn session(&self, keeper: Keeper, auth: Auth<Keeper>) -> PlainText<String> {
        let scheme = auth.identity().map(|identity| identity.scheme.name());
        PlainText(format!("{} {}", keeper.name, scheme.unwrap_or_default()))
    }
}

#[tokio::test]
async fn a_guard_before_the_routes_does_not_widen_what_counts() {
    let depot = depot().await;
    let guard = depot.auth.guard::<Keeper>();
    let api = depot.auth.openapi(Inner, "Inner", "1.0").guarded_by(&guard);
    let browser = World::serve(Route::new().nest("/", api).with(guard));
    let cookie = depot.logged_in("ann").await.cookie().unwrap();
    let token = depot.token("ann").await;
    let with_cookie = browser.stolen();
    with_cookie.plant("__Host-sid", &cookie);
    let answer = with_cookie.get("/by/bearer").await;
    assert_eq!(answer.outcome(), (401, "unsupported_scheme".into()));
    assert_eq!(with_cookie.get("/by/bearer").bearer(&token).await.is(200).body, "ann");
    let answer = with_cookie.get("/by/session").bearer(&token).await;
    assert_eq!(answer.is(200).body, "ann session");
    assert_eq!(browser.get("/by/session").bearer(&token).await.code(), "unsupported_scheme");
}

#[auth_poem::handler]
#[schemes(session)]
async fn plain(keeper: Keeper) -> String {
    keeper.name
}

#[tokio::test]
async fn plain_handlers_can_say_it_too() {
    let depot = depot().await;
    let browser = World::serve(Route::new().at("/", plain).with(depot.auth.layer()));
    let answer = browser.get("/").bearer(&depot.token("ann").await).await;
    assert_eq!(answer.outcome(), (401, "unsupported_scheme".into()));
    browser.plant("__Host-sid", &depot.logged_in("ann").await.cookie().unwrap());
    assert_eq!(browser.get("/").await.is(200).body, "ann");
}

#[tokio::test]
async fn an_operation_that_nobody_could_call_is_found_when_the_application_starts() {
    let depot = Depot::with(|config| config).await;
    let auth = AuthConfig::new()
        .user::<Keeper>(depot.people.clone())
        .sessions(MemorySessions::new())
        .disable_scheme("bearer")
        .disable_scheme("badge")
        .disable_scheme("api_key")
        .disable_scheme("signature");
    let auth = auth.build().unwrap();
    let open = std::panic::AssertUnwindSafe(|| auth.openapi(Inner, "Inner", "1.0"));
    let panic = std::panic::catch_unwind(open).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("nobody could call `bearer`"), "{message}");
}
