//! Creating, reading, changing and removing users.

use example_kit::testing::{Body, Client, Server};
use serde_json::{Value, json};

use super::server::{
    BOB, BOBSESSION, assert_forbidden, assert_user, basic, error, log_in, logged_in, start,
    start_compat, start_with,
};

const PASSWORD: &str = "seven purple giraffes";

fn new(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "first_name": "Ann", "last_name": "Onymous"})
}

fn path_of(user: &Value) -> String {
    format!("/users/{}", user["id"].as_str().unwrap())
}

/// Somebody who is logged in, and the path of his account.
fn ann(server: &Server) -> (Client, String) {
    let answer = logged_in(server, BOBSESSION).post("/users", new("ann@hbtn.io"));
    assert_eq!(answer.status, 201, "{answer:?}");
    (logged_in(server, ("ann@hbtn.io", PASSWORD)), path_of(&answer.body))
}

#[test]
fn creates_a_user_who_can_log_in() {
    let server = start("session_auth");
    let (mut ann, path) = ann(&server);
    let user = ann.get("/users/me").body;
    assert_user(&user, "ann@hbtn.io");
    assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Ann"), &json!("Onymous")));
    ann.get(&path).assert(200, &user);
    let all = ann.get("/users").body;
    let mut emails: Vec<_> =
        all.as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect();
    emails.sort_unstable();
    assert_eq!(emails, ["ann@hbtn.io", BOB.0, BOBSESSION.0]);
    assert!(!all.to_string().contains("argon2"), "{all}");
}

#[test]
fn says_what_a_new_user_lacks() {
    let server = start("session_auth");
    let mut client = logged_in(&server, BOBSESSION);
    let mut refused = |body: Value, text: &str| {
        client.post("/users", body).assert(400, &error(text));
    };
    refused(json!({"password": PASSWORD}), "email missing");
    refused(json!({"email": "", "password": PASSWORD}), "email missing");
    refused(json!({}), "email missing");
    refused(json!({"email": "ann@hbtn.io"}), "password missing");
    refused(json!({"email": "ann@hbtn.io", "password": ""}), "password missing");
    refused(new(BOBSESSION.0), "Can't create User: email already used");
    refused(json!([]), "Wrong format");
    let weak = client.post("/users", json!({"email": "ann@hbtn.io", "password": "short"}));
    assert_eq!(weak.status, 400);
    let text = weak.body["error"].as_str().unwrap();
    assert!(text.starts_with("Can't create User: ") && text.contains('8'), "{text}");
    for body in [
        Body::Empty,
        Body::Raw("application/json", "{".into()),
        Body::Form(&[("email", "ann@hbtn.io"), ("password", PASSWORD)]),
    ] {
        client.send("POST", "/users", body).assert(400, &error("Wrong format"));
    }
    let long = format!("{}@hbtn.io", "a".repeat(313));
    let answer = client.post("/users", json!({"email": long, "password": PASSWORD}));
    answer.assert(400, &error("email too long"));
    client.get("/stats").assert(200, &json!({"users": 2}));
    let answer = client.post("/users", json!({"email": long[1..], "password": PASSWORD}));
    assert_eq!(answer.status, 201);
}

#[test]
fn changes_the_names_that_are_given() {
    let server = start("session_auth");
    let (mut ann, path) = ann(&server);
    let answer = ann.put(&path, json!({"first_name": "Anna", "email": "eve@hbtn.io"}));
    assert_eq!(answer.status, 200);
    assert_user(&answer.body, "ann@hbtn.io");
    let names = (&answer.body["first_name"], &answer.body["last_name"]);
    assert_eq!(names, (&json!("Anna"), &json!("Onymous")));
    ann.get("/users/me").assert(200, &answer.body);

    let malformed = Body::Raw("application/json", "{".into());
    ann.send("PUT", &path, malformed).assert(400, &error("Wrong format"));
    for unknown in ["/users/nobody", "/users/me"] {
        ann.put(unknown, json!({})).assert(404, &error("Not found"));
        ann.delete(unknown).assert(404, &error("Not found"));
    }
}

