//! Articles: publishing, reading, changing, deleting, favorites, tags.

use serde_json::{Value, json};

use crate::conduit::{Answers, Conduct, Conduit, members, stories};

stories! {
    publishes_an_article,
    refuses_what_is_no_article,
    two_may_have_the_same_title,
    an_article_named_like_an_operation_can_be_read,
    changes_what_is_given_and_nothing_else,
    a_new_title_makes_a_new_slug,
    keeps_removes_and_refuses_tags,
    deletes_an_article_with_what_belongs_to_it,
    favorites_are_counted_once_for_each_user,
    tells_the_tags_that_are_used,
}

fn publishes_an_article(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let answer = ann.write(json!({
        "title": "How to train your dragon",
        "description": "Ever wonder how?",
        "body": "You have to *believe*.\n\nThat is all.",
        "tagList": ["reptiles", "angels", "reptiles "],
    }));
    assert_eq!((answer.status, members(&answer.body)), (201, vec!["article"]));
    let article = &answer.body["article"];
    let expected = [
        "author",
        "body",
        "createdAt",
        "description",
        "favorited",
        "favoritesCount",
        "slug",
        "tagList",
        "title",
        "updatedAt",
    ];
    assert_eq!(members(article), expected);
    assert_eq!(members(&article["author"]), ["bio", "following", "image", "username"]);
    assert_eq!(article["slug"], "how-to-train-your-dragon");
    assert_eq!(article["body"], "You have to *believe*.\n\nThat is all.");
    assert_eq!(article["tagList"], json!(["reptiles", "angels"]), "in the author's order");
    assert_eq!((&article["favorited"], &article["favoritesCount"]), (&json!(false), &json!(0)));
    assert_eq!(article["createdAt"], article["updatedAt"]);
    assert_eq!(article["author"]["username"], "ann");

    let read = conduit.stranger().get("/articles/how-to-train-your-dragon");
    read.assert(200, &answer.body);
}

fn refuses_what_is_no_article(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let blank = ["can't be blank"];
    let all = json!({"title": blank, "description": blank, "body": blank});
    ann.write(json!({})).assert_errors(422, all.clone());
    let nothing = json!({"title": "", "description": " ", "body": null});
    ann.write(nothing).assert_errors(422, all);

    let mut write = |field: &str, value: Value| {
        let mut article = json!({"title": "A", "description": "B", "body": "C"});
        article[field] = value;
        ann.write(article)
    };
    for field in ["title", "description", "body"] {
        write(field, json!("")).assert_errors(422, json!({ field: blank }));
        write(field, json!(5)).assert_errors(422, json!({ field: ["is invalid"] }));
        write(field, json!("a\u{0}b")).assert_errors(422, json!({ field: ["is invalid"] }));
    }
    let long = json!({"title": ["is too long (maximum is 200 characters)"]});
    write("title", json!("ä".repeat(201))).assert_errors(422, long);
    assert_eq!(write("title", json!("ä".repeat(200))).status, 201);
    write("tagList", Value::Null).assert_errors(422, json!({"tagList": blank}));
    write("tagList", json!([""])).assert_errors(422, json!({"tagList": blank}));
    for tags in [json!("a"), json!([1]), json!({})] {
        write("tagList", tags).assert_errors(422, json!({"tagList": ["is invalid"]}));
    }
    let many: Vec<String> = (0..21).map(|tag| tag.to_string()).collect();
    let too_many = json!({"tagList": ["has too many tags (maximum is 20)"]});
    write("tagList", json!(many)).assert_errors(422, too_many);
    assert_eq!(conduit.stranger().titles("/articles").1, 1);
}

fn two_may_have_the_same_title(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    let slugs = [ann.publish("Dragons"), ann.publish("Dragons"), ben.publish("dragons!")];
    assert_eq!(slugs[0], "dragons");
    for (index, slug) in slugs.iter().enumerate() {
        assert!(!slugs[..index].contains(slug), "{slugs:?}");
        assert_eq!(conduit.stranger().get(&format!("/articles/{slug}")).status, 200);
    }
}

fn an_article_named_like_an_operation_can_be_read(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    for title in ["Feed", "?!", "日本", "../users"] {
        let slug = ann.publish(title);
        let answer = conduit.stranger().get(&format!("/articles/{slug}"));
        assert_eq!((answer.status, &answer.body["article"]["title"]), (200, &json!(title)));
    }
}

fn changes_what_is_given_and_nothing_else(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let slug = ann.publish("Dragons");
    let mut before = conduit.stranger().get(&format!("/articles/{slug}")).body;
    for (field, value) in [("body", "New text"), ("description", "New"), ("title", "Dragons!")] {
        let answer = ann.edit(&slug, json!({ field: value }));
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_ne!(answer.body["article"]["updatedAt"], before["article"]["updatedAt"]);
        before["article"][field] = json!(value);
        before["article"]["updatedAt"] = answer.body["article"]["updatedAt"].clone();
        assert_eq!(answer.body, before);
    }
    assert_eq!(conduit.stranger().get(&format!("/articles/{slug}")).body, before);

    for field in ["title", "description", "body"] {
        for nothing in [json!(""), Value::Null] {
            let answer = ann.edit(&slug, json!({ field: nothing }));
            answer.assert_errors(422, json!({ field: ["can't be blank"] }));
        }
    }
    assert_eq!(conduit.stranger().get(&format!("/articles/{slug}")).body, before);
}

