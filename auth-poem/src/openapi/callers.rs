//! Whom an operation asks for, by itself and by the guard around it.

use auth_core::guard::{Policy, Principal, UserType};

/// A user whom an operation asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    pub(super) user: UserType,
    /// Whether the operation also goes without.
    pub(super) optional: bool,
}

/// The users of an operation. Whom the guard wants is required, also where the operation would go
/// without him.
pub(super) fn callers(policy: &Policy, guard: Option<&Principal>) -> Vec<Caller> {
    let mut callers: Vec<Caller> =
        policy.users().map(|user| Caller { user: user.user, optional: user.optional }).collect();
    let Some(guard) = guard else { return callers };
    let mut is_asked_for = false;
    for caller in &mut callers {
        if (caller.user.id)() == (guard.user.id)() {
            caller.optional = false;
            is_asked_for = true;
        }
    }
    if !is_asked_for {
        callers.insert(0, Caller { user: guard.user, optional: false });
    }
    callers
}
