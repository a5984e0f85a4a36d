//! Tokens for clients without cookies.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{PASSWORD, server::Server};

#[test]
fn issues_a_token_and_no_session() {
    let server = Server::start();
    server.signed_up("ann");
    let mut client = server.client();
    let answer = client.post("/user/token", json!({"username": "ann", "password": PASSWORD}));
    assert_eq!(answer.status, 200);
    let members: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "token_type"]);
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 600);
    assert_eq!(answer.set_cookie(), None);
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    client.token = Some(answer.body["access_token"].as_str().unwrap().to_owned());
    assert_eq!(client.get("/user").body["username"], "ann");
    assert_eq!(client.get("/user/hello").body, json!({"message": "Hello, ann"}));
}

#[test]
fn writes_every_registered_claim() {
    let server = Server::start();
    server.signed_up("ann");
    let client = server.with_token("ann", PASSWORD);
    let token = client.token.unwrap();
    let part = |index: usize| -> Value {
        let text = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    let (header, claims) = (part(0), part(1));
    assert!(header["alg"] != "none" && header["kid"].is_string(), "{header}");
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("accounts"), &json!("accounts")));
    assert!(claims["sub"].is_string() && claims["jti"].is_string(), "{claims}");
    assert!(header["typ"].is_string() || claims["typ"].is_string(), "{header} {claims}");
    let time = |name: &str| claims[name].as_i64().unwrap();
    assert_eq!(time("exp") - time("iat"), 600);
    assert!(time("nbf") <= time("iat"));
}

#[test]
fn refuses_a_token_that_was_altered() {
    let server = Server::start();
    server.signed_up("ann");
    let good = server.with_token("ann", PASSWORD).token.unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let first = if parts[2].starts_with('A') { "B" } else { "A" };
    for bad in [
        format!("{}.{}.{first}{}", parts[0], parts[1], &parts[2][1..]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        parts[1].to_owned(),
    ] {
        let mut client = server.client();
        client.token = Some(bad.clone());
        let answer = client.get("/user");
        answer.assert_refused(401, "invalid_token");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    // A token stands in its header and nowhere else.
    assert_eq!(server.client().get(&format!("/user?access_token={good}")).status, 401);
}

#[test]
fn a_logout_ends_the_presented_token_and_no_other() {
    let server = Server::start();
    server.signed_up("ann");
    let (mut here, mut there) =
        (server.with_token("ann", PASSWORD), server.with_token("ann", PASSWORD));
    assert_eq!(here.post("/user/logout", json!({})).status, 204);
    here.get("/user").assert_refused(401, "invalid_token");
    here.get("/user/hello").assert_refused(401, "invalid_token");
    assert_eq!(there.get("/user").status, 200);
}

#[test]
fn refuses_two_credentials_of_different_users() {
    let server = Server::start();
    let mut client = server.signed_up("ann");
    server.signed_up("ben");
    client.token = server.with_token("ben", PASSWORD).token;
    client.get("/user").assert_refused(401, "conflicting_credentials");
}
