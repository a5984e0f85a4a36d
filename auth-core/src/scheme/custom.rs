//! Schemes of the application's own.

use std::{
    any::{Any, TypeId},
    borrow::Cow,
    fmt,
    future::Future,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, future::BoxFuture};
use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, COOKIE},
};

use super::{Claim, RESERVED, SchemeKind};
use crate::{
    error::Failure,
    http::{RequestHead, authorization::challenge},
    rejection::Rejection,
    scopes::Scopes,
    secret::SecurityStamp,
    user::{AuthUser, UserKey},
};

/// A way of the application's own to prove who one is.
///
/// A type of user declares it as `#[auth(schemes(session, custom = "badge"))]`, and
/// [`AuthConfig::scheme`](crate::config::AuthConfig::scheme) says what stands behind the name. From
/// then on it is a scheme like those of the framework: tried in the order declared, joined with the
/// others, challenged, and in the document.
///
/// # Examples
///
/// ```
/// use auth_core::{error::Failure, http::RequestHead, rejection::Rejection};
/// use auth_core::scheme::{Proof, Scheme, SchemeInfo};
/// # use auth_core::__private as auth;
/// # #[derive(Clone)] struct User { id: i64 }
/// # impl auth::AuthUser for User {
/// #     type Id = i64;
/// #     type Role = auth::NoRole;
/// #     const META: &'static auth::UserMeta = &auth::UserMeta {
/// #         name: "User", path: "User", table: "users", columns: &["id"], id: "id", login: &[],
/// #         password: None, login_time: None, login_ip: None, epoch: None, active: None, token: None,
/// #         roles: auth::RoleSource::Column, schemes: &["badge"],
/// #     };
/// #     fn id(&self) -> &i64 { &self.id }
/// #     fn login_name(&self, _: usize) -> Option<&str> { None }
/// # }
/// # struct Badges;
/// # impl Badges { async fn owner(&self, _: &str) -> Result<Option<i64>, Failure> { Ok(Some(1)) } }
///
/// struct BadgeScheme { badges: Badges }
///
/// impl Scheme<User> for BadgeScheme {
///     fn info(&self) -> SchemeInfo {
///         SchemeInfo::header("x-badge").described("The number on the badge.")
///     }
///
///     async fn find(&self, head: &RequestHead<'_>) -> Result<Option<Proof<User>>, Failure> {
///         let Some(badge) = head.header("x-badge")? else { return Ok(None) };
///         let owner = self.badges.owner(badge).await?;
///         Ok(Some(Proof::of_id(owner.ok_or(Rejection::InvalidCredentials)?)))
///     }
/// }
/// # let users = auth_core::users::MemoryUsers::default();
/// # auth_core::config::AuthConfig::new()
/// #     .user::<User>(users).scheme::<User>("badge", BadgeScheme { badges: Badges }).build()?;
/// # Ok::<(), auth_core::config::ConfigError>(())
/// ```
pub trait Scheme<U: AuthUser>: Send + Sync + 'static {
    /// What is presented and where, for documents, challenges and preflights. Asked once, when the
    /// scheme is configured.
    fn info(&self) -> SchemeInfo;

    /// Whom the request's credential names: `None` if it presents none. Asked once per request and
    /// type of user at most, and only if one of the headers is there that [`info`](Self::info)
    /// names.
    ///
    /// # Errors
    ///
    /// - what was presented does not hold: [`Failure::Rejected`], usually with
    ///   [`Rejection::InvalidCredentials`]; that is the answer to the request, for `User` and for
    ///   `Option<User>`
    /// - nobody can tell: [`Failure::Fault`], never `None`
    ///
    /// # Security
    ///
    /// Compare secrets by their digests, or in constant time. The framework loads the user, and
    /// refuses one who is not active.
    fn find(
        &self,
        head: &RequestHead<'_>,
    ) -> impl Future<Output = Result<Option<Proof<U>>, Failure>> + Send;
}

/// Whom a credential names, and how far it reaches.
#[derive(Debug)]
#[must_use]
pub struct Proof<U: AuthUser> {
    user: UserKey,
    loaded: Option<Arc<U>>,
    scopes: Scopes,
    stamp: Option<SecurityStamp>,
    login_at: Option<DateTime<Utc>>,
}

impl<U: AuthUser> Proof<U> {
    /// The user with this id, who is then loaded from his store.
    pub fn of_id(id: U::Id) -> Self {
        Self::new(UserKey::from_id::<U>(&id), None)
    }

