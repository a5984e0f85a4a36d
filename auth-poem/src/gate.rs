//! The gate: decides about a request before its path, query or body are parsed, and settles what
//! the operation returns.

use std::{future::Future, marker::PhantomData, sync::Arc};

use auth_core::{
    __private::Operation, config::Authenticator, context::Context, error::Failure, guard::Policy,
    rejection::Rejection,
};
use poem::{Request, RequestBody, Response, Result, error::IntoResult};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions,
    registry::{MetaResponses, Registry},
};

use crate::{
    error::{Error, is_custom},
    errors::authored,
    extract::{context_of, head_of},
    openapi::{handled, marker},
};

/// The first parameter of every operation: whoever holds one was let in.
#[derive(Debug)]
pub struct Gate<O> {
    context: Arc<Context>,
    operation: PhantomData<fn() -> O>,
}

impl<O: Operation> Gate<O> {
    /// Lets a request in, or says why not. The body is read only if it is signed, and is there
    /// again afterwards.
    ///
    /// # Errors
    ///
    /// - the policy refuses, or the system cannot tell: [`Error`]
    /// - the body of a signed request is too large, or cannot be read: an error of poem's
    pub async fn open(request: &Request, body: &mut RequestBody) -> Result<Self> {
        let context = enter(request, body, O::POLICY).await?;
        Ok(Self { context, operation: PhantomData })
    }

    /// Runs the operation and settles what it returns.
    pub async fn finish(self, operation: impl Future<Output = O::Output>) -> Guarded<O>
    where
        O: Returns,
    {
        let result = O::into_response(operation.await);
        Guarded { result: self.settle(result), operation: PhantomData }
    }

    /// Has errors of ours answered as the application configured it.
    ///
    /// # Errors
    ///
    /// - the result was one
    pub fn settle(self, result: Result<Response>) -> Result<Response> {
        result.map_err(|error| leave(self.context.auth(), O::POLICY, error))
    }
}

/// What an operation returns. A type parameter could not say it: poem turns results and plain
/// values into responses by different ways, and only where the type is known is it known which.
pub trait Returns: Operation {
    /// The author's return type.
    type Output: ApiResponse;

    /// Its response.
    ///
    /// # Errors
    ///
    /// - the output was an error
    fn into_response(output: Self::Output) -> Result<Response>;
}

/// The part of the gate that is the same for all operations.
pub(crate) async fn enter(
    request: &Request,
    body: &mut RequestBody,
    policy: &'static Policy,
) -> Result<Arc<Context>> {
    let context = context_of(request)?;
    let head = head_of(request);
    if let Some(limit) = context.wants_body(policy, &head) {
        Box::pin(read_body(context, body, limit)).await?;
    }
    match policy.admit(context, &head).await {
        Ok(()) => Ok(context.clone()),
        Err(failure) => {
            if let Failure::Rejected(rejection) = &failure {
                tracing::info!(
                    operation = policy.name,
                    code = rejection.code(),
                    "a request was refused"
                );
                note_undocumented(policy, rejection);
            }
            Err(Error::from(failure).under(context.auth()).of(policy).into())
        }
    }
}

/// Reads the body of a signed request, and puts it back.
async fn read_body(context: &Context, body: &mut RequestBody, limit: usize) -> Result<()> {
    let bytes = body.take()?.into_bytes_limit(limit).await?;
    context.note_body(bytes.clone());
    *body = RequestBody::new(bytes.into());
    Ok(())
}

/// Warns of a refusal of the application's own that the document does not know.
fn note_undocumented(policy: &Policy, rejection: &Rejection) {
    let status = rejection.status().as_u16();
    if is_custom(rejection) && !policy.rejects.iter().any(|(known, _)| *known == status) {
        tracing::warn!(
            operation = policy.name,
            code = rejection.code(),
            "the document does not know this refusal; write #[rejects({} = {status})]",
            rejection.code(),
        );
    }
}

fn leave(auth: &Authenticator, policy: &'static Policy, error: poem::Error) -> poem::Error {
    authored(match error.downcast::<Error>() {
        Ok(error) => {
            if let Failure::Rejected(rejection) = error.failure() {
                note_undocumented(policy, rejection);
            }
            error.under(auth).of(policy).into()
        }
        Err(other) => other,
    })
}

impl<'a, O: Operation> ApiExtractor<'a> for Gate<O> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn security_schemes() -> Vec<&'static str> {
        vec![marker(O::POLICY)]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Self::open(request, body).await
    }
}

/// What an operation returned, or why it was not run. Documents itself as the author's type does.
#[derive(Debug)]
pub struct Guarded<O> {
    result: Result<Response>,
    operation: PhantomData<fn() -> O>,
}

impl<O> IntoResult<Response> for Guarded<O> {
    fn into_result(self) -> Result<Response> {
        self.result
    }
}

impl<O: Returns> ApiResponse for Guarded<O> {
    const BAD_REQUEST_HANDLER: bool = O::Output::BAD_REQUEST_HANDLER;

    fn meta() -> MetaResponses {
        let mut meta = O::Output::meta();
        if Self::BAD_REQUEST_HANDLER {
            meta.responses.push(handled());
        }
        meta
    }

    fn register(registry: &mut Registry) {
        O::Output::register(registry);
    }

    /// The author's handler sees what the author's parameters refuse, never what the gate does: it
    /// could turn a 401 into a 400.
    fn from_parse_request_error(error: poem::Error) -> Self {
        let result = if error.is::<Error>() {
            Err(error)
        } else {
            O::into_response(O::Output::from_parse_request_error(error)).map_err(authored)
        };
        Self { result, operation: PhantomData }
    }
}
