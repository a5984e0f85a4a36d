//! Which texts are kept: those that every engine can keep, so that nobody makes a fault of one.

use auth_poem::{ErrorBody, prelude::*};
use poem::{Request, Response, http::StatusCode};
use poem_openapi::types::ToJSON;

use crate::errors::{ErrorForm, bad_request};

/// The longest text, in bytes.
const LONGEST: usize = 1000;

/// The longest id, as the columns have it.
const LONGEST_ID: usize = 64;

/// Refuses texts that are too long, or have a NUL, which PostgreSQL does not keep.
pub(crate) fn check<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Result<(), Rejection> {
    let is_kept = |text: &str| text.len() <= LONGEST && !text.contains('\0');
    if texts.into_iter().flatten().all(is_kept) {
        return Ok(());
    }
    let message = format!("A text has at most {LONGEST} bytes, and none of them is 0.");
    Err(bad_request("INVALID_TEXT", message))
}

/// Whether this can be the id of something: letters, digits, `-` and `_`.
pub(crate) fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits)
}

/// Refuses a URL with a NUL in it: nothing has such a name, and not every engine can look for one.
pub(crate) async fn check_url(request: Request) -> poem::Result<Request> {
    let (uri, nul) = (request.uri(), "%00");
    if uri.path().contains(nul) || uri.query().is_some_and(|query| query.contains(nul)) {
        let (status, text) = (StatusCode::BAD_REQUEST, "A URL has no NUL.");
        let form = ErrorForm::refusal(&bad_request("INVALID_URL", text), status);
        let response = Response::builder().status(status).content_type(ErrorForm::CONTENT_TYPE);
        return Err(poem::Error::from_response(response.body(form.to_json_string())));
    }
    Ok(request)
}
