//! What every user store must do, and a user to do it with.

use chrono::SubsecRound;
use futures_util::future::join_all;
use uuid::Uuid;

use super::*;
use crate::user::{AuthRole, LoginColumn, RoleSet, RoleSource, UserMeta};

mod cached;
mod memory;
mod roles;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    Admin,
    Editor,
}

impl AuthRole for Role {
    const NAMES: &'static [&'static str] = &["admin", "editor"];

    fn name(&self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Editor => "editor",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "admin" => Some(Self::Admin),
            "editor" => Some(Self::Editor),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct User {
    pub(super) id: Uuid,
    pub(super) username: String,
    pub(super) email: Option<String>,
    pub(super) password: Option<PasswordHash>,
    pub(super) roles: Vec<Role>,
    pub(super) permissions: Vec<String>,
    pub(super) last_login: Option<DateTime<Utc>>,
    pub(super) last_ip: Option<IpAddr>,
    pub(super) epoch: i64,
}

impl AuthUser for User {
    type Id = Uuid;
    type Role = Role;
    const META: &'static UserMeta = &UserMeta {
        name: "User",
        path: "tests::User",
        // A word of SQL, so that a name without quotes is found out.
        table: "group",
        columns: &[
            "id",
            "username",
            "email",
            "password_hash",
            "roles",
            "permissions",
            "last_login",
            "last_ip",
            "epoch",
        ],
        id: "id",
        login: &[
            LoginColumn { column: "username", ignore_case: false },
            LoginColumn { column: "email", ignore_case: true },
        ],
        password: Some("password_hash"),
        login_time: Some("last_login"),
        login_ip: Some("last_ip"),
        epoch: Some("epoch"),
        active: None,
        token: None,
        roles: RoleSource::Column,
        schemes: &["session"],
    };

    fn id(&self) -> &Uuid {
        &self.id
    }

    fn password(&self) -> Option<&PasswordHash> {
        self.password.as_ref()
    }

    fn login_name(&self, index: usize) -> Option<&str> {
        match index {
            0 => Some(&self.username),
            1 => self.email.as_deref(),
            _ => None,
        }
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.has_role(role)
    }

    fn epoch(&self) -> Option<i64> {
        Some(self.epoch)
    }

    fn set_login(&mut self, at: DateTime<Utc>, ip: Option<IpAddr>) {
        self.last_login = Some(at);
        self.last_ip = ip;
    }

    fn set_password(&mut self, hash: PasswordHash) {
        self.password = Some(hash);
    }

    fn set_epoch(&mut self, epoch: i64) {
        self.epoch = epoch;
    }
}

crate::__impl_sql_user! {
    User; id = Uuid;
    fields {
        id: Uuid = "id" as plain,
        username: String = "username" as plain,
        email: Option<String> = "email" as plain,
        password: Option<PasswordHash> = "password_hash" as plain,
        roles: Vec<Role> = "roles" as roles,
        permissions: Vec<String> = "permissions" as list,
        last_login: Option<DateTime<Utc>> = "last_login" as plain,
        last_ip: Option<IpAddr> = "last_ip" as ip,
        epoch: i64 = "epoch" as plain,
    }
}

pub(super) fn user(username: &str) -> User {
    User {
        id: Uuid::new_v4(),
        username: username.into(),
        email: Some(format!("{username}@example.org")),
        password: Some(PasswordHash::from_stored("$old")),
        roles: vec![Role::Editor],
        permissions: vec!["users:read".into(), "a \"b\"".into()],
        last_login: None,
        last_ip: None,
        epoch: 3,
    }
}

/// The users that [`obeys_the_contract`] expects in the store.
pub(super) fn users() -> [User; 4] {
    let mut trickster = user("trickster");
    // One user's name is another one's address.
    trickster.email = Some("alice".into());
    let mut guest = user("guest");
    (guest.email, guest.password, guest.roles) = (None, None, vec![]);
    [user("alice"), user("Bob"), trickster, guest]
}

pub(super) async fn obeys_the_contract(store: impl UserStore<User>, users: [User; 4]) {
    finds_users(&store, &users).await;
    let [alice, _, _, guest] = users;
    changes_passwords(&store, &alice, &guest).await;
    records_logins(&store, &alice).await;
    raises_epochs(&store, &guest).await;
}

async fn finds_users(store: &impl UserStore<User>, [alice, bob, trickster, guest]: &[User; 4]) {
    for user in [alice, bob, trickster, guest] {
        assert_eq!(store.by_id(&user.id).await.unwrap().as_deref(), Some(user));
    }
    assert_eq!(store.by_id(&Uuid::new_v4()).await.unwrap(), None);

    let lookup = async |name: &str| store.by_login(name).await.unwrap();
    let one = |user: &User| Lookup::One(Arc::new(user.clone()));
    assert_eq!(lookup("Bob").await, one(bob));
    assert_eq!(lookup("guest").await, one(guest));
    // The name must be as written, the address need not.
    assert_eq!(lookup("bob").await, Lookup::None);
    assert_eq!(lookup("BOB@Example.org").await, one(bob));
    // Found by both columns of one user, or by one column of two.
    assert_eq!(lookup("trickster").await, one(trickster));
    assert_eq!(lookup("alice").await, Lookup::Ambiguous);
    // No user, whatever it looks like.
    for name in ["", "%", "' OR 1=1 --", "email", "a\0", "nobody", "alice "] {
        assert_eq!(lookup(name).await, Lookup::None, "{name:?}");
    }
}

