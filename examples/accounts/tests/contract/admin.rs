//! Administration.

use std::{sync::Barrier, thread};

use auth_poem::sql::SqlPool;
use example_kit::testing::Client;

use super::{
    PASSWORD,
    client::Caller,
    server::{ADMIN, Server},
};

const NOBODY: &str = "6b3f0c52-9a51-4f0e-8f63-0d3d3c1f7a11";

#[test]
fn lists_accounts_to_administrators_only() {
    let server = Server::start_with_admin();
    let mut ann = server.signed_up("ann");
    let mut root = server.logged_in("root", PASSWORD);
    let answer = root.get("/users");
    assert_eq!(answer.status, 200);
    let users = answer.body.as_array().unwrap();
    let names: Vec<_> = users.iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["root", "ann"]);
    assert_eq!(users[0]["roles"], serde_json::json!(["admin"]));
    let text = answer.body.to_string();
    assert!(!text.contains("argon2") && !text.contains("password"), "{text}");
    assert_eq!(server.with_token("root", PASSWORD).get("/users").status, 200);

    ann.get("/users").assert_refused(403, "forbidden");
    server.with_token("ann", PASSWORD).get("/users").assert_refused(403, "forbidden");
    server.client().get("/users").assert_refused(401, "missing_credentials");
}

#[test]
fn removes_an_account_with_its_sessions_and_tokens() {
    let server = Server::start_with_admin();
    let mut root = server.logged_in("root", PASSWORD);
    let mut ann = server.signed_up("ann");
    let mut token = server.with_token("ann", PASSWORD);
    let path = format!("/users/{}", ann.id());

    ann.delete(&path).assert_refused(403, "forbidden");
    server.client().delete(&path).assert_refused(401, "missing_credentials");
    assert_eq!(ann.me(), 200);

    let answer = root.delete(&path);
    assert_eq!((answer.status, answer.body.is_null()), (204, true));
    ann.get("/user").assert_refused(401, "invalid_session");
    token.get("/user").assert_refused(401, "invalid_token");
    server.client().log_in("ann", PASSWORD).assert_refused(401, "wrong_credentials");
    root.delete(&path).assert_refused(404, "no_such_user");
    root.delete(&format!("/users/{NOBODY}")).assert_refused(404, "no_such_user");
    assert_eq!(server.client().sign_up("ann", PASSWORD).status, 201);
}

#[test]
fn keeps_the_last_administrator() {
    let server = Server::start_with_admin();
    let mut root = server.logged_in("root", PASSWORD);
    let path = format!("/users/{}", root.id());
    root.delete(&path).assert_refused(409, "last_administrator");
    assert_eq!(root.me(), 200);
}

#[tokio::test]
async fn keeps_one_of_two_administrators_who_remove_each_other() {
    let server = Server::start_with_admin();
    let url = format!("sqlite://{}", server.path("accounts.db").display());
    remove_each_other(&server, &url).await;
}

#[tokio::test]
async fn keeps_one_of_two_administrators_who_remove_each_other_on_postgres() {
    let Some(postgres) = auth_test_servers::postgres() else { return };
    remove_each_other_on(postgres.url()).await;
}

#[tokio::test]
async fn keeps_one_of_two_administrators_who_remove_each_other_on_mysql() {
    let Some(mysql) = auth_test_servers::mysql() else { return };
    remove_each_other_on(mysql.url()).await;
}

async fn remove_each_other_on(url: &str) {
    let settings = [ADMIN[0], ADMIN[1], ("DATABASE_URL", url)];
    let server = Server::start_with(&settings);
    assert!(!server.path("accounts.db").exists());
    remove_each_other(&server, url).await;
}

/// Makes somebody an administrator, as no operation does.
async fn promote(database: &SqlPool, name: &str) {
    let update = "UPDATE users SET roles = '[\"admin\"]' WHERE username = $1";
    match database {
        SqlPool::Sqlite(pool) => {
            sqlx::query(update).bind(name).execute(pool).await.unwrap();
        }
        SqlPool::Postgres(pool) => {
            sqlx::query(update).bind(name).execute(pool).await.unwrap();
        }
        SqlPool::MySql(pool) => {
            sqlx::query("UPDATE users SET roles = '[\"admin\"]' WHERE username = ?")
                .bind(name)
                .execute(pool)
                .await
                .unwrap();
        }
        other => panic!("{other:?}"),
    }
}

async fn remove_each_other(server: &Server, url: &str) {
    let database = SqlPool::connect(url).await.unwrap();
    let mut left = server.logged_in("root", PASSWORD);
    // One round proves little: the second deletion must begin before the first is done.
    for round in 0..20 {
        let name = format!("root{round}");
        let other = server.signed_up(&name);
        promote(&database, &name).await;
        let mut clients = [left, other];
        let paths = [1, 0].map(|other: usize| format!("/users/{}", clients[other].clone().id()));
        let together = Barrier::new(2);
        let remove = &|(client, path): (&mut Client, &String)| {
            together.wait();
            client.delete(path).status
        };
        let outcomes: Vec<u16> = thread::scope(|scope| {
            let calls: Vec<_> = clients
                .iter_mut()
                .zip(&paths)
                .map(|call| scope.spawn(move || remove(call)))
                .collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let removed = outcomes.iter().filter(|status| **status == 204).count();
        assert_eq!(removed, 1, "round {round}: {outcomes:?}");
        let [first, second] = clients;
        left = if outcomes[0] == 204 { first } else { second };
    }
    assert_eq!(left.get("/users").body.as_array().map(Vec::len), Some(1));
}
