//! An API together with its configuration: [`AuthApi`], which `auth.openapi(..)` makes.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
};

use auth_core::{
    config::Authenticator,
    guard::{Parameter, Policy, UserType},
    scheme::SchemeKind,
    user::AuthUser,
};
use poem::{EndpointExt, IntoEndpoint, Middleware, endpoint::BoxEndpoint};
use poem_openapi::{OpenApi, OpenApiService, registry::MetaApi};

use crate::{
    access::AccessReport,
    before_routing::Guard,
    endpoint::{ApiEndpoint, Boxed},
    errors::Errors,
    joined::Joined,
    layer::{AuthEndpoint, AuthLayer},
    openapi::{Served, within},
    routes::{JwksEndpoint, TokenRoutes},
};

/// What auth-poem adds to the configured [`Authenticator`].
pub trait AuthenticatorExt {
    /// The middleware that serves plain handlers with authentication. APIs from
    /// [`openapi`](Self::openapi) bring it along; two of one configuration around each other do no
    /// harm.
    fn layer(&self) -> AuthLayer;

    /// The middleware that answers what poem itself refuses, such as an unknown address, in the
    /// form of all other errors.
    fn errors(&self) -> Errors;

    /// A guard that lets only known users of this type through to the routes, whatever the routes
    /// ask.
    ///
    /// # Panics
    ///
    /// If the configuration knows nothing of that type.
    #[track_caller]
    fn guard<U: AuthUser>(&self) -> Guard<U>;

    /// An API whose documents name what is enforced, with the names of this configuration.
    ///
    /// # Panics
    ///
    /// If an operation takes a user or a session that the configuration knows nothing of, or if two
    /// operations of a tuple of APIs have one path and method. That is found here, when the
    /// application starts, and not at the first request.
    #[track_caller]
    fn openapi<T: OpenApi>(&self, api: T, title: &str, version: &str) -> AuthApi<T>;

    /// The token endpoint and its revocation, for this type of user: an API to put beside the
    /// application's own.
    ///
    /// # Panics
    ///
    /// If the configuration knows nothing of that type, or if the type has no tokens.
    #[track_caller]
    fn token_routes<U: AuthUser>(&self) -> TokenRoutes;

    /// The public keys of the tokens, as an endpoint for `/.well-known/jwks.json`.
    ///
    /// # Panics
    ///
    /// If there are no tokens.
    #[track_caller]
    fn jwks(&self) -> JwksEndpoint;
}

impl AuthenticatorExt for Authenticator {
    fn layer(&self) -> AuthLayer {
        AuthLayer::new(self.clone())
    }

    fn errors(&self) -> Errors {
        Errors::new(self.clone())
    }

    fn guard<U: AuthUser>(&self) -> Guard<U> {
        let name = U::META.name;
        assert!(
            self.has_user(std::any::TypeId::of::<U>()),
            "the guard wants a `{name}`; call `.user::<{name}>(..)` on AuthConfig"
        );
        Guard::new(self.clone())
    }

    fn openapi<T: OpenApi>(&self, api: T, title: &str, version: &str) -> AuthApi<T> {
        let served = Served::default();
        let (apis, seen) = within(self, &served, Joined::<T>::meta);
        let mut problems = problems(self, &seen.policies);
        problems.extend(repeated(&apis));
        assert!(
            problems.is_empty(),
            "the API does not fit the configuration:{}",
            problems.iter().map(|problem| format!("\n- {problem}")).collect::<String>()
        );
        let service = OpenApiService::new(Joined(api), title, version);
        AuthApi { service, auth: self.clone(), served, options: false }
    }

    fn token_routes<U: AuthUser>(&self) -> TokenRoutes {
        let (name, id) = (U::META.name, std::any::TypeId::of::<U>());
        assert!(
            self.has_user(id),
            "the token routes want a `{name}`; call `.user::<{name}>(..)` on AuthConfig"
        );
        assert!(
            self.schemes(id).contains(&SchemeKind::Bearer),
            "the token routes want tokens of a `{name}`; declare `schemes(bearer)` on it"
        );
        TokenRoutes::of::<U>()
    }

