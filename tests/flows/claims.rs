//! Claims of the application's own, and users who are made of claims.

use auth_core::{error::Error, jwt::KeySource};
use auth_poem::{
    jwt::{JwtAlgorithm, TrustedIssuer},
    prelude::*,
};
use auth_tests::{Browser, World, world::JWT_SECRET};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use poem_openapi::payload::PlainText;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

const PROVIDER: &str = "https://id.example";
const API: &str = "https://api.example";

#[derive(AuthRole, Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Role {
    Admin,
}

#[derive(AuthUser, Deserialize, Clone, Debug)]
#[auth(claims, role = Role, schemes(bearer))]
struct Caller {
    #[auth(id)]
    #[serde(flatten)]
    id: Subject,
    #[auth(permissions)]
    #[serde(flatten)]
    scopes: GrantedScopes,
    #[auth(roles)]
    #[serde(default)]
    roles: Vec<Role>,
    email: Option<String>,
}

/// Who has a tenant, which not every caller has.
#[derive(AuthUser, Deserialize, Clone, Debug)]
#[auth(claims, schemes(bearer))]
struct Tenants {
    #[auth(id)]
    #[serde(flatten)]
    id: Subject,
    tenant: String,
}

#[derive(AuthUser, Clone, Debug)]
#[auth(table = "members", schemes(bearer))]
struct Member {
    #[auth(id)]
    id: i64,
}

#[derive(Serialize, Deserialize)]
struct Tenant {
    tenant: String,
}

struct Api;

#[auth_api]
impl Api {
    #[oai(path = "/caller", method = "get")]
    async fn caller(&self, caller: Caller) -> PlainText<String> {
        let email = caller.email.unwrap_or_default();
        PlainText(format!("{} {} {email}", caller.id.issuer, caller.id.subject))
    }

    #[oai(path = "/maybe", method = "get")]
    async fn maybe(&self, caller: Option<Caller>) -> PlainText<String> {
        PlainText(caller.map_or("nobody".into(), |caller| caller.id.subject))
    }

    #[require(permission = "reports:read")]
    #[oai(path = "/reports", method = "get")]
    async fn reports(&self, _caller: Caller) {}

    #[require(role = "admin")]
    #[oai(path = "/admin", method = "get")]
    async fn admin(&self, _caller: Caller) {}

    #[require(fresh)]
    #[oai(path = "/fresh", method = "get")]
    async fn fresh(&self, _caller: Caller) {}

    #[oai(path = "/both", method = "get")]
    async fn both(&self, member: Option<Member>, caller: Option<Caller>) -> PlainText<String> {
        let member = member.map_or("no member".into(), |member| format!("member {}", member.id));
        let caller = caller.map_or("no caller".into(), |caller| caller.id.subject);
        PlainText(format!("{member}, {caller}"))
    }

    #[oai(path = "/callers/tenant", method = "get")]
    async fn callers_tenant(&self, caller: Caller, tenants: Tenants) -> PlainText<String> {
        assert_eq!(caller.id.subject, tenants.id.subject);
        PlainText(tenants.tenant)
    }

    #[oai(path = "/tenant", method = "get")]
    async fn tenant(&self, _caller: Caller, claims: Claims<Tenant>) -> PlainText<String> {
        PlainText(claims.0.tenant)
    }

    #[oai(path = "/members/tenant", method = "get")]
    async fn members_tenant(&self, _member: Member, claims: Claims<Tenant>) -> PlainText<String> {
        PlainText(claims.0.tenant)
    }

    #[public]
    #[oai(path = "/stray", method = "get")]
    async fn stray(&self, claims: Claims<Tenant>) -> PlainText<String> {
        PlainText(claims.0.tenant)
    }

    #[public]
    #[oai(path = "/token", method = "post")]
    async fn token(&self, auth: Auth<Member>) -> auth_poem::Result<PlainText<String>> {
        let tenant = Tenant { tenant: "blue".into() };
        let login = auth.login_user(&Member { id: 7 }).claims(&tenant).await?;
        let refresh = login.refresh_token.as_ref().unwrap().expose();
        Ok(PlainText(format!("{} {refresh}", login.token.unwrap().token.expose())))
    }

    #[public]
    #[oai(path = "/refresh", method = "post")]
    async fn refresh(
        &self,
        auth: Auth<Member>,
        token: PlainText<String>,
    ) -> auth_poem::Result<PlainText<String>> {
        let login = auth.refresh(&token).await?;
        Ok(PlainText(login.token.unwrap().token.expose().to_owned()))
    }

