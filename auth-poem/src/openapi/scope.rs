//! For which configuration documents and routes are being made.

use std::{cell::RefCell, sync::Arc};

use auth_core::{config::Authenticator, guard::Policy};
use poem::http::Method;

use crate::{
    before_routing::Rules,
    form::{self, Form},
    joined::Allowed,
};

thread_local! {
    /// The configuration whose documents are being made, and the policies seen meanwhile. poem-openapi
    /// makes documents in one go on one thread, so the scope is a call on the stack, not a setting of
    /// the process.
    pub(super) static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

pub(super) struct Scope {
    pub(super) auth: Authenticator,
    pub(super) served: Served,
    pub(super) seen: Seen,
}

/// How an API is served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Served {
    /// The guard around it.
    pub(crate) guard: Option<Arc<Rules>>,
    /// Where it is mounted, without a final slash.
    pub(crate) at: Option<String>,
    /// Whether a final slash makes no difference.
    pub(crate) slash_tolerant: bool,
}

impl Served {
    /// The guard around an operation at this path of the document.
    pub(crate) fn guard_of(&self, path: &str) -> Option<&Arc<Rules>> {
        let at = self.at.as_deref().unwrap_or_default();
        self.guard.as_ref().filter(|guard| !guard.excludes(&format!("{at}{path}")))
    }
}

/// What documents speak of, and which routes were made.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The policies of all operations, hidden ones too.
    pub(crate) policies: Vec<&'static Policy>,
    /// The documented operations.
    pub(crate) operations: Vec<Documented>,
    /// The methods of each route.
    pub(crate) allowed: Allowed,
}

/// A documented operation.
#[derive(Debug)]
pub(crate) struct Documented {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// `None` for one of a plain `#[OpenApi]`, which the guard alone protects.
    pub(crate) policy: Option<&'static Policy>,
    /// The guard around it.
    pub(crate) guard: Option<Arc<Rules>>,
}

/// Makes documents or routes for a configuration, and says of what they speak.
pub(crate) fn within<R>(
    auth: &Authenticator,
    served: &Served,
    make: impl FnOnce() -> R,
) -> (R, Seen) {
    /// Restores what was there before, also when `make` panics.
    struct Restore(Option<Scope>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SCOPE.set(self.0.take());
        }
    }
    let scope = Scope { auth: auth.clone(), served: served.clone(), seen: Seen::default() };
    let restore = Restore(SCOPE.replace(Some(scope)));
    let made = make();
    let seen = SCOPE.take().map(|scope| scope.seen).unwrap_or_default();
    drop(restore);
    (made, seen)
}

/// Asks how errors look in the documents that are being made.
pub(crate) fn with_form<R>(ask: impl FnOnce(Form<'_>) -> R) -> R {
    let auth = SCOPE.with_borrow(|scope| scope.as_ref().map(|scope| scope.auth.clone()));
    ask(auth.as_ref().map_or(form::DEFAULT, Form::of))
}

/// How the API is served whose documents or routes are being made.
pub(crate) fn served() -> Served {
    SCOPE.with_borrow(|scope| scope.as_ref().map(|scope| scope.served.clone())).unwrap_or_default()
}

/// Notes what was made.
pub(crate) fn note(note: impl FnOnce(&mut Seen)) {
    SCOPE.with_borrow_mut(|scope| {
        if let Some(scope) = scope {
            note(&mut scope.seen);
        }
    });
}
