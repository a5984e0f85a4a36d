use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use futures_util::FutureExt;
use tokio::sync::Semaphore;

use super::*;
use crate::clock::ManualClock;

const LIFE: TimeDelta = TimeDelta::seconds(5);

/// Users who answer when the test lets them.
#[derive(Clone)]
struct Slow {
    users: MemoryUsers<User>,
    asked: Arc<Semaphore>,
    answer: Arc<Semaphore>,
    /// Whether writes are done and never end.
    writes_hang: Arc<AtomicBool>,
}

impl Slow {
    fn new(users: &[User]) -> Self {
        let store = MemoryUsers::new();
        for user in users {
            store.insert(user.clone()).unwrap();
        }
        let gate = |open| Arc::new(Semaphore::new(open));
        Self { users: store, asked: gate(0), answer: gate(1000), writes_hang: Arc::default() }
    }

    fn stop(&self) {
        self.answer.forget_permits(usize::MAX);
    }

    /// How often a user was loaded.
    fn loads(&self) -> usize {
        self.asked.available_permits()
    }
}

#[async_trait]
impl UserStore<User> for Slow {
    async fn by_id(&self, id: &Uuid) -> Result<Option<Arc<User>>, Error> {
        let user = self.users.by_id(id).await;
        self.asked.add_permits(1);
        self.answer.acquire().await.unwrap().forget();
        user
    }

    async fn by_login(&self, name: &str) -> Result<Lookup<User>, Error> {
        self.users.by_login(name).await
    }

    async fn set_login(
        &self,
        id: &Uuid,
        at: DateTime<Utc>,
        ip: Option<IpAddr>,
    ) -> Result<(), Error> {
        self.users.set_login(id, at, ip).await
    }

    async fn set_password(
        &self,
        id: &Uuid,
        change: PasswordChange<'_>,
    ) -> Result<Option<Arc<User>>, Error> {
        let done = self.users.set_password(id, change).await;
        if self.writes_hang.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        done
    }

    async fn raise_epoch(&self, id: &Uuid) -> Result<Option<i64>, Error> {
        self.users.raise_epoch(id).await
    }
}

/// A cache that a test ages by hand.
fn cache(users: &[User]) -> (Slow, CachedUsers<User, Slow>, ManualClock) {
    let (slow, clock) = (Slow::new(users), ManualClock::default());
    let cached = slow.clone().cached(LIFE).clock(clock.clone());
    (slow, cached, clock)
}

fn now(store: &impl UserStore<User>, id: &Uuid) -> Option<Arc<User>> {
    store.by_id_now(id).and_then(|answer| answer.unwrap())
}

#[tokio::test]
async fn the_store_with_copies_obeys_the_contract() {
    let (slow, cached, _) = cache(&users());
    let users = slow.users.all();
    let named = |name: &str| (**users.iter().find(|user| user.username == name).unwrap()).clone();
    obeys_the_contract(cached, ["alice", "Bob", "trickster", "guest"].map(named)).await;
    let devices = MemoryUsers::new();
    devices.insert(Device { id: 7 }).unwrap();
    does_without_columns(devices.cached(LIFE), Device { id: 7 }).await;
}

