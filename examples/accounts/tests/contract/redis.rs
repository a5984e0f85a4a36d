//! Sessions in Redis, for which a URL is enough.

use std::sync::Arc;

use example_kit::testing::empty_folder;
use serde_json::json;

use super::{
    OTHER_PASSWORD, PASSWORD,
    client::Caller,
    server::{Server, command},
};

#[test]
fn processes_share_sessions_in_redis() {
    let Some(redis) = auth_test_servers::redis_server() else { return };
    let url = redis.url();
    let (folder, settings) = (empty_folder(), [("REDIS_URL", &*url)]);
    let mut one = Server::start_in(Arc::clone(&folder), &settings);
    let two = Server::start_in(folder, &settings);
    let mut ann = one.signed_up("ann");
    let keys: Vec<String> = redis.ask(&["KEYS", "*"]).unwrap();
    assert_eq!(keys.len(), 2, "a session, and the index of its user: {keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("accounts:")), "{keys:?}");

    let mut elsewhere = two.client();
    elsewhere.cookies = ann.cookies.clone();
    assert_eq!(elsewhere.get("/user").body["username"], "ann");
    assert_eq!(ann.log_out().status, 204);
    elsewhere.get("/user").assert_refused(401, "invalid_session");

    // A new password ends what is elsewhere.
    let mut ann = one.logged_in("ann", PASSWORD);
    let mut elsewhere = two.logged_in("ann", PASSWORD);
    let change = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    let changed = ann.put("/user", change);
    assert_eq!(changed.status, 200, "{}", changed.body);
    elsewhere.get("/user").assert_refused(401, "invalid_session");
    assert_eq!(ann.get("/user").body["username"], "ann");

    // What a process has acknowledged survives its end.
    one.kill();
    let mut left = two.client();
    left.cookies = ann.cookies.clone();
    assert_eq!(left.get("/user").body["username"], "ann");
}

#[test]
fn does_without_redis_no_longer_than_it_is_away() {
    let Some(mut redis) = auth_test_servers::redis_server() else { return };
    let server = Server::start_with(&[("REDIS_URL", &redis.url())]);
    let mut ann = server.signed_up("ann");
    redis.stop();
    ann.get("/user").assert_refused(503, "unavailable");
    assert_eq!(server.client().get("/user/hello").status, 200, "who has no session needs none");
    redis.start();
    assert_eq!(ann.get("/user").body["username"], "ann");
}

#[test]
fn a_redis_that_is_not_there_is_said_at_the_start() {
    let folder = empty_folder();
    let url = "redis://ann:hunter2@127.0.0.1:1";
    let output = command(folder.path()).env("REDIS_URL", url).env("PORT", "0").output().unwrap();
    assert!(!output.status.success());
    let said = format!("{output:?}");
    assert!(said.contains("refused") && !said.contains("hunter2"), "{said}");
}
