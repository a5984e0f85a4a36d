//! Pages of other origins: what a preflight has to allow is known.

use auth_poem::prelude::*;
use auth_tests::{Depot, World, depot::Keeper};
use poem::{EndpointExt, Route, http::header, middleware::Cors};

#[tokio::test]
async fn the_headers_of_the_configured_schemes_are_known() {
    let depot = Depot::with(|config| config.session_header("x-session-id")).await;
    let names = |auth: &Authenticator| -> Vec<String> {
        auth.cors_headers().iter().map(ToString::to_string).collect()
    };
    let all = names(&depot.auth);
    for expected in ["authorization", "x-badge", "x-session-id"] {
        assert_eq!(all.iter().filter(|name| *name == expected).count(), 1, "{all:?}");
    }
    assert!(!all.contains(&"cookie".to_owned()), "{all:?}");
    let without = Depot::with(|config| config.disable_scheme("badge")).await;
    assert!(!names(&without.auth).contains(&"x-badge".to_owned()));
}

#[tokio::test]
async fn a_preflight_is_answered_and_not_refused() {
    let depot = Depot::new().await;
    let guard = depot.auth.guard::<Keeper>();
    let cors = Cors::new()
        .allow_origin("https://app.example")
        .allow_headers(depot.auth.cors_headers())
        .allow_headers([header::CONTENT_TYPE])
        .allow_credentials(true);
    let api = depot.auth.openapi(auth_tests::depot::DepotApi, "Depot", "1.0").guarded_by(&guard);
    let browser = World::serve(Route::new().nest("/", api).with(guard).with(cors));
    let preflight = |origin: &str, headers: &str| {
        browser
            .ask("OPTIONS", "/me")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", headers)
    };
    let answer =
        preflight("https://app.example", "authorization,x-badge,content-type").await.is(200);
    assert_eq!(answer.all("access-control-allow-origin"), ["https://app.example"]);
    let allowed = answer.all("access-control-allow-headers").join(",").to_ascii_lowercase();
    for name in ["authorization", "x-badge", "content-type"] {
        assert!(allowed.contains(name), "{name}: {allowed}");
    }
    let other = preflight("https://evil.example", "authorization").await;
    assert!(other.all("access-control-allow-origin").is_empty(), "{other:?}");

    let token = depot.token("ann").await;
    let answer = browser.get("/me").header("origin", "https://app.example").bearer(&token).await;
    assert_eq!(answer.all("access-control-allow-origin"), ["https://app.example"]);
    assert_eq!(answer.is(200).body, "ann");
    let refused = browser.get("/me").header("origin", "https://app.example").await.is(401);
    assert_eq!(refused.all("access-control-allow-origin"), ["https://app.example"]);
}
