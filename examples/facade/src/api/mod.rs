//! What can be done, one group of operations per file.

use auth_poem::prelude::*;
use example_kit::Outbox;
use poem_openapi::{
    ApiResponse, Tags,
    payload::Json,
    types::{ParseFromJSON, ToJSON},
};

use crate::{limit::Limit, rules::Rules, services::Services};

mod about;
mod invitations;
mod sessions;
mod signin;
mod signup;
mod sites;
mod users;

pub use self::{
    about::AboutApi, invitations::InvitationsApi, sessions::SessionsApi, signin::SigninApi,
    signup::SignupApi, sites::SitesApi, users::UsersApi,
};

/// All operations.
pub type Apis = (AboutApi, SignupApi, SigninApi, SessionsApi, SitesApi, InvitationsApi, UsersApi);

/// The groups in the document.
#[derive(Debug, Tags)]
enum Tag {
    /// The facade itself.
    About,
    /// Signing up, in and out.
    Session,
    /// Sites and who comes to them.
    Site,
    /// Invitations to a site.
    Invitation,
    /// Accounts, for administrators.
    Administration,
}

/// All operations on these services.
#[must_use]
pub fn apis(services: &Services, rules: Rules, outbox: &Outbox) -> Apis {
    let (services, outbox) = (|| services.clone(), || outbox.clone());
    (
        AboutApi { started: Utc::now() },
        SignupApi { services: services(), rules, outbox: outbox(), probes: Limit::default() },
        SigninApi { services: services(), rules },
        SessionsApi { services: services() },
        SitesApi { services: services(), rules },
        InvitationsApi { services: services(), outbox: outbox() },
        UsersApi { services: services() },
    )
}

/// An answer that may have nothing to say.
#[derive(ApiResponse)]
enum Found<T: ParseFromJSON + ToJSON> {
    /// It is here.
    #[oai(status = 200)]
    One(Json<T>),
    /// There is no such thing.
    #[oai(status = 204)]
    Nothing,
}

impl<T: ParseFromJSON + ToJSON> From<Option<T>> for Found<T> {
    fn from(found: Option<T>) -> Self {
        found.map_or(Self::Nothing, |found| Self::One(Json(found)))
    }
}

/// An answer that has nothing to say.
#[derive(ApiResponse)]
enum Done {
    /// It is done.
    #[oai(status = 204)]
    Done,
}