    fn jwks(&self) -> JwksEndpoint {
        match self.public_jwks() {
            Some(Ok(document)) => JwksEndpoint::new(document),
            Some(Err(error)) => panic!("the public keys cannot be written: {error}"),
            None => panic!("there are no keys to publish; call `.jwt(..)` on AuthConfig"),
        }
    }
}

/// Operations that stand in each other's place: poem would serve only one of them.
fn repeated(apis: &[MetaApi]) -> Vec<String> {
    let mut known = HashSet::new();
    let mut repeated = Vec::new();
    for path in apis.iter().flat_map(|api| &api.paths) {
        // To poem, parameters of different names are the same.
        let parameter = |part: &'_ str| if part.starts_with('{') { "{}" } else { part }.to_owned();
        let shape: Vec<String> = path.path.split('/').map(parameter).collect();
        for operation in &path.operations {
            if !known.insert((operation.method.clone(), shape.clone())) {
                let (method, path) = (&operation.method, &path.path);
                repeated.push(format!("`{method} {path}` is there twice; leave one of them"));
            }
        }
    }
    repeated
}

/// What operations ask for and the configuration does not have.
fn problems(auth: &Authenticator, policies: &[&'static Policy]) -> BTreeSet<String> {
    let mut problems = BTreeSet::new();
    for policy in policies {
        let operation = policy.name;
        for parameter in policy.asks() {
            let user = match parameter {
                Parameter::User(principal) => &principal.user,
                Parameter::Handle(user) => user,
                Parameter::Session => {
                    if auth.session_store().is_none() {
                        problems.insert(format!(
                            "`{operation}` takes a session; call `.sessions(..)` on AuthConfig"
                        ));
                    }
                    continue;
                }
            };
            if !auth.has_user((user.id)()) {
                let name = user.meta.name;
                problems.insert(format!(
                    "`{operation}` takes a `{name}`; call `.user::<{name}>(..)` on AuthConfig"
                ));
            } else if is_closed(auth, policy, user) {
                let (name, only) = (user.meta.name, policy.schemes.join("`, `"));
                problems.insert(format!(
                    "nobody could call `{operation}`: of a `{name}` it wants `{only}`, which \
                     AuthConfig::disable_scheme takes away"
                ));
            }
        }
    }
    problems
}

/// Whether none of the schemes that an operation wants of a user is left.
fn is_closed(auth: &Authenticator, policy: &Policy, user: &UserType) -> bool {
    let mut schemes = auth.schemes((user.id)()).iter();
    let takes = policy.users().any(|taken| (taken.user.id)() == (user.id)());
    takes
        && !policy.schemes.is_empty()
        && !schemes.any(|scheme| policy.schemes.contains(&scheme.name()))
}

/// An API, its configuration and its documents.
///
/// It is an endpoint: `Route::new().nest("/api", api)`.
pub struct AuthApi<T> {
    service: OpenApiService<Joined<T>, ()>,
    auth: Authenticator,
    served: Served,
    options: bool,
}

impl<T> fmt::Debug for AuthApi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthApi").field("auth", &self.auth).finish_non_exhaustive()
    }
}

/// A viewer of poem-openapi, by the name that it has there.
macro_rules! viewers {
    ($($feature:literal $endpoint:ident $html:ident $name:literal;)*) => {
        impl<T: OpenApi> AuthApi<T> {
            $(
                #[doc = concat!("The document in ", $name, ", as an endpoint.")]
                #[cfg(feature = $feature)]
                #[must_use]
                pub fn $endpoint(&self) -> BoxEndpoint<'static> {
                    self.within(|| self.service.$endpoint().map_to_response().boxed())
                }

                #[doc = concat!("The document in ", $name, ", as a page.")]
                #[cfg(feature = $feature)]
                #[must_use]
                pub fn $html(&self) -> String {
                    self.within(|| self.service.$html())
                }
            )*
        }
    };
}

viewers! {
    "swagger-ui" swagger_ui swagger_ui_html "Swagger UI";
    "rapidoc" rapidoc rapidoc_html "RapiDoc";
    "redoc" redoc redoc_html "Redoc";
    "scalar" scalar scalar_html "Scalar";
    "openapi-explorer" openapi_explorer openapi_explorer_html "OpenAPI Explorer";
    "stoplight-elements" stoplight_elements stoplight_elements_html "Stoplight Elements";
}

