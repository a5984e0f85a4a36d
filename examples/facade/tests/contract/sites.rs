//! Sites.

use serde_json::json;

use super::client::{Caller, Refusal, Server};

#[test]
fn creates_a_site_and_makes_its_author_administrator() {
    let server = Server::start();
    let mut ann = server.stranger("ann");
    let answer = ann.post(
        "/sites",
        json!({
            "name": "Plant", "description": "Where it grows", "radius": 1.5, "org_size": 12,
            "center": {"type": "Point", "coordinates": [32, -110]}, "params": {"a": [1, null]},
            // All of this is the server's to say.
            "code": "mine", "deleted": true, "creator_id": "1", "create_time": "2001-01-01T00:00:00Z",
        }),
    );
    assert_eq!(answer.status, 200, "{answer:#?}");
    let site = &answer.body;
    assert_eq!((&site["name"], &site["radius"]), (&json!("Plant"), &json!(1.5)));
    assert_eq!(site["center"]["coordinates"], json!([32, -110]));
    assert_eq!((&site["params"], &site["active"]), (&json!({"a": [1, null]}), &json!(true)));
    assert_eq!(site["creator_id"], ann.user_id());
    for unset in ["code", "deleted", "address", "purpose"] {
        assert!(site.get(unset).is_none(), "{unset}: {site}");
    }
    assert!(!site["create_time"].as_str().unwrap().starts_with("2001"));
    let id = site["id"].as_str().unwrap();
    // The session knows at once.
    let session = ann.get("/sessions/current").body;
    assert_eq!(session["user"]["roles"], json!([format!("{id}:admin")]));
    assert_eq!(session["user"]["sites"], json!([{"id": id, "name": "Plant"}]));
    assert_eq!(ann.get(&format!("/sites/{id}")).body, *site);
}

#[test]
fn lists_the_sites_of_a_user_and_no_others() {
    let server = Server::start();
    let mut admin = server.admin();
    let other = admin.new_site("Other");
    let mut user = server.user();
    let mine = user.new_site("Mine");
    let ids = |answer: example_kit::testing::Answer| -> Vec<String> {
        assert_eq!(answer.status, 200, "{answer:#?}");
        let sites = answer.body["data"].as_array().unwrap();
        sites.iter().map(|site| site["id"].as_str().unwrap().to_owned()).collect()
    };
    for (query, expected) in [
        (String::new(), vec!["1", &mine]),
        ("?take=1".into(), vec!["1"]),
        ("?skip=1".into(), vec![&*mine]),
        ("?ids=1".into(), vec!["1"]),
        (format!("?ids=1,{mine}"), vec!["1", &mine]),
        (format!("?ids={mine},%201,{other},x"), vec!["1", &mine]),
        (format!("?ids={other}"), vec![]),
        (format!("?id={other}"), vec![]),
        ("?search=SITE".into(), vec!["1"]),
        (format!("?search={}", mine[4..20].to_uppercase()), vec![&*mine]),
        ("?search=%25".into(), vec![]),
        ("?active=false".into(), vec![]),
        ("?code=x".into(), vec![]),
    ] {
        assert_eq!(ids(user.get(&format!("/sites{query}"))), expected, "{query}");
    }
    assert_eq!(user.get("/sites?total=true").body["total"], 2);
    let nothing = server.stranger("ann").get("/sites");
    assert_eq!((nothing.status, nothing.body), (200, json!({"data": [], "total": null})));

    assert_eq!(ids(admin.get("/sites/all")), ["1", &*other, &*mine]);
    assert_eq!(ids(admin.get(&format!("/sites/all?ids={other}"))), [&*other]);
    assert_eq!(admin.get("/sites/all?total=true&take=1").body["total"], 3);
}

