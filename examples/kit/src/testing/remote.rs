//! A started example as an endpoint: what drives endpoints in process then drives the process.

use poem::{Endpoint, Request, Response, error::InternalServerError};
use ureq::{Agent, http};

use super::client::agent;

/// A started example as an endpoint of poem, as for a walk through its document.
#[derive(Debug, Clone)]
pub struct Remote {
    agent: Agent,
    origin: String,
}

impl Remote {
    pub(super) fn new(origin: String) -> Self {
        Self { agent: agent(), origin }
    }
}

impl Endpoint for Remote {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let (parts, body) = request.into_parts();
        let uri = format!("{}{}", self.origin, parts.uri);
        let mut sent = http::Request::builder().method(parts.method).uri(uri);
        for (name, value) in &parts.headers {
            sent = sent.header(name, value);
        }
        let body = body.into_vec().await?;
        let agent = self.agent.clone();
        let answer = move || {
            let mut answer = match body.is_empty() {
                true => agent.run(sent.body(()).unwrap()),
                false => agent.run(sent.body(body).unwrap()),
            }
            .map_err(InternalServerError)?;
            let body = answer.body_mut().read_to_vec().map_err(InternalServerError)?;
            let mut response = Response::builder().status(answer.status()).body(body);
            *response.headers_mut() = answer.headers().clone();
            Ok(response)
        };
        tokio::task::spawn_blocking(answer).await.map_err(InternalServerError)?
    }
}
