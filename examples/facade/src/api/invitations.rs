//! Invitations to a site.

use auth_poem::{Error, prelude::*};
use email_address::EmailAddress;
use example_kit::{Message, Outbox};
use poem_openapi::{
    Object,
    param::{Path, Query},
    payload::Json,
};

use super::{Done, Found, Tag};
use crate::{
    errors::{bad_request, not_found},
    paging::{DataPage, Paging},
    services::{
        Services,
        invitations::{Action, Invitation},
        sites::Site,
    },
    user::{Role, User},
};

/// How long an invitation is good if nobody says otherwise.
const LIFETIME: Duration = Duration::days(14);

/// The operations.
#[derive(Debug)]
pub struct InvitationsApi {
    pub(super) services: Services,
    pub(super) outbox: Outbox,
}

/// An invitation that is to be. Its site is the one of the path, its author who sends it.
#[derive(Object)]
struct NewInvitation {
    #[oai(default)]
    action: Action,
    /// As what the invitee comes: at most what the author is, a user if nobody says otherwise.
    role: Option<Role>,
    invitee_name: Option<String>,
    invitee_email: Option<String>,
    invitee_id: Option<String>,
    expire_time: Option<DateTime<Utc>>,
}

/// As what an invitee comes.
#[derive(Object)]
struct Approval {
    role: Option<Role>,
}

#[auth_api(prefix_path = "/sites/:site_id/invitations", tag = "Tag::Invitation")]
impl InvitationsApi {
    /// The invitations to a site.
    #[require(any(
        role = "admin", role = "{site_id}:admin", role = "{site_id}:manager",
        role = "{site_id}:user",
    ))]
    #[oai(path = "/", method = "get")]
    async fn list(
        &self,
        _user: User,
        site_id: Path<String>,
        skip: Query<Option<i64>>,
        take: Query<Option<i64>>,
        total: Query<Option<bool>>,
    ) -> auth_poem::Result<Json<DataPage<Invitation>>> {
        let paging = Paging::new(skip.0, take.0, total.0);
        Ok(Json(self.services.invitations.page(&site_id, paging).await?))
    }

    /// Invites somebody to a site, by a message to his address.
    #[require(any(role = "admin", role = "{site_id}:admin", role = "{site_id}:manager"))]
    #[rejects(ROLE_ABOVE_OWN = 403, INVALID_EMAIL = 400, SITE_NOT_FOUND = 404)]
    #[oai(path = "/", method = "post")]
    async fn send(
        &self,
        user: User,
        site_id: Path<String>,
        data: Json<NewInvitation>,
    ) -> auth_poem::Result<Json<Invitation>> {
        let mut invitation = self.invitation(&user, &site_id, data.0).await?;
        let mut work = self.services.begin().await?;
        self.services.invitations.put(&mut work, &invitation).await?;
        work.commit()
    }

    /// Tells an invitee of his invitation, and keeps nothing of it.
    #[require(any(role = "admin", role = "{site_id}:admin", role = "{site_id}:manager"))]
    #[rejects(ROLE_ABOVE_OWN = 403, INVALID_EMAIL = 400, SITE_NOT_FOUND = 404)]
    #[oai(path = "/notify", method = "post")]
    async fn notify(
        &self,
        user: User,
        site_id: Path<String>,
        data: Json<NewInvitation>,
    ) -> auth_poem::Result<Done> {
        let invitation = self.invitation(&user, &site_id, data.0).await?;
        self.tell(&invitation).await?;
        Ok(Done::Done)
    }

    /// An invitation.
    #[require(any(
        role = "admin", role = "{site_id}:admin", role = "{site_id}:manager",
        role = "{site_id}:user",
    ))]
    #[oai(path = "/:invitation_id", method = "get")]
    async fn one(
        &self,
        _user: User,
        site_id: Path<String>,
        invitation_id: Path<String>,
    ) -> auth_poem::Result<Found<Invitation>> {
        Ok(self.services.invitations.by_id(&site_id, &invitation_id).await?.into())
    }
    // delete, approve, deny, resend
}
