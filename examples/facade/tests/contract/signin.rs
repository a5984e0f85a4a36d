//! Signing in and out.

use example_kit::{Database, testing::Body};
use serde_json::json;

use super::client::{Caller, PASSWORD, Refusal, Server};

#[test]
fn opens_a_session_for_login_or_id() {
    let server = Server::start();
    for login in ["user1", "USER1", "2"] {
        let answer = server.client().sign_in(login, "user1-password-1");
        assert_eq!(answer.status, 200, "{login}: {answer:#?}");
        let user = &answer.body["user"];
        assert_eq!((&user["id"], &user["login"]), (&json!("2"), &json!("user1")));
        assert_eq!(user["roles"], json!(["1:manager"]));
        assert_eq!(user["sites"], json!([{"id": "1", "name": "Site #1"}]));
        assert_ne!(answer.body["id"], answer.body["token"]);
        assert!(answer.body["token"].as_str().unwrap().len() >= 43);
    }
}

#[test]
fn notes_address_and_browser() {
    let server = Server::start();
    for (agent, client) in [
        (
            "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
            "chrome",
        ),
        ("Mozilla/5.0 (X11; rv:128.0) Gecko/20100101 Firefox/128.0", "firefox"),
        ("Mozilla/5.0 Chrome/126.0 Safari/537.36 Edg/126.0", "edge"),
        ("curl/8.5.0", "curl/8.5.0"),
    ] {
        let mut caller = server.client();
        caller.set_header("user-agent", agent);
        // Anybody can write this.
        caller.set_header("x-forwarded-for", "6.6.6.6");
        let session = caller.sign_in("user1", "user1-password-1").body;
        assert_eq!(
            (&session["address"], &session["client"]),
            (&json!("127.0.0.1"), &json!(client))
        );
    }

    let server = Server::start_with(&[("TRUSTED_PROXIES", "127.0.0.0/8, 10.0.0.0/8")]);
    for (hops, address) in
        [("6.6.6.6, 2001:db8::7, 10.0.0.2", "2001:db8::7"), ("198.51.100.7", "198.51.100.7")]
    {
        let mut caller = server.client();
        caller.set_header("x-forwarded-for", hops);
        assert_eq!(caller.sign_in("user1", "user1-password-1").body["address"], address);
    }
}

#[test]
fn says_one_thing_about_everything_that_is_wrong() {
    let server = Server::start();
    let mut admin = server.admin();
    let mut gone = server.stranger("gone");
    assert_eq!(admin.delete(&format!("/users/{}", gone.user_id())).status, 200);
    let known = server.client().sign_in("user1", "not the password");
    known.assert_error(400, "WRONG_CREDENTIALS");
    for (login, password) in [("nobody", PASSWORD), ("", ""), ("gone", PASSWORD), ("2", PASSWORD)] {
        let answer = server.client().sign_in(login, password);
        assert_eq!((answer.status, &answer.body), (known.status, &known.body), "{login}");
    }
}

#[test]
fn takes_credentials_from_a_json_body_only() {
    let server = Server::start();
    let mut client = server.client();
    let query = "/signin?login=user1&password=user1-password-1";
    client.poke(query).assert_error(400, "CREDENTIALS_IN_QUERY");
    client.post(query, json!({})).assert_error(400, "InvalidContent");
    client.poke("/signin").assert_error(400, "MISSING_CREDENTIALS");
    let form = client.post_form("/signin", &[("login", "user1"), ("password", "user1-password-1")]);
    form.assert_error(400, "InvalidContent");
    for body in [json!({}), json!({"login": "user1"}), json!([1]), json!("user1")] {
        client.post("/signin", body).assert_error(400, "InvalidContent");
    }
    let broken = client.send("POST", "/signin", Body::Raw("application/json", b"{".to_vec()));
    broken.assert_error(400, "InvalidContent");
}

#[test]
fn slows_down_who_guesses() {
    let server = Server::start();
    for _ in 0..5 {
        server.client().sign_in("user1", "wrong").assert_error(400, "WRONG_CREDENTIALS");
    }
    // By another name of the same account as well. The times double, so that a slow machine meets
    // one of them too.
    let answers: Vec<_> = (0..6).map(|_| server.client().sign_in("2", "wrong")).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    refused.assert_error(429, "TOO_MANY_ATTEMPTS");
    assert_eq!(server.client().sign_in("user2", "user2-password-1").status, 200);
}

#[test]
fn closes_the_session() {
    let server = Server::start();
    let mut user = server.user();
    let mut thief = user.clone();
    let answer = user.poke("/signout");
    assert_eq!((answer.status, answer.body.is_null()), (204, true));
    thief.get("/sessions/current").assert_error(440, "SESSION_NOT_FOUND");
    thief.poke("/signout").assert_error(440, "SESSION_NOT_FOUND");
    assert_eq!(server.client().poke("/signout").status, 204, "nothing to close is no mistake");
}

#[test]
fn a_new_session_takes_the_place_of_the_one_that_is_presented() {
    let server = Server::start();
    let mut client = server.user();
    for (login, password) in [
        ("user2", "user2-password-1"),
        ("user1", "user1-password-1"),
        ("user1", "user1-password-1"),
    ] {
        let mut before = client.clone();
        let answer = client.sign_in(login, password);
        assert_eq!((answer.status, &answer.body["user"]["login"]), (200, &json!(login)));
        client.carry(&answer);
        assert_eq!(client.session_id(), answer.body["id"]);
        before.get("/sessions/current").assert_error(440, "SESSION_NOT_FOUND");
    }
}

/// Runs statements as another program would, beside the server.
async fn on_database(server: &Server, statements: &[&'static str]) {
    let url = format!("sqlite://{}", server.path("facade.db").display());
    let database = Database::connect(&url).await.unwrap();
    for statement in statements {
        let done = sqlx::query(*statement).execute(database.pool()).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
    }
}

#[tokio::test]
async fn shows_what_other_programs_keep_of_the_account() {
    let server = Server::start();
    let written = [
        "INSERT INTO settings (id, section) VALUES ('2', '{\"tour\":\"seen\"}')",
        "UPDATE accounts SET custom_hdr = '{\"a\":1}', custom_dat = '[2]' WHERE id = '2'",
    ];
    on_database(&server, &written).await;
    let user = server.client().sign_in("user1", "user1-password-1").body["user"].clone();
    assert_eq!(user["settings"], json!({"tour": "seen"}));
    assert_eq!((&user["custom_hdr"], &user["custom_dat"]), (&json!({"a": 1}), &json!([2])));
    let other = server.client().sign_in("user2", "user2-password-1").body["user"].clone();
    assert!(other.get("settings").is_none() && other.get("custom_hdr").is_none(), "{other}");
}

#[tokio::test]
async fn an_account_that_is_not_active_is_nobodys() {
    for (server, code) in
        [(Server::start(), "WRONG_CREDENTIALS"), (Server::compat(), "WRONG_PASSWORD")]
    {
        let mut user = server.manager();
        on_database(&server, &["UPDATE accounts SET active = FALSE WHERE id = '2'"]).await;
        user.get("/sessions/current").assert_error(440, "SESSION_NOT_FOUND");
        let answer = server.client().sign_in("user1", "user1-password-1");
        answer.assert_error(400, code);
    }
}
