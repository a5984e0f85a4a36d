//! What every store of nonces promises.

use auth_core::{
    access_keys::{MemoryNonces, NonceStore, SqlNonces},
    error::Error,
    testing::nonce,
};
use chrono::{DateTime, Utc};

use crate::engines::{Place, close, number, on_each_engine};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 5_000_000).unwrap()
}

/// Hashes are made where signatures are verified; a request of an application makes one here.
pub(crate) async fn remembers(store: impl NonceStore) {
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

#[tokio::test]
async fn in_memory() {
    remembers(MemoryNonces::new()).await;
}

on_each_engine! {
    remembers_what_was_sent
    one_of_many_processes_takes_a_request
    what_has_ended_is_removed_once_a_minute
    a_database_that_does_not_answer_is_a_fault_and_nothing_new
}

async fn remembers_what_was_sent(place: Place) {
    let pool = place.pool().await;
    for store in [SqlNonces::new(pool.clone()), SqlNonces::new(pool).table("order").unwrap()] {
        store.migrate().await.unwrap();
        store.migrate().await.expect("a second start finds nothing to do");
        remembers(store).await;
    }
}

async fn one_of_many_processes_takes_a_request(place: Place) {
    let taken = place.at_once(async |pool| {
        let store = SqlNonces::new(pool);
        store.migrate().await.unwrap();
        store.note(&nonce(b"1"), at(60), at(0)).await.unwrap()
    });
    assert_eq!(taken.await.into_iter().filter(|taken| *taken).count(), 1);
}

async fn what_has_ended_is_removed_once_a_minute(place: Place) {
    let pool = place.pool().await;
    let store = SqlNonces::new(pool.clone());
    store.migrate().await.unwrap();
    let rows = async || number(&pool, "SELECT COUNT(*) FROM auth_nonces").await;
    for n in 0..10 {
        assert!(store.note(&nonce(&[n]), at(10), at(0)).await.unwrap());
    }
    assert!(store.note(&nonce(b"x"), at(70), at(59)).await.unwrap());
    assert_eq!(rows().await, 11, "a minute is not over");
    assert!(store.note(&nonce(b"y"), at(70), at(60)).await.unwrap());
    assert_eq!(rows().await, 2, "and what has not ended stays");
}

async fn a_database_that_does_not_answer_is_a_fault_and_nothing_new(place: Place) {
    let pool = place.pool().await;
    let store = SqlNonces::new(pool.clone());
    for _ in 0..2 {
        let noted = store.note(&nonce(b"1"), at(1), at(0)).await;
        assert!(matches!(noted, Err(Error::Store { store: "nonce", .. })), "{noted:?}");
        close(&pool).await;
    }
    assert!(matches!(store.migrate().await, Err(Error::Store { store: "nonce", .. })));
    assert!(store.table("a b").is_err());
}
