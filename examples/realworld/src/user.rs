//! Who a user is: an account, and a login to it.
//!
//! A token names the login that it was issued for, and each login is a row. So tokens can be ended
//! one by one: when the password changes, every login of the account goes but the one that changed
//! it, whose client keeps its token as the contract wants it.

use auth_poem::prelude::*;

/// What somebody logs in to, with an e-mail address and a password: a row of the table `users`. No
/// operation takes one and no token names one.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "users", schemes(bearer))]
pub struct Account {
    #[auth(id)]
    pub(crate) id: String,
    #[auth(login(ignore_case))]
    pub(crate) email: String,
    #[auth(password)]
    pub(crate) password: PasswordHash,
}

/// Somebody who is logged in: a row of the view `logged_in`. It is gone when the login ends, and
/// when the account does.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "logged_in", schemes(bearer))]
pub struct User {
    #[auth(id)]
    pub(crate) login: String,
    /// The account's id. Ids are uuids as text, which every engine keeps in the same way.
    pub(crate) account: String,
    pub(crate) email: String,
    pub(crate) username: String,
    pub(crate) bio: Option<String>,
    pub(crate) image: Option<String>,
}
