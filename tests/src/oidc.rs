//! An application where people log in through providers.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use auth_core::error::{Error, Failure};
use auth_poem::{
    config::OidcConfig,
    features::{Account, ExternalAccounts, Oidc},
    identities::{ExternalId, IdentityStore, MemoryIdentities},
    oidc::{self, ExternalUser},
    prelude::*,
    routes::OidcApi,
};

use crate::{
    browser::{Answer, Browser},
    people::User,
    provider::{CLIENT_ID, CLIENT_SECRET, Person, Provider},
    world::World,
};

/// The address under which browsers reach the application.
pub const ADDRESS: &str = "https://shop.example/oidc";

/// What the application says of somebody new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// He gets an account.
    New,
    /// The account with his address, which was verified here.
    WithHisAddress,
    /// He gets none.
    Nobodys,
    /// The application's database is down.
    Unknown,
}

/// The application's accounts.
#[derive(Clone)]
pub struct Accounts {
    people: MemoryUsers<User>,
    whose: Arc<Mutex<Whose>>,
    seen: Arc<Mutex<Vec<ExternalUser>>>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}

#[async_trait]
impl ExternalAccounts<User> for Accounts {
    async fn account(&self, person: &ExternalUser) -> Result<Account<User>, Failure> {
        match *self.whose.lock().unwrap() {
            Whose::New => {
                let user = User {
                    id: Uuid::new_v4(),
                    username: format!("{} of {}", person.id.subject, person.provider),
                    email: format!("{}@elsewhere.example", Uuid::new_v4()),
                    password: None,
                    roles: Vec::new(),
                    permissions: Vec::new(),
                    epoch: 0,
                    active: true,
                    last_login: None,
                    last_ip: None,
                };
                self.people.insert(user.clone()).map_err(Error::user_store)?;
                Ok(Account::New(user))
            }
            Whose::WithHisAddress => {
                let told = person.email.as_deref().unwrap_or_default();
                let all = self.people.all();
                match all.iter().find(|user| user.email == told) {
                    Some(user) => Ok(Account::SameAddress {
                        user: (**user).clone(),
                        verified_email: user.email.clone(),
                    }),
                    None => Ok(Account::Refused),
                }
            }
            Whose::Nobodys => Ok(Account::Refused),
            Whose::Unknown => Err(Error::Application("the cellar is flooded".into()).into()),
        }
    }

    async fn logged_in(&self, _: &User, person: &ExternalUser) -> Result<(), Failure> {
        self.seen.lock().unwrap().push(person.clone());
        Ok(())
    }
}

/// The application, two providers `main` and `other`, and one that speaks as GitHub does, `hub`.
pub struct OidcWorld {
    /// Users, stores, time.
    pub world: World,
    /// A provider whose addresses are trusted.
    pub main: Provider,
    /// Another one, whose addresses are not.
    pub other: Provider,
    /// One that speaks as GitHub does.
    pub hub: Provider,
    /// Whose the identities are.
    pub identities: MemoryIdentities<User>,
    /// The configured logins.
    pub oidc: Oidc<User>,
    accounts: Accounts,
    browser: Browser,
}

impl std::fmt::Debug for OidcWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OidcWorld")
    }
}

/// The registration of the application at a provider.
pub fn registration(provider: &Provider) -> oidc::Provider {
    oidc::Provider::new(&provider.issuer, CLIENT_ID, CLIENT_SECRET)
}

impl OidcWorld {
    /// The application.
    pub async fn new() -> Self {
        let world = World::new().await;
        let main = Provider::start(&world.clock).await;
        let other = Provider::start(&world.clock).await;
        let hub = Provider::start(&world.clock).await;
        let identities = MemoryIdentities::new();
        let accounts = Accounts {
            people: world.people.clone(),
            whose: Arc::new(Mutex::new(Whose::New)),
            seen: Arc::default(),
        };
        let github = oidc::Provider::github_at(
            &hub.issuer,
            format!("{}/api", hub.issuer),
            CLIENT_ID,
            CLIENT_SECRET,
        );
        let oidc = OidcConfig::new(ADDRESS, identities.clone(), accounts.clone())
            .provider("main", registration(&main).trust_verified_email())
            .provider("other", registration(&other))
            .provider("hub", github)
            .home("/home")
            .build(&world.auth)
            .unwrap();
        let routes = OidcApi::new(oidc.clone());
        let more = OidcMore { oidc: oidc.clone() };
        let api = world.auth.openapi((world.apis(), routes, more), "Tests", "1.0");
        let browser = World::serve(api);
        Self { world, main, other, hub, identities, oidc, accounts, browser }
    }