#[test]
fn says_anew_what_a_site_is() {
    let server = Server::start();
    let mut ann = server.stranger("ann");
    let id = ann.new_site("Old");
    let path = format!("/sites/{id}");
    let code = ann.poke(&format!("{path}/generate_code")).body;
    let answer = ann.put(
        &path,
        json!({
            "id": "1", "name": "New", "purpose": "shade", "active": false,
            "code": "mine", "deleted": true, "creator_id": "1",
        }),
    );
    assert_eq!(answer.status, 200, "{answer:#?}");
    let site = &answer.body;
    assert_eq!((&site["id"], &site["name"]), (&json!(id), &json!("New")));
    assert_eq!((&site["code"], &site["active"]), (&code, &json!(false)));
    assert!(site.get("deleted").is_none() && site["creator_id"] == ann.user_id());
    let session = ann.get("/sessions/current").body;
    assert_eq!(session["user"]["sites"], json!([{"id": id, "name": "New"}]));

    let answer = ann.put(&path, json!({"name": "Newer"}));
    assert!(answer.body.get("purpose").is_none(), "what is left out is gone");
    assert_eq!(server.admin().get("/sites/1").body["name"], "Site #1");
    assert_eq!(server.admin().put("/sites/nowhere", json!({"name": "x"})).status, 204);
}

#[test]
fn finds_a_site_by_its_code() {
    let server = Server::start();
    let mut admin = server.admin();
    let first = admin.poke("/sites/1/generate_code");
    assert_eq!(first.status, 200);
    let code = first.body.as_str().unwrap();
    assert!(code.len() >= 8 && code != "1", "{code}");
    let find = format!("/sites/find_by_code?code={code}");

    // A stranger sees its name, whoever belongs to it all of it.
    let stranger = server.client().get(&find);
    assert_eq!((stranger.status, &stranger.body), (200, &json!({"id": "1", "name": "Site #1"})));
    assert_eq!(server.stranger("ann").get(&find).body, stranger.body);
    assert_eq!(server.user().get(&find).body["code"], code);
    for nothing in
        ["/sites/find_by_code", "/sites/find_by_code?code=", "/sites/find_by_code?code=x"]
    {
        let answer = server.client().get(nothing);
        assert_eq!((answer.status, answer.body.is_null()), (204, true), "{nothing}");
    }

    let mut user = server.user();
    let validate = |user: &mut example_kit::testing::Client, code: &str| {
        user.poke(&format!("/sites/validate_code?code={code}")).body
    };
    assert_eq!(validate(&mut user, code), json!("1"));
    assert_eq!(validate(&mut user, "x"), json!(""));
    assert_eq!(user.poke("/sites/validate_code").body, json!(""));
    server.client().poke("/sites/validate_code?code=x").assert_error(401, "NOT_SIGNED");

    // A new code takes the place of the old one.
    let second = admin.poke("/sites/1/generate_code").body;
    assert_ne!(second, code);
    assert_eq!(server.client().get(&find).status, 204);
    assert_eq!(admin.poke("/sites/nowhere/generate_code").status, 204);
}

#[test]
fn deletes_a_site_and_keeps_it_for_the_record() {
    let server = Server::start();
    let mut admin = server.admin();
    let code = admin.poke("/sites/1/generate_code").body.as_str().unwrap().to_owned();
    let answer = admin.delete("/sites/1");
    assert_eq!((answer.status, &answer.body["deleted"]), (200, &json!(true)));
    assert_eq!(server.user().get("/sites/1").body["deleted"], true);
    assert_eq!(server.user().get("/sites").body["data"], json!([]));
    assert_eq!(admin.get("/sites/all").body["data"], json!([]));
    assert_eq!(admin.get("/sites/all?deleted=true").body["data"][0]["id"], "1");
    assert_eq!(server.client().get(&format!("/sites/find_by_code?code={code}")).status, 204);
    assert_eq!(admin.poke("/sites/1/generate_code").status, 204);
    assert_eq!(admin.delete("/sites/nowhere").status, 204);
    assert_eq!(admin.get("/sites/nowhere").status, 204);
}

#[test]
fn lets_a_user_leave() {
    let server = Server::start();
    let mut user = server.user();
    let answer = user.poke("/sites/1/remove");
    assert_eq!((answer.status, answer.body.is_null()), (204, true));
    let session = user.get("/sessions/current").body;
    assert_eq!((&session["user"]["roles"], &session["user"]["sites"]), (&json!([]), &json!([])));
    user.get("/sites/1").assert_error(403, "NOT_IN_SITE_ROLE");
    assert_eq!(server.admin().get("/sites/1").status, 200, "the site stays");
    assert_eq!(server.user().roles(), json!([]), "he has left for good");
}
