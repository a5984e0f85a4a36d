//! Deny lists and nonces in Redis.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use auth_core::{
    access_keys::{NonceStore, RedisNonces},
    error::Error,
    secret::TokenId,
    store::{DenyList, Redis, RedisDenyList},
    testing::nonce,
};
use auth_test_servers::Keyspace;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::task::JoinSet;
use uuid::Uuid;

fn denied(keys: &Keyspace) -> RedisDenyList {
    RedisDenyList::new(Redis::open(keys.url()).unwrap()).prefix(keys.prefix()).unwrap()
}

fn nonces(keys: &Keyspace) -> RedisNonces {
    RedisNonces::new(Redis::open(keys.url()).unwrap()).prefix(keys.prefix()).unwrap()
}

/// A list on keys of its own, which go with it.
#[derive(Debug)]
struct Own(RedisDenyList, #[expect(dead_code, reason = "kept until the list goes")] Keyspace);

#[async_trait]
impl DenyList for Own {
    async fn deny(
        &self,
        id: &TokenId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.0.deny(id, until, now).await
    }

    async fn is_denied(&self, id: &TokenId, now: DateTime<Utc>) -> Result<bool, Error> {
        self.0.is_denied(id, now).await
    }

    async fn purge_expired(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        self.0.purge_expired(now).await
    }
}

async fn list() -> Option<Arc<dyn DenyList>> {
    let keys = auth_test_servers::redis()?;
    Some(Arc::new(Own(denied(&keys), keys)))
}

auth_core::deny_list_conformance!(deny_list_on_redis, list);

async fn cluster_list() -> Option<Arc<dyn DenyList>> {
    let cluster = auth_test_servers::redis_cluster()?;
    let list = RedisDenyList::new(Redis::cluster(cluster.urls()).unwrap());
    Some(Arc::new(list.prefix(&format!("{}:", Uuid::new_v4())).unwrap()))
}

auth_core::deny_list_conformance!(deny_list_on_a_redis_cluster, cluster_list);

#[tokio::test]
async fn nonces_conform_on_redis() {
    let Some(keys) = auth_test_servers::redis() else { return };
    crate::nonces::remembers(nonces(&keys)).await;
}

#[tokio::test]
async fn of_many_processes_one_takes_a_request() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let now = Utc::now();
    let mut processes = JoinSet::new();
    for _ in 0..32 {
        let store = nonces(&keys);
        processes.spawn(async move {
            store.note(&nonce(b"1"), now + TimeDelta::seconds(60), now).await.unwrap()
        });
    }
    let taken = processes.join_all().await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

#[tokio::test]
async fn the_server_forgets_what_has_ended_and_knows_no_names() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let (now, minute) = (Utc::now().trunc_subsecs(3), TimeDelta::seconds(60));
    let id = TokenId::new("https://issuer.example", "the name of a token");
    denied(&keys).deny(&id, now + minute, now).await.unwrap();
    assert!(nonces(&keys).note(&nonce(b"a nonce"), now + minute, now).await.unwrap());
    let known = keys.keys();
    assert_eq!(known.len(), 2, "{known:?}");
    let mut connection = keys.connection();
    for key in &known {
        assert!(!key.contains("token") && !key.contains("nonce"), "{key}");
        let left: i64 = redis::cmd("PTTL").arg(key).query(&mut connection).unwrap();
        // As long as it counts, and a minute more.
        assert!((110_000..=120_000).contains(&left), "{key}: {left}");
    }
    assert!(denied(&keys).prefix("a b").is_err() && nonces(&keys).prefix("a b").is_err());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_fault_and_nothing_new() {
    let Some(keys) = auth_test_servers::redis() else { return };
    let (proxy, url) = keys.behind_proxy();
    let redis = Redis::open(&url).unwrap().timeout(Duration::from_millis(500));
    let list = RedisDenyList::new(redis.clone()).prefix(keys.prefix()).unwrap();
    let store = RedisNonces::new(redis).prefix(keys.prefix()).unwrap();
    let (now, id) = (Utc::now(), TokenId::new("issuer", "1"));
    let until = now + TimeDelta::seconds(60);
    list.deny(&id, until, now).await.unwrap();
    assert!(store.note(&nonce(b"1"), until, now).await.unwrap());
    let faults = async || {
        let denied = list.is_denied(&id, now).await;
        assert!(matches!(denied, Err(Error::Store { store: "deny list", .. })), "{denied:?}");
        let denies = list.deny(&id, until, now).await;
        assert!(matches!(denies, Err(Error::Store { store: "deny list", .. })), "{denies:?}");
        let noted = store.note(&nonce(b"2"), until, now).await;
        assert!(matches!(noted, Err(Error::Store { store: "nonce", .. })), "{noted:?}");
    };
    proxy.delay(Duration::from_secs(5));
    faults().await;
    proxy.delay(Duration::ZERO);
    proxy.refuse(true);
    proxy.cut();
    faults().await;
    proxy.refuse(false);
    // It has recovered, and what was acknowledged is there.
    assert!(list.is_denied(&id, now).await.unwrap());
    assert!(!store.note(&nonce(b"1"), until, now).await.unwrap());
}
