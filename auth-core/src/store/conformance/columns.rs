//! Columns of the application's own.

use std::sync::Arc;

use chrono::TimeDelta;
use uuid::Uuid;

use super::{super::Update, Store, assert_same, create, full_session, load, next, start, user};
use crate::session::record::{ColumnType, ColumnValue, SessionColumns, SessionRecord};

/// The columns that the cases give values to, for stores that want them declared.
pub const COLUMNS: [(&str, ColumnType); 5] = [
    ("approved", ColumnType::Bool),
    ("tenant", ColumnType::Integer),
    ("device", ColumnType::Text),
    ("seen_at", ColumnType::Time),
    ("order", ColumnType::Uuid),
];

/// What the application put into its columns comes back, and follows every update.
pub async fn keeps_the_columns_of_the_application(store: Store) {
    let now = start();
    let full = SessionColumns::default()
        .with("approved", true)
        .with("tenant", i64::MIN)
        .with("device", "Zoë's \"phone\" \\ 日本 🦀 ?$1")
        .with("seen_at", now - TimeDelta::days(20_000))
        .with("order", Uuid::new_v4());
    let record = SessionRecord { columns: full.clone(), ..full_session(now) };
    let key = create(&store, &record).await;
    assert_same(&load(&store, &key, now).await.expect("the session is there"), &record);
    let listed = store.list_by_user(&user("Zoë 'Łukasz' 🦀"), now).await;
    assert_same(&listed.expect("list_by_user answers")[0], &record);

    let mut changed = next(&record);
    changed.columns.set("approved", false);
    changed.columns.set("tenant", i64::MAX);
    changed.columns.set("device", "");
    changed.columns.set("order", ColumnValue::Null);
    let update = store.update(&key, Arc::new(changed.clone()), now).await;
    assert_eq!(update.expect("update answers"), Update::Done);
    assert!(store.touch(&key, now).await.expect("touch answers"));
    assert_same(&load(&store, &key, now).await.expect("the session is there"), &changed);

    let emptied = SessionRecord { columns: SessionColumns::default(), ..next(&changed) };
    let update = store.update(&key, Arc::new(emptied.clone()), now).await;
    assert_eq!(update.expect("update answers"), Update::Done);
    assert_same(&load(&store, &key, now).await.expect("the session is there"), &emptied);
}
