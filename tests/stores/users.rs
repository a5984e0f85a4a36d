//! Users and their roles.

use std::{net::IpAddr, sync::Arc};

use auth_core::{
    error::Error,
    sql::SqlPool,
    users::{
        Lookup, PasswordChange, UserStore,
        sql::{list_to_text, roles_to_text},
    },
};
use auth_poem::prelude::*;
use auth_tests::{Admin, Rank, Role, User};
use chrono::SubsecRound;
use tokio::task::JoinSet;

use crate::engines::{Engine, Place, close, on_each_engine, on_pool, run};

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

impl Engine {
    /// The tables of three types of users, with the types that the engine has for each column. In
    /// MySQL with the collation that the server prefers: it takes `é` for `e`, `A` for `a`, and a
    /// space at the end for nothing.
    fn tables(self) -> String {
        let [uuid, name, roles, permissions, time, address] = match self {
            Self::Sqlite => ["BLOB", "TEXT", "TEXT", "TEXT", "TEXT", "TEXT"],
            Self::Postgres => ["UUID", "TEXT", "JSONB", "JSON", "TIMESTAMPTZ", "INET"],
            Self::MySql => {
                ["BINARY(16)", "VARCHAR(100)", "JSON", "TEXT", "DATETIME(6)", "VARCHAR(45)"]
            }
        };
        let rank = self.quoted("rank");
        format!(
            "CREATE TABLE users (
                id {uuid} PRIMARY KEY,
                username {name} NOT NULL UNIQUE,
                email VARCHAR(200) NOT NULL UNIQUE,
                password TEXT,
                roles {roles},
                permissions {permissions},
                epoch BIGINT NOT NULL,
                active BOOLEAN NOT NULL,
                last_login {time},
                last_ip {address}
            );
            CREATE TABLE admins (
                id BIGINT PRIMARY KEY,
                name {name} NOT NULL UNIQUE,
                password TEXT NOT NULL,
                {rank} TEXT NOT NULL
            );
            CREATE TABLE services (id {name} PRIMARY KEY, secrets BIGINT NOT NULL);"
        )
    }
}

on_each_engine! {
    finds_users_by_ids_of_every_kind
    login_names_are_compared_as_the_type_says
    a_name_of_two_users_is_refused
    of_many_password_changes_at_once_one_wins
    no_raised_epoch_is_lost
    a_login_is_noted_in_columns_of_either_type
    roles_are_read_from_text_and_from_json
    roles_lie_in_a_table_and_are_compared_byte_by_byte
    a_store_that_cannot_answer_is_a_fault_in_every_method
}

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

async fn insert(engine: Engine, pool: &SqlPool, user: &User) {
    let sql = match engine {
        Engine::Postgres => {
            "INSERT INTO users VALUES
             ($1, $2, $3, $4, CAST($5 AS JSONB), CAST($6 AS JSON), $7, $8, NULL, NULL)"
        }
        Engine::Sqlite | Engine::MySql => {
            "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)"
        }
    };
    on_pool!(pool, pool => sqlx::query(sql)
        .bind(user.id)
        .bind(&user.username)
        .bind(&user.email)
        .bind(&user.password)
        .bind(roles_to_text(&user.roles))
        .bind(list_to_text(&user.permissions))
        .bind(user.epoch)
        .bind(user.active)
        .execute(pool)
        .await
        .map(drop))
    .unwrap();
}

