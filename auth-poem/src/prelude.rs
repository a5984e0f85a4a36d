//! What an application names: `use auth_poem::prelude::*;`.

#[cfg(feature = "sqlite")]
pub use auth_core::store::FileSessions;
#[cfg(feature = "redis")]
pub use auth_core::store::{Redis, RedisCache, RedisDenyList, RedisSessions};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use auth_core::{
    api_keys::SqlApiKeys,
    store::{SqlDenyList, SqlSessions, SqlTokens},
    users::{SqlRoles, SqlUsers},
};
pub use auth_core::{
    api_keys::{ApiKeys, MemoryApiKeys},
    clock::{Clock, ManualClock},
    config::{AuthConfig, Authenticator},
    expiry::Expiry,
    http::cookie::SessionCookie,
    jwt::JwtKeys,
    password::{PasswordHash, PasswordPolicy},
    rejection::Rejection,
    scopes::Scopes,
    secret::TokenId,
    store::{CachedSessions, MemoryCache, MemoryDenyList, MemorySessions, MemoryTokens, WhenFull},
    user::Scoped,
    users::{ClaimsUsers, GrantedScopes, MemoryUsers, Subject},
};
pub use chrono::{DateTime, Duration, Utc};
pub use uuid::Uuid;

pub use crate::{
    AuthConfigExt, AuthRole, AuthUser, ErrorBody, OtherError, SessionSchema, auth_api,
    before_routing::Guard,
    extract::{Auth, Claims, Session},
    layer::AuthLayer,
    path::RequestExt,
    public, rejects, require, schemes,
    service::{AuthApi, AuthenticatorExt},
};
