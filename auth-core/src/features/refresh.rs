//! Refresh tokens: a new access token without a new login, and ending tokens one by one.
//!
//! - Needs: [`AuthConfig::refresh_tokens`](crate::config::AuthConfig::refresh_tokens); to end access
//!   tokens too, [`AuthConfig::deny_list`](crate::config::AuthConfig::deny_list) or `#[auth(token)]`.
//! - Refuses: `invalid_refresh_token`, `refresh_token_just_used`.
//!
//! A login that issues a token issues a refresh token with it. It ends when it is exchanged, when it
//! lies unused, when its user logs out or changes his password, and with all of its family when
//! somebody presents it a second time.

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{AuthHandle, LoggedIn};
use crate::{
    error::Failure,
    jwt::{AccessClaims, Exchange, Issue, IssuedToken, Verified},
    rejection::Rejection,
    scheme::{Identity, Outcome, SchemeKind, stamp_of},
    scopes::Scopes,
    secret::RefreshToken,
    store::TokenFamily,
    user::{AuthUser, UserKey},
};

/// A login that is kept alive by refresh tokens, as a list shows it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RefreshInfo {
    /// The name to end it by.
    pub handle: Uuid,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When a token was last exchanged.
    pub last_used_at: DateTime<Utc>,
    /// The client's address when it began.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent` when it began.
    pub user_agent: Option<String>,
}

impl<U: AuthUser> AuthHandle<U> {
    /// Exchanges a refresh token for a new access token and the next refresh token. The user stays
    /// who he was at the login, and `fresh` counts from there.
    ///
    /// # Errors
    ///
    /// - it is none, was used, has ended, or its user has changed his password or may no longer log
    ///   in: [`Rejection::InvalidRefreshToken`]
    /// - it was exchanged a moment ago, as by another tab of the same client:
    ///   [`Rejection::RefreshTokenJustUsed`]
    /// - a store cannot answer: [`Failure::Fault`]
    ///
    /// # Security
    ///
    /// A token that was used longer than the grace ago ends all tokens that came out of its login,
    /// for either its owner or a thief has used it (OWASP ASVS 10.4.5). See [`crate::jwt`].
    pub async fn refresh(&self, token: &str) -> Result<LoggedIn<U>, Failure> {
        let tokens = self.context.refresh_tokens()?;
        let now = self.context.now();
        let token = RefreshToken::parse(token).ok_or(Rejection::InvalidRefreshToken)?;
        let family = match tokens.present(&token, now).await? {
            Exchange::For(family) if family.user.is_of::<U>() => family,
            // Of another type of user: not to be used here, and none the worse for it.
            Exchange::For(_) | Exchange::Refused => {
                return Err(Rejection::InvalidRefreshToken.into());
            }
            Exchange::JustUsed => return Err(Rejection::RefreshTokenJustUsed.into()),
        };
        let Some(user) = self.owner_of(&family).await? else {
            tokens.store.delete(&token.key()).await?;
            return Err(Rejection::InvalidRefreshToken.into());
        };
        let Some(next) = tokens.rotate(&token, &family, now).await? else {
            // Somebody was faster; what he made of the token says how bad that is.
            return Err(match tokens.present(&token, now).await? {
                Exchange::JustUsed => Rejection::RefreshTokenJustUsed.into(),
                Exchange::For(_) | Exchange::Refused => Rejection::InvalidRefreshToken.into(),
            });
        };
        let issued = self.context.bearer()?.own()?.issue_as(
            &Issue {
                user: &family.user,
                stamp: family.stamp,
                auth_time: family.login_at,
                lifetime: family.token_lifetime,
                family: Some(family.handle),
                claims: family.claims.as_deref(),
            },
            now,
        )?;
        let user = self.note_token(user, &issued).await?;
        tracing::info!(users = U::META.table, id = %user.id(), "a token was refreshed");
        let identity = Identity {
            user: user.clone(),
            scheme: SchemeKind::Bearer,
            login_at: family.login_at,
            scopes: Scopes::All,
        };
        self.context.remember(Outcome::Known(identity));
        Ok(LoggedIn { user, token: Some(issued), session: None, refresh_token: Some(next) })
    }

