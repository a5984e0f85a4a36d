//! Signing up, and proving an address.

use auth_poem::prelude::Utc;
use example_kit::Database;
use serde_json::json;

use super::client::{Caller, PASSWORD, Refusal, Server};

#[test]
fn creates_an_account_and_opens_a_session() {
    let server = Server::start();
    let mut ann = server.client();
    let answer = ann.post(
        "/signup",
        json!({
            "login": "test", "name": "Test User", "email": "test@conceptual.vision",
            "password": PASSWORD, "language": "en", "theme": "blue", "time_zone": "UTC",
        }),
    );
    assert_eq!(answer.status, 200, "{answer:#?}");
    let session = &answer.body;
    assert_eq!((&session["user_name"], &session["active"]), (&json!("Test User"), &json!(true)));
    assert_eq!(session["user_id"], session["user"]["id"]);
    let user = session["user"].as_object().unwrap();
    for (name, value) in [
        ("login", json!("test")),
        ("name", json!("Test User")),
        ("language", json!("en")),
        ("theme", json!("blue")),
        ("time_zone", json!("UTC")),
        ("roles", json!([])),
        ("sites", json!([])),
    ] {
        assert_eq!(user[name], value, "{name}");
    }
    assert!(user["create_time"].is_string() && user["change_pwd_time"].is_string());
    assert!(!answer.body.to_string().contains("argon2"));
    let id = session["id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert_eq!(answer.set_cookie(), None);
    assert_eq!(answer.header("x-session-id"), session["token"].as_str());

    ann.carry(&answer);
    assert_eq!(ann.session_id(), id);
}

#[test]
fn takes_the_address_for_the_login_where_there_is_none() {
    let server = Server::start();
    let data = json!({"email": "ann@example.org", "password": PASSWORD});
    let answer = server.client().post("/signup", data);
    assert_eq!((answer.status, &answer.body["user"]["login"]), (200, &json!("ann@example.org")));
    assert_eq!(server.client().sign_in("ANN@example.org", PASSWORD).status, 200);
}

#[test]
fn refuses_what_is_no_account() {
    let server = Server::start();
    server.stranger("ann");
    let sign_up = |data| server.client().post("/signup", data);
    let with_login = |login: &str| {
        sign_up(json!({"login": login, "email": "x@example.org", "password": PASSWORD}))
    };
    for taken in ["ann", "ANN", "admin", "1"] {
        let answer = with_login(taken);
        answer.assert_error(400, "DUPLICATE_LOGIN");
        assert_eq!(answer.body["message"], "Found account with duplicate login");
    }
    for bad in [" ", "a b", "ünal", &"x".repeat(255)] {
        with_login(bad).assert_error(400, "INVALID_LOGIN");
    }
    for bad in ["", "ann", "ann@", "@example.org"] {
        let data = json!({"login": "ben", "email": bad, "password": PASSWORD});
        sign_up(data).assert_error(400, "INVALID_EMAIL");
    }
    sign_up(json!({"login": "ben", "password": PASSWORD})).assert_error(400, "INVALID_EMAIL");
    let weak = json!({"login": "ben", "email": "ben@example.org", "password": "test123"});
    sign_up(weak).assert_error(400, "INVALID_PASSWORD");
    for bad in [json!({}), json!({"email": "ben@example.org"}), json!([]), json!("ben")] {
        sign_up(bad).assert_error(400, "InvalidContent");
    }
    server.client().sign_in("ben", PASSWORD).assert_error(400, "WRONG_CREDENTIALS");
}

#[test]
fn tells_whether_a_login_is_free() {
    let server = Server::start();
    let mut client = server.client();
    for path in ["/signup/validate?login=ann", "/signup/validate"] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.body.is_null()), (204, true), "{path}");
    }
    let answer = client.get("/signup/validate?login=admin");
    let details = answer.assert_error(400, "LOGIN_ALREADY_USED");
    assert_eq!(details, &json!({"login": "admin"}));
    assert_eq!(answer.body["message"], "Login admin already being used");
}

#[test]
fn slows_down_who_wants_to_know_all_logins() {
    let server = Server::start();
    let mut client = server.client();
    let answers: Vec<_> =
        (0..40).map(|n| client.get(&format!("/signup/validate?login=user{n}"))).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    refused.assert_error(429, "TOO_MANY_ATTEMPTS");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 60);
    // Signing up tells the same; it is no way around.
    client.sign_up("admin").assert_error(429, "TOO_MANY_ATTEMPTS");
    assert_eq!(client.sign_up("ann").status, 200, "who really signs up may");
}

#[test]
fn a_code_proves_an_address_once() {
    let server = Server::start();
    let mut ann = server.stranger("ann");
    let mut ben = server.stranger("ben");
    let code = server.code_for("ann@example.org").unwrap();
    server.client().post("/signup/verify", json!({"code": code})).assert_error(401, "NOT_SIGNED");
    for wrong in ["", "0", &code[1..]] {
        ann.post("/signup/verify", json!({"code": wrong})).assert_error(400, "WRONG_CODE");
    }
    ben.post("/signup/verify", json!({"code": code})).assert_error(400, "WRONG_CODE");
    let answer = ann.post("/signup/verify", json!({"code": code}));
    assert_eq!((answer.status, &answer.body["user"]["login"]), (200, &json!("ann")));
    ann.post("/signup/verify", json!({"code": code})).assert_error(400, "WRONG_CODE");
}

#[tokio::test]
async fn a_code_is_good_for_its_time_only() {
    let server = Server::start();
    let mut ann = server.stranger("ann");
    let code = server.code_for("ann@example.org").unwrap();
    let url = format!("sqlite://{}", server.path("facade.db").display());
    let database = Database::connect(&url).await.unwrap();
    let ends = async |at: i64| {
        let update = "UPDATE email_settings SET ver_expire_time = $1 WHERE email = $2";
        let update = sqlx::query(update).bind(at).bind("ann@example.org");
        let done = update.execute(database.pool()).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    };
    let now = Utc::now().timestamp_millis();
    ends(now - 1).await;
    ann.post("/signup/verify", json!({"code": code})).assert_error(400, "WRONG_CODE");
    ends(now + 60_000).await;
    assert_eq!(ann.post("/signup/verify", json!({"code": code})).status, 200);
}
