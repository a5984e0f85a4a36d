//! Logging in through a provider of identities: [`OidcApi`].

use std::{fmt, marker::PhantomData};

use auth_core::{
    __private::Operation,
    features::{Callback, Oidc},
    guard::{AuthParameter, Policy},
    oidc::REFUSALS,
    requirement::Requirement,
    scheme::SESSION,
    user::AuthUser,
};
use poem::{IntoResponse, Response, Result, error::IntoResult};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    registry::{MetaApi, Registry},
};

use crate::{
    __private::RouteTable,
    error::Error,
    extract::Auth,
    gate::{Gate, Guarded, Returns},
    openapi::{document, register},
};

/// The routes of a login through providers.
///
/// | | |
/// |---|---|
/// | `GET /oidc/:provider/login?return_to=/path` | sends the browser to the provider |
/// | `GET /oidc/:provider/callback` | takes the browser back, logs in, sends it to `return_to` |
/// | `POST /oidc/:provider/link?return_to=/path` | sends a user who is logged in to the provider, to add an identity: the target of a form |
///
/// The address of [`OidcConfig`](auth_core::config::OidcConfig) is where these are mounted: for
/// `Route::new().nest("/api", api)` on `https://shop.example` it is `https://shop.example/api/oidc`,
/// and `https://shop.example/api/oidc/google/callback` is registered at the provider `google`.
///
/// # Examples
///
/// ```
/// use async_trait::async_trait;
/// use auth_poem::{
///     config::OidcConfig,
///     fault::Failure,
///     features::{Account, ExternalAccounts},
///     identities::MemoryIdentities,
///     oidc::{ExternalUser, Provider},
///     prelude::*,
///     routes::OidcApi,
/// };
/// use poem_openapi::payload::PlainText;
///
/// #[derive(AuthUser, Clone)]
/// #[auth(table = "users", schemes(session))]
/// struct User {
///     #[auth(id)]
///     id: Uuid,
///     name: String,
/// }
///
/// /// Makes an account for everybody who comes.
/// struct Signup(MemoryUsers<User>);
///
/// #[async_trait]
/// impl ExternalAccounts<User> for Signup {
///     async fn account(&self, person: &ExternalUser) -> Result<Account<User>, Failure> {
///         let name = person.name.clone().unwrap_or_default();
///         let user = User { id: Uuid::now_v7(), name };
///         self.0.insert(user.clone()).map_err(auth_poem::fault::Error::user_store)?;
///         Ok(Account::New(user))
///     }
/// }
///
/// struct Api;
///
/// #[auth_api]
/// impl Api {
///     #[oai(path = "/me", method = "get")]
///     async fn me(&self, user: User) -> PlainText<String> {
///         PlainText(user.name)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let users = MemoryUsers::default();
/// let auth = AuthConfig::new()
///     .user::<User>(users.clone())
///     .sessions(MemorySessions::default())
///     .build()?;
/// let oidc = OidcConfig::new("https://shop.example/api/oidc", MemoryIdentities::new(), Signup(users))
///     .provider("google", Provider::google("client id", "client secret"))
///     .provider("github", Provider::github("client id", "client secret"))
///     .build(&auth)?;
/// let api = auth.openapi((Api, OidcApi::new(oidc)), "Shop", "1.0").server("/api");
/// let app = poem::Route::new().nest("/api", api);
/// # Ok(())
/// # }
/// ```
pub struct OidcApi<U: AuthUser> {
    oidc: Oidc<U>,
}

impl<U: AuthUser> OidcApi<U> {
    /// The routes.
    #[must_use]
    pub fn new(oidc: Oidc<U>) -> Self {
        Self { oidc }
    }
}

impl<U: AuthUser> fmt::Debug for OidcApi<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcApi").field("oidc", &self.oidc).finish()
    }
}

/// Where a browser goes on that has followed a link.
#[derive(ApiResponse)]
enum Found {
    /// Go there.
    #[oai(status = 302)]
    There(
        /// Where.
        #[oai(header = "Location")]
        String,
    ),
}

/// Where a browser goes that has sent a form: 303, so that it does not send it again.
#[derive(ApiResponse)]
enum Redirect {
    /// Go there.
    #[oai(status = 303)]
    SeeOther(
        /// Where.
        #[oai(header = "Location")]
        String,
    ),
}

