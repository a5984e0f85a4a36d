//! Who may use an operation.

use auth_poem::prelude::*;
use auth_tests::{Browser, Role, World};

type Outcome = (u16, &'static str);

const OK: Outcome = (200, "");
const FORBIDDEN: Outcome = (403, "forbidden");
const STALE: Outcome = (403, "reauthentication_required");

/// `ann` has nothing, `bob` is an admin, `carl` an editor; each fresh, then eleven minutes later.
const TABLE: [(&str, [Outcome; 3], [Outcome; 3]); 9] = [
    ("role", [FORBIDDEN, OK, FORBIDDEN], [FORBIDDEN, OK, FORBIDDEN]),
    ("permission", [FORBIDDEN, OK, FORBIDDEN], [FORBIDDEN, OK, FORBIDDEN]),
    ("any", [FORBIDDEN, OK, OK], [FORBIDDEN, OK, OK]),
    ("all", [FORBIDDEN; 3], [FORBIDDEN; 3]),
    ("fresh", [OK; 3], [STALE; 3]),
    ("fresher", [OK; 3], [STALE; 3]),
    ("role_and_fresh", [FORBIDDEN, OK, FORBIDDEN], [FORBIDDEN, STALE, FORBIDDEN]),
    ("role_or_fresh", [OK; 3], [STALE, OK, STALE]),
    ("nested", [FORBIDDEN, OK, OK], [FORBIDDEN, STALE, OK]),
];

#[tokio::test]
async fn requirements_mean_what_they_say() {
    let world = World::new().await;
    let mut people = Vec::new();
    for name in ["ann", "bob", "carl"] {
        people.push((name, world.logged_in(name).await, world.token(name).await));
    }
    let check = async |column: fn(usize) -> [Outcome; 3]| {
        for (row, (path, ..)) in TABLE.iter().enumerate() {
            for ((name, browser, token), expected) in people.iter().zip(column(row)) {
                let path = format!("/guard/{path}");
                let expected = (expected.0, expected.1.to_owned());
                assert_eq!(browser.get(&path).await.outcome(), expected, "{name} {path}");
                let answer = world.browser().get(&path).bearer(token).await;
                assert_eq!(answer.outcome(), expected, "{name} {path} by token");
            }
        }
    };
    check(|row| TABLE[row].1).await;
    // Tokens live ten minutes, and thirty seconds for clocks that differ.
    world.wait(Duration::minutes(10) + Duration::seconds(1));
    check(|row| TABLE[row].2).await;
}

#[tokio::test]
async fn nobody_is_asked_to_log_in_before_he_is_refused() {
    let world = World::new().await;
    for (path, ..) in TABLE {
        let answer = world.browser().get(format!("/guard/{path}")).await;
        assert_eq!(answer.outcome(), (401, "missing_credentials".into()), "{path}");
    }
}

#[tokio::test]
async fn a_login_is_fresh_for_ten_minutes_or_as_long_as_the_operation_says() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    world.wait(Duration::minutes(2));
    assert_eq!(ann.get("/guard/fresher").await.status, 200);
    world.wait(Duration::milliseconds(1));
    assert_eq!(ann.get("/guard/fresher").await.status, 403);
    world.wait(Duration::minutes(8) - Duration::milliseconds(1));
    assert_eq!(ann.get("/guard/fresh").await.status, 200);
    world.wait(Duration::milliseconds(1));
    assert_eq!(ann.get("/guard/fresh").await.status, 403);
    // Activity is no proof of identity, a login is.
    let _ = ann.login("ann").await.is(200);
    assert_eq!(ann.get("/guard/fresh").await.status, 200);
}

#[tokio::test]
async fn a_permission_comes_from_a_role_or_from_the_user_himself() {
    let world = World::new().await;
    let carl = world.logged_in("carl").await;
    assert_eq!(carl.get("/guard/permission").await.status, 403);
    world.change("carl", |carl| carl.permissions = vec!["users:delete".into()]);
    assert_eq!(carl.get("/guard/permission").await.status, 200);
    assert_eq!(carl.get("/guard/all").await.status, 200);
    // Not a prefix, not another case, not a list.
    for other in ["users", "users:*", "USERS:DELETE", "users:delete2", "users:read,users:delete"] {
        world.change("carl", |carl| carl.permissions = vec![other.into()]);
        assert_eq!(carl.get("/guard/permission").await.status, 403, "{other}");
    }
}

#[tokio::test]
async fn a_role_that_was_taken_away_is_gone_with_the_next_request() {
    let world = World::new().await;
    let bob = world.logged_in("bob").await;
    let token = world.token("bob").await;
    assert_eq!(bob.get("/guard/role").await.status, 200);
    world.change("bob", |bob| bob.roles.clear());
    assert_eq!(bob.get("/guard/role").await.status, 403);
    assert_eq!(world.browser().get("/guard/role").bearer(&token).await.status, 403);
    world.change("bob", |bob| bob.roles.push(Role::Admin.into()));
    assert_eq!(bob.get("/guard/role").await.status, 200);
}

/// A user by cookie and an administrator by token.
async fn both(world: &World, user: &str, admin: &str) -> (Browser, String) {
    (world.logged_in(user).await, world.admin_token(admin).await)
}

#[tokio::test]
async fn the_requirement_is_that_of_the_user_whom_it_names() {
    let world = World::new().await;
    // operation, user, administrator, outcome
    let cases = [
        ("chief", "ann", "root", OK),
        ("chief", "bob", "clerk", FORBIDDEN),
        ("editor", "carl", "clerk", OK),
        ("editor", "ann", "root", FORBIDDEN),
        ("editor", "bob", "root", FORBIDDEN),
        ("chief_maybe_user", "bob", "clerk", FORBIDDEN),
        ("chief_maybe_user", "ann", "root", OK),
    ];
    for (path, user, admin, expected) in cases {
        let (browser, token) = both(&world, user, admin).await;
        let answer = browser.get(format!("/guard/{path}")).bearer(&token).await;
        assert_eq!(
            answer.outcome(),
            (expected.0, expected.1.to_owned()),
            "{path} by {user} and {admin}"
        );
    }
}

#[tokio::test]
async fn one_of_two_required_users_is_not_enough() {
    let world = World::new().await;
    let (browser, token) = both(&world, "carl", "root").await;
    for path in ["/guard/chief", "/guard/editor"] {
        assert_eq!(browser.get(path).await.code(), "missing_credentials", "{path}");
        let answer = world.browser().get(path).bearer(&token).await;
        assert_eq!(answer.code(), "missing_credentials", "{path}");
    }
}
