//! What an operation may declare: users, the handle to log in and out, session data.

use std::{
    fmt,
    net::IpAddr,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use auth_core::{
    context::Context,
    error::Failure,
    features::AuthHandle,
    guard::{AuthParameter, Parameter, UserType},
    http::RequestHead,
    rejection::Rejection,
    session::{live::LiveSession, schema::SessionSchema, untyped::Untyped},
    user::AuthUser,
};
use poem::{Addr, FromRequest, Request, RequestBody};
use serde::de::DeserializeOwned;

use crate::{
    error::{Error, Result},
    path::adapter_request,
};

/// The session's data of one kind: `session: Session<EmailSession>`, or `session: Session` for
/// values by key.
///
/// Reads and assigns like the data itself, and has the methods of [`LiveSession`].
///
/// # Errors
///
/// As a parameter: 403 `cross_site` when a page of another site sends an unsafe request, with the
/// session cookie or without, 503 when the store cannot answer. A cookie that resolves to nothing is no error:
/// the data is then `Default`.
pub struct Session<T: SessionSchema = Untyped>(LiveSession<T>);

/// The handle with which a request logs its user in and out: `auth: Auth<User>`.
///
/// Has the methods of [`AuthHandle`].
pub struct Auth<U: AuthUser>(AuthHandle<U>);

/// The claims of the request's bearer token, as serde reads them: `claims: Claims<Tenant>`, beside a
/// `user: User`.
///
/// What a login wrote with [`Login::claims`](auth_core::features::Login::claims), or what another
/// issuer says. They were verified when the user was found by this token; they are as old as the
/// token, other than what stands in the user's row.
///
/// # Errors
///
/// As a parameter: 401 `missing_credentials` where no user was found by a token, `invalid_token` where
/// the claims are not what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims<T>(pub T);

impl<T> Deref for Claims<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Claims<T> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let context = context_of(request)?;
        let read = async {
            let claims = context.token_claims(&head_of(request)).await?;
            let claims = claims.ok_or(Rejection::MissingCredentials)?;
            serde_json::from_str(&claims).map(Self).map_err(|error| {
                tracing::debug!(%error, "the claims of a token are not those that are asked for");
                Failure::from(Rejection::InvalidToken)
            })
        };
        read.await.map_err(|failure: Failure| Error::from(failure).under(context.auth()).into())
    }
}

impl<T: SessionSchema> Deref for Session<T> {
    type Target = LiveSession<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: SessionSchema> DerefMut for Session<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<U: AuthUser> Deref for Auth<U> {
    type Target = AuthHandle<U>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T: SessionSchema> AuthParameter for Session<T> {
    const PARAMETER: Parameter = Parameter::Session;
}

impl<U: AuthUser> AuthParameter for Auth<U> {
    const PARAMETER: Parameter = Parameter::Handle(UserType::of::<U>());
}

impl<'a, T: SessionSchema> FromRequest<'a> for Session<T> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        let context = context_of(request)?;
        match context.open_session(&head_of(request)).await {
            Ok(session) => Ok(Self(session)),
            Err(failure) => Err(Error::from(failure).under(context.auth()).into()),
        }
    }
}

impl<'a, U: AuthUser> FromRequest<'a> for Auth<U> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(AuthHandle::new(context_of(request)?.clone(), &head_of(request))))
    }
}

impl<T: SessionSchema> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<U: AuthUser> fmt::Debug for Auth<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The user whom the gate has let in.
pub(crate) fn user_of<U: AuthUser>(request: &Request) -> Result<Option<U>> {
    match context_of(request)?.known_user::<U>() {
        Some(user) => Ok(user.map(|user| U::clone(&user))),
        None => Err(misplaced("a user is read before the gate has looked")),
    }
}

/// The context that the layer has opened.
pub(crate) fn context_of(request: &Request) -> Result<&Arc<Context>> {
    request.extensions().get().ok_or_else(|| {
        misplaced(
            "no authentication layer; write `.with(auth.layer())` around the routes, or mount \
             the API through `auth.openapi(..)`",
        )
    })
}

/// A fault of the application's assembly. It refuses: without a context, nobody is known.
pub(crate) fn misplaced(message: &str) -> Error {
    auth_core::error::Error::Misconfigured(message.into()).into()
}

/// The head of a poem request.
pub(crate) fn head_of(request: &Request) -> RequestHead<'_> {
    RequestHead {
        method: request.method(),
        uri: request.original_uri(),
        headers: request.headers(),
        peer: peer_of(request),
        adapter: adapter_request(request),
    }
}

fn peer_of(request: &Request) -> Option<IpAddr> {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip()),
        _ => None,
    }
}
