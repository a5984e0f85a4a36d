//! Every scheme by one table: absent, invalid, unavailable, known, disagreeing with another one, on
//! `User` and on `Option<User>`; and the document agrees.

use auth_poem::{
    prelude::*,
    signature::Signer,
    testing::{Credential, Standing, Walk, Who},
};
use auth_tests::{Answer, Browser, Depot, browser::Ask, world::password_of};

const HEADER: &str = "x-session-id";

/// The ways to present a credential.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Basic,
    Cookie,
    SessionHeader,
    Token,
    KeyHeader,
    KeyBearer,
    Signature,
    Badge,
}

const WAYS: [Way; 8] = [
    Way::Basic,
    Way::Cookie,
    Way::SessionHeader,
    Way::Token,
    Way::KeyHeader,
    Way::KeyBearer,
    Way::Signature,
    Way::Badge,
];

impl Way {
    /// The scheme's name, in `#[auth(schemes(...))]`.
    fn scheme(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Cookie | Self::SessionHeader => "session",
            Self::Token => "bearer",
            Self::KeyHeader | Self::KeyBearer => "api_key",
            Self::Signature => "signature",
            Self::Badge => "badge",
        }
    }

    /// The code with which one is refused that does not hold.
    fn refusal(self) -> &'static str {
        match self {
            Self::Basic => "wrong_credentials",
            Self::Cookie | Self::SessionHeader => "invalid_session",
            Self::Token => "invalid_token",
            Self::KeyHeader | Self::KeyBearer => "invalid_api_key",
            Self::Signature => "invalid_signature",
            Self::Badge => "invalid_credentials",
        }
    }

    fn is_in_authorization(self) -> bool {
        matches!(self, Self::Basic | Self::Token | Self::KeyBearer)
    }

    /// Whether a changed password ends what is presented so.
    fn ends_with_password(self) -> bool {
        matches!(self, Self::Basic | Self::Cookie | Self::SessionHeader | Self::Token)
    }

    /// Makes whatever else this way needs to know who somebody is fail, and says whether it does.
    fn fail(self, depot: &Depot, fails: bool) -> bool {
        match self {
            Self::Cookie | Self::SessionHeader => depot.sessions.fail(fails),
            Self::KeyHeader | Self::KeyBearer => depot.keys.fail(fails),
            Self::Signature => depot.access_keys.fail(fails),
            Self::Badge => depot.badges.fail(fails),
            Self::Basic | Self::Token => return false,
        }
        true
    }
}

/// A credential that holds.
enum Good {
    Text(Way, &'static str, String),
    Signer(Signer),
}

impl Good {
    async fn new(depot: &Depot, way: Way, name: &'static str) -> Self {
        let secret = match way {
            Way::Basic => password_of(name),
            Way::Cookie | Way::SessionHeader => {
                let login = depot.browser().login(name).await.is(200);
                login.all(HEADER)[0].to_owned()
            }
            Way::Token => depot.token(name).await,
            Way::KeyHeader | Way::KeyBearer => depot.api_key(name, None).await.0,
            Way::Signature => return Self::Signer(depot.signer(name, None).await.0),
            Way::Badge => {
                depot.badges.give(name, depot.keeper(name).id, Scopes::All);
                name.to_owned()
            }
        };
        Self::Text(way, name, secret)
    }

    /// The same, but wrong.
    fn spoiled(&self) -> Self {
        match self {
            Self::Text(way, name, secret) => Self::Text(*way, name, format!("{secret}x")),
            Self::Signer(_) => Self::Signer(Signer::hmac_sha256("ak_nobody", b"nothing")),
        }
    }

