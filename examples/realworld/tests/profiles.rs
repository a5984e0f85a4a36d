//! What others see of a user, and following him.

use serde_json::{Value, json};

use crate::conduit::{Conduct, Conduit, members, stories};

use crate::conduit::Answers;

stories! {
    shows_what_everybody_may_see,
    follows_and_unfollows,
    a_follower_is_one_user,
    knows_nobody_of_that_name,
    knows_no_followers_without_a_token,
}

fn shows_what_everybody_may_see(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.change(json!({"bio": "I write.", "image": "https://example.org/ann.png"}));
    let answer = conduit.stranger().get("/profiles/ann");
    assert_eq!((answer.status, members(&answer.body)), (200, vec!["profile"]));
    let profile = &answer.body["profile"];
    assert_eq!(members(profile), ["bio", "following", "image", "username"]);
    let seen = (&profile["username"], &profile["bio"], &profile["following"]);
    assert_eq!(seen, (&json!("ann"), &json!("I write."), &json!(false)));
    // A name is one in any case, and a name with a space in it is one too.
    assert_eq!(conduit.stranger().get("/profiles/ANN").body["profile"]["username"], "ann");
    ann.change(json!({"username": "Ann O'Nym / 100%"}));
    let answer = conduit.stranger().get("/profiles/Ann%20O'Nym%20%2F%20100%25");
    assert_eq!(answer.body["profile"]["username"], "Ann O'Nym / 100%");
}

fn follows_and_unfollows(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    conduit.signed_up("ben");
    let is_followed = |answer: &Value| answer["profile"]["following"] == true;
    assert!(!is_followed(&ann.get("/profiles/ben").body));
    for _ in 0..2 {
        let answer = ann.post("/profiles/ben/follow", Value::Null);
        assert_eq!((answer.status, is_followed(&answer.body)), (200, true));
        assert_eq!(answer.body["profile"]["username"], "ben");
    }
    assert!(is_followed(&ann.get("/profiles/ben").body));
    for _ in 0..2 {
        let answer = ann.delete("/profiles/ben/follow");
        assert_eq!((answer.status, is_followed(&answer.body)), (200, false));
    }
    assert!(!is_followed(&ann.get("/profiles/ben").body));
}

fn a_follower_is_one_user(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    let mut cy = conduit.signed_up("cy");
    ann.post("/profiles/ben/follow", Value::Null);
    let follows = |who: &mut example_kit::testing::Client, whom: &str| {
        who.get(&format!("/profiles/{whom}")).body["profile"]["following"] == true
    };
    assert!(follows(&mut ann, "ben"));
    assert!(!follows(&mut ben, "ann") && !follows(&mut cy, "ben") && !follows(&mut ann, "cy"));
    assert!(!follows(&mut conduit.stranger(), "ben"));
    cy.delete("/profiles/ben/follow");
    assert!(follows(&mut ann, "ben"), "another one's unfollowing counted");
}

fn knows_nobody_of_that_name(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let not_found = || json!({"profile": ["not found"]});
    conduit.stranger().get("/profiles/nobody").assert_errors(404, not_found());
    ann.get("/profiles/nobody").assert_errors(404, not_found());
    ann.post("/profiles/nobody/follow", Value::Null).assert_errors(404, not_found());
    ann.delete("/profiles/nobody/follow").assert_errors(404, not_found());
}

fn knows_no_followers_without_a_token(conduit: &Conduit) {
    conduit.signed_up("ann");
    let missing = || json!({"token": ["is missing"]});
    for name in ["ann", "nobody"] {
        let path = format!("/profiles/{name}/follow");
        conduit.stranger().post(&path, Value::Null).assert_errors(401, missing());
        conduit.stranger().delete(&path).assert_errors(401, missing());
    }
}
