//! What the expansion of `#[require(check = …)]` names: the user and the request out of their hidden
//! types, and what a check may say.

use std::{any::Any, sync::Arc};

use auth_core::{
    error::{Error as Fault, Failure},
    http::AdapterRequest,
    user::{AuthUser, UserMeta},
};
use poem::Request;

use crate::{error::Error, path::request_of};

/// What a function that `#[require(check = …)]` names may return: `bool`, or a `Result` of one.
///
/// `false` refuses with 403 `forbidden`. An error is the answer itself: a
/// [`Rejection`](crate::rejection::Rejection) is that refusal, a fault is 503.
#[diagnostic::on_unimplemented(
    message = "a check cannot return `{Self}`",
    label = "neither `bool` nor a `Result` of it",
    note = "return `bool`, or `auth_poem::Result<bool>`"
)]
pub trait CheckResult {
    /// The answer.
    ///
    /// # Errors
    ///
    /// - the check refused by itself, or could not tell
    fn into_result(self) -> Result<bool, Failure>;
}

impl CheckResult for bool {
    fn into_result(self) -> Result<bool, Failure> {
        Ok(self)
    }
}

impl<E: Into<Error>> CheckResult for Result<bool, E> {
    fn into_result(self) -> Result<bool, Failure> {
        self.map_err(|error| error.into().into_failure())
    }
}

/// What a check said.
///
/// # Errors
///
/// - it refused by itself, or could not tell
pub fn said(result: impl CheckResult) -> Result<bool, Failure> {
    result.into_result()
}

/// The user whom a check is asked about.
///
/// # Errors
///
/// - the check takes another type of user; the macros refuse that before
pub fn user<U: AuthUser>(user: &(dyn Any + Send + Sync)) -> Result<&U, Failure> {
    user.downcast_ref().ok_or_else(|| {
        let name = U::META.name;
        Fault::Misconfigured(format!("a check takes a `{name}` and was asked about another user"))
            .into()
    })
}

/// The request that a check is asked about.
///
/// # Errors
///
/// - it is none of poem's
pub fn request(request: AdapterRequest<'_>) -> Result<&Request, Failure> {
    Ok(request_of(request)?)
}

/// The value of the impl whose method is asked.
///
/// # Errors
///
/// - the operation was not mounted by the macros' `OpenApi`
pub fn api<T: Send + Sync + 'static>(request: AdapterRequest<'_>) -> Result<&T, Failure> {
    let api = request_of(request)?.extensions().get::<Arc<T>>();
    api.map(|api| &**api).ok_or_else(|| {
        Fault::Misconfigured("a check was asked without the API whose method it is".into()).into()
    })
}

/// The user that a function takes.
#[must_use]
pub const fn whom<U: AuthUser, F>(_: fn(&'static U, &'static Request) -> F) -> &'static UserMeta {
    U::META
}

/// The user that a method takes.
#[must_use]
pub const fn whom_method<T, U: AuthUser, F>(
    _: fn(&'static T, &'static U, &'static Request) -> F,
) -> &'static UserMeta {
    U::META
}
