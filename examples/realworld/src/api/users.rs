//! Signing up and logging in, one's own account.

use auth_poem::{
    Error, http::authorization::Authorization, password::MAX_PASSWORD_BYTES, prelude::*,
};
use email_address::EmailAddress;
use poem::Request;
use poem_openapi::{Object, payload::Json};

use super::{Created, Tag};
use crate::{
    draft::{Check, Draft, Field, Optional, Required, Valid},
    store::{Store, UserChanges},
    user::{Account, User},
};

/// The longest texts, in characters.
const LONGEST_USERNAME: usize = 50;
const LONGEST_BIO: usize = 2000;
const LONGEST_IMAGE: usize = 2000;

/// The longest e-mail address: what a mail server must take (RFC 5321, 4.5.3.1).
const LONGEST_EMAIL: usize = 254;

/// The operations.
#[derive(Debug)]
pub struct UsersApi {
    pub(super) store: Store,
}

#[derive(Object)]
struct NewUserBody {
    user: NewUser,
}

#[derive(Object)]
struct NewUser {
    username: Required<String>,
    email: Required<String>,
    password: Required<String>,
}

#[derive(Object)]
struct LoginUserBody {
    user: LoginUser,
}

#[derive(Object)]
struct LoginUser {
    email: Required<String>,
    password: Required<String>,
}

#[derive(Object)]
struct UpdateUserBody {
    user: UpdateUser,
}

#[derive(Object)]
struct UpdateUser {
    username: Optional<String>,
    email: Optional<String>,
    password: Optional<String>,
    #[oai(nullable)]
    bio: Optional<Option<String>>,
    #[oai(nullable)]
    image: Optional<Option<String>>,
}

/// Who wants to sign up.
struct Registration {
    username: String,
    email: String,
    password: String,
}

/// Who wants to log in.
struct Credentials {
    email: String,
    password: String,
}

/// What a user wants to change.
struct Changes {
    fields: UserChanges,
    password: Option<String>,
}

impl Draft for Registration {
    type Body = NewUserBody;

    fn check(body: NewUserBody, check: &mut Check) -> Option<Self> {
        let NewUser { username, email, password } = body.user;
        let username = self::username(check, username);
        let email = self::email(check, email);
        let password = check.text("password", password, MAX_PASSWORD_BYTES);
        Some(Self { username: username?, email: email?, password: password? })
    }
}

impl Draft for Credentials {
    type Body = LoginUserBody;

    fn check(body: LoginUserBody, check: &mut Check) -> Option<Self> {
        let email = check.text("email", body.user.email, LONGEST_EMAIL);
        let password = check.text("password", body.user.password, MAX_PASSWORD_BYTES);
        Some(Self { email: email?, password: password? })
    }
}

impl Draft for Changes {
    type Body = UpdateUserBody;

    fn check(body: UpdateUserBody, check: &mut Check) -> Option<Self> {
        let UpdateUser { username, email, password, bio, image } = body.user;
        let fields = UserChanges {
            username: self::username(check, username),
            email: self::email(check, email),
            bio: check.nullable("bio", bio, LONGEST_BIO),
            image: check.nullable("image", image, LONGEST_IMAGE),
        };
        Some(Self { fields, password: check.text("password", password, MAX_PASSWORD_BYTES) })
    }
}

/// A name that looks like no other one and that a log line can carry.
fn username<const REQUIRED: bool>(
    check: &mut Check,
    field: Field<String, REQUIRED>,
) -> Option<String> {
    let name = check.text("username", field, LONGEST_USERNAME)?;
    if name.trim() == name && !name.chars().any(char::is_control) {
        return Some(name);
    }
    check.invalid("username");
    None
}

fn email<const REQUIRED: bool>(
    check: &mut Check,
    field: Field<String, REQUIRED>,
) -> Option<String> {
    let email = check.text("email", field, LONGEST_EMAIL)?;
    if EmailAddress::is_valid(&email) {
        return Some(email);
    }
    check.invalid("email");
    None
}

