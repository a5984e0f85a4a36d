//! Refusals: what a client may be told, each with a stable code.
//!
//! | code | status | when |
//! |---|---|---|
//! | `missing_credentials` | 401 | a user is required and nothing was presented |
//! | `invalid_session` | 401 | the session cookie or header resolves to nothing: expired, logged out, unknown |
//! | `invalid_token` | 401 | a bearer token was presented and does not hold |
//! | `invalid_api_key` | 401 | an API key was presented and does not hold |
//! | `invalid_signature` | 401 | a signature was presented and does not hold, or not any more |
//! | `invalid_credentials` | 401 | a credential of one of the application's own schemes does not hold |
//! | `invalid_refresh_token` | 401 | a refresh token that does not hold: unknown, used, ended |
//! | `unsupported_scheme` | 401 | a user is required, and what is presented is of a scheme that nobody handles |
//! | `malformed_credentials` | 401 | an `Authorization` header that cannot be read, or more than one |
//! | `conflicting_credentials` | 401 | two credentials that name different users |
//! | `wrong_credentials` | 401 | login or HTTP Basic: no such user, wrong password, or no password |
//! | `wrong_audience` | 403 | an authentic token that was issued for somebody else |
//! | `wrong_current_password` | 403 | a password change without the current one |
//! | `forbidden` | 403 | known, but the requirement is not met |
//! | `insufficient_scope` | 403 | the user may, but the credential does not reach that far |
//! | `reauthentication_required` | 403 | known, but the login is too long ago for this operation |
//! | `cross_site` | 403 | a page of another site sent the session cookie or HTTP Basic, or asked for a session |
//! | `too_many_sessions` | 409 | login: the user has as many sessions as `AuthConfig::session_limit` allows |
//! | `not_found` | 404 | there is nothing here, or nothing for this user: `#[require(…, conceal)]` |
//! | `refresh_token_just_used` | 409 | a refresh token that was exchanged a moment ago; its successor holds |
//! | `weak_password` | 422 | the password policy refuses a new password |
//! | `too_many_attempts` | 429 | too many failed logins for this name |
//!
//! An application adds its own with [`Rejection::new`]. A fault is not a refusal; it is answered
//! with 503 and the code `unavailable`.

use std::{borrow::Cow, fmt, time::Duration};

use http::StatusCode;

use crate::{password::WeakPassword, requirement::Requirement};

/// A refusal: safe to show, with a code that clients may rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// A user is required and nothing was presented.
    MissingCredentials,
    /// The session cookie or header resolves to nothing.
    InvalidSession,
    /// A bearer token was presented and does not hold.
    InvalidToken,
    /// An API key was presented and does not hold.
    InvalidApiKey,
    /// A signature was presented and does not hold, or the request was sent before.
    InvalidSignature,
    /// A credential of one of the application's own schemes does not hold.
    InvalidCredentials,
    /// A refresh token that does not hold: unknown, used, ended. One code for all.
    InvalidRefreshToken,
    /// A refresh token that was exchanged a moment ago: its successor holds, and who has that one
    /// goes on.
    RefreshTokenJustUsed,
    /// A user is required, nobody is known, and there is an `Authorization` header of a scheme that
    /// no type of user has, or a session where that scheme is disabled.
    UnsupportedScheme,
    /// A credential that cannot be read.
    MalformedCredentials,
    /// Two credentials that name different users.
    ConflictingCredentials,
    /// Login or HTTP Basic: no such user, wrong password, or a user without a password. One code for
    /// all.
    WrongCredentials,
    /// An authentic token for another audience.
    WrongAudience,
    /// A password change without the current password.
    WrongCurrentPassword,
    /// The user may not do this: what an operation itself raises.
    Forbidden,
    /// The requirement of the operation is not met: what the guard raises. To a client it is
    /// [`Forbidden`](Self::Forbidden); a responder may say what would have done, as in
    /// [`Requirement::roles`].
    RequirementNotMet(Requirement),
    /// The user meets the requirement, but his credential does not reach that far: what the guard
    /// raises.
    InsufficientScope(Requirement),
    /// The operation wants a login more recent than this one.
    ReauthenticationRequired,
    /// The request comes from a page of another site.
    CrossSite,
    /// Login: the user has as many sessions as he may. The credentials were right; once he has ended
    /// a session elsewhere, the same login succeeds.
    TooManySessions,
    /// There is nothing here, or nothing that this user may know of.
    NotFound,
    /// The password policy refuses a new password.
    WeakPassword(WeakPassword),
    /// Too many failed logins for this name.
    TooManyAttempts {
        /// When the next attempt will be looked at.
        retry_after: Duration,
    },
    /// A refusal of the application's own, see [`Rejection::new`].
    Custom {
        /// The status.
        status: StatusCode,
        /// The stable code.
        code: &'static str,
        /// What a person reads.
        detail: Cow<'static, str>,
        /// What a program may want to know besides, see [`Rejection::with`].
        members: Vec<(&'static str, String)>,
    },
}

