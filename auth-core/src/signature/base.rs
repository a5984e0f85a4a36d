//! The signature base (RFC 9421, 2.5): what is signed, as text.

use http::{HeaderMap, HeaderName, Method, Uri, header::HOST};
use sfv::{BareItem, FieldType, InnerList, ListEntry};

/// A request, as far as a signature can cover it.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target as the client sent it: a path with its query, or an absolute address.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the request cannot be signed: {0}")]
pub struct SignatureError(pub(super) String);

impl std::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("method", self.method).finish_non_exhaustive()
    }
}

impl Message<'_> {
    /// Host and port as they are signed: in lower case, without a port that is the default.
    pub(crate) fn authority(&self) -> Option<String> {
        let text = match self.uri.authority() {
            Some(authority) => authority.as_str(),
            None => {
                let mut hosts = self.headers.get_all(HOST).iter();
                let host = hosts.next()?.to_str().ok()?;
                if hosts.next().is_some() {
                    return None;
                }
                host
            }
        };
        let text = text.to_ascii_lowercase();
        let bare = text.strip_suffix(":443").or_else(|| text.strip_suffix(":80"));
        Some(bare.unwrap_or(&text).to_owned())
    }

    fn path(&self) -> &str {
        match self.uri.path() {
            "" => "/",
            path => path,
        }
    }

    fn target(&self) -> String {
        match self.uri.query() {
            Some(query) => format!("{}?{query}", self.path()),
            None => self.path().to_owned(),
        }
    }

    /// The full address. A server behind a proxy cannot know the scheme and says which it means.
    pub(crate) fn address(&self, scheme: &str) -> Option<String> {
        Some(format!("{scheme}://{}{}", self.authority()?, self.target()))
    }

    /// The value of a component, `None` for one that the request does not have, or that is not
    /// understood.
    fn component(&self, name: &str, scheme: &str) -> Option<String> {
        Some(match name {
            "@method" => self.method.as_str().to_owned(),
            "@target-uri" => self.address(scheme)?,
            "@authority" => self.authority()?,
            "@scheme" => scheme.to_owned(),
            "@request-target" => self.target(),
            "@path" => self.path().to_owned(),
            "@query" => format!("?{}", self.uri.query().unwrap_or_default()),
            derived if derived.starts_with('@') => return None,
            field => {
                // Names are written in lower case; another spelling would be another component.
                let name = field.parse::<HeaderName>().ok()?;
                if name.as_str() != field {
                    return None;
                }
                let mut values = Vec::new();
                for value in self.headers.get_all(name) {
                    values.push(value.to_str().ok()?.trim_matches([' ', '\t']));
                }
                if values.is_empty() {
                    return None;
                }
                values.join(", ")
            }
        })
    }

    /// The text that is signed; an error names what is missing.
    pub(crate) fn signature_base(
        &self,
        signed: &InnerList,
        scheme: &str,
    ) -> Result<String, SignatureError> {
        let mut base = String::new();
        for item in &signed.items {
            let name = component_name(&item.bare_item)
                .ok_or_else(|| SignatureError("a component has no name".into()))?;
            let value = self.component(name, scheme).filter(|_| item.params.is_empty());
            let value =
                value.ok_or_else(|| SignatureError(format!("it has no component `{name}`")))?;
            base.push_str(&format!("\"{name}\": {value}\n"));
        }
        base.push_str("\"@signature-params\": ");
        base.push_str(&serialized(signed));
        Ok(base)
    }
}

pub(super) fn component_name(item: &BareItem) -> Option<&str> {
    match item {
        BareItem::String(name) => Some(name.as_str()),
        _ => None,
    }
}

/// The list as a header and the signature base have it.
pub(super) fn serialized(list: &InnerList) -> String {
    vec![ListEntry::InnerList(list.clone())].serialize().unwrap_or_default()
}
