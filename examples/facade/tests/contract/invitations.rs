//! Invitations.

use example_kit::testing::{Answer, Client};
use serde_json::{Value, json};

use super::client::{Caller, Refusal, Server};

const PATH: &str = "/sites/1/invitations";

fn invite(client: &mut Client, data: Value) -> Answer {
    let answer = client.post(PATH, data);
    assert_eq!(answer.status, 200, "{answer:#?}");
    answer
}

fn id_of(invitation: &Answer) -> String {
    invitation.body["id"].as_str().unwrap().to_owned()
}

#[test]
fn invites_by_mail_in_the_name_of_the_sender() {
    let server = Server::start();
    let mut manager = server.manager();
    let invitation = invite(
        &mut manager,
        json!({
            "invitee_email": "Ann@example.org", "invitee_name": "Ann", "role": "user",
            // All of this is the server's to say.
            "id": "1", "site_id": "2", "site_name": "Elsewhere", "creator_id": "1",
            "creator_name": "Admin User", "create_time": "2001-01-01T00:00:00Z",
        }),
    );
    let data = &invitation.body;
    for (name, value) in [
        ("site_id", "1"),
        ("site_name", "Site #1"),
        ("creator_id", "2"),
        ("creator_name", "User #1"),
        ("action", "activate"),
        ("role", "user"),
        ("invitee_name", "Ann"),
    ] {
        assert_eq!(data[name], value, "{name}");
    }
    assert_ne!(data["id"], "1");
    assert!(!data["create_time"].as_str().unwrap().starts_with("2001"));
    assert!(data["sent_time"].is_string() && data["expire_time"].is_string());
    let mail = &server.outbox()[0];
    assert_eq!(mail["to"], "Ann@example.org");
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("User #1") && text.contains("Site #1"), "{text}");

    let mut user = server.user();
    let list = user.get(&format!("{PATH}?total=true"));
    assert_eq!(list.body, json!({"data": [data], "total": 1}));
    assert_eq!(user.get(&format!("{PATH}/{}", id_of(&invitation))).body, *data);
    assert_eq!(user.get(&format!("{PATH}/nothing")).status, 204);
}

#[test]
fn brings_an_invitee_to_the_site_when_he_has_proved_his_address() {
    let server = Server::start();
    let mut admin = server.admin();
    invite(&mut admin, json!({"invitee_email": "ANN@example.org", "role": "manager"}));
    invite(&mut admin, json!({"invitee_email": "ben@example.org", "role": "manager"}));
    invite(&mut admin, json!({"invitee_email": "ann@example.org", "action": "approve"}));
    let old = json!({"invitee_email": "ann@example.org", "role": "admin",
                     "expire_time": "2001-01-01T00:00:00Z"});
    invite(&mut admin, old);

    // Whoever says that the address is his is not there yet.
    let mut ann = server.stranger("ann");
    assert_eq!(ann.roles(), json!([]));
    ann.get("/sites/1").assert_error(403, "NOT_IN_SITE_ROLE");
    let code = server.code_for("ann@example.org").unwrap();
    let session = ann.post("/signup/verify", json!({"code": code}));
    assert_eq!(session.body["user"]["roles"], json!(["1:manager"]), "{session:#?}");
    assert_eq!(session.body["user"]["sites"], json!([{"id": "1", "name": "Site #1"}]));
    assert_eq!(ann.get("/sites/1").status, 200);
    assert_eq!(server.signed_in("ann", super::client::PASSWORD).roles(), json!(["1:manager"]));
    // An invitation is good once.
    assert_eq!(admin.get(&format!("{PATH}?total=true")).body["total"], 3);
}

