//! What every store of API keys promises.

use auth_core::{
    api_keys::{ApiKeyHash, ApiKeyRecord, ApiKeyStore, MemoryApiKeys, NewSecret, SqlApiKeys},
    error::Error,
    scopes::Scopes,
    secret::SecurityStamp,
    sql::open_sqlite,
    user::UserKey,
};
use chrono::{DateTime, Utc};

fn user(name: &str) -> UserKey {
    UserKey::from(format!("users:{name}"))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 5_000_000).unwrap()
}

fn key(id: &str, owner: &str, seconds: i64) -> ApiKeyRecord {
    ApiKeyRecord {
        id: id.into(),
        user: user(owner),
        hash: ApiKeyHash::from_bytes([7; 32]),
        name: "Der Schlüssel für \"alles\"".into(),
        scopes: Scopes::only(["reports:read", "role:chief"]),
        stamp: SecurityStamp::of_epoch(3),
        created_at: at(seconds),
        expires_at: Some(at(seconds + 100)),
        last_used_at: None,
    }
}

async fn keeps_its_promises(store: impl ApiKeyStore) {
    let first = key("A1", "ann", 0);
    assert!(store.create(&first).await.unwrap());
    assert!(!store.create(&key("A1", "bob", 1)).await.unwrap(), "the id is taken");
    assert_eq!(*store.load("A1").await.unwrap().unwrap(), first, "all of it comes back");
    assert!(store.load("a1").await.unwrap().is_none(), "another spelling is another key");
    assert!(store.load("A1 ").await.unwrap().is_none(), "another spelling is another key");
    for scopes in [Scopes::All, Scopes::parse("")] {
        let id = format!("S{}", scopes.list().is_some());
        let plain = ApiKeyRecord { scopes, expires_at: None, ..key(&id, "sue", 0) };
        assert!(store.create(&plain).await.unwrap());
        assert_eq!(*store.load(&id).await.unwrap().unwrap(), plain);
    }

    assert!(store.create(&key("A2", "ann", 2)).await.unwrap());
    assert!(store.create(&key("B1", "bob", 1)).await.unwrap());
    let ids = async |name: &str| {
        let records = store.list_by_user(&user(name)).await.unwrap();
        records.iter().map(|record| record.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("ann").await, ["A1", "A2"]);

    for (seconds, expected) in [(10, 10), (5, 10), (20, 20)] {
        store.touch("A1", at(seconds)).await.unwrap();
        let record = store.load("A1").await.unwrap().unwrap();
        assert_eq!(record.last_used_at, Some(at(expected)));
    }
    store.touch("none", at(0)).await.unwrap();
    assert!(store.load("none").await.unwrap().is_none());

    let secret = |seconds| NewSecret {
        hash: ApiKeyHash::from_bytes([8; 32]),
        stamp: SecurityStamp::of_epoch(4),
        now: at(seconds),
    };
    assert!(!store.rotate(&user("bob"), "A1", secret(20)).await.unwrap(), "another user's");
    assert!(!store.rotate(&user("ann"), "A1", secret(100)).await.unwrap(), "it has ended");
    assert_eq!(store.load("A1").await.unwrap().unwrap().hash, first.hash);
    assert!(store.rotate(&user("ann"), "A1", secret(99)).await.unwrap());
    let rotated = store.load("A1").await.unwrap().unwrap();
    let expected = ApiKeyRecord {
        hash: ApiKeyHash::from_bytes([8; 32]),
        stamp: SecurityStamp::of_epoch(4),
        last_used_at: Some(at(20)),
        ..first
    };
    assert_eq!(*rotated, expected);
    assert!(store.rotate(&user("sue"), "Sfalse", secret(999_999)).await.unwrap(), "without an end");

    assert!(!store.delete(&user("bob"), "A1").await.unwrap(), "another user's");
    assert!(store.delete(&user("ann"), "A1").await.unwrap());
    assert!(!store.delete(&user("ann"), "A1").await.unwrap());
    assert!(store.load("A1").await.unwrap().is_none());

    assert_eq!(store.purge_expired(at(101)).await.unwrap(), 1);
    assert_eq!((ids("ann").await, ids("bob").await), (vec!["A2".to_owned()], vec![]));
    assert_eq!(store.delete_by_user(&user("sue")).await.unwrap(), 2);
    assert_eq!(store.delete_by_user(&user("sue")).await.unwrap(), 0);
    assert_eq!(ids("sue").await.len(), 0);
}

#[tokio::test]
async fn memory() {
    keeps_its_promises(MemoryApiKeys::new()).await;
}

#[tokio::test]
async fn sqlite() {
    let store = SqlApiKeys::new(open_sqlite("sqlite::memory:").await.unwrap());
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    keeps_its_promises(store).await;
}

#[tokio::test]
async fn postgres() {
    let Some(pool) = crate::postgres().await else { return };
    let store = SqlApiKeys::new(pool).table("my_keys").unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    keeps_its_promises(store).await;
}

#[tokio::test]
async fn mysql() {
    let Some(pool) = crate::mysql::mysql().await else { return };
    let store = SqlApiKeys::new(pool).table("my_keys").unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    keeps_its_promises(store).await;
}

#[tokio::test]
async fn a_table_that_is_not_there_is_a_fault() {
    let store = SqlApiKeys::new(open_sqlite("sqlite::memory:").await.unwrap());
    assert!(matches!(store.load("A1").await, Err(Error::Store { .. })));
    assert!(matches!(store.create(&key("A1", "ann", 0)).await, Err(Error::Store { .. })));
    assert!(SqlApiKeys::new(open_sqlite("sqlite::memory:").await.unwrap()).table("a b").is_err());
}
