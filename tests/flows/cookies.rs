//! The session cookie as browsers see it.

use std::collections::BTreeSet;

use auth_poem::{http::cookie::SameSite, prelude::*};
use auth_tests::World;

/// Name, value, and attributes in no order.
fn parts(cookie: &str) -> (&str, &str, BTreeSet<&str>) {
    let mut parts = cookie.split("; ");
    let (name, value) = parts.next().unwrap().split_once('=').unwrap();
    (name, value, parts.collect())
}

#[tokio::test]
async fn each_kind_of_cookie_has_its_attributes_and_is_removed_with_the_same() {
    let cases: [(SessionCookie, &str, &[&str]); 3] = [
        (SessionCookie::default(), "__Host-sid", &["HttpOnly", "SameSite=Lax", "Secure", "Path=/"]),
        (SessionCookie::dangerous_plain_http(), "sid", &["HttpOnly", "SameSite=Lax", "Path=/"]),
        (
            SessionCookie::new("__Secure-shop")
                .domain("shop.example")
                .path("/api")
                .same_site(SameSite::Strict),
            "__Secure-shop",
            &["HttpOnly", "SameSite=Strict", "Secure", "Path=/api", "Domain=shop.example"],
        ),
    ];
    for (cookie, name, attributes) in cases {
        let world = World::with(|config| config.cookie(cookie)).await;
        let ann = world.browser();
        let expected: BTreeSet<&str> = attributes.iter().copied().collect();

        let answer = ann.login("ann").await.is(200);
        let (set_name, value, set) = parts(answer.set_cookie().unwrap());
        assert_eq!((set_name, value.len(), &set), (name, 43, &expected));

        let answer = ann.post("/logout").await.is(200);
        let (removed_name, value, mut removed) = parts(answer.set_cookie().unwrap());
        assert!(removed.remove("Max-Age=0"), "{removed:?}");
        assert_eq!((removed_name, value, removed), (name, "", expected));
    }
}

#[tokio::test]
async fn a_cookie_of_another_name_is_no_session() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let value = ann.cookie().unwrap();
    for name in ["sid", "__host-sid", "__Host-SID", "Host-sid", "__Host-sid2"] {
        let browser = world.browser();
        browser.plant(name, &value);
        assert_eq!(browser.get("/me").await.code(), "missing_credentials", "{name}");
    }
}

#[tokio::test]
async fn the_session_is_found_among_other_cookies() {
    let world = World::new().await;
    let sid = format!("__Host-sid={}", world.logged_in("ann").await.cookie().unwrap());
    for header in [
        format!("a=b; {sid}; c=d"),
        format!("a=b;{sid};c=d"),
        format!("a=\"b; x\"; {sid}"),
        format!("novalue; {sid}"),
        format!("=; {sid}; ="),
        // Twice the same is once.
        format!("{sid}; {sid}"),
        // Scripts set such cookies, and browsers send them as they are.
        format!("name=Jörg; {sid}"),
    ] {
        let answer = world.browser().get("/me").header("cookie", &header).await;
        assert_eq!(answer.status, 200, "{header}: {answer:?}");
    }
    let answer = world.browser().get("/me").header("cookie", "a=b").header("cookie", &sid).await;
    assert_eq!(answer.status, 200, "HTTP/2 sends one header for each cookie");
}
