//! Every engine: the same story on each.

use std::thread;

use example_kit::testing::{Body, Client};
use serde_json::json;

use super::client::{Caller, PASSWORD, Refusal, Server};

#[test]
fn tells_one_story_on_sqlite() {
    let server = Server::start();
    story(&server);
    limits(&server);
}

#[test]
fn tells_the_same_story_on_postgres() {
    let Some(postgres) = auth_test_servers::postgres() else { return };
    told_on(postgres.url());
}

#[test]
fn tells_the_same_story_on_mysql() {
    let Some(mysql) = auth_test_servers::mysql() else { return };
    told_on(mysql.url());
}

fn told_on(url: &str) {
    let mut server = Server::start_with(&[("DATABASE_URL", url)]);
    story(&server);
    limits(&server);
    assert!(!server.path("facade.db").exists());
    // What it keeps, it keeps, and what was seeded and changed is not seeded again.
    let mut admin = server.admin();
    assert_eq!(admin.put("/users/2/roles", json!({"roles": []})).status, 200);
    assert_eq!(admin.put("/sites/1", json!({"name": "Renamed"})).status, 200);
    server.0.stop();
    server.0.start_again();
    assert_eq!(server.signed_in("ann", PASSWORD).roles(), json!(["1:user"]));
    assert_eq!(server.manager().roles(), json!([]));
    assert_eq!(server.admin().get("/sites/1").body["name"], "Renamed");
}

/// What one engine cannot keep or look for is refused on all of them, and is no fault; what is just
/// as long as it may be is kept.
fn limits(server: &Server) {
    let mut admin = server.admin();
    for path in ["/signup/validate?login=%00", "/sites/find_by_code?code=a%00", "/sites/%00"] {
        admin.get(path).assert_error(400, "INVALID_URL");
    }
    admin.delete("/users/1%00").assert_error(400, "INVALID_URL");
    let (long, nul) = ("x".repeat(1001), "\0");
    for text in [&*long, nul] {
        for name in ["name", "language", "theme", "time_zone"] {
            let mut data = json!({"email": "zoe@example.org", "password": PASSWORD});
            data[name] = json!(text);
            server.client().post("/signup", data).assert_error(400, "INVALID_TEXT");
        }
        admin.post("/sites", json!({"name": text})).assert_error(400, "INVALID_TEXT");
        admin.put("/sites/1", json!({"name": text})).assert_error(400, "INVALID_TEXT");
        let roles = json!({"roles": [format!("{text}:user")]});
        admin.put("/users/2/roles", roles).assert_error(400, "INVALID_ROLE");
        for (field, code) in [("invitee_id", "INVALID_ID"), ("invitee_name", "INVALID_TEXT")] {
            let data = json!({ field: text });
            admin.post("/sites/1/invitations", data).assert_error(400, code);
        }
    }
    let large = json!({"name": "Large", "description": "x".repeat(1024 * 1024)});
    admin.post("/sites", large).assert_error(400, "SITE_TOO_LARGE");

    let (login, name) = ("l".repeat(254), "ä".repeat(500));
    let email = format!("{}@{}.example", "l".repeat(64), ["d"; 100].join("."));
    let data = json!({
        "login": login, "email": email, "password": PASSWORD, "name": name, "language": name,
        "theme": name, "time_zone": name,
    });
    let answer = server.client().post("/signup", data);
    assert_eq!((answer.status, &answer.body["user"]["name"]), (200, &json!(name)));
    let id = "i".repeat(64);
    let roles = json!({"roles": [format!("{id}:manager")]});
    let account = answer.body["user"]["id"].as_str().unwrap();
    assert_eq!(admin.put(&format!("/users/{account}/roles"), roles).status, 200);
    let invited = json!({"invitee_id": id, "invitee_email": email, "action": "approve"});
    let invitation = admin.post("/sites/1/invitations", invited).body;
    let path = format!("/sites/1/invitations/{}/approve", invitation["id"].as_str().unwrap());
    assert_eq!(admin.poke(&path).status, 200);
    let site = json!({"name": name, "description": "ü".repeat(500_000)});
    assert_eq!(admin.put("/sites/1", site).body["name"], name);
    assert_eq!(admin.put("/sites/1", json!({"name": "Site #1"})).status, 200);
}

