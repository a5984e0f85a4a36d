//! Every way in, by one table.

use example_kit::testing::{Answer, Body};
use serde_json::json;

use crate::{
    server::{ALICE, BOB, Server},
    way::Way,
};

/// SHA-256 of "abc", the example of FIPS 180, and of nothing.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn every_way_leads_to_the_same_user() {
    let server = Server::start();
    for person in [ALICE, BOB] {
        let mut ids = Vec::new();
        for way in Way::ALL {
            for path in ["/me", "/optional"] {
                let answer = way.get(&server, person, path);
                assert_eq!(answer.status, 200, "{way:?} {path}: {answer:?}");
                assert_eq!(answer.body["username"], person.name);
                assert_eq!(answer.body["scheme"], way.scheme());
                assert_eq!(answer.body["scopes"], way.scopes(), "{way:?}");
                assert_eq!(answer.body.as_object().map(serde_json::Map::len), Some(4));
                ids.push(answer.body["id"].clone());
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{}", person.name);
    }
}

#[test]
fn every_way_carries_any_body() {
    let server = Server::start();
    for way in Way::ALL {
        let mut alice = way.visitor(&server, ALICE);
        for (body, digest) in [
            (Body::Raw("text/plain", b"abc".into()), ABC),
            (Body::Raw("application/json", b"abc".into()), ABC),
            (Body::Raw("application/octet-stream", b"".into()), NOTHING),
            (Body::Empty, NOTHING),
        ] {
            let answer = alice.send("POST", "/me/echo", body);
            let answer = server.conforming("POST", "/me/echo", answer);
            assert_eq!(answer.status, 200, "{way:?}: {answer:?}");
            let known = (&answer.body["username"], &answer.body["scheme"]);
            assert_eq!(known, (&json!("alice"), &json!(way.scheme())));
            assert_eq!(answer.body["sha256"], digest);
        }
        let long = Body::Raw("text/plain", vec![b'a'; 1024 * 1024 + 1]);
        alice.send("POST", "/me/echo", long).assert_refused(413, "payload_too_large");
    }
}

#[test]
fn a_wrong_credential_is_refused_and_none_is_nobody() {
    let server = Server::start();
    let nobody = server.client().get("/optional");
    server.conforming("GET", "/optional", nobody).assert(200, &json!({ "username": null }));
    server.client().get("/me").assert_refused(401, "missing_credentials");
    for way in Way::ALL {
        let mut wrong = way.wrong(&server, ALICE);
        let answer = wrong.clone().get("/me");
        server.conforming("GET", "/me", answer).assert_refused(401, way.refusal());
        let answer = wrong.get("/optional");
        let answer = server.conforming("GET", "/optional", answer);
        if way.is_explicit() {
            answer.assert_refused(401, way.refusal());
        } else {
            answer.assert(200, &json!({ "username": null }));
            assert!(answer.set_cookie().unwrap().contains("Max-Age=0"), "{answer:?}");
        }
    }
}

#[test]
fn reports_are_for_those_who_may_read_them_by_every_way() {
    let server = Server::start();
    for way in Way::ALL {
        assert_eq!(way.get(&server, ALICE, "/reports").status, 200, "{way:?}");
        way.get(&server, BOB, "/reports").assert_refused(403, "forbidden");
    }
    server.client().get("/reports").assert_refused(401, "missing_credentials");
}

#[test]
fn two_credentials_name_one_user_or_nobody() {
    let server = Server::start();
    for one in Way::ALL {
        for other in Way::ALL {
            // Of two in one scheme none can be told from the other.
            let one_scheme = one.scheme() == other.scheme();
            let refusal =
                if one_scheme { "malformed_credentials" } else { "conflicting_credentials" };
            let (of_alice, of_bob) = (one.visitor(&server, ALICE), other.visitor(&server, BOB));
            if let Some(mut both) = of_alice.together(of_bob) {
                for path in ["/me", "/optional"] {
                    both.get(path).assert_refused(401, refusal);
                }
            }
            if one_scheme {
                continue;
            }
            let (of_alice, again) = (one.visitor(&server, ALICE), other.visitor(&server, ALICE));
            if let Some(mut both) = of_alice.together(again) {
                assert_eq!(both.get("/me").body["username"], "alice", "{one:?} {other:?}");
            }
        }
    }
}

#[test]
fn a_way_that_is_switched_off_is_gone_from_server_and_document() {
    for way in Way::ALL {
        let open = Server::start();
        assert!(open.document().schemes().contains(&way.scheme()));
        let presented = way.visitor(&open, ALICE);
        let server = Server::start_with(&[("DISABLE", way.scheme())]);
        assert!(!server.document().schemes().contains(&way.scheme()), "{way:?}");
        let answer = presented.at(&server).get("/me");
        assert_eq!(answer.status, 401, "{way:?}");
        let challenge = challenges(&answer);
        assert!(way.challenge().is_none_or(|name| !challenge.contains(name)), "{challenge}");
        for other in Way::ALL.into_iter().filter(|other| other.scheme() != way.scheme()) {
            let mut stranger = server.client();
            let challenge = challenges(&stranger.get("/me"));
            assert!(other.challenge().is_none_or(|name| challenge.contains(name)), "{challenge}");
            assert_eq!(other.get(&server, ALICE, "/me").status, 200, "{other:?} without {way:?}");
        }
    }
}

/// What an answer says of how to come in.
fn challenges(answer: &Answer) -> String {
    let challenges = answer.headers.get_all("www-authenticate").iter();
    challenges.map(|challenge| challenge.to_str().unwrap()).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_way_can_be_the_only_one() {
    let all = ["session", "basic", "bearer", "api_key", "signature"];
    for way in Way::ALL {
        let mut server = Server::start();
        let presented = way.visitor(&server, ALICE);
        let others: Vec<_> = all.into_iter().filter(|name| *name != way.scheme()).collect();
        server.stop();
        server.set("DISABLE", &others.join(","));
        server.start_again();
        assert_eq!(presented.at(&server).get("/me").body["scheme"], way.scheme());
        assert_eq!(server.client().get("/optional").body, json!({ "username": null }));
    }
}