    /// What the application says of somebody new from now on.
    pub fn whose(&self, whose: Whose) {
        *self.accounts.whose.lock().unwrap() = whose;
    }

    /// Whom the application was told of, the last one first.
    #[must_use]
    pub fn seen(&self) -> Vec<ExternalUser> {
        let mut seen = self.accounts.seen.lock().unwrap().clone();
        seen.reverse();
        seen
    }

    /// A browser without cookies.
    #[must_use]
    pub fn browser(&self) -> Browser {
        self.browser.another()
    }

    /// A browser in which this user has logged in with his password.
    pub async fn logged_in(&self, name: &str) -> Browser {
        self.browser().logged_in(name).await
    }

    /// Begins a login, and returns the address at the provider.
    pub async fn begin(&self, browser: &Browser, provider: &str) -> String {
        location(&browser.get(format!("/oidc/{provider}/login")).await)
    }

    /// Begins to add an identity, and returns the address at the provider.
    pub async fn begin_link(&self, browser: &Browser, provider: &str) -> String {
        location(&browser.post(format!("/oidc/{provider}/link")).await.is(303))
    }

    /// A whole login at the provider `main`, as far as it goes.
    pub async fn log_in(&self, browser: &Browser, person: &Person) -> Answer {
        let url = self.begin(browser, "main").await;
        browser.get(self.main.log_in(&url, person)).await
    }

    /// The user to whom an identity belongs.
    pub async fn owner(&self, provider: &Provider, sub: &str) -> Option<Uuid> {
        let id = ExternalId { issuer: provider.issuer.clone(), subject: sub.into() };
        IdentityStore::<User>::owner(&self.identities, &id).await.unwrap()
    }

    /// How many users and identities there are: what an attack must not change.
    #[must_use]
    pub fn accounts(&self) -> (usize, String) {
        (self.world.people.all().len(), format!("{:?}", self.identities))
    }
}

/// Where an answer sends the browser.
#[track_caller]
#[must_use]
pub fn location(answer: &Answer) -> String {
    assert!([302, 303].contains(&answer.status), "{answer:?}");
    answer.all("location")[0].to_owned()
}

/// What an application adds to the ready routes.
#[derive(Debug)]
pub struct OidcMore {
    oidc: Oidc<User>,
}

#[auth_api]
impl OidcMore {
    /// Logs out here, and says where to log out at the provider.
    #[public]
    #[oai(path = "/oidc/logout", method = "post")]
    async fn oidc_logout(
        &self,
        auth: Auth<User>,
    ) -> auth_poem::Result<poem_openapi::payload::PlainText<String>> {
        let url = self.oidc.logout(&auth).await?;
        Ok(poem_openapi::payload::PlainText(url.unwrap_or_default()))
    }

    /// The subjects of one's identities.
    #[oai(path = "/oidc/identities", method = "get")]
    async fn own_identities(
        &self,
        _user: User,
        auth: Auth<User>,
    ) -> auth_poem::Result<poem_openapi::payload::Json<Vec<String>>> {
        let own = self.oidc.identities(&auth).await?;
        let subjects = own.into_iter().map(|link| link.id.subject).collect();
        Ok(poem_openapi::payload::Json(subjects))
    }

    /// Takes an identity of the provider `main` from the user.
    #[oai(path = "/oidc/identities/:sub", method = "delete")]
    async fn unlink(
        &self,
        _user: User,
        auth: Auth<User>,
        issuer: poem_openapi::param::Query<String>,
        sub: poem_openapi::param::Path<String>,
    ) -> auth_poem::Result<poem_openapi::payload::Json<bool>> {
        let id = ExternalId { issuer: issuer.0, subject: sub.0 };
        Ok(poem_openapi::payload::Json(self.oidc.unlink(&auth, &id).await?))
    }
}