/// Somebody signs up, is invited, makes a site, leaves it, is seen and shut out.
fn story(server: &Server) {
    let (mut admin, mut ann) = (server.admin(), server.stranger("ann"));
    server.client().sign_up("Ann").assert_error(400, "DUPLICATE_LOGIN");
    assert_eq!(server.client().get("/signup/validate?login=ann").status, 400);

    let data = json!({"invitee_email": "ANN@example.org", "role": "user"});
    let invitation = admin.post("/sites/1/invitations", data).body;
    let path = format!("/sites/1/invitations/{}", invitation["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).body, invitation);
    assert_eq!(admin.get("/sites/1/invitations?total=true&take=5").body["total"], 1);
    assert_eq!(admin.poke(&format!("{path}/resend")).status, 200);
    let mail = server.outbox();
    let code = mail.iter().find(|mail| mail["subject"] == "Is this your address?").unwrap();
    let proof = json!({"code": code["code"]});
    let prove = |mut ann: Client| ann.post("/signup/verify", proof.clone());
    let answers: Vec<_> = thread::scope(|scope| {
        let calls = [(); 6].map(|()| ann.clone()).map(|ann| scope.spawn(|| prove(ann)));
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let (proved, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(proved.len(), 1, "a code is good once");
    assert_eq!(proved[0].body["user"]["roles"], json!(["1:user"]), "{proved:#?}");
    for answer in refused {
        answer.assert_error(400, "WRONG_CODE");
    }
    assert_eq!(admin.get(&path).status, 204);

    let site = ann.new_site("Größe_100%");
    let grant = format!("{site}:admin");
    let mut grants = ["1:user", &grant];
    grants.sort_unstable();
    assert_eq!(ann.roles(), json!(grants));
    let code = ann.poke(&format!("/sites/{site}/generate_code")).body;
    let code = code.as_str().unwrap();
    let found = server.client().get(&format!("/sites/find_by_code?code={code}"));
    assert_eq!(found.body, json!({"id": site, "name": "Größe_100%"}));
    let changed = ann.put(&format!("/sites/{site}"), json!({"name": "Small", "radius": 0.5}));
    assert_eq!((&changed.body["code"], &changed.body["radius"]), (&json!(code), &json!(0.5)));
    for (query, total) in [
        ("", 2),
        ("&search=SMA", 1),
        ("&search=%25", 0),
        ("&active=true", 2),
        ("&active=false", 0),
        ("&ids=1", 1),
        ("&id=1", 1),
        ("&take=1&skip=1", 2),
    ] {
        for list in ["/sites", "/sites/all"] {
            let page =
                admin_or(list, &mut admin, &mut ann).get(&format!("{list}?total=true{query}"));
            assert_eq!(page.body["total"], total, "{list} {query}: {page:#?}");
        }
    }
    assert_eq!(ann.poke(&format!("/sites/{site}/remove")).status, 204);
    assert_eq!(ann.roles(), json!(["1:user"]));
    assert_eq!(admin.delete(&format!("/sites/{site}")).body["deleted"], true);

    let mut elsewhere = server.signed_in("ANN", PASSWORD);
    let (id, session) = (ann.user_id(), elsewhere.session_id());
    let sessions = admin.get("/sessions?total=true&skip=1").body;
    assert_eq!((&sessions["total"], sessions["data"].as_array().unwrap().len()), (&json!(3), 2));
    let own = ann.get(&format!("/sessions/{id}?total=true")).body;
    assert_eq!(own["total"], 2);
    let closed = ann.delete(&format!("/sessions/{id}/{session}"));
    assert_eq!((closed.status, &closed.body["active"]), (200, &json!(false)));
    elsewhere.get("/about").assert_error(440, "SESSION_NOT_FOUND");

    let mut ben = server.stranger("ben");
    let ben_id = ben.user_id();
    let roles = admin.put(&format!("/users/{ben_id}/roles"), json!({"roles": ["1:manager"]}));
    assert_eq!(roles.status, 200);
    let waiting = json!({"invitee_id": ann.user_id(), "action": "approve"});
    let invitation = ben.post("/sites/1/invitations", waiting).body;
    let path = format!("/sites/1/invitations/{}", invitation["id"].as_str().unwrap());
    let approved = ben.post(&format!("{path}/approve"), json!({"role": "manager"}));
    assert_eq!(approved.body["role"], "manager");
    assert_eq!(ann.roles(), json!(["1:manager", "1:user"]));
    admin.put(&format!("/users/{id}/roles"), json!({"roles": ["1:user"]}));
    assert_eq!(ben.send("DELETE", &path, Body::Empty).status, 204);

    assert_eq!(admin.delete(&format!("/users/{ben_id}")).body["active"], false);
    ben.get("/about").assert_error(440, "SESSION_NOT_FOUND");
    server.client().sign_in("ben", PASSWORD).assert_error(400, "WRONG_CREDENTIALS");
}

/// Who has the two sites in his list: one's own, or all.
fn admin_or<'a>(list: &str, admin: &'a mut Client, user: &'a mut Client) -> &'a mut Client {
    if list == "/sites/all" { admin } else { user }
}