impl Rejection {
    /// A refusal of the application's own, as in
    /// `Rejection::new(StatusCode::CONFLICT, "username_taken", "This name is taken.")`.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Custom { status, code, detail: detail.into(), members: Vec::new() }
    }

    /// Adds a member to the answer of a refusal of the application's own, as in
    /// `Rejection::new(..).with("username", name)`: what a program may want to know besides, an
    /// extension member of RFC 9457. The framework's own refusals have none and stay as they are.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Custom { members, .. } = &mut self {
            members.push((name, value.into()));
        }
        self
    }

    /// The members that [`with`](Self::with) has added.
    #[must_use]
    pub fn members(&self) -> &[(&'static str, String)] {
        match self {
            Self::Custom { members, .. } => members,
            _ => &[],
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingCredentials => "missing_credentials",
            Self::InvalidSession => "invalid_session",
            Self::InvalidToken => "invalid_token",
            Self::InvalidApiKey => "invalid_api_key",
            Self::InvalidSignature => "invalid_signature",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidRefreshToken => "invalid_refresh_token",
            Self::RefreshTokenJustUsed => "refresh_token_just_used",
            Self::UnsupportedScheme => "unsupported_scheme",
            Self::MalformedCredentials => "malformed_credentials",
            Self::ConflictingCredentials => "conflicting_credentials",
            Self::WrongCredentials => "wrong_credentials",
            Self::WrongAudience => "wrong_audience",
            Self::WrongCurrentPassword => "wrong_current_password",
            Self::Forbidden | Self::RequirementNotMet(_) => "forbidden",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::ReauthenticationRequired => "reauthentication_required",
            Self::CrossSite => "cross_site",
            Self::TooManySessions => "too_many_sessions",
            Self::NotFound => "not_found",
            Self::WeakPassword(_) => "weak_password",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Custom { code, .. } => code,
        }
    }

    /// The status of the default answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MissingCredentials
            | Self::InvalidSession
            | Self::InvalidToken
            | Self::InvalidApiKey
            | Self::InvalidSignature
            | Self::InvalidCredentials
            | Self::InvalidRefreshToken
            | Self::UnsupportedScheme
            | Self::MalformedCredentials
            | Self::ConflictingCredentials
            | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::WrongAudience
            | Self::WrongCurrentPassword
            | Self::Forbidden
            | Self::RequirementNotMet(_)
            | Self::InsufficientScope(_)
            | Self::ReauthenticationRequired
            | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::TooManySessions => StatusCode::CONFLICT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::RefreshTokenJustUsed => StatusCode::CONFLICT,
            Self::WeakPassword(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Custom { status, .. } => *status,
        }
    }

    /// What a person reads: one sentence, the same for every client.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::MissingCredentials => "Log in to use this operation.",
            Self::InvalidSession => "The session has ended. Log in again.",
            Self::InvalidToken => "The token is not valid, or no longer.",
            Self::InvalidApiKey => "The API key is not valid, or no longer.",
            Self::InvalidSignature => "The signature is not valid, or no longer.",
            Self::InvalidCredentials => "The credentials are not valid, or no longer.",
            Self::InvalidRefreshToken => "The refresh token is not valid, or no longer.",
            Self::RefreshTokenJustUsed => {
                "The refresh token was exchanged a moment ago. Use the newer one."
            }
            Self::UnsupportedScheme => "This way to authenticate is not known here.",
            Self::MalformedCredentials => "The credentials cannot be read.",
            Self::ConflictingCredentials => "The credentials of this request name different users.",
            Self::WrongCredentials => "The name or the password is wrong.",
            Self::WrongAudience => "The token was issued for another audience.",
            Self::WrongCurrentPassword => "The current password is missing or wrong.",
            Self::Forbidden | Self::RequirementNotMet(_) => "You may not use this operation.",
            Self::InsufficientScope(_) => "These credentials do not reach to this operation.",
            Self::ReauthenticationRequired => "Log in again to use this operation.",
            Self::CrossSite => "This request was sent by a page of another site.",
            Self::TooManySessions => "You are logged in too often. Log out elsewhere first.",
            Self::NotFound => "There is nothing here.",
            Self::WeakPassword(reason) => return Cow::Owned(reason.to_string()),
            Self::TooManyAttempts { .. } => "Too many failed attempts. Try again later.",
            Self::Custom { detail, .. } => return Cow::Borrowed(detail),
        })
    }

    /// When the client may try again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyAttempts { retry_after } => Some(*retry_after),
            Self::RefreshTokenJustUsed => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.code())
    }
}

impl std::error::Error for Rejection {}
