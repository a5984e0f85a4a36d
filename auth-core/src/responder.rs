//! How refusals and faults look to a client: a policy that an application may replace.

use std::any::Any;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use serde::{Serialize, Serializer};

use crate::{error::Error, rejection::Rejection};

/// Turns refusals and faults into answers.
///
/// The framework adds `WWW-Authenticate`, `Retry-After` and `Cache-Control` to what this returns;
/// an implementation decides status and body.
pub trait Responder: Send + Sync + 'static {
    /// The answer to a refused request.
    fn refuse(&self, rejection: &Rejection) -> Response<Bytes>;

    /// The answer when the system failed. What failed was logged; the client is not told.
    fn fail(&self) -> Response<Bytes>;

    /// The status of [`refuse`](Self::refuse), for documents. Default: it is asked.
    fn status(&self, rejection: &Rejection) -> StatusCode {
        self.refuse(rejection).status()
    }

    /// What the bodies look like, in the terms of the adapter that serves the application; it knows
    /// the type behind `Any`. Default: `None`, and documents then name statuses without a body.
    fn document(&self) -> Option<&(dyn Any + Send + Sync)> {
        None
    }
}

/// The code of every answer to a fault.
pub const UNAVAILABLE: &str = "unavailable";

/// What a fault's answer tells a person.
pub const UNAVAILABLE_DETAIL: &str = "The service cannot answer at the moment. Try again later.";

/// The media type of RFC 9457.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Answers with `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) and
/// a stable `code`. The default.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProblemResponder;

/// The members of a problem document.
#[derive(Debug, Serialize)]
struct Problem<'a> {
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(flatten)]
    members: Members<'a>,
}

/// The members of the application's own, which never take the place of those of RFC 9457.
#[derive(Debug)]
struct Members<'a>(&'a [(&'static str, String)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reserved = ["type", "title", "status", "code", "detail", "instance"];
        serializer.collect_map(
            self.0
                .iter()
                .filter(|(name, _)| !reserved.contains(name))
                .map(|(name, value)| (name, value)),
        )
    }
}

impl Responder for ProblemResponder {
    fn refuse(&self, rejection: &Rejection) -> Response<Bytes> {
        let members = Members(rejection.members());
        problem(rejection.status(), rejection.code(), &rejection.detail(), members)
    }

    fn fail(&self) -> Response<Bytes> {
        problem(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, UNAVAILABLE_DETAIL, Members(&[]))
    }

    fn status(&self, rejection: &Rejection) -> StatusCode {
        rejection.status()
    }

    fn document(&self) -> Option<&(dyn Any + Send + Sync)> {
        Some(self)
    }
}

fn problem(status: StatusCode, code: &str, detail: &str, members: Members<'_>) -> Response<Bytes> {
    let title = status.canonical_reason().unwrap_or("Refused");
    let problem = Problem { title, status: status.as_u16(), code, detail, members };
    // Strings and a number always serialise; an empty body is the honest rest.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    response
}

/// Adds the headers that belong to a refusal whatever its body.
pub(crate) fn complete_refusal(
    mut response: Response<Bytes>,
    rejection: &Rejection,
    challenges: impl Iterator<Item = HeaderValue>,
) -> Response<Bytes> {
    // 401 never goes without a challenge, whoever chose the status.
    let challenged = [rejection.status(), response.status()].contains(&StatusCode::UNAUTHORIZED)
        || matches!(rejection, Rejection::InsufficientScope(_));
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if challenged {
        for challenge in challenges {
            headers.append(http::header::WWW_AUTHENTICATE, challenge);
        }
    }
    if let Some(after) = rejection.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds(after)));
    }
    response
}

/// Adds the headers that belong to a fault's answer whatever its body.
pub(crate) fn complete_fault(mut response: Response<Bytes>, error: &Error) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(after) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds(after)));
    }
    response
}

/// Whole seconds, rounded up, so that a client that waits that long has waited long enough.
fn seconds(duration: std::time::Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn members_stand_beside_those_of_the_rfc_and_never_in_their_place() {
        let taken = Rejection::new(StatusCode::CONFLICT, "name_taken", "This name is taken.");
        let body = |rejection: &Rejection| -> Value {
            serde_json::from_slice(ProblemResponder.refuse(rejection).body()).unwrap()
        };
        let plain = body(&taken);
        let with = taken.with("name", "ann").with("status", "200").with("code", "fine");
        let mut expected = plain.clone();
        expected["name"] = json!("ann");
        assert_eq!(body(&with), expected);
        assert_eq!(body(&Rejection::Forbidden.with("name", "ann")), body(&Rejection::Forbidden));
    }
}
