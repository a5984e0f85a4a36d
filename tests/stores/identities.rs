//! What every store of identities promises.

use std::sync::Arc;

use auth_core::{
    error::Error,
    identities::{ExternalId, IdentityStore, LinkedIdentity, MemoryIdentities, SqlIdentities},
    sql::SqlPool,
};
use auth_poem::prelude::*;
use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::engines::{Engine, Place, close, on_each_engine, run};

/// A user with nothing but an id. His table is a word of SQL, so that a name without quotes is found
/// out.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "group", schemes(session))]
struct Member {
    #[auth(id)]
    id: i64,
}

const ANN: i64 = 1;
const BOB: i64 = 2;

fn id(issuer: &str, subject: &str) -> ExternalId {
    ExternalId { issuer: issuer.into(), subject: subject.into() }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_900_000_000 + seconds)
}

/// Every obligation, on a store where `ANN` and `BOB` are users.
async fn keeps_identities(store: Arc<dyn IdentityStore<Member>>) {
    let eve = id("https://a.example", "eve");
    assert_eq!(store.owner(&eve).await.unwrap(), None);
    assert!(!store.unlink(&eve, &ANN).await.unwrap());
    assert!(store.link(&eve, &ANN, at(1)).await.unwrap());
    assert!(store.link(&eve, &ANN, at(2)).await.unwrap(), "it is hers already");
    assert!(!store.link(&eve, &BOB, at(3)).await.unwrap(), "it is another user's");
    assert_eq!(store.owner(&eve).await.unwrap(), Some(ANN));

    // What is nearly the same is another one, wherever issuer and subject meet.
    let others = [
        id("https://a.example", "Eve"),
        id("https://a.example", "eve "),
        id("https://a.example", "evé"),
        id("https://a.example", "ev\u{65}\u{301}"),
        id("https://a.example/", "eve"),
        id("https://a.examplee", "ve"),
        id("https://b.example", "eve"),
    ];
    for other in &others {
        assert_eq!(store.owner(other).await.unwrap(), None, "{other:?}");
        assert!(store.link(other, &BOB, at(0)).await.unwrap());
    }
    assert_eq!(store.owner(&eve).await.unwrap(), Some(ANN));

    let long = id(&format!("https://{}", "i".repeat(2_000)), &"s".repeat(255));
    assert!(store.link(&long, &ANN, at(0)).await.unwrap());
    let own = store.of(&ANN).await.unwrap();
    let link = |id: &ExternalId, seconds| LinkedIdentity { id: id.clone(), linked_at: at(seconds) };
    assert_eq!(own, [link(&long, 0), link(&eve, 1)], "the oldest first, with the first time");

    assert!(!store.unlink(&eve, &BOB).await.unwrap(), "it is not his");
    assert!(store.unlink(&eve, &ANN).await.unwrap());
    assert_eq!(store.owner(&eve).await.unwrap(), None);
    assert_eq!(store.unlink_all(&BOB).await.unwrap(), others.len() as u64);
    assert_eq!(store.of(&BOB).await.unwrap(), []);
    assert_eq!(store.of(&ANN).await.unwrap(), [link(&long, 0)]);

    // Of many who want one identity at once, one gets it, and all are told whose it is.
    let wanted = id("https://a.example", "wanted");
    let tries = (0..20).map(|index| {
        let (store, wanted) = (store.clone(), wanted.clone());
        async move { store.link(&wanted, [&ANN, &BOB][index % 2], at(9)).await.unwrap() }
    });
    let done = join_all(tries).await;
    let owner = store.owner(&wanted).await.unwrap().unwrap();
    for (index, done) in done.into_iter().enumerate() {
        assert_eq!(done, [ANN, BOB][index % 2] == owner);
    }
}

#[tokio::test]
async fn in_memory() {
    keeps_identities(Arc::new(MemoryIdentities::new())).await;
}

on_each_engine! {
    keeps_identities_in_a_table
    a_deleted_users_identities_open_nothing_also_when_his_id_is_given_out_again
    processes_that_start_together_make_one_table_and_one_owner
    a_database_that_does_not_answer_is_a_fault_and_nobody
}

/// The table of the users.
async fn members(engine: Engine, pool: &SqlPool) {
    let table = engine.quoted("group");
    run(pool, &format!("CREATE TABLE {table} (id BIGINT NOT NULL PRIMARY KEY)")).await;
    run(pool, &format!("INSERT INTO {table} (id) VALUES ({ANN}), ({BOB})")).await;
}

async fn keeps_identities_in_a_table(place: Place) {
    let pool = place.pool().await;
    members(place.engine, &pool).await;
    let store = SqlIdentities::<Member>::new(pool.clone());
    for store in [store, SqlIdentities::new(pool).table("order").unwrap()] {
        store.migrate().await.unwrap();
        store.migrate().await.expect("a second start finds nothing to do");
        keeps_identities(Arc::new(store)).await;
    }
}

async fn a_deleted_users_identities_open_nothing_also_when_his_id_is_given_out_again(place: Place) {
    let pool = place.pool().await;
    members(place.engine, &pool).await;
    let store = SqlIdentities::<Member>::new(pool.clone());
    store.migrate().await.unwrap();
    let eve = id("https://a.example", "eve");
    assert!(store.link(&eve, &BOB, at(0)).await.unwrap());
    let table = place.engine.quoted("group");
    run(&pool, &format!("DELETE FROM {table} WHERE id = {BOB}")).await;
    run(&pool, &format!("INSERT INTO {table} (id) VALUES ({BOB})")).await;
    assert_eq!(store.owner(&eve).await.unwrap(), None);
    let nobody = store.link(&eve, &7, at(0)).await;
    assert!(matches!(nobody, Err(Error::Store { store: "identity", .. })), "{nobody:?}");
}

async fn processes_that_start_together_make_one_table_and_one_owner(place: Place) {
    members(place.engine, &place.pool().await).await;
    let linked = place.at_once(async |pool| {
        let store = SqlIdentities::<Member>::new(pool);
        store.migrate().await.unwrap();
        let eve = id("https://a.example", "eve");
        assert!(store.link(&eve, &ANN, at(0)).await.unwrap());
        !store.link(&eve, &BOB, at(0)).await.unwrap()
    });
    assert!(linked.await.into_iter().all(|linked| linked));
}

async fn a_database_that_does_not_answer_is_a_fault_and_nobody(place: Place) {
    let pool = place.pool().await;
    let store = SqlIdentities::<Member>::new(pool.clone());
    let eve = id("https://a.example", "eve");
    // There is no table.
    for _ in 0..2 {
        let errors = [
            store.owner(&eve).await.unwrap_err(),
            store.link(&eve, &ANN, at(0)).await.unwrap_err(),
            store.unlink(&eve, &ANN).await.unwrap_err(),
            store.of(&ANN).await.unwrap_err(),
            store.unlink_all(&ANN).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Store { store: "identity", .. }), "{error:?}");
        }
        close(&pool).await;
    }
    assert!(store.table("no; table").is_err());
}
