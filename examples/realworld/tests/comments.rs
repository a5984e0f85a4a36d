//! Comments.

use serde_json::{Value, json};

use crate::conduit::{Answers, Conduct, Conduit, members, stories};

stories! {
    comments_on_an_article,
    deletes_one_comment_and_no_other,
    refuses_what_is_no_comment,
    knows_no_such_article_or_comment,
    asks_for_a_token,
}

fn comments_on_an_article(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    ann.publish("A");
    let answer = ben.post("/articles/a/comments", json!({"comment": {"body": "Thanks!\n— Ben"}}));
    assert_eq!((answer.status, members(&answer.body)), (201, vec!["comment"]));
    let comment = &answer.body["comment"];
    assert_eq!(members(comment), ["author", "body", "createdAt", "id", "updatedAt"]);
    assert!(comment["id"].is_i64());
    assert_eq!(comment["body"], "Thanks!\n— Ben");
    assert_eq!(comment["author"]["username"], "ben");
    ann.comment("a", "You are welcome.");

    let list = conduit.stranger().get("/articles/a/comments");
    assert_eq!(list.status, 200);
    let bodies: Vec<_> =
        list.body["comments"].as_array().unwrap().iter().map(|c| c["body"].clone()).collect();
    assert_eq!(bodies, ["You are welcome.", "Thanks!\n— Ben"], "the newest first");
    assert_eq!(list.body["comments"][1], *comment);

    ann.post("/profiles/ben/follow", Value::Null);
    let following = |list: &Value| list["comments"][1]["author"]["following"] == true;
    assert!(following(&ann.get("/articles/a/comments").body));
    assert!(!following(&ben.get("/articles/a/comments").body));
}

fn deletes_one_comment_and_no_other(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    let [first, second] = ["First", "Second"].map(|body| ann.comment("a", body));
    let answer = ann.delete(&format!("/articles/a/comments/{second}"));
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    let left = conduit.stranger().get("/articles/a/comments").body;
    assert_eq!(left["comments"].as_array().unwrap().len(), 1);
    assert_eq!(left["comments"][0]["id"], first);
    let third = ann.comment("a", "Third");
    assert!(third > second, "the id of a deleted comment names another one");
}

fn refuses_what_is_no_comment(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    let mut post = |comment: Value| ann.post("/articles/a/comments", json!({"comment": comment}));
    for nothing in [json!({}), json!({"body": ""}), json!({"body": " \n"}), json!({"body": null})] {
        post(nothing).assert_errors(422, json!({"body": ["can't be blank"]}));
    }
    for wrong in [json!({"body": 5}), json!({"body": "a\u{0}"}), json!({"body": ["a"]})] {
        post(wrong).assert_errors(422, json!({"body": ["is invalid"]}));
    }
    let long = json!({"body": ["is too long (maximum is 10000 characters)"]});
    post(json!({"body": "a".repeat(10_001)})).assert_errors(422, long);
    conduit.stranger().get("/articles/a/comments").assert(200, &json!({"comments": []}));
}

fn knows_no_such_article_or_comment(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    let no_article = || json!({"article": ["not found"]});
    let no_comment = || json!({"comment": ["not found"]});
    ann.get("/articles/none/comments").assert_errors(404, no_article());
    let comment = json!({"comment": {"body": "Hello"}});
    ann.post("/articles/none/comments", comment).assert_errors(404, no_article());
    ann.delete("/articles/none/comments/1").assert_errors(404, no_article());
    for id in ["1", "-1", "0", "9223372036854775807", "9223372036854775808", "one", "1%2F"] {
        ann.delete(&format!("/articles/a/comments/{id}")).assert_errors(404, no_comment());
    }
}

fn asks_for_a_token(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    let id = ann.comment("a", "First");
    let missing = || json!({"token": ["is missing"]});
    let comment = json!({"comment": {"body": "Hello"}});
    let mut stranger = conduit.stranger();
    stranger.post("/articles/a/comments", comment).assert_errors(401, missing());
    stranger.delete(&format!("/articles/a/comments/{id}")).assert_errors(401, missing());
    stranger.delete("/articles/none/comments/1").assert_errors(401, missing());
}
