//! Several APIs as one: one table of routes, one entry for each path.

use std::{collections::HashMap, fmt, sync::Arc};

use poem::{
    Endpoint, EndpointExt, PathPattern, Request, Response, Result,
    error::{MethodNotAllowedError, NotFoundError},
    http::{HeaderValue, Method},
};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, Registry},
};

use crate::{
    __private::RouteTable,
    endpoint::Boxed,
    openapi::{finish, note, register_guard, served},
};

/// An API, or a tuple of several, as [`AuthApi`](crate::AuthApi) serves and documents it.
#[derive(Debug, Clone)]
pub struct Joined<T>(pub(crate) T);

impl<T: OpenApi> OpenApi for Joined<T> {
    fn meta() -> Vec<MetaApi> {
        finish(T::meta())
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
        register_guard(registry);
    }

    fn add_routes(self, routes: &mut RouteTable) {
        self.0.add_routes(routes);
        if served().slash_tolerant {
            add_twins(routes);
        }
        note(|seen| seen.allowed = Allowed::of(routes));
    }
}

/// Serves each path with and without a final slash.
fn add_twins(routes: &mut RouteTable) {
    for (path, methods) in std::mem::take(routes) {
        // Behind an asterisk there is every slash already.
        let twin = match path.strip_suffix('/') {
            _ if path == "/" || path.contains('*') => None,
            Some(shorter) => Some(shorter.to_owned()),
            None => Some(format!("{path}/")),
        };
        for (method, endpoint) in methods {
            let endpoint = Arc::new(Boxed(endpoint));
            if let Some(twin) = &twin {
                let twins = routes.entry(twin.clone()).or_default();
                let twin = Twin(endpoint.clone());
                twins.entry(method.clone()).or_insert_with(|| twin.boxed());
            }
            // The path as it is written goes before a twin.
            routes.entry(path.clone()).or_default().insert(method, endpoint.boxed());
        }
    }
}

/// An operation at its path with a final slash, or without.
struct Twin(Arc<Boxed>);

impl Endpoint for Twin {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        // poem lets a parameter in front of a slash be empty, and at the end of a path not.
        if request.uri().path().ends_with("//") {
            return Err(NotFoundError.into());
        }
        self.0.call(request).await
    }
}

/// For each path as poem knows it, the methods that it has.
#[derive(Default)]
pub(crate) struct Allowed(HashMap<String, HeaderValue>);

impl Allowed {
    fn of(routes: &RouteTable) -> Self {
        let entry = |(path, methods): (&String, &HashMap<Method, _>)| {
            let mut names: Vec<&str> = methods.keys().map(Method::as_str).collect();
            // poem answers HEAD as it does GET.
            if methods.contains_key(&Method::GET) && !methods.contains_key(&Method::HEAD) {
                names.push("HEAD");
            }
            names.sort_unstable();
            // Names of methods can always stand in a header.
            Some((path.clone(), HeaderValue::try_from(names.join(", ")).ok()?))
        };
        Self(routes.iter().filter_map(entry).collect())
    }

    /// The value of `Allow`, if the error is about the method. `mounted` is where the API is.
    pub(crate) fn header(
        &self,
        error: &poem::Error,
        mounted: Option<&PathPattern>,
    ) -> Option<HeaderValue> {
        if !error.is::<MethodNotAllowedError>() {
            return None;
        }
        let whole: &str = &error.data::<PathPattern>()?.0;
        let within = mounted.and_then(|mounted| whole.strip_prefix(&*mounted.0));
        within.and_then(|path| self.0.get(path)).or_else(|| self.0.get(whole)).cloned()
    }
}

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
