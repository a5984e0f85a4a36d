//! The ways to prove who one is, as documents name them.

use auth_core::{
    config::Authenticator,
    guard::{Policy, Principal, UserType},
    scheme::{
        API_KEY, BASIC, BEARER, Carrier, SESSION, SESSION_HEADER, SIGNATURE, SchemeInfo, SchemeKind,
    },
};
use poem_openapi::registry::{
    MetaOAuthFlow, MetaOAuthFlows, MetaOAuthScope, MetaSecurityScheme, Registry,
};

use super::SCOPE;
use crate::problem::intern;

/// The configuration as documents see it; without one, they speak of the defaults.
pub(super) struct Configured {
    auth: Option<Authenticator>,
    /// The operation, where the document is about one.
    policy: Option<&'static Policy>,
}

impl Configured {
    /// The configuration whose documents are being made.
    pub(super) fn here() -> Self {
        let auth = SCOPE.with_borrow(|scope| scope.as_ref().map(|scope| scope.auth.clone()));
        Self { auth, policy: None }
    }

    /// The configuration as it is in this operation.
    pub(super) fn of(&self, policy: &'static Policy) -> Self {
        Self { auth: self.auth.clone(), policy: Some(policy) }
    }

    /// By which schemes a user of this type may prove who he is, in the order they are tried.
    pub(super) fn schemes(&self, user: &UserType) -> Vec<SchemeKind> {
        let mut schemes: Vec<SchemeKind> = match &self.auth {
            Some(auth) => auth.schemes((user.id)()).to_vec(),
            None => {
                let declared = user.meta.schemes.iter();
                declared.map(|name| SchemeKind::from_name(name)).collect()
            }
        };
        // What the guard around the operation wants of another type of user stays as it is.
        let narrowed = self.policy.filter(|policy| {
            let takes = |taken: &Principal| (taken.user.id)() == (user.id)();
            !policy.schemes.is_empty() && policy.users().any(takes)
        });
        if let Some(policy) = narrowed {
            schemes.retain(|scheme| policy.schemes.contains(&scheme.name()));
        }
        schemes
    }

    /// The users for whom an operation looks.
    pub(super) fn principals(&self, policy: &Policy) -> Vec<Principal> {
        match &self.auth {
            Some(auth) => auth.principals(policy).copied().collect(),
            None => policy.users().copied().collect(),
        }
    }

    pub(super) fn has(&self, user: &UserType, scheme: SchemeKind) -> bool {
        self.schemes(user).contains(&scheme)
    }

    /// Whether a login may be refused because the user has too many sessions.
    pub(super) fn refuses_sessions(&self) -> bool {
        self.auth.as_ref().is_some_and(Authenticator::refuses_sessions)
    }

    /// The same under their names in the document, where a session has one for each way it travels.
    pub(super) fn names(&self, user: &UserType) -> Vec<&'static str> {
        let mut names = Vec::new();
        for scheme in self.schemes(user) {
            match scheme {
                SchemeKind::Session => {
                    names.extend(self.cookie().map(|_| SESSION));
                    names.extend(self.session_header().map(|_| SESSION_HEADER));
                }
                SchemeKind::Bearer => names.push(BEARER),
                SchemeKind::Basic => names.push(BASIC),
                SchemeKind::ApiKey => names.push(API_KEY),
                SchemeKind::Signature => names.push(SIGNATURE),
                SchemeKind::Custom(name) => names.push(name),
            }
        }
        names
    }

    /// A scheme of the application's own.
    pub(super) fn info(&self, name: &str) -> Option<&SchemeInfo> {
        self.auth.as_ref()?.scheme_info(name)
    }

    /// The session cookie.
    pub(super) fn cookie(&self) -> Option<&str> {
        self.auth.as_ref().map_or(Some("__Host-sid"), Authenticator::cookie_name)
    }

    /// The session header.
    pub(super) fn session_header(&self) -> Option<&str> {
        self.auth.as_ref()?.session_header()
    }

    /// Adds the schemes of a type of user to the components.
    pub(super) fn register(&self, registry: &mut Registry, user: &UserType) {
        for name in self.names(user) {
            let scheme = match name {
                SESSION => self.cookie().map(session_scheme),
                SESSION_HEADER => self.session_header().map(header_scheme),
                BEARER => {
                    let prefix = self.auth.as_ref().and_then(Authenticator::token_prefix);
                    let flow = self.auth.as_ref().and_then(Authenticator::password_flow);
                    Some(match flow {
                        Some(url) => password_scheme(intern(url)),
                        None => bearer_scheme(intern(prefix.unwrap_or("Bearer"))),
                    })
                }
                BASIC => Some(basic_scheme()),
                API_KEY => {
                    let header = self.auth.as_ref().and_then(Authenticator::api_key_header);
                    Some(key_scheme(header.unwrap_or("x-api-key")))
                }
                SIGNATURE => Some(signature_scheme()),
                own => Some(
                    self.info(own).map_or_else(|| own_scheme(&SchemeInfo::header(own)), own_scheme),
                ),
            };
            if let Some(scheme) = scheme {
                registry.create_security_scheme(name, scheme);
            }
        }
    }
}

