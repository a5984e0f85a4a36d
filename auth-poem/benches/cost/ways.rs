//! Every other way in, with a user who may come by all of them.

use auth_poem::{
    access_keys::{MemoryAccessKeys, MemoryNonces, Signatures},
    jwt::{JwtAlgorithm, TrustedIssuer},
    password::PasswordHasher,
    prelude::*,
    sealing::SealingKeys,
    signature::{Message, Signer},
};
use poem::{
    Endpoint,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    web::headers::{Authorization, HeaderMapExt},
};
use poem_openapi::payload::{Json, PlainText};
use serde::Deserialize;

use crate::{
    app::{self, Role, Served, UserView, request},
    cases::serve,
};

/// How a request says whose it is.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// A session in a header.
    SessionHeader,
    /// HTTP Basic, remembered.
    Basic,
    /// An API key in a header.
    ApiKey,
    /// A signature by a shared secret.
    Hmac,
    /// A signature by a private key.
    Ed25519,
    /// A token of another issuer, seen before; there is no table of users.
    Claims,
}

const SESSION_HEADER: HeaderName = HeaderName::from_static("x-session-id");
const PASSWORD: &str = "correct horse battery staple";
const ISSUER: &str = "https://id.example";

/// The key pair of RFC 8032, 7.1, test 1.
const SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const PUBLIC: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// The user of [`app::User`], who may come in any way.
#[derive(AuthUser, Clone, Debug)]
#[auth(table = "users", role = Role, schemes(session, basic, api_key, signature))]
struct User {
    #[auth(id)]
    id: Uuid,
    #[auth(login)]
    username: String,
    #[auth(login)]
    email: String,
    #[auth(password)]
    password: PasswordHash,
    #[auth(roles)]
    roles: Vec<Role>,
}

/// A user who is made of the claims of a token.
#[derive(AuthUser, Deserialize, Clone, Debug)]
#[auth(claims, schemes(bearer))]
struct Caller {
    #[auth(id)]
    #[serde(flatten)]
    id: Subject,
}

struct Guarded {
    user: User,
}

#[auth_api]
impl Guarded {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, user: User) -> Json<UserView> {
        Json(UserView { id: user.id, username: user.username, email: user.email })
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(&self, auth: Auth<User>) -> auth_poem::Result<()> {
        auth.login_user(&self.user).await?;
        Ok(())
    }

