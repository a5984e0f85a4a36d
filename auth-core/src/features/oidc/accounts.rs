//! Whose account an identity opens: what the application is asked.

use async_trait::async_trait;

use crate::{error::Failure, oidc::ExternalUser, user::AuthUser};

/// Whose account an identity opens that nobody has yet: the application's answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Account<U> {
    /// One that was made just now for this person.
    New(U),
    /// An existing one whose address the application has verified, and which the provider tells too.
    ///
    /// The identity is linked to it only if the provider says that it has verified the same address,
    /// and is [trusted](crate::oidc::Provider::trust_verified_email) in that; else the login is
    /// refused with `account_refused`, and the person has to log in here first and
    /// [link](super::Oidc::link_url) the identity.
    SameAddress {
        /// The account.
        user: U,
        /// Its address, which the application has verified.
        verified_email: String,
    },
    /// None: `account_refused`.
    Refused,
}

/// What the application says of people who come from providers.
///
/// # Security
///
/// There is no way to say "whoever has this address": an address is not who somebody is. An account
/// that was found by address goes through [`Account::SameAddress`], and the framework compares.
///
/// # Examples
///
/// ```
/// use async_trait::async_trait;
/// use auth_core::{
///     error::Failure, features::{Account, ExternalAccounts}, oidc::ExternalUser,
/// };
/// # use auth_core::user::{AuthUser, NoRole, RoleSource, UserMeta};
/// # #[derive(Clone)] struct User { id: i64, name: String }
/// # impl AuthUser for User {
/// #     type Id = i64;
/// #     type Role = NoRole;
/// #     const META: &'static UserMeta = &UserMeta {
/// #         name: "User", path: "User", table: "users", columns: &["id", "name"], id: "id", login: &[],
/// #         password: None, login_time: None, login_ip: None, token: None, epoch: None, active: None,
/// #         roles: RoleSource::Column, schemes: &["session"],
/// #     };
/// #     fn id(&self) -> &i64 { &self.id }
/// #     fn login_name(&self, _: usize) -> Option<&str> { None }
/// # }
///
/// /// Makes an account for everybody who comes.
/// struct Signup;
///
/// #[async_trait]
/// impl ExternalAccounts<User> for Signup {
///     async fn account(&self, person: &ExternalUser) -> Result<Account<User>, Failure> {
///         let name = person.name.clone().unwrap_or_default();
///         // … which a real one inserts into its database.
///         Ok(Account::New(User { id: 1, name }))
///     }
/// }
/// ```
#[async_trait]
pub trait ExternalAccounts<U: AuthUser>: Send + Sync + 'static {
    /// The account of somebody whose identity belongs to nobody yet. It is linked afterwards.
    ///
    /// # Errors
    ///
    /// - the application refuses in its own words, or cannot answer
    async fn account(&self, person: &ExternalUser) -> Result<Account<U>, Failure>;

    /// Told of every login and every link, before it is done: the place to keep the provider's
    /// tokens, or to take over a name. Default: nothing.
    ///
    /// # Errors
    ///
    /// - the application refuses, or cannot answer; the login is not done then
    async fn logged_in(&self, user: &U, person: &ExternalUser) -> Result<(), Failure> {
        let _ = (user, person);
        Ok(())
    }
}
