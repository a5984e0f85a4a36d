//! Invitations to a site.

use auth_poem::prelude::*;
use email_address::EmailAddress;
use example_kit::{Message, Outbox};
use poem_openapi::{
    Object,
    param::{Path, Query},
    payload::Json,
};

use super::{Done, Found, Tag};
use crate::{
    body::OptionalJson,
    errors::{bad_request, forbidden, not_found},
    paging::{DataPage, Paging},
    services::{
        Services, Work,
        invitations::{Action, Invitation},
    },
    text,
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

#[auth_api(prefix_path = "/sites", tag = "Tag::Invitation")]
impl InvitationsApi {
    /// The invitations to a site.
    #[require(any(
        role = "admin",
        role = "{site_id}:admin",
        role = "{site_id}:manager",
        role = "{site_id}:user",
    ))]
    #[oai(path = "/:site_id/invitations", method = "get")]
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
    #[rejects(
        ROLE_ABOVE_OWN = 403,
        INVALID_EMAIL = 400,
        INVALID_ID = 400,
        INVALID_TEXT = 400,
        SITE_NOT_FOUND = 404
    )]
    #[oai(path = "/:site_id/invitations", method = "post")]
    async fn send(
        &self,
        user: User,
        site_id: Path<String>,
        data: Json<NewInvitation>,
    ) -> auth_poem::Result<Json<Invitation>> {
        let invitation = self.invitation(&user, &site_id, data.0).await?;
        let work = self.services.begin().await?;
        Ok(Json(self.deliver(work, invitation).await?))
    }

    /// Tells an invitee of an invitation, and keeps nothing of it.
    #[require(any(role = "admin", role = "{site_id}:admin", role = "{site_id}:manager"))]
    #[rejects(
        ROLE_ABOVE_OWN = 403,
        INVALID_EMAIL = 400,
        INVALID_ID = 400,
        INVALID_TEXT = 400,
        SITE_NOT_FOUND = 404
    )]
    #[oai(path = "/:site_id/invitations/notify", method = "post")]
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
        role = "admin",
        role = "{site_id}:admin",
        role = "{site_id}:manager",
        role = "{site_id}:user",
    ))]
    #[oai(path = "/:site_id/invitations/:invitation_id", method = "get")]
    async fn one(
        &self,
        _user: User,
        site_id: Path<String>,
        invitation_id: Path<String>,
    ) -> auth_poem::Result<Found<Invitation>> {
        Ok(self.services.invitations.by_id(&site_id, &invitation_id).await?.into())
    }

    /// Takes an invitation back.
    #[require(any(role = "admin", role = "{site_id}:admin", role = "{site_id}:manager"))]
    #[oai(path = "/:site_id/invitations/:invitation_id", method = "delete")]
    async fn delete(
        &self,
        _user: User,
        site_id: Path<String>,
        invitation_id: Path<String>,
    ) -> auth_poem::Result<Found<Invitation>> {
        self.remove(&site_id, &invitation_id).await
    }

    /// Agrees to an invitation: whoever has an account comes to the site now, everybody else when
    /// he proves the address.
    #[require(any(role = "admin", role = "{site_id}:admin", role = "{site_id}:manager"))]
    #[rejects(ROLE_ABOVE_OWN = 403)]
    #[oai(path = "/:site_id/invitations/:invitation_id/approve", method = "post")]
    async fn approve(
        &self,
        user: User,
        site_id: Path<String>,
        invitation_id: Path<String>,
        role: Query<Option<Role>>,
        data: OptionalJson<Approval>,
    ) -> auth_poem::Result<Found<Invitation>> {
        let mut work = self.services.begin().await?;
        let invitations = &self.services.invitations;
        let invitation = invitations.remove(&mut work, &site_id, &invitation_id).await?;
        let Some(mut invitation) = invitation else { return Ok(Found::Nothing) };
        let wanted = role.0.or(data.0.and_then(|data| data.role));
        invitation.role = at_most_own(&user, &site_id, wanted.unwrap_or(invitation.role))?;
        invitation.action = Action::Activate;
        match invitation.invitee_id.as_deref() {
            Some(account) => {
                self.services.roles.grant(&mut work, account, &[invitation.grant()]).await?;
            }
            None => invitations.put(&mut work, &invitation).await?,
        }
        work.commit().await?;
        Ok(Some(invitation).into())
    }

    /// Does not agree to an invitation, which is gone by that.
    #[require(any(role = "admin", role = "{site_id}:admin", role = "{site_id}:manager"))]
    #[oai(path = "/:site_id/invitations/:invitation_id/deny", method = "post")]
    async fn deny(
        &self,
        _user: User,
        site_id: Path<String>,
        invitation_id: Path<String>,
    ) -> auth_poem::Result<Found<Invitation>> {
        self.remove(&site_id, &invitation_id).await
    }

    /// Sends the message of an invitation once more.
    #[require(any(role = "admin", role = "{site_id}:admin", role = "{site_id}:manager"))]
    #[oai(path = "/:site_id/invitations/:invitation_id/resend", method = "post")]
    async fn resend(
        &self,
        _user: User,
        site_id: Path<String>,
        invitation_id: Path<String>,
    ) -> auth_poem::Result<Found<Invitation>> {
        let mut work = self.services.begin().await?;
        let invitations = &self.services.invitations;
        let invitation = invitations.remove(&mut work, &site_id, &invitation_id).await?;
        let Some(invitation) = invitation else { return Ok(Found::Nothing) };
        Ok(Some(self.deliver(work, invitation).await?).into())
    }
}