#[derive(Object)]
struct UserBody {
    user: UserView,
}

/// A user, as he sees himself.
#[derive(Object)]
#[oai(rename = "User")]
struct UserView {
    email: String,
    token: String,
    username: String,
    #[oai(nullable)]
    bio: Option<String>,
    #[oai(nullable)]
    image: Option<String>,
}

impl UserBody {
    fn new(user: User, token: &str) -> Self {
        let User { email, username, bio, image, .. } = user;
        Self { user: UserView { email, token: token.to_owned(), username, bio, image } }
    }
}

#[auth_api(tag = "Tag::User")]
impl UsersApi {
    /// Creates an account and logs it in.
    #[public]
    #[rejects(username = 409, email = 409, weak_password = 422)]
    #[oai(path = "/users", method = "post", operation_id = "CreateUser")]
    async fn register(
        &self,
        accounts: Auth<Account>,
        auth: Auth<User>,
        draft: Valid<Registration>,
    ) -> auth_poem::Result<Created<UserBody>> {
        let Valid(Registration { username, email, password }) = draft;
        let password = accounts.hash_password(&password, &[&username, &email]).await?;
        let account = self.store.create_account(&username, &email, &password).await?;
        Ok(Created::Made(Json(self.log_in(&auth, &account).await?)))
    }

    /// Logs in.
    #[public]
    #[oai(path = "/users/login", method = "post", operation_id = "Login")]
    async fn login(
        &self,
        accounts: Auth<Account>,
        auth: Auth<User>,
        draft: Valid<Credentials>,
    ) -> auth_poem::Result<Json<UserBody>> {
        let Valid(Credentials { email, password }) = draft;
        let account = accounts.verify(&email, &password).await?;
        let account = account.ok_or(Rejection::WrongCredentials)?;
        Ok(Json(self.log_in(&auth, &account.id).await?))
    }

    /// The current user, with the token that he presents: its life does not begin anew.
    #[oai(path = "/user", method = "get", operation_id = "GetCurrentUser")]
    async fn current(&self, user: User, request: &Request) -> Json<UserBody> {
        Json(UserBody::new(user, presented_token(request)))
    }

    /// Changes the account. A new password ends every token but the one that the client presents.
    #[rejects(username = 409, email = 409, weak_password = 422)]
    #[oai(path = "/user", method = "put", operation_id = "UpdateCurrentUser")]
    async fn update(
        &self,
        user: User,
        accounts: Auth<Account>,
        request: &Request,
        draft: Valid<Changes>,
    ) -> auth_poem::Result<Json<UserBody>> {
        let Valid(Changes { fields, password }) = draft;
        let password = match password {
            // The contract's clients do not send the current one along.
            Some(password) => {
                let username = fields.username.as_ref().unwrap_or(&user.username);
                let email = fields.email.as_ref().unwrap_or(&user.email);
                Some(accounts.hash_password(&password, &[username, email]).await?)
            }
            None => None,
        };
        let user = self.store.change_user(&user, fields, password).await?;
        Ok(Json(UserBody::new(user, presented_token(request))))
    }
}

impl UsersApi {
    /// Begins a login to an account, and issues the token for it.
    async fn log_in(&self, auth: &Auth<User>, account: &str) -> auth_poem::Result<UserBody> {
        let user = self.store.create_login(account).await?;
        let login = auth.login_user(&user).await?;
        let issued = login.token.ok_or_else(|| Error::fault("a login issued no token"))?;
        Ok(UserBody::new(user, issued.token.expose()))
    }
}

/// The token by which the gate has let the request in.
fn presented_token(request: &Request) -> &str {
    match Authorization::of(request.headers()) {
        Authorization::Scheme { credentials, .. } => credentials,
        Authorization::Absent | Authorization::Malformed => "",
    }
}