    #[public]
    #[oai(path = "/shadow", method = "post")]
    async fn shadow(&self, auth: Auth<Member>) -> auth_poem::Result<()> {
        auth.login_user(&Member { id: 7 }).claims(&json!({ "sub": "1" })).await?;
        Ok(())
    }

    #[public]
    #[oai(path = "/long", method = "post")]
    async fn long(&self, auth: Auth<Member>) -> auth_poem::Result<()> {
        let long = json!({ "text": "x".repeat(8 * 1024) });
        auth.login_user(&Member { id: 7 }).claims(&long).await?;
        Ok(())
    }

    #[public]
    #[oai(path = "/as-caller", method = "post")]
    async fn as_caller(&self, auth: Auth<Caller>) -> auth_poem::Result<()> {
        auth.login("ann", "any password at all").await?;
        Ok(())
    }
}

/// A secret that both sides know stands for the provider's keys: the test signs with it.
const SHARED: &[u8] = b"p8Zr-3Vw!xK1uQ7mB4eYc9Ts5Lh0JdGf2Nn6AaRq";

fn config() -> AuthConfig {
    let members = MemoryUsers::default();
    members.insert(Member { id: 7 }).unwrap();
    AuthConfig::new()
        .user::<Member>(members)
        .user::<Caller>(ClaimsUsers::new())
        .user::<Tenants>(ClaimsUsers::new())
        .jwt(JwtKeys::hs256(JWT_SECRET).unwrap())
        .refresh_tokens(MemoryTokens::new())
        .trust(TrustedIssuer::new(PROVIDER, API, JwtKeys::hs256(SHARED).unwrap()))
}

fn client(config: AuthConfig) -> Browser {
    let auth = config.build().unwrap();
    World::serve(auth.openapi(Api, "Claims", "1.0"))
}

fn claims() -> Value {
    let now = Utc::now().timestamp();
    json!({
        "iss": PROVIDER, "sub": "ann", "aud": API, "exp": now + 600, "iat": now,
        "email": "ann@example.org", "tenant": "green",
    })
}

fn signed(claims: &Value) -> String {
    signed_as("JWT", claims)
}

/// A token of this type.
fn signed_as(kind: &str, claims: &Value) -> String {
    let header = BASE64.encode(json!({ "alg": "HS256", "typ": kind }).to_string());
    let message = format!("{header}.{}", BASE64.encode(claims.to_string()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SHARED);
    format!("{message}.{}", BASE64.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes())))
}

fn with(name: &str, value: Value) -> String {
    let mut claims = claims();
    claims[name] = value;
    signed(&claims)
}

#[tokio::test]
async fn a_user_is_what_the_token_says() {
    let client = client(config());
    let answer = client.get("/caller").bearer(&signed(&claims())).await.is(200);
    assert_eq!(answer.body, "https://id.example ann ann@example.org");
    assert_eq!(client.get("/caller").await.outcome(), (401, "missing_credentials".into()));
    assert_eq!(client.get("/maybe").await.is(200).body, "nobody");
    let expired = with("exp", json!(Utc::now().timestamp() - 31));
    for path in ["/caller", "/maybe"] {
        let answer = client.get(path).bearer(&expired).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()), "{path}");
        let other = client.get(path).bearer(&with("aud", json!("other"))).await;
        assert_eq!(other.outcome(), (403, "wrong_audience".into()), "{path}");
        let stranger = client.get(path).bearer(&with("iss", json!("https://evil"))).await;
        assert_eq!(stranger.outcome(), (401, "invalid_token".into()), "{path}");
        // A claim that the type of user cannot hold.
        let odd = client.get(path).bearer(&with("email", json!(7))).await;
        assert_eq!(odd.outcome(), (401, "invalid_token".into()), "{path}");
    }
}

#[tokio::test]
async fn one_token_makes_users_of_several_types() {
    let client = client(config());
    let token = signed(&claims());
    for _ in 0..2 {
        assert_eq!(client.get("/callers/tenant").bearer(&token).await.is(200).body, "green");
        let answer = client.get("/caller").bearer(&token).await.is(200);
        assert_eq!(answer.body, "https://id.example ann ann@example.org");
    }
    // Each token makes its own.
    let mut other = claims();
    (other["sub"], other["tenant"]) = (json!("ben"), json!("red"));
    let other = signed(&other);
    assert_eq!(client.get("/callers/tenant").bearer(&other).await.is(200).body, "red");
    assert_eq!(client.get("/callers/tenant").bearer(&token).await.is(200).body, "green");
    let without = with("tenant", Value::Null);
    for _ in 0..2 {
        let _ = client.get("/caller").bearer(&without).await.is(200);
        let answer = client.get("/callers/tenant").bearer(&without).await;
        assert_eq!(answer.outcome(), (401, "invalid_token".into()));
    }
}

