//! The walk: every operation, as every caller.

use std::{
    collections::BTreeSet,
    future::{Ready, ready},
};

use poem::{
    Endpoint, IntoEndpoint, Response,
    http::{HeaderValue, StatusCode, header},
};

use super::{
    document::{Document, Operation, Place},
    report::{Call, Outcome, Report},
    request::{Credential, request},
    rules::{Answer, Caller, House, STALE, judge, plan},
    sample::Sample,
};

/// What stands behind `Bearer` when it is to be wrong.
const NO_TOKEN: &str = "not-a-token";

/// Whose credential a call needs.
#[derive(Debug, Clone)]
pub struct Who {
    scheme: String,
    standing: Standing,
    operation: Operation,
}

/// What the user may do whose credential a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// He may call the operation.
    Entitled,
    /// He is known, and does not meet the operation's requirement.
    Lacking,
}

impl Who {
    /// The scheme, as the document names it: `session`, `bearer`, …
    ///
    /// An operation that needs several together is asked for one by one; they should name the same
    /// user.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What the user may do.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// The operation that he is going to call.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }
}

/// The credentials of a [`Walk`] that was given none.
pub type NoCredentials = fn(&Who) -> Ready<Option<Credential>>;

/// The samples of a [`Walk`] that was given none.
pub type NoSamples = fn(&Operation) -> Ready<Option<Sample>>;

/// Compares a document with its server: see the [module](super).
#[derive(Debug)]
#[must_use = "nothing happens before `run`"]
pub struct Walk<E, C = NoCredentials, S = NoSamples> {
    endpoint: E,
    document: Document,
    prefix: String,
    house: House,
    credentials: C,
    samples: S,
}

impl<E: Endpoint> Walk<E> {
    /// A walk through an endpoint, by its document as JSON.
    ///
    /// To log in through the same endpoint, hand in a reference to it.
    pub fn new<T: IntoEndpoint<Endpoint = E>>(endpoint: T, document: &str) -> Self {
        Self {
            endpoint: endpoint.into_endpoint(),
            document: Document::parse(document),
            prefix: String::new(),
            house: House::default(),
            credentials: |_| ready(None),
            samples: |_| ready(None),
        }
    }
}

impl<E: Endpoint, C, S> Walk<E, C, S> {
    /// Where the API is mounted in the endpoint, as in `/api`. Default: at its root.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Gets a credential for each call that needs one, a fresh one each time, so that an operation
    /// that ends sessions or removes users does not spoil the calls after it.
    ///
    /// `None` leaves the call out, and the report says so.
    pub fn credentials<F: AsyncFn(&Who) -> Option<Credential>>(
        self,
        credentials: F,
    ) -> Walk<E, F, S> {
        let Self { endpoint, document, prefix, house, credentials: _, samples } = self;
        Walk { endpoint, document, prefix, house, credentials, samples }
    }

    /// Gets parameters and body for each call, before its credential. `None` has all of it made
    /// from the document.
    pub fn samples<F: AsyncFn(&Operation) -> Option<Sample>>(self, samples: F) -> Walk<E, C, F> {
        let Self { endpoint, document, prefix, house, credentials, samples: _ } = self;
        Walk { endpoint, document, prefix, house, credentials, samples }
    }

    /// Lets operations answer with a status that the document does not know, or not with that
    /// content type. The report marks such calls.
    ///
    /// Meant for what poem's extractors say of samples that do not fit: 400 and 415. Better is a
    /// sample that fits.
    ///
    /// # Panics
    ///
    /// On 401 and 403: a document that leaves these out is wrong, and finding that is what a walk
    /// is for.
    #[track_caller]
    pub fn allow(mut self, status: StatusCode) -> Self {
        assert!(
            status.is_client_error()
                && ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status),
            "{status} cannot be allowed; document it"
        );
        self.house.allowed.insert(status.as_u16());
        self
    }

    /// Says with which statuses the application refuses somebody who is not logged in, if it has a
    /// [`Responder`](crate::responder::Responder) of its own that does not describe its bodies. An
    /// [`ErrorBody`](crate::ErrorBody) does, and needs nothing here. Default: what the document
    /// says, else 401.
    pub fn own_refusals(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.house.own_refusals = Some(statuses.into_iter().collect());
        self
    }
}

