//! The sessions of others: an administrator sees and ends them.

use std::net::IpAddr;

use auth_poem::{features::SessionInfo, prelude::*};
use auth_tests::{Browser, Cart, User, World};
use poem_openapi::{
    Object,
    param::{Path, Query},
    payload::Json,
};
use serde_json::{Value, json};

/// Where administrators sit.
struct Desk;

/// One line of a list.
#[derive(Object)]
struct Line {
    handle: Uuid,
    user: Option<String>,
    current: bool,
    items: u32,
}

impl Line {
    fn of(info: &SessionInfo) -> Self {
        Self {
            handle: info.handle,
            user: info.user.as_ref().map(|user| user.as_str().to_owned()),
            current: info.current,
            items: info.data::<Cart>().unwrap().items,
        }
    }
}

#[auth_api]
impl Desk {
    #[require(role = "admin")]
    #[oai(path = "/sessions", method = "get")]
    async fn all(
        &self,
        _user: User,
        auth: Auth<User>,
        skip: Query<u32>,
        take: Query<u32>,
    ) -> auth_poem::Result<Json<Vec<Line>>> {
        let sessions = auth.all_sessions(skip.0, take.0).await?;
        Ok(Json(sessions.iter().map(Line::of).collect()))
    }

    #[require(role = "admin")]
    #[oai(path = "/sessions/:user", method = "get")]
    async fn of_user(
        &self,
        _user: User,
        auth: Auth<User>,
        user: Path<Uuid>,
    ) -> auth_poem::Result<Json<Vec<Line>>> {
        Ok(Json(auth.sessions_of(&user).await?.iter().map(Line::of).collect()))
    }

    #[require(role = "admin")]
    #[oai(path = "/sessions/:user", method = "delete")]
    async fn end_all(
        &self,
        _user: User,
        auth: Auth<User>,
        user: Path<Uuid>,
    ) -> auth_poem::Result<Json<u64>> {
        Ok(Json(auth.revoke_sessions_of(&user).await?))
    }

    #[require(role = "admin")]
    #[oai(path = "/sessions/:user/:handle", method = "delete")]
    async fn end(
        &self,
        _user: User,
        auth: Auth<User>,
        user: Path<Uuid>,
        handle: Path<Uuid>,
    ) -> auth_poem::Result<Json<bool>> {
        Ok(Json(auth.revoke_session_of(&user, handle.0).await?))
    }

    /// The session that a login has just begun, and from where it was.
    #[public]
    #[oai(path = "/login/:name", method = "post")]
    async fn login(&self, auth: Auth<User>, name: Path<String>) -> auth_poem::Result<Json<Line>> {
        assert!(auth.session().is_none());
        let user = auth.verify(&name, &auth_tests::world::password_of(&name)).await?;
        let user = user.ok_or(Rejection::WrongCredentials)?;
        auth.login_user(&user).await?;
        Ok(Json(Line::of(&auth.session().unwrap())))
    }

    /// The client's address.
    #[public]
    #[oai(path = "/address", method = "get")]
    async fn address(&self, auth: Auth<User>) -> Json<Option<String>> {
        Json(auth.client_ip().as_ref().map(IpAddr::to_string))
    }
}

fn desk(world: &World) -> Browser {
    World::serve(world.auth.openapi(Desk, "Desk", "1.0"))
}

/// The desk, in the hands of somebody who is logged in elsewhere.
fn at_desk(world: &World, who: &Browser) -> Browser {
    let desk = desk(world);
    desk.plant("__Host-sid", &who.cookie().unwrap());
    desk
}

fn handles(lines: &Value) -> Vec<&Value> {
    lines.as_array().unwrap().iter().map(|line| &line["handle"]).collect()
}

