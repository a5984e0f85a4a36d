//! The process: starting, stopping, dying, what it leaves behind.

use std::{
    fs,
    io::{Read, Write},
    thread,
    time::{Duration, Instant},
};

use example_kit::testing::{Body, empty_folder};
use serde_json::{Value, json};

use super::{
    OTHER_PASSWORD, PASSWORD,
    client::Caller,
    server::{ADMIN, Server, command},
};

#[test]
fn serves_its_document_and_a_page_that_shows_it() {
    let server = Server::start();
    let answer = server.root().get("/openapi.json");
    let document = answer.body;
    assert_eq!((answer.status, &document["openapi"]), (200, &json!("3.0.0")));
    assert_eq!(document["servers"], json!([{"url": "/api"}]));
    assert_eq!(document["components"]["securitySchemes"]["session"]["name"], "sid");
    let page = server.root().get("/docs");
    assert!(page.status == 200 && page.body.to_string().contains("swagger"), "{page:?}");
    let log = server.log();
    for path in ["/api", "/openapi.json", "/docs"] {
        assert!(log.contains(path), "{log}");
    }
}

#[test]
fn says_in_one_form_what_is_wrong_with_a_request() {
    let server = Server::start_with_admin();
    let mut client = server.client();
    let json = |body: &str| Body::Raw("application/json", body.into());
    let text = Body::Raw("text/plain", "ann".into());
    client.send("POST", "/user/login", json("{")).assert_refused(400, "malformed_request");
    client.send("POST", "/user/login", json("{}")).assert_refused(400, "malformed_request");
    let answer = client.send("POST", "/user/login", text);
    answer.assert_refused(415, "unsupported_media_type");
    client.get("/nowhere").assert_refused(404, "not_found");
    client.get("/user/login").assert_refused(405, "method_not_allowed");
    let mut root = server.logged_in("root", PASSWORD);
    let answer = root.delete("/users/no-id");
    answer.assert_refused(400, "malformed_request");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    // Who is not let in learns nothing of what is wrong with the rest.
    client.delete("/users/no-id").assert_refused(401, "missing_credentials");
    client.send("PUT", "/user", json("{")).assert_refused(401, "missing_credentials");
}

#[test]
fn says_who_may_call_what_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path()).arg("--access").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\
POST    /email/send_code    anybody
POST    /email/verify_code  anybody
GET     /user               a User
PUT     /user               a User
GET     /user/hello         anybody, a User by name
POST    /user/login         anybody
POST    /user/logout        anybody
POST    /user/signup        anybody
POST    /user/token         anybody
GET     /users              a User with role `admin`
DELETE  /users/{id}         a User with role `admin`
"
    );
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn keeps_sessions_and_tokens_over_a_restart() {
    let mut server = Server::start();
    let ann = server.signed_up("ann");
    let token = server.with_token("ann", PASSWORD);
    server.stop();
    server.start_again();
    for (cookies, token) in [(ann.cookies, None), (Default::default(), token.token)] {
        let mut client = server.client();
        (client.cookies, client.token) = (cookies, token);
        assert_eq!(client.get("/user").body["username"], "ann");
    }
}

#[test]
fn keeps_sessions_when_it_is_killed() {
    let mut server = Server::start();
    let cookies = server.signed_up("ann").cookies;
    server.kill();
    server.start_again();
    let mut client = server.client();
    client.cookies = cookies;
    assert_eq!(client.get("/user").body["username"], "ann");
}

#[test]
fn keeps_a_session_ended_when_it_is_killed_after_the_logout() {
    let mut server = Server::start();
    let mut ann = server.signed_up("ann");
    let cookies = ann.cookies.clone();
    assert_eq!(ann.log_out().status, 204);
    server.kill();
    server.start_again();
    let mut client = server.client();
    client.cookies = cookies;
    client.get("/user").assert_refused(401, "invalid_session");
}

