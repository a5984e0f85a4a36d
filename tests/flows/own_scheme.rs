//! A scheme of the application's own, as one of all: badges at a depot.

use auth_poem::{
    fault::Failure,
    http::RequestHead,
    prelude::*,
    scheme::{Proof, Scheme, SchemeInfo},
    scopes::Scopes,
    testing::{Credential, Standing, Walk, Who},
};
use auth_tests::{
    Depot,
    world::{JWT_SECRET, password_of},
};
use serde_json::json;

async fn depot() -> Depot {
    let depot = Depot::new().await;
    for (badge, owner) in [("A1", 1), ("B2", 2), ("E3", 3)] {
        depot.badges.give(badge, owner, Scopes::All);
    }
    depot
}

#[tokio::test]
async fn it_names_a_user_as_any_other_scheme_does() {
    for wait in [false, true] {
        let depot = depot().await;
        if wait {
            depot.stores_wait();
        }
        for path in ["/me", "/maybe"] {
            let answer = depot.browser().get(path).header("x-badge", "A1").await;
            assert_eq!(answer.is(200).body, "ann", "{path}");
            let answer = depot.browser().get(path).header("x-badge", "Z9").await;
            assert_eq!(answer.outcome(), (401, "invalid_credentials".into()), "{path}");
        }
        assert_eq!(depot.badges.asked(), 4);
        assert_eq!(depot.browser().get("/maybe").await.is(200).body, "nobody");
        assert_eq!(depot.browser().get("/me").await.is(401).code(), "missing_credentials");
        assert_eq!(depot.badges.asked(), 4, "without the header nobody is asked");
        let known = depot.browser().get("/identity").header("x-badge", "A1").await.is(200).json();
        assert_eq!(known, json!({ "name": "ann", "scheme": "badge", "scopes": null }));
    }
}

#[tokio::test]
async fn a_fault_of_its_own_is_nobodys_identity() {
    let depot = depot().await;
    depot.badges.fail(true);
    for path in ["/me", "/maybe"] {
        let answer = depot.browser().get(path).header("x-badge", "A1").await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
        assert!(!answer.body.contains("burn"), "{answer:?}");
    }
    depot.badges.fail(false);
    depot.keepers.fail(true);
    let answer = depot.browser().get("/maybe").header("x-badge", "A1").await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
}

#[tokio::test]
async fn an_inactive_user_is_refused_and_a_changed_password_says_nothing_of_badges() {
    let depot = depot().await;
    let hash = depot.hasher.hash("an entirely different secret").await.unwrap();
    depot.change("ann", |ann| ann.password = hash);
    assert_eq!(depot.browser().get("/me").header("x-badge", "A1").await.is(200).body, "ann");
    depot.change("ann", |ann| ann.active = false);
    for path in ["/me", "/maybe"] {
        let answer = depot.browser().get(path).header("x-badge", "A1").await;
        assert_eq!(answer.outcome(), (401, "invalid_credentials".into()), "{path}");
    }
    depot.badges.give("N0", 77, Scopes::All);
    let answer = depot.browser().get("/maybe").header("x-badge", "N0").await;
    assert_eq!(answer.outcome(), (401, "invalid_credentials".into()), "of nobody");
}

#[tokio::test]
async fn it_agrees_with_other_credentials_or_is_refused() {
    let depot = depot().await;
    let (ann, token) = (depot.logged_in("ann").await, depot.token("ann").await);
    let with = |badge: &str| {
        [
            ann.get("/maybe").header("x-badge", badge),
            depot.browser().get("/maybe").bearer(&token).header("x-badge", badge),
            depot
                .browser()
                .get("/maybe")
                .basic("ann", &password_of("ann"))
                .header("x-badge", badge),
        ]
    };
    for ask in with("A1") {
        assert_eq!(ask.await.is(200).body, "ann");
    }
    for ask in with("B2") {
        assert_eq!(ask.await.outcome(), (401, "conflicting_credentials".into()));
    }
    for ask in with("Z9") {
        assert_eq!(ask.await.outcome(), (401, "invalid_credentials".into()));
    }
}

