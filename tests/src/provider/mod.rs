//! A provider of identities in the test process, that can be told to misbehave.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use auth_poem::prelude::ManualClock;
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poem::{
    EndpointExt, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use serde_json::{Value, json};

use self::serve::Serve;

mod serve;

/// This application, as it is registered at every [`Provider`].
pub const CLIENT_ID: &str = "shop";
/// Its secret. With characters that have to be written otherwise in a header.
pub const CLIENT_SECRET: &str = "correct horse+battery:staple/%";

/// Whom the access tokens of every [`Provider`] are for.
pub const AUDIENCE: &str = "https://api.example";

/// Somebody who logs in at a provider.
#[derive(Debug, Clone)]
pub struct Person {
    /// The subject; a number for GitHub.
    pub sub: String,
    /// The address.
    pub email: String,
    /// Whether the provider calls it verified.
    pub email_verified: bool,
}

impl Person {
    /// Somebody with a verified address.
    #[must_use]
    pub fn new(sub: &str, email: &str) -> Self {
        Self { sub: sub.into(), email: email.into(), email_verified: true }
    }
}

/// How the next ID tokens are signed.
#[derive(Debug, Clone)]
pub enum Signed {
    /// As they should be.
    Rightly,
    /// With a key that is not the published one of that name.
    ByAnotherKey,
    /// With nothing after the last dot.
    NotAtAll,
    /// With HS256 and these bytes as the secret.
    With(Vec<u8>),
}

/// What the set of keys is.
#[derive(Debug, Clone)]
pub enum Published {
    /// The provider's keys, and these.
    Also(Vec<Value>),
    /// This, whatever it is.
    Instead(Value),
}

type Tamper = Arc<dyn Fn(&mut Value, &mut Value) + Send + Sync>;
type Change = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// The provider. Clones share it.
#[derive(Clone)]
pub struct Provider {
    /// Its address, which is its issuer.
    pub issuer: String,
    clock: ManualClock,
    state: Arc<Mutex<State>>,
}

struct State {
    key: Key,
    published: Vec<Key>,
    jwks: Published,
    grants: HashMap<String, Grant>,
    /// Who has which access token.
    tokens: HashMap<String, Person>,
    asked: Vec<String>,
    signed: Signed,
    tamper: Option<Tamper>,
    discovery: Option<Change>,
    userinfo: Option<Change>,
    introspection: Option<Change>,
    down: Vec<String>,
}

#[derive(Clone)]
struct Key {
    kid: String,
    pair: Arc<EcdsaKeyPair>,
}

/// A code that was given out.
struct Grant {
    person: Person,
    challenge: String,
    nonce: Option<String>,
    redirect: String,
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn random() -> String {
    base64url(uuid::Uuid::new_v4().as_bytes())
}

/// The pairs of a form.
fn pairs(form: &str) -> HashMap<String, String> {
    serde_urlencoded::from_str(form).unwrap()
}

/// A text as a form has it.
fn encoded(text: &str) -> String {
    serde_urlencoded::to_string([("x", text)]).unwrap()[2..].to_owned()
}

impl Key {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid: random(), pair: Arc::new(pair) }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": base64url(&point[1..33]), "y": base64url(&point[33..]),
        })
    }
}

