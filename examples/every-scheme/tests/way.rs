//! A way in, as a client goes it.

use auth_poem::{
    prelude::*,
    signature::{Message, Signer},
};
use example_kit::testing::{Answer, Body, Client};
use poem::http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};

use crate::server::{Person, Server};

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Session,
    Basic,
    Bearer,
    KeyInHeader,
    KeyAsBearer,
    Signed,
}

impl Way {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Session,
        Self::Basic,
        Self::Bearer,
        Self::KeyInHeader,
        Self::KeyAsBearer,
        Self::Signed,
    ];

    /// What answers and documents call it.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::KeyInHeader | Self::KeyAsBearer => "api_key",
            Self::Signed => "signature",
        }
    }

    /// How far it reaches, as answers say it.
    pub(crate) fn scopes(self) -> Value {
        match self {
            Self::KeyInHeader | Self::KeyAsBearer => json!(["reports:read"]),
            Self::Session | Self::Basic | Self::Bearer | Self::Signed => Value::Null,
        }
    }

    /// What `WWW-Authenticate` calls it.
    pub(crate) fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Session => None,
            Self::Basic => Some("Basic "),
            Self::Bearer => Some("Bearer "),
            Self::KeyInHeader | Self::KeyAsBearer => Some("ApiKey "),
            Self::Signed => Some("Signature "),
        }
    }

    /// What a wrong credential is refused with.
    pub(crate) fn refusal(self) -> &'static str {
        match self {
            Self::Session => "invalid_session",
            Self::Basic => "wrong_credentials",
            Self::Bearer => "invalid_token",
            Self::KeyInHeader | Self::KeyAsBearer => "invalid_api_key",
            Self::Signed => "invalid_signature",
        }
    }

    /// Whether a wrong credential is refused where the user is optional. Browsers send cookies by
    /// themselves, so one that is over is nobody's there.
    pub(crate) fn is_explicit(self) -> bool {
        self != Self::Session
    }

    /// Somebody who comes in.
    pub(crate) fn visitor(self, server: &Server, person: Person) -> Visitor {
        Visitor::new(
            server,
            match self {
                Self::Session => server.logged_in(person),
                Self::Basic => server.with_basic(person, person.password),
                Self::Bearer => server.with_token(person),
                Self::KeyInHeader | Self::KeyAsBearer => {
                    self.with_key(server, &server.key(person, &["reports:read"])["key"])
                }
                Self::Signed => {
                    return Visitor {
                        signer: Some(server.signer(person).0),
                        ..Visitor::new(server, server.client())
                    };
                }
            },
        )
    }

    /// Somebody with a credential of the right form that does not hold.
    pub(crate) fn wrong(self, server: &Server, person: Person) -> Visitor {
        Visitor::new(
            server,
            match self {
                Self::Session => {
                    let client = server.logged_in(person);
                    assert_eq!(client.clone().send("POST", "/logout", Body::Empty).status, 204);
                    client
                }
                Self::Basic => server.with_basic(person, "a wrong password"),
                Self::Bearer => {
                    let mut client = server.with_token(person);
                    let token = client.token.as_mut().unwrap();
                    // Not the last character, of which not all bits count.
                    let place = token.rfind('.').unwrap() + 1;
                    let other = if &token[place..=place] == "A" { "B" } else { "A" };
                    token.replace_range(place..=place, other);
                    client
                }
                Self::KeyInHeader | Self::KeyAsBearer => {
                    let old = server.key(person, &[]);
                    let path = format!("/keys/{}/rotate", old["id"].as_str().unwrap());
                    let rotated = server.maker(person).send("POST", &path, Body::Empty);
                    assert_eq!(rotated.status, 200, "{rotated:?}");
                    self.with_key(server, &old["key"])
                }
                Self::Signed => {
                    let (_, id) = server.signer(person);
                    let signer = Signer::hmac_sha256(id, b"another secret");
                    return Visitor {
                        signer: Some(signer),
                        ..Visitor::new(server, server.client())
                    };
                }
            },
        )
    }

    /// A client with an API key.
    pub(crate) fn with_key(self, server: &Server, key: &Value) -> Client {
        let (mut client, key) = (server.client(), key.as_str().unwrap().to_owned());
        match self {
            Self::KeyAsBearer => client.token = Some(key),
            _ => client.set_header("x-api-key", key),
        }
        client
    }

    /// Asks for a path as somebody.
    pub(crate) fn get(self, server: &Server, person: Person, path: &str) -> Answer {
        let answer = self.visitor(server, person).get(path);
        server.conforming("GET", path, answer)
    }
}

/// Somebody, and what he presents.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) client: Client,
    signer: Option<Signer>,
    origin: String,
}

impl Visitor {
    fn new(server: &Server, client: Client) -> Self {
        Self { client, signer: None, origin: url(server, "") }
    }

    /// The same, with what he presents, at another process or at one that was started again.
    pub(crate) fn at(&self, server: &Server) -> Self {
        let mut client = server.client();
        client.cookies = self.client.cookies.clone();
        client.headers = self.client.headers.clone();
        client.token = self.client.token.clone();
        Self { signer: self.signer.clone(), ..Self::new(server, client) }
    }

    /// Somebody who presents what both of them present, if that fits into one request.
    pub(crate) fn together(self, other: Self) -> Option<Self> {
        let taken = other.presents();
        if self.presents().iter().any(|place| taken.contains(place)) {
            return None;
        }
        let Client { cookies, headers, token, .. } = self.client;
        let mut client = other.client;
        client.cookies.extend(cookies);
        client.headers.extend(headers);
        client.token = client.token.or(token);
        Some(Self { client, signer: other.signer.or(self.signer), origin: other.origin })
    }

    /// The places where a credential stands.
    fn presents(&self) -> Vec<String> {
        let Client { cookies, headers, token, .. } = &self.client;
        let cookies = cookies.keys().cloned();
        let headers = headers.iter().map(|(name, _)| (*name).to_owned());
        let token = token.iter().map(|_| "authorization".to_owned());
        let signature = self.signer.iter().map(|_| "signature".to_owned());
        cookies.chain(headers).chain(token).chain(signature).collect()
    }

    /// Asks for a path.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, Body::Empty)
    }

    /// Sends anything.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: Body<'_>) -> Answer {
        let Some(signer) = &self.signer else { return self.client.send(method, path, body) };
        let bytes = match &body {
            Body::Empty => Vec::new(),
            Body::Json(value) => value.to_string().into_bytes(),
            Body::Raw(_, bytes) => bytes.clone(),
            Body::Form(_) => panic!("no test signs a form"),
        };
        let mut client = self.client.clone();
        client.headers.extend(added(signer, &format!("{}{path}", self.origin), method, &bytes));
        client.send(method, path, body)
    }
}

/// Where a path of the API is.
pub(crate) fn url(server: &Server, path: &str) -> String {
    let port = server.connect().peer_addr().unwrap().port();
    format!("http://127.0.0.1:{port}/api{path}")
}

/// The headers that a signer adds to a request.
pub(crate) fn added(
    signer: &Signer,
    url: &str,
    method: &str,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let (method, uri) = (method.parse::<Method>().unwrap(), url.parse::<Uri>().unwrap());
    let message = Message { method: &method, uri: &uri, headers: &HeaderMap::new() };
    let added = signer.headers_for(&message, body, Utc::now()).unwrap();
    let names = ["content-digest", "signature-input", "signature"];
    let name = |name: &str| *names.iter().find(|known| **known == name).unwrap();
    added
        .iter()
        .map(|(header, value)| (name(header.as_str()), value.to_str().unwrap().to_owned()))
        .collect()
}