/// Declares the operations: by hand what `#[auth_api]` writes for a type that is not generic.
macro_rules! operations {
    ($($marker:ident $answer:ty, $name:literal public $public:literal [$($parameter:expr),*] $schemes:expr;)*) => {
        $(
            struct $marker<U>(PhantomData<fn() -> U>);

            impl<U: AuthUser> Operation for $marker<U> {
                const POLICY: &'static Policy = &Policy {
                    name: $name,
                    public: $public,
                    parameters: &[$(Some(&$parameter)),*],
                    requirement: Requirement::LoggedIn,
                    conceal: false,
                    path: &[],
                    subject: None,
                    schemes: $schemes,
                    rejects: REFUSALS,
                };
            }

            impl<U: AuthUser> Returns for $marker<U> {
                type Output = Result<$answer>;

                fn into_response(output: Self::Output) -> Result<Response> {
                    output.into_result().map(IntoResponse::into_response)
                }
            }
        )*

        fn policies<U: AuthUser>() -> Vec<&'static Policy> {
            vec![$($marker::<U>::POLICY),*]
        }
    };
}

operations! {
    Login Found, "oidc_login" public true [<Auth<U> as AuthParameter>::PARAMETER] &[];
    Back Found, "oidc_callback" public false
        [<Option<U> as AuthParameter>::PARAMETER, <Auth<U> as AuthParameter>::PARAMETER] &[SESSION];
    Link Redirect, "oidc_link" public false
        [<U as AuthParameter>::PARAMETER, <Auth<U> as AuthParameter>::PARAMETER] &[SESSION];
}

/// The operations as poem-openapi sees them.
struct Routes<U: AuthUser>(Oidc<U>);

#[OpenApi]
impl<U: AuthUser> Routes<U> {
    /// Sends the browser to a provider to log in.
    ///
    /// Afterwards it goes to `return_to`, a path of this site.
    #[oai(path = "/oidc/:provider/login", method = "get")]
    async fn oidc_login(
        &self,
        gate: Gate<Login<U>>,
        auth: Auth<U>,
        provider: Path<String>,
        return_to: Query<Option<String>>,
    ) -> Guarded<Login<U>> {
        gate.finish(async {
            let url = self.0.login_url(&auth, &provider, return_to.as_deref()).await;
            Ok(Found::There(url.map_err(Error::from)?))
        })
        .await
    }

    /// Takes the browser back from a provider, and logs in.
    #[oai(path = "/oidc/:provider/callback", method = "get")]
    #[allow(clippy::too_many_arguments, reason = "the parameters are those of the standards")]
    async fn oidc_callback(
        &self,
        gate: Gate<Back<U>>,
        auth: Auth<U>,
        provider: Path<String>,
        code: Query<Option<String>>,
        state: Query<Option<String>>,
        iss: Query<Option<String>>,
        error: Query<Option<String>>,
    ) -> Guarded<Back<U>> {
        gate.finish(async {
            let callback = Callback {
                code: code.as_deref(),
                state: state.as_deref(),
                iss: iss.as_deref(),
                error: error.as_deref(),
            };
            let finished = self.0.finish(&auth, &provider, callback).await;
            Ok(Found::There(finished.map_err(Error::from)?.return_to))
        })
        .await
    }

    /// Sends the browser of a user to a provider, to add an identity to the account.
    ///
    /// Afterwards it goes to `return_to`, a path of this site.
    #[oai(path = "/oidc/:provider/link", method = "post")]
    async fn oidc_link(
        &self,
        gate: Gate<Link<U>>,
        auth: Auth<U>,
        provider: Path<String>,
        return_to: Query<Option<String>>,
    ) -> Guarded<Link<U>> {
        gate.finish(async {
            let url = self.0.link_url(&auth, &provider, return_to.as_deref()).await;
            Ok(Redirect::SeeOther(url.map_err(Error::from)?))
        })
        .await
    }
}

impl<U: AuthUser> OpenApi for OidcApi<U> {
    fn meta() -> Vec<MetaApi> {
        document(<Routes<U> as OpenApi>::meta(), &policies::<U>())
    }

    fn register(registry: &mut Registry) {
        <Routes<U> as OpenApi>::register(registry);
        register(registry, &policies::<U>());
    }

    fn add_routes(self, routes: &mut RouteTable) {
        Routes(self.oidc).add_routes(routes);
    }
}
