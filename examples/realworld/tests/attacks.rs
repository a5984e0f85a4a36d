//! Attacks on the statements, and many requests at once.

use std::thread;

use example_kit::testing::{Answer, Client};
use serde_json::{Value, json};

use crate::conduit::{Answers, Conduct, Conduit, PASSWORD, stories};

stories! {
    texts_are_no_part_of_a_statement,
    nul_is_no_way_to_a_fault,
    one_of_many_sign_ups_gets_the_name,
    many_can_publish_under_one_title_at_once,
    many_can_like_and_comment_at_once,
}

const NASTY: &[&str] = &[
    "' OR '1'='1",
    "%' OR 1=1 --",
    "%",
    "_",
    "a%",
    "\\",
    "\"; DROP TABLE users; --",
    "'); DELETE FROM articles; --",
    "$1",
    "?",
    "a' UNION SELECT password FROM users --",
];

/// Writes text as it stands in an address.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn texts_are_no_part_of_a_statement(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.write(json!({"title": "A", "description": "B", "body": "C", "tagList": ["ab"]}));
    ann.post("/articles/a/favorite", Value::Null);
    for text in NASTY {
        let word = escaped(text);
        for filter in ["tag", "author", "favorited"] {
            let found = ann.titles(&format!("/articles?{filter}={word}"));
            assert_eq!(found, (vec![], 0), "{filter}={text}");
        }
        let no_article = || json!({"article": ["not found"]});
        ann.get(&format!("/articles/{word}")).assert_errors(404, no_article());
        ann.edit(&word, json!({"body": "x"})).assert_errors(404, no_article());
        ann.delete(&format!("/articles/{word}")).assert_errors(404, no_article());
        ann.get(&format!("/articles/{word}/comments")).assert_errors(404, no_article());
        ann.delete(&format!("/articles/a/comments/{word}"))
            .assert_errors(404, json!({"comment": ["not found"]}));
        let profile = ann.get(&format!("/profiles/{word}"));
        profile.assert_errors(404, json!({"profile": ["not found"]}));
        let login = conduit.stranger().log_in(text, PASSWORD);
        login.assert_errors(401, json!({"credentials": ["invalid"]}));

        // Where it is a text, it is that text.
        let article = json!({"title": text, "description": text, "body": text, "tagList": [text]});
        let answer = ann.write(article);
        assert_eq!(answer.status, 201, "{}", answer.body);
        let article = &answer.body["article"];
        for field in ["title", "description", "body"] {
            assert_eq!(article[field], *text);
        }
        assert_eq!(article["tagList"], json!([text]));
        assert_eq!(ann.titles(&format!("/articles?tag={word}")), (vec![(*text).into()], 1));
        assert_eq!(ann.change(json!({"bio": text})).body["user"]["bio"], *text);
    }
    assert_eq!(ann.get("/articles?limit=100").body["articlesCount"], 1 + NASTY.len());
}

fn nul_is_no_way_to_a_fault(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    for filter in ["tag", "author", "favorited"] {
        assert_eq!(ann.titles(&format!("/articles?{filter}=a%00")), (vec![], 0));
    }
    let no_article = || json!({"article": ["not found"]});
    for path in ["/articles/a%00", "/articles/%00"] {
        ann.get(path).assert_errors(404, no_article());
        ann.delete(path).assert_errors(404, no_article());
        ann.get(&format!("{path}/comments")).assert_errors(404, no_article());
        ann.post(&format!("{path}/favorite"), Value::Null).assert_errors(404, no_article());
        ann.delete(&format!("{path}/favorite")).assert_errors(404, no_article());
        ann.post(&format!("{path}/comments"), json!({"comment": {"body": "x"}}))
            .assert_errors(404, no_article());
    }
    let no_profile = || json!({"profile": ["not found"]});
    ann.get("/profiles/ann%00").assert_errors(404, no_profile());
    ann.post("/profiles/ann%00/follow", Value::Null).assert_errors(404, no_profile());
    ann.delete("/profiles/ann%00/follow").assert_errors(404, no_profile());
    let login = conduit.stranger().log_in("ann\0@example.org", PASSWORD);
    login.assert_errors(422, json!({"email": ["is invalid"]}));
    // Nor is what no text at all becomes when it is decoded.
    let unreadable = || json!({"request": ["A part of the address cannot be read."]});
    ann.delete("/articles/%ff").assert_errors(422, unreadable());
    for path in ["/articles/%ff", "/profiles/%ff", "/articles/%ff/comments"] {
        ann.get(path).assert_errors(422, unreadable());
    }
}

/// Lets eight clients do the same at once.
fn at_once(clients: Vec<Client>, act: impl Fn(&mut Client) -> Answer + Sync) -> Vec<Answer> {
    thread::scope(|scope| {
        let calls: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                let act = &act;
                scope.spawn(move || act(&mut client))
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

fn one_of_many_sign_ups_gets_the_name(conduit: &Conduit) {
    let strangers = (0..8).map(|_| conduit.stranger()).collect();
    let answers = at_once(strangers, |client| client.sign_up("ann", PASSWORD));
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
}

fn many_can_publish_under_one_title_at_once(conduit: &Conduit) {
    let ann = conduit.signed_up("ann");
    let article = json!({"title": "Same", "description": "D", "body": "B", "tagList": ["x", "y"]});
    let answers = at_once(vec![ann.clone(); 8], |client| client.write(article.clone()));
    let mut slugs: Vec<&str> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 201, "{}", answer.body);
            answer.body["article"]["slug"].as_str().unwrap()
        })
        .collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), 8, "{slugs:?}");
    assert_eq!(conduit.stranger().titles("/articles?tag=y").1, 8);
}

fn many_can_like_and_comment_at_once(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    let like = |client: &mut Client| client.post("/articles/a/favorite", Value::Null);
    for answer in at_once(vec![ann.clone(); 8], like) {
        assert_eq!((answer.status, &answer.body["article"]["favoritesCount"]), (200, &json!(1)));
    }
    let comment = |client: &mut Client| {
        client.post("/articles/a/comments", json!({"comment": {"body": "Hello"}}))
    };
    let answers = at_once(vec![ann.clone(); 8], comment);
    let mut ids: Vec<i64> = answers
        .iter()
        .map(|answer| answer.body["comment"]["id"].as_i64().expect("a comment"))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 8, "{ids:?}");
}
