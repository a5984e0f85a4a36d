//! The session cookie as a credential.

use super::{Claim, Found, SchemeKind};
use crate::{context::Context, error::Error, http::RequestHead, user::AuthUser};

/// Who is logged in to the session that the cookie names.
pub(super) async fn find<U: AuthUser>(
    context: &Context,
    head: &RequestHead<'_>,
) -> Result<Found, Error> {
    let service = context.sessions()?;
    let Some(stored) = context.session.presented_session(service, head.headers).await? else {
        let presented = context.session.is_presented();
        return Ok(if presented { Found::Stale } else { Found::Absent });
    };
    // An anonymous session, or one of another type of user, is a session all right: it is not
    // stale, it just names nobody here.
    let Some(login) = stored.record.login.as_ref().filter(|login| login.user.is_of::<U>()) else {
        return Ok(Found::Absent);
    };
    Ok(Found::Claim(Claim {
        user: login.user.clone(),
        stamp: login.stamp,
        login_at: login.at,
        scheme: SchemeKind::Session,
    }))
}
