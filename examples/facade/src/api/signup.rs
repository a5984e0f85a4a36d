//! Signing up: an account, its password and its address, all of it or nothing.

use auth_poem::prelude::*;
use email_address::EmailAddress;
use example_kit::{Message, Outbox};
use poem_openapi::{Object, param::Query, payload::Json};

use super::{Done, Tag};
use crate::{
    code,
    errors::bad_request,
    limit::Limit,
    rules::Rules,
    services::{Services, Work, accounts::NewAccount, email_settings::NewEmailSettings},
    session::{OpenedSession, SessionView, UserSnapshot},
    text,
    user::{Grant, User},
};

/// How long the code lives that proves an address.
const CODE_LIFETIME: Duration = Duration::hours(24);

/// The operations.
#[derive(Debug)]
pub struct SignupApi {
    pub(super) services: Services,
    pub(super) rules: Rules,
    pub(super) outbox: Outbox,
    /// How often a client may learn whether a login is taken.
    pub(super) probes: Limit,
}

/// Somebody new.
#[derive(Object)]
struct Signup {
    /// What to sign in with; the e-mail address, if there is none.
    login: Option<String>,
    email: Option<String>,
    name: Option<String>,
    password: String,
    language: Option<String>,
    theme: Option<String>,
    time_zone: Option<String>,
}

/// The code that was sent to an address.
#[derive(Object)]
struct Code {
    code: String,
}

#[auth_api(tag = "Tag::Session")]
impl SignupApi {
    /// Creates an account and opens a session for it. A code goes to its address, for
    /// `/signup/verify`.
    #[public]
    #[rejects(DUPLICATE_LOGIN = 400, INVALID_LOGIN = 400, INVALID_EMAIL = 400, INVALID_TEXT = 400)]
    #[oai(path = "/signup", method = "post")]
    async fn signup(
        &self,
        auth: Auth<User>,
        session: Session<UserSnapshot>,
        data: Json<Signup>,
    ) -> auth_poem::Result<Json<OpenedSession>> {
        let (login, email) = self.names(&data)?;
        let texts = [&data.name, &data.language, &data.theme, &data.time_zone];
        text::check(texts.map(Option::as_deref))?;
        // Asked before the password costs anything.
        if self.services.accounts.by_id_or_login(login).await?.is_some() {
            self.probes.count(auth.client_ip(), Utc::now())?;
            return Err(duplicate_login().into());
        }
        let user = User {
            id: Uuid::new_v4().simple().to_string(),
            login: login.to_owned(),
            password: auth.hash_password(&data.password, &[login]).await?,
            roles: Vec::new(),
            active: true,
            epoch: 0,
            name: data.name.clone().unwrap_or_else(|| login.to_owned()),
        };
        let user = self.create(user, email, &data).await?;
        self.services.open_session(&auth, session, &user, self.rules).await
    }

    /// Whether a login is free: 204 if it is.
    #[public]
    #[rejects(LOGIN_ALREADY_USED = 400)]
    #[oai(path = "/signup/validate", method = "get")]
    async fn validate(
        &self,
        auth: Auth<User>,
        login: Query<Option<String>>,
    ) -> auth_poem::Result<Done> {
        let Some(login) = login.0 else { return Ok(Done::Done) };
        self.probes.count(auth.client_ip(), Utc::now())?;
        match self.services.accounts.by_id_or_login(&login).await? {
            None => Ok(Done::Done),
            Some(_) => {
                let message = format!("Login {login} already being used");
                Err(bad_request("LOGIN_ALREADY_USED", message).with("login", login).into())
            }
        }
    }

    /// Proves the address of the account with the code that was sent there, and brings its owner
    /// to the sites that the address was invited to.
    #[rejects(WRONG_CODE = 400)]
    #[oai(path = "/signup/verify", method = "post")]
    async fn verify(
        &self,
        user: User,
        auth: Auth<User>,
        mut session: Session<UserSnapshot>,
        data: Json<Code>,
    ) -> auth_poem::Result<Json<SessionView>> {
        let mut work = self.services.begin().await?;
        let code = code::digest(data.code.trim());
        let email = self.services.email_settings.verify(&mut work, &user.id, &code).await?;
        let email = email
            .ok_or_else(|| bad_request("WRONG_CODE", "The code is wrong, used or too old."))?;
        self.activate(&mut work, &email, &user.id).await?;
        work.commit().await?;

        let grants = self.services.roles.of(&user.id).await?;
        self.services.refresh(&mut session, &grants).await?;
        Ok(Json(SessionView::current(&auth, &session)?))
    }
}

impl SignupApi {
    /// Login and e-mail address, if they can be used.
    fn names<'a>(&self, data: &'a Signup) -> Result<(&'a str, Option<&'a str>), Rejection> {
        let given = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
        let email = given(&data.email);
        let valid = email.map_or(self.rules.email_optional, EmailAddress::is_valid);
        if !valid {
            return Err(bad_request("INVALID_EMAIL", "This is no e-mail address."));
        }
        let login = given(&data.login).or(email).filter(|login| {
            login.len() <= 254 && login.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let message = "A login has 1 to 254 visible ASCII characters.";
        Ok((login.ok_or_else(|| bad_request("INVALID_LOGIN", message))?, email))
    }

    /// Writes all that belongs to a new account, or nothing.
    async fn create(
        &self,
        mut user: User,
        email: Option<&str>,
        data: &Signup,
    ) -> auth_poem::Result<User> {
        let mut work = self.services.begin().await?;
        let account = NewAccount {
            id: &user.id,
            login: &user.login,
            password: &user.password,
            name: &user.name,
            time_zone: data.time_zone.as_deref(),
            language: data.language.as_deref(),
            theme: data.theme.as_deref(),
        };
        // Somebody else may have been faster.
        if !self.services.accounts.create(&mut work, &account).await? {
            return Err(duplicate_login().into());
        }
        if let Some(email) = email {
            if self.rules.activate_at_signup {
                user.roles = self.activate(&mut work, email, &user.id).await?;
            }
            let is_proved = !user.roles.is_empty();
            self.note_email(&mut work, &user, email, data.language.as_deref(), is_proved).await?;
        }
        work.commit().await?;
        Ok(user)
    }

    /// Notes the address of a new account, and sends it a code unless it is proved.
    async fn note_email(
        &self,
        work: &mut Work,
        user: &User,
        email: &str,
        language: Option<&str>,
        is_proved: bool,
    ) -> auth_poem::Result<()> {
        let code = if is_proved { None } else { Some(code::random::<26>()?) };
        let digest = code.as_deref().map(code::digest);
        let settings = NewEmailSettings {
            id: &user.id,
            name: &user.name,
            email,
            language,
            code: digest.as_deref(),
            expire_time: Utc::now() + CODE_LIFETIME,
        };
        self.services.email_settings.create(work, &settings).await?;
        let Some(code) = code else { return Ok(()) };
        let text = format!("Your code is {code}. It is good for a day.");
        let message = Message { to: email, subject: "Is this your address?", text, code: &code };
        self.outbox.send(&message).await
    }

    /// Gives an account what its address was invited to.
    async fn activate(
        &self,
        work: &mut Work,
        email: &str,
        account: &str,
    ) -> auth_poem::Result<Vec<Grant>> {
        let invitations = self.services.invitations.activate(work, email).await?;
        let grants: Vec<_> = invitations.iter().map(|invitation| invitation.grant()).collect();
        self.services.roles.grant(work, account, &grants).await?;
        Ok(grants)
    }
}

fn duplicate_login() -> Rejection {
    bad_request("DUPLICATE_LOGIN", "Found account with duplicate login")
}