#[tokio::test]
async fn a_token_is_for_now_and_an_access_token() {
    let client = client(config());
    let now = Utc::now().timestamp();
    for (name, at, status) in [
        ("nbf", now + 20, 200),
        ("nbf", now + 90, 401),
        ("iat", now + 20, 200),
        ("iat", now + 90, 401),
        ("auth_time", now + 90, 401),
        ("exp", now - 20, 200),
        ("exp", now - 90, 401),
    ] {
        let answer = client.get("/maybe").bearer(&with(name, json!(at))).await;
        assert_eq!(answer.status, status, "{name} {}", at - now);
    }
    for (kind, status) in [
        ("at+jwt", 200),
        ("AT+JWT", 200),
        ("application/at+jwt", 200),
        ("jwt", 200),
        ("logout+jwt", 401),
        ("dpop+jwt", 401),
        ("secevent+jwt", 401),
        ("", 401),
    ] {
        let answer = client.get("/maybe").bearer(&signed_as(kind, &claims())).await;
        assert_eq!(answer.status, status, "{kind:?}");
    }
}

#[tokio::test]
async fn scopes_are_permissions_and_claims_are_roles() {
    let client = client(config());
    for (name, value, path, status) in [
        ("scope", json!("openid reports:read"), "/reports", 200),
        ("scp", json!(["reports:read"]), "/reports", 200),
        ("scope", json!("reports"), "/reports", 403),
        ("scope", json!("reports:readx"), "/reports", 403),
        ("permissions", json!(["reports:read"]), "/reports", 403),
        ("scope", json!(7), "/reports", 401),
        ("roles", json!(["admin"]), "/admin", 200),
        ("roles", json!([]), "/admin", 403),
        ("roles", json!(["root"]), "/admin", 401),
        ("scope", json!("admin"), "/admin", 403),
    ] {
        let answer = client.get(path).bearer(&with(name, value.clone())).await;
        assert_eq!(answer.status, status, "{name} {value} {path}");
    }
    // RFC 6750, 3.1: what is missing is a scope, or it is not.
    let answer = client.get("/reports").bearer(&signed(&claims())).await;
    assert_eq!(answer.outcome(), (403, "insufficient_scope".into()));
    let challenge = answer.all("www-authenticate").join(", ");
    assert!(
        challenge.contains("error=\"insufficient_scope\", scope=\"reports:read\""),
        "{challenge}"
    );
    let answer = client.get("/admin").bearer(&signed(&claims())).await;
    assert_eq!(answer.outcome(), (403, "forbidden".into()));
}

#[tokio::test]
async fn a_login_is_recent_if_the_issuer_says_when_it_was() {
    let client = client(config());
    let now = Utc::now().timestamp();
    for (at, status) in [(Some(now - 60), 200), (Some(now - 660), 403), (None, 403)] {
        let token = at.map_or_else(|| signed(&claims()), |at| with("auth_time", json!(at)));
        assert_eq!(client.get("/fresh").bearer(&token).await.status, status, "{at:?}");
    }
}

#[tokio::test]
async fn tokens_of_one_issuer_make_no_users_of_the_other() {
    let client = client(config());
    let own = client.post("/token").await.is(200).body;
    let own = own.split(' ').next().unwrap();
    let foreign = signed(&claims());
    assert_eq!(client.get("/both").bearer(own).await.is(200).body, "member 7, no caller");
    assert_eq!(client.get("/both").bearer(&foreign).await.is(200).body, "no member, ann");
    assert_eq!(client.get("/caller").bearer(own).await.status, 401);
    assert_eq!(client.get("/members/tenant").bearer(&foreign).await.status, 401);
    // One issuer's key under the other one's name.
    let mut lies = claims();
    lies["iss"] = json!("auth");
    lies["aud"] = json!("auth");
    lies["sub"] = json!("7");
    lies["realm"] = json!("members");
    assert_eq!(client.get("/members/tenant").bearer(&signed(&lies)).await.status, 401);
    assert_eq!(client.get("/both").bearer(&signed(&lies)).await.status, 401);
    let forged = format!("{}x", foreign);
    assert_eq!(client.get("/both").bearer(&forged).await.status, 401);
}

