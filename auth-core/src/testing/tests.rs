use super::*;
use crate::{
    secret::SessionToken,
    store::MemorySessions,
    user::{NoRole, RoleSource, UserMeta},
};

#[tokio::test]
async fn counts_each_method_and_fails_on_demand() {
    let sessions = FailingSessions::new(MemorySessions::new());
    let kept = sessions.clone();
    let (key, now) = (SessionToken::generate().unwrap().key(), Utc::now());
    let user = UserKey::from("users:1".to_owned());

    for (fails, round) in [(false, 1), (true, 2)] {
        kept.fail(fails);
        let answers = [
            sessions.load(&key, now).await.is_err(),
            sessions.load_now(&key, now).unwrap().is_err(),
            sessions.touch(&key, now).await.is_err(),
            sessions.delete(&key, now).await.is_err(),
            sessions.list_by_user(&user, now).await.is_err(),
            sessions.delete_by_user(&user, None, now).await.is_err(),
            sessions.purge_expired(now).await.is_err(),
        ];
        assert_eq!(answers, [fails; 7]);
        assert_eq!(kept.calls().load, 2 * round, "load and load_now are both loads");
        assert_eq!(kept.calls().total(), 7 * round);
    }
    kept.reset_calls();
    assert_eq!(kept.calls(), SessionCalls::default());

    kept.fail(false);
    assert!(sessions.load(&key, now).await.unwrap().is_none(), "it recovers");
}

#[tokio::test]
async fn a_fault_names_the_store() {
    let sessions = FailingSessions::new(MemorySessions::new());
    sessions.fail(true);
    let fault = sessions.purge_expired(Utc::now()).await.unwrap_err();
    assert!(matches!(fault, Error::Store { store: "session", .. }), "{fault}");
}

#[tokio::test]
async fn users_fail_on_demand_as_well() {
    let users = FailingUsers::new(Arc::new(Nobody));
    let kept = users.clone();
    assert!(users.by_id(&1).await.unwrap().is_none());
    assert!(users.by_id_now(&1).unwrap().unwrap().is_none());
    kept.fail(true);
    assert!(matches!(users.by_id_now(&1), Some(Err(Error::Store { store: "user", .. }))));
    assert!(users.by_login("x").await.is_err());
    assert!(users.raise_epoch(&1).await.is_err());
    assert_eq!(
        kept.calls(),
        UserCalls { by_id: 3, by_login: 1, raise_epoch: 1, ..UserCalls::default() }
    );
}

#[derive(Clone)]
struct Ghost(u32);

impl AuthUser for Ghost {
    type Id = u32;
    type Role = NoRole;
    const META: &'static UserMeta = &UserMeta {
        name: "Ghost",
        path: "Ghost",
        table: "ghosts",
        columns: &["id"],
        id: "id",
        login: &[],
        password: None,
        login_time: None,
        login_ip: None,
        epoch: None,
        active: None,
        token: None,
        roles: RoleSource::Column,
        schemes: &[],
    };

    fn id(&self) -> &u32 {
        &self.0
    }

    fn login_name(&self, _: usize) -> Option<&str> {
        None
    }
}

/// A store without users.
struct Nobody;

#[async_trait]
impl UserStore<Ghost> for Nobody {
    async fn by_id(&self, _: &u32) -> Result<Option<Arc<Ghost>>, Error> {
        Ok(None)
    }

    fn by_id_now(&self, _: &u32) -> Option<Result<Option<Arc<Ghost>>, Error>> {
        Some(Ok(None))
    }

    async fn by_login(&self, _: &str) -> Result<Lookup<Ghost>, Error> {
        Ok(Lookup::None)
    }

    async fn set_login(&self, _: &u32, _: DateTime<Utc>, _: Option<IpAddr>) -> Result<(), Error> {
        Ok(())
    }

    async fn set_password(
        &self,
        _: &u32,
        _: PasswordChange<'_>,
    ) -> Result<Option<Arc<Ghost>>, Error> {
        Ok(None)
    }

    async fn raise_epoch(&self, _: &u32) -> Result<Option<i64>, Error> {
        Ok(None)
    }
}
