//! Mistakes in the declaration of an operation, found while the application compiles.
//!
//! Each function panics with what to write instead; the macros call it in a `const`, at the token
//! that is at fault.

use crate::{
    guard::{Parameter, Policy, Principal},
    user::{AuthUser, UserMeta},
};

/// Deny by default: an operation takes a user, or says that it is public.
#[track_caller]
pub const fn protected(policy: &Policy) {
    if count(policy, false) + count(policy, true) == 0 && !policy.public {
        panic!(
            "this operation takes no user, so anybody could call it; take a `user: User` or \
             `user: Option<User>`, or write #[public] above it if anybody may"
        );
    }
}

/// `#[public]` and a user contradict each other.
#[track_caller]
pub const fn public(policy: &Policy) {
    if count(policy, false) > 0 {
        panic!(
            "#[public] says that anybody may call, and the operation takes a user; remove \
             #[public], or take `Option<User>` without #[public] if it works for both"
        );
    }
    if count(policy, true) > 0 {
        panic!("`Option<User>` says by itself that anybody may call; remove #[public]");
    }
}

/// `#[require]` needs one user of whom to require something.
#[track_caller]
pub const fn requirable(policy: &Policy) {
    if let Some(Parameter::User(named)) = policy.subject {
        if !takes(policy, named) {
            panic!(
                "#[require(user = …)] names a type that the operation does not take; add the \
                 parameter, not as an Option"
            );
        }
        return;
    }
    match count(policy, false) {
        0 => panic!(
            "#[require] needs somebody of whom to require it; take a `user: User`, not only an \
             Option or none"
        ),
        1 => {}
        _ => panic!(
            "#[require] is ambiguous, the operation takes two users; say whom it means, as in \
             #[require(user = Admin, role = \"…\")]"
        ),
    }
}

/// A role that `#[require]` names exists.
#[track_caller]
pub const fn role(policy: &Policy, role: &str) {
    // Without a user, `requirable` has its say.
    let Some(subject) = subject(policy) else { return };
    let mut index = 0;
    while index < subject.user.roles.len() {
        if equal(subject.user.roles[index], role) {
            return;
        }
        index += 1;
    }
    let text = Text::<512>::new()
        .with("unknown role `")
        .with(role)
        .with("`; the roles of ")
        .with(subject.user.meta.name)
        .with(" are ")
        .with_list(subject.user.roles);
    panic!("{}", text.as_str());
}

/// A role in a scope is required of a type of user whose roles can have one.
#[track_caller]
pub const fn scope(policy: &Policy) {
    let Some(subject) = subject(policy) else { return };
    if !subject.user.scoped_roles {
        let text = Text::<512>::new()
            .with("the roles of ")
            .with(subject.user.meta.name)
            .with(" have no scope, so nobody could meet this; hold them as `Vec<Scoped<…>>`");
        panic!("{}", text.as_str());
    }
}

/// Roles that are kept elsewhere than in the user's row are held with their scopes.
#[track_caller]
pub const fn elsewhere<U: AuthUser>() {
    if !U::SCOPED_ROLES {
        panic!(
            "roles from a table or a store of their own come with scopes; hold them as \
             `Vec<Scoped<…>>`"
        );
    }
}

/// A scheme that `#[schemes]` names is one of a user whom the operation takes.
#[track_caller]
pub const fn scheme(policy: &Policy, scheme: &str) {
    let mut text = Text::<512>::new().with("`").with(scheme).with("` is no scheme of ");
    let mut index = 0;
    let mut users = 0;
    while index < policy.parameters.len() {
        if let Some(Parameter::User(principal)) = policy.parameters[index] {
            let meta = principal.user.meta;
            if contains(meta.schemes, scheme) {
                return;
            }
            let separator = if users == 0 { "" } else { ", nor of " };
            text = text.with(separator).with(meta.name).with(", which declares ");
            text = text.with_list(meta.schemes);
            users += 1;
        }
        index += 1;
    }
    if users == 0 {
        panic!("#[schemes] says how a user proves who he is, and the operation takes none");
    }
    panic!("{}", text.as_str());
}

/// `#[schemes]` leaves each user of the operation a way in.
#[track_caller]
pub const fn reachable(policy: &Policy) {
    let mut index = 0;
    while index < policy.parameters.len() {
        if let Some(Parameter::User(principal)) = policy.parameters[index] {
            let meta = principal.user.meta;
            let mut named = 0;
            let mut has = false;
            while named < policy.schemes.len() {
                has = has || contains(meta.schemes, policy.schemes[named]);
                named += 1;
            }
            if !has {
                let text = Text::<512>::new()
                    .with("#[schemes] leaves no way in for ")
                    .with(meta.name)
                    .with(", which declares ")
                    .with_list(meta.schemes);
                panic!("{}", text.as_str());
            }
        }
        index += 1;
    }
}

const fn contains(names: &[&str], name: &str) -> bool {
    let mut index = 0;
    while index < names.len() {
        if equal(names[index], name) {
            return true;
        }
        index += 1;
    }
    false
}

/// A check takes the user of whom something is required.
#[track_caller]
pub const fn takes_subject(policy: &Policy, check: &str, taken: &UserMeta) {
    let Some(subject) = subject(policy) else { return };
    if !equal(subject.user.meta.path, taken.path) {
        let text = Text::<512>::new()
            .with("the check `")
            .with(check)
            .with("` takes a `")
            .with(taken.name)
            .with("`, and here it is asked about a `")
            .with(subject.user.meta.name)
            .with("`");
        panic!("{}", text.as_str());
    }
}

/// The user of whom something is required.
const fn subject(policy: &Policy) -> Option<&'static Principal> {
    match policy.subject {
        Some(Parameter::User(named)) => Some(named),
        _ => first_required(policy),
    }
}

const fn count(policy: &Policy, optional: bool) -> usize {
    let mut index = 0;
    let mut count = 0;
    while index < policy.parameters.len() {
        if let Some(Parameter::User(principal)) = policy.parameters[index] {
            count += (principal.optional == optional) as usize;
        }
        index += 1;
    }
    count
}

const fn first_required(policy: &Policy) -> Option<&'static Principal> {
    let mut index = 0;
    while index < policy.parameters.len() {
        if let Some(Parameter::User(principal)) = policy.parameters[index]
            && !principal.optional
        {
            return Some(principal);
        }
        index += 1;
    }
    None
}

const fn takes(policy: &Policy, named: &Principal) -> bool {
    let mut index = 0;
    while index < policy.parameters.len() {
        if let Some(Parameter::User(principal)) = policy.parameters[index]
            && !principal.optional
            && equal(principal.user.meta.path, named.user.meta.path)
        {
            return true;
        }
        index += 1;
    }
    false
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// A message that is put together at compile time, cut at `N` bytes.
struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    const fn with(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if self.len + text.len() <= N {
            let mut index = 0;
            while index < text.len() {
                self.bytes[self.len] = text[index];
                self.len += 1;
                index += 1;
            }
        }
        self
    }

    const fn with_list(mut self, items: &[&str]) -> Self {
        let mut index = 0;
        while index < items.len() {
            self = self.with(if index == 0 { "`" } else { ", `" }).with(items[index]).with("`");
            index += 1;
        }
        if items.is_empty() { self.with("none: it declares no `role = …`") } else { self }
    }

    const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "unknown role",
        }
    }
}
