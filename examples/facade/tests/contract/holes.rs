//! What the originals leave open, attacked. No mode opens it.

use example_kit::testing::Body;
use serde_json::json;

use super::client::{Caller, PASSWORD, Refusal, Server};

/// Runs an attack in both modes.
fn in_both_modes(attack: impl Fn(&Server)) {
    attack(&Server::start());
    attack(&Server::compat());
}

#[test]
fn a_closed_session_is_not_alive() {
    in_both_modes(|server| {
        for close in ["signout", "list", "delete"] {
            let mut user = server.stranger(close);
            let mut thief = user.clone();
            let (session, id) = (user.session_id(), user.user_id());
            match close {
                "signout" => drop(user.poke("/signout")),
                "list" => drop(user.delete(&format!("/sessions/{id}/{session}"))),
                _ => drop(server.admin().delete(&format!("/users/{id}"))),
            }
            for path in ["/sessions/current", "/sites", "/about"] {
                thief.get(path).assert_error(440, "SESSION_NOT_FOUND");
            }
            // Nor does anybody bring it back.
            let restore = format!("/sessions/restore?session_id={session}");
            assert_eq!(server.admin().poke(&restore).status, 204);
            thief.poke(&restore).assert_error(440, "SESSION_NOT_FOUND");
        }
    });
}

#[test]
fn the_sessions_of_others_are_nobodys_business() {
    in_both_modes(|server| {
        let (mut user, mut manager) = (server.user(), server.manager());
        let theirs = manager.session_id();
        let own = user.get("/sessions/3").body["data"].clone();
        for session in own.as_array().unwrap() {
            assert_eq!(session["user_id"], "3");
        }
        for path in ["/sessions/2", "/sessions/1"] {
            user.get(path).assert_error(403, "FORBIDDEN");
        }
        user.get("/sessions").assert_error(403, "NOT_IN_ROLE");
        manager.get("/sessions").assert_error(403, "NOT_IN_ROLE");

        // Under his own name neither.
        user.delete(&format!("/sessions/3/{theirs}")).assert_error(404, "SESSION_NOT_FOUND");
        user.delete(&format!("/sessions/2/{theirs}")).assert_error(403, "FORBIDDEN");
        assert_eq!(user.poke(&format!("/sessions/restore?session_id={theirs}")).status, 204);
        assert_eq!(manager.get("/sessions/current").status, 200, "the session is alive");
    });
}

#[test]
fn what_is_listed_is_no_credential() {
    in_both_modes(|server| {
        let (mut admin, mut user) = (server.admin(), server.user());
        let token = user.headers[0].1.clone();
        let lists = [
            admin.get("/sessions").body,
            admin.get("/sessions/3").body,
            user.get("/sessions/current").body,
        ];
        for list in &lists {
            assert!(!list.to_string().contains(&token), "{list}");
        }
        let mut thief = server.client();
        thief.set_header("x-session-id", user.session_id());
        thief.get("/about").assert_error(440, "SESSION_NOT_FOUND");
    });
}

#[test]
fn nobody_takes_over_a_site_by_its_id() {
    in_both_modes(|server| {
        let mut ann = server.stranger("ann");
        ann.post("/sites", json!({"id": "1", "name": "Mine"})).assert_error(409, "DUPLICATE_ID");
        ann.get("/sites/1").assert_error(403, "NOT_IN_SITE_ROLE");
        assert_eq!(ann.roles(), json!([]));
        // Not a deleted one either.
        assert_eq!(server.admin().delete("/sites/1").status, 200);
        ann.post("/sites", json!({"id": "1", "name": "Mine"})).assert_error(409, "DUPLICATE_ID");
        assert_eq!(server.admin().get("/sites/1").body["name"], "Site #1");
    });
}