    /// This user, as his store has him now, or as the credential itself describes him.
    pub fn of_user(user: impl Into<Arc<U>>) -> Self {
        let user = user.into();
        Self::new(UserKey::of(&*user), Some(user))
    }

    fn new(user: UserKey, loaded: Option<Arc<U>>) -> Self {
        Self { user, loaded, scopes: Scopes::All, stamp: None, login_at: None }
    }

    /// Restricts the credential. Default: it reaches to all that its user may do.
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// The user's stamp when the credential was made; the credential ends when it differs from the
    /// user's, which is what a password change does. Default: none, and the user only has to be
    /// active.
    pub fn stamp(mut self, stamp: SecurityStamp) -> Self {
        self.stamp = Some(stamp);
        self
    }

    /// When the user proved in person who he is, for `#[require(fresh)]`. Default: never.
    pub fn login_at(mut self, at: DateTime<Utc>) -> Self {
        self.login_at = Some(at);
        self
    }
}

/// What a [`Scheme`] reads, and what documents and challenges say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct SchemeInfo {
    carrier: Carrier,
    description: Cow<'static, str>,
    challenge: Option<Cow<'static, str>>,
    reads: Vec<Cow<'static, str>>,
    ambient: bool,
    rejection: Rejection,
}

/// Where a credential stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carrier {
    /// In `Authorization`, behind this scheme name.
    Authorization(Cow<'static, str>),
    /// In a header of its own.
    Header(Cow<'static, str>),
    /// In a cookie.
    Cookie(Cow<'static, str>),
}

impl SchemeInfo {
    /// A credential in `Authorization`, behind this scheme name. Its challenge is the name with the
    /// configured realm.
    pub fn authorization(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Carrier::Authorization(name.into()), false)
    }

    /// A credential in a header of its own. It has no challenge unless
    /// [`challenged_as`](Self::challenged_as) gives it one.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Carrier::Header(name.into()), false)
    }

    /// A credential in a cookie. Browsers send cookies by themselves, so it is
    /// [`ambient`](Self::ambient).
    pub fn cookie(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Carrier::Cookie(name.into()), true)
    }

    fn new(carrier: Carrier, ambient: bool) -> Self {
        Self {
            carrier,
            description: Cow::Borrowed("A credential of this service."),
            challenge: None,
            reads: Vec::new(),
            ambient,
            rejection: Rejection::InvalidCredentials,
        }
    }

    /// What documents say of the credential.
    pub fn described(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.description = text.into();
        self
    }

    /// What `WWW-Authenticate` says, as in `Badge gate="north"`.
    pub fn challenged_as(mut self, challenge: impl Into<Cow<'static, str>>) -> Self {
        self.challenge = Some(challenge.into());
        self
    }

    /// A further header that the scheme reads.
    pub fn reads(mut self, header: impl Into<Cow<'static, str>>) -> Self {
        self.reads.push(header.into());
        self
    }

    /// Whether browsers present the credential by themselves, also for pages of other sites, as they
    /// do with cookies and client certificates. It then does not do for an unsafe request of another
    /// site's page.
    pub fn ambient(mut self, ambient: bool) -> Self {
        self.ambient = ambient;
        self
    }

    /// How a credential is refused whose user is gone or not active. Default:
    /// [`Rejection::InvalidCredentials`]. It should be what the scheme itself says of a credential
    /// that does not hold.
    pub fn refused_with(mut self, rejection: Rejection) -> Self {
        self.rejection = rejection;
        self
    }

    /// Where the credential stands.
    #[must_use]
    pub fn carrier(&self) -> &Carrier {
        &self.carrier
    }

    /// What documents say of it.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Whether browsers present it by themselves.
    #[must_use]
    pub fn is_ambient(&self) -> bool {
        self.ambient
    }

    /// How one that does not hold is refused.
    #[must_use]
    pub fn rejection(&self) -> &Rejection {
        &self.rejection
    }

    fn header_names(&self) -> impl Iterator<Item = &str> {
        let carrier = match &self.carrier {
            Carrier::Authorization(_) => AUTHORIZATION.as_str(),
            Carrier::Cookie(_) => COOKIE.as_str(),
            Carrier::Header(name) => name,
        };
        std::iter::once(carrier).chain(self.reads.iter().map(|name| &**name))
    }

    /// What does not fit, one sentence each.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for name in self.header_names() {
            if name.parse::<HeaderName>().is_err() {
                problems.push(format!("{name:?} is no name of a header"));
            }
        }
        match &self.carrier {
            Carrier::Authorization(name) if !is_name(name) => {
                problems.push(format!("{name:?} is no scheme name"));
            }
            Carrier::Cookie(name) if !is_name(name) => {
                problems.push(format!("{name:?} is no name of a cookie"));
            }
            _ => {}
        }
        let challenge = self.challenge.as_deref();
        if challenge.is_some_and(|text| text.is_empty() || HeaderValue::try_from(text).is_err()) {
            problems.push("its challenge cannot stand in a header".into());
        }
        problems
    }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// A scheme as it is configured, its type of user hidden.