    #[oai(path = "/key", method = "post")]
    async fn key(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<PlainText<String>> {
        Ok(PlainText(auth.create_api_key("bench").await?.key.expose().to_owned()))
    }

    /// The name of an access key, and its secret.
    #[oai(path = "/hmac", method = "post")]
    async fn hmac(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<PlainText<String>> {
        let key = auth.create_access_key("bench").await?;
        Ok(PlainText(format!("{} {}", key.info.id, key.secret.unwrap().as_str())))
    }

    #[oai(path = "/ed25519", method = "post")]
    async fn ed25519(&self, _user: User, auth: Auth<User>) -> auth_poem::Result<PlainText<String>> {
        Ok(PlainText(auth.create_access_key("bench").ed25519(PUBLIC).await?.info.id))
    }
}

struct Claimed;

#[auth_api]
impl Claimed {
    #[oai(path = "/me", method = "get")]
    async fn me(&self, caller: Caller) -> Json<UserView> {
        Json(UserView { id: Uuid::nil(), username: caller.id.subject, email: String::new() })
    }
}

/// Serves requests that come this way, and the same ones without authentication.
pub(crate) async fn serve_way(way: Way) {
    let bare = app::bare(app::user());
    if let Way::Claims = way {
        let (ours, token) = claimed().await;
        let me = || me().header(header::AUTHORIZATION, &*token).finish();
        serve(&bare, me).await;
        serve(&ours, me).await;
        return;
    }
    let ours = guarded().await;
    let answer = ours.call(request(Method::POST, "/api/login").finish()).await.unwrap();
    let session = answer.headers()[SESSION_HEADER].to_str().unwrap().to_owned();
    let make = async |path: &'static str| {
        let asked = request(Method::POST, path).header(SESSION_HEADER, &*session).finish();
        ours.call(asked).await.unwrap().into_body().into_string().await.unwrap()
    };
    let (name, value) = match way {
        Way::SessionHeader | Way::Claims => (SESSION_HEADER, session.clone()),
        Way::Basic => {
            let mut headers = HeaderMap::new();
            headers.typed_insert(Authorization::basic("ada.lovelace", PASSWORD));
            (header::AUTHORIZATION, headers[header::AUTHORIZATION].to_str().unwrap().to_owned())
        }
        Way::ApiKey => (HeaderName::from_static("x-api-key"), make("/api/key").await),
        Way::Hmac => {
            let made = make("/api/hmac").await;
            let (id, secret) = made.split_once(' ').unwrap();
            return serve_signed(&bare, &ours, &Signer::hmac_sha256(id, secret.as_bytes())).await;
        }
        Way::Ed25519 => {
            let signer = Signer::ed25519(make("/api/ed25519").await, &SEED).unwrap();
            return serve_signed(&bare, &ours, &signer).await;
        }
    };
    let me = || me().header(name.clone(), &*value).finish();
    serve(&bare, me).await;
    serve(&ours, me).await;
}

async fn serve_signed(bare: &Served, ours: &Served, signer: &Signer) {
    let me = || {
        let host = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("api.example"))]);
        let uri = Uri::from_static("/api/me");
        let message = Message { method: &Method::GET, uri: &uri, headers: &host };
        let signed = signer.headers_for(&message, b"", Utc::now()).unwrap();
        signed.into_iter().fold(me(), |me, (name, value)| me.header(name, value)).finish()
    };
    serve(bare, me).await;
    serve(ours, me).await;
}

async fn guarded() -> Served {
    // What is measured is what is remembered; a hash as it should be takes valgrind a minute.
    let hasher = PasswordHasher::dangerous_fast_for_tests();
    let app::User { id, username, email, roles, .. } = app::user();
    let password = hasher.hash(PASSWORD).await.unwrap();
    let user = User { id, username, email, password, roles };
    let users = MemoryUsers::default();
    users.insert(user.clone()).unwrap();
    let auth = AuthConfig::new()
        .user::<User>(users)
        .sessions(MemorySessions::new())
        .session_header(SESSION_HEADER.as_str())
        .hasher(hasher)
        .cache_basic(Duration::minutes(5))
        .api_keys(MemoryApiKeys::new())
        .signatures(Signatures::new(
            MemoryAccessKeys::new(),
            MemoryNonces::new(),
            SealingKeys::generate().unwrap(),
        ))
        .build()
        .unwrap();
    app::mount(auth.openapi(Guarded { user }, "Guarded", "1"))
}

/// A service that has no users of its own, and a token of the one that has them.
async fn claimed() -> (Served, String) {
    let keys = JwtKeys::generate(JwtAlgorithm::EdDsa).unwrap();
    let public = JwtKeys::verify_only_jwks(&keys.public_jwks().unwrap()).unwrap();
    let user = app::user();
    let users = MemoryUsers::default();
    users.insert(user.clone()).unwrap();
    let issuer = AuthConfig::new()
        .user::<app::User>(users)
        .sessions(MemorySessions::new())
        .jwt(keys)
        .issuer(ISSUER)
        .audience("bench")
        .build()
        .unwrap();
    let issuer = app::guarded(&issuer, user);
    let answer = issuer.call(request(Method::POST, "/api/token").finish()).await.unwrap();
    let token = answer.into_body().into_string().await.unwrap();
    let trusted = TrustedIssuer::new(ISSUER, "bench", public);
    let auth = AuthConfig::new().user::<Caller>(ClaimsUsers::new()).trust(trusted).build().unwrap();
    (app::mount(auth.openapi(Claimed, "Claimed", "1")), format!("Bearer {token}"))
}

fn me() -> poem::RequestBuilder {
    request(Method::GET, "/api/me")
}