#[tokio::test]
async fn a_user_is_loaded_once_in_the_life_of_a_copy() {
    let alice = user("alice");
    let (slow, cached, clock) = cache(std::slice::from_ref(&alice));
    assert_eq!(now(&cached, &alice.id), None);
    for _ in 0..3 {
        assert_eq!(cached.by_id(&alice.id).await.unwrap().as_deref(), Some(&alice));
        assert_eq!(now(&cached.clone(), &alice.id).as_deref(), Some(&alice));
    }
    assert_eq!(slow.loads(), 1);
    clock.advance(LIFE - TimeDelta::milliseconds(1));
    assert!(now(&cached, &alice.id).is_some());
    clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(now(&cached, &alice.id), None);
    cached.by_id(&alice.id).await.unwrap();
    assert_eq!(slow.loads(), 2);

    // A clock that is set back makes no copy live longer.
    clock.advance(-LIFE);
    assert_eq!(now(&cached, &alice.id), None);

    // That there is nobody is not kept.
    let bob = user("bob");
    assert_eq!(cached.by_id(&bob.id).await.unwrap(), None);
    slow.users.insert(bob.clone()).unwrap();
    assert!(cached.by_id(&bob.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_copy_is_as_old_as_the_question() {
    let alice = user("alice");
    let (slow, cached, clock) = cache(std::slice::from_ref(&alice));
    slow.stop();
    let (load, id) = (cached.clone(), alice.id);
    let load = tokio::spawn(async move { load.by_id(&id).await });
    slow.asked.acquire().await.unwrap().forget();
    clock.advance(LIFE);
    slow.answer.add_permits(1);
    assert!(load.await.unwrap().unwrap().is_some());
    assert_eq!(now(&cached, &id), None);
}

#[tokio::test]
async fn every_write_ends_the_copy() {
    let alice = user("alice");
    let (_, cached, _) = cache(std::slice::from_ref(&alice));
    let hash = PasswordHash::from_stored("$new");
    let change =
        PasswordChange { replaces: alice.password.as_ref(), hash: &hash, raise_epoch: true };
    for write in ["login", "password", "epoch", "forget"] {
        cached.by_id(&alice.id).await.unwrap();
        assert!(now(&cached, &alice.id).is_some());
        match write {
            "login" => cached.set_login(&alice.id, Utc::now(), None).await.unwrap(),
            "password" => drop(cached.set_password(&alice.id, change).await.unwrap().unwrap()),
            "epoch" => drop(cached.raise_epoch(&alice.id).await.unwrap().unwrap()),
            _ => cached.forget(&alice.id),
        }
        assert_eq!(now(&cached, &alice.id), None, "{write}");
    }
}

#[tokio::test]
async fn what_was_loaded_before_a_write_is_not_kept_after_it() {
    let alice = user("alice");
    let (slow, cached, _) = cache(std::slice::from_ref(&alice));
    slow.stop();
    let (load, id) = (cached.clone(), alice.id);
    let load = tokio::spawn(async move { load.by_id(&id).await });
    slow.asked.acquire().await.unwrap().forget();
    cached.raise_epoch(&id).await.unwrap();
    slow.answer.add_permits(1);
    assert_eq!(load.await.unwrap().unwrap().unwrap().epoch, alice.epoch, "it was early");
    assert_eq!(now(&cached, &id), None);
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_ends_the_copy_too() {
    let alice = user("alice");
    let (slow, cached, _) = cache(std::slice::from_ref(&alice));
    cached.by_id(&alice.id).await.unwrap();
    slow.writes_hang.store(true, SeqCst);
    let hash = PasswordHash::from_stored("$new");
    let change =
        PasswordChange { replaces: alice.password.as_ref(), hash: &hash, raise_epoch: true };
    assert!(cached.set_password(&alice.id, change).now_or_never().is_none());
    assert_eq!(now(&cached, &alice.id), None);
}

#[tokio::test]
async fn who_is_found_to_be_gone_is_not_served_any_more() {
    let alice = user("alice");
    let (slow, cached, _) = cache(std::slice::from_ref(&alice));
    cached.by_id(&alice.id).await.unwrap();
    // Another process removes her; a newer credential than the copy has her looked for.
    slow.users.remove(&alice.id).unwrap();
    assert!(now(&cached, &alice.id).is_some());
    assert_eq!(cached.reload(&alice.id).await.unwrap(), None);
    assert_eq!(now(&cached, &alice.id), None);
}

#[tokio::test]
async fn a_later_load_is_not_replaced_by_an_earlier_one() {
    let alice = user("alice");
    let (slow, cached, clock) = cache(std::slice::from_ref(&alice));
    slow.stop();
    let (load, id) = (cached.clone(), alice.id);
    let early = tokio::spawn(async move { load.by_id(&id).await });
    slow.asked.acquire().await.unwrap().forget();
    clock.advance(TimeDelta::seconds(1));
    // Another process writes.
    slow.users.raise_epoch(&id).await.unwrap();
    let load = cached.clone();
    let late = tokio::spawn(async move { load.by_id(&id).await });
    slow.asked.acquire().await.unwrap().forget();
    // The semaphore is fair, so the early one is let through first; both end before the look.
    slow.answer.add_permits(2);
    let (early, late) = (early.await.unwrap().unwrap(), late.await.unwrap().unwrap());
    assert_ne!(early, late);
    assert_eq!(now(&cached, &id), late);
}

#[tokio::test]
async fn no_more_users_are_kept_than_was_said() {
    let all: Vec<User> = (0..200).map(|n| user(&format!("user{n}"))).collect();
    let (_, cached, clock) = cache(&all);
    let cached = cached.capacity(32);
    for user in &all {
        clock.advance(TimeDelta::milliseconds(1));
        cached.by_id(&user.id).await.unwrap();
    }
    let kept = all.iter().filter(|user| now(&cached, &user.id).is_some()).count();
    assert!((16..=32).contains(&kept), "{kept}");
    // Those who were loaded last stay.
    assert!(now(&cached, &all[199].id).is_some());
    let none = cached.capacity(0);
    none.by_id(&all[0].id).await.unwrap();
    assert_eq!(now(&none, &all[0].id), None);
}

#[test]
fn a_life_that_cannot_be_meant_is_a_problem() {
    for (life, problems) in [
        (TimeDelta::zero(), 1),
        (-LIFE, 1),
        (TimeDelta::milliseconds(1), 0),
        (TimeDelta::minutes(5), 0),
        (TimeDelta::minutes(6), 1),
    ] {
        let store = MemoryUsers::<User>::new().cached(life);
        assert_eq!(store.problems().len(), problems, "{life}");
    }
}
