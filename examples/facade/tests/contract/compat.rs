//! `COMPAT=1`: what old clients rely on. What stays closed all the same is in `holes`.

use serde_json::json;

use super::client::{Caller, PASSWORD, Refusal, Server};

#[test]
fn knows_the_sessions_of_old_tests() {
    let server = Server::compat();
    for (session, id, login, roles) in [
        ("111", "1", "admin", json!(["1:admin", "admin"])),
        ("222", "2", "user1", json!(["1:manager"])),
        ("333", "3", "user2", json!(["1:user"])),
    ] {
        let mut client = server.client();
        client.set_header("x-session-id", session);
        let answer = client.get("/sessions/current");
        assert_eq!(answer.status, 200, "{answer:#?}");
        let user = &answer.body["user"];
        assert_eq!((&user["id"], &user["login"]), (&json!(id), &json!(login)));
        assert_eq!(
            (&user["roles"], &user["sites"]),
            (&roles, &json!([{"id": "1", "name": "Site #1"}]))
        );
        assert_ne!(answer.body["id"], session);
    }
    let mut admin = server.client();
    admin.set_header("x-session-id", "111");
    assert_eq!(admin.get("/sessions?total=true").body["total"], 3);
    assert_eq!(admin.poke("/signout").status, 204);
    admin.get("/about").assert_error(440, "SESSION_NOT_FOUND");

    let modern = Server::start();
    admin = modern.client();
    admin.set_header("x-session-id", "111");
    admin.get("/about").assert_error(440, "SESSION_NOT_FOUND");
}

#[test]
fn the_id_of_an_opened_session_is_its_token() {
    let server = Server::compat();
    for opened in
        [server.client().sign_up("ann"), server.client().sign_in("admin", "admin-password-1")]
    {
        let (id, token) = (&opened.body["id"], &opened.body["token"]);
        assert_eq!(id, token);
        let mut client = server.client();
        client.set_header("x-session-id", id.as_str().unwrap());
        let current = client.get("/sessions/current");
        assert_eq!((current.status, &current.body["user_id"]), (200, &opened.body["user_id"]));
        assert_ne!(current.body["id"], *id, "it is never listed");
    }
}

#[test]
fn tells_a_wrong_login_from_a_wrong_password() {
    let server = Server::compat();
    let (mut admin, mut gone) = (server.admin(), server.stranger("gone"));
    admin.delete(&format!("/users/{}", gone.user_id()));
    for login in ["nobody", "gone"] {
        let answer = server.client().sign_in(login, PASSWORD);
        assert_eq!(answer.assert_error(400, "WRONG_LOGIN"), &json!({"login": login}));
        assert_eq!(answer.body["message"], format!("Account {login} was not found"));
    }
    let answer = server.client().sign_in("user1", "wrong");
    assert_eq!(answer.assert_error(400, "WRONG_PASSWORD"), &json!({"login": "user1"}));
    assert_eq!(answer.body["message"], "Wrong password for account user1");
}

#[test]
fn takes_credentials_from_the_query_first() {
    let server = Server::compat();
    let query = "/signin?login=user1&password=user1-password-1";
    assert_eq!(server.client().poke(query).body["user_id"], "2");
    let body = json!({"login": "user2", "password": "user2-password-1"});
    assert_eq!(server.client().post(query, body.clone()).body["user_id"], "2");
    assert_eq!(server.client().post("/signin", body).body["user_id"], "3");
    server.client().poke("/signin?login=user1").assert_error(400, "MISSING_CREDENTIALS");
}

#[test]
fn signs_up_without_an_address() {
    let server = Server::compat();
    let answer = server.client().post("/signup", json!({"login": "ann", "password": PASSWORD}));
    assert_eq!((answer.status, &answer.body["user"]["login"]), (200, &json!("ann")));
    assert_eq!(server.outbox().len(), 0);
    let nameless = server.client().post("/signup", json!({"password": PASSWORD}));
    nameless.assert_error(400, "INVALID_LOGIN");
}

#[test]
fn takes_an_address_for_proof_of_an_invitation() {
    let server = Server::compat();
    let data = json!({"invitee_email": "Ann@example.org", "role": "user"});
    let mut manager = server.manager();
    assert_eq!(manager.post("/sites/1/invitations", data).status, 200);
    let session = server.client().sign_up("ann").body;
    assert_eq!(session["user"]["roles"], json!(["1:user"]));
    assert_eq!(session["user"]["sites"], json!([{"id": "1", "name": "Site #1"}]));
    // Not only this session knows of it.
    let mut ann = server.signed_in("ann", PASSWORD);
    assert_eq!(ann.get("/sites/1").status, 200);
    assert_eq!(manager.get("/sites/1/invitations").body["data"], json!([]));
    assert_eq!(server.outbox().len(), 1, "there is nothing more to prove");
}

#[test]
fn lets_clients_name_new_sites() {
    let server = Server::compat();
    let mut ann = server.stranger("ann");
    let answer = ann.post("/sites", json!({"id": "plant-7", "name": "Plant"}));
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!("plant-7")));
    assert_eq!(ann.roles(), json!(["plant-7:admin"]));
    for bad in ["", "a:b", "a/b", " ", &"x".repeat(65)] {
        let answer = ann.post("/sites", json!({"id": bad, "name": "Plant"}));
        answer.assert_error(400, "INVALID_ID");
    }
    // Others ignore what a client wants.
    let modern = Server::start();
    let answer = modern.stranger("ann").post("/sites", json!({"id": "plant-7", "name": "Plant"}));
    assert_eq!(answer.status, 200);
    assert_ne!(answer.body["id"], "plant-7");
}

#[test]
fn shows_all_of_a_site_to_who_knows_its_code() {
    let server = Server::compat();
    let code = server.admin().poke("/sites/1/generate_code").body;
    let find = format!("/sites/find_by_code?code={}", code.as_str().unwrap());
    let site = server.client().get(&find).body;
    assert_eq!((&site["code"], &site["creator_id"]), (&code, &json!("1")));
}

#[test]
fn has_no_cookie() {
    let server = Server::start_with(&[("COMPAT", "1"), ("COOKIE_ENABLED", "1")]);
    let opened = server.client().sign_in("user1", "user1-password-1");
    assert_eq!((opened.status, opened.set_cookie()), (200, None));
}