#[test]
fn nobody_is_brought_to_a_site_that_is_gone() {
    let server = Server::start();
    let mut admin = server.admin();
    invite(&mut admin, json!({"invitee_email": "ann@example.org"}));
    assert_eq!(admin.delete("/sites/1").status, 200);
    let mut ann = server.stranger("ann");
    let code = server.code_for("ann@example.org").unwrap();
    let session = ann.post("/signup/verify", json!({"code": code}));
    assert_eq!(session.body["user"]["roles"], json!([]));
    for (method, path) in [("POST", PATH.to_owned()), ("POST", format!("{PATH}/notify"))] {
        let data = json!({"invitee_email": "ann@example.org"});
        let body = example_kit::testing::Body::Json(data);
        admin.send(method, &path, body).assert_error(404, "SITE_NOT_FOUND");
    }
}

#[test]
fn approves_with_a_role_from_query_or_body() {
    let server = Server::start();
    let (mut manager, mut ann) = (server.manager(), server.stranger("ann"));
    let ann_id = ann.user_id();
    let waiting = json!({"invitee_id": ann_id, "action": "approve"});
    for (query, body, role) in [
        ("?role=manager", None, "manager"),
        ("", Some(json!({"role": "manager"})), "manager"),
        ("", Some(json!({})), "user"),
        ("", None, "user"),
    ] {
        let id = id_of(&invite(&mut manager, waiting.clone()));
        let path = format!("{PATH}/{id}/approve{query}");
        let answer = match body {
            Some(body) => manager.post(&path, body),
            None => manager.poke(&path),
        };
        assert_eq!((answer.status, &answer.body["role"]), (200, &json!(role)), "{answer:#?}");
        assert_eq!(ann.roles(), json!([format!("1:{role}")]));
        assert_eq!(manager.get(&format!("{PATH}/{id}")).status, 204);
        assert_eq!(manager.poke(&path).status, 204, "good once");
        assert_eq!(ann.poke("/sites/1/remove").status, 204);
    }

    // Who has no account yet comes when he proves his address.
    let waiting = json!({"invitee_email": "ben@example.org", "action": "approve"});
    let id = id_of(&invite(&mut manager, waiting));
    assert_eq!(manager.poke(&format!("{PATH}/{id}/approve")).body["action"], "activate");
    let mut ben = server.stranger("ben");
    let code = server.code_for("ben@example.org").unwrap();
    assert_eq!(ben.post("/signup/verify", json!({"code": code})).status, 200);
    assert_eq!(ben.roles(), json!(["1:user"]));
}

#[test]
fn takes_back_denies_and_sends_again() {
    let server = Server::start();
    let mut manager = server.manager();
    let data = json!({"invitee_email": "ann@example.org"});
    for (method, ending) in [("DELETE", ""), ("POST", "/deny")] {
        let invitation = invite(&mut manager, data.clone());
        let path = format!("{PATH}/{}{ending}", id_of(&invitation));
        let answer = manager.send(method, &path, example_kit::testing::Body::Empty);
        assert_eq!((answer.status, &answer.body), (200, &invitation.body));
        let answer = manager.send(method, &path, example_kit::testing::Body::Empty);
        assert_eq!(answer.status, 204);
    }
    let invitation = invite(&mut manager, data.clone());
    let sent = server.outbox().len();
    let again = manager.poke(&format!("{PATH}/{}/resend", id_of(&invitation)));
    assert_eq!((again.status, &again.body["id"]), (200, &invitation.body["id"]));
    assert_eq!(server.outbox().len(), sent + 1);
    assert_eq!(manager.poke(&format!("{PATH}/nothing/resend")).status, 204);

    let before = manager.get(PATH).body;
    assert_eq!(manager.post(&format!("{PATH}/notify"), data).status, 204);
    assert_eq!(server.outbox().len(), sent + 2);
    assert_eq!(manager.get(PATH).body, before, "nothing is kept of it");
    let bad = json!({"invitee_email": "no address"});
    manager.post(PATH, bad).assert_error(400, "INVALID_EMAIL");
    manager.post(PATH, json!({"role": "king"})).assert_error(400, "InvalidContent");
}
