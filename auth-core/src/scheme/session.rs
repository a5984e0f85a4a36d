//! The session as a credential, by cookie or by header.

use super::{Claim, Found, SchemeKind};
use crate::{context::Context, rejection::Rejection, scopes::Scopes, session::Way, user::AuthUser};

/// Who is logged in to the session that the request presents. It is loaded already.
pub(super) fn find<U: AuthUser>(context: &Context) -> Found {
    let Some(stored) = context.session.loaded() else {
        return match context.session.way() {
            None => Found::Absent,
            Some(Way::Cookie) => Found::Stale,
            Some(Way::Header) => Found::Invalid(Rejection::InvalidSession),
        };
    };
    // An anonymous session, or one of another type of user, is a session all right: it is not
    // stale, it just names nobody here.
    let Some(login) = stored.record.login.as_ref().filter(|login| login.user.is_of::<U>()) else {
        return Found::Absent;
    };
    Found::Claim(Claim {
        user: login.user.clone(),
        stamp: Some(login.stamp),
        token: None,
        login_at: login.at,
        scheme: SchemeKind::Session,
        ambient: context.session.way() == Some(Way::Cookie),
        scopes: Scopes::All,
    })
}
