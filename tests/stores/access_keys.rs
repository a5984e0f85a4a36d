//! What every store of access keys and of nonces promises.

use auth_core::{
    access_keys::{
        AccessKeyRecord, AccessKeyStore, KeyMaterial, MemoryAccessKeys, MemoryNonces, NonceStore,
        SqlAccessKeys, SqlNonces,
    },
    error::Error,
    scopes::Scopes,
    sql::{SqlPool, open_sqlite},
    user::UserKey,
};
use chrono::{DateTime, Utc};

fn user(name: &str) -> UserKey {
    UserKey::from(format!("users:{name}"))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 5_000_000).unwrap()
}

fn key(id: &str, owner: &str, seconds: i64) -> AccessKeyRecord {
    AccessKeyRecord {
        id: id.into(),
        user: user(owner),
        material: KeyMaterial::HmacSha256 { sealed: "key.AAAA".into() },
        name: "Der Schlüssel".into(),
        scopes: Scopes::only(["reports:read"]),
        created_at: at(seconds),
        expires_at: Some(at(seconds + 100)),
        last_used_at: None,
    }
}

async fn keeps_its_promises(store: impl AccessKeyStore) {
    let first = key("A1", "ann", 0);
    assert!(store.create(&first).await.unwrap());
    assert!(!store.create(&key("A1", "bob", 1)).await.unwrap(), "the id is taken");
    assert_eq!(*store.load("A1").await.unwrap().unwrap(), first, "all of it comes back");
    assert!(store.load("a1").await.unwrap().is_none(), "another spelling is another key");
    let public = AccessKeyRecord {
        material: KeyMaterial::Ed25519 { public_key: [200; 32] },
        scopes: Scopes::All,
        expires_at: None,
        ..key("A2", "ann", 2)
    };
    assert!(store.create(&public).await.unwrap());
    assert_eq!(*store.load("A2").await.unwrap().unwrap(), public);
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
    assert!(!store.delete(&user("bob"), "A1").await.unwrap(), "another user's");
    assert!(store.delete(&user("ann"), "A1").await.unwrap());
    assert!(!store.delete(&user("ann"), "A1").await.unwrap());
    assert!(store.load("A1").await.unwrap().is_none());
    assert_eq!(store.purge_expired(at(101)).await.unwrap(), 1);
    assert_eq!((ids("ann").await, ids("bob").await), (vec!["A2".to_owned()], vec![]));
    assert_eq!(store.delete_by_user(&user("ann")).await.unwrap(), 1);
    assert_eq!(store.delete_by_user(&user("ann")).await.unwrap(), 0);
}

/// Hashes are made where signatures are verified; a request of an application makes one here.
async fn remembers(store: impl NonceStore + Clone) {
    let nonce = auth_core::testing::nonce;
    assert!(store.note(&nonce(b"1"), at(60), at(0)).await.unwrap());
    assert!(!store.note(&nonce(b"1"), at(60), at(0)).await.unwrap());
    assert!(!store.note(&nonce(b"1"), at(90), at(59)).await.unwrap());
    assert!(store.note(&nonce(b"2"), at(60), at(59)).await.unwrap());
    assert!(store.note(&nonce(b"1"), at(120), at(60)).await.unwrap(), "it has ended");
    assert!(!store.note(&nonce(b"1"), at(120), at(61)).await.unwrap());
    for n in 0..200_u8 {
        assert!(store.note(&nonce(&[0, n]), at(400 + i64::from(n)), at(300)).await.unwrap());
    }
    let both = (nonce(b"x"), nonce(b"x"));
    let (one, other) =
        tokio::join!(store.note(&both.0, at(600), at(500)), store.note(&both.1, at(600), at(500)));
    assert_eq!(usize::from(one.unwrap()) + usize::from(other.unwrap()), 1, "one of two at once");
}

async fn sql(pool: impl Into<SqlPool>) {
    let pool = pool.into();
    let keys = SqlAccessKeys::new(pool.clone());
    let nonces = SqlNonces::new(pool).table("my_nonces").unwrap();
    for _ in 0..2 {
        keys.migrate().await.unwrap();
        nonces.migrate().await.unwrap();
    }
    keeps_its_promises(keys).await;
    remembers(nonces).await;
}

#[tokio::test]
async fn memory() {
    keeps_its_promises(MemoryAccessKeys::new()).await;
    remembers(MemoryNonces::new()).await;
}

#[tokio::test]
async fn sqlite() {
    sql(open_sqlite("sqlite::memory:").await.unwrap()).await;
}

#[tokio::test]
async fn postgres() {
    let Some(pool) = crate::postgres().await else { return };
    sql(pool).await;
}

#[tokio::test]
async fn a_table_that_is_not_there_is_a_fault() {
    let pool = open_sqlite("sqlite::memory:").await.unwrap();
    let keys = SqlAccessKeys::new(pool.clone());
    assert!(matches!(keys.load("A1").await, Err(Error::Store { .. })));
    let nonces = SqlNonces::new(pool);
    let noted = nonces.note(&auth_core::testing::nonce(b"1"), at(1), at(0)).await;
    assert!(matches!(noted, Err(Error::Store { .. })), "never new");
}
