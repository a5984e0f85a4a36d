//! Attacks with tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::conduit::{Answers, Conduct, Conduit, stories};

stories! {
    a_token_that_was_altered_does_not_hold,
    a_token_stands_in_its_header_and_nowhere_else,
    the_token_of_a_deleted_user_does_not_hold,
    a_token_that_does_not_hold_is_refused_where_a_user_is_optional,
    says_how_to_log_in_and_keeps_tokens_out_of_caches,
}

fn invalid() -> Value {
    json!({"token": ["is invalid"]})
}

fn missing() -> Value {
    json!({"token": ["is missing"]})
}

/// A part of a token: 0 is its header, 1 its claims.
fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn token_of(conduit: &Conduit, name: &str) -> String {
    conduit.signed_up(name).get("/user").token().to_owned()
}

fn a_token_that_was_altered_does_not_hold(conduit: &Conduit) {
    let good = token_of(conduit, "ann");
    let other = token_of(conduit, "ben");
    let parts: Vec<&str> = good.split('.').collect();
    let [_, claims, signature] = parts[..] else { panic!("{good}") };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let with_header = |change: Value| {
        let mut header = part(&good, 0);
        header.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        encode(&header)
    };
    let none = with_header(json!({"alg": "none"}));
    let no_kid = encode(&json!({"alg": "none", "typ": "JWT"}));
    let mut longer = part(&good, 1);
    longer["exp"] = json!(longer["exp"].as_i64().unwrap() + 1);
    let mut as_ben = part(&good, 1);
    as_ben["sub"] = part(&other, 1)["sub"].clone();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    for bad in [
        String::new(),
        "token".into(),
        "undefined".into(),
        format!("{}.{claims}.", parts[0]),
        format!("{}.{claims}", parts[0]),
        format!("{}.{claims}.{first}{}", parts[0], &signature[1..]),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{no_kid}.{claims}."),
        format!("{}.{claims}.{signature}", with_header(json!({"alg": "HS256"}))),
        format!("{}.{}.{signature}", parts[0], encode(&longer)),
        format!("{}.{}.{signature}", parts[0], encode(&as_ben)),
        format!("{good}.{good}"),
        format!("{good} {good}"),
    ] {
        let mut client = conduit.stranger();
        client.present(&bad);
        client.get("/user").assert_errors(401, invalid());
    }
}

fn a_token_stands_in_its_header_and_nowhere_else(conduit: &Conduit) {
    let good = token_of(conduit, "ann");
    for query in ["token", "access_token", "authorization", "Authorization"] {
        let answer = conduit.stranger().get(&format!("/user?{query}={good}"));
        answer.assert_errors(401, missing());
    }
    let answer = conduit.stranger().put("/user", json!({"token": good, "user": {"bio": "x"}}));
    answer.assert_errors(401, missing());
    let mut client = conduit.stranger();
    client.cookies.insert("token".into(), good.clone());
    client.get("/user").assert_errors(401, missing());

    let with = |value: String| {
        let mut client = conduit.stranger();
        client.set_header("authorization", value);
        client.get("/user")
    };
    for prefix in ["Bearer ", "Basic ", "Tokens ", "JWT "] {
        with(format!("{prefix}{good}")).assert_errors(401, missing());
    }
    // The scheme alone, no scheme at all, a scheme that is none.
    with(good.clone()).assert_errors(401, missing());
    with("Token".into()).assert_errors(401, invalid());
    with(format!("Token:{good}")).assert_errors(401, invalid());
    // Schemes are compared without regard to case (RFC 9110).
    assert_eq!(with(format!("token {good}")).status, 200);

    // Two headers: nobody knows which of them was meant.
    let other = token_of(conduit, "ben");
    let mut client = conduit.stranger();
    for token in [&good, &other] {
        client.headers.push(("authorization", format!("Token {token}")));
    }
    client.get("/user").assert_errors(401, invalid());
}

fn the_token_of_a_deleted_user_does_not_hold(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    ann.publish("A");
    let deleted = conduit.in_database(async |pool| {
        let delete = sqlx::query("DELETE FROM users WHERE username = 'ann'");
        delete.execute(&pool).await.unwrap().rows_affected()
    });
    assert_eq!(deleted, 1);
    ann.get("/user").assert_errors(401, invalid());
    ann.get("/articles").assert_errors(401, invalid());
    ann.write(json!({"title": "B", "description": "C", "body": "D"})).assert_errors(401, invalid());
    assert_eq!(ben.titles("/articles"), (vec![], 0), "his articles are gone with him");
    // Somebody else of that name is somebody else.
    conduit.signed_up("ann");
    ann.get("/user").assert_errors(401, invalid());
}

