//! Exactly what the expansions of the macros may name. Nothing here is public interface.

use std::{collections::HashMap, future::Future, sync::Arc};

pub use auth_core::__private::*;
pub use poem;
use poem::{Endpoint, EndpointExt};
pub use poem_openapi;

pub use crate::{
    __impl_user as impl_user,
    gate::{Gate, Guarded, Returns},
    openapi::{document, register},
    param::{Arg, GuardedByMacro, HandlerArg, HandlerParam, OptionArg, Param},
};
use crate::{endpoint::Boxed, error::Result};

pub mod ask;

/// poem-openapi's table of routes.
pub type RouteTable =
    HashMap<String, HashMap<poem::http::Method, poem::endpoint::BoxEndpoint<'static>>>;

/// Adds the routes of an impl whose guards ask its methods: with each request goes the value.
pub fn add_routes_with<T: Send + Sync + 'static, S: poem_openapi::OpenApi>(
    api: &Arc<T>,
    shim: impl FnOnce(Arc<T>) -> S,
    routes: &mut RouteTable,
) {
    let mut own = RouteTable::new();
    shim(api.clone()).add_routes(&mut own);
    for (path, endpoints) in own {
        let known = routes.entry(path).or_default();
        for (method, endpoint) in endpoints {
            let endpoint = WithApi { api: api.clone(), endpoint: Boxed(endpoint) };
            known.insert(method, endpoint.boxed());
        }
    }
}

/// An endpoint whose requests carry the value of its impl.
struct WithApi<T> {
    api: Arc<T>,
    endpoint: Boxed,
}

impl<T: Send + Sync + 'static> Endpoint for WithApi<T> {
    type Output = poem::Response;

    fn call(
        &self,
        mut request: poem::Request,
    ) -> impl Future<Output = poem::Result<Self::Output>> + Send {
        request.extensions_mut().insert(self.api.clone());
        self.endpoint.call(request)
    }
}

/// The user whom the gate has let in.
///
/// # Errors
///
/// - the gate did not look for one: a fault of the macros
pub fn required<U: AuthUser>(request: &poem::Request) -> poem::Result<U> {
    optional(request)?.ok_or_else(|| {
        let message = "the gate let nobody in where a user is required";
        crate::extract::misplaced(message).into()
    })
}

/// The user whom the gate has let in, if there is one.
///
/// # Errors
///
/// - the gate did not look for one: a fault of the macros
pub fn optional<U: AuthUser>(request: &poem::Request) -> poem::Result<Option<U>> {
    let user: Result<Option<U>> = crate::extract::user_of(request);
    Ok(user?)
}

/// Compiles where the type can be a parameter of an operation; the macros ask it at the type.
pub const fn is_param<T: Param<'static>>() {}

/// Compiles where the type can be an optional parameter, or one of a handler.
pub const fn is_handler_param<T: HandlerParam<'static>>() {}

/// What a user is to poem: a parameter under our macros, and nothing outside of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __impl_user {
    ($user:ident) => {
        impl<'a> $crate::__private::Param<'a> for $user {
            type ParamType = ();
            type ParamRawType = ();

            async fn from_request(
                request: &'a $crate::__private::poem::Request,
                _: &mut $crate::__private::poem::RequestBody,
                _: $crate::__private::poem_openapi::ExtractParamOptions<()>,
            ) -> $crate::__private::poem::Result<Self> {
                $crate::__private::required(request)
            }

            fn ready(
                request: &'a $crate::__private::poem::Request,
            ) -> ::core::option::Option<$crate::__private::poem::Result<Self>> {
                ::core::option::Option::Some($crate::__private::required(request))
            }
        }

        impl<'a> $crate::__private::HandlerParam<'a> for $user {
            async fn required(
                request: &'a $crate::__private::poem::Request,
                _: &mut $crate::__private::poem::RequestBody,
            ) -> $crate::__private::poem::Result<Self> {
                $crate::__private::required(request)
            }

            async fn optional(
                request: &'a $crate::__private::poem::Request,
                _: &mut $crate::__private::poem::RequestBody,
            ) -> $crate::__private::poem::Result<::core::option::Option<Self>> {
                $crate::__private::optional(request)
            }

            fn ready(
                request: &'a $crate::__private::poem::Request,
            ) -> ::core::option::Option<
                $crate::__private::poem::Result<::core::option::Option<Self>>,
            > {
                ::core::option::Option::Some($crate::__private::optional(request))
            }
        }

        /// Makes the next condition depend on a lifetime, so that it is checked where the user is
        /// used and not here.
        #[allow(dead_code)]
        struct __AuthOutside<'a>(&'a ());

        // Never holds. It is here for its message: "nothing guards this operation".
        impl<'a> $crate::__private::poem::FromRequest<'a> for $user
        where
            __AuthOutside<'a>: $crate::__private::GuardedByMacro,
        {
            async fn from_request(
                request: &'a $crate::__private::poem::Request,
                _: &mut $crate::__private::poem::RequestBody,
            ) -> $crate::__private::poem::Result<Self> {
                $crate::__private::required(request)
            }
        }
    };
}
