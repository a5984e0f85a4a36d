//! Refresh tokens and deny lists.

use std::sync::Arc;

use auth_core::{
    error::Error,
    secret::{RefreshToken, SecurityStamp, TokenId},
    sql::SqlPool,
    store::{DenyList, Presented, SqlDenyList, SqlTokens, TokenFamily, TokenStore},
    user::UserKey,
};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;

use crate::engines::{Engine, Place, close, conform_on_each_engine, number, on_each_engine, run};

async fn tokens(pool: SqlPool) -> Option<Arc<dyn TokenStore>> {
    let tokens = SqlTokens::new(pool);
    tokens.migrate().await.unwrap();
    Some(Arc::new(tokens))
}

async fn denied(pool: SqlPool) -> Option<Arc<dyn DenyList>> {
    let list = SqlDenyList::new(pool);
    list.migrate().await.unwrap();
    Some(Arc::new(list))
}

conform_on_each_engine! {
    token_store_conformance, tokens,
    refresh_tokens_on_sqlite, refresh_tokens_on_postgres, refresh_tokens_on_mysql
}

conform_on_each_engine! {
    deny_list_conformance, denied,
    deny_list_on_sqlite, deny_list_on_postgres, deny_list_on_mysql
}

on_each_engine! {
    processes_that_start_together_share_what_they_make
    what_has_expired_is_purged_in_as_many_statements_as_it_takes
    a_row_that_cannot_be_read_is_a_fault_and_no_missing_family
    every_method_reports_a_database_that_does_not_answer
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

async fn processes_that_start_together_share_what_they_make(place: Place) {
    let now = Utc::now().trunc_subsecs(3);
    let (first, id) = (RefreshToken::generate().unwrap(), TokenId::new("a", "b"));
    let (second, key) = (first.successor().unwrap(), first.key());
    let created = place.at_once(move |pool| async move {
        let (tokens, denied) = (SqlTokens::new(pool.clone()), SqlDenyList::new(pool));
        tokens.migrate().await.unwrap();
        denied.migrate().await.unwrap();
        denied.deny(&id, now + TimeDelta::hours(1), now).await.unwrap();
        tokens.create(&key, family(now)).await.unwrap()
    });
    assert_eq!(created.await.into_iter().filter(|created| *created).count(), 1);

    let next = second.key();
    let rotated = place.at_once(move |pool| async move {
        assert!(SqlDenyList::new(pool.clone()).is_denied(&id, now).await.unwrap());
        let end = now + TimeDelta::days(14);
        SqlTokens::new(pool).rotate(&key, &next, now, end).await.unwrap()
    });
    assert_eq!(rotated.await.into_iter().filter(|rotated| *rotated).count(), 1, "one of many");
    let tokens = SqlTokens::new(place.pool().await);
    let found = tokens.find(&next, now).await.unwrap().unwrap();
    assert_eq!(found.presented, Presented::Current);
}

async fn what_has_expired_is_purged_in_as_many_statements_as_it_takes(place: Place) {
    let pool = place.pool().await;
    let (tokens, denied) = (SqlTokens::new(pool.clone()), SqlDenyList::new(pool.clone()));
    tokens.migrate().await.unwrap();
    denied.migrate().await.unwrap();
    let now = Utc::now().trunc_subsecs(3);
    for n in 0..3 {
        let key = RefreshToken::generate().unwrap().key();
        assert!(tokens.create(&key, family(now + TimeDelta::seconds(n))).await.unwrap());
        let id = TokenId::new("a", &n.to_string());
        denied.deny(&id, now + TimeDelta::seconds(n), now).await.unwrap();
    }
    // As many as one statement removes, and one more.
    let stale = RefreshToken::generate().unwrap().key();
    let copies = 1_001;
    assert!(tokens.create(&stale, family(now - TimeDelta::days(20))).await.unwrap());
    let left = number(&pool, "SELECT COUNT(*) FROM auth_refresh_tokens").await;
    assert_eq!(left, 4);
    for n in 0..copies {
        let id = TokenId::new("old", &n.to_string());
        denied.deny(&id, now - TimeDelta::seconds(1), now).await.unwrap();
    }
    assert_eq!(tokens.purge_expired(now).await.unwrap(), 1);
    // The end counts as over.
    assert_eq!(denied.purge_expired(now).await.unwrap(), copies + 1);
    assert_eq!(denied.purge_expired(now).await.unwrap(), 0);
    assert_eq!(tokens.purge_expired(now).await.unwrap(), 0);
    assert!(denied.is_denied(&TokenId::new("a", "1"), now).await.unwrap());
}

async fn a_row_that_cannot_be_read_is_a_fault_and_no_missing_family(place: Place) {
    let pool = place.pool().await;
    let tokens = SqlTokens::new(pool.clone());
    tokens.migrate().await.unwrap();
    let now = Utc::now();
    let engines_own: &[&str] = match place.engine {
        Engine::Sqlite => &["created_at = 9223372036854775807", "ip = 'here'"],
        Engine::Postgres => &["created_at = 'infinity'", "ip = '10.0.0.0/8'"],
        Engine::MySql => &["user_key = x'ff'", "ip = 'here'"],
    };
    let common =
        ["stamp = previous_hash", "rotated_at = NULL", "idle_timeout = -9223372036854775808"];
    for damage in common.iter().chain(engines_own) {
        let (key, fresh) = (RefreshToken::generate().unwrap(), family(now));
        let next = key.successor().unwrap();
        tokens.create(&key.key(), fresh).await.unwrap();
        let end = now + TimeDelta::days(14);
        assert!(tokens.rotate(&key.key(), &next.key(), now, end).await.unwrap());
        run(&pool, &format!("UPDATE auth_refresh_tokens SET {damage}")).await;
        let answer = tokens.find(&next.key(), now).await;
        assert!(matches!(answer, Err(Error::Store { .. })), "{damage}: {answer:?}");
        assert!(tokens.delete(&next.key()).await.unwrap(), "what cannot be read can be ended");
    }
}

async fn every_method_reports_a_database_that_does_not_answer(place: Place) {
    let pool = place.pool().await;
    let (tokens, list) = (SqlTokens::new(pool.clone()), SqlDenyList::new(pool.clone()));
    let (key, now) = (RefreshToken::generate().unwrap().key(), Utc::now());
    let user = UserKey::from("users:1".to_owned());
    let all_fail = async || {
        let errors = [
            tokens.create(&key, family(now)).await.unwrap_err(),
            tokens.find(&key, now).await.unwrap_err(),
            tokens.rotate(&key, &key, now, now).await.unwrap_err(),
            tokens.delete(&key).await.unwrap_err(),
            tokens.list_by_user(&user, now).await.unwrap_err(),
            tokens.delete_by_handle(&user, Uuid::new_v4()).await.unwrap_err(),
            tokens.delete_by_user(&user).await.unwrap_err(),
            tokens.purge_expired(now).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Store { store: "token", .. }), "{error:?}");
        }
        let id = TokenId::new("a", "b");
        let errors = [
            list.deny(&id, now, now).await.unwrap_err(),
            list.is_denied(&id, now).await.unwrap_err(),
            list.purge_expired(now).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Store { store: "deny list", .. }), "{error:?}");
        }
    };
    // There is no table.
    all_fail().await;
    close(&pool).await;
    all_fail().await;
    assert!(matches!(tokens.migrate().await, Err(Error::Store { store: "token", .. })));
    assert!(matches!(list.migrate().await, Err(Error::Store { store: "deny list", .. })));
}
