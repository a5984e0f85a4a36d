//! What every store of keys promises, whatever they are verified with.

use auth_core::{
    access_keys::KeyMaterial,
    api_keys::{ApiKeyHash, ApiKeyVerifier},
    error::Error,
    keys::{KeyRecord, KeyStore, MemoryKeys, SqlKeys, SqlVerifier, Verifier},
    scopes::Scopes,
    secret::SecurityStamp,
    user::UserKey,
};
use chrono::{DateTime, Utc};

use crate::engines::{Place, close, on_each_engine, run};

fn user(name: &str) -> UserKey {
    UserKey::from(format!("users:{name}"))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 5_000_000).unwrap()
}

/// Verifiers that are to be told apart.
trait Some: SqlVerifier {
    fn some() -> Vec<Self>;
}

impl Some for ApiKeyVerifier {
    fn some() -> Vec<Self> {
        let verifier = |byte, epoch| Self {
            hash: ApiKeyHash::from_bytes([byte; 32]),
            stamp: SecurityStamp::of_epoch(epoch),
        };
        vec![verifier(7, 3), verifier(255, 4), verifier(0, 3)]
    }
}

impl Some for KeyMaterial {
    fn some() -> Vec<Self> {
        vec![
            Self::HmacSha256 { sealed: "key.AAAA".into() },
            Self::Ed25519 { public_key: [200; 32] },
            Self::HmacSha256 { sealed: "key.aaaa".into() },
        ]
    }
}

fn key<V: Some>(id: &str, owner: &str, seconds: i64) -> KeyRecord<V> {
    KeyRecord {
        id: id.into(),
        user: user(owner),
        verifier: V::some().swap_remove(0),
        name: "Der Schlüssel für \"alles\"".into(),
        scopes: Scopes::only(["reports:read", "role:chief"]),
        created_at: at(seconds),
        expires_at: Some(at(seconds + 100)),
        last_used_at: None,
    }
}

async fn ids<V: Verifier>(store: &impl KeyStore<V>, name: &str) -> Vec<String> {
    let records = store.list_by_user(&user(name)).await.unwrap();
    records.iter().map(|record| record.id.clone()).collect()
}

async fn keeps_its_promises<V: Some>(store: impl KeyStore<V>) {
    gives_back_what_was_stored(&store).await;
    notes_the_last_use(&store).await;
    replaces_a_verifier(&store).await;
    removes_keys(&store).await;
}

async fn gives_back_what_was_stored<V: Some>(store: &impl KeyStore<V>) {
    let first = key("A1", "ann", 0);
    assert!(store.create(&first).await.unwrap());
    assert!(!store.create(&key("A1", "bob", 1)).await.unwrap(), "the id is taken");
    assert_eq!(*store.load("A1").await.unwrap().unwrap(), first, "all of it comes back");
    for spelling in ["a1", "A1 ", "Á1", ""] {
        let other = store.load(spelling).await.unwrap();
        assert!(other.is_none(), "another spelling is another key: {spelling:?}");
    }
    assert!(ids(store, "Ann").await.is_empty(), "another spelling is another user");
    for (n, verifier) in V::some().into_iter().enumerate() {
        for scopes in [Scopes::All, Scopes::parse("")] {
            let id = format!("S{n}{}", scopes.list().is_some());
            let verifier = verifier.clone();
            let plain = KeyRecord { verifier, scopes, expires_at: None, ..key(&id, "sue", 0) };
            assert!(store.create(&plain).await.unwrap());
            assert_eq!(*store.load(&id).await.unwrap().unwrap(), plain);
        }
    }
    assert!(store.create(&key("A3", "ann", 2)).await.unwrap());
    assert!(store.create(&key("A2", "ann", 2)).await.unwrap());
    assert!(store.create(&key("A0", "ann", 3)).await.unwrap());
    assert!(store.create(&key("B1", "bob", 1)).await.unwrap());
    assert_eq!(ids(store, "ann").await, ["A1", "A2", "A3", "A0"], "oldest first");
}

async fn notes_the_last_use<V: Some>(store: &impl KeyStore<V>) {
    for (seconds, expected) in [(10, 10), (5, 10), (20, 20)] {
        store.touch("A1", at(seconds)).await.unwrap();
        let record = store.load("A1").await.unwrap().unwrap();
        assert_eq!(record.last_used_at, Some(at(expected)));
    }
    assert_eq!(store.load("A2").await.unwrap().unwrap().last_used_at, None, "another key's");
    store.touch("none", at(0)).await.unwrap();
    assert!(store.load("none").await.unwrap().is_none());
}

async fn replaces_a_verifier<V: Some>(store: &impl KeyStore<V>) {
    let before = store.load("A1").await.unwrap().unwrap();
    let new = &V::some()[1];
    for (owner, id, seconds, why) in
        [("bob", "A1", 20, "another user's"), ("ann", "A1", 100, "ended"), ("ann", "no", 0, "none")]
    {
        assert!(!store.rotate(&user(owner), id, new, at(seconds)).await.unwrap(), "{why}");
    }
    assert_eq!(store.load("A1").await.unwrap().unwrap(), before);
    assert!(store.rotate(&user("ann"), "A1", new, at(99)).await.unwrap());
    let rotated = store.load("A1").await.unwrap().unwrap();
    assert_eq!(*rotated, KeyRecord { verifier: new.clone(), ..(*before).clone() });
    assert_eq!(store.load("A2").await.unwrap().unwrap().verifier, before.verifier, "one only");
    let endless = store.rotate(&user("sue"), "S0true", new, at(999_999)).await.unwrap();
    assert!(endless, "without an end");
}