/// A pool on a database with these users, and the store on it.
async fn with(place: &Place, users: &[&User]) -> (SqlPool, SqlUsers<User>) {
    let pool = place.pool().await;
    run(&pool, &place.engine.tables()).await;
    for user in users {
        insert(place.engine, &pool, user).await;
    }
    (pool.clone(), SqlUsers::new(pool))
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

async fn finds_users_by_ids_of_every_kind(place: Place) {
    let ann = user("ann");
    let (pool, users) = with(&place, &[&ann]).await;
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
    // To MySQL these are all the same.
    for other in ["ünit:1'", "unit:1'", "UNIT:1'", "Ünit:1' "] {
        assert!(services.by_id(&other.into()).await.unwrap().is_none(), "{other:?}");
    }
    assert_eq!(services.by_login("unit:2").await.unwrap(), Lookup::None);
}

async fn login_names_are_compared_as_the_type_says(place: Place) {
    let (ann, zoe) = (user("Ann"), user("ZOÉ"));
    let (_, users) = with(&place, &[&ann, &zoe]).await;
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
    for name in ["", "%", "' OR 1=1 --", "?", "$1", "username", "a\0", "Ann\0", "Ann ", "日本語"]
    {
        assert!(matches!(lookup(name).await, Lookup::None), "{name:?}");
    }
}

async fn a_name_of_two_users_is_refused(place: Place) {
    let ann = user("ann");
    let trickster = User { email: "ANN".into(), ..user("trickster") };
    let (_, users) = with(&place, &[&ann, &trickster]).await;
    assert!(matches!(users.by_login("ANN").await.unwrap(), Lookup::Ambiguous));
    is_one(users.by_login("ann").await.unwrap(), &ann);
    is_one(users.by_login("trickster").await.unwrap(), &trickster);
}

async fn of_many_password_changes_at_once_one_wins(place: Place) {
    let ann = user("ann");
    let (_, users) = with(&place, &[&ann]).await;
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

async fn no_raised_epoch_is_lost(place: Place) {
    let ann = User { password: None, ..user("ann") };
    let (_, users) = with(&place, &[&ann]).await;
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

async fn a_login_is_noted_in_columns_of_either_type(place: Place) {
    let ann = user("ann");
    let at = Utc::now().trunc_subsecs(3);
    let addresses: [Option<IpAddr>; 3] =
        [Some("192.0.2.7".parse().unwrap()), Some("2001:db8::7".parse().unwrap()), None];
    let (pool, users) = with(&place, &[&ann]).await;
    let note = async || {
        for ip in addresses {
            users.set_login(&ann.id, at, ip).await.unwrap();
            let fresh = users.by_id(&ann.id).await.unwrap().unwrap();
            assert_eq!((fresh.last_login, fresh.last_ip), (Some(at), ip));
        }
        users.set_login(&Uuid::nil(), at, None).await.unwrap();
    };
    note().await;
    if place.engine == Engine::Postgres {
        run(&pool, "ALTER TABLE users ALTER COLUMN last_ip TYPE TEXT").await;
        // Connections whose statements were prepared before the change are told so once.
        close(&pool).await;
        let users = SqlUsers::<User>::new(place.pool().await);
        let ip = addresses[1];
        users.set_login(&ann.id, at, ip).await.unwrap();
        assert_eq!(users.by_id(&ann.id).await.unwrap().unwrap().last_ip, ip);
    }
}

async fn roles_are_read_from_text_and_from_json(place: Place) {
    let ann = user("ann");
    let types: &[&str] = match place.engine {
        Engine::Sqlite => &["TEXT"],
        Engine::Postgres => &["TEXT", "JSON", "JSONB", "VARCHAR(100)"],
        Engine::MySql => &["TEXT", "JSON", "VARCHAR(100)"],
    };
    for ty in types {
        let Some(place) = place.engine.place().await else { return };
        let (pool, users) = with(&place, &[&ann]).await;
        match place.engine {
            Engine::Sqlite => {}
            Engine::Postgres => {
                let using = format!("TYPE {ty} USING CAST(roles AS {ty})");
                run(&pool, &format!("ALTER TABLE users ALTER COLUMN roles {using}")).await;
            }
            Engine::MySql => run(&pool, &format!("ALTER TABLE users MODIFY roles {ty}")).await,
        }
        let set = async |roles: &str| {
            run(&pool, &format!("UPDATE users SET roles = {roles}, permissions = {roles}")).await;
            users.by_id(&ann.id).await
        };
        let admin = set("'[\"admin\"]'").await.unwrap().unwrap();
        assert_eq!(admin.roles, [Scoped::from(Role::Admin)], "{ty}");
        assert_eq!(set("'[]'").await.unwrap().unwrap().roles, [], "{ty}");
        let none = set("NULL").await.unwrap().unwrap();
        assert!(none.roles.is_empty() && none.permissions.is_empty(), "{ty}");
        let fault = set("'[\"admin\", \"sudoer\"]'").await.unwrap_err();
        assert!(matches!(fault, Error::Store { store: "user", .. }));
        assert!(fault.to_string().contains("`sudoer`"), "{ty}: {fault}");
        let fault = set("'\"admin\"'").await.unwrap_err();
        assert!(fault.to_string().contains("JSON array"), "{ty}: {fault}");
    }
}

async fn roles_lie_in_a_table_and_are_compared_byte_by_byte(place: Place) {
    let (pool, _) = with(&place, &[]).await;
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

async fn a_store_that_cannot_answer_is_a_fault_in_every_method(place: Place) {
    let ann = user("ann");
    let (pool, users) = with(&place, &[&ann]).await;
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
    close(&pool).await;
    all_fail().await;
}

#[tokio::test]
async fn a_collation_of_the_column_does_not_loosen_the_lookup() {
    let jose = User { email: "José".into(), ..user("1") };
    let Some(place) = Engine::Postgres.place().await else { return };
    let (pool, users) = with(&place, &[&jose]).await;
    let SqlPool::Postgres(postgres) = &pool else { panic!("{pool:?}") };
    let loose = "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', \
                 deterministic = false)";
    if let Err(error) = sqlx::query(loose).execute(postgres).await {
        assert!(error.to_string().contains("ICU is not supported"), "{error}");
        return;
    }
    run(&pool, "ALTER TABLE users ALTER COLUMN email TYPE TEXT COLLATE loose").await;
    let similar: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE email = 'jose'")
        .fetch_one(postgres)
        .await
        .unwrap();
    assert_eq!(similar, 1, "the server takes one for the other");
    assert!(matches!(users.by_login("jose").await.unwrap(), Lookup::None));
    assert!(matches!(users.by_login("JOSÉ").await.unwrap(), Lookup::None));
    is_one(users.by_login("José").await.unwrap(), &jose);
}

#[tokio::test]
async fn a_table_that_changes_is_a_fault_once_for_each_connection() {
    let ann = user("ann");
    let Some(place) = Engine::Postgres.place().await else { return };
    let (pool, users) = with(&place, &[&ann]).await;
    let SqlPool::Postgres(postgres) = &pool else { panic!("{pool:?}") };
    assert!(users.by_id(&ann.id).await.unwrap().is_some());
    let connections = postgres.size();
    run(&pool, "ALTER TABLE users ALTER COLUMN roles TYPE TEXT").await;
    let mut faults = 0;
    for _ in 0..10 * connections {
        match users.by_id(&ann.id).await {
            Ok(user) => assert_eq!(essence(&user.unwrap()), essence(&ann)),
            Err(fault) => {
                assert!(fault.to_string().contains("cached plan"), "{fault}");
                faults += 1;
            }
        }
    }
    assert!((1..=connections).contains(&faults), "{faults} on {connections} connections");
}
