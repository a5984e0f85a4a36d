//! A started example, and those who are there.

use std::ops::{Deref, DerefMut};

use auth_poem::signature::Signer;
use base64::{Engine, engine::general_purpose::STANDARD};
use example_kit::testing::{self, Answer, Client};
use serde_json::{Value, json};

use crate::conform::Document;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_example-every-scheme");

/// Somebody whom `SEED=1` creates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
}

/// Has the role `admin`, and so the permission `reports:read`.
pub(crate) const ALICE: Person = Person { name: "alice", password: "correct horse battery staple" };

/// Has no role.
pub(crate) const BOB: Person = Person { name: "bob", password: "battery horse staple correct" };

/// A started process with Alice and Bob, and its document.
#[derive(Debug)]
pub(crate) struct Server {
    process: testing::Server,
    document: Document,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        let process = testing::Server::start(PROGRAM, &[&[("SEED", "1")], settings].concat());
        let document = Document::new(process.root().get("/openapi.json").body);
        Self { process, document }
    }

    /// What it says of itself.
    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// A client that is logged in by session.
    pub(crate) fn logged_in(&self, person: Person) -> Client {
        let mut client = self.client();
        let answer = client.post("/login", person.credentials());
        assert_eq!(answer.status, 200, "{answer:?}");
        client
    }

    /// A client that presents name and password with every request.
    pub(crate) fn with_basic(&self, person: Person, password: &str) -> Client {
        let mut client = self.client();
        let pair = STANDARD.encode(format!("{}:{password}", person.name));
        client.set_header("authorization", format!("Basic {pair}"));
        client
    }

    /// The tokens that somebody gets for name and password.
    pub(crate) fn tokens(&self, person: Person) -> Tokens {
        let form =
            [("grant_type", "password"), ("username", person.name), ("password", person.password)];
        Tokens::of(&self.token(&form))
    }

    /// Asks the token endpoint.
    pub(crate) fn token(&self, form: &[(&str, &str)]) -> Answer {
        let answer = self.client().post_form("/oauth/token", form);
        self.conforming("POST", "/oauth/token", answer)
    }

    /// A client with an access token.
    pub(crate) fn with_token(&self, person: Person) -> Client {
        let mut client = self.client();
        client.token = Some(self.tokens(person).access);
        client
    }

    /// A client that somebody makes keys with.
    pub(crate) fn maker(&self, person: Person) -> Client {
        if self.document.schemes().contains(&"session") {
            self.logged_in(person)
        } else {
            self.with_basic(person, person.password)
        }
    }

    /// An API key of somebody, as its first answer has it.
    pub(crate) fn key(&self, person: Person, scopes: &[&str]) -> Value {
        let wanted = json!({ "name": "a key", "scopes": scopes });
        let answer = self.maker(person).post("/keys", wanted);
        let answer = self.conforming("POST", "/keys", answer);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body
    }

    /// An access key of somebody, as its first answer has it.
    pub(crate) fn access_key(&self, person: Person) -> Value {
        let wanted = json!({ "name": "a key", "algorithm": "hmac-sha256" });
        let answer = self.maker(person).post("/access-keys", wanted);
        let answer = self.conforming("POST", "/access-keys", answer);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body
    }

    /// What signs the requests of somebody, and the id of its key.
    pub(crate) fn signer(&self, person: Person) -> (Signer, String) {
        let key = self.access_key(person);
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        (Signer::hmac_sha256(text("id"), text("secret").as_bytes()), text("id"))
    }

    /// An answer that is what the document says; the path is one of the document.
    pub(crate) fn conforming(&self, method: &str, path: &str, answer: Answer) -> Answer {
        self.document.check(method, path, &answer);
        answer
    }
}

/// What the token endpoint gives.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

impl Person {
    /// What he logs in with.
    pub(crate) fn credentials(self) -> Value {
        json!({ "username": self.name, "password": self.password })
    }
}

impl Deref for Server {
    type Target = testing::Server;

    fn deref(&self) -> &testing::Server {
        &self.process
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut testing::Server {
        &mut self.process
    }
}
