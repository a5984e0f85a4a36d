//! Secrets in places where somebody reads them: logs, error bodies, debug output.

use std::{fmt::Debug, sync::Arc};

use auth_core::{
    context::Context,
    error::Error,
    features::AuthHandle,
    http::{AdapterRequest, RequestHead, authorization::Authorization},
    jwt::{JwtConfig, JwtKeys},
    password::PasswordHash,
    secret::{SecurityStamp, SessionToken},
    session::{record::SessionData, untyped::Untyped},
    store::SessionStore,
    user::UserKey,
    users::{Lookup, PasswordChange},
};
use auth_poem::prelude::Duration;
use auth_tests::{Answer, Logs, User, World, world::JWT_SECRET};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as URL};
use poem::http::{HeaderMap, HeaderValue, Method, Uri};
use serde_json::json;

/// A secret may be found in other clothes.
fn spellings(secret: &str) -> Vec<String> {
    let bytes: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let json = json!(secret).to_string();
    vec![secret.to_owned(), bytes.join(", "), hex, json.trim_matches('"').to_owned()]
}

#[track_caller]
fn holds_none(text: &str, secrets: &[String], place: &str) {
    for secret in secrets {
        for spelling in spellings(secret) {
            let found = text.lines().find(|line| line.contains(&spelling));
            assert_eq!(found, None, "{spelling} is in {place}");
        }
    }
}

#[tokio::test]
async fn no_secret_is_logged_or_told_whatever_happens() {
    let logs = Logs::capture();
    let world = World::new().await;
    let mut secrets: Vec<String> = Vec::new();
    let mut errors: Vec<Answer> = Vec::new();
    let (old, new) = ("the long password of ann", "an entirely different secret");
    secrets.extend([old.into(), new.into(), "a wrong guess of mine".into()]);
    secrets.push(String::from_utf8(JWT_SECRET.to_vec()).unwrap());
    secrets.push(world.user("ann").password.unwrap().expose().to_owned());

    // A code in an anonymous session, logging in, guessing, changing the key and the password.
    let ann = world.browser();
    let _ = ann.post("/code?code=code-4711-0815&minutes=5").await.is(200);
    secrets.extend(["code-4711-0815".into(), ann.cookie().unwrap()]);
    errors.push(ann.login_with("ann", "a wrong guess of mine").await);
    let _ = ann.login("ann").await.is(200);
    secrets.push(ann.cookie().unwrap());
    let _ = ann.post("/session/cycle").await.is(200);
    secrets.push(ann.cookie().unwrap());
    let token = world.token("ann").await;
    secrets.extend([token.clone(), token.rsplit('.').next().unwrap().to_owned()]);
    let _ = world.browser().get("/me").bearer(&token).await.is(200);
    let change = json!({ "current": "a wrong guess of mine", "new": new });
    errors.push(ann.post("/password").json(change).await);
    let weak = json!({ "current": old, "new": "sh0rt-secret" });
    secrets.push("sh0rt-secret".into());
    errors.push(ann.post("/password").json(weak).await);
    let _ = ann.post("/password").json(json!({ "current": old, "new": new })).await.is(200);
    secrets.push(ann.cookie().unwrap());
    secrets.push(world.user("ann").password.unwrap().expose().to_owned());

    // A value of another type than the reader expects, in a session.
    let _ = ann.ask("PUT", "/untyped/pin").json(json!("pin-1234-5678")).await.is(200);
    secrets.push("pin-1234-5678".into());
    errors.push(ann.get("/untyped/pin").await);

    // Bodies and parameters that cannot be read; parsers quote what they could not.
    secrets.extend(["20260704511".into(), "pin in the wrong place".into()]);
    for body in [
        r#"{"name": "ann", "password": [20260704511]}"#,
        r#"{"name": "ann", "password": {"x": "pin in the wrong place"}}"#,
        r#"{"name": "ann", "password": "pin in the wrong place", "keep": "pin in the wrong place"}"#,
        r#"{"name": "ann", "password": "pin in the wrong place"#,
        r#"["pin in the wrong place"]"#,
    ] {
        let answer = world.browser().post("/login").body("application/json", body).await;
        assert_eq!(answer.outcome(), (400, "malformed_request".into()));
        errors.push(answer);
    }
    errors.push(world.browser().post("/login").body("20260704511/x", "x").await.is(415));
    errors.push(world.browser().post("/session/expiry?minutes=20260704511x").await.is(400));
    errors.push(ann.ask("DELETE", "/sessions/20260704511").await.is(400));

    // Credentials that do not hold, conflict or cannot be read.
    errors.push(world.browser().get("/me").bearer(&token).await);
    errors.push(world.logged_in("bob").await.get("/me").bearer(&world.token("carl").await).await);
    let twice = world.browser().get("/me").bearer(&token).header("authorization", "Basic x");
    errors.push(twice.await);
    errors.push(world.browser().get("/me").header("authorization", format!("/ {token}")).await);
    for _ in 0..6 {
        errors.push(world.browser().login_with("ann", "a wrong guess of mine").await);
    }

    // Hashes and stores that fail.
    world.change("carl", |carl| {
        carl.password = Some(PasswordHash::from_stored("$broken$hash-of-carl"));
    });
    secrets.push("hash-of-carl".into());
    errors.push(world.browser().login("carl").await);
    let thief = ann.stolen();
    world.sessions.fail(true);
    errors.push(ann.get("/me").await);
    errors.push(ann.post("/logout").await);
    world.sessions.fail(false);
    world.wait(Duration::hours(13));
    errors.push(thief.get("/me").await);

    for answer in &errors {
        assert!(answer.status >= 400, "{answer:?}");
        let shown: Vec<String> = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        holds_none(&answer.body, &secrets, "the body of an error");
        holds_none(&shown.join("\n"), &secrets, "the headers of an error");
    }
    let text = logs.text();
    assert!(text.contains("a login failed") && text.contains("logged in"), "{text}");
    holds_none(&text, &secrets, "the log");
}

