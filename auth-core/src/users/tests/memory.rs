use super::*;

#[tokio::test]
async fn the_store_in_memory_obeys_the_contract() {
    let (store, users) = (MemoryUsers::new(), users());
    for user in users.clone() {
        store.insert(user).unwrap();
    }
    obeys_the_contract(store, users).await;

    let store = MemoryUsers::new();
    store.insert(Device { id: 7 }).unwrap();
    does_without_columns(store, Device { id: 7 }).await;
}

#[tokio::test]
async fn no_two_users_share_an_id_or_a_name_of_one_column() {
    let store = MemoryUsers::new();
    let alice = user("alice");
    store.insert(alice.clone()).unwrap();
    let with_id = User { id: alice.id, ..user("bob") };
    assert_eq!(store.insert(with_id), Err(Taken::Id));
    assert_eq!(store.insert(user("alice")), Err(Taken::Login("username")));
    let with_email = User { email: Some("ALICE@example.ORG".into()), ..user("bob") };
    assert_eq!(store.insert(with_email), Err(Taken::Login("email")));
    // Names that differ in case differ, where the column says so.
    store.insert(User { email: None, ..user("Alice") }).unwrap();
    assert_eq!(store.all().len(), 2);
}

#[tokio::test]
async fn an_updated_or_removed_user_is_found_as_he_is() {
    let store = MemoryUsers::new();
    let (alice, bob) = (user("alice"), user("bob"));
    store.insert(alice.clone()).unwrap();
    store.insert(bob.clone()).unwrap();
    let rename = |to: &'static str| move |user: &mut User| user.username = to.into();
    assert_eq!(store.update(&alice.id, rename("bob")), Err(Taken::Login("username")));
    assert_eq!(store.update(&alice.id, |user| user.id = bob.id), Err(Taken::Id));
    assert_eq!(store.by_id_now(&alice.id).unwrap().unwrap().as_deref(), Some(&alice));
    assert_eq!(store.update(&alice.id, rename("carol")), Ok(true));
    assert_eq!(store.update(&Uuid::new_v4(), rename("x")), Ok(false));
    assert_eq!(store.by_login("alice").await.unwrap(), Lookup::None);
    assert!(matches!(store.by_login("carol").await.unwrap(), Lookup::One(_)));

    assert_eq!(store.remove(&bob.id).as_deref(), Some(&bob));
    assert_eq!(store.remove(&bob.id), None);
    assert_eq!(store.by_login("bob").await.unwrap(), Lookup::None);
    store.insert(user("bob")).unwrap();
}

#[tokio::test]
async fn a_user_in_hand_does_not_change() {
    let store = MemoryUsers::new();
    let alice = user("alice");
    store.insert(alice.clone()).unwrap();
    let in_hand = store.by_id(&alice.id).await.unwrap().unwrap();
    store.clone().set_login(&alice.id, Utc::now(), None).await.unwrap();
    assert_eq!(*in_hand, alice);
    assert!(store.by_id(&alice.id).await.unwrap().unwrap().last_login.is_some());
    assert_eq!(format!("{store:?}"), "MemoryUsers { users: 1 }");
}
