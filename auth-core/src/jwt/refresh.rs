//! Refresh tokens: what keeps a login alive when its access token has ended.
//!
//! The rules stand in [the module above](super#refresh-tokens).

use std::{net::IpAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    error::Error,
    secret::{RefreshToken, SecurityStamp},
    store::{Presented, TokenFamily, TokenStore},
    user::UserKey,
};

/// How long refresh tokens live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefreshLifetime {
    /// How long a token may lie unused.
    pub(crate) idle: TimeDelta,
    /// When a family ends, however much it is used.
    pub(crate) absolute: TimeDelta,
    /// For how long a second use of a token is taken for an accident.
    pub(crate) grace: TimeDelta,
}

impl Default for RefreshLifetime {
    fn default() -> Self {
        Self {
            idle: TimeDelta::days(14),
            absolute: TimeDelta::days(30),
            grace: TimeDelta::seconds(10),
        }
    }
}

impl RefreshLifetime {
    /// What does not fit.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.idle < TimeDelta::seconds(1) || self.absolute < self.idle {
            problems.push(
                "refresh tokens live at least one second, and their absolute limit is not below \
                 the idle one"
                    .into(),
            );
        }
        if self.absolute > TimeDelta::days(400) {
            problems.push("refresh tokens live 400 days at most".into());
        }
        if self.grace < TimeDelta::zero() || self.grace > TimeDelta::minutes(1) {
            problems.push("the grace of refresh tokens is from 0 to 60 seconds".into());
        }
        problems
    }
}

/// Whose login a new family keeps alive.
#[derive(Debug)]
pub(crate) struct NewFamily {
    pub(crate) user: UserKey,
    pub(crate) stamp: SecurityStamp,
    pub(crate) token_lifetime: Option<TimeDelta>,
    pub(crate) claims: Option<String>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
}

/// What a presented token is good for.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// It may be exchanged.
    For(Arc<TokenFamily>),
    /// It was exchanged a moment ago.
    JustUsed,
    /// It holds no longer, or never did.
    Refused,
}

/// The refresh tokens as they are configured.
#[derive(Debug)]
pub(crate) struct RefreshTokens {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) lifetime: RefreshLifetime,
}

impl RefreshTokens {
    /// Begins a family with its first token.
    pub(crate) async fn begin(
        &self,
        new: NewFamily,
        now: DateTime<Utc>,
    ) -> Result<(RefreshToken, Uuid), Error> {
        let token = RefreshToken::generate()?;
        let family = TokenFamily {
            handle: Uuid::new_v4(),
            user: new.user,
            stamp: new.stamp,
            login_at: now,
            created_at: now,
            last_used_at: now,
            idle_timeout: self.lifetime.idle,
            expires_at: now + self.lifetime.absolute,
            token_lifetime: new.token_lifetime,
            claims: new.claims,
            ip: new.ip,
            user_agent: new.user_agent,
        };
        let handle = family.handle;
        if !self.store.create(&token.key(), Arc::new(family)).await? {
            // 128 random bits were there already.
            return Err(Error::token_store("the key of a new family is taken"));
        }
        Ok((token, handle))
    }

    /// Looks at a presented token. One that was used long enough ago ends its family.
    pub(crate) async fn present(
        &self,
        token: &RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<Exchange, Error> {
        let key = token.key();
        let Some(found) = self.store.find(&key, now).await? else { return Ok(Exchange::Refused) };
        match found.presented {
            Presented::Current => Ok(Exchange::For(found.family)),
            Presented::Previous { rotated_at } if now < rotated_at + self.lifetime.grace => {
                Ok(Exchange::JustUsed)
            }
            Presented::Previous { .. } | Presented::Older => {
                self.store.delete(&key).await?;
                tracing::warn!(
                    target: "auth_core::audit",
                    event = "refresh_token_reused",
                    user = found.family.user.as_str(),
                    family = %found.family.handle,
                    "a used refresh token was presented again; all of its family are revoked"
                );
                Ok(Exchange::Refused)
            }
        }
    }

    /// Exchanges the current token of a family for the next one. `None` if somebody else was
    /// faster.
    pub(crate) async fn rotate(
        &self,
        token: &RefreshToken,
        family: &TokenFamily,
        now: DateTime<Utc>,
    ) -> Result<Option<RefreshToken>, Error> {
        let next = token.successor()?;
        let ends_at = family.ends_at(now);
        let rotated = self.store.rotate(&token.key(), &next.key(), now, ends_at).await?;
        Ok(rotated.then_some(next))
    }
}
