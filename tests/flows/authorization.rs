//! Who may use an operation, where that depends on the path or on what the application knows.

use auth_poem::prelude::*;
use auth_tests::{Logs, Role, World};
use serde_json::json;

type Outcome = (u16, &'static str);

const OK: Outcome = (200, "");
const FORBIDDEN: Outcome = (403, "forbidden");
const NOTHING: Outcome = (404, "not_found");
const STALE: Outcome = (403, "reauthentication_required");

/// What a user gets, by session and by token.
#[track_caller]
fn expect(found: [(u16, String); 2], expected: Outcome, what: &str) {
    for outcome in found {
        assert_eq!(outcome, (expected.0, expected.1.to_owned()), "{what}");
    }
}

async fn get(world: &World, name: &str, path: &str) -> [(u16, String); 2] {
    let session = world.logged_in(name).await.get(path).await.outcome();
    let token = world.token(name).await;
    [session, world.browser().get(path).bearer(&token).await.outcome()]
}

#[tokio::test]
async fn a_role_in_a_scope_opens_that_scope() {
    let world = World::new().await;
    for (name, path, expected) in [
        ("mia", "/sites/1/members", OK),
        ("mia", "/sites/2/members", FORBIDDEN),
        ("ann", "/sites/1/members", FORBIDDEN),
        // An administrator is one because the operation says so, not by himself.
        ("bob", "/sites/1/members", FORBIDDEN),
        ("mia", "/sites/1/plans", OK),
        ("mia", "/sites/2/plans", NOTHING),
        ("mia", "/plain/sites/1", OK),
        ("mia", "/plain/sites/2", FORBIDDEN),
        ("mia", "/branches/1/door", OK),
        ("mia", "/branches/2/door", FORBIDDEN),
    ] {
        expect(get(&world, name, path).await, expected, &format!("{name} {path}"));
    }
    assert_eq!(world.logged_in("mia").await.get("/sites/1/members").await.body, "1");
    assert_eq!(world.logged_in("mia").await.get("/plain/sites/1").await.body, "1");
}

#[tokio::test]
async fn a_role_without_a_scope_is_another_one() {
    let world = World::new().await;
    world.change("ann", |ann| ann.roles = vec![Role::Manager.into()]);
    expect(get(&world, "ann", "/sites/1/members").await, FORBIDDEN, "no scope");
    world.change("ann", |ann| ann.roles = vec![Scoped::in_scope("1", Role::Admin)]);
    expect(get(&world, "ann", "/guard/role").await, FORBIDDEN, "admin of one site");
    expect(get(&world, "ann", "/guard/permission").await, FORBIDDEN, "and what he may");
}

#[tokio::test]
async fn an_owner_is_the_user_whom_the_path_names() {
    let world = World::new().await;
    let (ann, mia) = (world.user("ann").id, world.user("mia").id);
    for (name, path, expected) in [
        ("ann", format!("/users/{ann}/notes"), OK),
        // The same id in another spelling is the same id.
        ("ann", format!("/users/{}/notes", ann.simple()), OK),
        ("ann", format!("/users/{mia}/notes"), FORBIDDEN),
        ("bob", format!("/users/{ann}/notes"), FORBIDDEN),
        ("ann", "/users/me/notes".into(), FORBIDDEN),
        ("ann", format!("/plain/users/{ann}/notes"), OK),
        ("ann", format!("/plain/users/{mia}/notes"), NOTHING),
        ("ann", format!("/sites/2/users/{ann}"), OK),
        ("ann", format!("/sites/2/users/{mia}"), FORBIDDEN),
        ("bob", format!("/sites/2/users/{mia}"), OK),
        ("mia", format!("/sites/1/users/{ann}"), OK),
        ("mia", format!("/branches/1/users/{mia}"), OK),
        ("mia", format!("/branches/2/users/{mia}"), FORBIDDEN),
        ("mia", format!("/branches/1/users/{ann}"), FORBIDDEN),
    ] {
        expect(get(&world, name, &path).await, expected, &format!("{name} {path}"));
    }
}

#[tokio::test]
async fn a_check_decides_what_only_the_application_knows() {
    let world = World::new().await;
    world.articles.write("trees", "ann");
    for (name, path, expected) in [
        ("ann", "/articles/trees", OK),
        ("bob", "/articles/trees", FORBIDDEN),
        ("ann", "/articles/seas", FORBIDDEN),
        ("bob", "/articles/trees/draft", NOTHING),
        ("ann", "/articles/trees/draft", OK),
        ("ann", "/pages/by-ann", OK),
        ("ann", "/pages/by-bob", FORBIDDEN),
        ("ann", "/plain/names/anna", OK),
        ("ann", "/plain/names/ann", FORBIDDEN),
        ("bob", "/plain/names/x", OK),
    ] {
        expect(get(&world, name, path).await, expected, &format!("{name} {path}"));
    }
    let ann = world.logged_in("ann").await;
    assert_eq!(ann.get("/articles/trees").await.body, "trees");
    assert_eq!(ann.ask("PUT", "/articles/trees").await.status, 200);
    assert_eq!(ann.ask("PUT", "/articles/seas").await.status, 403);
}

#[tokio::test]
async fn a_check_may_answer_by_itself() {
    let world = World::new().await;
    for (path, expected) in [
        ("/articles/locked", (423, "locked")),
        ("/articles/locked/draft", (423, "locked")),
        ("/articles/forbidden", FORBIDDEN),
        ("/articles/forbidden/draft", NOTHING),
    ] {
        expect(get(&world, "ann", path).await, expected, path);
    }
    assert_eq!(world.articles.opened(), 0);
}

#[tokio::test]
async fn a_check_is_asked_only_if_it_decides() {
    let world = World::new().await;
    world.articles.write("trees", "carl");
    for (name, path, expected, asked) in [
        // The role is enough.
        ("bob", "/articles/trees/any", OK, 0),
        ("ann", "/articles/trees/any", FORBIDDEN, 2),
        ("carl", "/articles/trees/any", OK, 2),
        // Without the role nothing is.
        ("ann", "/articles/trees/all", FORBIDDEN, 0),
        ("carl", "/articles/trees/all", OK, 2),
        ("carl", "/articles/seas/all", FORBIDDEN, 2),
        // The first of two is enough, if it says yes.
        ("ann", "/articles/by-ann/both", OK, 0),
        ("carl", "/articles/trees/both", OK, 2),
        ("ann", "/articles/trees/both", FORBIDDEN, 2),
    ] {
        let before = world.articles.asked();
        expect(get(&world, name, path).await, expected, &format!("{name} {path}"));
        assert_eq!(world.articles.asked() - before, asked, "{name} {path}");
    }
    // Nobody is asked about, before somebody is known.
    let before = world.articles.asked();
    let answer = world.browser().get("/articles/trees").await;
    assert_eq!(answer.outcome(), (401, "missing_credentials".into()));
    assert_eq!(world.articles.asked(), before);
}

#[tokio::test]
async fn a_new_login_is_asked_of_whom_nothing_else_is_missing() {
    let world = World::new().await;
    world.articles.write("trees", "ann");
    let (ann, bob, mia) =
        (world.logged_in("ann").await, world.logged_in("bob").await, world.logged_in("mia").await);
    world.wait(Duration::minutes(11));
    for (browser, path, expected) in [
        (&ann, "/articles/trees/both", STALE),
        (&bob, "/articles/trees/both", FORBIDDEN),
        (&mia, "/sites/1/keys", STALE),
        (&mia, "/sites/2/keys", NOTHING),
        (&bob, "/backoffice/safe", STALE),
        (&ann, "/backoffice/safe", NOTHING),
    ] {
        assert_eq!(browser.get(path).await.outcome(), (expected.0, expected.1.into()), "{path}");
    }
}

#[tokio::test]
async fn what_an_impl_requires_holds_for_each_of_its_operations() {
    let world = World::new().await;
    world.change("carl", |carl| carl.roles.push(Role::Admin.into()));
    for (path, expected) in [
        ("/backoffice", [FORBIDDEN, OK, OK]),
        ("/backoffice/desk", [FORBIDDEN, FORBIDDEN, OK]),
        ("/backoffice/safe", [NOTHING, OK, OK]),
    ] {
        for (name, expected) in ["ann", "bob", "carl"].into_iter().zip(expected) {
            expect(get(&world, name, path).await, expected, &format!("{name} {path}"));
        }
    }
}

#[tokio::test]
async fn the_same_holds_while_the_stores_take_their_time() {
    let world = World::new().await;
    world.articles.write("trees", "ann");
    world.stores_wait();
    for (name, path, expected) in [
        ("mia", "/sites/1/members", OK),
        ("mia", "/sites/2/plans", NOTHING),
        ("ann", "/articles/trees", OK),
        ("bob", "/articles/trees", FORBIDDEN),
    ] {
        expect(get(&world, name, path).await, expected, &format!("{name} {path}"));
    }
}

#[tokio::test]
async fn the_document_says_what_is_required() {
    let world = World::new().await;
    let api = world.auth.openapi(world.apis(), "Tests", "1.0");
    let spec: serde_json::Value = serde_json::from_str(&api.spec()).unwrap();
    let response = |path: &str, status: &str| {
        spec["paths"][path]["get"]["responses"][status]["description"].as_str().map(str::to_owned)
    };
    for (path, status, text) in [
        (
            "/sites/{site_id}/members",
            "403",
            "The operation requires: role `manager` in `{site_id}`.",
        ),
        (
            "/sites/{site_id}/plans",
            "404",
            "The operation requires: role `manager` in `{site_id}`. Others find nothing.",
        ),
        ("/users/{user_id}/notes", "403", "The operation requires: being the user `{user_id}`."),
        ("/articles/{slug}", "403", "The operation requires: the check `is_author`."),
        ("/sites/{site_id}/keys", "403", "The login is too long ago."),
        ("/backoffice/desk", "403", "The operation requires: role `admin` and role `editor`."),
    ] {
        let found = response(path, status).unwrap_or_default();
        assert!(found.starts_with(text), "{path} {status}: {found}");
    }
    let hidden = response("/sites/{site_id}/plans", "403").unwrap_or_default();
    assert!(!hidden.contains("requires"), "{hidden}");

    let report = api.access_report().to_string();
    for line in [
        "a User with role `manager` in `{site_id}`\n",
        "a User with role `manager` in `{site_id}`; others find nothing\n",
        "a User with role `admin` or role `manager` in `{site_id}` or being the user `{user_id}`\n",
        "a User with the check `is_author`\n",
        "a User with role `admin` and role `editor`\n",
    ] {
        assert!(report.contains(line), "{report}\nlacks {line}");
    }
}

#[tokio::test]
async fn a_responder_learns_which_roles_would_have_done() {
    use auth_poem::responder::{ProblemResponder, Responder};
    struct NamesRoles;
    impl Responder for NamesRoles {
        fn refuse(&self, rejection: &Rejection) -> poem::http::Response<bytes::Bytes> {
            let Rejection::RequirementNotMet(requirement) = rejection else {
                return ProblemResponder.refuse(rejection);
            };
            let roles = requirement.roles().map(|role| json!([role.scope, role.role])).collect();
            let body = serde_json::Value::Array(roles).to_string();
            let response = poem::http::Response::builder().status(rejection.status());
            response.body(body.into()).unwrap()
        }
        fn fail(&self) -> poem::http::Response<bytes::Bytes> {
            ProblemResponder.fail()
        }
    }
    let world = World::with(|config| config.responder(NamesRoles)).await;
    let path = format!("/sites/1/users/{}", world.user("bob").id);
    let answer = world.logged_in("ann").await.get(path).await.is(403);
    assert_eq!(answer.body, r#"[[null,"admin"],["site_id","manager"]]"#);
}

#[tokio::test]
async fn a_handler_on_a_route_without_the_parameter_is_a_fault() {
    let logs = Logs::capture();
    let world = World::new().await;
    let mia = world.logged_in("mia").await;
    for (path, operation, name) in
        [("/plain/sites/by/name/1", "site", "site_id"), ("/plain/owned", "notes", "user_id")]
    {
        assert_eq!(mia.get(path).await.outcome(), (503, "unavailable".into()), "{path}");
        let line = format!(
            "the guard of `{operation}` reads the path parameter `{name}`, which its route does \
             not have"
        );
        assert!(logs.text().contains(&line), "{}", logs.text());
    }
}
