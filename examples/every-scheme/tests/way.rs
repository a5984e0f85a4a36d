//! A way in, as a client goes it.

use example_kit::testing::{Answer, Body, Client};

use crate::server::{Person, Server};

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Session,
    Basic,
    Bearer,
}

impl Way {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Session, Self::Basic, Self::Bearer];

    /// What answers and documents call it.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
        }
    }

    /// What a wrong credential is refused with, where the user is optional too.
    pub(crate) fn refusal(self) -> &'static str {
        match self {
            Self::Session => "invalid_session",
            Self::Basic => "wrong_credentials",
            Self::Bearer => "invalid_token",
        }
    }

    /// Whether a wrong credential is refused where the user is optional. Browsers send cookies by
    /// themselves, so one that is over is nobody's there.
    pub(crate) fn is_explicit(self) -> bool {
        self != Self::Session
    }

    /// A client that somebody comes in with.
    pub(crate) fn client(self, server: &Server, person: Person) -> Client {
        match self {
            Self::Session => server.logged_in(person),
            Self::Basic => server.with_basic(person, person.password),
            Self::Bearer => server.with_token(person),
        }
    }

    /// A client with a credential of the right form that does not hold.
    pub(crate) fn wrong(self, server: &Server, person: Person) -> Client {
        match self {
            Self::Session => {
                let client = server.logged_in(person);
                assert_eq!(client.clone().send("POST", "/logout", Body::Empty).status, 204);
                client
            }
            Self::Basic => server.with_basic(person, "a wrong password"),
            Self::Bearer => {
                let mut client = server.with_token(person);
                let token = client.token.as_mut().unwrap();
                // Not the last character, of which not all bits count.
                let place = token.rfind('.').unwrap() + 1;
                let other = if &token[place..=place] == "A" { "B" } else { "A" };
                token.replace_range(place..=place, other);
                client
            }
        }
    }

    /// Asks for a path as somebody.
    pub(crate) fn get(self, server: &Server, person: Person, path: &str) -> Answer {
        let answer = self.client(server, person).get(path);
        server.conforming("GET", path, answer)
    }
}
