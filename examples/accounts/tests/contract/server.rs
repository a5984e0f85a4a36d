//! A started accounts example.

use std::{
    ops::{Deref, DerefMut},
    path::Path,
    process::Command,
    sync::Arc,
};

use example_kit::testing::{self, Client};
use serde_json::json;
use tempfile::TempDir;

use super::{PASSWORD, client::Caller};

const PROGRAM: &str = env!("CARGO_BIN_EXE_example-accounts");

/// The settings that create an administrator.
pub(super) const ADMIN: [(&str, &str); 2] =
    [("ADMIN_USERNAME", "root"), ("ADMIN_PASSWORD", PASSWORD)];

/// A started process, and those who have an account there.
#[derive(Debug)]
pub(super) struct Server(testing::Server);

impl Server {
    /// Starts in an empty folder.
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts in an empty folder, with an administrator `root`.
    pub(super) fn start_with_admin() -> Self {
        Self::start_with(&ADMIN)
    }

    pub(super) fn start_with(settings: &[(&str, &str)]) -> Self {
        Self(testing::Server::start(PROGRAM, settings))
    }

    /// Starts in a folder, which other processes may use at the same time.
    pub(super) fn start_in(folder: Arc<TempDir>, settings: &[(&str, &str)]) -> Self {
        Self(testing::Server::start_in(PROGRAM, folder, settings))
    }

    /// A client that has signed up.
    pub(super) fn signed_up(&self, name: &str) -> Client {
        let mut client = self.client();
        let answer = client.sign_up(name, PASSWORD);
        assert_eq!(answer.status, 201, "{}", answer.body);
        client
    }

    /// A client that is logged in by session.
    pub(super) fn logged_in(&self, name: &str, password: &str) -> Client {
        let mut client = self.client();
        let answer = client.log_in(name, password);
        assert_eq!(answer.status, 200, "{}", answer.body);
        client
    }

    /// A client with a token.
    pub(super) fn with_token(&self, name: &str, password: &str) -> Client {
        let mut client = self.client();
        let answer = client.post("/user/token", json!({"username": name, "password": password}));
        assert_eq!(answer.status, 200, "{}", answer.body);
        client.token = Some(answer.body["access_token"].as_str().unwrap().to_owned());
        client
    }
}

impl Deref for Server {
    type Target = testing::Server;

    fn deref(&self) -> &testing::Server {
        &self.0
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut testing::Server {
        &mut self.0
    }
}

/// A command that runs the example in a folder.
pub(super) fn command(folder: &Path) -> Command {
    testing::command(PROGRAM, folder)
}
