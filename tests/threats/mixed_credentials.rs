//! Two credentials in one request: whoever can add one must not choose who is asked.

use auth_tests::World;

#[tokio::test]
async fn a_cookie_and_a_token_of_two_users_are_refused() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let bob = world.token("bob").await;
    for path in ["/me", "/maybe", "/guard/role"] {
        let answer = ann.get(path).bearer(&bob).await;
        assert_eq!(answer.outcome(), (401, "conflicting_credentials".into()), "{path}");
    }
    assert_eq!(ann.get("/me").await.is(200).body, "ann", "and the session is as it was");
}

#[tokio::test]
async fn a_cookie_and_a_token_of_one_user_are_one_user() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    assert_eq!(ann.get("/me").bearer(&token).await.is(200).body, "ann");
}

#[tokio::test]
async fn an_invalid_token_is_not_made_good_by_a_cookie() {
    let world = World::new().await;
    let (ann, root) = (world.logged_in("ann").await, world.admin("root").await);
    for path in ["/me", "/maybe"] {
        let answer = ann.get(path).bearer("x.y.z").await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{path}");
    }
    // Also where the session is tried first.
    let answer = root.get("/admin/me").bearer("x.y.z").await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
}

#[tokio::test]
async fn a_dead_cookie_does_not_spoil_a_token_and_is_removed() {
    let world = World::new().await;
    let token = world.token("ann").await;
    let browser = world.browser();
    browser.plant("__Host-sid", &"A".repeat(43));
    let answer = browser.get("/me").bearer(&token).await.is(200);
    assert_eq!(answer.body, "ann");
    assert!(answer.removes_cookie());
}

#[tokio::test]
async fn more_than_one_authorization_header_is_refused() {
    let world = World::new().await;
    let (ann, bob) = (world.token("ann").await, world.token("bob").await);
    for (first, second) in [
        (format!("Bearer {ann}"), format!("Bearer {bob}")),
        (format!("Bearer {ann}"), format!("Bearer {ann}")),
        (format!("Bearer {ann}"), "Basic YTpi".into()),
        ("Basic YTpi".into(), format!("Bearer {ann}")),
    ] {
        for path in ["/me", "/maybe"] {
            let request = world.browser().get(path);
            let request = request.header("authorization", &first).header("authorization", &second);
            let answer = request.await;
            assert_eq!(answer.outcome(), (401, "malformed_credentials".into()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_refused_and_one_for_somebody_else_is_absent() {
    let world = World::new().await;
    for header in ["", " ", ":", "Bea/rer x", "Bearer\tx", "\"Bearer\" x", "Bearer=x", "Bearer é"]
    {
        for path in ["/me", "/maybe"] {
            let answer = world.browser().get(path).header("authorization", header).await;
            assert_eq!(answer.outcome(), (401, "malformed_credentials".into()), "{header:?}");
        }
    }
    for header in ["Basic YTpi", "Digest x", "Negotiate"] {
        let answer = world.browser().get("/me").header("authorization", header).await;
        assert_eq!(answer.outcome(), (401, "unsupported_scheme".into()), "{header:?}");
        let answer = world.browser().get("/maybe").header("authorization", header).await;
        assert_eq!(answer.is(200).body, "nobody");
    }
}
