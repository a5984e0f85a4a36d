//! Operations on session data.

use auth_poem::{Session, prelude::*};
use poem::http::StatusCode;
use poem_openapi::{
    ApiResponse,
    param::{Path, Query},
    payload::{Json, PlainText},
};
use serde_json::{Value, json};

use crate::{
    gates::Gates,
    people::{Cart, Draft, EmailSession, User},
};

/// The operations.
#[derive(Debug)]
pub struct SessionApi {
    pub(super) gates: Gates,
}

#[derive(ApiResponse)]
enum Answer {
    #[oai(status = 409)]
    Conflict(PlainText<&'static str>),
}

fn fill(mut cart: Session<Cart>, mut draft: Session<Draft>) {
    cart.note = Some("kept".into());
    draft.text = Some("dropped".into());
}

#[auth_api]
impl SessionApi {
    /// What the session holds, and what is known of it.
    #[public]
    #[oai(path = "/session", method = "get")]
    async fn show(
        &self,
        session: Session,
        cart: Session<Cart>,
        email: Session<EmailSession>,
        draft: Session<Draft>,
    ) -> Json<Value> {
        Json(json!({
            "exists": session.exists(),
            "handle": session.handle(),
            "keys": session.keys().collect::<Vec<_>>(),
            "items": cart.items,
            "note": cart.note,
            "code": email.code,
            "draft": draft.text,
            "age": session.expiry_age().map(|age| age.num_seconds()),
            "code_age": email.expiry_age().map(|age| age.num_seconds()),
        }))
    }

    #[public]
    #[oai(path = "/cart/note", method = "post")]
    async fn note(&self, mut cart: Session<Cart>, text: Query<String>) {
        cart.note = Some(text.0);
    }

    #[public]
    #[oai(path = "/cart/add", method = "post")]
    async fn add(&self, mut cart: Session<Cart>) -> auth_poem::Result<PlainText<String>> {
        let items = cart.update(|cart| {
            cart.items += 1;
            cart.items
        });
        Ok(PlainText(items.await?.to_string()))
    }

    /// Changes one field of the cart, after a wait.
    #[public]
    #[oai(path = "/slow/note", method = "post")]
    async fn slow_note(&self, mut cart: Session<Cart>, text: Query<String>) {
        self.gates.pass().await;
        cart.note = Some(text.0);
    }

    /// Changes the other field of the cart, after a wait.
    #[public]
    #[oai(path = "/slow/items", method = "post")]
    async fn slow_items(&self, mut cart: Session<Cart>, items: Query<u32>) {
        self.gates.pass().await;
        cart.items = items.0;
    }

    /// Counts, after a wait.
    #[public]
    #[oai(path = "/slow/add", method = "post")]
    async fn slow_add(&self, mut cart: Session<Cart>) -> auth_poem::Result<()> {
        self.gates.pass().await;
        Ok(cart.update(|cart| cart.items += 1).await?)
    }

    /// Changes the key, after a wait.
    #[oai(path = "/slow/cycle", method = "post")]
    async fn slow_cycle(&self, _user: User, mut session: Session) -> auth_poem::Result<()> {
        self.gates.pass().await;
        Ok(session.cycle_key()?)
    }

    /// Only reads, and takes its time.
    #[oai(path = "/slow/me", method = "get")]
    async fn slow_me(&self, user: User) -> PlainText<String> {
        self.gates.pass().await;
        PlainText(user.username)
    }

    #[public]
    #[oai(path = "/code", method = "post")]
    async fn code(
        &self,
        mut email: Session<EmailSession>,
        code: Query<String>,
        minutes: Query<Option<i64>>,
    ) {
        email.code = Some(code.0);
        if let Some(minutes) = minutes.0 {
            email.set_expiry(Duration::minutes(minutes));
        }
    }

    #[public]
    #[oai(path = "/session/expiry", method = "post")]
    async fn expiry(&self, mut session: Session, minutes: Query<i64>) {
        session.set_expiry(Duration::minutes(minutes.0));
    }

    #[public]
    #[oai(path = "/session/cycle", method = "post")]
    async fn cycle(&self, mut session: Session) -> auth_poem::Result<()> {
        Ok(session.cycle_key()?)
    }

    #[public]
    #[oai(path = "/session/flush", method = "post")]
    async fn flush(&self, mut session: Session) -> auth_poem::Result<()> {
        Ok(session.flush().await?)
    }

    #[public]
    #[oai(path = "/untyped/:key", method = "put")]
    async fn put(
        &self,
        mut session: Session,
        key: Path<String>,
        value: Json<Value>,
    ) -> auth_poem::Result<()> {
        Ok(session.insert(&key, value.0)?)
    }

    /// Reads a number; what is no number is a fault.
    #[public]
    #[oai(path = "/untyped/:key", method = "get")]
    async fn number(&self, session: Session, key: Path<String>) -> auth_poem::Result<Json<u32>> {
        Ok(Json(session.get(&key)?.unwrap_or_default()))
    }

    #[public]
    #[oai(path = "/fail/poem", method = "post")]
    async fn fail_poem(&self, cart: Session<Cart>, draft: Session<Draft>) -> poem::Result<()> {
        fill(cart, draft);
        Err(poem::Error::from_status(StatusCode::IM_A_TEAPOT))
    }

    #[public]
    #[rejects(no_room = 409)]
    #[oai(path = "/fail/ours", method = "post")]
    async fn fail_ours(&self, cart: Session<Cart>, draft: Session<Draft>) -> auth_poem::Result<()> {
        fill(cart, draft);
        Err(Rejection::new(StatusCode::CONFLICT, "no_room", "There is no room."))?
    }

    #[public]
    #[oai(path = "/fail/answer", method = "post")]
    async fn fail_answer(&self, cart: Session<Cart>, draft: Session<Draft>) -> Answer {
        fill(cart, draft);
        Answer::Conflict(PlainText("no"))
    }

    #[public]
    #[oai(path = "/succeed", method = "post")]
    async fn succeed(&self, cart: Session<Cart>, draft: Session<Draft>) {
        fill(cart, draft);
    }
}
