//! The process: its settings, its report, its users.

use std::fs;

use example_kit::{Database, testing::command};
use serde_json::json;

use super::server::{BOBSESSION, PROGRAM, basic, error, log_in, logged_in, start, start_with};

#[test]
fn says_who_may_call_what_and_leaves_nothing_behind() {
    for (auth_type, report) in
        [("session_auth", include_str!("access.txt")), ("none", include_str!("access.none.txt"))]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(PROGRAM, folder.path());
        let output = command.env("AUTH_TYPE", auth_type).arg("--access").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), report);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn does_not_open_the_api_because_somebody_forgot_to_close_it() {
    for (name, value) in [("AUTH_TYPE", ""), ("AUTH_TYPE", "session"), ("API_PORT", "many")] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(PROGRAM, folder.path());
        let output = command.env("AUTH_TYPE", "none").env(name, value).output().unwrap();
        assert_ne!(output.status.code(), Some(0));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn warns_of_sessions_that_do_not_end() {
    assert!(start("session_auth").log().contains("SESSION_DURATION"));
    let server = start_with("session_exp_auth", &[("SESSION_DURATION", "60")]);
    assert!(!server.log().contains("SESSION_DURATION"), "{}", server.log());
}

#[test]
fn never_seeds_twice_and_never_changes_an_account() {
    starts_again(&[]);
}

#[test]
fn starts_on_other_engines_where_a_url_says_so() {
    for database in [auth_test_servers::postgres(), auth_test_servers::mysql()].iter().flatten() {
        starts_again(&[("DATABASE_URL", database.url())]);
    }
}

fn starts_again(settings: &[(&str, &str)]) {
    let admin = [("ADMIN_EMAIL", BOBSESSION.0), ("ADMIN_PASSWORD", "other")];
    let mut server = start_with("session_db_auth", &[&admin, settings].concat());
    let before = logged_in(&server, BOBSESSION).get("/users").body;
    assert_eq!(before.as_array().unwrap().len(), 2);
    server.stop();
    server.start_again();
    let mut client = logged_in(&server, BOBSESSION);
    assert_eq!(server.path("alx.db").exists(), settings.is_empty());
    client.get("/users").assert(200, &before);
    let other = before.as_array().unwrap().iter().find(|user| user["email"] != BOBSESSION.0);
    let path = format!("/users/{}", other.unwrap()["id"].as_str().unwrap());
    assert_eq!(client.delete(&path).status, 403, "the account became an administrator's");

    // What an engine cannot keep or look for is refused, and no fault.
    let own = "/users/me";
    client.get("/users/a%00b").assert(404, &error("Not found"));
    client.put("/users/a%00b", json!({})).assert(404, &error("Not found"));
    let id = client.get(own).body["id"].as_str().unwrap().to_owned();
    let names = json!({"last_name": "a\0b"});
    client.put(&format!("/users/{id}"), names).assert(400, &error("text with a NUL"));
    for name in ["email", "first_name", "last_name"] {
        let mut new = json!({"email": "nul@hbtn.io", "password": "purple giraffes in the rain"});
        new[name] = json!("a\0b@hbtn.io");
        client.post("/users", new).assert(400, &error("text with a NUL"));
    }
    assert!(![200, 503].contains(&log_in(&mut server.client(), ("a\0b", "x")).status));
}

#[tokio::test]
async fn replaces_an_old_hash_at_the_first_login() {
    // SHA-256 of "fake pwd", as the original keeps it.
    const OLD: &str = "7a321db83885ebbe8358bc1160c803af6cc70c80aa8f750eeb9d21d5f8c75967";
    for auth_type in ["session_auth", "basic_auth"] {
        let server = start(auth_type);
        let url = format!("sqlite://{}", server.path("alx.db").display());
        let database = Database::connect(&url).await.unwrap();
        let known = |password: &str| {
            let user = (BOBSESSION.0, password);
            match auth_type {
                "basic_auth" => basic(&server, user).get("/users").status == 200,
                _ => log_in(&mut server.client(), user).status == 200,
            }
        };
        let stored = async || -> String {
            sqlx::query_scalar("SELECT password FROM users WHERE login = $1")
                .bind(BOBSESSION.0)
                .fetch_one(database.pool())
                .await
                .unwrap()
        };
        sqlx::query("UPDATE users SET password = $1 WHERE login = $2")
            .bind(OLD)
            .bind(BOBSESSION.0)
            .execute(database.pool())
            .await
            .unwrap();
        assert!(!known("wrong") && !known(OLD));
        assert_eq!(stored().await, OLD);
        assert!(known(BOBSESSION.1));
        assert!(stored().await.starts_with("$argon2id$"));
        assert!(known(BOBSESSION.1) && !known("wrong"));
    }
}