async fn removes_keys<V: Some>(store: &impl KeyStore<V>) {
    assert!(!store.delete(&user("bob"), "A1").await.unwrap(), "another user's");
    assert!(store.delete(&user("ann"), "A1").await.unwrap());
    assert!(!store.delete(&user("ann"), "A1").await.unwrap());
    assert!(store.load("A1").await.unwrap().is_none());
    assert!(!store.rotate(&user("ann"), "A1", &V::some()[1], at(20)).await.unwrap());

    assert_eq!(store.purge_expired(at(100)).await.unwrap(), 0, "the first to end has gone");
    assert_eq!(store.purge_expired(at(101)).await.unwrap(), 1, "from its end on it has ended");
    assert_eq!((ids(store, "ann").await.len(), ids(store, "bob").await.len()), (3, 0));
    let expected = 2 * V::some().len();
    assert_eq!(store.delete_by_user(&user("sue")).await.unwrap(), expected as u64);
    assert_eq!(store.delete_by_user(&user("sue")).await.unwrap(), 0);
    assert_eq!((ids(store, "ann").await.len(), ids(store, "sue").await.len()), (3, 0));
}

#[tokio::test]
async fn in_memory() {
    keeps_its_promises(MemoryKeys::<ApiKeyVerifier>::new()).await;
    keeps_its_promises(MemoryKeys::<KeyMaterial>::new()).await;
}

on_each_engine! {
    api_keys_keep_their_promises
    access_keys_keep_their_promises
    processes_that_start_together_make_one_table
    a_row_that_cannot_be_read_is_a_fault_and_no_missing_key
    every_method_reports_a_database_that_does_not_answer
}

async fn api_keys_keep_their_promises(place: Place) {
    in_a_table::<ApiKeyVerifier>(place).await;
}

async fn access_keys_keep_their_promises(place: Place) {
    in_a_table::<KeyMaterial>(place).await;
}

async fn in_a_table<V: Some>(place: Place) {
    let pool = place.pool().await;
    for store in [SqlKeys::<V>::new(pool.clone()), SqlKeys::new(pool).table("order").unwrap()] {
        store.migrate().await.unwrap();
        store.migrate().await.expect("a second start finds nothing to do");
        keeps_its_promises(store).await;
    }
}

async fn processes_that_start_together_make_one_table(place: Place) {
    let made = place.at_once(async |pool| {
        let (api, access) = (SqlKeys::new(pool.clone()), SqlKeys::new(pool));
        api.migrate().await.unwrap();
        access.migrate().await.unwrap();
        let api_key = key::<ApiKeyVerifier>("A1", "ann", 0);
        let access_key = key::<KeyMaterial>("A1", "ann", 0);
        (api.create(&api_key).await.unwrap(), access.create(&access_key).await.unwrap())
    });
    let made = made.await;
    assert_eq!(made.iter().filter(|(api, _)| *api).count(), 1, "one key of an id");
    assert_eq!(made.iter().filter(|(_, access)| *access).count(), 1);
}

async fn a_row_that_cannot_be_read_is_a_fault_and_no_missing_key(place: Place) {
    let pool = place.pool().await;
    let (api, access) = (SqlKeys::new(pool.clone()), SqlKeys::new(pool.clone()));
    api.migrate().await.unwrap();
    access.migrate().await.unwrap();
    assert!(api.create(&key::<ApiKeyVerifier>("A1", "ann", 0)).await.unwrap());
    assert!(access.create(&key::<KeyMaterial>("A1", "ann", 0)).await.unwrap());
    let is_fault = |error: Error| {
        assert!(matches!(error, Error::Store { .. }), "{error:?}");
        assert!(error.to_string().contains("key"), "{error}");
    };
    run(&pool, "UPDATE auth_api_keys SET secret_hash = stamp").await;
    is_fault(api.load("A1").await.unwrap_err());
    is_fault(api.list_by_user(&user("ann")).await.unwrap_err());
    for damage in ["algorithm = 'rot13'", "algorithm = 'ed25519'"] {
        run(&pool, &format!("UPDATE auth_access_keys SET {damage}")).await;
        is_fault(access.load("A1").await.unwrap_err());
    }
    assert!(api.delete(&user("ann"), "A1").await.unwrap(), "it can be revoked");
    assert!(access.delete(&user("ann"), "A1").await.unwrap(), "it can be revoked");
}

async fn every_method_reports_a_database_that_does_not_answer(place: Place) {
    let pool = place.pool().await;
    let store = SqlKeys::<ApiKeyVerifier>::new(pool.clone());
    let record = key("A1", "ann", 0);
    let all_fail = async || {
        let errors = [
            store.create(&record).await.unwrap_err(),
            store.load("A1").await.unwrap_err(),
            store.list_by_user(&user("ann")).await.unwrap_err(),
            store.rotate(&user("ann"), "A1", &record.verifier, at(0)).await.unwrap_err(),
            store.touch("A1", at(0)).await.unwrap_err(),
            store.delete(&user("ann"), "A1").await.unwrap_err(),
            store.delete_by_user(&user("ann")).await.unwrap_err(),
            store.purge_expired(at(0)).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Store { store: "API key", .. }), "{error:?}");
        }
    };
    // There is no table.
    all_fail().await;
    close(&pool).await;
    all_fail().await;
    assert!(matches!(store.migrate().await, Err(Error::Store { store: "API key", .. })));
    assert!(store.table("a b").is_err());
}
