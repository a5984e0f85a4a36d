//! Three people and a site, to try the facade with.

use std::sync::Arc;

use auth_poem::{
    Error,
    prelude::*,
    secret::{SecurityStamp, SessionToken},
    session::{
        record::{DataSlot, SessionData, SessionLogin, SessionRecord},
        schema::SessionSchema,
    },
    user::UserKey,
};
use poem::{Request, error::InternalServerError, http::HeaderValue};
use serde_json::value::to_raw_value;

use crate::{
    SESSION_HEADER,
    rules::Rules,
    services::{
        Services,
        accounts::NewAccount,
        sites::{Site, SiteData},
    },
    session::UserSnapshot,
    user::{Grant, User},
};

/// Somebody.
struct Person {
    id: &'static str,
    login: &'static str,
    name: &'static str,
    /// The hash of the password, made once: three of them would keep a start waiting.
    password: &'static str,
    roles: &'static [&'static str],
    /// What old tests send as `x-session-id`. Everybody can guess it.
    session: &'static str,
}

const PEOPLE: [Person; 3] = [
    Person {
        id: "1",
        login: "admin",
        name: "Admin User",
        // admin-password-1
        password: "$argon2id$v=19$m=19456,t=2,p=1$P9lJKvw2rdKCfEcyHfzzeQ$\
                   FdE3zetd8CY++6Rnlz4jfIxK2+dITwPrO7JSMq3dPFk",
        roles: &["admin", "1:admin"],
        session: "111",
    },
    Person {
        id: "2",
        login: "user1",
        name: "User #1",
        // user1-password-1
        password: "$argon2id$v=19$m=19456,t=2,p=1$TB0T7kSnX1q6OhvWYDanMA$\
                   V0nOi/knfh5YYc+9FuJGiersYzG6EDBQS8HEOM1u3Yw",
        roles: &["1:manager"],
        session: "222",
    },
    Person {
        id: "3",
        login: "user2",
        name: "User #2",
        // user2-password-1
        password: "$argon2id$v=19$m=19456,t=2,p=1$3ZFolnOmUAEj5rgkWYygHQ$\
                   fsbIZZwbalaR96k6nFgFW6X/y23PgSOhM/nTYJHNDL0",
        roles: &["1:user"],
        session: "333",
    },
];

/// Creates the site and the three people, as far as they are not there; who is there stays as he
/// is.
///
/// # Errors
///
/// - a service cannot answer
pub async fn plant(
    services: &Services,
    auth: &Authenticator,
    rules: Rules,
) -> auth_poem::Result<()> {
    let site = Site {
        id: "1".into(),
        code: None,
        create_time: Utc::now(),
        creator_id: "1".into(),
        deleted: None,
        data: SiteData::named("Site #1"),
    };
    let mut work = services.begin().await?;
    services.sites.create(&mut work, &site).await?;
    work.commit().await?;
    for person in &PEOPLE {
        let grants = person.grants()?;
        if person.create(services, &grants).await? && rules.sessions_of_seed {
            person.open_session(services, auth, &grants).await?;
        }
    }
    Ok(())
}

/// Replaces the name of a seeded session by its token, which is longer.
pub(crate) async fn known_sessions(mut request: Request) -> poem::Result<Request> {
    let mut sent = request.headers().get_all(SESSION_HEADER).iter();
    let (name, more) = (sent.next().and_then(|value| value.to_str().ok()), sent.next());
    let person = PEOPLE.iter().find(|person| name == Some(person.session));
    if let (Some(person), None) = (person, more) {
        let token = HeaderValue::try_from(person.token()).map_err(InternalServerError)?;
        request.headers_mut().insert(SESSION_HEADER, token);
    }
    Ok(request)
}

impl Person {
    fn grants(&self) -> auth_poem::Result<Vec<Grant>> {
        let grants = self.roles.iter().map(|role| role.parse());
        grants.collect::<Result<_, _>>().map_err(Error::fault)
    }

    /// Creates the account, if it is not there, and says whether it did.
    async fn create(&self, services: &Services, grants: &[Grant]) -> auth_poem::Result<bool> {
        let account = NewAccount {
            id: self.id,
            login: self.login,
            password: &PasswordHash::from_stored(self.password),
            name: self.name,
            time_zone: None,
            language: None,
            theme: None,
        };
        let mut work = services.begin().await?;
        let is_new = services.accounts.create(&mut work, &account).await?;
        if is_new {
            services.roles.grant(&mut work, self.id, grants).await?;
        }
        work.commit().await?;
        Ok(is_new)
    }

    /// Opens the session that everybody knows.
    async fn open_session(
        &self,
        services: &Services,
        auth: &Authenticator,
        grants: &[Grant],
    ) -> auth_poem::Result<()> {
        let snapshot = services.snapshot(self.id, grants).await?;
        let snapshot =
            DataSlot { value: to_raw_value(&snapshot).map_err(Error::fault)?, expires_at: None };
        let now = Utc::now();
        let record = SessionRecord {
            handle: Uuid::new_v4(),
            login: Some(SessionLogin {
                user: UserKey::from_id::<User>(&self.id.to_owned()),
                stamp: SecurityStamp::of_epoch(0),
                at: now,
            }),
            data: SessionData([(UserSnapshot::NAME.to_owned(), snapshot)].into()),
            created_at: now,
            last_active_at: now,
            idle_timeout: Duration::days(1),
            expires_at: now + Duration::days(30),
            persistent: true,
            ip: None,
            user_agent: None,
            columns: Default::default(),
            version: 1,
        };
        let (sessions, token) = (auth.session_store(), SessionToken::parse(self.token()));
        let (Some(sessions), Some(token)) = (sessions, token) else { return Ok(()) };
        sessions.create(&token.key(), Arc::new(record), None).await?;
        Ok(())
    }

    /// The name of the session, as long as a token.
    fn token(&self) -> String {
        format!("{:A<43}", self.session)
    }
}
