//! From a configuration to an [`Authenticator`]: everything that does not fit is found here.

use std::sync::Arc;

use chrono::TimeDelta;
use ipnet::IpNet;

use super::{
    AuthConfig, Authenticator, ConfigError,
    authenticator::{Inner, UserEntry},
};
use crate::{
    http::{cookie::SessionCookie, session_header},
    jwt::{JwtConfig, RefreshTokens, TrustedIssuer},
    scheme::{
        API_KEY, ApiKeyScheme, BASIC, BEARER, BasicScheme, BearerScheme, SESSION, SIGNATURE,
        SchemeKind, SignatureScheme, VerifiedPasswords,
    },
    session::{Carriers, SessionService},
    store::Purge,
    throttle::Attempts,
};

impl AuthConfig {
    /// Checks everything.
    ///
    /// # Errors
    ///
    /// - parts that do not fit, all of them at once: [`ConfigError`]
    pub fn build(mut self) -> Result<Authenticator, ConfigError> {
        let mut problems = self.cookie.as_ref().map(SessionCookie::problems).unwrap_or_default();
        if self.cookie.is_none() && self.session_header.is_none() {
            problems.push(
                "AuthConfig::without_session_cookie leaves sessions no way to travel; call \
                 AuthConfig::session_header too"
                    .into(),
            );
        }
        problems.extend(self.expiry.problems());
        problems.extend(self.session_limit_problem());
        problems.extend(self.refresh_lifetime.problems());
        let (own, foreign) = (self.jwt.is_some(), !self.trusted.is_empty());
        for (is_wrong, method) in [
            (self.refresh.is_some() && !own, "refresh_tokens"),
            (self.denied.is_some() && !own && !foreign, "deny_list"),
        ] {
            if is_wrong {
                problems.push(format!(
                    "AuthConfig::{method} was called, but there are no tokens: AuthConfig::jwt was \
                     not called"
                ));
            }
        }
        problems.extend(self.trust_problems());
        problems.extend(self.disable_schemes());
        problems.extend(self.user_problems());
        problems.extend(self.custom_problems());
        if self.token_prefix.is_empty()
            || !self.token_prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            problems.push(format!("the token prefix {:?} is no scheme name", self.token_prefix));
        }
        if self.password_flow.is_some() && !self.token_prefix.eq_ignore_ascii_case("Bearer") {
            problems.push(
                "AuthConfig::document_password_flow was called, but OAuth 2 knows tokens after \
                 `Bearer` only; leave AuthConfig::token_prefix out"
                    .into(),
            );
        }
        for origin in &self.allowed_origins {
            if !is_origin(origin) {
                problems.push(format!(
                    "{origin:?} is no origin; write it as in `https://app.example`, without a path"
                ));
            }
        }
        let header = self.session_header.and_then(|name| match session_header::name(&name) {
            Ok(name) => Some(name),
            Err(problem) => {
                problems.push(problem);
                None
            }
        });
        let trusted_proxies = self
            .trusted_proxies
            .iter()
            .filter_map(|text| match text.parse::<IpNet>() {
                Ok(network) => Some(network),
                Err(_) => {
                    problems.push(format!("{text:?} is no network; write it as in `10.0.0.0/8`"));
                    None
                }
            })
            .collect();
        let realm = self.realm.as_ref().unwrap_or(&self.issuer);
        let api_keys = self.api_keys.and_then(|keys| {
            problems.extend(keys.problems());
            let name = keys.header_name();
            match session_header::credential("the header for API keys", "x-api-key", name) {
                Ok(name) if header.as_ref() == Some(&name) => {
                    problems
                        .push(format!("sessions and API keys cannot share the header `{name}`"));
                    None
                }
                Ok(header) => Some(ApiKeyScheme {
                    bearer: keys.in_bearer().then(|| self.token_prefix.clone()),
                    realm: realm.clone(),
                    header,
                    keys,
                }),
                Err(problem) => {
                    problems.push(problem);
                    None
                }
            }
        });
        let signatures = self.signatures.map(|settings| {
            problems.extend(settings.problems());
            SignatureScheme { settings, realm: realm.clone() }
        });
        let prefix = self.token_prefix;
        let audience = self.audience.unwrap_or_else(|| self.issuer.clone());
        let cache = self.basic_cache.and_then(|lifetime| {
            if lifetime <= TimeDelta::zero() || lifetime > TimeDelta::hours(1) {
                problems.push(
                    "AuthConfig::cache_basic must be more than nothing and at most an hour".into(),
                );
                return None;
            }
            VerifiedPasswords::new(lifetime).map_err(|error| problems.push(error.to_string())).ok()
        });
        let realm = self.realm.clone().unwrap_or_else(|| self.issuer.clone());
        let basic = BasicScheme { realm, cache };
        let realm = self.realm.unwrap_or_else(|| audience.clone());
        let denied = self.denied;
        let trusted = self.trusted;
        let has_own = self.jwt.is_some();
        let jwt = self.jwt.and_then(|keys| {
            let mut config = JwtConfig::new(keys, self.issuer, audience);
            if let Some(lifetime) = self.token_lifetime {
                config = config.lifetime(lifetime);
            }
            match config.build() {
                Ok(jwt) => Some(jwt),
                Err(error) => {
                    problems.push(error.to_string());
                    None
                }
            }
        });
        let bearer = (has_own || !trusted.is_empty()).then_some(BearerScheme {
            jwt,
            trusted,
            prefix,
            realm,
            denied: denied.clone(),
        });
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        if self.sessions.is_some()
            && let Some(cookie) = self.cookie.as_ref().filter(|cookie| !cookie.is_secure())
        {
            tracing::warn!(
                cookie = cookie.name(),
                "the session cookie is sent over plain http; this is for development only"
            );
        }
        // Every store of the configuration that keeps what expires goes in here.
        let mut purged = self.purged;
        purged.extend(self.sessions.clone().map(|store| Arc::new(store) as Arc<dyn Purge>));
        purged.extend(self.refresh.clone().map(|store| Arc::new(store) as Arc<dyn Purge>));
        let keys = api_keys.as_ref().map(|scheme| scheme.keys.store().clone());
        purged.extend(keys.map(|store| Arc::new(store) as Arc<dyn Purge>));
        let keys = signatures.as_ref().map(|scheme| scheme.settings.keys.clone());
        purged.extend(keys.map(|store| Arc::new(store) as Arc<dyn Purge>));
        purged.extend(denied.map(|list| Arc::new(list) as Arc<dyn Purge>));
        let sessions = self.sessions.map(|store| SessionService {
            store,
            carriers: Carriers::new(self.cookie, header),
            expiry: self.expiry,
            limit: self.session_limit,
            fill: self.session_columns,
            clock: self.clock.clone(),
            disabled: self.disabled.iter().any(|name| name == SESSION),
        });
        if let Some(problem) = sessions.as_ref().and_then(SessionService::columns_problem) {
            return Err(ConfigError { problems: vec![problem] });
        }
        let lifetime = self.refresh_lifetime;
        let refresh = self.refresh.map(|store| RefreshTokens { store, lifetime });
        Ok(Authenticator {
            inner: Arc::new(Inner {
                users: self.users,
                sessions,
                purged,
                basic,
                bearer,
                api_keys,
                signatures,
                custom: self.custom,
                refresh,
                hasher: self.hasher,
                policy: self.policy,
                attempts: Attempts::new(self.throttle),
                allowed_origins: self.allowed_origins,
                trusted_proxies,
                clock: self.clock,
                responder: self.responder,
                challenges: self.challenges,
                verify_public: self.verify_public,
                password_flow: self.password_flow,
            }),
        })
    }

    fn session_limit_problem(&self) -> Option<String> {
        match self.session_limit? {
            (0, _) => Some(
                "AuthConfig::session_limit was called with 0, which lets nobody log in; to have no \
                 sessions, leave AuthConfig::sessions out"
                    .into(),
            ),
            _ if self.sessions.is_none() => Some(
                "AuthConfig::session_limit was called, but AuthConfig::sessions was not".into(),
            ),
            _ => None,
        }
    }

    /// Takes the disabled schemes from the users; says which of them are none.
    fn disable_schemes(&mut self) -> Vec<String> {
        let mut problems = Vec::new();
        let own: Vec<&str> =
            self.users.iter().flat_map(|user| &user.schemes).filter_map(own).collect();
        let mut known = vec![SESSION, BEARER, BASIC, API_KEY, SIGNATURE];
        known.extend(own);
        for name in &self.disabled {
            if !known.contains(&name.as_str()) {
                let (last, others) = known.split_last().unwrap_or((&"none", &[]));
                let known = format!("{} and {last}", others.join(", "));
                problems.push(format!(
                    "AuthConfig::disable_scheme was called with `{name}`; there are {known}"
                ));
            }
        }
        for user in &mut self.users {
            user.schemes.retain(|scheme| !self.disabled.iter().any(|name| name == scheme.name()));
        }
        problems
    }

    /// What does not fit of the other issuers.
    fn trust_problems(&self) -> Vec<String> {
        let mut problems: Vec<String> =
            self.trusted.iter().filter_map(TrustedIssuer::problem).collect();
        for (index, trusted) in self.trusted.iter().enumerate() {
            let issuer = trusted.issuer();
            if self.trusted[..index].iter().any(|other| other.issuer() == issuer) {
                problems.push(format!("AuthConfig::trust was called twice with {issuer:?}"));
            }
            if self.jwt.is_some() && issuer == self.issuer {
                problems.push(format!(
                    "{issuer:?} is a TrustedIssuer and this application too; give one of them \
                     another name, with AuthConfig::issuer"
                ));
            }
        }
        problems
    }

    fn user_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (index, user) in self.users.iter().enumerate() {
            let name = user.meta.name;
            for other in &self.users[..index] {
                if other.id == user.id {
                    problems.push(format!("AuthConfig::user was called twice with {name}"));
                } else if other.meta.table == user.meta.table {
                    problems.push(format!(
                        "{} and {name} have the same table, `{}`; their sessions and tokens could \
                         not be told apart",
                        other.meta.name, user.meta.table
                    ));
                }
            }
            problems.extend(user.problems.iter().cloned());
            if user.lacks_claims {
                problems.push(format!(
                    "{name} is made of claims, and its store makes no users; write \
                     `.user::<{name}>(ClaimsUsers::new())`"
                ));
            }
            if user.lacks_roles {
                problems.push(format!(
                    "{name} has `#[auth(roles(external))]`, and its store knows of no roles; write \
                     `.user::<{name}>(store.with_roles(roles))` with your RoleStore"
                ));
            }
            for scheme in user.meta.schemes {
                let kind = SchemeKind::from_name(scheme);
                if !user.schemes.contains(&kind) {
                    continue;
                }
                if let SchemeKind::Custom(scheme) = kind {
                    if !self.has_custom(user, scheme) {
                        problems.push(format!(
                            "{name} declares the scheme `{scheme}`, but \
                             AuthConfig::scheme::<{name}>(\"{scheme}\", ..) was not called"
                        ));
                    }
                } else if let Some(missing) = self.missing_for(kind, user) {
                    problems.push(format!("{name} declares the scheme `{scheme}`, but {missing}"));
                }
            }
        }
        problems
    }

    fn has_custom(&self, user: &UserEntry, name: &str) -> bool {
        self.custom.iter().any(|scheme| scheme.user == user.id && scheme.name == name)
    }

    /// What does not fit of the schemes of the application's own.
    fn custom_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (index, scheme) in self.custom.iter().enumerate() {
            let (user, name) = (scheme.user_name, scheme.name);
            problems.extend(scheme.problems());
            let declares =
                |entry: &&UserEntry| entry.id == scheme.user && entry.meta.schemes.contains(&name);
            if !self.users.iter().any(|entry| declares(&entry)) {
                problems.push(format!(
                    "AuthConfig::scheme::<{user}>({name:?}, ..) was called, but {user} is no \
                     configured user who declares it; write `schemes(custom = {name:?})`"
                ));
            }
            if let Some(prefix) = scheme.prefix() {
                // Where no tokens of our own are configured, the name is free for those of others.
                let tokens = self.jwt.as_ref().map(|_| self.token_prefix.as_str());
                let taken = [tokens, Some(BasicScheme::NAME)];
                if taken.iter().flatten().any(|taken| taken.eq_ignore_ascii_case(prefix)) {
                    problems.push(format!(
                        "the scheme `{name}` of {user} begins with `{prefix}`, as another one does"
                    ));
                }
            }
            let same_name = self.custom[..index].iter().find(|other| other.name == name);
            let Some(other) = same_name else { continue };
            if other.user == scheme.user {
                problems
                    .push(format!("AuthConfig::scheme::<{user}>({name:?}, ..) was called twice"));
            } else if other.info != scheme.info {
                let other = other.user_name;
                problems.push(format!(
                    "{other} and {user} have a scheme `{name}` each, and documents cannot tell \
                     them apart; give one of them another name"
                ));
            }
        }
        problems
    }

    /// What a scheme needs and a type of user does not have.
    fn missing_for(&self, scheme: SchemeKind, user: &UserEntry) -> Option<&'static str> {
        match scheme {
            SchemeKind::Session if self.sessions.is_none() => {
                Some("AuthConfig::sessions was not called")
            }
            SchemeKind::Bearer if user.from_claims && self.trusted.is_empty() => {
                Some("AuthConfig::trust was not called")
            }
            SchemeKind::Bearer if !user.from_claims && self.jwt.is_none() => {
                Some("AuthConfig::jwt was not called")
            }
            SchemeKind::Basic if user.meta.login.is_empty() => {
                Some("has no `#[auth(login)]` field")
            }
            SchemeKind::Basic if user.meta.password.is_none() => {
                Some("has no `#[auth(password)]` field")
            }
            SchemeKind::Basic if self.token_prefix.eq_ignore_ascii_case(BasicScheme::NAME) => {
                Some("AuthConfig::token_prefix gives tokens its name")
            }
            SchemeKind::ApiKey if self.api_keys.is_none() => {
                Some("AuthConfig::api_keys was not called")
            }
            SchemeKind::Signature if self.signatures.is_none() => {
                Some("AuthConfig::signatures was not called")
            }
            SchemeKind::Session
            | SchemeKind::Bearer
            | SchemeKind::Basic
            | SchemeKind::ApiKey
            | SchemeKind::Signature
            | SchemeKind::Custom(_) => None,
        }
    }
}

/// The name of a scheme, if it is one of the application's own.
fn own(scheme: &SchemeKind) -> Option<&'static str> {
    match scheme {
        SchemeKind::Custom(name) => Some(name),
        SchemeKind::Session
        | SchemeKind::Bearer
        | SchemeKind::Basic
        | SchemeKind::ApiKey
        | SchemeKind::Signature => None,
    }
}

/// Whether a text is an origin as browsers write it: `scheme://host` or `scheme://host:port`.
fn is_origin(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme().is_some()
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && !text.ends_with('/')
            && uri.path_and_query().is_none_or(|path| path.as_str() == "/")
    })
}
