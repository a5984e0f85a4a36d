//! The facade itself.

use auth_poem::prelude::*;
use poem::Request;
use poem_openapi::{Object, payload::Json};

use super::Tag;
use crate::user::User;

/// The operations.
#[derive(Debug)]
pub struct AboutApi {
    pub(super) started: DateTime<Utc>,
}

/// Who talks to whom.
#[derive(Object)]
struct About {
    server: Server,
    client: Client,
}

/// This program.
#[derive(Object)]
struct Server {
    name: String,
    version: String,
    start_time: DateTime<Utc>,
    current_time: DateTime<Utc>,
    /// In milliseconds.
    uptime: i64,
}

/// Who asks.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Client {
    address: Option<String>,
    client: Option<String>,
    /// The name of whoever is signed in.
    user: Option<String>,
}

#[auth_api(tag = "Tag::About")]
impl AboutApi {
    /// Who talks to whom.
    #[oai(path = "/about", method = "get")]
    async fn about(&self, user: Option<User>, auth: Auth<User>, request: &Request) -> Json<About> {
        let now = Utc::now();
        Json(About {
            server: Server {
                name: env!("CARGO_PKG_NAME").into(),
                version: env!("CARGO_PKG_VERSION").into(),
                start_time: self.started,
                current_time: now,
                uptime: (now - self.started).num_milliseconds(),
            },
            client: Client {
                address: auth.client_ip().map(|ip| ip.to_string()),
                client: request.header("user-agent").map(str::to_owned),
                user: user.map(|user| user.name),
            },
        })
    }
}
