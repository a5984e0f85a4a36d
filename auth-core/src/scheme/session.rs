//! The session cookie as a credential.

use super::{Claim, Found, SchemeKind};
use crate::{context::Context, user::AuthUser};

/// Who is logged in to the session that the cookie names. It is loaded already.
pub(super) fn find<U: AuthUser>(context: &Context) -> Found {
    let Some(stored) = context.session.loaded() else {
        let presented = context.session.is_presented();
        return if presented { Found::Stale } else { Found::Absent };
    };
    // An anonymous session, or one of another type of user, is a session all right: it is not
    // stale, it just names nobody here.
    let Some(login) = stored.record.login.as_ref().filter(|login| login.user.is_of::<U>()) else {
        return Found::Absent;
    };
    Found::Claim(Claim {
        user: login.user.clone(),
        stamp: login.stamp,
        login_at: login.at,
        scheme: SchemeKind::Session,
        ambient: true,
    })
}