#[tokio::test]
async fn an_administrator_sees_whose_sessions_there_are() {
    let world = World::new().await;
    let mut expected = Vec::new();
    let bob = world.logged_in("bob").await;
    for name in ["ann", "carl", "ann"] {
        world.wait(Duration::seconds(1));
        let browser = world.logged_in(name).await;
        let _ = browser.post("/cart/add").await.is(200);
        let handle = browser.get("/session").await.json()["handle"].clone();
        expected.push((name, handle));
    }
    let _ = world.browser().post("/cart/add").await.is(200);
    world.wait(Duration::seconds(1));
    let _ = world.admin("root").await;
    let desk = at_desk(&world, &bob);

    let all = desk.get("/sessions?skip=0&take=100").await.is(200).json();
    let lines = all.as_array().unwrap();
    assert_eq!(lines.len(), 5, "nobody's sessions are not listed: {all}");
    assert_eq!((&lines[0]["current"], &lines[1]["current"]), (&json!(true), &json!(false)));
    for (line, (name, handle)) in lines[1..].iter().zip(&expected) {
        let user = format!("users:{}", world.user(name).id);
        assert_eq!(*line, json!({"handle": handle, "user": user, "current": false, "items": 1}));
    }
    assert_eq!(lines[4]["user"], "admins:1", "users of every type");
    let part = desk.get("/sessions?skip=1&take=2").await.json();
    assert_eq!(handles(&part), [&expected[0].1, &expected[1].1]);

    let anns = desk.get(format!("/sessions/{}", world.user("ann").id)).await.json();
    assert_eq!(handles(&anns), [&expected[0].1, &expected[2].1]);
    let nobody = desk.get(format!("/sessions/{}", Uuid::new_v4())).await;
    assert_eq!(nobody.is(200).json(), json!([]));
}

#[tokio::test]
async fn sessions_that_are_over_are_not_listed() {
    let world = World::new().await;
    let (bob, _ann) = (world.logged_in("bob").await, world.logged_in("ann").await);
    let desk = at_desk(&world, &bob);
    let path = format!("/sessions/{}", world.user("ann").id);
    assert_eq!(handles(&desk.get(&path).await.json()).len(), 1);
    world.change("ann", |ann| ann.active = false);
    assert_eq!(desk.get(&path).await.json(), json!([]), "the account is not active");
    world.change("ann", |ann| (ann.active, ann.epoch) = (true, 1));
    assert_eq!(desk.get(&path).await.json(), json!([]), "the epoch has changed");
}

#[tokio::test]
async fn an_administrator_ends_sessions_of_others() {
    let world = World::new().await;
    let bob = world.logged_in("bob").await;
    let (here, there) = (world.logged_in("ann").await, world.logged_in("ann").await);
    let carl = world.logged_in("carl").await;
    let desk = at_desk(&world, &bob);
    let [ann_id, carl_id] = ["ann", "carl"].map(|name| world.user(name).id);
    let session = here.get("/session").await.json()["handle"].as_str().unwrap().to_owned();

    let wrong = desk.ask("DELETE", format!("/sessions/{carl_id}/{session}")).await;
    assert_eq!(wrong.is(200).body, "false", "it is not Carl's");
    assert_eq!(here.get("/me").await.status, 200);
    let right = desk.ask("DELETE", format!("/sessions/{ann_id}/{session}")).await;
    assert_eq!(right.is(200).body, "true");
    assert_eq!(here.get("/me").await.outcome(), (401, "invalid_session".into()));
    assert_eq!(there.get("/me").await.status, 200);

    assert_eq!(desk.ask("DELETE", format!("/sessions/{ann_id}")).await.is(200).body, "1");
    assert_eq!(there.get("/me").await.outcome(), (401, "invalid_session".into()));
    assert_eq!(carl.get("/me").await.status, 200);
    let not_for_carl = at_desk(&world, &carl).get("/sessions?skip=0&take=9").await;
    assert_eq!(not_for_carl.outcome(), (403, "forbidden".into()));
}

#[tokio::test]
async fn a_store_that_is_away_is_no_empty_list() {
    let world = World::new().await;
    let (bob, desk, ann) = (world.token("bob").await, desk(&world), world.user("ann").id);
    world.sessions.fail(true);
    for (method, path) in [
        ("GET", "/sessions?skip=0&take=9".to_owned()),
        ("GET", format!("/sessions/{ann}")),
        ("DELETE", format!("/sessions/{ann}")),
        ("DELETE", format!("/sessions/{ann}/{}", Uuid::new_v4())),
    ] {
        let answer = desk.ask(method, path).bearer(&bob).await;
        assert_eq!(answer.outcome(), (503, "unavailable".into()));
    }
}

#[tokio::test]
async fn a_login_knows_its_session_before_it_is_stored() {
    let world = World::new().await;
    let desk = desk(&world);
    let line = desk.post("/login/ann").await.is(200).json();
    let user = format!("users:{}", world.user("ann").id);
    assert_eq!((&line["user"], &line["current"]), (&json!(user), &json!(true)));
    let browser = world.browser();
    browser.plant("__Host-sid", &desk.cookie().unwrap());
    assert_eq!(browser.get("/session").await.json()["handle"], line["handle"]);
}
