//! A role in one scope is not a role in another, whatever the scopes are called.

use auth_poem::prelude::*;
use auth_tests::{Role, World};

/// The status that a user with these roles gets at each path.
async fn statuses(world: &World, roles: &[Scoped<Role>], paths: &[&str]) -> Vec<u16> {
    world.change("ann", |ann| ann.roles = roles.to_vec());
    let ann = world.logged_in("ann").await;
    let mut statuses = Vec::new();
    for path in paths {
        statuses.push(ann.get(*path).await.status);
    }
    statuses
}

#[tokio::test]
async fn a_role_elsewhere_is_none_here() {
    let world = World::new().await;
    let paths = ["/sites/1/members", "/sites/11/members", "/guard/role", "/branches/1/door"];
    for (roles, expected) in [
        (vec![Scoped::in_scope("1", Role::Manager)], [200, 403, 403, 200]),
        (vec![Scoped::in_scope("11", Role::Manager)], [403, 200, 403, 403]),
        (vec![Scoped::in_scope("1", Role::Admin)], [403, 403, 403, 403]),
        (vec![Role::Manager.into()], [403, 403, 403, 403]),
        (vec![Role::Admin.into()], [403, 403, 200, 403]),
    ] {
        assert_eq!(statuses(&world, &roles, &paths).await, expected, "{roles:?}");
    }
}

#[tokio::test]
async fn no_scope_stands_for_others() {
    let world = World::new().await;
    for scope in ["*", "%", "?", "_", "{site_id}", "site_id", "param0", ":site_id", "1*", ".*", "/"]
    {
        let roles = [Scoped::in_scope(scope, Role::Manager)];
        let found = statuses(&world, &roles, &["/sites/1/members", "/sites/12/members"]).await;
        assert_eq!(found, [403, 403], "{scope}");
    }
    // It is a scope of its own.
    let roles = [Scoped::in_scope("*", Role::Manager)];
    assert_eq!(statuses(&world, &roles, &["/sites/*/members"]).await, [200]);
}

#[tokio::test]
async fn a_colon_moves_nothing_from_the_scope_to_the_role() {
    let world = World::new().await;
    let paths =
        ["/sites/1/members", "/sites/1:manager/members", "/sites/a:1/members", "/guard/role"];
    for (roles, expected) in [
        // As text, these would contain `1:manager` or `admin`.
        (vec![Scoped::in_scope("1:manager", Role::Editor)], [403, 403, 403, 403]),
        (vec![Scoped::in_scope("1:manager", Role::Manager)], [403, 200, 403, 403]),
        (vec![Scoped::in_scope("a:1", Role::Manager)], [403, 403, 200, 403]),
        (vec![Scoped::in_scope("admin", Role::Manager)], [403, 403, 403, 403]),
        (vec![Scoped::in_scope(":", Role::Admin)], [403, 403, 403, 403]),
    ] {
        assert_eq!(statuses(&world, &roles, &paths).await, expected, "{roles:?}");
        // Nor on the way through a column of text.
        let text = auth_poem::users::sql::roles_to_text(&roles);
        let read = <Vec<Scoped<Role>> as auth_poem::users::sql::RoleColumn>::from_text(text);
        assert_eq!(read.unwrap(), roles);
    }
}

#[tokio::test]
async fn a_site_that_is_hidden_looks_as_one_that_is_not_there() {
    let world = World::new().await;
    let mia = world.logged_in("mia").await;
    let mut answers = Vec::new();
    // One that others have, one that nobody has, none at all.
    for site in ["2", "nowhere", "%20", ""] {
        let answer = mia.get(format!("/sites/{site}/plans")).await.is(404);
        answers.push((answer.body, answer.headers));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}
