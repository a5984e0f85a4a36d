//! A started example, and what its clients do.

use std::future::Future;

use auth_test_servers::Database;
use example_kit::{
    database::Pool,
    testing::{Answer, Client, Server},
};
use serde_json::{Value, json};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_example-realworld");

/// A good password.
pub(crate) const PASSWORD: &str = "seven purple giraffes";

/// Another one.
pub(crate) const OTHER_PASSWORD: &str = "eight orange zebras";

/// A started example, with a database of its own.
pub(crate) struct Conduit {
    pub(crate) server: Server,
    url: String,
    _database: Option<Database>,
}

/// A test that any engine must pass.
pub(crate) type Story = (&'static str, fn(&Conduit));

/// Makes a test of each of these functions, on SQLite; others tell them on the other engines.
macro_rules! stories {
    ($($story:ident,)*) => {
        pub(crate) const STORIES: &[crate::conduit::Story] = &[$((stringify!($story), $story)),*];

        mod on_sqlite {
            use crate::conduit::Conduit;
            $(
                #[test]
                fn $story() {
                    super::$story(&Conduit::on_sqlite(&[]));
                }
            )*
        }
    };
}
pub(crate) use stories;

impl Conduit {
    /// On a new file.
    pub(crate) fn on_sqlite(settings: &[(&str, &str)]) -> Self {
        let server = Server::start(PROGRAM, settings);
        let url = format!("sqlite://{}", server.path("realworld.db").display());
        Self { server, url, _database: None }
    }

    /// On an empty database of a server.
    pub(crate) fn on(database: Database) -> Self {
        let url = database.url().to_owned();
        let server = Server::start(PROGRAM, &[("DATABASE_URL", &url)]);
        Self { server, url, _database: Some(database) }
    }

    /// Somebody who is not logged in.
    pub(crate) fn stranger(&self) -> Client {
        self.server.client()
    }

    /// Somebody who has signed up just now.
    pub(crate) fn signed_up(&self, name: &str) -> Client {
        let mut client = self.stranger();
        let answer = client.sign_up(name, PASSWORD);
        assert_eq!(answer.status, 201, "{}", answer.body);
        client.present(answer.token());
        client
    }

    /// The same user, once more.
    pub(crate) fn logged_in(&self, name: &str, password: &str) -> Client {
        let mut client = self.stranger();
        let answer = client.log_in(&email(name), password);
        assert_eq!(answer.status, 200, "{}", answer.body);
        client.present(answer.token());
        client
    }

    /// Does something to the database behind the example's back.
    pub(crate) fn in_database<F: Future>(&self, work: impl FnOnce(Pool) -> F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = example_kit::Database::connect(&self.url).await.unwrap();
            work(database.pool().clone()).await
        })
    }
}

/// What a user of this name has as an address.
pub(crate) fn email(name: &str) -> String {
    format!("{name}@example.org")
}

/// What clients of the contract do.
pub(crate) trait Conduct {
    fn sign_up(&mut self, name: &str, password: &str) -> Answer;
    fn log_in(&mut self, email: &str, password: &str) -> Answer;
    /// Sends this token from now on.
    fn present(&mut self, token: &str);
    fn change(&mut self, user: Value) -> Answer;
    fn write(&mut self, article: Value) -> Answer;
    /// Publishes an article, and tells its slug.
    fn publish(&mut self, title: &str) -> String;
    fn edit(&mut self, slug: &str, article: Value) -> Answer;
    /// Comments on an article, and tells the comment's id.
    fn comment(&mut self, slug: &str, body: &str) -> i64;
    /// The titles of a list, and how many there are on all pages.
    fn titles(&mut self, list: &str) -> (Vec<String>, i64);
}

impl Conduct for Client {
    fn sign_up(&mut self, name: &str, password: &str) -> Answer {
        let user = json!({"username": name, "email": email(name), "password": password});
        self.post("/users", json!({ "user": user }))
    }

    fn log_in(&mut self, email: &str, password: &str) -> Answer {
        self.post("/users/login", json!({"user": {"email": email, "password": password}}))
    }

    fn present(&mut self, token: &str) {
        self.set_header("authorization", format!("Token {token}"));
    }

    fn change(&mut self, user: Value) -> Answer {
        self.put("/user", json!({ "user": user }))
    }

    fn write(&mut self, article: Value) -> Answer {
        self.post("/articles", json!({ "article": article }))
    }

    fn publish(&mut self, title: &str) -> String {
        let answer = self.write(json!({"title": title, "description": "About", "body": "Text"}));
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["article"]["slug"].as_str().unwrap().to_owned()
    }

    fn edit(&mut self, slug: &str, article: Value) -> Answer {
        self.put(&format!("/articles/{slug}"), json!({ "article": article }))
    }

    fn comment(&mut self, slug: &str, body: &str) -> i64 {
        let path = format!("/articles/{slug}/comments");
        let answer = self.post(&path, json!({"comment": {"body": body}}));
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["comment"]["id"].as_i64().unwrap()
    }

    fn titles(&mut self, list: &str) -> (Vec<String>, i64) {
        let answer = self.get(list);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let articles = answer.body["articles"].as_array().unwrap();
        let title = |article: &Value| article["title"].as_str().unwrap().to_owned();
        (articles.iter().map(title).collect(), answer.body["articlesCount"].as_i64().unwrap())
    }
}

/// What tests ask of an answer.
pub(crate) trait Answers {
    /// The token in it.
    fn token(&self) -> &str;
    /// Checks that it refuses, and with what errors.
    fn assert_errors(&self, status: u16, errors: Value);
}

impl Answers for Answer {
    fn token(&self) -> &str {
        self.body["user"]["token"].as_str().unwrap()
    }

    #[track_caller]
    fn assert_errors(&self, status: u16, errors: Value) {
        self.assert(status, &json!({ "errors": errors }));
        let content_type = self.header("content-type").unwrap();
        assert!(content_type.starts_with("application/json"), "{content_type}");
    }
}

/// The names of the members of an object.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}
