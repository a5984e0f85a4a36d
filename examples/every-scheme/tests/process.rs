//! The process: what survives it, what it says, on which engines it runs.

use std::{fs, thread};

use example_kit::testing::{self, command, empty_folder};
use serde_json::json;

use crate::{
    server::{ALICE, BOB, PROGRAM, Server},
    way::Way,
};

/// Who may call what. A change of it is a change of the contract.
const ACCESS: &str = include_str!("access.txt");

#[test]
fn says_who_may_call_what_and_leaves_nothing_behind() {
    let folder = empty_folder();
    let mut command = command(PROGRAM, folder.path());
    let output = command.env("SEED", "1").arg("--access").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), ACCESS);
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left, ["outbox"]);
}

#[test]
fn shows_its_document_and_a_page_that_shows_it() {
    let server = Server::start();
    let document = server.root().get("/openapi.json").body;
    assert_eq!(document["servers"], json!([{ "url": "/api" }]));
    assert_eq!(server.root().get("/docs").status, 200);
}

#[test]
fn there_is_nobody_without_a_seed_and_nobody_twice_with_one() {
    let mut server = testing::Server::start(PROGRAM, &[]);
    let log_in = |server: &testing::Server| server.client().post("/login", ALICE.credentials());
    log_in(&server).assert_refused(401, "wrong_credentials");
    server.set("SEED", "1");
    let mut ids = Vec::new();
    for _ in 0..2 {
        server.stop();
        server.start_again();
        ids.push(log_in(&server).body["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn several_processes_that_start_at_once_share_users_and_keys() {
    several_start_at_once(&[("SEED", "1")]);
}

#[test]
fn several_processes_that_start_at_once_share_users_and_keys_on_other_engines() {
    for database in [auth_test_servers::postgres(), auth_test_servers::mysql()].iter().flatten() {
        several_start_at_once(&[("SEED", "1"), ("DATABASE_URL", database.url())]);
    }
}

fn several_start_at_once(settings: &[(&str, &str)]) {
    let folder = empty_folder();
    let servers: Vec<testing::Server> = thread::scope(|scope| {
        let start = || testing::Server::start_in(PROGRAM, folder.clone(), settings);
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let mut client = servers[0].client();
    let id = client.post("/login", ALICE.credentials()).body["id"].clone();
    for server in &servers {
        let mut other = server.client();
        other.cookies = client.cookies.clone();
        assert_eq!(other.get("/me").body["id"], id);
    }
}

#[test]
fn says_what_is_wrong_with_its_settings() {
    for (name, value, said) in [
        ("PORT", "many", "PORT"),
        ("DISABLE", "basic,magic", "`magic`"),
        ("TRUSTED_ISSUER", "https://id.example", "TRUSTED_AUDIENCE"),
        ("OIDC_ISSUER", "https://id.example", "OIDC_CLIENT_SECRET"),
        ("DATABASE_URL", "oracle://here", "oracle"),
    ] {
        let folder = empty_folder();
        let output = command(PROGRAM, folder.path()).env(name, value).output().unwrap();
        assert!(!output.status.success(), "{name}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn every_way_leads_in_on_postgresql() {
    let Some(database) = auth_test_servers::postgres() else { return };
    every_way_leads_in_on(database.url());
}

#[test]
fn every_way_leads_in_on_mysql() {
    let Some(database) = auth_test_servers::mysql() else { return };
    every_way_leads_in_on(database.url());
}

#[test]
fn sessions_go_where_redis_url_says() {
    let Some(redis) = auth_test_servers::redis_server() else { return };
    let url = redis.url();
    let mut server = Server::start_with(&[("REDIS_URL", &*url)]);
    let alice = Way::Session.visitor(&server, ALICE);
    let keys: Vec<String> = redis.ask(&["KEYS", "*"]).unwrap();
    assert!(
        !keys.is_empty() && keys.iter().all(|key| key.starts_with("every-scheme:")),
        "{keys:?}"
    );
    server.kill();
    server.start_again();
    assert_eq!(alice.at(&server).get("/me").body["username"], "alice");
}

/// Every way in on another engine, with what a restart keeps.
fn every_way_leads_in_on(url: &str) {
    let mut server = Server::start_with(&[("DATABASE_URL", url)]);
    let visitors = Way::ALL.map(|way| way.visitor(&server, ALICE));
    let id = visitors[0].at(&server).get("/me").body["id"].clone();
    for way in Way::ALL {
        way.get(&server, BOB, "/reports").assert_refused(403, "forbidden");
        assert_eq!(way.wrong(&server, ALICE).get("/me").status, 401, "{way:?}");
    }
    server.stop();
    server.start_again();
    for (way, visitor) in Way::ALL.into_iter().zip(visitors) {
        let answer = visitor.at(&server).get("/me");
        let known = (&answer.body["username"], &answer.body["scheme"]);
        assert_eq!(known, (&json!("alice"), &json!(way.scheme())), "{answer:?}");
        // The second start has seeded nobody.
        assert_eq!(answer.body["id"], id);
    }
}
