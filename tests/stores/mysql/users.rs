//! Users and their roles.

use std::{net::IpAddr, sync::Arc};

use auth_core::{
    error::Error,
    users::{
        Lookup, PasswordChange, UserStore,
        sql::{list_to_text, roles_to_text},
    },
};
use auth_poem::prelude::*;
use auth_tests::{Admin, Rank, Role, User};
use chrono::SubsecRound;
use sqlx::MySqlPool;
use tokio::task::JoinSet;

use super::{mysql, run};

/// A user whose id is text, and whose roles lie in a table.
#[derive(AuthUser, Debug, Clone, PartialEq)]
#[auth(table = "services", role = Role, schemes(bearer))]
struct Service {
    #[auth(id)]
    id: String,
    #[auth(roles(table = "service_roles"))]
    roles: Vec<Scoped<Role>>,
    secrets: i64,
}

/// The tables of three types of users, with the collation that the server prefers: it takes `é` for
/// `e`, `A` for `a`, and a space at the end for nothing.
const TABLES: &str = "
    CREATE TABLE users (
        id BINARY(16) PRIMARY KEY,
        username VARCHAR(100) NOT NULL UNIQUE,
        email VARCHAR(200) NOT NULL UNIQUE,
        password TEXT,
        roles JSON,
        permissions TEXT,
        epoch BIGINT NOT NULL,
        active BOOLEAN NOT NULL,
        last_login DATETIME(6),
        last_ip VARCHAR(45)
    );
    CREATE TABLE admins (
        id BIGINT PRIMARY KEY,
        name VARCHAR(100) NOT NULL UNIQUE,
        password TEXT NOT NULL,
        `rank` TEXT NOT NULL
    );
    CREATE TABLE services (id VARCHAR(100) PRIMARY KEY, secrets BIGINT NOT NULL);
";

fn user(name: &str) -> User {
    User {
        id: Uuid::new_v4(),
        username: name.into(),
        email: format!("{name}@example.org"),
        password: Some(PasswordHash::from_stored("$old")),
        roles: vec![Role::Editor.into(), Role::Admin.into()],
        permissions: vec!["a \"b\"".into()],
        epoch: 3,
        active: true,
        last_login: None,
        last_ip: None,
    }
}

async fn insert(pool: &MySqlPool, user: &User) {
    sqlx::query("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)")
        .bind(user.id)
        .bind(&user.username)
        .bind(&user.email)
        .bind(&user.password)
        .bind(roles_to_text(&user.roles))
        .bind(list_to_text(&user.permissions))
        .bind(user.epoch)
        .bind(user.active)
        .bind(user.last_login)
        .execute(pool)
        .await
        .unwrap();
}

/// A database with these users, and the store on it.
async fn with(users: &[&User]) -> Option<(MySqlPool, SqlUsers<User>)> {
    let pool = mysql().await?;
    run(&pool, TABLES).await;
    for user in users {
        insert(&pool, user).await;
    }
    Some((pool.clone(), SqlUsers::new(pool)))
}

/// What the test user has that a comparison is about.
fn essence(user: &User) -> impl PartialEq + std::fmt::Debug + use<> {
    let hash = user.password.as_ref().map(|hash| hash.expose().to_owned());
    let login = (user.last_login, user.last_ip);
    let name = (user.id, user.username.clone(), user.email.clone());
    (name, hash, user.roles.clone(), user.permissions.clone(), user.epoch, user.active, login)
}

#[track_caller]
fn is_one(found: Lookup<User>, expected: &User) {
    let Lookup::One(user) = found else { panic!("{found:?} is not {}", expected.username) };
    assert_eq!(essence(&user), essence(expected));
}

#[tokio::test]
async fn finds_users_by_ids_of_every_kind() {
    let ann = user("ann");
    let Some((pool, users)) = with(&[&ann]).await else { return };
    let found = users.by_id(&ann.id).await.unwrap().unwrap();
    assert_eq!(essence(&found), essence(&ann));
    assert!(users.by_id(&Uuid::nil()).await.unwrap().is_none());

    run(&pool, "INSERT INTO admins VALUES (-7, 'root', '$old', 'clerk')").await;
    let admins = SqlUsers::<Admin>::new(pool.clone());
    assert_eq!(admins.by_id(&-7).await.unwrap().unwrap().rank, Rank::Clerk);
    assert!(admins.by_id(&i64::MAX).await.unwrap().is_none());

    run(&pool, "INSERT INTO services VALUES ('Ünit:1''', 42), ('unit:2', 43)").await;
    SqlRoles::<Service>::new(pool.clone()).migrate().await.unwrap();
    let services = SqlUsers::<Service>::new(pool);
    assert_eq!(services.by_id(&"Ünit:1'".into()).await.unwrap().unwrap().secrets, 42);
    // To the server these are all the same.
    for other in ["ünit:1'", "unit:1'", "UNIT:1'", "Ünit:1' "] {
        assert!(services.by_id(&other.into()).await.unwrap().is_none(), "{other:?}");
    }
    assert_eq!(services.by_login("unit:2").await.unwrap(), Lookup::None);
}