#[tokio::test]
async fn a_restricted_credential_reaches_no_farther_than_its_user_and_its_scopes() {
    let depot = depot().await;
    let ask = |path: &str, badge: &str| depot.browser().get(path).header("x-badge", badge);
    depot.badges.give("A-none", 1, Scopes::parse(""));
    depot.badges.give("A-reports", 1, Scopes::only(["reports:read"]));
    depot.badges.give("B-reports", 2, Scopes::only(["reports:read"]));
    depot.badges.give("B-chief", 2, Scopes::only(["role:chief"]));
    depot.badges.give("E-reports", 3, Scopes::only(["reports:read", "role:chief"]));
    let insufficient = (403, "insufficient_scope".to_owned());
    let forbidden = (403, "forbidden".to_owned());
    let fine = (200, String::new());
    for (path, badge, expected) in [
        ("/reports", "A1", &fine),
        ("/reports", "A-none", &insufficient),
        ("/reports", "A-reports", &fine),
        ("/reports", "B2", &fine),
        ("/reports", "B-reports", &fine),
        ("/reports", "B-chief", &insufficient),
        ("/reports", "E3", &forbidden),
        ("/reports", "E-reports", &forbidden),
        ("/chief", "B2", &fine),
        ("/chief", "B-reports", &insufficient),
        ("/chief", "B-chief", &fine),
        ("/chief", "A-none", &forbidden),
        ("/chief", "E-reports", &forbidden),
        ("/me", "A-none", &fine),
    ] {
        assert_eq!(&ask(path, badge).await.outcome(), expected, "{path} {badge}");
    }
    let concealed = ask("/concealed", "A-none").await;
    assert_eq!(concealed.outcome(), (404, "not_found".into()));
    let known = ask("/identity", "B-reports").await.is(200).json();
    assert_eq!(known["scopes"], json!(["reports:read"]));
}

#[tokio::test]
async fn it_proves_no_login_of_a_moment_ago() {
    let depot = depot().await;
    let answer = depot.browser().get("/fresh").header("x-badge", "A1").await;
    assert_eq!(answer.outcome(), (403, "reauthentication_required".into()));
}

#[tokio::test]
async fn challenge_and_document_speak_of_it() {
    let depot = depot().await;
    let challenges = [
        "Basic realm=\"auth\", charset=\"UTF-8\"",
        "Bearer realm=\"auth\"",
        "ApiKey realm=\"auth\", header=\"x-api-key\"",
        "Signature realm=\"auth\"",
        "Badge gate=\"north\"",
    ];
    assert_eq!(depot.browser().get("/me").await.all("www-authenticate"), challenges);
    assert_eq!(
        depot.document["components"]["securitySchemes"]["badge"],
        json!({
            "type": "apiKey",
            "in": "header",
            "name": "x-badge",
            "description": "The number on the badge.",
        })
    );
    let expected = json!([
        {"basic": []}, {"session": []}, {"bearer": []}, {"api_key": []},
        {"signature": []}, {"badge": []}
    ]);
    assert_eq!(depot.document["paths"]["/me"]["get"]["security"], expected);
    let reports = &depot.document["paths"]["/reports"]["get"]["responses"]["403"]["description"];
    let text = "The credential does not reach that far.";
    assert!(reports.as_str().unwrap().contains(text), "{reports}");
    let walk =
        Walk::new(depot.endpoint(), &depot.document.to_string()).credentials(async |who: &Who| {
            match who.scheme() {
                // A badge is never fresh.
                "badge" if who.operation().path() == "/fresh" => None,
                "badge" if who.standing() == Standing::Lacking => Some(Credential::new("E3")),
                "badge" => Some(Credential::new("B2")),
                _ => None,
            }
        });
    let report = walk.run().await;
    report.assert_clean();
    let called = report.calls().iter().filter(|call| call.to_string().contains("badge")).count();
    assert!(called > 10, "{report}");
}

#[tokio::test]
async fn it_can_be_left_out() {
    let depot = Depot::with(|config| config.disable_scheme("badge")).await;
    depot.badges.give("A1", 1, Scopes::All);
    let answer = depot.browser().get("/maybe").header("x-badge", "A1").await;
    assert_eq!(answer.is(200).body, "nobody");
    assert_eq!(depot.badges.asked(), 0);
    assert!(depot.document["components"]["securitySchemes"]["badge"].is_null());
    assert!(!depot.document["paths"]["/me"].to_string().contains("badge"));
}

/// Somebody with nothing but a stamp on a card, in `Authorization`.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "members", schemes(custom = "card"))]
struct Member {
    #[auth(id)]
    id: i64,
    #[auth(active)]
    active: bool,
}

/// Who needs no store: the card says it all.
struct Cards(SchemeInfo);

impl Scheme<Member> for Cards {
    fn info(&self) -> SchemeInfo {
        self.0.clone()
    }