impl<E, C, S> Walk<E, C, S>
where
    E: Endpoint,
    C: AsyncFn(&Who) -> Option<Credential>,
    S: AsyncFn(&Operation) -> Option<Sample>,
{
    /// Makes the calls, one after the other.
    ///
    /// # Panics
    ///
    /// If a sample sets a parameter that its operation does not have.
    pub async fn run(self) -> Report {
        let mut calls = Vec::new();
        for operation in &self.document.operations {
            for caller in plan(&self.document, operation) {
                let outcome = self.call(operation, &caller).await.unwrap_or_else(Outcome::Skipped);
                calls.push(Call { operation: operation.clone(), caller, outcome });
            }
        }
        Report::new(self.document.problems, calls)
    }

    /// One call; an error says why it was left out.
    async fn call(&self, operation: &Operation, caller: &Caller) -> Result<Outcome, String> {
        let sample = (self.samples)(operation).await.unwrap_or_default();
        if let Some(reason) = sample.skipped() {
            return Err(reason.to_owned());
        }
        if let Some(name) = sample.unknown(operation) {
            panic!("the sample for {operation} sets `{name}`, which the document does not have");
        }
        let credentials = self.presented(operation, caller).await?;
        let request = request(&self.document, operation, &self.prefix, &sample, &credentials)?;
        let answer = Answer::read(self.endpoint.get_response(request).await).await;
        let (status, code) = (answer.status, answer.code().map(str::to_owned));
        Ok(match judge(&self.house, &self.document, operation, caller, &answer) {
            Ok(allowed) => Outcome::Agrees { status, code, allowed },
            Err(mismatches) => Outcome::Differs { status, code, mismatches },
        })
    }

    /// The credentials that a caller presents, and where.
    async fn presented(
        &self,
        operation: &Operation,
        caller: &Caller,
    ) -> Result<Vec<(Place, Credential)>, String> {
        let (schemes, standing) = match caller {
            Caller::Nobody => return Ok(Vec::new()),
            Caller::Stale(scheme) | Caller::Bad(scheme) => {
                (BTreeSet::from([scheme.clone()]), Standing::Entitled)
            }
            Caller::Part(schemes) | Caller::Entitled(schemes) => {
                (schemes.clone(), Standing::Entitled)
            }
            Caller::Lacking(schemes) => (schemes.clone(), Standing::Lacking),
        };
        let mut presented = Vec::new();
        for scheme in schemes {
            let known = self.document.scheme(&scheme).ok_or("the scheme is unknown")?;
            let credential = match (caller, &known.place) {
                (Caller::Stale(_), _) => Credential::new(STALE),
                (Caller::Bad(_), Place::Authorization(_)) => Credential::new(NO_TOKEN),
                _ => {
                    let who = Who { scheme, standing, operation: operation.clone() };
                    let credential = (self.credentials)(&who)
                        .await
                        .ok_or_else(|| format!("there is no credential for `{}`", who.scheme))?;
                    let spoil = matches!(caller, Caller::Bad(_));
                    if spoil { credential.spoiled() } else { credential }
                }
            };
            presented.push((known.place.clone(), credential));
        }
        Ok(presented)
    }
}

impl Answer {
    async fn read(response: Response) -> Self {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let (head, body) = response.into_parts();
        let mut answer = Self {
            status: head.status,
            content_type: head.headers.get(header::CONTENT_TYPE).map(text),
            error: None,
            is_empty: body.is_empty(),
            set_cookies: head.headers.get_all(header::SET_COOKIE).iter().map(text).collect(),
        };
        // Other bodies are left unread: a stream of events may never end.
        if answer.is_json_error()
            && let Ok(bytes) = body.into_bytes().await
        {
            answer.error = serde_json::from_slice(&bytes).ok();
        }
        answer
    }
}

/// The value of a cookie that a response sets, as a login answers it.
#[must_use]
pub fn set_cookie(response: &Response, name: &str) -> Option<String> {
    response.headers().get_all(header::SET_COOKIE).iter().find_map(|header| {
        let (pair, _) = header.to_str().ok()?.split_once(';')?;
        let (found, value) = pair.split_once('=')?;
        (found == name && !value.is_empty()).then(|| value.to_owned())
    })
}