#[test]
fn removes_a_user_with_his_sessions() {
    for server in [start("session_auth"), start("session_db_auth")] {
        let (mut ann, path) = ann(&server);
        ann.delete(&path).assert(200, &json!({}));
        assert_forbidden(&ann.get("/users/me"));
        let answer = log_in(&mut server.client(), ("ann@hbtn.io", PASSWORD));
        answer.assert(401, &error("invalid credentials"));
        logged_in(&server, BOBSESSION).get(&path).assert(404, &error("Not found"));
    }
}

#[test]
fn lets_nobody_but_its_owner_and_administrators_change_an_account() {
    let admin = ("root@hbtn.io", "eight yellow elephants");
    let settings = [("ADMIN_EMAIL", admin.0), ("ADMIN_PASSWORD", admin.1)];
    let server = start_with("session_auth", &settings);
    let (mut ann, path) = ann(&server);
    let mut bob = logged_in(&server, BOBSESSION);
    let before = ann.get("/users/me").body;
    assert_forbidden(&bob.put(&path, json!({"first_name": "Eve"})));
    assert_forbidden(&bob.delete(&path));
    // Who one is stands in the session and nowhere else.
    let mine = path_of(&bob.get("/users/me").body);
    let id = mine.trim_start_matches("/users/");
    assert_forbidden(&bob.delete(&format!("{path}?user_id={id}")));
    let body = json!({"id": id, "user_id": id, "first_name": "Eve"});
    assert_forbidden(&bob.put(&path, body));
    ann.get("/users/me").assert(200, &before);

    let mut root = logged_in(&server, admin);
    assert_eq!(root.put(&path, json!({"first_name": "Anna"})).body["first_name"], "Anna");
    root.delete(&path).assert(200, &json!({}));
    // There is no way to become an administrator by asking for it.
    let answer = bob
        .post("/users", json!({"email": "eve@hbtn.io", "password": PASSWORD, "roles": ["admin"]}));
    assert_eq!(answer.status, 201);
    assert_forbidden(&logged_in(&server, ("eve@hbtn.io", PASSWORD)).delete(&mine));
}

#[test]
fn works_for_who_authenticates_by_name_and_password_too() {
    let server = start("basic_auth");
    let mut bob = basic(&server, BOB);
    let mine = path_of(&bob.get("/users/me").body);
    assert_eq!(bob.put(&mine, json!({"first_name": "Bob"})).body["first_name"], "Bob");
    let other = path_of(&basic(&server, BOBSESSION).get("/users/me").body);
    assert_forbidden(&bob.delete(&other));

    // Only the first colon stands between name and password, and both may have any letters.
    let zoe = ("zoë@hbtn.io", "päss:wörd::");
    let answer = bob.post("/users", json!({"email": zoe.0, "password": zoe.1}));
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_user(&basic(&server, zoe).get("/users/me").body, zoe.0);
    assert_forbidden(&basic(&server, (zoe.0, "päss")).get("/users/me"));
}

#[test]
fn lets_old_clients_do_what_they_always_did() {
    let server = start_compat("session_auth");
    let mut bob = logged_in(&server, BOBSESSION);
    let answer = bob.post("/users", json!({"email": "ann@hbtn.io", "password": "pwd"}));
    assert_eq!(answer.status, 201);
    let path = path_of(&answer.body);
    assert_eq!(bob.put(&path, json!({"first_name": "Ann"})).body["first_name"], "Ann");

    // A second account of one address: the first keeps its login.
    let second = bob.post("/users", json!({"email": "ann@hbtn.io", "password": "other"}));
    assert_eq!((second.status, &second.body["email"]), (201, &json!("ann@hbtn.io")));
    assert_eq!(log_in(&mut server.client(), ("ann@hbtn.io", "pwd")).body["id"], answer.body["id"]);
    let answer = log_in(&mut server.client(), ("ann@hbtn.io", "other"));
    answer.assert(401, &error("wrong password"));

    bob.delete(&path).assert(200, &json!({}));
    bob.get(&path).assert(404, &error("Not found"));
}
