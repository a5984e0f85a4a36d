//! A client that keeps its cookies.

use std::{
    collections::BTreeMap,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{
    Body, Endpoint, Request,
    http::{self, HeaderMap, Method, header, uri::Scheme},
    web::{LocalAddr, RemoteAddr},
};
use serde_json::Value;

use crate::world::App;

/// A client that keeps its cookies. Clones share them.
#[derive(Clone)]
pub struct Browser {
    app: App,
    jar: Arc<Mutex<BTreeMap<String, String>>>,
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser")
    }
}

/// A request that waits for its `.await`.
#[must_use = "nothing is sent before `.await`"]
pub struct Ask {
    browser: Browser,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Browser {
    /// A client without cookies.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self { app, jar: Arc::default() }
    }

    /// Another browser without cookies.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::new(self.app.clone())
    }

    /// A request with this method, as in `"GET"`.
    pub fn ask(&self, method: &str, path: impl Into<String>) -> Ask {
        Ask {
            browser: self.clone(),
            method: method.parse().unwrap(),
            path: path.into(),
            headers: Vec::new(),
            body: Body::empty(),
        }
    }

    /// A GET request.
    pub fn get(&self, path: impl Into<String>) -> Ask {
        self.ask("GET", path)
    }

    /// A POST request.
    pub fn post(&self, path: impl Into<String>) -> Ask {
        self.ask("POST", path)
    }

    /// Logs in, with the password that everybody in the [`World`](crate::World) has.
    pub fn login(&self, name: &str) -> Ask {
        self.login_with(name, &crate::world::password_of(name))
    }

    /// Logs in with a password.
    pub fn login_with(&self, name: &str, password: &str) -> Ask {
        self.post("/login").json(serde_json::json!({ "name": name, "password": password }))
    }

    /// This browser, in which somebody has now logged in.
    pub async fn logged_in(self, name: &str) -> Self {
        let _ = self.login(name).await.is(200);
        self
    }

    /// A token of somebody, from the operation that issues them.
    pub async fn token_from(&self, path: &str, name: &str) -> String {
        let login =
            serde_json::json!({ "name": name, "password": crate::world::password_of(name) });
        self.post(path).json(login).await.is(200).body
    }

    /// The value of the session cookie, whatever its name is.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.jar.lock().unwrap().values().next().cloned()
    }

    /// Puts a cookie into the jar.
    pub fn plant(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().insert(name.into(), value.into());
    }

    /// Another browser with the same cookies, as a thief has it.
    #[must_use]
    pub fn stolen(&self) -> Self {
        let jar = self.jar.lock().unwrap().clone();
        Self { app: self.app.clone(), jar: Arc::new(Mutex::new(jar)) }
    }

    fn keep(&self, headers: &HeaderMap) {
        let mut jar = self.jar.lock().unwrap();
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.into(), value.into());
            }
        }
    }
}

impl Ask {
    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Presents a token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Presents name and password by HTTP Basic.
    pub fn basic(self, name: &str, password: &str) -> Self {
        self.basic_bytes(format!("{name}:{password}"))
    }

    /// Presents any bytes by HTTP Basic.
    pub fn basic_bytes(self, bytes: impl AsRef<[u8]>) -> Self {
        self.header("authorization", format!("Basic {}", STANDARD.encode(bytes)))
    }

    /// Sends JSON.
    pub fn json(self, value: Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Sends a body.
    pub fn body(mut self, media_type: &str, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut request = http::Request::builder().method(self.method).uri(self.path);
            for (name, value) in self.headers {
                request = request.header(name, value);
            }
            let cookies: Vec<_> = {
                let jar = self.browser.jar.lock().unwrap();
                jar.iter().map(|(name, value)| format!("{name}={value}")).collect()
            };
            if !cookies.is_empty() {
                request = request.header("cookie", cookies.join("; "));
            }
            // As a server makes one: poem's own builder forgets the original address.
            let (head, ()) = request.body(()).unwrap().into_parts();
            let head = (head, LocalAddr::default(), RemoteAddr::default(), Scheme::HTTP);
            let request = Request::from_parts(head.into(), self.body);
            let mut response = self.browser.app.get_response(request).await;
            self.browser.keep(response.headers());
            Answer {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: response.take_body().into_string().await.unwrap(),
            }
        })
    }
}

impl Answer {
    /// The stable code of a refusal, or nothing.
    #[must_use]
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Status and code, which is what most tests ask for.
    #[must_use]
    pub fn outcome(&self) -> (u16, String) {
        (self.status, self.code())
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The values of a header.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The one `Set-Cookie` header, or none.
    #[must_use]
    pub fn set_cookie(&self) -> Option<&str> {
        let all = self.all("set-cookie");
        assert!(all.len() <= 1, "{all:?}");
        all.first().copied()
    }

    /// Whether the answer removes the session cookie.
    #[must_use]
    pub fn removes_cookie(&self) -> bool {
        self.set_cookie()
            .is_some_and(|cookie| cookie.contains("=; ") && cookie.contains("Max-Age=0"))
    }

    /// Fails unless the status is this one.
    #[track_caller]
    #[must_use]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}