    /// Adds it to a request that has no body.
    fn add_to(&self, depot: &Depot, browser: &Browser, ask: Ask, path: &str) -> Ask {
        match self {
            Self::Text(Way::Basic, name, secret) => ask.basic(name, secret),
            Self::Text(Way::Cookie, _, secret) => {
                browser.plant("__Host-sid", secret);
                ask
            }
            Self::Text(Way::SessionHeader, _, secret) => ask.header(HEADER, secret),
            Self::Text(Way::KeyHeader, _, secret) => ask.header("x-api-key", secret),
            Self::Text(Way::Badge, _, secret) => ask.header("x-badge", secret),
            Self::Text(Way::Token | Way::KeyBearer | Way::Signature, _, secret) => {
                ask.bearer(secret)
            }
            Self::Signer(signer) => depot
                .sign(signer, "GET", path, b"")
                .into_iter()
                .fold(ask, |ask, (name, value)| ask.header(name, value)),
        }
    }
}

async fn depot() -> Depot {
    Depot::with(|config| config.session_header(HEADER)).await
}

/// What a required and an optional user answer to these credentials: status, and code or name.
async fn outcomes(depot: &Depot, credentials: &[&Good]) -> [(u16, String); 2] {
    let ask = async |path: &str| {
        let browser = depot.browser();
        let mut ask = browser.get(path);
        for credential in credentials {
            ask = credential.add_to(depot, &browser, ask, path);
        }
        let answer: Answer = ask.await;
        let text = if answer.status == 200 { answer.body.clone() } else { answer.code() };
        (answer.status, text)
    };
    [ask("/me").await, ask("/maybe").await]
}

fn both(status: u16, text: &str) -> [(u16, String); 2] {
    [(status, text.to_owned()), (status, text.to_owned())]
}

/// What does not hold is refused; only a cookie, which nobody sends on purpose, is nobody where
/// users are optional.
fn invalid(way: Way) -> [(u16, String); 2] {
    let [required, optional] = both(401, way.refusal());
    [required, if way == Way::Cookie { (200, "nobody".into()) } else { optional }]
}

#[tokio::test]
async fn every_scheme_answers_by_the_same_table() {
    for way in WAYS {
        for wait in [false, true] {
            let depot = depot().await;
            if wait {
                depot.stores_wait();
            }
            let row = format!("{way:?}, waiting: {wait}");
            let ann = Good::new(&depot, way, "ann").await;

            let expected = [(401, "missing_credentials".into()), (200, "nobody".into())];
            assert_eq!(outcomes(&depot, &[]).await, expected, "absent: {row}");
            assert_eq!(outcomes(&depot, &[&ann]).await, both(200, "ann"), "known: {row}");
            let wrong = ann.spoiled();
            assert_eq!(outcomes(&depot, &[&wrong]).await, invalid(way), "invalid: {row}");

            let unavailable = both(503, "unavailable");
            depot.keepers.fail(true);
            assert_eq!(outcomes(&depot, &[&ann]).await, unavailable, "no users: {row}");
            depot.keepers.fail(false);
            if way.fail(&depot, true) {
                assert_eq!(outcomes(&depot, &[&ann]).await, unavailable, "no store: {row}");
                let guest = [(401, "missing_credentials".into()), (200, "nobody".into())];
                assert_eq!(outcomes(&depot, &[]).await, guest, "nothing to ask: {row}");
                way.fail(&depot, false);
            }
            assert_eq!(outcomes(&depot, &[&ann]).await, both(200, "ann"), "again: {row}");

            let hash = depot.hasher.hash("an entirely different secret").await.unwrap();
            let old = depot.keeper("ann").password;
            depot.change("ann", |ann| ann.password = hash);
            let expected = if way.ends_with_password() { invalid(way) } else { both(200, "ann") };
            assert_eq!(outcomes(&depot, &[&ann]).await, expected, "other password: {row}");
            depot.change("ann", |ann| ann.password = old);

            depot.change("ann", |ann| ann.active = false);
            assert_eq!(outcomes(&depot, &[&ann]).await, invalid(way), "inactive: {row}");
        }
    }
}

#[tokio::test]
async fn any_two_credentials_agree_or_are_refused() {
    let depot = depot().await;
    let mut all = Vec::new();
    for way in WAYS {
        let (ann, bob) = (Good::new(&depot, way, "ann").await, Good::new(&depot, way, "bob").await);
        all.push((way, ann, bob));
    }
    for (index, (first, ann, _)) in all.iter().enumerate() {
        for (second, same, bob) in &all[index + 1..] {
            let (agreeing, disagreeing) = match (first, second) {
                // Two `Authorization` headers.
                _ if first.is_in_authorization() && second.is_in_authorization() => {
                    (both(401, "malformed_credentials"), both(401, "malformed_credentials"))
                }
                // The header wins over the cookie.
                (Way::Cookie, Way::SessionHeader) => (both(200, "ann"), both(200, "bob")),
                // Two keys of one scheme: each user has several, so two different ones are no choice.
                (Way::KeyHeader, Way::KeyBearer) => {
                    (both(401, "malformed_credentials"), both(401, "malformed_credentials"))
                }
                _ => (both(200, "ann"), both(401, "conflicting_credentials")),
            };
            let row = format!("{first:?} {second:?}");
            assert_eq!(outcomes(&depot, &[ann, same]).await, agreeing, "{row}");
            assert_eq!(outcomes(&depot, &[ann, bob]).await, disagreeing, "{row}");
        }
    }
}

#[tokio::test]
async fn a_credential_that_does_not_hold_is_not_excused_by_one_that_does() {
    let depot = depot().await;
    for wrong in WAYS {
        for right in WAYS {
            let same = wrong.scheme() == right.scheme();
            if same || (wrong.is_in_authorization() && right.is_in_authorization()) {
                continue;
            }
            let (ann, bad) = (
                Good::new(&depot, right, "ann").await,
                Good::new(&depot, wrong, "ann").await.spoiled(),
            );
            let expected =
                if wrong == Way::Cookie { both(200, "ann") } else { both(401, wrong.refusal()) };
            let row = format!("{wrong:?} beside {right:?}");
            assert_eq!(outcomes(&depot, &[&ann, &bad]).await, expected, "{row}");
        }
    }
}

#[tokio::test]
async fn every_scheme_can_be_left_out_and_the_document_follows() {
    // Without tokens an operation that wants nothing else would be closed.
    for name in ["basic", "session", "api_key", "signature", "badge"] {
        let before = depot().await;
        let sessions = std::sync::Arc::new(before.sessions.clone());
        let without = Depot::with(|config| {
            config.session_header(HEADER).disable_scheme(name).shared_sessions(sessions)
        })
        .await;
        for way in WAYS.into_iter().filter(|way| way.scheme() == name) {
            let ann = Good::new(&before, way, "ann").await;
            let expected = match way {
                // Another scheme reads that header, and the key is none of its tokens.
                Way::KeyBearer => both(401, "invalid_token"),
                _ => [(401, "unsupported_scheme".into()), (200, "nobody".into())],
            };
            assert_eq!(outcomes(&without, &[&ann]).await, expected, "{way:?}");
        }
        let document = &without.document;
        assert!(document["components"]["securitySchemes"][name].is_null(), "{name}");
        let me = document["paths"]["/me"]["get"]["security"].to_string();
        assert!(!me.contains(&format!("\"{name}\"")), "{me}");
    }
}

#[tokio::test]
async fn the_document_says_what_the_server_does_for_every_scheme() {
    let depot = depot().await;
    let walk =
        Walk::new(depot.endpoint(), &depot.document.to_string()).credentials(async |who: &Who| {
            let name = match who.standing() {
                Standing::Entitled => "bob",
                Standing::Lacking => "eve",
            };
            let path = who.operation().path();
            let is_key = !["basic", "session", "session_header", "bearer"].contains(&who.scheme());
            // Keys are never fresh, and make no keys; operations on one key want its id.
            let is_about_keys = path.starts_with("/keys") || path.starts_with("/access-keys");
            let stale = path == "/fresh" && who.standing() == Standing::Lacking;
            if stale || path.contains('{') || (is_key && (path == "/fresh" || is_about_keys)) {
                return None;
            }
            let way = match who.scheme() {
                "basic" => {
                    use base64::{Engine, engine::general_purpose::STANDARD};
                    let pair = format!("{name}:{}", password_of(name));
                    return Some(Credential::new(STANDARD.encode(pair)));
                }
                "session" | "session_header" => Way::Cookie,
                "bearer" => Way::Token,
                "api_key" => Way::KeyHeader,
                "badge" => Way::Badge,
                "signature" => Way::Signature,
                _ => return None,
            };
            match Good::new(&depot, way, name).await {
                Good::Text(_, _, secret) => Some(Credential::new(secret)),
                Good::Signer(signer) => Some(Credential::signed_by(signer, depot.clock.now())),
            }
        });
    let report = walk.allow(poem::http::StatusCode::UNSUPPORTED_MEDIA_TYPE).run().await;
    report.assert_clean();
    let schemes = ["basic", "session", "session_header", "bearer", "api_key", "signature", "badge"];
    for scheme in schemes {
        let calls = report.calls().iter().filter(|call| {
            let line = call.to_string();
            line.contains(scheme) && !line.starts_with("skipped")
        });
        assert!(calls.count() >= 3, "{scheme}: {report}");
    }
}
