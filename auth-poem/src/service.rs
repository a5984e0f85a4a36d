//! An API together with its configuration: [`AuthApi`], which `auth.openapi(..)` makes.

use std::{collections::BTreeSet, fmt};

use auth_core::{
    config::Authenticator,
    guard::{Parameter, Policy},
};
use poem::{EndpointExt, IntoEndpoint, Middleware, endpoint::BoxEndpoint};
use poem_openapi::{OpenApi, OpenApiService};

use crate::{
    access::AccessReport,
    errors::{Errors, ErrorsEndpoint},
    layer::{AuthEndpoint, AuthLayer, Boxed},
    openapi::within,
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

    /// An API whose documents name what is enforced, with the names of this configuration.
    ///
    /// # Panics
    ///
    /// If an operation takes a user or a session that the configuration knows nothing of. That is
    /// found here, when the application starts, and not at the first request.
    #[track_caller]
    fn openapi<T: OpenApi>(&self, api: T, title: &str, version: &str) -> AuthApi<T>;
}

impl AuthenticatorExt for Authenticator {
    fn layer(&self) -> AuthLayer {
        AuthLayer::new(self.clone())
    }

    fn errors(&self) -> Errors {
        Errors::new(self.clone())
    }

    fn openapi<T: OpenApi>(&self, api: T, title: &str, version: &str) -> AuthApi<T> {
        let (_, seen) = within(self, T::meta);
        let problems = problems(self, &seen.policies);
        assert!(
            problems.is_empty(),
            "the API does not fit the configuration:{}",
            problems.iter().map(|problem| format!("\n- {problem}")).collect::<String>()
        );
        AuthApi { service: OpenApiService::new(api, title, version), auth: self.clone() }
    }
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
            }
        }
    }
    problems
}

/// An API, its configuration and its documents.
///
/// It is an endpoint: `Route::new().nest("/api", api)`.
pub struct AuthApi<T> {
    service: OpenApiService<T, ()>,
    auth: Authenticator,
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
                    within(&self.auth, || self.service.$endpoint().map_to_response().boxed()).0
                }

                #[doc = concat!("The document in ", $name, ", as a page.")]
                #[cfg(feature = $feature)]
                #[must_use]
                pub fn $html(&self) -> String {
                    within(&self.auth, || self.service.$html()).0
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
        configure: impl FnOnce(OpenApiService<T, ()>) -> OpenApiService<T, ()>,
    ) -> Self {
        self.service = configure(self.service);
        self
    }

    /// The address under which clients reach the API, as in `/api` or `https://example.org/api`.
    #[must_use]
    pub fn server(self, url: impl Into<String>) -> Self {
        let url: String = url.into();
        self.configure(|service| service.server(url))
    }

    /// Who may call what, one line per operation: method, path, who.
    ///
    /// Made from the policies that are enforced, for a snapshot in a test: a change of who may do
    /// what then shows in review.
    #[must_use]
    pub fn access_report(&self) -> AccessReport {
        let (_, seen) = within(&self.auth, T::meta);
        AccessReport::new(seen.operations)
    }

    /// The document as JSON.
    #[must_use]
    pub fn spec(&self) -> String {
        within(&self.auth, || self.service.spec()).0
    }

    /// The document as YAML.
    #[must_use]
    pub fn spec_yaml(&self) -> String {
        within(&self.auth, || self.service.spec_yaml()).0
    }

    /// The document as JSON, as an endpoint.
    #[must_use]
    pub fn spec_endpoint(&self) -> BoxEndpoint<'static> {
        within(&self.auth, || self.service.spec_endpoint().map_to_response().boxed()).0
    }
}

impl<T: OpenApi + 'static> IntoEndpoint for AuthApi<T> {
    type Endpoint = AuthEndpoint<ErrorsEndpoint<Boxed>>;

    fn into_endpoint(self) -> Self::Endpoint {
        let Self { service, auth } = self;
        let (endpoint, _) = within(&auth, || service.into_endpoint());
        auth.layer().transform(auth.errors().transform(Boxed(endpoint)))
    }
}
