//! All schemes by one table: what each answers, and which of them an application has.

use auth_poem::{
    prelude::*,
    testing::{Credential, Sample, Standing, Walk},
};
use auth_tests::{Browser, Office, browser::Ask, world::password_of};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const HEADER: &str = "x-session-id";

/// The ways to present a credential.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Basic,
    Header,
    Bearer,
    Cookie,
}

const WAYS: [Way; 4] = [Way::Basic, Way::Header, Way::Bearer, Way::Cookie];

/// A credential that holds, of ann or bob.
#[derive(Debug, Clone)]
struct Good {
    way: Way,
    name: &'static str,
    secret: String,
}

impl Good {
    async fn new(office: &Office, way: Way, name: &'static str) -> Self {
        let login = office.browser().login(name).await.is(200);
        let secret = match way {
            Way::Basic => password_of(name),
            Way::Header | Way::Cookie => login.all(HEADER)[0].to_owned(),
            Way::Bearer => office.token(name).await,
        };
        Self { way, name, secret }
    }

    fn present(&self, browser: &Browser, path: &str) -> Ask {
        self.add_to(browser, browser.get(path))
    }

    fn add_to(&self, browser: &Browser, ask: Ask) -> Ask {
        match self.way {
            Way::Basic => ask.basic(self.name, &self.secret),
            Way::Header => ask.header(HEADER, &self.secret),
            Way::Bearer => ask.bearer(&self.secret),
            Way::Cookie => {
                browser.plant("__Host-sid", &self.secret);
                ask
            }
        }
    }

    /// The same, but wrong.
    fn spoiled(&self) -> Self {
        Self { secret: format!("{}x", self.secret), ..self.clone() }
    }
}

/// The code with which a way refuses what does not hold.
fn refusal(way: Way) -> &'static str {
    match way {
        Way::Basic => "wrong_credentials",
        Way::Header | Way::Cookie => "invalid_session",
        Way::Bearer => "invalid_token",
    }
}

async fn office() -> Office {
    Office::with(|config| config.session_header(HEADER)).await
}

/// What a required and an optional user answer: status, and code or name.
async fn outcomes(ask: impl Fn(&str) -> Ask) -> [(u16, String); 2] {
    let shown = async |path| {
        let answer = ask(path).await;
        let text = if answer.status == 200 { answer.body.clone() } else { answer.code() };
        (answer.status, text)
    };
    [shown("/me").await, shown("/maybe").await]
}

fn both(status: u16, text: &str) -> [(u16, String); 2] {
    [(status, text.to_owned()), (status, text.to_owned())]
}

/// What does not hold is refused; only a cookie, which nobody sends on purpose, is nobody where
/// users are optional.
fn invalid(way: Way) -> [(u16, String); 2] {
    let [required, optional] = both(401, refusal(way));
    [required, if way == Way::Cookie { (200, "nobody".into()) } else { optional }]
}

#[tokio::test]
async fn every_scheme_answers_by_the_same_table() {
    for way in WAYS {
        for wait in [false, true] {
            let office = office().await;
            if wait {
                office.stores_wait();
            }
            let row = format!("{way:?}, waiting: {wait}");
            let ann = Good::new(&office, way, "ann").await;
            let fresh = || office.browser();

            let absent = outcomes(|path| fresh().get(path)).await;
            let expected = [(401, "missing_credentials".into()), (200, "nobody".into())];
            assert_eq!(absent, expected, "absent: {row}");

            let known = outcomes(|path| ann.present(&fresh(), path)).await;
            assert_eq!(known, both(200, "ann"), "known: {row}");

            let wrong = outcomes(|path| ann.spoiled().present(&fresh(), path)).await;
            assert_eq!(wrong, invalid(way), "invalid: {row}");

            office.clerks.fail(true);
            let users_down = outcomes(|path| ann.present(&fresh(), path)).await;
            assert_eq!(users_down, both(503, "unavailable"), "no user store: {row}");
            office.clerks.fail(false);

            office.sessions.fail(true);
            let sessions_down = outcomes(|path| ann.present(&fresh(), path)).await;
            let needed = matches!(way, Way::Header | Way::Cookie);
            let expected = if needed { both(503, "unavailable") } else { both(200, "ann") };
            assert_eq!(sessions_down, expected, "no session store: {row}");
            office.sessions.fail(false);

            office.change("ann", |ann| ann.active = false);
            let inactive = outcomes(|path| ann.present(&fresh(), path)).await;
            assert_eq!(inactive, invalid(way), "inactive: {row}");
        }
    }
}