impl Provider {
    /// A provider that has begun to serve.
    pub async fn start(clock: &ManualClock) -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
        let key = Key::new();
        let state = State {
            published: vec![key.clone()],
            key,
            jwks: Published::Also(Vec::new()),
            grants: HashMap::new(),
            tokens: HashMap::new(),
            asked: Vec::new(),
            signed: Signed::Rightly,
            tamper: None,
            discovery: None,
            userinfo: None,
            introspection: None,
            down: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let this = Self { issuer: format!("http://{address}"), clock: clock.clone(), state };
        let routes = Serve(this.clone()).map_to_response();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
        this
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What happens in the browser between the two redirects: somebody logs in at the provider.
    /// Returns the path and query to which he is sent back.
    #[must_use]
    pub fn log_in(&self, authorize_url: &str, person: &Person) -> String {
        let (asked, callback) = self.asked_for(authorize_url);
        let grant = Grant {
            person: person.clone(),
            challenge: asked["code_challenge"].clone(),
            nonce: asked.get("nonce").cloned(),
            redirect: asked["redirect_uri"].clone(),
        };
        let code = random();
        self.state().grants.insert(code.clone(), grant);
        format!("{callback}?code={code}&state={}", asked["state"])
    }

    /// The same, with the issuer in the answer (RFC 9207).
    #[must_use]
    pub fn log_in_by_name(&self, authorize_url: &str, person: &Person) -> String {
        let issuer = encoded(&self.issuer);
        format!("{}&iss={issuer}", self.log_in(authorize_url, person))
    }

    /// Somebody does not log in, for this reason.
    #[must_use]
    pub fn deny(&self, authorize_url: &str, error: &str) -> String {
        let (asked, callback) = self.asked_for(authorize_url);
        format!("{callback}?error={error}&state={}", asked["state"])
    }

    /// Checks what was asked for, and returns it with the path to go back to.
    fn asked_for(&self, authorize_url: &str) -> (HashMap<String, String>, String) {
        let (address, query) = authorize_url.split_once('?').unwrap();
        assert!(address.starts_with(&self.issuer), "{address} is not at {}", self.issuer);
        let asked = pairs(query);
        assert_eq!(asked["client_id"], CLIENT_ID);
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        let (_, rest) = asked["redirect_uri"].split_once("://").unwrap();
        let callback = rest[rest.find('/').unwrap()..].to_owned();
        (asked, callback)
    }

    /// An access token of somebody who has logged in elsewhere.
    #[must_use]
    pub fn access_token(&self, person: &Person) -> String {
        let token = random();
        self.state().tokens.insert(token.clone(), person.clone());
        token
    }

    /// Takes an access token back.
    pub fn revoke(&self, token: &str) {
        self.state().tokens.remove(token);
    }

    /// How often this path was asked for.
    #[must_use]
    pub fn asked(&self, path: &str) -> usize {
        self.state().asked.iter().filter(|asked| *asked == path).count()
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.state().asked.len()
    }

    /// Makes a new key, which signs from now on, and is published if it should be.
    pub fn rotate(&self, publish: bool) {
        let key = Key::new();
        let mut state = self.state();
        if publish {
            state.published.push(key.clone());
        }
        state.key = key;
    }

    /// Takes back all keys that it has published, and makes and publishes a new one.
    pub fn withdraw(&self) {
        self.state().published.clear();
        self.rotate(true);
    }

    /// The name of the key that signs.
    #[must_use]
    pub fn kid(&self) -> String {
        self.state().key.kid.clone()
    }

    /// What the set of keys is from now on.
    pub fn publish(&self, published: Published) {
        self.state().jwks = published;
    }

    /// How ID tokens are signed from now on.
    pub fn sign(&self, signed: Signed) {
        self.state().signed = signed;
    }

    /// Changes header and claims of ID tokens before they are signed.
    pub fn tamper(&self, change: impl Fn(&mut Value, &mut Value) + Send + Sync + 'static) {
        self.state().tamper = Some(Arc::new(change));
    }

    /// Changes the discovery document.
    pub fn discovery(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.state().discovery = Some(Arc::new(change));
    }

    /// Changes what the userinfo endpoint says.
    pub fn userinfo(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.state().userinfo = Some(Arc::new(change));
    }

    /// Changes what the introspection endpoint says.
    pub fn introspection(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.state().introspection = Some(Arc::new(change));
    }

    /// Behaves again.
    pub fn behave(&self) {
        let mut state = self.state();
        state.signed = Signed::Rightly;
        (state.tamper, state.discovery) = (None, None);
        (state.userinfo, state.introspection) = (None, None);
        state.down.clear();
    }

    /// Answers with 500 at these paths.
    pub fn down(&self, path: &str) {
        self.state().down.push(path.into());
    }

    /// The bytes of the public key that signs, as somebody might use them for a secret.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        self.state().key.pair.public_key().as_ref().to_vec()
    }

    /// A signed token of this provider.
    #[must_use]
    pub fn token(&self, mut claims: Value) -> String {
        let state = self.state();
        let mut header = json!({ "alg": "ES256", "typ": "JWT", "kid": state.key.kid });
        match &state.signed {
            Signed::NotAtAll => header["alg"] = "none".into(),
            Signed::With(_) => header["alg"] = "HS256".into(),
            Signed::Rightly | Signed::ByAnotherKey => {}
        }
        if let Some(tamper) = &state.tamper {
            tamper(&mut header, &mut claims);
        }
        let message =
            format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let sign = |key: &Key| {
            key.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
        };
        let signature = match &state.signed {
            Signed::Rightly => sign(&state.key),
            Signed::ByAnotherKey => sign(&Key::new()),
            Signed::NotAtAll => Vec::new(),
            Signed::With(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{message}.{}", base64url(signature))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({})", self.issuer)
    }
}
