//! Confirming an e-mail address with a code that lives in a typed session. Nobody needs an account
//! for it.

use auth_poem::{Error, prelude::*};
use email_address::EmailAddress;
use example_kit::{Message, Outbox};
use poem::http::StatusCode;
use poem_openapi::{Object, payload::Json};
use serde::{Deserialize, Serialize};

use super::Tag;

/// How long a code lives: OWASP ASVS 6.5.5 allows 10 minutes.
const LIFETIME: Duration = Duration::minutes(5);

/// How many wrong guesses a code survives. Six digits are 20 bits; five guesses hit one in
/// 200 000.
const GUESSES: u32 = 5;

/// The operations.
#[derive(Debug)]
pub struct EmailApi {
    pub(super) outbox: Outbox,
}

/// What the session knows of an address.
#[derive(SessionSchema, Debug, Default, Serialize, Deserialize)]
struct EmailSession {
    email: Option<String>,
    code: Option<String>,
    wrong_guesses: u32,
    verified: bool,
}

/// An address.
#[derive(Object)]
struct Address {
    email: String,
}

/// An address and the code that was sent to it.
#[derive(Object)]
struct Guess {
    email: String,
    code: String,
}

/// A code is on its way.
#[derive(Object)]
struct Sent {
    /// In seconds.
    expires_in: i64,
}

/// The address is confirmed.
#[derive(Object)]
struct Verified {
    verified: bool,
}

#[auth_api(prefix_path = "/email", tag = "Tag::Email")]
impl EmailApi {
    /// Sends a code to an address.
    #[public]
    #[rejects(malformed_email = 422)]
    #[oai(path = "/send_code", method = "post")]
    async fn send_code(
        &self,
        mut session: Session<EmailSession>,
        data: Json<Address>,
    ) -> auth_poem::Result<Json<Sent>> {
        if !EmailAddress::is_valid(&data.email) {
            return Err(refusal("malformed_email", "This is no e-mail address.").into());
        }
        let code = six_digits()?;
        self.outbox
            .send(&Message {
                to: &data.email,
                subject: "Your code",
                text: format!("Your code is {code}. It is good for five minutes."),
                code: &code,
            })
            .await?;
        **session = EmailSession {
            email: Some(data.email.clone()),
            code: Some(code),
            ..EmailSession::default()
        };
        session.set_expiry(LIFETIME);
        Ok(Json(Sent { expires_in: LIFETIME.num_seconds() }))
    }

    /// Confirms an address with the code that was sent to it.
    #[public]
    #[rejects(wrong_code = 422, no_code = 422, code_exhausted = 422)]
    #[oai(path = "/verify_code", method = "post")]
    async fn verify_code(
        &self,
        mut session: Session<EmailSession>,
        data: Json<Guess>,
    ) -> auth_poem::Result<Json<Verified>> {
        // One atomic step: of any number of guesses at once, five are looked at.
        session.update(|email| email.guess(&data)).await??;
        session.clear_expiry();
        Ok(Json(Verified { verified: true }))
    }
}

impl EmailSession {
    fn guess(&mut self, guess: &Guess) -> Result<(), Rejection> {
        let code = match &self.code {
            Some(code) if self.email.as_ref() == Some(&guess.email) => code,
            _ => return Err(refusal("no_code", "No code was sent to this address, or it is old.")),
        };
        if self.wrong_guesses >= GUESSES {
            return Err(refusal("code_exhausted", "Too many wrong guesses. Ask for a new code."));
        }
        if *code != guess.code {
            self.wrong_guesses += 1;
            return Err(refusal("wrong_code", "The code is wrong."));
        }
        self.code = None;
        self.verified = true;
        Ok(())
    }
}

fn refusal(code: &'static str, detail: &'static str) -> Rejection {
    Rejection::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
}

/// Six random digits, each number as likely as any other.
fn six_digits() -> Result<String, Error> {
    const LIMIT: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let number = getrandom::u32().map_err(Error::fault)?;
        if number < LIMIT {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}