#[tokio::test]
async fn whoever_has_changed_his_password_is_as_one_whose_credential_does_not_hold() {
    for way in WAYS {
        let office = office().await;
        let ann = Good::new(&office, way, "ann").await;
        let hash = office.hasher.hash("an entirely different secret").await.unwrap();
        office.change("ann", |ann| ann.password = Some(hash));
        let changed = outcomes(|path| ann.present(&office.browser(), path)).await;
        assert_eq!(changed, invalid(way), "{way:?}");
    }
}

#[tokio::test]
async fn any_two_credentials_agree_or_are_refused() {
    for (index, first) in WAYS.into_iter().enumerate() {
        for second in WAYS.into_iter().skip(index + 1) {
            let office = office().await;
            let (ann, bob) =
                (Good::new(&office, first, "ann").await, Good::new(&office, second, "bob").await);
            let same = Good::new(&office, second, "ann").await;
            let together = async |one: &Good, other: &Good| {
                outcomes(|path| {
                    let browser = office.browser();
                    other.add_to(&browser, one.present(&browser, path))
                })
                .await
            };
            let (agreeing, disagreeing) = match (first, second) {
                // Two `Authorization` headers; the header wins over the cookie.
                (Way::Basic, Way::Bearer) => {
                    (both(401, "malformed_credentials"), both(401, "malformed_credentials"))
                }
                (Way::Header, Way::Cookie) => (both(200, "ann"), both(200, "ann")),
                _ => (both(200, "ann"), both(401, "conflicting_credentials")),
            };
            assert_eq!(together(&ann, &same).await, agreeing, "{first:?} {second:?}");
            assert_eq!(together(&ann, &bob).await, disagreeing, "{first:?} {second:?}");
        }
    }
}

#[tokio::test]
async fn a_disabled_scheme_is_not_tried_not_challenged_and_not_documented() {
    let cases = [
        ("basic", &[Way::Basic][..], vec!["Bearer realm=\"auth\""]),
        ("bearer", &[Way::Bearer], vec!["Basic realm=\"auth\", charset=\"UTF-8\""]),
        (
            "session",
            &[Way::Header, Way::Cookie],
            vec!["Basic realm=\"auth\", charset=\"UTF-8\"", "Bearer realm=\"auth\""],
        ),
    ];
    for (disabled, ways, challenges) in cases {
        // The credentials are good ones, of the same application before the scheme was disabled.
        let before = office().await;
        let after = Office::with(|config| {
            config
                .session_header(HEADER)
                .disable_scheme(disabled)
                .shared_sessions(std::sync::Arc::new(before.sessions.clone()))
        })
        .await;
        for clerk in before.people.all() {
            let password = clerk.password.clone();
            after.change(&clerk.name, |clerk| clerk.password = password);
        }
        for way in WAYS {
            let ann = Good::new(&before, way, "ann").await;
            let found = outcomes(|path| ann.present(&after.browser(), path)).await;
            let expected = match way {
                way if !ways.contains(&way) => both(200, "ann"),
                _ => [(401, "unsupported_scheme".into()), (200, "nobody".into())],
            };
            assert_eq!(found, expected, "{way:?} without {disabled}");
        }
        let answer = after.browser().get("/me").await;
        assert_eq!(answer.all("www-authenticate"), challenges, "without {disabled}");
        let text = after.document.to_string();
        for name in ["basic", "bearer", "session", "session_header"] {
            let gone = name.starts_with(disabled);
            assert_eq!(text.contains(&format!("\"{name}\":[]")), !gone, "{name}: {disabled}");
            let scheme = &after.document["components"]["securitySchemes"][name];
            assert_eq!(scheme.is_null(), gone, "{name} without {disabled}");
        }
    }
}