#[tokio::test]
async fn a_login_writes_claims_and_an_operation_reads_them() {
    let client = client(config());
    let issued = client.post("/token").await.is(200).body;
    let (token, refresh) = issued.split_once(' ').unwrap();
    assert_eq!(client.get("/members/tenant").bearer(token).await.is(200).body, "blue");
    let answer = client.post("/refresh").body("text/plain", refresh.to_owned()).await.is(200);
    let renewed = client.get("/members/tenant").bearer(&answer.body).await.is(200);
    assert_eq!(renewed.body, "blue", "a refreshed token repeats them");
    let foreign = signed(&claims());
    assert_eq!(client.get("/tenant").bearer(&foreign).await.is(200).body, "green");
    let without = with("tenant", json!(7));
    let answer = client.get("/tenant").bearer(&without).await;
    assert_eq!(answer.outcome(), (401, "invalid_token".into()));
    // Where no user was asked for, nobody has looked at the token.
    let stray = client.get("/stray").bearer(token).await;
    assert_eq!(stray.outcome(), (401, "missing_credentials".into()));
}

#[tokio::test]
async fn what_a_login_may_not_do_is_a_fault_and_no_token() {
    let client = client(config());
    for path in ["/shadow", "/long", "/as-caller"] {
        assert_eq!(client.post(path).await.status, 503, "{path}");
    }
}

/// Keys that have to be waited for, and may be out of reach.
#[derive(Debug, Clone)]
struct Remote(Arc<JwtKeys>, Arc<AtomicBool>);

#[async_trait::async_trait]
impl KeySource for Remote {
    async fn keys(&self, _: Option<&str>) -> Result<Arc<JwtKeys>, Error> {
        tokio::task::yield_now().await;
        match self.1.load(SeqCst) {
            true => Err(Error::Application("out of reach".into())),
            false => Ok(self.0.clone()),
        }
    }
}

struct CallerApi;

#[auth_api]
impl CallerApi {
    #[oai(path = "/maybe", method = "get")]
    async fn maybe(&self, caller: Option<Caller>) -> PlainText<String> {
        PlainText(caller.map_or("nobody".into(), |caller| caller.id.subject))
    }
}

#[tokio::test]
async fn keys_that_are_out_of_reach_are_a_fault() {
    let remote = Remote(Arc::new(JwtKeys::hs256(SHARED).unwrap()), Arc::default());
    let issuer = TrustedIssuer::with_source(PROVIDER, API, remote.clone());
    let auth = AuthConfig::new().user::<Caller>(ClaimsUsers::new()).trust(issuer).build().unwrap();
    let client = World::serve(auth.openapi(CallerApi, "Callers", "1.0"));
    let token = signed(&claims());
    assert_eq!(client.get("/maybe").bearer(&token).await.is(200).body, "ann");
    remote.1.store(true, SeqCst);
    assert_eq!(client.get("/maybe").bearer(&token).await.status, 503, "also of a known token");
    assert_eq!(client.get("/maybe").bearer("x.y.z").await.status, 401);
    remote.1.store(false, SeqCst);
    assert_eq!(client.get("/maybe").bearer(&token).await.is(200).body, "ann");
    assert_eq!(client.get("/maybe").bearer(&format!("{token}x")).await.status, 401);
}

#[test]
fn what_does_not_fit_is_found_when_the_application_starts() {
    let problem = |config: AuthConfig| config.build().unwrap_err().to_string();
    let keys = || JwtKeys::generate(JwtAlgorithm::EdDsa).unwrap();
    let trusted = |issuer: &str| TrustedIssuer::new(issuer, API, keys());
    let callers = || AuthConfig::new().user::<Caller>(ClaimsUsers::new());
    assert!(problem(callers()).contains("AuthConfig::trust was not called"));
    let kept = AuthConfig::new().user::<Caller>(MemoryUsers::new()).trust(trusted(PROVIDER));
    assert!(problem(kept).contains("write `.user::<Caller>(ClaimsUsers::new())`"));
    let twice = callers().trust(trusted(PROVIDER)).trust(trusted(PROVIDER));
    assert!(problem(twice).contains("AuthConfig::trust was called twice with"));
    let itself = callers().jwt(keys()).issuer(PROVIDER).trust(trusted(PROVIDER));
    assert!(problem(itself).contains("is a TrustedIssuer and this application too"));
    for name in ["", "two words"] {
        assert!(callers().trust(trusted(name)).build().is_err(), "{name:?}");
    }
    callers().trust(trusted(PROVIDER)).deny_list(MemoryDenyList::new()).build().unwrap();
}
