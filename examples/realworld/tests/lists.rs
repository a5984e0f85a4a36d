//! Lists of articles: order, pages, filters, the feed.

use serde_json::{Value, json};

use crate::conduit::{Answers, Conduct, Conduit, stories};

stories! {
    the_newest_article_comes_first_and_bodies_stay_out,
    pages_through_a_list,
    filters_by_tag_author_and_favorites,
    shows_each_viewer_his_own_flags,
    feeds_what_followed_authors_write,
    refuses_pages_that_do_not_exist,
}

fn the_newest_article_comes_first_and_bodies_stay_out(conduit: &Conduit) {
    assert_eq!(conduit.stranger().titles("/articles"), (vec![], 0));
    let mut ann = conduit.signed_up("ann");
    for title in ["A", "B", "C"] {
        ann.publish(title);
    }
    // A change makes nothing newer.
    ann.edit("a", json!({"body": "New"}));
    let (titles, count) = conduit.stranger().titles("/articles");
    assert_eq!((titles.join(""), count), ("CBA".into(), 3));
    let list = conduit.stranger().get("/articles").body;
    for article in list["articles"].as_array().unwrap() {
        assert!(article.get("body").is_none(), "{article}");
        let slug = article["slug"].as_str().unwrap();
        let mut whole = conduit.stranger().get(&format!("/articles/{slug}")).body["article"].take();
        whole.as_object_mut().unwrap().remove("body");
        assert_eq!(article, &whole);
    }
}

fn pages_through_a_list(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    for number in 0..25 {
        ann.publish(&format!("Article {number:02}"));
    }
    let mut stranger = conduit.stranger();
    let (first, count) = stranger.titles("/articles");
    assert_eq!((first.len(), count), (20, 25));
    assert_eq!((first[0].as_str(), first[19].as_str()), ("Article 24", "Article 05"));
    let (rest, count) = stranger.titles("/articles?offset=20");
    assert_eq!((rest.len(), count), (5, 25));
    assert_eq!(rest[4], "Article 00");
    let (page, count) = stranger.titles("/articles?limit=2&offset=3");
    assert_eq!((page, count), (vec!["Article 21".into(), "Article 20".into()], 25));
    assert_eq!(stranger.titles("/articles?limit=100").0.len(), 25);
    assert_eq!(stranger.titles("/articles?offset=25"), (vec![], 25));
    let most = i64::MAX;
    assert_eq!(stranger.titles(&format!("/articles?limit={most}&offset={most}")), (vec![], 25));
    assert_eq!(stranger.titles(&format!("/articles?limit={most}")).0.len(), 25);
}

fn filters_by_tag_author_and_favorites(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    for (title, tags) in [("A", json!(["x"])), ("B", json!(["x", "y"])), ("C", json!([]))] {
        ann.write(json!({"title": title, "description": "D", "body": "E", "tagList": tags}));
    }
    ben.write(json!({"title": "D", "description": "D", "body": "E", "tagList": ["x"]}));
    ben.post("/articles/a/favorite", Value::Null);
    ben.post("/articles/d/favorite", Value::Null);
    let list = |query: &str| {
        let (titles, count) = conduit.stranger().titles(&format!("/articles?{query}"));
        (titles.join(""), count)
    };
    assert_eq!(list("tag=x"), ("DBA".into(), 3));
    assert_eq!(list("author=ann"), ("CBA".into(), 3));
    assert_eq!(list("author=ANN"), ("CBA".into(), 3));
    assert_eq!(list("favorited=ben"), ("DA".into(), 2));
    assert_eq!(list("favorited=ann"), (String::new(), 0));
    assert_eq!(list("tag=x&author=ann"), ("BA".into(), 2));
    assert_eq!(list("tag=x&author=ann&favorited=ben"), ("A".into(), 1));
    assert_eq!(list("tag=x&limit=1&offset=1"), ("B".into(), 3));
    for nothing in ["tag=none", "author=none", "favorited=none", "tag=", "author=", "favorited="] {
        assert_eq!(list(nothing), (String::new(), 0), "{nothing}");
    }
}

fn shows_each_viewer_his_own_flags(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    ann.publish("A");
    ann.publish("B");
    ben.post("/articles/a/favorite", Value::Null);
    ben.post("/profiles/ann/follow", Value::Null);
    let flags = |list: &Value| -> Vec<(bool, bool)> {
        let of = |a: &Value| (a["favorited"] == true, a["author"]["following"] == true);
        list["articles"].as_array().unwrap().iter().map(of).collect()
    };
    assert_eq!(flags(&ben.get("/articles").body), [(false, true), (true, true)]);
    assert_eq!(flags(&ann.get("/articles").body), [(false, false); 2]);
    assert_eq!(flags(&conduit.stranger().get("/articles").body), [(false, false); 2]);
}

fn feeds_what_followed_authors_write(conduit: &Conduit) {
    let [mut ann, mut ben, mut cy] = ["ann", "ben", "cy"].map(|name| conduit.signed_up(name));
    for title in ["A", "B"] {
        ann.publish(title);
    }
    ben.publish("C");
    cy.publish("D");
    assert_eq!(cy.titles("/articles/feed"), (vec![], 0));
    cy.post("/profiles/ann/follow", Value::Null);
    cy.post("/profiles/ben/follow", Value::Null);
    let (titles, count) = cy.titles("/articles/feed");
    assert_eq!((titles.join(""), count), ("CBA".into(), 3));
    let (titles, count) = cy.titles("/articles/feed?limit=1&offset=1");
    assert_eq!((titles.join(""), count), ("B".into(), 3));
    let feed = cy.get("/articles/feed").body;
    assert!(feed["articles"][0].get("body").is_none());
    assert_eq!(feed["articles"][0]["author"]["following"], true);
    cy.delete("/profiles/ann/follow");
    assert_eq!(cy.titles("/articles/feed"), (vec!["C".into()], 1));
    assert_eq!(ann.titles("/articles/feed"), (vec![], 0), "following is not mutual");
    let missing = json!({"token": ["is missing"]});
    conduit.stranger().get("/articles/feed").assert_errors(401, missing);
}

fn refuses_pages_that_do_not_exist(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    for query in [
        "limit=0",
        "limit=-1",
        "limit=many",
        "limit=",
        "limit=1e3",
        "limit=99999999999999999999",
        "offset=-1",
        "offset=-9223372036854775808",
        "offset=none",
        "offset=1%20OR%201",
    ] {
        for path in ["/articles", "/articles/feed"] {
            let answer = ann.get(&format!("{path}?{query}"));
            assert_eq!(answer.status, 422, "{query}: {}", answer.body);
            assert!(answer.body["errors"]["request"].is_array(), "{query}: {}", answer.body);
        }
    }
}