#[tokio::test]
async fn a_disabled_scheme_needs_nothing_and_starts_nothing() {
    let auth = AuthConfig::new()
        .user::<auth_tests::Clerk>(MemoryUsers::default())
        .disable_scheme("session")
        .disable_scheme("bearer");
    assert!(auth.build().is_ok(), "neither a store nor keys");
    let nothing = |config: AuthConfig| {
        config.disable_scheme("session").disable_scheme("bearer").disable_scheme("basic")
    };
    let office = Office::with(nothing).await;
    let login = office.browser().login("ann").await.is(200);
    assert_eq!(login.json(), json!({ "handle": null, "token": null }));
    assert_eq!(login.set_cookie(), None);
    let answer = office.browser().get("/me").basic("ann", &password_of("ann")).await;
    assert_eq!(answer.outcome(), (401, "unsupported_scheme".into()));
    assert!(answer.all("www-authenticate").is_empty());
    assert_eq!(office.document["paths"]["/me"]["get"]["security"], Value::Null);
}

#[test]
fn a_scheme_that_does_not_exist_cannot_be_disabled() {
    let error = AuthConfig::new().disable_scheme("basik").build().unwrap_err();
    let expected = "AuthConfig::disable_scheme was called with `basik`; there are session, bearer, \
                    basic, api_key and signature";
    assert_eq!(error.problems(), [expected]);
}

#[tokio::test]
async fn who_presents_what_nobody_handles_is_told_so() {
    let office = office().await;
    for header in ["Test", "Digest x", "Negotiate abc", "Token x"] {
        let ask = |path: &str| office.browser().get(path).header("authorization", header);
        let expected = [(401, "unsupported_scheme".into()), (200, "nobody".into())];
        assert_eq!(outcomes(ask).await, expected, "{header}");
        assert_eq!(ask("/me").await.all("www-authenticate").len(), 2, "what would do");
        let browser = office.logged_in("ann").await;
        let answer = browser.get("/me").header("authorization", header).await;
        assert_eq!(answer.is(200).body, "ann", "{header}: another scheme knows who it is");
        browser.plant("__Host-sid", &"A".repeat(43));
        let answer = browser.get("/me").header("authorization", header).await;
        assert_eq!(answer.code(), "invalid_session", "{header}");
    }
    // Where nobody reads the header at all, one that cannot be read is no better.
    let cookies = |config: AuthConfig| config.disable_scheme("basic").disable_scheme("bearer");
    let office = Office::with(cookies).await;
    for header in ["Test", "Basic YW5uOng=", "Bearer x", ":", ""] {
        let ask = |path: &str| office.browser().get(path).header("authorization", header);
        let expected = [(401, "unsupported_scheme".into()), (200, "nobody".into())];
        assert_eq!(outcomes(ask).await, expected, "{header:?}");
    }
}

#[tokio::test]
async fn challenges_can_be_left_out() {
    let office = Office::with(|config| config.without_challenges()).await;
    for ask in [office.browser().get("/me"), office.browser().get("/maybe").basic("ann", "wrong")] {
        assert!(ask.await.is(401).all("www-authenticate").is_empty());
    }
}

async fn verifying() -> Office {
    Office::with(|config| config.session_header(HEADER).verify_on_public_operations()).await
}

#[tokio::test]
async fn public_operations_refuse_what_does_not_hold_where_that_is_wanted() {
    for wait in [false, true] {
        let office = verifying().await;
        if wait {
            office.stores_wait();
        }
        assert_eq!(office.browser().get("/public").await.is(200).body, "welcome");
        for way in WAYS {
            let ann = Good::new(&office, way, "ann").await;
            let answer = ann.present(&office.browser(), "/public").await;
            assert_eq!(answer.is(200).body, "welcome", "{way:?}");
            let answer = ann.spoiled().present(&office.browser(), "/public").await;
            if way == Way::Cookie {
                assert!(answer.is(200).removes_cookie());
            } else {
                assert_eq!(answer.outcome(), (401, refusal(way).into()), "{way:?}");
            }
        }
        let conflict = office.logged_in("bob").await;
        let answer = conflict.get("/public").basic("ann", &password_of("ann")).await;
        assert_eq!(answer.outcome(), (401, "conflicting_credentials".into()));
        let login = office.browser().login("ann").header(HEADER, "A".repeat(43)).await;
        assert_eq!(login.outcome(), (401, "invalid_session".into()), "the login is public too");
        let login = office.browser().login("ann").header("authorization", "Test").await;
        assert_eq!(login.status, 200, "a scheme that nobody handles says nothing");
    }
}

