//! How long a session lives: from its login on, however often it is used.

use std::thread;

use auth_poem::prelude::*;
use example_alx::{
    app,
    settings::{AuthType, Settings},
};
use example_kit::Database;
use poem::{Endpoint, IntoEndpoint, http::StatusCode, test::TestClient};
use serde_json::json;

use super::server::{BOBSESSION, COOKIE, LOGOUT, assert_forbidden, logged_in, start_with};

/// The application with a clock that is moved by hand.
struct Timed<E> {
    client: TestClient<E>,
    clock: ManualClock,
    cookie: String,
}

async fn start(settings: &Settings, database: Database) -> Timed<impl Endpoint + use<>> {
    let clock = ManualClock::default();
    let app = app(settings, database, clock.clone()).await.unwrap();
    let client = TestClient::new(app.routes().into_endpoint());
    let form = json!({"email": BOBSESSION.0, "password": BOBSESSION.1});
    let login = client.post("/api/v1/auth_session/login").form(&form).send().await;
    login.assert_status_is_ok();
    let cookie = login.0.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    Timed { client, clock, cookie }
}

impl<E: Endpoint> Timed<E> {
    async fn me_after(&self, seconds: i64) -> StatusCode {
        self.clock.advance(Duration::seconds(seconds));
        let me = self.client.get("/api/v1/users/me").header("cookie", &self.cookie);
        me.send().await.0.status()
    }
}

fn settings(auth_type: AuthType, duration: i64) -> Settings {
    Settings {
        session_name: Some(COOKIE.into()),
        session_duration: duration,
        seed: true,
        ..Settings::new(auth_type)
    }
}

#[tokio::test]
async fn sessions_end_a_minute_after_their_login() {
    for auth_type in [AuthType::SessionExp, AuthType::SessionDb] {
        for compat in [false, true] {
            let settings = Settings { compat, ..settings(auth_type, 60) };
            let timed = start(&settings, Database::in_memory().await.unwrap()).await;
            assert_eq!(timed.me_after(0).await, StatusCode::OK);
            // Being used does not make it last.
            assert_eq!(timed.me_after(10).await, StatusCode::OK);
            assert_eq!(timed.me_after(49).await, StatusCode::OK);
            assert_eq!(timed.me_after(2).await, StatusCode::FORBIDDEN);
        }
    }
}

#[tokio::test]
async fn sessions_do_not_end_where_they_shall_not() {
    for (auth_type, duration) in
        [(AuthType::Session, 60), (AuthType::SessionExp, 0), (AuthType::SessionDb, -1)]
    {
        let settings = settings(auth_type, duration);
        let timed = start(&settings, Database::in_memory().await.unwrap()).await;
        for _ in 0..39 {
            assert_eq!(timed.me_after(10 * 24 * 60 * 60).await, StatusCode::OK);
        }
    }
}

#[test]
fn a_session_ends_by_the_clock_of_the_system() {
    let server = start_with("session_exp_auth", &[("SESSION_DURATION", "1")]);
    let mut client = logged_in(&server, BOBSESSION);
    thread::sleep(std::time::Duration::from_millis(1100));
    assert_forbidden(&client.get("/users/me"));
}

#[test]
fn a_session_in_the_database_outlives_the_process() {
    for auth_type in ["session_auth", "session_exp_auth", "session_db_auth"] {
        for kill in [false, true] {
            let mut server = start_with(auth_type, &[("SESSION_DURATION", "3600")]);
            let cookies = logged_in(&server, BOBSESSION).cookies;
            let mut ended = logged_in(&server, BOBSESSION);
            assert_eq!(ended.clone().delete(LOGOUT).status, 200);
            if kill {
                server.kill()
            } else {
                server.stop()
            }
            server.start_again();
            let mut client = server.client();
            client.cookies = cookies;
            let status = if auth_type == "session_db_auth" { 200 } else { 403 };
            assert_eq!(client.get("/users/me").status, status, "{auth_type}");
            client.cookies = std::mem::take(&mut ended.cookies);
            assert_forbidden(&client.get("/users/me"));
        }
    }
}
