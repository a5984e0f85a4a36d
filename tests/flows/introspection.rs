//! Opaque tokens of a provider, checked by asking it.

use auth_core::testing::FailingUsers;
use auth_poem::{
    identities::{ExternalId, IdentityStore, MemoryIdentities},
    oidc::{Introspection, LinkedUsers},
    prelude::*,
};
use auth_tests::{
    Browser, Person, World,
    oidc::registration,
    provider::{AUDIENCE, CLIENT_ID, CLIENT_SECRET, Provider},
};
use poem_openapi::payload::PlainText;
use serde_json::{Value, json};
use std::{future::IntoFuture, sync::Arc};

#[derive(AuthUser, Debug, Clone)]
#[auth(table = "members", schemes(custom = "provider"))]
struct Member {
    #[auth(id)]
    id: i64,
    name: String,
    #[auth(permissions)]
    permissions: Vec<String>,
    #[auth(active)]
    active: bool,
}

struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/me", method = "get", method = "post")]
    async fn me(&self, member: Member) -> PlainText<String> {
        PlainText(member.name)
    }

    #[oai(path = "/maybe", method = "get")]
    async fn maybe(&self, member: Option<Member>) -> PlainText<String> {
        PlainText(member.map_or("nobody".into(), |member| member.name))
    }

    #[require(permission = "reports:read")]
    #[oai(path = "/reports", method = "get")]
    async fn reports(&self, _member: Member) {}

    #[require(permission = "reports:write")]
    #[oai(path = "/reports/new", method = "get")]
    async fn write(&self, _member: Member) {}
}

struct Service {
    clock: ManualClock,
    provider: Provider,
    members: MemoryUsers<Member>,
    store: FailingUsers<Member>,
    identities: MemoryIdentities<Member>,
    auth: Authenticator,
    browser: Browser,
}

impl Service {
    async fn new() -> Self {
        Self::with(|scheme| scheme).await
    }

    async fn with(change: impl FnOnce(Introspection<Member>) -> Introspection<Member>) -> Self {
        let clock = ManualClock::default();
        let provider = Provider::start(&clock).await;
        let members = MemoryUsers::default();
        let permissions = vec!["reports:read".into(), "reports:write".into()];
        members.insert(Member { id: 1, name: "ann".into(), permissions, active: true }).unwrap();
        let identities = MemoryIdentities::new();
        let ann = ExternalId { issuer: provider.issuer.clone(), subject: "ann".into() };
        identities.link(&ann, &1, clock.now()).await.unwrap();
        let users = LinkedUsers::new(identities.clone());
        let scheme = Introspection::new(registration(&provider), AUDIENCE, users).unwrap();
        let store = FailingUsers::new(Arc::new(members.clone()));
        let auth = AuthConfig::new()
            .user::<Member>(store.clone())
            .scheme::<Member>("provider", change(scheme.clock(clock.clone())))
            .clock(clock.clone())
            .build()
            .unwrap();
        let browser = World::serve(auth.openapi(Api, "Service", "1.0"));
        Self { clock, provider, members, store, identities, auth, browser }
    }

    fn token(&self, sub: &str) -> String {
        self.provider.access_token(&Person::new(sub, "x@example.org"))
    }

    async fn me(&self, token: &str) -> (u16, String) {
        let answer = self.browser.get("/me").bearer(token).await;
        let maybe = self.browser.get("/maybe").bearer(token).await;
        assert_eq!((answer.status, &answer.body), (maybe.status, &maybe.body));
        (answer.status, if answer.status == 200 { answer.body } else { answer.code() })
    }

    fn asked(&self) -> usize {
        self.provider.asked("/introspect")
    }
}