#[tokio::test]
async fn public_operations_are_as_closed_to_faults_and_other_sites_as_others() {
    let office = verifying().await;
    let ann = office.logged_in("ann").await;
    let answer = ann.post("/public").header("sec-fetch-site", "cross-site").await;
    assert_eq!(answer.outcome(), (403, "cross_site".into()));
    office.sessions.fail(true);
    assert_eq!(ann.get("/public").await.outcome(), (503, "unavailable".into()));
    assert_eq!(office.browser().get("/public").await.is(200).body, "welcome");
}

#[tokio::test]
async fn public_operations_that_verify_are_documented_so() {
    let responses = |office: &Office| {
        let public = &office.document["paths"]["/public"];
        let statuses = public["post"]["responses"].as_object().unwrap();
        (public["get"]["security"].clone(), statuses.keys().cloned().collect::<Vec<_>>())
    };
    let (security, statuses) = responses(&office().await);
    assert_eq!((security, statuses), (Value::Null, vec!["200".to_owned()]));
    let (security, statuses) = responses(&verifying().await);
    let ways = json!([
        {"basic": []}, {"session": []}, {"session_header": []}, {"bearer": []}, {}
    ]);
    assert_eq!(security, ways);
    assert_eq!(statuses, ["200", "401", "403", "429", "503"]);
}

#[tokio::test]
async fn without_that_public_operations_look_at_nothing() {
    let office = office().await;
    let before = office.hasher.jobs();
    for way in WAYS {
        let ann = Good { way, name: "ann", secret: "wrong".into() };
        let answer = ann.present(&office.browser(), "/public").await;
        assert_eq!(answer.is(200).body, "welcome", "{way:?}");
    }
    assert_eq!(office.hasher.jobs(), before);
    assert_eq!((office.clerks.calls().total(), office.sessions.calls().total()), (0, 0));
}

#[tokio::test]
async fn the_document_of_every_configuration_is_true() {
    type Change = fn(AuthConfig) -> AuthConfig;
    let changes: [Change; 5] = [
        |config| config,
        |config| config.session_header(HEADER),
        |config| config.session_header(HEADER).without_session_cookie(),
        |config| config.session_header(HEADER).verify_on_public_operations(),
        |config| config.disable_scheme("basic").disable_scheme("bearer").without_challenges(),
    ];
    for change in changes {
        let office = Office::with(change).await;
        let ann = json!({ "name": "ann", "password": password_of("ann") });
        let has_tokens = office.document["components"]["securitySchemes"]["bearer"].is_object();
        let report = Walk::new(office.endpoint(), &office.document.to_string())
            .credentials(async |who| {
                // Whoever has just logged in lacks nothing.
                if who.standing() == Standing::Lacking {
                    return None;
                }
                Some(Credential::new(match who.scheme() {
                    "basic" => STANDARD.encode(format!("ann:{}", password_of("ann"))),
                    "bearer" => office.token("ann").await,
                    "session" => office.logged_in("ann").await.cookie()?,
                    _ => office.browser().login("ann").await.is(200).all(HEADER)[0].to_owned(),
                }))
            })
            .samples(async |operation| match operation.to_string().as_str() {
                "POST /token" if !has_tokens => Some(Sample::skip("tokens are disabled")),
                "POST /login" | "POST /token" => Some(Sample::json(ann.clone())),
                _ => None,
            })
            .run()
            .await;
        report.assert_clean();
        let unused: &[&str] = if has_tokens { &[] } else { &["POST /token"] };
        assert_eq!(report.never_succeeded(), unused, "{report}");
    }
}
