//! What is configured wrongly is found when the application starts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use auth_poem::{
    config::ConfigError, http::cookie::SameSite, jwt::JwtAlgorithm, prelude::*, users::SqlUsers,
};
use auth_tests::{Admin, Gates, User, api};

/// The second type of user on the table of the first.
#[derive(AuthUser, Debug, Clone)]
#[auth(table = "users", schemes(session))]
struct Impostor {
    #[auth(id)]
    id: i64,
}

fn whole() -> AuthConfig {
    AuthConfig::new()
        .user::<User>(MemoryUsers::default())
        .sessions(MemorySessions::new())
        .jwt(JwtKeys::generate(JwtAlgorithm::EdDsa).unwrap())
}

fn problems(config: AuthConfig) -> Vec<String> {
    match config.build() {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().to_vec(),
    }
}

#[test]
fn every_mistake_is_an_error_with_a_text_of_its_own() {
    assert_eq!(problems(whole()), Vec::<String>::new());
    let expiry = Expiry::default;
    let cases: Vec<(AuthConfig, &str)> = vec![
        (
            whole().cookie(SessionCookie::default().domain("example.org")),
            "a cookie named __Host-sid must not have a Domain",
        ),
        (
            whole().cookie(SessionCookie::default().path("/api")),
            "a cookie named __Host-sid must have the Path /",
        ),
        (
            whole().cookie(SessionCookie::dangerous_plain_http().named("__HOST-sid")),
            "a cookie named __HOST-sid must be Secure",
        ),
        (
            whole().cookie(SessionCookie::dangerous_plain_http().named("__Secure-sid")),
            "a cookie named __Secure-sid must be Secure",
        ),
        (
            whole().cookie(SessionCookie::dangerous_plain_http().same_site(SameSite::None)),
            "a cookie with SameSite=None must be Secure",
        ),
        (
            whole().cookie(SessionCookie::new("my sid")),
            "the session cookie cannot be named \"my sid\"",
        ),
        (whole().cookie(SessionCookie::new("")), "the session cookie cannot be named \"\""),
        (
            whole().cookie(SessionCookie::new("sid").path("api")),
            "the session cookie's path \"api\" does not begin with /",
        ),
        (
            whole().cookie(SessionCookie::new("sid").path("/a\r\nX: y")),
            "the session cookie's path \"/a\\r\\nX: y\"",
        ),
        (
            whole().cookie(SessionCookie::new("sid").domain("example.org; HttpOnly=no")),
            "the session cookie's domain \"example.org; HttpOnly=no\"",
        ),
        (
            whole().cookie(SessionCookie::new("sid").domain("example.org\n")),
            "the session cookie's domain \"example.org\\n\"",
        ),
        (
            whole().expiry(Expiry { idle: Duration::zero(), touch: Duration::zero(), ..expiry() }),
            "Expiry::idle must be between a second and 400 days",
        ),
        (
            whole().expiry(Expiry { remember_absolute: Duration::days(401), ..expiry() }),
            "Expiry::remember_absolute must be between a second and 400 days",
        ),
        (
            whole().expiry(Expiry { idle: Duration::hours(13), ..expiry() }),
            "Expiry::idle is longer than Expiry::absolute",
        ),
        (
            whole().expiry(Expiry { touch: Duration::minutes(16), ..expiry() }),
            "Expiry::touch must be at most half of Expiry::idle",
        ),
        (
            whole().user::<User>(MemoryUsers::default()),
            "AuthConfig::user was called twice with User",
        ),
        (
            whole().user::<Impostor>(MemoryUsers::default()),
            "User and Impostor have the same table, `users`",
        ),
        (
            AuthConfig::new().user::<Impostor>(MemoryUsers::default()),
            "Impostor declares the scheme `session`, but AuthConfig::sessions was not called",
        ),
        (
            AuthConfig::new().sessions(MemorySessions::new()).user::<User>(MemoryUsers::default()),
            "User declares the scheme `bearer`, but AuthConfig::jwt was not called",
        ),
        (whole().token_prefix("Bearer "), "the token prefix \"Bearer \" is no scheme name"),
        (whole().token_prefix(""), "the token prefix \"\" is no scheme name"),
        (whole().allow_origin("app.example"), "\"app.example\" is no origin"),
        (whole().allow_origin("https://app.example/"), "\"https://app.example/\" is no origin"),
        (whole().allow_origin("https://app.example/x"), "\"https://app.example/x\" is no origin"),
        (whole().allow_origin("null"), "\"null\" is no origin"),
        (whole().allow_origin("*"), "\"*\" is no origin"),
        (whole().trust_proxy("10.0.0.1"), "\"10.0.0.1\" is no network"),
        (whole().token_lifetime(Duration::zero()), "the lifetime of tokens is at least one second"),
        (whole().issuer(""), "issuer and audience of tokens may not be empty"),
        (whole().audience(""), "issuer and audience of tokens may not be empty"),
    ];
    for (config, expected) in cases {
        let problems = problems(config);
        assert_eq!(problems.len(), 1, "{expected}: {problems:?}");
        assert!(problems[0].contains(expected), "{expected}: {problems:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let config = AuthConfig::new()
        .user::<Impostor>(MemoryUsers::default())
        .allow_origin("*")
        .cookie(SessionCookie::new(""));
    let error: ConfigError = config.build().unwrap_err();
    assert_eq!(error.problems().len(), 3);
    for problem in error.problems() {
        assert!(error.to_string().contains(problem));
    }
}

#[test]
fn secrets_that_are_too_short_or_known_are_no_keys() {
    for secret in [&b""[..], b"secret", &[b'a'; 31], &[0; 32]] {
        assert!(JwtKeys::hs256(secret).is_err(), "{secret:?}");
    }
}

#[test]
fn an_api_that_asks_for_what_is_not_configured_does_not_start() {
    let message = |auth: Authenticator| {
        let api = api::apis(&Gates::default(), &MemoryUsers::default());
        let panic = catch_unwind(AssertUnwindSafe(|| auth.openapi(api, "Tests", "1.0")));
        *panic.unwrap_err().downcast::<String>().unwrap()
    };
    let without_admin = whole().build().unwrap();
    let text = message(without_admin);
    assert!(text.contains("`admin_me` takes a `Admin`; call `.user::<Admin>(..)`"), "{text}");
    assert!(!text.contains("takes a `User`"), "{text}");
    let empty = AuthConfig::new().build().unwrap();
    let text = message(empty);
    assert!(text.contains("`me` takes a `User`; call `.user::<User>(..)`"), "{text}");
    assert!(text.contains("`login` takes a `User`"), "by its handle as well: {text}");
    assert!(text.contains("`note` takes a session; call `.sessions(..)`"), "{text}");
}

#[test]
fn the_same_api_starts_where_everything_is_configured() {
    let auth = whole().user::<Admin>(MemoryUsers::default()).build().unwrap();
    let api = api::apis(&Gates::default(), &MemoryUsers::default());
    let _ = auth.openapi(api, "Tests", "1.0");
}

#[tokio::test]
async fn a_handler_outside_of_every_layer_refuses() {
    let client = poem::test::TestClient::new(api::plain::routes());
    let response = client.get("/me").send().await;
    assert_eq!(response.0.status().as_u16(), 503);
    let response = client.get("/maybe").send().await;
    assert_eq!(response.0.status().as_u16(), 503);
}

/// Only that it can be written: the stores of the first page of the documentation.
#[allow(dead_code)]
fn sql_users(pool: sqlx::SqlitePool) -> AuthConfig {
    AuthConfig::new().user::<User>(SqlUsers::new(pool))
}
