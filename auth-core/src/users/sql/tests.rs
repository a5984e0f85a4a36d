use sqlx::{
    AssertSqlSafe, FromRow, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use uuid::Uuid;

use super::*;
use crate::{
    password::PasswordHash,
    sql::testing::sqlite_plan,
    users::tests::{Device, Role, User, does_without_columns, obeys_the_contract, user, users},
};

const TABLES: &[&str] = &[
    "CREATE TABLE `group` (
        id BLOB PRIMARY KEY NOT NULL,
        username TEXT NOT NULL UNIQUE,
        email TEXT,
        password_hash TEXT,
        roles TEXT,
        permissions TEXT,
        last_login TEXT,
        last_ip TEXT,
        epoch INTEGER NOT NULL,
        unread BLOB
    )",
    "CREATE UNIQUE INDEX group_email ON `group` (lower(email))",
    "CREATE TABLE devices (id INTEGER PRIMARY KEY NOT NULL)",
];

async fn create_tables(pool: &SqlitePool) {
    for table in TABLES {
        sqlx::query(*table).execute(pool).await.unwrap();
    }
}

/// A database that lives as long as its only connection.
async fn memory() -> SqlitePool {
    let options = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = options.connect("sqlite::memory:").await.unwrap();
    create_tables(&pool).await;
    pool
}

async fn insert(pool: &SqlitePool, user: &User) {
    sqlx::query("INSERT INTO `group` VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)")
        .bind(user.id)
        .bind(&user.username)
        .bind(&user.email)
        .bind(&user.password)
        .bind(roles_to_text(&user.roles))
        .bind(list_to_text(&user.permissions))
        .bind(user.last_login)
        .bind(user.last_ip.map(|ip| ip.to_string()))
        .bind(user.epoch)
        .execute(pool)
        .await
        .unwrap();
}

async fn with_one_user() -> (SqlitePool, SqlUsers<User>, User) {
    let (pool, alice) = (memory().await, user("alice"));
    insert(&pool, &alice).await;
    (pool.clone(), SqlUsers::new(pool), alice)
}

