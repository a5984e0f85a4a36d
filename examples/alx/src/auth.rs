//! How users prove who they are, as `AUTH_TYPE` says: which schemes are on, and where sessions are.

use auth_poem::{password::PasswordHasher, prelude::*, throttle::Throttle};
use example_kit::{BoxError, Database};

use crate::{
    failure::Failure,
    legacy::UnsaltedSha256,
    settings::{AuthType, Settings},
    user::User,
};

/// As long as a browser keeps a cookie (RFC 6265bis, 5.5): where sessions shall not expire.
const LONGEST: Duration = Duration::days(400);

/// The authentication that the settings ask for, not yet checked.
pub(crate) async fn config(
    settings: &Settings,
    database: &Database,
    clock: impl Clock,
) -> Result<AuthConfig, BoxError> {
    warn(settings);
    let mut config = AuthConfig::new()
        .user::<User>(SqlUsers::new(database.auth()))
        .hasher(PasswordHasher::default().accept(UnsaltedSha256))
        .password_policy(PasswordPolicy::default().min_length(8))
        .cookie(cookie(settings))
        .expiry(expiry(settings))
        .realm("alx")
        .clock(clock)
        .error_body::<Failure>();
    if settings.auth_type != AuthType::Basic {
        config = config.disable_scheme("basic");
    }
    if !settings.has_sessions() {
        config = config.disable_scheme("session");
    }
    // Without a name for it no cookie is recognised: there is no session that it could name.
    config = if settings.session_name.is_none() {
        config
    } else if settings.auth_type == AuthType::SessionDb {
        let sessions = SqlSessions::new(database.auth());
        sessions.migrate().await?;
        config.sessions(sessions)
    } else {
        config.sessions(MemorySessions::default())
    };
    if settings.compat {
        let throttle = Throttle { free: u32::MAX, ..Throttle::default() };
        config = config.without_challenges().throttle(throttle);
    }
    Ok(config)
}

/// The guard that stands before all routes; none where the API is open.
pub(crate) fn guard(settings: &Settings, auth: &Authenticator) -> Option<Guard<User>> {
    let guard = || {
        settings.excluded_paths.iter().fold(auth.guard::<User>(), |guard, path| guard.exclude(path))
    };
    (settings.auth_type != AuthType::None).then(guard)
}

fn cookie(settings: &Settings) -> SessionCookie {
    let name = settings.session_name.clone().unwrap_or_else(|| "sid".into());
    if settings.secure_cookies {
        SessionCookie::new(name)
    } else {
        SessionCookie::dangerous_plain_http().named(name)
    }
}

/// What an operator should know of sessions.
fn warn(settings: &Settings) {
    if settings.auth_type.has_sessions() && settings.session_name.is_none() {
        tracing::warn!("SESSION_NAME is not set: no cookie is recognised, and nobody logs in");
    } else if settings.has_sessions() && settings.session_lifetime().is_none() {
        tracing::warn!(
            "sessions do not expire; AUTH_TYPE session_exp_auth or session_db_auth \
                        with SESSION_DURATION lets them"
        );
    }
}

/// A session ends this long after its login, however often it is used.
fn expiry(settings: &Settings) -> Expiry {
    let limit = settings.session_lifetime();
    let lifetime = limit.unwrap_or(LONGEST).min(LONGEST);
    Expiry {
        idle: lifetime,
        absolute: lifetime,
        touch: lifetime / 2,
        expire_at_browser_close: settings.compat || limit.is_none(),
        ..Expiry::default()
    }
}