impl InvitationsApi {
    /// The invitation that a user writes.
    async fn invitation(
        &self,
        user: &User,
        site: &str,
        data: NewInvitation,
    ) -> auth_poem::Result<Invitation> {
        let role = at_most_own(user, site, data.role.unwrap_or(Role::User))?;
        if data.invitee_email.as_deref().is_some_and(|email| !EmailAddress::is_valid(email)) {
            return Err(bad_request("INVALID_EMAIL", "This is no e-mail address.").into());
        }
        text::check([data.invitee_name.as_deref()])?;
        if data.invitee_id.as_deref().is_some_and(|id| !text::is_id(id)) {
            return Err(bad_request("INVALID_ID", "This is no id of an account.").into());
        }
        let site = self.services.sites.by_id(site).await?;
        let site = site
            .filter(|site| site.deleted.is_none())
            .ok_or_else(|| not_found("SITE_NOT_FOUND", "There is no such site."))?;
        let now = Utc::now();
        Ok(Invitation {
            id: Uuid::new_v4().simple().to_string(),
            site_id: site.id,
            site_name: site.data.name,
            create_time: now,
            creator_id: user.id.clone(),
            creator_name: user.name.clone(),
            sent_time: None,
            expire_time: data.expire_time.unwrap_or(now + LIFETIME),
            action: data.action,
            role,
            invitee_name: data.invitee_name,
            invitee_email: data.invitee_email,
            invitee_id: data.invitee_id,
        })
    }

    /// Sends an invitation and keeps it.
    async fn deliver(
        &self,
        mut work: Work,
        mut invitation: Invitation,
    ) -> auth_poem::Result<Invitation> {
        if self.tell(&invitation).await? {
            invitation.sent_time = Some(Utc::now());
        }
        self.services.invitations.put(&mut work, &invitation).await?;
        work.commit().await?;
        Ok(invitation)
    }

    /// Sends a message about an invitation, if there is an address.
    async fn tell(&self, invitation: &Invitation) -> auth_poem::Result<bool> {
        let Some(email) = &invitation.invitee_email else { return Ok(false) };
        let Invitation { creator_name, site_name, .. } = invitation;
        let text = format!("{creator_name} invites you to {site_name}. Sign up with this address.");
        let message = Message { to: email, subject: "An invitation", text, code: &invitation.id };
        self.outbox.send(&message).await?;
        Ok(true)
    }

    async fn remove(&self, site: &str, id: &str) -> auth_poem::Result<Found<Invitation>> {
        let mut work = self.services.begin().await?;
        let invitation = self.services.invitations.remove(&mut work, site, id).await?;
        work.commit().await?;
        Ok(invitation.into())
    }
}

/// A role that a user may give others at a site: nobody lifts others above himself, and so not
/// himself by way of others either.
fn at_most_own(user: &User, site: &str, role: Role) -> Result<Role, Rejection> {
    if user.role_at(site) >= Some(role) {
        return Ok(role);
    }
    Err(forbidden("ROLE_ABOVE_OWN", "Nobody can give a role above his own."))
}
