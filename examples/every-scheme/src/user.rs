//! Who a user is, and what his clients learn of how they are known.

use auth_poem::{prelude::*, scheme::Identity};
use example_kit::Nullable;
use poem_openapi::Object;

/// What a user may be beyond being a user.
#[derive(AuthRole, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads reports.
    #[role(permissions("reports:read"))]
    Admin,
}

/// A row of the table `users`. Every way in leads to one of these.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "users", role = Role, schemes(bearer, session, basic, api_key, signature))]
pub struct User {
    /// Ids are uuids as text, which every engine keeps in the same way.
    #[auth(id)]
    pub(crate) id: String,
    #[auth(login)]
    pub(crate) username: String,
    /// None for somebody who comes from a provider.
    #[auth(password)]
    pub(crate) password: Option<PasswordHash>,
    #[auth(roles)]
    pub(crate) roles: Vec<Role>,
}

/// Who somebody is, and how he has proved it.
#[derive(Debug, Object)]
pub struct Caller {
    id: String,
    username: String,
    /// The way in.
    scheme: String,
    /// How far the credential reaches; null: as far as its user.
    scopes: Nullable<Vec<String>>,
}

impl Caller {
    /// The caller of an operation that takes a user, or one who has logged in just now.
    pub(crate) fn of(auth: &Auth<User>) -> Result<Self, Rejection> {
        let identity = auth.identity().ok_or(Rejection::MissingCredentials)?;
        Ok(Self::from(&identity))
    }
}

impl From<&Identity<User>> for Caller {
    fn from(identity: &Identity<User>) -> Self {
        Self {
            id: identity.user.id.clone(),
            username: identity.user.username.clone(),
            scheme: identity.scheme.name().into(),
            scopes: Nullable(identity.scopes.list().map(<[String]>::to_vec)),
        }
    }
}

/// The same of somebody who may be nobody.
#[derive(Debug, Object)]
pub struct MaybeCaller {
    #[oai(skip_serializing_if_is_none)]
    id: Option<String>,
    /// Null: nobody.
    username: Nullable<String>,
    #[oai(skip_serializing_if_is_none)]
    scheme: Option<String>,
    #[oai(skip_serializing_if_is_none)]
    scopes: Option<Nullable<Vec<String>>>,
}

impl From<Option<Identity<User>>> for MaybeCaller {
    fn from(identity: Option<Identity<User>>) -> Self {
        match identity.as_ref().map(Caller::from) {
            Some(Caller { id, username, scheme, scopes }) => Self {
                id: Some(id),
                username: Nullable(Some(username)),
                scheme: Some(scheme),
                scopes: Some(scopes),
            },
            None => Self { id: None, username: Nullable(None), scheme: None, scopes: None },
        }
    }
}
