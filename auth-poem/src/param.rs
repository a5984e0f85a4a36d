//! How a user becomes a parameter of an operation.
//!
//! poem's own traits cannot be implemented for users: an operation outside of `#[auth_api]` would
//! then authenticate too late, without a document, or not at all. The macros therefore wrap each
//! parameter whose type could be a user, and these traits tell the wrapper what is inside: a user,
//! or what poem and poem-openapi know anyway.

use futures_util::FutureExt;
use poem::{FromRequest, Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaRequest, MetaSchemaRef, Registry},
};

/// A type that can be a parameter of an operation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of an operation",
    label = "neither a user nor an extractor",
    note = "if `{Self}` is the user, write `#[derive(AuthUser)]` on it",
    note = "if it is the body or part of the request, use an extractor such as `Json<…>` or `Path<…>`"
)]
pub trait Param<'a>: Sized {
    /// As in [`ApiExtractor`].
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::PoemExtractor];
    /// As in [`ApiExtractor`].
    const PARAM_IS_REQUIRED: bool = false;
    /// As in [`ApiExtractor`].
    type ParamType;
    /// As in [`ApiExtractor`].
    type ParamRawType;

    /// As in [`ApiExtractor`].
    fn register(_registry: &mut Registry) {}

    /// As in [`ApiExtractor`].
    #[must_use]
    fn security_schemes() -> Vec<&'static str> {
        Vec::new()
    }

    /// As in [`ApiExtractor`].
    #[must_use]
    fn has_security_fallback() -> bool {
        false
    }

    /// As in [`ApiExtractor`].
    #[must_use]
    fn param_in() -> Option<MetaParamIn> {
        None
    }

    /// As in [`ApiExtractor`].
    #[must_use]
    fn param_schema_ref() -> Option<MetaSchemaRef> {
        None
    }

    /// As in [`ApiExtractor`].
    #[must_use]
    fn request_meta() -> Option<MetaRequest> {
        None
    }

    /// As in [`ApiExtractor`].
    fn param_raw_type(&self) -> Option<&Self::ParamRawType> {
        None
    }

    /// As in [`ApiExtractor`].
    fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<Self::ParamType>,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// The value, where it is there already: a user's, whom the gate has let in. It saves the
    /// request a boxed future.
    #[must_use]
    fn ready(_request: &'a Request) -> Option<Result<Self>> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<'a, T: ApiExtractor<'a>> Param<'a> for T {
    const TYPES: &'static [ApiExtractorType] = T::TYPES;
    const PARAM_IS_REQUIRED: bool = T::PARAM_IS_REQUIRED;
    type ParamType = T::ParamType;
    type ParamRawType = T::ParamRawType;

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        T::security_schemes()
    }

    fn has_security_fallback() -> bool {
        T::has_security_fallback()
    }

    fn param_in() -> Option<MetaParamIn> {
        T::param_in()
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        T::param_schema_ref()
    }

    fn request_meta() -> Option<MetaRequest> {
        T::request_meta()
    }

    fn param_raw_type(&self) -> Option<&Self::ParamRawType> {
        ApiExtractor::param_raw_type(self)
    }

    fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<Self::ParamType>,
    ) -> impl Future<Output = Result<Self>> + Send {
        <T as ApiExtractor<'a>>::from_request(request, body, options)
    }
}

/// A parameter whose type could be a user.
#[derive(Debug)]
pub struct Arg<T>(pub T);

impl<'a, T: Param<'a>> ApiExtractor<'a> for Arg<T> {
    const TYPES: &'static [ApiExtractorType] = T::TYPES;
    const PARAM_IS_REQUIRED: bool = T::PARAM_IS_REQUIRED;
    type ParamType = T::ParamType;
    type ParamRawType = T::ParamRawType;

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        T::security_schemes()
    }

    fn has_security_fallback() -> bool {
        T::has_security_fallback()
    }

    fn param_in() -> Option<MetaParamIn> {
        T::param_in()
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        T::param_schema_ref()
    }

    fn request_meta() -> Option<MetaRequest> {
        T::request_meta()
    }

    fn param_raw_type(&self) -> Option<&Self::ParamRawType> {
        self.0.param_raw_type()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        if let Some(ready) = T::ready(request) {
            return ready.map(Self);
        }
        // Boxed because of rust-lang/rust#100013, as in poem itself.
        T::from_request(request, body, options).boxed().await.map(Self)
    }
}

/// A type whose `Option` can be a parameter of an operation, or whose plain form can be one of a
/// poem handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an optional parameter, nor one of a handler",
    label = "neither a user nor an extractor",
    note = "if `{Self}` is the user, write `#[derive(AuthUser)]` on it"
)]
pub trait HandlerParam<'a>: Sized {
    /// The value, as an operation that declares it gets it.
    fn required(
        request: &'a Request,
        body: &mut RequestBody,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// The value, or none.
    fn optional(
        request: &'a Request,
        body: &mut RequestBody,
    ) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// As in [`Param::ready`].
    #[must_use]
    fn ready(_request: &'a Request) -> Option<Result<Option<Self>>> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<'a, T: FromRequest<'a>> HandlerParam<'a> for T {
    fn required(
        request: &'a Request,
        body: &mut RequestBody,
    ) -> impl Future<Output = Result<Self>> + Send {
        T::from_request(request, body)
    }

    fn optional(
        request: &'a Request,
        body: &mut RequestBody,
    ) -> impl Future<Output = Result<Option<Self>>> + Send {
        <Option<T> as FromRequest<'a>>::from_request(request, body)
    }
}

/// An optional parameter whose type could be a user.
#[derive(Debug)]
pub struct OptionArg<T>(pub Option<T>);

impl<'a, T: HandlerParam<'a>> FromRequest<'a> for OptionArg<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
        if let Some(ready) = T::ready(request) {
            return ready.map(Self);
        }
        T::optional(request, body).boxed().await.map(Self)
    }
}

/// A parameter of a plain handler whose type could be a user.
#[derive(Debug)]
pub struct HandlerArg<T>(pub T);

impl<'a, T: HandlerParam<'a>> FromRequest<'a> for HandlerArg<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
        T::required(request, body).boxed().await.map(Self)
    }
}

/// What a user would need to be a parameter outside of our macros. Nothing has it.
#[diagnostic::on_unimplemented(
    message = "a user can be a parameter only where a macro of auth-poem guards the operation",
    label = "nothing guards this operation",
    note = "write `#[auth_api]` in place of `#[OpenApi]`",
    note = "write `#[auth_poem::handler]` in place of `#[poem::handler]`"
)]
pub trait GuardedByMacro {}