#[test]
fn nobody_invites_above_himself() {
    in_both_modes(|server| {
        let path = "/sites/1/invitations";
        for mut outsider in [server.stranger("ann"), server.user()] {
            let data = json!({"invitee_email": "ann@example.org", "role": "admin"});
            outsider.post(path, data.clone()).assert_error(403, "NOT_IN_SITE_ROLE");
            outsider.post(&format!("{path}/notify"), data).assert_error(403, "NOT_IN_SITE_ROLE");
        }
        let mut manager = server.manager();
        let above = json!({"invitee_email": "ann@example.org", "role": "admin"});
        manager.post(path, above.clone()).assert_error(403, "ROLE_ABOVE_OWN");
        manager.post(&format!("{path}/notify"), above).assert_error(403, "ROLE_ABOVE_OWN");

        // Nor by way of an invitation that is there.
        let mut admin = server.admin();
        let invitation = admin.post(path, json!({"invitee_id": "2", "role": "admin"})).body;
        let approve = format!("{path}/{}/approve", invitation["id"].as_str().unwrap());
        manager.poke(&approve).assert_error(403, "ROLE_ABOVE_OWN");
        manager.poke(&format!("{approve}?role=admin")).assert_error(403, "ROLE_ABOVE_OWN");
        let body = json!({"role": "admin"});
        manager.post(&approve, body).assert_error(403, "ROLE_ABOVE_OWN");
        assert_eq!(manager.roles(), json!(["1:manager"]));
        let still_there = admin.get(&format!("{path}/{}", invitation["id"].as_str().unwrap()));
        assert_eq!(still_there.status, 200, "a refusal changes nothing");
    });
}

#[test]
fn the_site_of_an_invitation_is_the_one_of_the_path() {
    in_both_modes(|server| {
        let mut admin = server.admin();
        let theirs = admin.post("/sites/1/invitations", json!({"invitee_id": "3"})).body;
        let id = theirs["id"].as_str().unwrap();

        let mut ann = server.stranger("ann");
        let site = ann.new_site("Mine");
        let path = format!("/sites/{site}/invitations");
        let data = json!({"site_id": "1", "role": "admin", "invitee_id": ann.user_id()});
        let invitation = ann.post(&path, data).body;
        assert_eq!(invitation["site_id"], site);
        let approve = format!("{path}/{}/approve", invitation["id"].as_str().unwrap());
        assert_eq!(ann.poke(&approve).status, 200);
        ann.get("/sites/1").assert_error(403, "NOT_IN_SITE_ROLE");

        // The invitations of another site are not reached through one's own.
        for (method, ending) in [
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/approve"),
            ("POST", "/deny"),
            ("POST", "/resend"),
        ] {
            let answer = ann.send(method, &format!("{path}/{id}{ending}"), Body::Empty);
            assert_eq!((answer.status, answer.body.is_null()), (204, true), "{method} {ending}");
        }
        assert_eq!(admin.get(&format!("/sites/1/invitations/{id}")).body, theirs);
    });
}

#[test]
fn not_every_password_will_do() {
    in_both_modes(|server| {
        for (login, password) in [
            ("admin", "x"),
            ("admin", ""),
            ("admin", "admin-password-2"),
            ("1", "user1-password-1"),
        ] {
            assert_eq!(server.client().sign_in(login, password).status, 400, "{login} {password}");
        }
        assert_eq!(server.client().sign_in("admin", "admin-password-1").status, 200);
    });
}

#[test]
fn a_filter_of_ids_opens_no_other_sites() {
    in_both_modes(|server| {
        let other = server.admin().new_site("Other");
        let mut user = server.user();
        for query in ["", "?ids=1", &format!("?ids=1,{other}"), "?search=e", "?deleted=true"] {
            let sites = user.get(&format!("/sites{query}")).body;
            assert!(!sites.to_string().contains(&other), "{query}: {sites}");
        }
        let none = user.get(&format!("/sites?ids={other}")).body;
        assert_eq!(none["data"], json!([]));
    });
}