fn a_token_that_does_not_hold_is_refused_where_a_user_is_optional(conduit: &Conduit) {
    conduit.signed_up("ann").publish("A");
    for path in ["/articles", "/articles/a", "/articles/a/comments", "/profiles/ann"] {
        let mut client = conduit.stranger();
        assert_eq!(client.get(path).status, 200);
        client.present("nonsense");
        client.get(path).assert_errors(401, invalid());
    }
    // Nobody is asked there.
    let mut client = conduit.stranger();
    client.present("nonsense");
    assert_eq!(client.get("/tags").status, 200);
    assert_eq!(client.sign_up("ben", "seven purple giraffes").status, 201);
}

fn says_how_to_log_in_and_keeps_tokens_out_of_caches(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let refused = conduit.stranger().get("/user");
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Token"), "{challenge}");
    for answer in [refused, ann.get("/user"), ann.change(json!({"bio": "x"})), ann.get("/articles")]
    {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    }
    let log = conduit.server.log();
    let token = ann.get("/user").token().to_owned();
    assert!(!log.contains(&token) && !log.contains("argon2"), "{log}");
}

/// A key that this test knows too.
const SECRET: &[u8] = b"zq8Lk2vN0cXw7RrB5uTg1YhJ4sDfM9pE6aVbQ3nK";

/// Signs as the example does.
fn signed(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let mut by = Header::new(Algorithm::HS256);
    by.typ = header["typ"].as_str().map(str::to_owned);
    by.kid = header["kid"].as_str().map(str::to_owned);
    jsonwebtoken::encode(&by, claims, &EncodingKey::from_secret(secret)).unwrap()
}

#[test]
fn claims_are_written_and_each_of_them_is_checked() {
    let key = json!({"kty": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(SECRET)});
    let keys = json!({"keys": [key]}).to_string();
    let conduit = Conduit::on_sqlite(&[("AUTH_JWT_KEYS", &keys)]);
    let good = token_of(&conduit, "ann");
    let (header, claims) = (part(&good, 0), part(&good, 1));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("realworld"), &json!("realworld")));
    let time = |name: &str| claims[name].as_i64().unwrap();
    assert_eq!(time("exp") - time("iat"), 14 * 24 * 60 * 60);
    assert!(!conduit.server.path("realworld.keys.json").exists());

    let status = |token: &str| {
        let mut client = conduit.stranger();
        client.present(token);
        client.get("/user").status
    };
    let with = |change: Value| {
        let mut changed = claims.clone();
        changed.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        status(&signed(&header, &changed, SECRET))
    };
    assert_eq!(with(json!({})), 200, "the test does not sign as the example does");
    let now = time("iat");
    assert_eq!(with(json!({"exp": now + 60})), 200);
    assert_eq!(with(json!({"exp": now - 60})), 401, "expired");
    assert_eq!(with(json!({"exp": -1})), 401);
    assert_eq!(with(json!({"exp": "never"})), 401);
    assert_eq!(with(json!({"exp": null})), 401);
    assert_eq!(with(json!({"nbf": now + 600})), 401, "not valid yet");
    assert_eq!(with(json!({"iat": now + 600})), 401, "issued in the future");
    assert_eq!(with(json!({"iss": "accounts"})), 401, "another issuer");
    assert_eq!(with(json!({"aud": "accounts"})), 403, "another audience");
    assert_eq!(with(json!({"sub": "00000000-0000-0000-0000-000000000000"})), 401);
    assert_eq!(with(json!({"sub": "' OR '1'='1"})), 401);
    assert_eq!(with(json!({"stamp": "AAAAAAAAAAAAAAAAAAAAAA"})), 401);
    // An account is not somebody who is logged in.
    let account: String = conduit.in_database(async |pool| {
        sqlx::query_scalar("SELECT id FROM users").fetch_one(&pool).await.unwrap()
    });
    assert_eq!(with(json!({"realm": "users", "sub": account})), 401);
    assert_eq!(with(json!({"sub": account})), 401);
    assert_eq!(
        status(&signed(&header, &claims, b"another secret, and as long as it has to be")),
        401
    );
}

#[test]
fn a_public_key_is_no_secret() {
    let conduit = Conduit::on_sqlite(&[]);
    let good = token_of(&conduit, "ann");
    let file = std::fs::read(conduit.server.path("realworld.keys.json")).unwrap();
    let keys: Value = serde_json::from_slice(&file).unwrap();
    let public = keys["keys"][0]["x"].as_str().expect("an asymmetric key");
    for secret in [public.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(public).unwrap()] {
        let mut client = conduit.stranger();
        client.present(&signed(&part(&good, 0), &part(&good, 1), &secret));
        client.get("/user").assert_errors(401, invalid());
    }
}