#[tokio::test]
async fn sqlite_obeys_the_contract_over_several_connections() {
    let file = tempfile::tempdir().unwrap();
    let options =
        SqliteConnectOptions::new().filename(file.path().join("users.db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    create_tables(&pool).await;
    let users = users();
    for user in &users {
        insert(&pool, user).await;
    }
    sqlx::query("INSERT INTO devices VALUES (7)").execute(&pool).await.unwrap();
    obeys_the_contract(SqlUsers::new(pool.clone()), users).await;
    does_without_columns(SqlUsers::new(pool.clone()), Device { id: 7 }).await;
    pool.close().await;
}

#[tokio::test]
async fn a_login_looks_into_the_index_of_each_column() {
    let (pool, store, _) = with_one_user().await;
    let sql = store.sql.by_login.clone().unwrap();
    let plan = sqlite_plan(&pool, sql.as_str()).await;
    assert!(plan.iter().any(|step| step.contains("username=?")), "{plan:?}");
    assert!(plan.iter().any(|step| step.contains("group_email")), "{plan:?}");
    assert!(!plan.iter().any(|step| step.starts_with("SCAN")), "{plan:?}");
}

#[tokio::test]
async fn a_collation_of_the_column_does_not_loosen_the_lookup() {
    let pool = memory().await;
    sqlx::query("DROP TABLE `group`").execute(&pool).await.unwrap();
    let nocase = TABLES[0].replace("username TEXT", "username TEXT COLLATE NOCASE");
    sqlx::query(AssertSqlSafe(nocase)).execute(&pool).await.unwrap();
    insert(&pool, &user("Alice")).await;
    let store = SqlUsers::<User>::new(pool);
    assert_eq!(store.by_login("alice").await.unwrap(), Lookup::None);
    assert!(matches!(store.by_login("Alice").await.unwrap(), Lookup::One(_)));
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_a_fault_that_names_it() {
    let (pool, store, alice) = with_one_user().await;
    let set = async |roles: &str| {
        sqlx::query("UPDATE `group` SET roles = ?").bind(roles).execute(&pool).await.unwrap();
        store.by_id(&alice.id).await
    };
    let error = set(r#"["editor","sudoer"]"#).await.unwrap_err();
    assert!(matches!(error, Error::Store { store: "user", .. }));
    let text = error.to_string();
    assert!(text.contains("`sudoer`") && text.contains("roles"), "{text}");
    let error = set("admin").await.unwrap_err();
    assert!(error.to_string().contains("JSON array"), "{error}");
    let error = store.by_login("alice").await.unwrap_err();
    assert!(matches!(error, Error::Store { store: "user", .. }));
    assert_eq!(set(r#"["admin"]"#).await.unwrap().unwrap().roles, [Role::Admin]);
}

#[tokio::test]
async fn null_is_no_roles_no_permissions_and_no_password() {
    let (pool, store, alice) = with_one_user().await;
    sqlx::query("UPDATE `group` SET roles = NULL, permissions = NULL, password_hash = NULL")
        .execute(&pool)
        .await
        .unwrap();
    let fresh = store.by_id(&alice.id).await.unwrap().unwrap();
    let expected = User { roles: vec![], permissions: vec![], password: None, ..alice };
    assert_eq!(*fresh, expected);
}

#[tokio::test]
async fn a_single_role_is_its_name() {
    #[derive(Debug, PartialEq)]
    struct Row {
        role: Role,
        second: Option<Role>,
        ip: IpAddr,
    }
    crate::__impl_sql_user! {
        Row; id = i64;
        fields {
            role: Role = "role" as roles,
            second: Option<Role> = "second" as roles,
            ip: IpAddr = "ip" as ip,
        }
    }
    let pool = memory().await;
    let select = async |role, second, ip| {
        sqlx::query_as::<_, Row>("SELECT ? AS role, ? AS second, ? AS ip")
            .bind::<Option<&str>>(role)
            .bind::<Option<&str>>(second)
            .bind::<Option<&str>>(ip)
            .fetch_one(&pool)
            .await
    };
    let ip = "192.0.2.1".parse().unwrap();
    let row = select(Some("admin"), None, Some("192.0.2.1")).await.unwrap();
    assert_eq!(row, Row { role: Role::Admin, second: None, ip });
    let row = select(Some("admin"), Some("editor"), Some("192.0.2.1")).await.unwrap();
    assert_eq!(row.second, Some(Role::Editor));
    for (role, second, ip) in [
        (None, None, Some("192.0.2.1")),
        (Some("x"), None, Some("192.0.2.1")),
        (Some("admin"), Some(""), Some("192.0.2.1")),
        (Some("admin"), None, None),
        (Some("admin"), None, Some("localhost")),
    ] {
        assert!(select(role, second, ip).await.is_err(), "{role:?} {second:?} {ip:?}");
    }
    assert_eq!(roles_to_text(&Role::Admin).as_deref(), Some("admin"));
    assert_eq!(roles_to_text(&None::<Role>), None);
    assert_eq!(roles_to_text(&vec![Role::Admin, Role::Editor]).unwrap(), r#"["admin","editor"]"#);
}

#[tokio::test]
async fn a_user_can_be_read_by_the_applications_own_queries() {
    let (pool, _, alice) = with_one_user().await;
    let row = sqlx::query("SELECT *, 1 AS more FROM `group`").fetch_one(&pool).await.unwrap();
    assert_eq!(User::from_row(&row).unwrap(), alice);
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_a_fault_in_every_method() {
    let (pool, store, alice) = with_one_user().await;
    let hash = PasswordHash::from_stored("$new");
    let change = PasswordChange { replaces: None, hash: &hash, raise_epoch: true };
    let all_fail = async || {
        let errors = [
            store.by_id(&alice.id).await.unwrap_err(),
            store.by_login("alice").await.unwrap_err(),
            store.set_login(&alice.id, Utc::now(), None).await.unwrap_err(),
            store.set_password(&alice.id, change).await.unwrap_err(),
            store.raise_epoch(&alice.id).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Store { store: "user", .. }), "{error:?}");
            assert!(!error.to_string().contains("$new"), "{error}");
        }
    };
    sqlx::query("ALTER TABLE `group` RENAME COLUMN email TO mail").execute(&pool).await.unwrap();
    assert!(store.by_login("alice").await.is_err(), "a missing column is not a string");
    sqlx::query("DROP TABLE `group`").execute(&pool).await.unwrap();
    all_fail().await;
    pool.close().await;
    all_fail().await;
}

#[tokio::test]
async fn names_are_quoted_and_nothing_of_a_user_is_shown() {
    let store = SqlUsers::<User>::new(memory().await);
    assert_eq!(
        store.sql.set_password.as_ref().unwrap().as_str(),
        "UPDATE `group` SET `password_hash` = ?, `epoch` = `epoch` + ? WHERE `id` = ? \
         AND `password_hash` IS ? COLLATE BINARY"
    );
    assert_eq!(
        store.sql.by_login.as_ref().unwrap().as_str().split_once(" WHERE ").unwrap().1,
        "`username` = ? OR lower(`email`) = ? LIMIT 16"
    );
    assert!(format!("{store:?}").starts_with("SqlUsers { select: \"SELECT `id`, `username`"));
}

#[tokio::test]
async fn an_unknown_id_is_nobody() {
    let (_, store, _) = with_one_user().await;
    assert_eq!(store.by_id(&Uuid::nil()).await.unwrap(), None);
    assert!(store.by_id_now(&Uuid::nil()).is_none());
}
