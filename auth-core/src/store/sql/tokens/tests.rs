use std::time::Duration;

use super::*;
use crate::{
    secret::RefreshToken,
    sql::{open_sqlite, sqlite_options, testing::sqlite_plan},
    store::SqlDenyList,
};

async fn pool() -> sqlx::SqlitePool {
    open_sqlite("sqlite::memory:").await.unwrap()
}

async fn tokens(pool: &sqlx::SqlitePool) -> SqlTokens {
    let tokens = SqlTokens::new(pool.clone());
    tokens.migrate().await.unwrap();
    tokens
}

fn family(now: DateTime<Utc>) -> Arc<TokenFamily> {
    Arc::new(TokenFamily {
        handle: Uuid::new_v4(),
        user: UserKey::from("users:1".to_owned()),
        stamp: SecurityStamp::of_epoch(0),
        login_at: now,
        created_at: now,
        last_used_at: now,
        idle_timeout: TimeDelta::days(14),
        expires_at: now + TimeDelta::days(30),
        token_lifetime: None,
        claims: None,
        ip: None,
        user_agent: None,
    })
}

#[tokio::test]
async fn the_database_holds_digests_only() {
    let pool = pool().await;
    let tokens = tokens(&pool).await;
    let (first, now) = (RefreshToken::generate().unwrap(), Utc::now());
    let second = first.successor().unwrap();
    tokens.create(&first.key(), family(now)).await.unwrap();
    tokens.rotate(&first.key(), &second.key(), now, now + TimeDelta::days(14)).await.unwrap();
    let rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT family_hash, token_hash, previous_hash FROM auth_refresh_tokens")
            .fetch_all(&pool)
            .await
            .unwrap();
    let [(family, current, previous)] = &rows[..] else { panic!("one row a family: {rows:?}") };
    assert_eq!(family[..], first.key().family()[..]);
    assert_eq!(current[..], second.key().token()[..]);
    assert_eq!(previous[..], first.key().token()[..]);
    for token in [&first, &second] {
        let bytes = base64::Engine::decode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            token.expose(),
        );
        let bytes = bytes.unwrap();
        for column in [family, current, previous] {
            assert!(!column.windows(8).any(|part| bytes.windows(8).any(|own| own == part)));
        }
    }
}

#[tokio::test]
async fn a_stuck_writer_is_a_fault_in_bounded_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.db").to_str().unwrap().to_owned();
    let options = sqlite_options(&path).unwrap().busy_timeout(Duration::from_millis(50));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let tokens = tokens(&pool).await;
    let (token, now) = (RefreshToken::generate().unwrap(), Utc::now());
    tokens.create(&token.key(), family(now)).await.unwrap();
    let stuck = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let next = token.successor().unwrap();
    let fault = tokens.rotate(&token.key(), &next.key(), now, now + TimeDelta::days(1)).await;
    assert!(matches!(fault, Err(Error::Store { .. })), "{fault:?}");
    drop(stuck);
    let found = tokens.find(&token.key(), now).await.unwrap().unwrap();
    assert_eq!(found.presented, Presented::Current, "nothing was exchanged");
}

#[tokio::test]
async fn each_query_finds_its_rows_by_an_index() {
    let pool = pool().await;
    let tokens = tokens(&pool).await;
    let sql = &tokens.sql;
    for statement in [
        &sql.find,
        &sql.rotate,
        &sql.delete,
        &sql.list_by_user,
        &sql.delete_by_handle,
        &sql.delete_by_user,
        &sql.purge,
    ] {
        let plan = sqlite_plan(&pool, statement.as_str()).await;
        let scans = plan.iter().any(|step| step.starts_with("SCAN"));
        assert!(!scans, "{}: {plan:?}", statement.as_str());
    }
}

#[tokio::test]
async fn a_bad_table_name_is_refused() {
    let pool = pool().await;
    let bad = "x\"; DROP TABLE auth_sessions; --";
    let refused = SqlTokens::new(pool.clone()).table(bad).unwrap_err();
    assert!(matches!(refused, Error::Misconfigured(_)), "{refused}");
    let refused = SqlDenyList::new(pool.clone()).table(bad).unwrap_err();
    assert!(matches!(refused, Error::Misconfigured(_)), "{refused}");
    let debug = format!("{:?} {:?}", SqlTokens::new(pool.clone()), SqlDenyList::new(pool));
    let expected = "SqlTokens { table: \"auth_refresh_tokens\", .. } \
                    SqlDenyList { table: \"auth_denied_tokens\", .. }";
    assert_eq!(debug, expected);
}
