//! One form for everything that goes wrong, as clients of PIP.Services know it.

use std::borrow::Cow;

use auth_poem::{
    BodyError, ErrorBody, OtherError,
    prelude::*,
    requirement::{RequiredRole, Requirement},
};
use poem::http::StatusCode;
use poem_openapi::Object;
use serde_json::{Map, Value, json};

/// What went wrong.
#[derive(Debug, Object)]
#[oai(rename = "Error", skip_serializing_if_is_none)]
pub struct ErrorForm {
    /// What, for programs.
    code: String,
    status: u16,
    /// What, for people.
    message: String,
    /// The code once more.
    name: String,
    /// What kind of mistake, and so whose.
    category: String,
    /// What else a program may want to know.
    details: Option<Value>,
}

impl ErrorForm {
    fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = code.into();
        let category = match status.as_u16() {
            401 | 403 | 440 => "Unauthorized",
            404 => "NotFound",
            409 => "Conflict",
            500.. => "Unknown",
            _ => "BadRequest",
        };
        Self {
            name: code.clone(),
            code,
            status: status.as_u16(),
            message: message.into(),
            category: category.into(),
            details: None,
        }
    }
}

impl ErrorBody for ErrorForm {
    fn status(rejection: &Rejection) -> StatusCode {
        match rejection {
            // "Login Time-out", which the original has from IIS; it is a valid status.
            Rejection::InvalidSession => StatusCode::from_u16(440).unwrap_or(rejection.status()),
            Rejection::WrongCredentials | Rejection::WeakPassword(_) => StatusCode::BAD_REQUEST,
            other => other.status(),
        }
    }

    fn refusal(rejection: &Rejection, status: StatusCode) -> Self {
        if let Rejection::RequirementNotMet(requirement) = rejection {
            return not_met(requirement, status);
        }
        let (code, message) = match rejection {
            Rejection::MissingCredentials => {
                ("NOT_SIGNED".into(), "User must be signed in to perform this operation".into())
            }
            Rejection::InvalidSession => {
                ("SESSION_NOT_FOUND".into(), "Session invalid or already expired.".into())
            }
            Rejection::WeakPassword(_) => ("INVALID_PASSWORD".into(), rejection.detail()),
            other => (other.code().to_uppercase(), other.detail()),
        };
        let members = rejection.members().iter();
        let members =
            members.map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
        let details: Map<String, Value> = members.collect();
        let details = (!details.is_empty()).then_some(Value::Object(details));
        Self { details, ..Self::new(status, code, message) }
    }

    fn fault(status: StatusCode) -> Self {
        Self::new(status, "UNAVAILABLE", "The service cannot answer at the moment.")
    }

    fn other_status(status: StatusCode) -> StatusCode {
        match status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
            other => other,
        }
    }

    fn other(error: &OtherError<'_>) -> Self {
        let (code, message) = match (error.status(), error.body()) {
            (StatusCode::NOT_FOUND, _) => {
                ("ResourceNotFound", format!("{} does not exist", error.path()))
            }
            (StatusCode::METHOD_NOT_ALLOWED, _) => {
                ("MethodNotAllowed", format!("{} is not allowed", error.method()))
            }
            (_, Some(BodyError::Unreadable)) => {
                ("InvalidContent", format!("Invalid JSON: {}", error.detail()))
            }
            _ => ("InvalidContent", error.detail().to_owned()),
        };
        Self::new(error.status(), code, message)
    }
}

/// What a guard says: which roles would have done, or that only the owner may.
fn not_met(requirement: &Requirement, status: StatusCode) -> ErrorForm {
    let (site, global): (Vec<_>, Vec<_>) =
        requirement.roles().partition(|role| role.scope.is_some());
    let names = |roles: &[RequiredRole]| -> Vec<_> { roles.iter().map(|role| role.role).collect() };
    let (code, who, roles) = if !site.is_empty() {
        let roles = names(&site);
        ("NOT_IN_SITE_ROLE", format!("site:{}", roles.join(" or site:")), roles)
    } else if names_owner(requirement) || global.is_empty() {
        return ErrorForm::new(status, "FORBIDDEN", "Only data owner can perform this operation");
    } else {
        let roles = names(&global);
        ("NOT_IN_ROLE", roles.join(" or "), roles)
    };
    let message = format!("User must be {who} to perform this operation");
    let details = Some(json!({"roles": roles.join(",")}));
    ErrorForm { details, ..ErrorForm::new(status, code, message) }
}

fn names_owner(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::Owner(_) => true,
        Requirement::Any(items) | Requirement::All(items) => items.iter().any(names_owner),
        _ => false,
    }
}

/// A request that makes no sense.
pub(crate) fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Rejection {
    Rejection::new(StatusCode::BAD_REQUEST, code, message)
}

/// Something that is not there.
pub(crate) fn not_found(code: &'static str, message: impl Into<Cow<'static, str>>) -> Rejection {
    Rejection::new(StatusCode::NOT_FOUND, code, message)
}

/// Something that is there already.
pub(crate) fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Rejection {
    Rejection::new(StatusCode::CONFLICT, code, message)
}

/// Something that is not this user's to do.
pub(crate) fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> Rejection {
    Rejection::new(StatusCode::FORBIDDEN, code, message)
}