#[test]
fn errors_show_nothing_of_the_inside() {
    in_both_modes(|server| {
        let mut client = server.client();
        let mut answers = vec![
            client.get("/nowhere"),
            client.get("/signin"),
            client.get("/sites"),
            client.sign_in("nobody", "secret-word"),
            client.send(
                "POST",
                "/signin",
                Body::Raw("application/json", b"{\"secret-word".to_vec()),
            ),
            server.user().get("/sessions"),
        ];
        client.set_header("x-session-id", "secret-word");
        answers.push(client.get("/about"));
        for answer in answers {
            assert!(answer.status >= 400, "{answer:#?}");
            let text = answer.body.to_string();
            for inside in ["stack", ".rs", "sqlx", "panicked", "secret-word"] {
                assert!(!text.contains(inside), "{inside}: {text}");
            }
        }
    });
}

#[test]
fn a_refusal_of_a_guard_stops_the_operation() {
    in_both_modes(|server| {
        let mut manager = server.manager();
        let answer = manager.get("/sessions");
        answer.assert_error(403, "NOT_IN_ROLE");
        assert!(answer.body.get("data").is_none());
        manager.delete("/sites/1").assert_error(403, "NOT_IN_ROLE");
        manager.put("/sites/1", json!({"name": "Mine"})).assert_error(403, "NOT_IN_SITE_ROLE");
        let site = manager.get("/sites/1").body;
        assert!(site.get("deleted").is_none() && site["name"] == "Site #1", "{site}");
    });
}

#[test]
fn what_the_path_decides_nothing_else_decides() {
    in_both_modes(|server| {
        let mut user = server.user();
        user.get("/sessions/2?user_id=3").assert_error(403, "FORBIDDEN");
        user.get("/sessions/2?id=3&owner=3").assert_error(403, "FORBIDDEN");
        let session = server.manager().session_id();
        user.delete(&format!("/sessions/2/{session}?user_id=3")).assert_error(403, "FORBIDDEN");
        let mut ann = server.stranger("ann");
        let site = ann.new_site("Mine");
        ann.get(&format!("/sites/1?site_id={site}")).assert_error(403, "NOT_IN_SITE_ROLE");
        let body = json!({"site_id": site, "name": "Mine"});
        ann.put(&format!("/sites/1?site_id={site}"), body).assert_error(403, "NOT_IN_SITE_ROLE");
        ann.set_header("site_id", site.clone());
        ann.get("/sites/1").assert_error(403, "NOT_IN_SITE_ROLE");
        let invite = format!("/sites/1/invitations?site_id={site}");
        ann.post(&invite, json!({"site_id": site})).assert_error(403, "NOT_IN_SITE_ROLE");
    });
}

#[test]
fn half_a_signup_is_none() {
    in_both_modes(|server| {
        for data in [
            json!({"login": "ann", "email": "ann@example.org"}),
            json!({"login": "ann", "email": "ann@example.org", "password": "short"}),
            json!({"login": "ann", "email": "no address", "password": PASSWORD}),
            json!({"login": "a b", "email": "ann@example.org", "password": PASSWORD}),
        ] {
            assert_eq!(server.client().post("/signup", data).status, 400);
        }
        assert_eq!(server.outbox().len(), 0);
        assert_eq!(server.client().get("/signup/validate?login=ann").status, 204);
        assert_eq!(server.client().sign_up("ann").status, 200);
    });
}

#[test]
fn nobody_signs_up_with_roles() {
    in_both_modes(|server| {
        let data = json!({
            "login": "eve", "email": "eve@example.org", "password": PASSWORD,
            "id": "1", "roles": ["admin"], "active": true, "user": {"roles": ["admin"]},
        });
        let session = server.client().post("/signup", data).body;
        assert_eq!(session["user"]["roles"], json!([]));
        assert_ne!(session["user_id"], "1");
    });
}
