use std::sync::Mutex;

use super::*;
use crate::user::Scoped;

/// The roles of everybody, and who was asked about.
#[derive(Default)]
struct Roles {
    asked: Mutex<Vec<String>>,
    fails: bool,
}

impl RoleStore<User> for Arc<Roles> {
    async fn roles(&self, user: &User) -> Result<Vec<Scoped<Role>>, Error> {
        self.asked.lock().unwrap().push(user.username.clone());
        if self.fails {
            return Err(Error::Application("the directory is closed".into()));
        }
        Ok(vec![Role::Admin.into()])
    }
}

fn filled() -> (MemoryUsers<User>, [User; 4]) {
    let (store, users) = (MemoryUsers::new(), users());
    for user in &users {
        store.insert(user.clone()).unwrap();
    }
    (store, users)
}

#[tokio::test]
async fn all_else_is_as_without_the_roles() {
    let (store, users) = filled();
    obeys_the_contract(store.with_roles(Arc::<Roles>::default()), users).await;
}

#[tokio::test]
async fn roles_are_asked_for_with_every_user_and_only_then() {
    let (store, [alice, ..]) = filled();
    let roles = Arc::<Roles>::default();
    let store = store.with_roles(roles.clone());
    assert!(store.brings_roles());
    assert!(store.by_id_now(&alice.id).is_none(), "not without waiting for the roles");
    assert!(matches!(store.by_id_now(&Uuid::new_v4()), Some(Ok(None))));
    store.by_id(&Uuid::new_v4()).await.unwrap();
    store.by_login("nobody").await.unwrap();
    store.raise_epoch(&alice.id).await.unwrap();
    assert!(roles.asked.lock().unwrap().is_empty());

    store.by_id(&alice.id).await.unwrap().unwrap();
    store.by_login("Bob").await.unwrap();
    let hash = PasswordHash::from_stored("$new");
    let change =
        PasswordChange { replaces: alice.password.as_ref(), hash: &hash, raise_epoch: false };
    store.set_password(&alice.id, change).await.unwrap().unwrap();
    assert_eq!(*roles.asked.lock().unwrap(), ["alice", "Bob", "alice"]);
}

#[tokio::test]
async fn a_role_store_that_fails_is_a_fault() {
    let (store, [alice, ..]) = filled();
    let store = store.with_roles(Arc::new(Roles { fails: true, ..Roles::default() }));
    let error = store.by_id(&alice.id).await.unwrap_err();
    assert!(matches!(error, Error::Application(_)), "{error}");
    let error = store.by_login("Bob").await.unwrap_err();
    assert!(matches!(error, Error::Application(_)), "{error}");
}
