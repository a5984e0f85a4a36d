//! All copies of this process, for changes that do not come by way of the store that keeps them.

use std::{
    any::Any,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::copies::Copies;
use crate::user::AuthUser;

/// The copies of all types of users. An application has a handful.
static KNOWN: Mutex<Vec<Weak<dyn Any + Send + Sync>>> = Mutex::new(Vec::new());

/// Makes copies known as long as they live.
pub(super) fn known<U: AuthUser>(copies: Copies<U>) -> Arc<Copies<U>> {
    let copies = Arc::new(copies);
    let any: Arc<dyn Any + Send + Sync> = copies.clone();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|copies| copies.strong_count() > 0);
    known.push(Arc::downgrade(&any));
    copies
}

/// A change of a user that goes past the stores that keep copies. When it goes, there are none of
/// him in this process, also when nobody waits for the change to end.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(in crate::users) struct Changing<'a, U: AuthUser>(pub(in crate::users) &'a U::Id);

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
impl<U: AuthUser> Drop for Changing<'_, U> {
    fn drop(&mut self) {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for copies in known.iter().filter_map(Weak::upgrade) {
            if let Some(copies) = copies.downcast_ref::<Copies<U>>() {
                copies.forget(self.0);
            }
        }
    }
}
