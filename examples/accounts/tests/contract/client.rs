//! A client that keeps its cookie.

use serde_json::{Value, json};
use ureq::{Agent, http};

use super::server::PATIENCE;

/// A client that keeps the session cookie as a browser would.
#[derive(Debug, Clone)]
pub(super) struct Client {
    agent: Agent,
    origin: String,
    pub(super) cookie: Option<String>,
    pub(super) token: Option<String>,
    /// Sent with every request.
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    /// Null if there is none.
    pub(super) body: Value,
}

impl Client {
    /// A client without credentials.
    pub(super) fn new(origin: String) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        Self { agent, origin, cookie: None, token: None, headers: Vec::new() }
    }

    pub(super) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub(super) fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body))
    }

    pub(super) fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body))
    }

    pub(super) fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    pub(super) fn sign_up(&mut self, name: &str, password: &str) -> Answer {
        self.post("/user/signup", json!({"username": name, "password": password}))
    }

    pub(super) fn log_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("/user/login", json!({"username": name, "password": password}))
    }

    pub(super) fn log_out(&mut self) -> Answer {
        self.send("POST", "/user/logout", None)
    }

    /// The status of "who am I": 200 while the client's credentials are good.
    pub(super) fn me(&mut self) -> u16 {
        self.get("/user").status
    }

    pub(super) fn id(&mut self) -> String {
        self.get("/user").body["id"].as_str().unwrap().to_owned()
    }

    /// A request outside of the API.
    pub(super) fn page(&self, path: &str) -> (u16, String) {
        let mut answer = self.agent.get(format!("{}{path}", self.origin)).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    pub(super) fn send(&mut self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| ("application/json", body.to_string()));
        self.send_raw(method, path, body)
    }

    /// Sends a body of any type.
    pub(super) fn send_raw(
        &mut self,
        method: &str,
        path: &str,
        body: Option<(&str, String)>,
    ) -> Answer {
        let mut request =
            http::Request::builder().method(method).uri(format!("{}/api{path}", self.origin));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some((kind, body)) => {
                self.agent.run(request.header("content-type", kind).body(body).unwrap())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        let answer =
            Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body };
        if let Some(header) = answer.set_cookie() {
            let pair = header.split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        answer
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn set_cookie(&self) -> Option<&str> {
        self.header("set-cookie")
    }

    /// Checks a refusal: its status, that it is a problem document, its code.
    #[track_caller]
    pub(super) fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:#?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], status);
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{}", self.body);
    }
}
