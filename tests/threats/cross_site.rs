//! Cross-site request forgery: a page of another site uses the visitor's cookie.

use auth_poem::prelude::Duration;
use auth_tests::{Browser, World, browser::Ask};
use serde_json::json;

/// What a browser says of the page, and whether it is this site's. The host is `app.example`.
const PAGES: [(&str, &str, bool); 13] = [
    ("", "", true),
    ("same-origin", "https://app.example", true),
    ("same-origin", "", true),
    ("none", "", true),
    ("", "https://app.example", true),
    ("cross-site", "https://evil.example", false),
    ("cross-site", "", false),
    ("cross-site", "null", false),
    ("same-site", "https://blog.app.example", false),
    ("", "https://evil.example", false),
    ("", "https://app.example.evil.example", false),
    ("", "null", false),
    ("nonsense", "", false),
];

fn from_page(ask: Ask, site: &str, origin: &str) -> Ask {
    let mut ask = ask.header("host", "app.example");
    if !site.is_empty() {
        ask = ask.header("sec-fetch-site", site);
    }
    if !origin.is_empty() {
        ask = ask.header("origin", origin);
    }
    ask
}

#[tokio::test]
async fn an_unsafe_request_with_the_cookie_must_come_from_this_site() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    for (site, origin, own) in PAGES {
        for path in ["/me", "/maybe", "/cart/note?text=x", "/session/cycle", "/revoke"] {
            let answer = from_page(ann.post(path), site, origin).await;
            if own {
                assert_eq!(answer.status, 200, "{path} {site} {origin}: {answer:?}");
            } else {
                let expected = (403, "cross_site".to_owned());
                assert_eq!(answer.outcome(), expected, "{path} {site} {origin}");
                assert_eq!(answer.set_cookie(), None);
            }
        }
        let answer = from_page(ann.get("/me"), site, origin).await;
        assert_eq!(answer.status, 200, "GET is free: {site} {origin}");
    }
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}

#[tokio::test]
async fn logging_in_signing_up_and_logging_out_are_unsafe_as_well() {
    let world = World::new().await;
    for (site, origin, own) in PAGES {
        for path in ["/login", "/signup/ann"] {
            let visitor = world.browser();
            let login = json!({ "name": "ann", "password": "the long password of ann" });
            let answer = from_page(visitor.post(path).json(login), site, origin).await;
            if own {
                assert_eq!(answer.status, 200, "{path} {site} {origin}: {answer:?}");
            } else {
                let expected = (403, "cross_site".to_owned());
                assert_eq!(answer.outcome(), expected, "{path} {site} {origin}");
                assert_eq!(visitor.cookie(), None);
            }
        }
        let ann = world.logged_in("ann").await;
        for path in ["/session/flush", "/logout"] {
            let ann = ann.stolen();
            let answer = from_page(ann.post(path), site, origin).await;
            if !own {
                let expected = (403, "cross_site".to_owned());
                assert_eq!(answer.outcome(), expected, "{path} {site} {origin}");
                assert_eq!(ann.get("/me").await.status, 200);
            }
        }
    }
}

#[tokio::test]
async fn another_sites_login_tells_nothing_about_the_password() {
    let world = World::new().await;
    for password in ["the long password of ann", "wrong"] {
        let login = world.browser().login_with("ann", password);
        let answer = from_page(login, "cross-site", "https://evil.example").await;
        assert_eq!(answer.outcome(), (403, "cross_site".into()));
    }
    assert_eq!(world.users.calls().total(), 0);
}

#[tokio::test]
async fn another_site_replaces_no_session_by_one_of_its_own() {
    // `SameSite=Lax` keeps the cookie out of the request, so it looks like a stranger's. An answer
    // that set a cookie would end the visitor's session all the same.
    let world = World::new().await;
    for (site, origin, own) in PAGES {
        for path in ["/cart/note?text=x", "/cart/add", "/fail/poem"] {
            let answer = from_page(world.browser().post(path), site, origin).await;
            if !own {
                assert_eq!(answer.set_cookie(), None, "{path} {site} {origin}: {answer:?}");
                assert_eq!(answer.outcome(), (403, "cross_site".into()));
            }
        }
        let answer = from_page(world.browser().post("/logout"), site, origin).await;
        assert_eq!(answer.set_cookie(), None, "{site} {origin}: {answer:?}");
    }
}

#[tokio::test]
async fn a_token_is_proof_enough_wherever_the_page_came_from() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let ann = world.logged_in("ann").await;
    for (site, origin, _) in PAGES {
        for browser in [&world.browser(), &ann] {
            let answer = from_page(browser.post("/me").bearer(&token), site, origin).await;
            assert_eq!(answer.is(200).body, "ann");
        }
        let login = json!({ "name": "ann", "password": "the long password of ann" });
        let answer = from_page(world.browser().post("/token").json(login), site, origin).await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn a_token_is_proof_enough_beside_a_session_that_is_tried_first_and_more_recent() {
    let world = World::new().await;
    let token = world.admin_token("root").await;
    world.wait(Duration::minutes(1));
    let root = world.admin("root").await;
    for (site, origin, _) in PAGES {
        let answer = from_page(root.post("/admin/me").bearer(&token), site, origin).await;
        assert_eq!(answer.is(200).body, "root", "{site} {origin}");
    }
}

#[tokio::test]
async fn what_sets_and_reads_no_cookie_is_everybodys() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    for (site, origin, _) in PAGES {
        for browser in [&world.browser(), &ann] {
            let _ = from_page(browser.post("/public"), site, origin).await.is(200);
        }
        let answer = from_page(world.browser().post("/maybe"), site, origin).await;
        assert_eq!(answer.is(200).body, "nobody");
    }
}

async fn post_from(browser: &Browser, site: &str, origin: &str) -> u16 {
    from_page(browser.post("/me"), site, origin).await.status
}

#[tokio::test]
async fn origins_on_the_list_count_as_this_site_and_no_others() {
    let world = World::with(|config| {
        config.allow_origin("https://web.example").allow_origin("http://localhost:3000")
    })
    .await;
    let ann = world.logged_in("ann").await;
    for (origin, status) in [
        ("https://web.example", 200),
        ("http://localhost:3000", 200),
        ("http://web.example", 403),
        ("https://web.example:8443", 403),
        ("https://web.example.evil.example", 403),
        ("https://evil.example/https://web.example", 403),
        ("http://localhost:3001", 403),
        ("null", 403),
    ] {
        for site in ["cross-site", "same-site", ""] {
            assert_eq!(post_from(&ann, site, origin).await, status, "{site} {origin}");
        }
    }
    assert_eq!(post_from(&ann, "cross-site", "").await, 403);
}

#[tokio::test]
async fn administrators_are_protected_as_well() {
    let world = World::new().await;
    let root = world.admin("root").await;
    let answer = from_page(root.post("/admin/me"), "cross-site", "").await;
    assert_eq!(answer.outcome(), (403, "cross_site".into()));
}