#[tokio::test]
async fn debug_output_holds_no_secret() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let _ = ann.post("/code?code=code-4711-0815").await.is(200);
    let _ = ann.ask("PUT", "/untyped/pin").json(json!("pin-1234-5678")).await.is(200);
    let key = ann.cookie().unwrap();
    let jwt_token = world.token("ann").await;
    let user = world.user("ann");
    let hash = user.password.clone().unwrap();
    let password = "the long password of ann";
    let generated = SessionToken::generate().unwrap();
    let secrets: Vec<String> = [
        "code-4711-0815",
        "pin-1234-5678",
        &key,
        &generated.expose(),
        &jwt_token,
        hash.expose(),
        password,
        std::str::from_utf8(JWT_SECRET).unwrap(),
    ]
    .map(str::to_owned)
    .to_vec();

    let now = auth_core::clock::Clock::now(&world.clock);
    let records = world.sessions.list_by_user(&UserKey::of(&user), now).await.unwrap();
    let record = &records[0];
    let mut untyped = Untyped::default();
    untyped.insert("pin", "pin-1234-5678").unwrap();
    let conversion = untyped.get::<u32>("pin").unwrap_err();
    let broken = SessionData::from_json(r#"{"a": "pin-1234-5678"}"#).unwrap_err();

    let mut headers = HeaderMap::new();
    headers.insert("cookie", HeaderValue::try_from(format!("__Host-sid={key}")).unwrap());
    headers.insert("authorization", HeaderValue::try_from(format!("Bearer {jwt_token}")).unwrap());
    let uri = Uri::from_static("/");
    let head = RequestHead {
        method: &Method::GET,
        uri: &uri,
        headers: &headers,
        peer: None,
        adapter: AdapterRequest::NONE,
    };
    let context = Arc::new(Context::new(world.auth.clone()));
    let handle = AuthHandle::<User>::new(context.clone(), &head);
    let outcome = context.authenticate::<User>(&head).await.unwrap();
    let login = handle.login("ann", password);
    let mut session = context.open_session::<Untyped>(&head).await.unwrap();
    session.insert("pin", "pin-1234-5678").unwrap();
    let live = format!("{session:?}");
    drop(session);

    let keys = JwtKeys::hs256(JWT_SECRET).unwrap();
    let ring = format!("{keys:?}");
    let jwt = JwtConfig::new(keys, "auth", "auth");
    let jwt_shown = format!("{jwt:?}");
    let jwt = jwt.build().unwrap();
    let issued =
        jwt.issue(&UserKey::of(&user), SecurityStamp::of_secret(b"x"), now, None, now).unwrap();
    let mut secrets = secrets;
    secrets.push(issued.token.expose().to_owned());
    secrets.push(URL.encode(hash.stamp().as_bytes()));

    let change = PasswordChange { replaces: Some(&hash), hash: &hash, raise_epoch: true };
    let lookup = Lookup::One(Arc::new(user.clone()));
    let session_key = generated.key();
    let fault = Error::session_store("down");
    let shown: Vec<(&str, &dyn Debug)> = vec![
        ("SessionToken", &generated),
        ("SessionKey", &session_key),
        ("SessionRecord", record),
        ("SessionData", &record.data),
        ("Untyped", &untyped),
        ("a failed conversion", &conversion),
        ("broken data", &broken),
        ("a fault", &fault),
        ("RequestHead", &head),
        ("Context", &context),
        ("AuthHandle", &handle),
        ("Login", &login),
        ("Outcome", &outcome),
        ("LiveSession", &live),
        ("JwtKeys", &ring),
        ("JwtConfig", &jwt_shown),
        ("Jwt", &jwt),
        ("IssuedToken", &issued),
        ("PasswordHash", &hash),
        ("PasswordChange", &change),
        ("Lookup", &lookup),
        ("User", &user),
        ("Authenticator", &world.auth),
        ("FailingSessions", &world.sessions),
        ("FailingUsers", &world.users),
        ("MemoryUsers", &world.people),
    ];
    for (name, value) in shown {
        holds_none(&format!("{value:?}"), &secrets, name);
        holds_none(&format!("{value:#?}"), &secrets, name);
    }
    let authorization = Authorization::of(&headers);
    holds_none(&format!("{authorization:?}"), &secrets, "Authorization");
    holds_none(&format!("{} {}", conversion, broken), &secrets, "the text of an error");
}
