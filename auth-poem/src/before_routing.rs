//! A guard before routing: without a known user nobody gets to the routes at all.

use std::{fmt, marker::PhantomData, sync::Arc};

use auth_core::{
    config::Authenticator,
    guard::{AuthParameter, Policy, Principal},
    http::excluded::ExcludedPath,
    requirement::Requirement,
    user::AuthUser,
};
use poem::{Endpoint, IntoResponse, Middleware, Request, RequestBody, Response, Result};

use crate::{
    extract::{context_of, head_of, misplaced},
    gate::enter,
    layer::{AuthEndpoint, AuthLayer},
};

/// Refuses whoever is not a known user, before a route is looked for: `.with(guard)` around the
/// routes. [`guard`](crate::AuthenticatorExt::guard) makes one.
///
/// It refuses as an operation that takes `user: U` does, also where no route is, so a stranger
/// cannot find out which addresses there are. The user whom it has found is the one that operations
/// take; he is not looked up again. On excluded paths it looks at nothing: a credential that does
/// not hold is no obstacle there, unless the operation asks for a user itself.
///
/// An operation that takes no user still says `#[public]`: by itself it asks for nobody.
///
/// The preflight of CORS carries no credentials, so what answers it stands outside of the guard:
/// `.with(guard).with(Cors::new())`.
///
/// # Examples
///
/// ```
/// use auth_poem::prelude::*;
/// use poem::{EndpointExt, Route, test::TestClient};
/// use poem_openapi::payload::PlainText;
///
/// #[derive(AuthUser, Clone)]
/// #[auth(table = "users", schemes(session))]
/// struct User {
///     #[auth(id)]
///     id: i64,
/// }
///
/// struct Api;
///
/// #[auth_api]
/// impl Api {
///     #[public]
///     #[oai(path = "/status", method = "get")]
///     async fn status(&self) -> PlainText<&'static str> {
///         PlainText("OK")
///     }
///
///     #[public]
///     #[oai(path = "/count", method = "get")]
///     async fn count(&self) -> PlainText<&'static str> {
///         PlainText("2")
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let auth = AuthConfig::new()
/// #     .user::<User>(MemoryUsers::default())
/// #     .sessions(MemorySessions::default())
/// #     .build()?;
/// let guard = auth.guard::<User>().exclude("/api/status").exclude("/docs*");
/// let api = auth.openapi(Api, "Status", "1.0").server("/api").guarded_by(&guard);
/// let app = Route::new().nest("/docs", api.swagger_ui()).nest("/api", api).with(guard);
///
/// let client = TestClient::new(app);
/// client.get("/api/status").send().await.assert_status_is_ok();
/// for path in ["/api/count", "/api/nowhere", "/"] {
///     client.get(path).send().await.assert_status(poem::http::StatusCode::UNAUTHORIZED);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// The path is the one that the routes inside are going to see; nothing between them and the guard
/// may rewrite it. See [`ExcludedPath`] for what is compared: whatever is spelt in another way than
/// routes are written is guarded.
pub struct Guard<U> {
    auth: Authenticator,
    rules: Arc<Rules>,
    user: PhantomData<fn() -> U>,
}

/// What a guard does, without its type of user.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    policy: &'static Policy,
    excluded: Vec<ExcludedPath>,
}

/// Marks a request that a guard has let through.
#[derive(Clone)]
struct Passed(Arc<Rules>);

impl Rules {
    /// Whether a path needs no user.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        self.excluded.iter().any(|excluded| excluded.covers(path))
    }

    /// The user whom the guard wants.
    pub(crate) fn user(&self) -> Option<&'static Principal> {
        self.policy.users().next()
    }

    /// What the guard asks, as that of an operation which takes the user.
    pub(crate) fn policy(&self) -> &'static Policy {
        self.policy
    }

    /// Finds out whether the request has come through this guard, or one with the same rules.
    ///
    /// # Errors
    ///
    /// - it has not
    pub(crate) fn check(&self, request: &Request) -> Result<(), crate::Error> {
        match request.data::<Passed>() {
            Some(Passed(rules)) if std::ptr::eq(&**rules, self) || **rules == *self => Ok(()),
            _ => Err(misplaced(
                "the API is said to be guarded, and the request did not pass the guard; write \
                 `.with(guard)` around the routes, with all of its `exclude`s",
            )),
        }
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        let user = |rules: &Self| rules.user().map(|principal| (principal.user.id)());
        user(self) == user(other) && self.excluded == other.excluded
    }
}

/// The policy of an operation that takes a user and does nothing else.
struct Known<U>(PhantomData<U>);

impl<U: AuthUser> Known<U> {
    const POLICY: &'static Policy = &Policy {
        name: "the guard",
        public: false,
        parameters: &[Some(&<U as AuthParameter>::PARAMETER)],
        requirement: Requirement::LoggedIn,
        conceal: false,
        path: &[],
        subject: None,
        schemes: &[],
        rejects: &[],
    };
}

impl<U: AuthUser> Guard<U> {
    pub(crate) fn new(auth: Authenticator) -> Self {
        let rules = Rules { policy: Known::<U>::POLICY, excluded: Vec::new() };
        Self { auth, rules: Arc::new(rules), user: PhantomData }
    }

    /// Lets everybody through to this path, with or without a final slash; with an asterisk at its
    /// end, to all paths that begin so: `/api/status`, `/docs*`.
    ///
    /// # Panics
    ///
    /// If that is no path; the message says what to write.
    #[must_use]
    #[track_caller]
    pub fn exclude(mut self, path: &str) -> Self {
        match path.parse() {
            Ok(path) => Arc::make_mut(&mut self.rules).excluded.push(path),
            Err(error) => panic!("{error}"),
        }
        self
    }

    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }
}

impl<U> Clone for Guard<U> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone(), rules: self.rules.clone(), user: PhantomData }
    }
}

impl<U> fmt::Debug for Guard<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<U: AuthUser, E: Endpoint> Middleware<E> for Guard<U> {
    type Output = AuthEndpoint<GuardEndpoint<E>>;

    fn transform(&self, endpoint: E) -> Self::Output {
        let guarded = GuardEndpoint { rules: self.rules.clone(), endpoint };
        AuthLayer::new(self.auth.clone()).transform(guarded)
    }
}

/// What [`Guard`] makes of an endpoint.
#[derive(Debug)]
pub struct GuardEndpoint<E> {
    rules: Arc<Rules>,
    endpoint: E,
}

impl<E: Endpoint> Endpoint for GuardEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        if !self.rules.excludes(request.uri().path()) {
            let policy = self.rules.policy;
            let context = context_of(&request)?;
            if context.wants_body(policy, &head_of(&request)).is_some() {
                let (head, mut body) = request.split();
                enter(&head, &mut body, policy).await?;
                request = head;
                request.set_body(body.take()?);
            } else {
                enter(&request, &mut RequestBody::default(), policy).await?;
            }
        }
        request.set_data(Passed(self.rules.clone()));
        self.endpoint.call(request).await.map(IntoResponse::into_response)
    }
}