#[tokio::test]
async fn login_names_are_compared_as_the_type_says() {
    let (ann, zoe) = (user("Ann"), user("ZOÉ"));
    let Some((_, users)) = with(&[&ann, &zoe]).await else { return };
    let lookup = async |name: &str| users.by_login(name).await.unwrap();
    for name in ["Ann", "ann", "ANN", "Ann@example.org"] {
        is_one(lookup(name).await, &ann);
    }
    // ASCII letters only: É and é are different letters to us, whatever they are to the server.
    is_one(lookup("zoÉ").await, &zoe);
    assert!(matches!(lookup("zoé").await, Lookup::None));
    assert!(matches!(lookup("zoe").await, Lookup::None));
    // The address must be as written.
    assert!(matches!(lookup("ann@example.org").await, Lookup::None));
    for name in ["", "%", "' OR 1=1 --", "?", "username", "a\0", "Ann\0", "Ann ", "日本語"] {
        assert!(matches!(lookup(name).await, Lookup::None), "{name:?}");
    }
}

#[tokio::test]
async fn a_name_of_two_users_is_refused() {
    let ann = user("ann");
    let trickster = User { email: "ANN".into(), ..user("trickster") };
    let Some((_, users)) = with(&[&ann, &trickster]).await else { return };
    assert!(matches!(users.by_login("ANN").await.unwrap(), Lookup::Ambiguous));
    is_one(users.by_login("ann").await.unwrap(), &ann);
    is_one(users.by_login("trickster").await.unwrap(), &trickster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_password_changes_at_once_one_wins() {
    let ann = user("ann");
    let Some((_, users)) = with(&[&ann]).await else { return };
    let mut tasks = JoinSet::new();
    for n in 0..16 {
        let (users, ann) = (users.clone(), ann.clone());
        tasks.spawn(async move {
            let hash = PasswordHash::from_stored(format!("$new{n}"));
            let replaces = ann.password.as_ref();
            let change = PasswordChange { replaces, hash: &hash, raise_epoch: true };
            users.set_password(&ann.id, change).await.unwrap().map(|user| (hash, user))
        });
    }
    let winners: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let [(hash, winner)] = &winners[..] else { panic!("{} have won", winners.len()) };
    assert_eq!(winner.password.as_ref(), Some(hash));
    assert_eq!(winner.epoch, 4, "raised once");

    // A new hash of the same password leaves the epoch alone; another case of the hash is another.
    let newer = PasswordHash::from_stored("$newer");
    let change = |replaces| PasswordChange { replaces, hash: &newer, raise_epoch: false };
    let other = PasswordHash::from_stored(hash.expose().to_uppercase());
    let padded = PasswordHash::from_stored(format!("{} ", hash.expose()));
    for replaces in [None, Some(&other), Some(&padded)] {
        assert!(users.set_password(&ann.id, change(replaces)).await.unwrap().is_none());
    }
    let fresh = users.set_password(&ann.id, change(Some(hash))).await.unwrap().unwrap();
    assert_eq!((fresh.password.as_ref(), fresh.epoch), (Some(&newer), 4));
    assert!(users.set_password(&Uuid::nil(), change(Some(hash))).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_raised_epoch_is_lost() {
    let ann = User { password: None, ..user("ann") };
    let Some((_, users)) = with(&[&ann]).await else { return };
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (users, id) = (users.clone(), ann.id);
        tasks.spawn(async move { users.raise_epoch(&id).await.unwrap().unwrap() });
    }
    assert_eq!(tasks.join_all().await.into_iter().max(), Some(ann.epoch + 16));
    assert_eq!(users.raise_epoch(&Uuid::nil()).await.unwrap(), None);

    // A user without a password gets his first.
    let hash = PasswordHash::from_stored("$first");
    let change = PasswordChange { replaces: None, hash: &hash, raise_epoch: false };
    let fresh = users.set_password(&ann.id, change).await.unwrap().unwrap();
    assert_eq!((fresh.password.as_ref(), fresh.epoch), (Some(&hash), ann.epoch + 16));
}

#[tokio::test]
async fn a_login_is_noted() {
    let ann = user("ann");
    let at = Utc::now().trunc_subsecs(3);
    let addresses: [Option<IpAddr>; 3] =
        [Some("192.0.2.7".parse().unwrap()), Some("2001:db8::7".parse().unwrap()), None];
    let Some((_, users)) = with(&[&ann]).await else { return };
    for ip in addresses {
        users.set_login(&ann.id, at, ip).await.unwrap();
        let fresh = users.by_id(&ann.id).await.unwrap().unwrap();
        assert_eq!((fresh.last_login, fresh.last_ip), (Some(at), ip));
    }
    users.set_login(&Uuid::nil(), at, None).await.unwrap();
}

#[tokio::test]
async fn roles_are_read_from_text_and_from_json() {
    let ann = user("ann");
    for ty in ["TEXT", "JSON", "VARCHAR(100)"] {
        let Some((pool, users)) = with(&[&ann]).await else { return };
        run(&pool, &format!("ALTER TABLE users MODIFY roles {ty}")).await;
        let set = async |roles: &str| {
            run(&pool, &format!("UPDATE users SET roles = {roles}, permissions = {roles}")).await;
            users.by_id(&ann.id).await
        };
        let admin = set("'[\"admin\"]'").await.unwrap().unwrap();
        assert_eq!(admin.roles, [Scoped::from(Role::Admin)], "{ty}");
        let none = set("NULL").await.unwrap().unwrap();
        assert!(none.roles.is_empty() && none.permissions.is_empty(), "{ty}");
        let fault = set("'[\"admin\", \"sudoer\"]'").await.unwrap_err();
        assert!(matches!(fault, Error::Store { store: "user", .. }));
        assert!(fault.to_string().contains("`sudoer`"), "{ty}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn roles_lie_in_a_table_and_are_compared_byte_by_byte() {
    let Some((pool, _)) = with(&[]).await else { return };
    let roles = SqlRoles::<Service>::new(pool.clone());
    roles.migrate().await.unwrap();
    roles.migrate().await.unwrap();
    run(&pool, "INSERT INTO services VALUES ('one', 1), ('two', 2)").await;
    let (one, stranger) = ("one".to_owned(), "ONE".to_owned());
    let granted = [
        Scoped::in_scope("É", Role::Manager),
        Scoped::in_scope("e", Role::Manager),
        Scoped::in_scope("e ", Role::Manager),
        Scoped::from(Role::Admin),
    ];
    for role in &granted {
        assert!(roles.grant(&one, role).await.unwrap(), "{role:?}");
        assert!(!roles.grant(&one, role).await.unwrap(), "once: {role:?}");
        assert!(!roles.grant(&stranger, role).await.unwrap(), "there is no such user");
    }
    let users = SqlUsers::<Service>::new(pool.clone());
    let mut found = users.by_id(&one).await.unwrap().unwrap().roles.clone();
    let mut expected = granted.to_vec();
    let by_name = |role: &Scoped<Role>| role.to_string();
    found.sort_by_key(by_name);
    expected.sort_by_key(by_name);
    assert_eq!(found, expected);
    assert_eq!(roles.of(&one).await.unwrap().len(), 4);
    assert!(roles.of(&stranger).await.unwrap().is_empty());
    assert!(users.by_id(&"two".into()).await.unwrap().unwrap().roles.is_empty());

    assert!(!roles.revoke(&one, &Scoped::in_scope("é", Role::Manager)).await.unwrap());
    assert!(roles.revoke(&one, &granted[0]).await.unwrap());
    assert!(!roles.revoke(&stranger, &granted[1]).await.unwrap());
    let new = [granted[3].clone(), granted[0].clone(), granted[0].clone()];
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (roles, one, new) = (roles.clone(), one.clone(), new.clone());
        tasks.spawn(async move { roles.replace(&one, &new).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await, [true; 8]);
    assert_eq!(roles.of(&one).await.unwrap().len(), 2);
    assert!(!roles.replace(&stranger, &new).await.unwrap());

    run(&pool, "DELETE FROM services WHERE id = 'one'").await;
    assert!(roles.of(&one).await.unwrap().is_empty(), "they go with the user");
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_a_fault_in_every_method() {
    let ann = user("ann");
    let Some((pool, users)) = with(&[&ann]).await else { return };
    let users: Arc<dyn UserStore<User>> = Arc::new(users);
    let hash = PasswordHash::from_stored("$new");
    let change = PasswordChange { replaces: None, hash: &hash, raise_epoch: true };
    let all_fail = async || {
        let errors = [
            users.by_id(&ann.id).await.unwrap_err(),
            users.by_login("ann").await.unwrap_err(),
            users.set_login(&ann.id, Utc::now(), None).await.unwrap_err(),
            users.set_password(&ann.id, change).await.unwrap_err(),
            users.raise_epoch(&ann.id).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Store { store: "user", .. }), "{error:?}");
            assert!(!error.to_string().contains("$new"), "{error}");
        }
    };
    run(&pool, "DROP TABLE users").await;
    all_fail().await;
    pool.close().await;
    all_fail().await;
}
