//! The application with everything that a test moves: users, stores, clock, gates.

use std::{fmt, sync::Arc};

use auth_core::testing::{FailingSessions, FailingUsers};
use auth_poem::{password::PasswordHasher, prelude::*, users::UserStore};
use poem::{EndpointExt, IntoEndpoint, Route, endpoint::BoxEndpoint};

use crate::{
    api::{self, Articles, plain},
    browser::Browser,
    gates::Gates,
    people::{Admin, Rank, Role, User},
};

/// An application as a client sees it.
pub type App = Arc<BoxEndpoint<'static>>;

/// The secret that signs the tokens of every world.
pub const JWT_SECRET: &[u8] = b"kJ2vQ9xw-7Rr!mZ4uB8e#Yc1Ts5Lh0PdGf3Nn6Aa";

/// The password of a user of every world.
#[must_use]
pub fn password_of(name: &str) -> String {
    format!("the long password of {}", name.to_lowercase())
}

/// An application and all that a test can do to it.
///
/// - `ann`, a user like any other; `bob`, with the role `admin`; `carl`, with the role `editor`; `mia`,
///   manager of the site `1`;
/// - `ina`, who is inactive; `nora`, who has no password;
/// - `twin@example.org`, which is one user's name and another one's address;
/// - two administrators of the second type, `root` (chief) and `clerk`.
pub struct World {
    /// The time.
    pub clock: ManualClock,
    /// Where the sessions are.
    pub sessions: FailingSessions,
    /// Where the users are, as the framework sees it.
    pub users: FailingUsers<User>,
    /// Where the users are, as the application's own database access sees it.
    pub people: MemoryUsers<User>,
    /// Where the administrators are.
    pub admins: FailingUsers<Admin>,
    /// The same, as the application sees it.
    pub staff: MemoryUsers<Admin>,
    /// Where slow operations wait.
    pub gates: Gates,
    /// What checks ask.
    pub articles: Articles,
    /// The configured framework.
    pub auth: Authenticator,
    app: App,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

/// A hasher that costs next to nothing.
#[must_use]
pub fn fast_hasher() -> PasswordHasher {
    PasswordHasher::dangerous_fast_for_tests().threads(1)
}

impl World {
    /// A world with the framework's defaults.
    pub async fn new() -> Self {
        Self::with(|config| config).await
    }

    /// A world with another configuration.
    pub async fn with(change: impl FnOnce(AuthConfig) -> AuthConfig) -> Self {
        let hasher = fast_hasher();
        let (people, staff) = (MemoryUsers::default(), MemoryUsers::default());
        populate(&people, &staff, &hasher).await;
        let clock = ManualClock::default();
        let sessions = FailingSessions::new(MemorySessions::new());
        let users = FailingUsers::new(Arc::new(people.clone()));
        let admins = FailingUsers::new(Arc::new(staff.clone()));
        let config = AuthConfig::new()
            .user::<User>(users.clone())
            .user::<Admin>(admins.clone())
            .sessions(sessions.clone())
            .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
            .hasher(hasher)
            .clock(clock.clone());
        let auth = change(config).build().unwrap();
        let gates = Gates::default();
        let articles = Articles::default();
        let apis = (api::apis(&gates, &people), api::sites(&articles));
        let api = auth.openapi(apis, "Tests", "1.0");
        let plain = plain::routes().with(auth.layer());
        let app = Route::new().nest("/plain", plain).nest("/", api);
        let app = Arc::new(app.into_endpoint().map_to_response().boxed());
        Self { clock, sessions, users, people, admins, staff, gates, articles, auth, app }
    }

    /// The operations of the application, for a document of their own.
    #[must_use]
    pub fn apis(&self) -> impl poem_openapi::OpenApi + use<> {
        (api::apis(&self.gates, &self.people), api::sites(&self.articles))
    }

    /// Another process of the same service: on the same sessions and keys, with a store of users of
    /// its own.
    #[must_use]
    pub fn node(&self, users: impl UserStore<User>) -> App {
        let config = AuthConfig::new()
            .user::<User>(users)
            .user::<Admin>(self.admins.clone())
            .sessions(self.sessions.clone())
            .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
            .hasher(fast_hasher())
            .clock(self.clock.clone());
        let api = config.build().unwrap().openapi(self.apis(), "Tests", "1.0");
        Arc::new(api.into_endpoint().map_to_response().boxed())
    }

    /// A new browser without cookies.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    /// A browser that talks to another application.
    pub fn serve(app: impl IntoEndpoint<Endpoint: 'static>) -> Browser {
        Browser::new(Arc::new(app.into_endpoint().map_to_response().boxed()))
    }

    /// A browser in which this user has logged in.
    pub async fn logged_in(&self, name: &str) -> Browser {
        self.browser().logged_in(name).await
    }

    /// A browser in which this administrator has logged in.
    pub async fn admin(&self, name: &str) -> Browser {
        let browser = self.browser();
        let login = serde_json::json!({ "name": name, "password": password_of(name) });
        let _ = browser.post("/admin/login").json(login).await.is(200);
        browser
    }

    /// A token of this user.
    pub async fn token(&self, name: &str) -> String {
        self.browser().token_from("/token", name).await
    }

    /// A token of this administrator.
    pub async fn admin_token(&self, name: &str) -> String {
        self.browser().token_from("/admin/token", name).await
    }

    /// The user of this name, as the database has him.
    #[must_use]
    pub fn user(&self, name: &str) -> User {
        let all = self.people.all();
        (**all.iter().find(|user| user.username == name).unwrap()).clone()
    }

    /// Changes a user in the database.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut User)) {
        assert_eq!(self.people.update(&self.user(name).id, change), Ok(true));
    }

    /// Has every store answer later, as over a network: the framework takes other ways then.
    pub fn stores_wait(&self) {
        self.sessions.wait(true);
        self.users.wait(true);
        self.admins.wait(true);
    }

    /// Lets time pass.
    pub fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Counts the calls of the stores from zero.
    pub fn reset_calls(&self) {
        self.sessions.reset_calls();
        self.users.reset_calls();
        self.admins.reset_calls();
    }
}

async fn populate(people: &MemoryUsers<User>, staff: &MemoryUsers<Admin>, hasher: &PasswordHasher) {
    for name in ["ann", "bob", "carl", "mia", "ina", "nora", "twin@example.org", "other"] {
        let password = match name {
            "nora" => None,
            _ => Some(hasher.hash(&password_of(name)).await.unwrap()),
        };
        let email = match name {
            "twin@example.org" => "one@example.org".into(),
            "other" => "twin@example.org".into(),
            _ => format!("{name}@example.org"),
        };
        let roles = match name {
            "bob" => vec![Role::Admin.into()],
            "carl" => vec![Role::Editor.into()],
            "mia" => vec![Scoped::in_scope("1", Role::Manager)],
            _ => Vec::new(),
        };
        people
            .insert(User {
                id: Uuid::new_v4(),
                username: name.into(),
                email,
                password,
                roles,
                permissions: Vec::new(),
                epoch: 0,
                active: name != "ina",
                last_login: None,
                last_ip: None,
            })
            .unwrap();
    }
    for (id, name, rank) in [(1, "root", Rank::Chief), (2, "clerk", Rank::Clerk)] {
        let password = hasher.hash(&password_of(name)).await.unwrap();
        staff.insert(Admin { id, name: name.into(), password, rank }).unwrap();
    }
}
