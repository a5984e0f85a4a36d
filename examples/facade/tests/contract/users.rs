//! Accounts, for administrators.

use serde_json::json;

use super::client::{Caller, PASSWORD, Refusal, Server};

#[test]
fn gives_roles_that_count_at_once() {
    let server = Server::start();
    let (mut admin, mut user) = (server.admin(), server.user());
    let answer = admin.put("/users/3/roles", json!({"roles": ["1:manager", "admin"]}));
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!("3")));
    assert_eq!(answer.body["roles"], json!(["1:manager", "admin"]));
    assert!(answer.body["update_time"].is_string());
    assert_eq!(user.get("/sites/all").status, 200);
    assert_eq!(admin.put("/users/3/roles", json!({"roles": []})).status, 200);
    user.get("/sites/all").assert_error(403, "NOT_IN_ROLE");
    user.get("/sites/1").assert_error(403, "NOT_IN_SITE_ROLE");

    for bad in ["", "king", "1:king", ":admin", "manager:1"] {
        let answer = admin.put("/users/3/roles", json!({"roles": ["1:user", bad]}));
        assert_eq!(answer.assert_error(400, "INVALID_ROLE"), &json!({"role": bad}));
    }
    assert_eq!(user.roles(), json!([]), "a part of what is wrong is not done");
    for nobody in ["9", "user1"] {
        let answer = admin.put(&format!("/users/{nobody}/roles"), json!({"roles": []}));
        answer.assert_error(404, "USER_NOT_FOUND");
    }
}

#[test]
fn a_deleted_account_is_over() {
    let server = Server::start();
    let (mut admin, mut ann) = (server.admin(), server.stranger("ann"));
    let path = format!("/users/{}", ann.user_id());
    let answer = admin.delete(&path);
    assert_eq!((answer.status, &answer.body["deleted"]), (200, &json!(true)));
    assert_eq!((&answer.body["active"], &answer.body["login"]), (&json!(false), &json!("ann")));
    ann.get("/sessions/current").assert_error(440, "SESSION_NOT_FOUND");
    server.client().sign_in("ann", PASSWORD).assert_error(400, "WRONG_CREDENTIALS");
    assert_eq!(admin.get(&format!("/sessions/{}", &path[7..])).body["data"], json!([]));
    // Its login is not free for somebody else to be taken for.
    server.client().sign_up("ann").assert_error(400, "DUPLICATE_LOGIN");
    admin.delete("/users/9").assert_error(404, "USER_NOT_FOUND");
}

#[test]
fn is_for_administrators() {
    let server = Server::start();
    for mut client in [server.user(), server.manager(), server.stranger("ann")] {
        let roles = client.put("/users/3/roles", json!({"roles": ["admin"]}));
        assert_eq!(roles.assert_error(403, "NOT_IN_ROLE"), &json!({"roles": "admin"}));
        client.delete("/users/3").assert_error(403, "NOT_IN_ROLE");
        // Whoever may not is not told whether there is such an account.
        client.delete("/users/9").assert_error(403, "NOT_IN_ROLE");
    }
    server.client().delete("/users/3").assert_error(401, "NOT_SIGNED");
}