#[test]
fn lets_running_requests_finish_when_it_is_stopped() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start();
        // A client that keeps its connection open must not keep the process alive.
        let mut idle = server.connect();
        idle.write_all(b"GET /api/user/hello HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut greeting = [0; 12];
        idle.read_exact(&mut greeting).unwrap();

        let body = json!({"username": "ann", "password": PASSWORD}).to_string();
        let (first, rest) = body.as_bytes().split_at(10);
        let mut slow = server.connect();
        let head = format!(
            "POST /api/user/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        slow.write_all(head.as_bytes()).unwrap();
        slow.write_all(first).unwrap();
        // Until the request has reached the operation.
        thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        server.signal(signal);
        thread::sleep(Duration::from_millis(300));
        slow.write_all(rest).unwrap();
        let mut answer = [0; 12];
        slow.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 201", "{}", server.log());
        let status = server.ended();
        assert_eq!(status.code(), Some(0), "{signal}: {}", server.log());
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn does_not_wait_for_ever_for_a_request_that_never_ends() {
    let mut server = Server::start();
    let mut stuck = server.connect();
    stuck
        .write_all(
            b"POST /api/user/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
              Content-Length: 99\r\n\r\n{",
        )
        .unwrap();
    thread::sleep(Duration::from_millis(300));
    server.stop();
}

#[test]
fn never_seeds_twice_and_never_changes_an_account() {
    starts_again(Server::start_with_admin());
}

#[test]
fn never_seeds_twice_and_never_changes_an_account_on_other_engines() {
    for database in [auth_test_servers::postgres(), auth_test_servers::mysql()].iter().flatten() {
        let url = ("DATABASE_URL", database.url());
        starts_again(Server::start_with(&[ADMIN[0], ADMIN[1], url]));
    }
}

fn starts_again(mut server: Server) {
    let before = server.logged_in("root", PASSWORD).get("/users").body;
    server.stop();
    server.set("ADMIN_PASSWORD", OTHER_PASSWORD);
    server.start_again();
    server.client().log_in("root", OTHER_PASSWORD).assert_refused(401, "wrong_credentials");
    let mut root = server.logged_in("root", PASSWORD);
    let after = root.get("/users").body;
    let id = |users: &Value| users[0]["id"].clone();
    assert_eq!((after.as_array().unwrap().len(), id(&after)), (1, id(&before)));

    // A user of that name does not become an administrator either.
    server.signed_up("ann");
    server.stop();
    server.set("ADMIN_USERNAME", "Ann");
    server.start_again();
    server.logged_in("ann", PASSWORD).get("/users").assert_refused(403, "forbidden");
}

#[cfg(unix)]
#[test]
fn generates_its_keys_once_for_its_own_eyes() {
    use std::os::unix::fs::PermissionsExt;

    let mut server = Server::start();
    let file = server.path("accounts.keys.json");
    let keys = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    server.signed_up("ann");
    let token = server.with_token("ann", PASSWORD).token;
    server.stop();
    server.start_again();
    assert_eq!(fs::read_to_string(&file).unwrap(), keys);

    // Keys from the environment: the first signs, and no file is written.
    server.stop();
    fs::remove_file(&file).unwrap();
    server.set("AUTH_JWT_KEYS", &keys);
    server.start_again();
    let mut client = server.client();
    client.token = token;
    assert_eq!(client.get("/user").body["username"], "ann");
    assert!(!file.exists());
}

#[test]
fn starts_several_times_at_once_with_one_key_and_one_administrator() {
    several_start_at_once(&ADMIN);
}

#[test]
fn starts_several_times_at_once_on_other_engines() {
    for database in [auth_test_servers::postgres(), auth_test_servers::mysql()].iter().flatten() {
        several_start_at_once(&[ADMIN[0], ADMIN[1], ("DATABASE_URL", database.url())]);
    }
}

fn several_start_at_once(settings: &[(&str, &str)]) {
    let folder = empty_folder();
    let servers: Vec<Server> = thread::scope(|scope| {
        let start = || Server::start_in(folder.clone(), settings);
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let token = servers[0].with_token("root", PASSWORD).token;
    for server in &servers {
        let mut root = server.client();
        root.token = token.clone();
        let answer = root.get("/users");
        assert_eq!(answer.body.as_array().map(Vec::len), Some(1), "{answer:?}");
    }
    let drafts = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
    let drafts: Vec<_> = drafts.filter(|name| name.to_string_lossy().ends_with(".draft")).collect();
    assert!(drafts.is_empty(), "{drafts:?}");
}

#[test]
fn sends_the_cookie_of_its_mode() {
    let server = Server::start();
    let login = server.client().sign_up("ann", PASSWORD);
    let cookie = login.set_cookie().unwrap();
    assert!(cookie.starts_with("sid="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    assert!(server.log().contains("plain http"), "{}", server.log());

    let server = Server::start_with(&[("SECURE_COOKIES", "1")]);
    let login = server.client().sign_up("ann", PASSWORD);
    let cookie = login.set_cookie().unwrap();
    assert!(cookie.starts_with("__Host-sid="), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!server.log().contains("plain http"), "{}", server.log());
    let document = server.root().get("/openapi.json").body;
    assert!(document.to_string().contains("__Host-sid"));
}

#[test]
fn keeps_its_data_where_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.db");
    let url = format!("sqlite://{}", file.display());
    let server = Server::start_with(&[("DATABASE_URL", &url)]);
    server.signed_up("ann");
    assert!(file.exists() && !server.path("accounts.db").exists());
    assert!(Server::start().path("accounts.db").exists());
}

#[test]
fn writes_messages_to_the_log_without_an_outbox() {
    let server = Server::start_with(&[("OUTBOX", "")]);
    server.client().post("/email/send_code", json!({"email": "ann@example.org"}));
    assert!(server.log().contains("Your code is"), "{}", server.log());
}

#[test]
fn says_what_is_wrong_with_its_settings() {
    for (name, value) in
        [("PORT", "many"), ("HOST", "here"), ("ADMIN_USERNAME", "root"), ("AUTH_JWT_KEYS", "{}")]
    {
        let folder = tempfile::tempdir().unwrap();
        let output = command(folder.path()).env(name, value).output().unwrap();
        assert_ne!(output.status.code(), Some(0));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(name), "{error}");
    }
}