pub(crate) struct CustomScheme {
    pub(crate) user: TypeId,
    pub(crate) user_name: &'static str,
    pub(crate) name: &'static str,
    pub(crate) info: SchemeInfo,
    headers: Vec<HeaderName>,
    /// A `Box<dyn Find<U>>`.
    find: Box<dyn Any + Send + Sync>,
}

/// The trait without its `impl Future`, so that it can be a value.
trait Find<U: AuthUser>: Send + Sync {
    fn find<'a>(&'a self, head: &'a RequestHead<'a>) -> Finding<'a, U>;
}

type Finding<'a, U> = BoxFuture<'a, Result<Option<Proof<U>>, Failure>>;

impl<U: AuthUser, S: Scheme<U>> Find<U> for S {
    fn find<'a>(&'a self, head: &'a RequestHead<'a>) -> Finding<'a, U> {
        Scheme::find(self, head).boxed()
    }
}

impl CustomScheme {
    pub(crate) fn new<U: AuthUser>(name: &'static str, scheme: impl Scheme<U>) -> Self {
        let info = scheme.info();
        let headers = info.header_names().filter_map(|name| name.parse().ok()).collect();
        let find: Box<dyn Find<U>> = Box::new(scheme);
        let user_name = U::META.name;
        Self { user: TypeId::of::<U>(), user_name, name, info, headers, find: Box::new(find) }
    }

    /// What does not fit, one sentence each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let Self { user_name, name, .. } = self;
        let mut problems = self.info.problems();
        if !is_name(name) || RESERVED.contains(name) {
            problems.push("a scheme of the application's own cannot have this name".into());
        }
        let about = format!("AuthConfig::scheme::<{user_name}>({name:?}, ..)");
        problems.into_iter().map(|problem| format!("{about}: {problem}")).collect()
    }

    /// The headers that it reads.
    pub(crate) fn headers(&self) -> &[HeaderName] {
        &self.headers
    }

    /// What its credentials begin with in `Authorization`.
    pub(crate) fn prefix(&self) -> Option<&str> {
        match &self.info.carrier {
            Carrier::Authorization(name) => Some(name),
            Carrier::Header(_) | Carrier::Cookie(_) => None,
        }
    }

    /// What `WWW-Authenticate` says of it.
    pub(crate) fn challenge(&self, realm: &str) -> Option<HeaderValue> {
        match &self.info.challenge {
            Some(text) => HeaderValue::try_from(&**text).ok(),
            None => challenge(self.prefix()?, realm, ""),
        }
    }

    /// Whether the request has any of the headers that it reads.
    pub(crate) fn may_be_presented(&self, head: &RequestHead<'_>) -> bool {
        self.headers.iter().any(|name| head.headers.contains_key(name))
    }

    /// Whether the request has the header that is the scheme's alone.
    pub(crate) fn is_presented_by_itself(&self, head: &RequestHead<'_>) -> bool {
        matches!(&self.info.carrier, Carrier::Header(name) if head.headers.contains_key(&**name))
    }

    /// Whom the request's credential names, and the user if he is there already.
    pub(super) async fn find<U: AuthUser>(
        &self,
        head: &RequestHead<'_>,
    ) -> Result<Option<(Claim, Option<Arc<U>>)>, Failure> {
        if !self.may_be_presented(head) {
            return Ok(None);
        }
        let Some(find) = self.find.downcast_ref::<Box<dyn Find<U>>>() else { return Ok(None) };
        let Some(proof) = find.find(head).await? else { return Ok(None) };
        let claim = Claim {
            user: proof.user,
            stamp: proof.stamp,
            token: None,
            login_at: proof.login_at.unwrap_or(DateTime::UNIX_EPOCH),
            scheme: SchemeKind::Custom(self.name),
            ambient: self.info.ambient,
            scopes: proof.scopes,
        };
        Ok(Some((claim, proof.loaded)))
    }
}

impl fmt::Debug for CustomScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomScheme")
            .field("user", &self.user_name)
            .field("name", &self.name)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}