/// A scheme of this type with nothing else filled in.
fn scheme(ty: &'static str, description: &'static str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty,
        description: Some(description),
        name: None,
        key_in: None,
        scheme: None,
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    }
}

fn session_scheme(cookie: &str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        name: Some(intern(cookie)),
        key_in: Some("cookie"),
        ..scheme("apiKey", "The session cookie that a login sets.")
    }
}

fn header_scheme(header: &str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        name: Some(intern(header)),
        key_in: Some("header"),
        ..scheme("apiKey", "The session that a login starts, from the header of its answer.")
    }
}

fn bearer_scheme(prefix: &'static str) -> MetaSecurityScheme {
    if prefix.eq_ignore_ascii_case("bearer") {
        return MetaSecurityScheme {
            scheme: Some("bearer"),
            bearer_format: Some("JWT"),
            ..scheme("http", "A token that a login issues.")
        };
    }
    let description = format!("A token that a login issues, written as `{prefix} <token>`.");
    MetaSecurityScheme {
        name: Some("Authorization"),
        key_in: Some("header"),
        ..scheme("apiKey", intern(&description))
    }
}

fn key_scheme(header: &str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        name: Some(intern(header)),
        key_in: Some("header"),
        ..scheme("apiKey", "An API key.")
    }
}

fn signature_scheme() -> MetaSecurityScheme {
    const DESCRIPTION: &str = "HTTP Message Signatures (RFC 9421): `Signature`, `Signature-Input`, \
        and `Content-Digest` where there is a body, with an access key.";
    MetaSecurityScheme {
        name: Some("Signature"),
        key_in: Some("header"),
        ..scheme("apiKey", DESCRIPTION)
    }
}

fn own_scheme(info: &SchemeInfo) -> MetaSecurityScheme {
    let description = intern(info.description());
    match info.carrier() {
        Carrier::Authorization(name) => MetaSecurityScheme {
            scheme: Some(intern(&name.to_ascii_lowercase())),
            ..scheme("http", description)
        },
        Carrier::Cookie(name) => MetaSecurityScheme {
            name: Some(intern(name)),
            key_in: Some("cookie"),
            ..scheme("apiKey", description)
        },
        carrier => {
            let name = match carrier {
                Carrier::Header(name) => intern(name),
                _ => "Authorization",
            };
            MetaSecurityScheme {
                name: Some(name),
                key_in: Some("header"),
                ..scheme("apiKey", description)
            }
        }
    }
}

/// Tokens that are issued for name and password, so that viewers of the document can log in.
fn password_scheme(token_url: &'static str) -> MetaSecurityScheme {
    // OpenAPI wants a list of scopes, and poem-openapi leaves out an empty one.
    let everything =
        MetaOAuthScope { name: "*", description: Some("Everything that the user may do.") };
    let flow = MetaOAuthFlow {
        authorization_url: None,
        token_url: Some(token_url),
        refresh_url: None,
        scopes: vec![everything],
    };
    let flows = MetaOAuthFlows {
        implicit: None,
        password: Some(flow),
        client_credentials: None,
        authorization_code: None,
    };
    MetaSecurityScheme {
        flows: Some(flows),
        ..scheme("oauth2", "A token that is issued for name and password.")
    }
}

fn basic_scheme() -> MetaSecurityScheme {
    MetaSecurityScheme { scheme: Some("basic"), ..scheme("http", "Name and password.") }
}
