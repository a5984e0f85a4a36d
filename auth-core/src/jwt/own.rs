//! Claims of the application's own.

use serde::Serialize;
use serde_json::{Map, Value};

use super::refused;
use crate::error::Error;

/// The names that an application's claims may not have: what is registered by RFC 7519 or read here.
const RESERVED: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "realm",
    "stamp",
    "sid",
    "scope",
    "scp",
    "typ",
];

/// An application's claims as the members of a JSON object.
///
/// # Errors
///
/// - they are no object, or one is called like a claim that decides something:
///   [`Error::Misconfigured`]
pub(crate) fn own_claims(claims: &impl Serialize) -> Result<String, Error> {
    // Through a map, so that no name is there twice.
    let claims: Map<String, Value> = match serde_json::to_value(claims) {
        Ok(Value::Object(claims)) => claims,
        Ok(_) => return Err(refused("claims are a struct with named fields, or a map")),
        Err(error) => return Err(refused(format_args!("claims that are no JSON: {error}"))),
    };
    if let Some(name) = claims.keys().find(|name| RESERVED.contains(&name.as_str())) {
        return Err(refused(format_args!(
            "claims may not set `{name}`, which the framework writes itself; give it another name"
        )));
    }
    Ok(Value::Object(claims).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_that_decides_can_be_set() {
        for name in RESERVED {
            let error = own_claims(&json!({ "tenant": 1, name: "x" })).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        for claims in [json!([]), json!("exp"), json!(null), json!(1)] {
            assert!(own_claims(&claims).is_err(), "{claims}");
        }
        assert_eq!(own_claims(&json!({ "tenant": 1 })).unwrap(), r#"{"tenant":1}"#);
        assert_eq!(own_claims(&json!({})).unwrap(), "{}");
    }
}
