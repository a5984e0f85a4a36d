//! The guard stands before the routes: nobody learns which paths there are.

use example_kit::testing::{Body, Server};
use serde_json::json;

use super::server::{
    BOB, BOBSESSION, LOGIN, LOGOUT, assert_forbidden, assert_unauthorized, authorization, basic,
    error, log_in, logged_in, start, start_with, with_cookie,
};

#[test]
fn refuses_strangers_before_it_looks_for_a_path() {
    for auth_type in ["auth", "basic_auth", "session_auth", "session_exp_auth", "session_db_auth"] {
        let server = start(auth_type);
        for path in ["/", "/nope", "/users", "/users/me", "/users/nobody", "/stats", LOGOUT] {
            assert_unauthorized(&server.client().get(path));
        }
        assert_unauthorized(&server.root().get("/"));
        assert_unauthorized(&server.client().delete(LOGOUT));
        let malformed = Body::Raw("application/json", "{".into());
        assert_unauthorized(&server.client().send("POST", "/users", malformed));
        assert_unauthorized(&server.client().send("PATCH", "/users", Body::Empty));
    }
}

#[test]
fn refuses_who_presents_something_that_is_nobodys() {
    let unknown = "A".repeat(43);
    for auth_type in ["auth", "session_auth", "session_exp_auth", "session_db_auth"] {
        let server = start(auth_type);
        for path in ["/users", "/nope"] {
            assert_forbidden(&basic(&server, BOB).get(path));
            for cookie in ["", "garbage", &unknown, "5535d4d7-3d77-4d06-8281-495dc3acfe76"] {
                assert_forbidden(&with_cookie(&server, cookie).get(path));
            }
        }
    }
    let server = start("basic_auth");
    for header in [
        "Test",
        "Bearer x",
        "Basic",
        "Basic !",
        "Basic Ym9i",
        &authorization(BOB.0, "wrong"),
        &authorization("nobody@hbtn.io", BOB.1),
    ] {
        let mut client = server.client();
        client.set_header("authorization", header);
        assert_forbidden(&client.get("/users"));
    }
    assert_forbidden(&with_cookie(&server, &unknown).get("/users"));
}

#[test]
fn shows_users_which_paths_there_are() {
    for server in [start("session_auth"), start("basic_auth")] {
        let mut client = known(&server);
        assert_eq!(client.get("/users").status, 200);
        client.get("/nope").assert(404, &error("Not found"));
        client.get("/users/nobody").assert(404, &error("Not found"));
        let answer = client.send("PATCH", "/users", Body::Empty);
        answer.assert(405, &error("Method Not Allowed"));
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
        client.get("/stats").assert(200, &json!({"users": 2}));
        for path in ["/users/", "/users/me/", "/stats/"] {
            assert_eq!(client.get(path).status, 200, "{path}");
        }
    }
}

/// Somebody whom the guard lets in.
fn known(server: &Server) -> example_kit::testing::Client {
    let mut client = server.client();
    match log_in(&mut client, BOBSESSION).status {
        200 => client,
        _ => basic(server, BOB),
    }
}

#[test]
fn lets_the_excluded_paths_through_and_looks_at_no_credential_there() {
    let server = start("session_auth");
    let liar = || {
        let mut client = with_cookie(&server, "garbage");
        client.set_header("authorization", "Test");
        client
    };
    for mut client in [server.client(), liar()] {
        for slash in ["", "/"] {
            let mut get = |path: &str| client.get(&format!("{path}{slash}"));
            get("/status").assert(200, &json!({"status": "OK"}));
            get("/unauthorized").assert(401, &error("Unauthorized"));
            get("/forbidden").assert(403, &error("Forbidden"));
            get(LOGIN).assert(405, &error("Method Not Allowed"));
        }
    }
    assert_eq!(log_in(&mut liar(), BOBSESSION).status, 200);
}

#[test]
fn excludes_what_the_operator_says() {
    let paths = "/api/v1/stat*, /api/v1/users/me";
    let server = start_with("session_auth", &[("EXCLUDED_PATHS", paths)]);
    let mut client = server.client();
    client.get("/status").assert(200, &json!({"status": "OK"}));
    client.get("/stats/").assert(200, &json!({"users": 2}));
    client.get("/statistics").assert(404, &error("Not found"));
    client.get("/users/me").assert(404, &error("Not found"));
    assert_unauthorized(&client.get("/users"));
    assert_unauthorized(&client.get("/users/mean"));
    assert_unauthorized(&client.get("/unauthorized/nope"));
    assert_unauthorized(&log_in(&mut client, BOBSESSION));
}

#[test]
fn is_off_where_the_operator_says_so() {
    let open = start("none");
    let unset = Server::start(super::server::PROGRAM, &[("COMPAT", "1"), ("SEED", "1")]);
    for server in [open, unset] {
        let mut client = server.client();
        assert_eq!(client.get("/users").body.as_array().unwrap().len(), 2);
        client.get("/users/me").assert(404, &error("Not found"));
        client.get("/nope").assert(404, &error("Not found"));
        let new = json!({"email": "ann@hbtn.io", "password": "seven giraffes"});
        let answer = client.post("/users", new);
        assert_eq!(answer.status, 201, "{answer:?}");
        let path = format!("/users/{}", answer.body["id"].as_str().unwrap());
        let answer = client.put(&path, json!({"first_name": "Ann"}));
        assert_eq!((answer.status, &answer.body["first_name"]), (200, &json!("Ann")));
        client.delete(&path).assert(200, &json!({}));
        // Nobody logs in where nobody is known.
        log_in(&mut client, BOBSESSION).assert(404, &error("Not found"));
        client.delete(LOGOUT).assert(404, &error("Not found"));
    }
}

#[test]
fn knows_a_user_in_the_way_of_its_type_only() {
    let server = start("basic_auth");
    assert_eq!(basic(&server, BOB).get("/users").status, 200);
    assert_eq!(basic(&server, BOBSESSION).get("/users").status, 200);
    log_in(&mut server.client(), BOBSESSION).assert(404, &error("Not found"));

    let server = start("auth");
    log_in(&mut server.client(), BOBSESSION).assert(404, &error("Not found"));

    let server = start("session_auth");
    let mut client = logged_in(&server, BOBSESSION);
    assert_eq!(client.get("/users").status, 200);
    // A header that nobody understands does no harm beside it.
    client.set_header("authorization", "Test");
    assert_eq!(client.get("/users").status, 200);
}

#[test]
fn says_how_to_authenticate() {
    let answer = start("basic_auth").client().get("/users");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Basic realm="), "{challenge}");
    for server in [start("session_auth"), start_with("basic_auth", &[("COMPAT", "1")])] {
        assert_eq!(server.client().get("/users").header("www-authenticate"), None);
    }
}

#[test]
fn lets_every_page_read_but_none_act_for_its_visitor() {
    let server = start("session_auth");
    let mut client = logged_in(&server, BOBSESSION);
    client.set_header("origin", "https://app.example");
    let answer = client.get("/users");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let new = json!({"email": "eve@hbtn.io", "password": "seven giraffes"});
    assert_forbidden(&client.post("/users", new));
    assert_forbidden(&client.delete(LOGOUT));
    assert_eq!(log_in(&mut client, BOBSESSION).status, 403);

    // A browser asks beforehand, without a credential.
    let mut browser = server.client();
    browser.set_header("origin", "https://app.example");
    browser.set_header("access-control-request-method", "PUT");
    for path in ["/users/me", "/nope"] {
        let answer = browser.send("OPTIONS", path, Body::Empty);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    // An error can be read by a page as well.
    let answer = server.client().get("/users");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}
