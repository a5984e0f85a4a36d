//! The two probes of the seed.

use example_kit::testing::Server;
use serde_json::Value;

use super::server::{COOKIE, PROGRAM, with_cookie};

fn probe(name: &str) -> Server {
    let settings = [("AUTH_TYPE", "session_auth"), ("SESSION_NAME", COOKIE)];
    Server::start_as(PROGRAM, &["--probe", name], &settings)
}

#[test]
fn shows_what_the_cookie_holds() {
    let server = probe("cookie");
    let shown = |client: &mut example_kit::testing::Client| client.get("/").body;
    assert_eq!(shown(&mut server.client()), "Cookie value: None\n");
    for value in ["Hello", "C is fun"] {
        let shown = shown(&mut with_cookie(&server, value));
        assert_eq!(shown, Value::from(format!("Cookie value: {value}\n")));
    }
    let mut other = server.client();
    other.cookies.insert("_my_session_id_fake".into(), "Hello".into());
    assert_eq!(shown(&mut other), "Cookie value: None\n");
}

#[test]
fn shows_whose_session_it_is() {
    let server = probe("user");
    let log = server.log();
    let (_, sentence) = log.split_once("User with ID: ").unwrap();
    let (id, rest) = sentence.split_once(" has a Session ID: ").unwrap();
    let (session, _) = rest.split_once('\n').unwrap();
    assert_eq!(server.client().get("/").body, "No user found\n");
    assert_eq!(with_cookie(&server, "Holberton").get("/").body, "No user found\n");
    let found = with_cookie(&server, session).get("/").body;
    assert_eq!(found, Value::from(format!("User found: {id}\n")));
}
