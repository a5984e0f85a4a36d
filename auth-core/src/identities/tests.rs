//! What every store of identities must do, on each of them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;

use super::{ExternalId, IdentityStore, LinkedIdentity, MemoryIdentities};
use crate::user::{AuthUser, NoRole, RoleSource, UserMeta};

/// A user with nothing but an id.
#[derive(Debug, Clone)]
struct Member {
    id: i64,
}

impl AuthUser for Member {
    type Id = i64;
    type Role = NoRole;
    const META: &'static UserMeta = &UserMeta {
        name: "Member",
        path: "tests::Member",
        // A word of SQL, so that a name without quotes is found out.
        table: "group",
        columns: &["id"],
        id: "id",
        login: &[],
        password: None,
        login_time: None,
        login_ip: None,
        token: None,
        epoch: None,
        active: None,
        roles: RoleSource::Column,
        schemes: &["session"],
    };

    fn id(&self) -> &i64 {
        &self.id
    }

    fn login_name(&self, _: usize) -> Option<&str> {
        None
    }
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

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod sql {
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::{
        error::Error,
        identities::SqlIdentities,
        sql::{SqlPool, dialect::Dialect, on_pool},
    };

    async fn run(pool: &SqlPool, sql: String) {
        on_pool!(pool, pool => sqlx::query(AssertSqlSafe(sql)).execute(pool).await.map(drop))
            .unwrap();
    }

    async fn store(pool: &SqlPool) -> SqlIdentities<Member> {
        let (table, integer) = (Dialect::of(pool).name("group", ""), Dialect::of(pool).integer);
        run(pool, format!("CREATE TABLE {table} (id {integer} NOT NULL PRIMARY KEY)")).await;
        run(pool, format!("INSERT INTO {table} (id) VALUES ({ANN}), ({BOB})")).await;
        let store = SqlIdentities::new(pool.clone());
        store.migrate().await.unwrap();
        store.migrate().await.expect("a second start finds nothing to do");
        store
    }

    async fn on(pool: SqlPool) {
        let store = store(&pool).await;
        keeps_identities(Arc::new(store.clone())).await;
        goes_with_the_user(&pool, &store).await;
    }

    /// A deleted user's identities open nothing, also when his id is given out again.
    async fn goes_with_the_user(pool: &SqlPool, store: &SqlIdentities<Member>) {
        let eve = id("https://a.example", "eve");
        assert!(IdentityStore::<Member>::link(store, &eve, &BOB, at(0)).await.unwrap());
        let table = Dialect::of(pool).name("group", "");
        run(pool, format!("DELETE FROM {table} WHERE id = {BOB}")).await;
        run(pool, format!("INSERT INTO {table} (id) VALUES ({BOB})")).await;
        assert_eq!(store.owner(&eve).await.unwrap(), None);
        let nobody = IdentityStore::<Member>::link(store, &eve, &7, at(0)).await;
        assert!(matches!(nobody, Err(Error::Store { store: "identity", .. })), "{nobody:?}");
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn in_sqlite() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("x.db").display());
        on(crate::sql::open_sqlite(&url).await.unwrap().into()).await;
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn a_database_without_the_table_is_a_fault() {
        let pool = crate::sql::open_sqlite("sqlite::memory:").await.unwrap();
        let store = SqlIdentities::<Member>::new(pool);
        let missing = store.owner(&id("https://a.example", "eve")).await;
        assert!(matches!(missing, Err(Error::Store { store: "identity", .. })), "{missing:?}");
        assert!(store.table("no; table").is_err());
    }

    #[cfg(feature = "postgres")]
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn in_postgres() {
        let Some(database) = auth_test_servers::postgres() else { return };
        on(crate::sql::open_postgres(database.url()).await.unwrap().into()).await;
    }
}
