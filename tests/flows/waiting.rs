//! Stores that do not answer at once: the framework takes other ways then, to the same end.

use auth_tests::{Browser, World};

/// What everybody gets, from everywhere.
async fn everything(world: &World) -> Vec<(String, u16, String)> {
    let tokens = [world.token("ann").await, world.admin_token("root").await, "x.y.z".into()];
    let stranger = world.browser();
    stranger.plant("__Host-sid", &"A".repeat(43));
    let browsers: [(&str, Browser); 5] = [
        ("nobody", world.browser()),
        ("stranger", stranger),
        ("ann", world.logged_in("ann").await),
        ("bob", world.logged_in("bob").await),
        ("root", world.admin("root").await),
    ];
    let paths = [
        ("GET", "/me"),
        ("POST", "/me"),
        ("GET", "/maybe"),
        ("GET", "/crowd"),
        ("GET", "/two"),
        ("GET", "/two/maybe"),
        ("GET", "/guard/role"),
        ("GET", "/guard/fresh"),
        ("GET", "/guard/chief"),
        ("GET", "/guard/chief_maybe_user"),
        ("GET", "/admin/me"),
        ("GET", "/plain/me"),
        ("GET", "/plain/maybe"),
        ("GET", "/plain/role"),
        ("GET", "/public"),
        ("POST", "/cart/add"),
    ];
    let mut seen = Vec::new();
    for (who, browser) in &browsers {
        for (method, path) in paths {
            for token in [None, Some(&tokens[0]), Some(&tokens[1]), Some(&tokens[2])] {
                for site in ["same-origin", "cross-site"] {
                    world.reset_calls();
                    let ask = browser.stolen().ask(method, path).header("sec-fetch-site", site);
                    let ask = if let Some(token) = token { ask.bearer(token) } else { ask };
                    let answer = ask.await;
                    let kind = token.map(|token| tokens.iter().position(|known| known == token));
                    let calls = (world.sessions.calls(), world.users.calls(), world.admins.calls());
                    seen.push((
                        format!("{method} {path} by {who} with token {kind:?} from {site}"),
                        answer.status,
                        format!("{} {} {calls:?}", answer.body, answer.removes_cookie()),
                    ));
                }
            }
        }
    }
    seen
}

#[tokio::test]
async fn whether_a_store_answers_at_once_or_later_makes_no_difference() {
    let (at_once, later) = (World::new().await, World::new().await);
    later.stores_wait();
    let (at_once, later) = (everything(&at_once).await, everything(&later).await);
    assert_eq!(at_once.len(), later.len());
    for (at_once, later) in at_once.iter().zip(&later) {
        assert_eq!(at_once, later);
    }
}

#[tokio::test]
async fn a_store_that_fails_later_is_a_fault_as_well() {
    let world = World::new().await;
    world.stores_wait();
    let ann = world.logged_in("ann").await;
    let token = world.token("ann").await;
    for path in ["/me", "/maybe", "/guard/role", "/two/maybe", "/crowd", "/plain/maybe"] {
        world.sessions.fail(true);
        assert_eq!(ann.get(path).await.outcome(), (503, "unavailable".into()), "{path}");
        world.sessions.fail(false);
        world.users.fail(true);
        assert_eq!(ann.get(path).await.outcome(), (503, "unavailable".into()), "{path}");
        let answer = world.browser().get(path).bearer(&token).await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()), "{path}");
        world.users.fail(false);
    }
    assert_eq!(ann.get("/me").await.is(200).body, "ann");
}