    async fn find(&self, head: &RequestHead<'_>) -> Result<Option<Proof<Member>>, Failure> {
        let Some(card) = head.authorization("Card")? else { return Ok(None) };
        let id = card.parse().map_err(|_| Rejection::InvalidCredentials)?;
        Ok(Some(Proof::of_user(Member { id, active: id < 100 })))
    }
}

struct MemberApi;

#[auth_api]
impl MemberApi {
    #[oai(path = "/", method = "post")]
    async fn id(&self, member: Member) -> poem_openapi::payload::Json<i64> {
        poem_openapi::payload::Json(member.id)
    }
}

fn members(info: SchemeInfo) -> Result<Authenticator, auth_poem::config::ConfigError> {
    AuthConfig::new()
        .user::<Member>(MemoryUsers::default())
        .scheme::<Member>("card", Cards(info))
        .build()
}

#[tokio::test]
async fn the_user_may_come_with_the_credential() {
    let auth = members(SchemeInfo::authorization("Card")).unwrap();
    let api = auth.openapi(MemberApi, "Members", "1.0");
    let document: serde_json::Value = serde_json::from_str(&api.spec()).unwrap();
    let scheme = &document["components"]["securitySchemes"]["card"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&"http".into(), &"card".into()));
    let browser = auth_tests::World::serve(api);
    let ask = |card: &str| browser.post("/").header("authorization", format!("Card {card}"));
    assert_eq!(ask("7").await.is(200).body, "7");
    assert_eq!(ask("seven").await.outcome(), (401, "invalid_credentials".into()));
    assert_eq!(ask("101").await.outcome(), (401, "invalid_credentials".into()), "not active");
    let nobody = browser.post("/").await;
    assert_eq!(nobody.all("www-authenticate"), ["Card realm=\"auth\""]);
    let other_site = ask("7").header("sec-fetch-site", "cross-site").await;
    assert_eq!(other_site.is(200).body, "7", "no browser sends it by itself");
}

#[tokio::test]
async fn what_browsers_send_by_themselves_does_not_do_for_pages_of_other_sites() {
    let auth = members(SchemeInfo::authorization("Card").ambient(true)).unwrap();
    let browser = auth_tests::World::serve(auth.openapi(MemberApi, "Members", "1.0"));
    let ask = browser.post("/").header("authorization", "Card 7");
    let answer = ask.header("sec-fetch-site", "cross-site").await;
    assert_eq!(answer.outcome(), (403, "cross_site".into()));
}

#[test]
fn what_does_not_fit_is_found_when_the_application_starts() {
    let problems = |config: AuthConfig| config.build().unwrap_err().problems().to_vec();
    let user = || AuthConfig::new().user::<Member>(MemoryUsers::default());
    let card = || Cards(SchemeInfo::authorization("Card"));
    assert_eq!(
        problems(user()),
        ["Member declares the scheme `card`, but AuthConfig::scheme::<Member>(\"card\", ..) was \
          not called"]
    );
    assert_eq!(
        problems(user().scheme::<Member>("card", card()).scheme::<Member>("cart", card())),
        [
            "AuthConfig::scheme::<Member>(\"cart\", ..) was called, but Member is no configured user \
          who declares it; write `schemes(custom = \"cart\")`"
        ]
    );
    assert_eq!(
        problems(user().scheme::<Member>("card", card()).scheme::<Member>("card", card())),
        ["AuthConfig::scheme::<Member>(\"card\", ..) was called twice"]
    );
    let bearer = || user().scheme::<Member>("card", Cards(SchemeInfo::authorization("bearer")));
    assert_eq!(
        problems(bearer().jwt(JwtKeys::hs256(JWT_SECRET).unwrap())),
        ["the scheme `card` of Member begins with `bearer`, as another one does"]
    );
    assert!(bearer().build().is_ok(), "without tokens of our own the name is free");
    let bad = SchemeInfo::header("x card").challenged_as("\n");
    assert_eq!(
        problems(user().scheme::<Member>("card", Cards(bad))),
        [
            "AuthConfig::scheme::<Member>(\"card\", ..): \"x card\" is no name of a header",
            "AuthConfig::scheme::<Member>(\"card\", ..): its challenge cannot stand in a header",
        ]
    );
    assert_eq!(
        problems(user().scheme::<Member>("card", card()).disable_scheme("badge")),
        ["AuthConfig::disable_scheme was called with `badge`; there are session, bearer, basic, \
          api_key, \
          signature and \
          card"]
    );
}