    /// Ends a token that a client presents in the body of a request, as RFC 7009 has it: a refresh
    /// token with all of its family, or an access token with its refresh tokens. `false` for a token
    /// that holds and cannot be ended, because there is neither a deny list nor an `#[auth(token)]`
    /// column. One that does not hold is ended already.
    ///
    /// Access tokens that came out of the same login live on until they expire.
    ///
    /// # Errors
    ///
    /// - a store cannot answer: [`Failure::Fault`]; the token holds then
    pub async fn revoke_token(&self, token: &str) -> Result<bool, Failure> {
        let auth = &self.context.auth().inner;
        if let (Some(tokens), Some(token)) = (&auth.refresh, RefreshToken::parse(token)) {
            tokens.store.delete(&token.key()).await?;
            return Ok(true);
        }
        let Some(jwt) = auth.bearer.as_ref().and_then(|bearer| bearer.jwt.as_ref()) else {
            return Ok(true);
        };
        match jwt.verify(token, self.context.now()) {
            Verified::Valid(claims) if claims.user().is_of::<U>() => self.end_token(&claims).await,
            Verified::Valid(_) | Verified::Invalid(_) | Verified::WrongAudience => Ok(true),
        }
    }

    /// The logins of the request's user that refresh tokens keep alive, oldest first.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn refresh_families(&self) -> Result<Vec<RefreshInfo>, Failure> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        let user = &*identity.user;
        let store = &self.context.refresh_tokens()?.store;
        let families = store.list_by_user(&UserKey::of(user), self.context.now()).await?;
        // One whose stamp is old has ended, though it may still be there.
        let live = families.iter().filter(|family| family.stamp == stamp_of(user));
        let info = |family: &Arc<TokenFamily>| RefreshInfo {
            handle: family.handle,
            created_at: family.created_at,
            last_used_at: family.last_used_at,
            ip: family.ip,
            user_agent: family.user_agent.clone(),
        };
        Ok(live.map(info).collect())
    }

    /// Ends one of these logins, and says whether it was there. Another user's handle ends nothing.
    ///
    /// # Errors
    ///
    /// - the operation has no user: [`Rejection::MissingCredentials`]
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_refresh_family(&self, handle: Uuid) -> Result<bool, Failure> {
        let identity = self.identity().ok_or(Rejection::MissingCredentials)?;
        let store = &self.context.refresh_tokens()?.store;
        Ok(store.delete_by_handle(&UserKey::of(&*identity.user), handle).await?)
    }

    /// Ends all of these logins of any user, and says how many there were.
    ///
    /// Who may ask is the operation's to say: `#[require(…)]`.
    ///
    /// # Errors
    ///
    /// - the store cannot answer: [`Failure::Fault`]
    pub async fn revoke_refresh_families_of(&self, user: &U::Id) -> Result<u64, Failure> {
        let store = &self.context.refresh_tokens()?.store;
        Ok(store.delete_by_user(&UserKey::from_id::<U>(user)).await?)
    }

    /// Ends an access token that holds, and the refresh tokens of its login. `false` if there is
    /// nothing to end it by.
    pub(super) async fn end_token(&self, claims: &AccessClaims) -> Result<bool, Failure> {
        let auth = &self.context.auth().inner;
        let bearer = self.context.bearer()?;
        let jwt = bearer.own()?;
        let id = jwt.token_id(claims);
        let mut ended = false;
        if let (Some(tokens), Some(family)) = (&auth.refresh, claims.family()) {
            tokens.store.delete_by_handle(claims.user(), family).await?;
        }
        if let Some(denied) = &bearer.denied {
            let until = claims.expires_at() + jwt.leeway();
            denied.deny(&id, until, self.context.now()).await?;
            ended = true;
        }
        if U::META.token.is_some()
            && let Some(user) = claims.user().id::<U>()
        {
            self.context.user_service::<U>()?.store.clear_token(&user, &id).await?;
            ended = true;
        }
        Ok(ended)
    }

    /// Makes a new token the only one of its user, where there can be only one.
    pub(super) async fn note_token(
        &self,
        mut user: Arc<U>,
        issued: &IssuedToken,
    ) -> Result<Arc<U>, Failure> {
        if U::META.token.is_some() {
            let token = self.context.bearer()?.own()?.name(&issued.jti);
            self.context.user_service::<U>()?.store.set_token(user.id(), &token).await?;
            Arc::make_mut(&mut user).set_token(Some(token));
        }
        Ok(user)
    }

    /// The user of a family, if he may still log in and has not changed what the login rested on.
    async fn owner_of(&self, family: &TokenFamily) -> Result<Option<Arc<U>>, Failure> {
        let Some(id) = family.user.id::<U>() else { return Ok(None) };
        let user = self.context.user_service::<U>()?.store.by_id(&id).await?;
        Ok(user.filter(|user| user.is_active() && stamp_of(&**user) == family.stamp))
    }
}