fn is(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

#[tokio::test]
async fn a_token_names_the_user_to_whom_its_identity_is_linked() {
    let service = Service::new().await;
    assert_eq!(service.me(&service.token("ann")).await, is(200, "ann"));
    // Nobody's here, never given out, none at all.
    assert_eq!(service.me(&service.token("eve")).await, is(401, "invalid_token"));
    assert_eq!(service.me("never").await, is(401, "invalid_token"));
    assert_eq!(service.browser.get("/me").await.outcome(), is(401, "missing_credentials"));
    assert_eq!(service.browser.get("/maybe").await.is(200).body, "nobody");
    let challenge = service.browser.get("/me").await;
    assert_eq!(challenge.all("www-authenticate"), ["Bearer realm=\"auth\""]);
}

#[tokio::test]
async fn the_scopes_of_a_token_are_how_far_it_reaches() {
    let service = Service::new().await;
    let token = service.token("ann");
    let _ = service.browser.get("/reports").bearer(&token).await.is(200);
    let answer = service.browser.get("/reports/new").bearer(&token).await;
    assert_eq!(answer.outcome(), is(403, "insufficient_scope"));
    service.provider.introspection(|answer| drop(answer.as_object_mut().unwrap().remove("scope")));
    let token = service.token("ann");
    let answer = service.browser.get("/reports").bearer(&token).await;
    assert_eq!(answer.outcome(), is(403, "insufficient_scope"));
    assert_eq!(service.me(&token).await, is(200, "ann"));
}

#[tokio::test]
async fn an_answer_serves_for_half_a_minute_and_a_refusal_for_five_seconds() {
    let service = Service::new().await;
    let token = service.token("ann");
    for _ in 0..5 {
        assert_eq!(service.me(&token).await, is(200, "ann"));
        assert_eq!(service.me("never").await, is(401, "invalid_token"));
    }
    assert_eq!(service.asked(), 2);
    assert_eq!(service.provider.asked("/.well-known/openid-configuration"), 1);
    service.provider.revoke(&token);
    service.clock.advance(Duration::seconds(29));
    assert_eq!(service.me(&token).await, is(200, "ann"));
    service.clock.advance(Duration::seconds(1));
    assert_eq!(service.me(&token).await, is(401, "invalid_token"));
    assert_eq!(service.me("never").await, is(401, "invalid_token"));
    assert_eq!(service.asked(), 4);
    // What is refused is asked about again soon.
    service.provider.introspection(|answer| {
        *answer = json!({ "active": true, "sub": "ann", "aud": AUDIENCE });
    });
    service.clock.advance(Duration::seconds(4));
    assert_eq!(service.me(&token).await, is(401, "invalid_token"));
    service.clock.advance(Duration::seconds(1));
    assert_eq!(service.me(&token).await, is(200, "ann"));
}

#[tokio::test]
async fn an_answer_never_outlives_its_token() {
    let service = Service::new().await;
    let end = (service.clock.now() + Duration::seconds(10)).timestamp();
    service.provider.introspection(move |answer| answer["exp"] = end.into());
    let token = service.token("ann");
    assert_eq!(service.me(&token).await, is(200, "ann"));
    service.clock.advance(Duration::seconds(10));
    assert_eq!(service.me(&token).await, is(401, "invalid_token"));
}

#[tokio::test]
async fn what_the_provider_says_must_fit() {
    let service = Service::new().await;
    let now = service.clock.now().timestamp();
    let cases: Vec<(Value, (u16, &str))> = vec![
        (json!({ "active": false }), (401, "invalid_token")),
        (json!({ "token_type": "refresh_token" }), (401, "invalid_token")),
        (json!({ "token_type": "DPoP" }), (401, "invalid_token")),
        (json!({ "cnf": { "jkt": "x" } }), (401, "invalid_token")),
        (json!({ "iss": "https://evil.example" }), (401, "invalid_token")),
        (json!({ "sub": null }), (401, "invalid_token")),
        (json!({ "sub": "" }), (401, "invalid_token")),
        (json!({ "sub": 1 }), (401, "invalid_token")),
        (json!({ "exp": now }), (401, "invalid_token")),
        (json!({ "nbf": now + 1 }), (401, "invalid_token")),
        (json!({ "aud": "https://other.example" }), (403, "wrong_audience")),
        (json!({ "aud": null }), (403, "wrong_audience")),
        (json!({ "aud": ["https://other.example", AUDIENCE] }), (200, "ann")),
        (json!({ "iss": null, "token_type": null, "exp": null }), (200, "ann")),
        // What says nothing is a fault of the provider.
        (json!({ "active": null }), (503, "unavailable")),
        (json!({ "active": "true" }), (503, "unavailable")),
        (json!({ "exp": "tomorrow" }), (503, "unavailable")),
        (json!({ "exp": 1e300 }), (503, "unavailable")),
    ];
    for (change, outcome) in cases {
        let members = change.clone();
        service.provider.introspection(move |answer| {
            for (name, value) in members.as_object().unwrap() {
                answer[name] = value.clone();
            }
        });
        let token = service.token("ann");
        assert_eq!(service.me(&token).await, is(outcome.0, outcome.1), "{change}");
    }
    let service = Service::with(Introspection::dangerous_any_audience).await;
    service.provider.introspection(|answer| answer["aud"] = Value::Null);
    assert_eq!(service.me(&service.token("ann")).await, is(200, "ann"));
}

#[tokio::test]
async fn while_the_provider_is_down_nobody_is_anybody() {
    let service = Service::new().await;
    let (known, fresh) = (service.token("ann"), service.token("ann"));
    assert_eq!(service.me(&known).await, is(200, "ann"));
    service.provider.down("/introspect");
    assert_eq!(service.me(&fresh).await, is(503, "unavailable"));
    assert_eq!(service.me(&known).await, is(200, "ann"), "what was said a moment ago still serves");
    service.clock.advance(Duration::seconds(30));
    assert_eq!(service.me(&known).await, is(503, "unavailable"));
    service.provider.behave();
    assert_eq!(service.me(&known).await, is(200, "ann"));
    // This application is not known there any more: its fault, and nobody's identity.
    let stranger = Service::new().await;
    stranger.provider.introspection(|answer| *answer = json!("no object"));
    assert_eq!(stranger.me(&stranger.token("ann")).await, is(503, "unavailable"));
}

#[tokio::test]
async fn the_user_is_asked_for_every_time() {
    let service = Service::new().await;
    let token = service.token("ann");
    assert_eq!(service.me(&token).await, is(200, "ann"));
    service.store.fail(true);
    assert_eq!(service.me(&token).await, is(503, "unavailable"));
    service.store.fail(false);
    assert_eq!(service.members.update(&1, |ann| ann.active = false), Ok(true));
    assert_eq!(service.me(&token).await, is(401, "invalid_token"));
    assert_eq!(service.members.update(&1, |ann| ann.active = true), Ok(true));
    assert_eq!(service.me(&token).await, is(200, "ann"));
    let ann = ExternalId { issuer: service.provider.issuer.clone(), subject: "ann".into() };
    assert_eq!(service.identities.unlink(&ann, &1).await.ok(), Some(true));
    assert_eq!(service.me(&token).await, is(401, "invalid_token"));
}

#[tokio::test]
async fn what_is_no_token_is_not_asked_about() {
    let service = Service::new().await;
    for text in ["", "a b", "ä", "a\"b", "a,b", &"x".repeat(8193)] {
        let answer = service.browser.get("/maybe").bearer(text).await;
        assert_eq!(answer.status, 401, "{text}");
    }
    let other = service.browser.get("/maybe").header("authorization", "Basic eDp5").await;
    assert_eq!(other.is(200).body, "nobody");
    assert_eq!(service.provider.requests(), 0);
}

#[tokio::test]
async fn a_crowd_of_guesses_is_told_to_come_back() {
    let service = Service::new().await;
    let _ = service.me("first").await;
    let requests = (0..200)
        .map(|index| service.browser.get("/me").bearer(&format!("guess{index}")).into_future());
    let answers = futures_util::future::join_all(requests).await;
    let busy = answers.iter().filter(|answer| answer.status == 503).count();
    let refused = answers.iter().filter(|answer| answer.status == 401).count();
    assert!(busy >= 100 && refused >= 1 && busy + refused == 200, "{busy} {refused}");
    let told = answers.iter().find(|answer| answer.status == 503).unwrap();
    assert_eq!(told.all("retry-after"), ["1"]);
    assert_eq!(service.me(&service.token("ann")).await, is(200, "ann"));
}

#[tokio::test]
async fn the_document_knows_the_scheme() {
    let service = Service::new().await;
    let document: Value =
        serde_json::from_str(&service.auth.openapi(Api, "Service", "1.0").spec()).unwrap();
    let scheme = &document["components"]["securitySchemes"]["provider"];
    let description = scheme["description"].as_str().unwrap();
    assert!(description.contains(&service.provider.issuer), "{scheme}");
    assert_eq!(document["paths"]["/me"]["get"]["security"], json!([{ "provider": [] }]));
}

#[test]
fn what_cannot_work_is_a_mistake() {
    use auth_poem::oidc::Provider;
    let users = || LinkedUsers::<Member>::new(MemoryIdentities::new());
    let provider = |issuer: &str| Provider::new(issuer, CLIENT_ID, CLIENT_SECRET);
    for wrong in [
        Introspection::new(provider("http://login.example"), AUDIENCE, users()).err(),
        Introspection::new(provider("https://login.example"), "", users()).err(),
        Introspection::new(Provider::github("i", "s"), AUDIENCE, users()).err(),
        Introspection::new(provider("https://login.example"), AUDIENCE, users())
            .and_then(|scheme| scheme.endpoint("http://login.example/introspect"))
            .err(),
    ] {
        let wrong = wrong.unwrap().to_string();
        assert!(wrong.contains("https") || wrong.contains("OpenID Connect"), "{wrong}");
    }
    let scheme = Introspection::new(provider("https://login.example"), AUDIENCE, users()).unwrap();
    assert!(!format!("{scheme:?}").contains(CLIENT_SECRET));
}