impl<T: OpenApi> AuthApi<T> {
    /// Sets what poem-openapi's service has options for: servers, description, contact, …
    ///
    /// ```text
    /// auth.openapi(api, "Accounts", "1.0").configure(|service| service.server("/api"))
    /// ```
    #[must_use]
    pub fn configure(
        mut self,
        configure: impl FnOnce(OpenApiService<Joined<T>, ()>) -> OpenApiService<Joined<T>, ()>,
    ) -> Self {
        self.service = configure(self.service);
        self
    }

    /// The address under which clients reach the API, as in `/api` or `https://example.org/api`.
    ///
    /// With [`guarded_by`](Self::guarded_by), the path of the first one says where the API is
    /// mounted inside of the guard.
    #[must_use]
    pub fn server(mut self, url: impl Into<String>) -> Self {
        let url: String = url.into();
        self.served.at.get_or_insert_with(|| path_of(&url).to_owned());
        self.configure(|service| service.server(url))
    }

    /// Says that the API stands inside of a guard, for documents and the access report: operations
    /// that are not excluded need a user there, also if they do not take one.
    ///
    /// [`server`](Self::server) says where the API is mounted, `/` if it is not called. An
    /// excluded path that is only one of those that an operation serves does not show.
    ///
    /// # Security
    ///
    /// A request that has not passed the guard, because it was forgotten around the routes, is
    /// answered with 503.
    #[must_use]
    pub fn guarded_by<U: AuthUser>(mut self, guard: &Guard<U>) -> Self {
        self.served.guard = Some(guard.rules().clone());
        self
    }

    /// Serves every path with and without a final slash: `/status` and `/status/` are the same
    /// operation. Documents show the path as the operation has it.
    #[must_use]
    pub fn slash_tolerant(mut self) -> Self {
        self.served.slash_tolerant = true;
        self
    }

    /// Answers `OPTIONS` at every path with 200, an empty JSON object and the methods in `Allow`.
    /// Default: 405, as every method that a path does not have.
    ///
    /// It tells what a 405 tells as well. What other sites' pages ask beforehand
    /// is answered by poem's `Cors` around the routes.
    #[must_use]
    pub fn answers_options(mut self) -> Self {
        self.options = true;
        self
    }

    fn within<R>(&self, make: impl FnOnce() -> R) -> R {
        within(&self.auth, &self.served, make).0
    }

    /// Who may call what, one line per operation: method, path, who.
    ///
    /// Made from the policies that are enforced, for a snapshot in a test: a change of who may do
    /// what then shows in review.
    #[must_use]
    pub fn access_report(&self) -> AccessReport {
        let (_, seen) = within(&self.auth, &self.served, Joined::<T>::meta);
        AccessReport::new(seen.operations)
    }

    /// The document as JSON.
    #[must_use]
    pub fn spec(&self) -> String {
        self.within(|| self.service.spec())
    }

    /// The document as YAML.
    #[must_use]
    pub fn spec_yaml(&self) -> String {
        self.within(|| self.service.spec_yaml())
    }

    /// The document as JSON, as an endpoint.
    #[must_use]
    pub fn spec_endpoint(&self) -> BoxEndpoint<'static> {
        self.within(|| self.service.spec_endpoint().map_to_response().boxed())
    }
}

impl<T: OpenApi + 'static> IntoEndpoint for AuthApi<T> {
    type Endpoint = AuthEndpoint<ApiEndpoint>;

    fn into_endpoint(self) -> Self::Endpoint {
        let Self { service, auth, served, options } = self;
        let (routes, seen) = within(&auth, &served, || service.into_endpoint());
        let layer = auth.layer();
        layer.transform(ApiEndpoint {
            auth,
            routes: Boxed(routes),
            allowed: seen.allowed,
            options,
            guard: served.guard,
        })
    }
}

/// The path of an address, without a final slash: `/api` of `https://example.org/api/`.
fn path_of(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => url,
    };
    path.trim_end_matches('/')
}