async fn changes_passwords(store: &impl UserStore<User>, user: &User, guest: &User) {
    let (old, new) = (user.password.as_ref(), PasswordHash::from_stored("$new"));
    let change = |replaces, raise_epoch| PasswordChange { replaces, hash: &new, raise_epoch };

    // Not what is there, or nobody: nothing happens.
    let other = PasswordHash::from_stored("$OLD");
    for replaces in [None, Some(&other)] {
        assert_eq!(store.set_password(&user.id, change(replaces, true)).await.unwrap(), None);
    }
    assert_eq!(store.set_password(&Uuid::new_v4(), change(old, true)).await.unwrap(), None);
    assert_eq!(store.by_id(&user.id).await.unwrap().as_deref(), Some(user));

    // One of many wins.
    let all = join_all((0..8).map(|_| store.set_password(&user.id, change(old, true)))).await;
    let winners: Vec<_> = all.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(winners.len(), 1);
    let expected = User { password: Some(new.clone()), epoch: 4, ..user.clone() };
    assert_eq!(*winners[0], expected);

    // A new hash of the same password leaves the epoch alone.
    let newer = PasswordHash::from_stored("$newer");
    let rehash = PasswordChange { replaces: Some(&new), hash: &newer, raise_epoch: false };
    let fresh = store.set_password(&user.id, rehash).await.unwrap().unwrap();
    assert_eq!((fresh.password.as_ref(), fresh.epoch), (Some(&newer), 4));
    assert_eq!(store.by_id(&user.id).await.unwrap(), Some(fresh));

    // A user without a password gets his first.
    assert_eq!(store.set_password(&guest.id, change(old, false)).await.unwrap(), None);
    let fresh = store.set_password(&guest.id, change(None, false)).await.unwrap().unwrap();
    assert_eq!(fresh.password, Some(new.clone()));
}

async fn records_logins(store: &impl UserStore<User>, user: &User) {
    let at = Utc::now().trunc_subsecs(3);
    for ip in [Some("2001:db8::7".parse().unwrap()), None] {
        store.set_login(&user.id, at, ip).await.unwrap();
        let fresh = store.by_id(&user.id).await.unwrap().unwrap();
        assert_eq!((fresh.last_login, fresh.last_ip), (Some(at), ip));
        assert_eq!(fresh.username, user.username);
    }
    store.set_login(&Uuid::new_v4(), at, None).await.unwrap();
}

async fn raises_epochs(store: &impl UserStore<User>, user: &User) {
    assert_eq!(store.raise_epoch(&user.id).await.unwrap(), Some(user.epoch + 1));
    assert_eq!(store.raise_epoch(&user.id).await.unwrap(), Some(user.epoch + 2));
    assert_eq!(store.by_id(&user.id).await.unwrap().unwrap().epoch, user.epoch + 2);
    assert_eq!(store.raise_epoch(&Uuid::new_v4()).await.unwrap(), None);
}

/// A user with an id and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Device {
    pub(super) id: i64,
}

impl AuthUser for Device {
    type Id = i64;
    type Role = crate::user::NoRole;
    const META: &'static UserMeta = &UserMeta {
        name: "Device",
        path: "tests::Device",
        table: "devices",
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
        schemes: &["bearer"],
    };

    fn id(&self) -> &i64 {
        &self.id
    }

    fn login_name(&self, _: usize) -> Option<&str> {
        None
    }
}

crate::__impl_sql_user! { Device; id = i64; fields { id: i64 = "id" as plain } }

pub(super) async fn does_without_columns(store: impl UserStore<Device>, device: Device) {
    assert_eq!(store.by_id(&device.id).await.unwrap().as_deref(), Some(&device));
    assert_eq!(store.by_login("x").await.unwrap(), Lookup::None);
    store.set_login(&device.id, Utc::now(), None).await.unwrap();
    let hash = PasswordHash::from_stored("$new");
    let change = PasswordChange { replaces: None, hash: &hash, raise_epoch: true };
    let error = store.set_password(&device.id, change).await.unwrap_err();
    assert_eq!(error.to_string(), "tests::Device has no `#[auth(password)]` field");
    let error = store.raise_epoch(&device.id).await.unwrap_err();
    assert_eq!(error.to_string(), "tests::Device has no `#[auth(epoch)]` field");
}
