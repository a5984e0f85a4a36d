//! Attacks on what is somebody else's.

use serde_json::{Value, json};

use crate::conduit::{Answers, Conduct, Conduit, PASSWORD, stories};

stories! {
    nobody_changes_or_deletes_another_ones_article,
    nobody_deletes_another_ones_comment,
    a_comment_is_not_reached_through_another_article,
    strangers_are_refused_before_anything_is_looked_up,
    the_owner_is_checked_before_the_body_is_read,
    a_slug_is_checked_as_the_operation_reads_it,
    members_that_are_not_the_clients_are_not_taken,
}

fn nobody_changes_or_deletes_another_ones_article(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut eve = conduit.signed_up("eve");
    ann.publish("A");
    let before = conduit.stranger().get("/articles/a").body;
    let forbidden = || json!({"article": ["forbidden"]});
    eve.edit("a", json!({"body": "Eve was here"})).assert_errors(403, forbidden());
    eve.edit("a", json!({"title": "Eve's", "author": {"username": "eve"}}))
        .assert_errors(403, forbidden());
    eve.edit("a", json!({"tagList": []})).assert_errors(403, forbidden());
    eve.delete("/articles/a").assert_errors(403, forbidden());
    // Following the author or liking the article makes nobody its author.
    eve.post("/profiles/ann/follow", Value::Null);
    eve.post("/articles/a/favorite", Value::Null);
    eve.delete("/articles/a").assert_errors(403, forbidden());
    eve.delete("/articles/a/favorite");
    assert_eq!(conduit.stranger().get("/articles/a").body, before);
    let not_found = json!({"article": ["not found"]});
    eve.edit("none", json!({"body": "x"})).assert_errors(404, not_found.clone());
    eve.delete("/articles/none").assert_errors(404, not_found);
    assert_eq!(ann.delete("/articles/a").status, 204);
}

fn nobody_deletes_another_ones_comment(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    let mut eve = conduit.signed_up("eve");
    ann.publish("A");
    let id = ben.comment("a", "Thanks!");
    let path = format!("/articles/a/comments/{id}");
    // Not even the author of the article, whom the contract gives no such right.
    for client in [&mut ann, &mut eve] {
        client.delete(&path).assert_errors(403, json!({"comment": ["forbidden"]}));
    }
    let comments = conduit.stranger().get("/articles/a/comments").body;
    assert_eq!(comments["comments"][0]["id"], id);
    assert_eq!(ben.delete(&path).status, 204);
    ben.delete(&path).assert_errors(404, json!({"comment": ["not found"]}));
}

fn a_comment_is_not_reached_through_another_article(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    ann.publish("B");
    let [on_a, on_b] = ["a", "b"].map(|slug| ann.comment(slug, "Mine"));
    assert_ne!(on_a, on_b);
    let answer = ann.delete(&format!("/articles/b/comments/{on_a}"));
    answer.assert_errors(404, json!({"comment": ["not found"]}));
    assert_eq!(ann.delete(&format!("/articles/a/comments/{on_a}")).status, 204);
}

fn strangers_are_refused_before_anything_is_looked_up(conduit: &Conduit) {
    conduit.signed_up("ann").publish("A");
    let missing = || json!({"token": ["is missing"]});
    for slug in ["a", "none"] {
        let mut stranger = conduit.stranger();
        stranger.edit(slug, json!({"title": ""})).assert_errors(401, missing());
        stranger.delete(&format!("/articles/{slug}")).assert_errors(401, missing());
    }
    conduit.stranger().write(json!({})).assert_errors(401, missing());
    conduit.stranger().change(json!({"email": 5})).assert_errors(401, missing());
}

fn the_owner_is_checked_before_the_body_is_read(conduit: &Conduit) {
    conduit.signed_up("ann").publish("A");
    let mut eve = conduit.signed_up("eve");
    let forbidden = json!({"article": ["forbidden"]});
    eve.put("/articles/a", json!("no article at all")).assert_errors(403, forbidden.clone());
    eve.edit("a", json!({"title": ""})).assert_errors(403, forbidden);
    let not_found = json!({"article": ["not found"]});
    eve.put("/articles/none", json!([])).assert_errors(404, not_found);
}

fn a_slug_is_checked_as_the_operation_reads_it(conduit: &Conduit) {
    conduit.signed_up("ann").publish("Ann's");
    let mut eve = conduit.signed_up("eve");
    eve.publish("Eve's");
    for path in [
        // The same slug in other letters: still Ann's.
        "/articles/%61nn-s",
        "/articles/ann%2Ds",
    ] {
        eve.delete(path).assert_errors(403, json!({"article": ["forbidden"]}));
    }
    for path in ["/articles/ANN-S", "/articles/ann-s%20", "/articles/ann-s%00", "/articles/%2561"] {
        eve.delete(path).assert_errors(404, json!({"article": ["not found"]}));
    }
    // A query never stands in for the path.
    let answer = eve.delete("/articles/ann-s?slug=eve-s&param0=eve-s");
    answer.assert_errors(403, json!({"article": ["forbidden"]}));
    assert_eq!(conduit.stranger().titles("/articles").1, 2);
}

fn members_that_are_not_the_clients_are_not_taken(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut eve = conduit.signed_up("eve");
    ann.publish("A");
    let answer = eve.write(json!({
        "title": "E", "description": "D", "body": "B",
        "id": "1", "slug": "a", "favorited": true, "favoritesCount": 1000,
        "author": {"username": "ann"}, "author_id": "1", "authorId": "1",
        "createdAt": "2000-01-01T00:00:00Z", "updatedAt": "2000-01-01T00:00:00Z",
    }));
    assert_eq!(answer.status, 201, "{}", answer.body);
    let article = &answer.body["article"];
    assert_eq!((&article["slug"], &article["favoritesCount"]), (&json!("e"), &json!(0)));
    assert_eq!(
        (&article["author"]["username"], &article["favorited"]),
        (&json!("eve"), &json!(false))
    );
    assert!(!article["createdAt"].as_str().unwrap().starts_with("2000"), "{article}");
    let change = json!({"slug": "a", "favoritesCount": 9, "author": {"username": "ann"}});
    let answer = eve.edit("e", change);
    let article = &answer.body["article"];
    assert_eq!((&article["slug"], &article["favoritesCount"]), (&json!("e"), &json!(0)));
    assert_eq!(article["author"]["username"], "eve");

    let me = eve.get("/user").body;
    let change =
        json!({"id": "1", "login": "1", "token": "t", "role": "admin", "password_hash": "x"});
    eve.change(change).assert(200, &me);
    let comment = json!({"body": "B", "id": 1, "author": {"username": "ann"}});
    let answer = eve.post("/articles/a/comments", json!({ "comment": comment }));
    assert_eq!(answer.body["comment"]["author"]["username"], "eve");

    // Nor is a user chosen beside the member that holds him.
    let user = json!({"username": "mal", "email": "mal@example.org", "password": PASSWORD});
    let body = json!({"user": user, "id": "1", "username": "ann"});
    assert_eq!(conduit.stranger().post("/users", body).body["user"]["username"], "mal");
}
