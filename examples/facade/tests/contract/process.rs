//! The process: starting, stopping, dying, what it leaves behind.

use std::{fs, thread};

use example_kit::testing::empty_folder;
use serde_json::{Value, json};

use super::client::{Caller, PASSWORD, Refusal, Server, command};

#[test]
fn serves_its_document_and_a_page_that_shows_it() {
    let server = Server::start();
    let document = server.root().get("/openapi.json").body;
    assert_eq!(document["servers"], json!([{"url": "/api/v1"}]));
    let scheme = &document["components"]["securitySchemes"];
    assert!(scheme.to_string().contains("x-session-id"), "{scheme}");
    // Where the header is looked at, a session that is over is documented: everywhere.
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["responses"].get("440").is_some(), "{method} {path}");
        }
    }
    let page = server.root().get("/docs").body;
    assert!(page.as_str().unwrap().contains("swagger"), "{page}");
    for path in ["/api/v1", "/openapi.json", "/docs"] {
        assert!(server.log().contains(path), "{}", server.log());
    }
}

#[test]
fn says_who_may_call_what_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path()).arg("--access").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("access.txt"));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn keeps_everything_over_a_restart_and_a_kill() {
    let mut server = Server::start();
    let (mut ann, mut gone) = (server.stranger("ann"), server.user());
    let site = ann.new_site("Mine");
    let session = ann.get("/sessions/current").body;
    assert_eq!(gone.poke("/signout").status, 204);
    for kill in [false, true] {
        if kill {
            server.0.kill()
        } else {
            server.0.stop()
        }
        server.0.start_again();
        for client in [&mut ann, &mut gone] {
            *client = server.again(client);
        }
        assert_eq!(ann.get("/sessions/current").body["id"], session["id"]);
        assert_eq!(ann.roles(), json!([format!("{site}:admin")]));
        gone.get("/about").assert_error(440, "SESSION_NOT_FOUND");
    }
}

#[test]
fn never_seeds_twice_and_never_changes_an_account() {
    let mut server = Server::compat();
    let mut admin = server.admin();
    admin.put("/users/3/roles", json!({"roles": []}));
    admin.put("/sites/1", json!({"name": "Renamed"}));
    admin.delete("/users/2");
    let mut known = server.client();
    known.set_header("x-session-id", "333");
    assert_eq!(known.poke("/signout").status, 204);
    server.0.stop();
    server.0.start_again();
    let mut admin = server.admin();
    assert_eq!(server.user().roles(), json!([]));
    assert_eq!(admin.get("/sites/all").body["data"][0]["name"], "Renamed");
    assert_eq!(server.client().sign_in("user1", "user1-password-1").status, 400);
    let mut known = server.client();
    known.set_header("x-session-id", "333");
    known.get("/about").assert_error(440, "SESSION_NOT_FOUND");
}

#[test]
fn starts_several_times_at_once_with_one_seed() {
    let folder = empty_folder();
    let servers: Vec<Server> = thread::scope(|scope| {
        let start = || Server::start_in(folder.clone(), &[]);
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let opened = servers[0].client().sign_in("admin", "admin-password-1");
    for server in &servers {
        let mut admin = server.client();
        admin.carry(&opened);
        let sites = admin.get("/sites/all?total=true").body;
        assert_eq!(sites["total"], 1, "{sites}");
        assert_eq!(admin.roles(), json!(["1:admin", "admin"]));
    }
}

#[test]
fn one_login_goes_to_one_of_many_who_want_it_at_once() {
    let server = Server::start();
    let answers: Vec<u16> = thread::scope(|scope| {
        let sign_up = || server.client().sign_up("ann").status;
        let calls: Vec<_> = (0..6).map(|_| scope.spawn(sign_up)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [200, 400].contains(status)), "{answers:?}");
    assert_eq!(server.outbox().len(), 1);
    assert_eq!(server.client().sign_in("ann", PASSWORD).status, 200);
}

#[test]
fn says_what_is_wrong_with_its_settings() {
    for (name, value) in [
        ("EXPIRE_TIMEOUT", "soon"),
        ("EXPIRE_TIMEOUT", "0"),
        ("MAX_COOKIE_AGE", "31536000000000"),
        ("TRUSTED_PROXIES", "everybody"),
        ("CORS_HEADERS", "a b"),
        ("DATABASE_URL", "mystery://host"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = command(folder.path()).env("PORT", "0").env(name, value).output().unwrap();
        assert_ne!(output.status.code(), Some(0), "{name}={value}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("panicked"), "{text}");
    }
}

#[test]
fn a_seed_is_planted_only_where_it_is_asked_for() {
    let folder = empty_folder();
    let server = Server::start_in(folder, &[("SEED", "0")]);
    let answer: Value = server.client().sign_in("admin", "admin-password-1").body;
    assert_eq!(answer["code"], "WRONG_CREDENTIALS");
}