fn a_new_title_makes_a_new_slug(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("Cats");
    let slug = ann.publish("Dragons");
    let answer = ann.edit(&slug, json!({"title": "Cats"}));
    let article = &answer.body["article"];
    assert_eq!((answer.status, &article["title"]), (200, &json!("Cats")));
    let new = article["slug"].as_str().unwrap();
    assert!(new.starts_with("cats-"), "{new}");
    let old = conduit.stranger().get("/articles/dragons");
    old.assert_errors(404, json!({"article": ["not found"]}));
    // It fits already.
    let again = ann.edit(new, json!({"title": "Cats?"}));
    assert_eq!(again.body["article"]["slug"], new);
}

fn keeps_removes_and_refuses_tags(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let article = json!({"title": "A", "description": "B", "body": "C", "tagList": ["x", "y"]});
    assert_eq!(ann.write(article).status, 201);
    let mut tags = |change: Value| ann.edit("a", change).body["article"]["tagList"].clone();
    assert_eq!(tags(json!({"body": "D"})), json!(["x", "y"]));
    assert_eq!(tags(json!({"tagList": ["z", "x"]})), json!(["z", "x"]));
    assert_eq!(tags(json!({"tagList": []})), json!([]));
    assert_eq!(conduit.stranger().get("/articles/a").body["article"]["tagList"], json!([]));
    let refused = ann.edit("a", json!({"body": "E", "tagList": null}));
    refused.assert_errors(422, json!({"tagList": ["can't be blank"]}));
    assert_eq!(conduit.stranger().get("/articles/a").body["article"]["body"], "D");
}

fn deletes_an_article_with_what_belongs_to_it(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let article = json!({"title": "A", "description": "B", "body": "C", "tagList": ["x"]});
    assert_eq!(ann.write(article).status, 201);
    ann.comment("a", "First");
    ann.post("/articles/a/favorite", Value::Null);
    let answer = ann.delete("/articles/a");
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    for path in ["/articles/a", "/articles/a/comments"] {
        conduit.stranger().get(path).assert_errors(404, json!({"article": ["not found"]}));
    }
    conduit.stranger().get("/tags").assert(200, &json!({"tags": []}));
    assert_eq!(conduit.stranger().titles("/articles?favorited=ann"), (vec![], 0));

    // Another one of that name has nothing of the first.
    assert_eq!(ann.publish("A"), "a");
    let fresh = ann.get("/articles/a").body;
    assert_eq!(fresh["article"]["favoritesCount"], 0);
    conduit.stranger().get("/articles/a/comments").assert(200, &json!({"comments": []}));
}

fn favorites_are_counted_once_for_each_user(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    ann.publish("A");
    let seen = |answer: &Value| {
        let article = &answer["article"];
        (article["favorited"] == true, article["favoritesCount"].as_i64().unwrap())
    };
    let path = "/articles/a/favorite";
    for _ in 0..2 {
        let answer = ben.post(path, Value::Null);
        assert_eq!((answer.status, seen(&answer.body)), (200, (true, 1)));
    }
    assert_eq!(seen(&ann.post(path, Value::Null).body), (true, 2));
    for _ in 0..2 {
        let answer = ann.delete(path);
        assert_eq!((answer.status, seen(&answer.body)), (200, (false, 1)));
    }
    assert_eq!(seen(&ben.get("/articles/a").body), (true, 1));
    assert_eq!(seen(&conduit.stranger().get("/articles/a").body), (false, 1));

    let missing = json!({"token": ["is missing"]});
    conduit.stranger().post(path, Value::Null).assert_errors(401, missing.clone());
    conduit.stranger().delete(path).assert_errors(401, missing);
    let not_found = json!({"article": ["not found"]});
    ann.post("/articles/none/favorite", Value::Null).assert_errors(404, not_found.clone());
    ann.delete("/articles/none/favorite").assert_errors(404, not_found);
}

fn tells_the_tags_that_are_used(conduit: &Conduit) {
    conduit.stranger().get("/tags").assert(200, &json!({"tags": []}));
    let mut ann = conduit.signed_up("ann");
    for tags in [json!(["b", "a"]), json!(["a"]), json!(["c"])] {
        let article = json!({"title": "A", "description": "B", "body": "C", "tagList": tags});
        assert_eq!(ann.write(article).status, 201);
    }
    conduit.stranger().get("/tags").assert(200, &json!({"tags": ["a", "b", "c"]}));
}
