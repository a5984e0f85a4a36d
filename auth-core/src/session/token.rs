//! How the token of a session travels: in a cookie, in a header, or both.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};

use super::{record::SessionRecord, service::SessionService};
use crate::{
    http::{
        cookie::{self, PresentedToken, SessionCookie},
        session_header,
    },
    secret::{SessionKey, SessionToken},
};

/// By which way a request presents its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Browsers send it by themselves, so it is no proof of what the user wants.
    Cookie,
    /// Somebody put it there on purpose.
    Header,
}

/// What a request presents.
#[derive(Debug)]
pub(super) enum Presented {
    Nothing,
    /// Something that cannot name a session.
    Unusable(Way),
    Token {
        way: Way,
        token: SessionToken,
        key: SessionKey,
    },
}

/// The ways that are open to tokens: at least one of them.
#[derive(Debug, Clone)]
pub(crate) struct Carriers {
    pub(crate) cookie: Option<SessionCookie>,
    pub(crate) header: Option<HeaderName>,
    /// On which request headers an answer depends that looked at the session.
    vary: HeaderValue,
}

/// By which ways a new token goes to the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    cookie: bool,
    header: bool,
}

/// What tells a client about its session: headers of the answer.
#[derive(Debug, Default)]
#[must_use = "a client that is not told loses its session"]
pub struct TokenHeaders {
    cookie: Option<HeaderValue>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Presented {
    pub(super) fn way(&self) -> Option<Way> {
        match self {
            Self::Nothing => None,
            Self::Unusable(way) | Self::Token { way, .. } => Some(*way),
        }
    }

    /// `None` for nothing.
    fn new(token: PresentedToken, way: Way) -> Option<Self> {
        match token {
            PresentedToken::None => None,
            PresentedToken::Unusable => Some(Self::Unusable(way)),
            PresentedToken::Token(token) => Some(Self::Token { way, key: token.key(), token }),
        }
    }
}

impl Carriers {
    pub(crate) fn new(cookie: Option<SessionCookie>, header: Option<HeaderName>) -> Self {
        let names = header.iter().map(HeaderName::as_str);
        let names: Vec<&str> = names.chain(cookie.iter().map(|_| COOKIE.as_str())).collect();
        // Names of headers can stand in a header.
        let vary = HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("*"));
        Self { cookie, header, vary }
    }

    /// Reads what a request presents. A header wins over the cookie, which is then not looked at.
    pub(super) fn presented(&self, headers: &HeaderMap) -> Presented {
        let by_header = || {
            let token = session_header::presented(headers, self.header.as_ref()?);
            Presented::new(token, Way::Header)
        };
        let by_cookie = || {
            let token = cookie::presented(headers, self.cookie.as_ref()?.name());
            Presented::new(token, Way::Cookie)
        };
        by_header().or_else(by_cookie).unwrap_or(Presented::Nothing)
    }

    pub(crate) fn vary(&self) -> &HeaderValue {
        &self.vary
    }

    /// What removes the cookie.
    pub(super) fn removal(&self) -> TokenHeaders {
        let cookie = self.cookie.as_ref().map(SessionCookie::remove);
        TokenHeaders { cookie, header: None }
    }
}

impl Ways {
    /// Only in the cookie.
    pub(super) const COOKIE: Self = Self { cookie: true, header: false };

    /// The ways of a session that goes on under a new token, or of a new one.
    ///
    /// # Security
    ///
    /// A session that came by cookie goes on by cookie, which no script can read. At a login it is
    /// not known yet what the client wants, so a header is sent as well where there is one; but
    /// whoever presents a header gets no cookie, which would make him open to other sites.
    pub(super) fn of(presented: Option<Way>, goes_on: bool) -> Self {
        match presented {
            Some(Way::Header) => Self { cookie: false, header: true },
            Some(Way::Cookie) if goes_on => Self::COOKIE,
            Some(Way::Cookie) | None => Self { cookie: true, header: true },
        }
    }
}

impl SessionService {
    /// What hands a token over.
    pub(super) fn hand_out(
        &self,
        token: &SessionToken,
        record: &SessionRecord,
        ways: Ways,
    ) -> TokenHeaders {
        let Carriers { cookie, header, .. } = &self.carriers;
        let cookie = cookie.as_ref().filter(|_| ways.cookie);
        let header = header.as_ref().filter(|_| ways.header);
        TokenHeaders {
            cookie: cookie.map(|cookie| cookie.set(token, self.max_age(record))),
            header: header.and_then(|name| {
                // 43 characters of base64url can stand in a header.
                let mut value = HeaderValue::try_from(token.expose()).ok()?;
                value.set_sensitive(true);
                Some((name.clone(), value))
            }),
        }
    }
}

impl TokenHeaders {
    /// Writes them into an answer.
    pub fn append_to(self, headers: &mut HeaderMap) {
        if let Some(cookie) = self.cookie {
            headers.append(SET_COOKIE, cookie);
        }
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
    }
}
