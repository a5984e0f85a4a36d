//! Two types of user in one application.

use auth_tests::World;

#[tokio::test]
async fn two_types_of_user_in_one_request_stay_two() {
    let world = World::new().await;
    let ann = world.logged_in("ann").await;
    let root = world.admin_token("root").await;
    let answer = ann.get("/two").bearer(&root).await;
    assert_eq!(answer.is(200).body, "ann and root");

    let root = world.admin("root").await;
    let ann = world.token("ann").await;
    let answer = root.get("/two").bearer(&ann).await;
    assert_eq!(answer.is(200).body, "ann and root");
}

#[tokio::test]
async fn one_type_of_user_says_nothing_about_the_other() {
    let world = World::new().await;
    let (ann, root) = (world.logged_in("ann").await, world.admin("root").await);
    let (ann_token, root_token) = (world.token("ann").await, world.admin_token("root").await);
    let nobody = || world.browser();

    assert_eq!(ann.get("/two/maybe").await.body, "Some(\"ann\") and None");
    assert_eq!(root.get("/two/maybe").await.body, "None and Some(\"root\")");
    let answer = nobody().get("/two/maybe").bearer(&ann_token).await;
    assert_eq!(answer.body, "Some(\"ann\") and None");
    let answer = nobody().get("/two/maybe").bearer(&root_token).await;
    assert_eq!(answer.body, "None and Some(\"root\")");

    // A session of the other type is a session all right: it is not removed.
    for (browser, path) in [(&ann, "/admin/me"), (&root, "/me")] {
        let answer = browser.get(path).await;
        assert_eq!(answer.outcome(), (401, "missing_credentials".into()), "{path}");
        assert_eq!(answer.set_cookie(), None);
    }
    for (token, path) in [(&ann_token, "/admin/me"), (&root_token, "/me")] {
        let answer = nobody().get(path).bearer(token).await;
        assert_eq!(answer.outcome(), (401, "missing_credentials".into()), "{path}");
    }
    assert_eq!(nobody().get("/maybe").bearer(&root_token).await.is(200).body, "nobody");
}

#[tokio::test]
async fn names_of_one_type_are_no_names_of_the_other() {
    let world = World::new().await;
    assert_eq!(world.browser().login("root").await.status, 401);
    let login = serde_json::json!({ "name": "ann", "password": "the long password of ann" });
    assert_eq!(world.browser().post("/admin/login").json(login).await.status, 401);
}

#[tokio::test]
async fn a_login_of_one_type_takes_the_place_of_the_other_and_of_its_data() {
    let world = World::new().await;
    let browser = world.logged_in("ann").await;
    let before = browser.stolen();
    let _ = browser.post("/cart/note?text=shoes").await.is(200);
    let login = serde_json::json!({ "name": "root", "password": "the long password of root" });
    let _ = browser.post("/admin/login").json(login).await.is(200);
    assert_eq!(browser.get("/two/maybe").await.body, "None and Some(\"root\")");
    assert_eq!(browser.get("/session").await.json()["note"], serde_json::json!(null));
    assert_eq!(before.get("/me").await.status, 401);
}
