//! A started facade, and what its clients do again and again.

use std::{ops::Deref, path::Path, process::Command, sync::Arc};

use example_kit::testing::{self, Answer, Body, Client};
use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_example-facade");

/// The password of whoever signs up.
pub(crate) const PASSWORD: &str = "seven purple giraffes";

/// A started process with the people of `SEED=1`.
#[derive(Debug)]
pub(crate) struct Server(pub(super) testing::Server);

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn compat() -> Self {
        Self::start_with(&[("COMPAT", "1")])
    }

    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_in(testing::empty_folder(), settings)
    }

    /// Starts in a folder, which other processes may use at the same time.
    pub(crate) fn start_in(folder: Arc<TempDir>, settings: &[(&str, &str)]) -> Self {
        let settings: Vec<_> = [("SEED", "1")].iter().chain(settings).copied().collect();
        Self(testing::Server::start_in(PROGRAM, folder, &settings))
    }

    /// `admin`, who is administrator everywhere.
    pub(crate) fn admin(&self) -> Client {
        self.signed_in("admin", "admin-password-1")
    }

    /// `user1`, who is manager of site 1.
    pub(crate) fn manager(&self) -> Client {
        self.signed_in("user1", "user1-password-1")
    }

    /// `user2`, who is user of site 1.
    pub(crate) fn user(&self) -> Client {
        self.signed_in("user2", "user2-password-1")
    }

    /// Somebody who has just signed up, and belongs nowhere.
    pub(crate) fn stranger(&self, name: &str) -> Client {
        let mut client = self.client();
        let answer = client.sign_up(name);
        assert_eq!(answer.status, 200, "{answer:#?}");
        client.carry(&answer);
        client
    }

    pub(crate) fn signed_in(&self, login: &str, password: &str) -> Client {
        let mut client = self.client();
        let answer = client.sign_in(login, password);
        assert_eq!(answer.status, 200, "{answer:#?}");
        client.carry(&answer);
        client
    }

    /// A client with the headers of another one, which was of an earlier start.
    pub(crate) fn again(&self, client: &Client) -> Client {
        let mut again = self.client();
        again.headers.clone_from(&client.headers);
        again
    }

    /// The code of the latest message to an address.
    pub(crate) fn code_for(&self, email: &str) -> Option<String> {
        let mail = self.outbox().into_iter().rfind(|message| message["to"] == email)?;
        Some(mail["code"].as_str().unwrap().to_owned())
    }
}

impl Deref for Server {
    type Target = testing::Server;

    fn deref(&self) -> &testing::Server {
        &self.0
    }
}

/// A command that runs the facade in a folder.
pub(crate) fn command(folder: &Path) -> Command {
    testing::command(PROGRAM, folder)
}

pub(crate) trait Caller {
    fn sign_up(&mut self, name: &str) -> Answer;
    fn sign_in(&mut self, login: &str, password: &str) -> Answer;
    /// Posts without a body.
    fn poke(&mut self, path: &str) -> Answer;
    /// Sends the token of an opened session from now on.
    fn carry(&mut self, opened: &Answer);
    /// The public id of the session.
    fn session_id(&mut self) -> String;
    /// The id of the account.
    fn user_id(&mut self) -> String;
    /// The roles that the session shows.
    fn roles(&mut self) -> Value;
    /// The id of a new site.
    fn new_site(&mut self, name: &str) -> String;
}

impl Caller for Client {
    fn sign_up(&mut self, name: &str) -> Answer {
        let email = format!("{name}@example.org");
        self.post("/signup", json!({"login": name, "email": email, "password": PASSWORD}))
    }

    fn sign_in(&mut self, login: &str, password: &str) -> Answer {
        self.post("/signin", json!({"login": login, "password": password}))
    }

    fn poke(&mut self, path: &str) -> Answer {
        self.send("POST", path, Body::Empty)
    }

    fn carry(&mut self, opened: &Answer) {
        self.set_header("x-session-id", opened.body["token"].as_str().unwrap());
    }

    fn session_id(&mut self) -> String {
        self.get("/sessions/current").body["id"].as_str().unwrap().to_owned()
    }

    fn user_id(&mut self) -> String {
        self.get("/sessions/current").body["user_id"].as_str().unwrap().to_owned()
    }

    fn roles(&mut self) -> Value {
        self.get("/sessions/current").body["user"]["roles"].clone()
    }

    fn new_site(&mut self, name: &str) -> String {
        let answer = self.post("/sites", json!({"name": name}));
        assert_eq!(answer.status, 200, "{answer:#?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }
}

pub(crate) trait Refusal {
    /// Checks a refusal: its status, its form, its code. Returns its details.
    fn assert_error(&self, status: u16, code: &str) -> &Value;
}

impl Refusal for Answer {
    #[track_caller]
    fn assert_error(&self, status: u16, code: &str) -> &Value {
        let body = &self.body;
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{self:#?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!((&body["status"], &body["name"]), (&json!(status), &json!(code)));
        assert!(body["message"].is_string() && body["category"].is_string(), "{body}");
        let known = ["code", "status", "message", "name", "category", "details"];
        let members: Vec<_> = body.as_object().unwrap().keys().collect();
        assert!(members.iter().all(|name| known.contains(&name.as_str())), "{members:?}");
        &body["details"]
    }
}
