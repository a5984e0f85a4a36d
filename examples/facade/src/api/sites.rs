//! Sites: what they are, and leaving them.
#![allow(clippy::too_many_arguments, reason = "a list has many filters")]

use auth_poem::prelude::*;
use poem_openapi::{
    ApiResponse, Object,
    param::{Path, Query},
    payload::Json,
    types::ToJSON,
};

use super::{Done, Found, Tag};
use crate::{
    code,
    errors::{bad_request, conflict},
    paging::{DataPage, Paging},
    rules::Rules,
    services::{
        Services,
        sites::{Site, SiteData, SiteFilter, SiteName},
    },
    session::UserSnapshot,
    text,
    user::{Grant, Role, User},
};

/// The most that is said of a site, in bytes of JSON.
const LARGEST: usize = 1024 * 1024;

/// The operations.
#[derive(Debug)]
pub struct SitesApi {
    pub(super) services: Services,
    pub(super) rules: Rules,
}

/// A site that is to be.
#[derive(Object)]
struct NewSite {
    /// Its id, where old clients choose one. All others are told.
    id: Option<String>,
    #[oai(flatten)]
    data: SiteData,
}

/// What is found by a code.
#[derive(ApiResponse)]
#[allow(clippy::large_enum_variant, reason = "one lives at a time, as long as an answer takes")]
enum FoundByCode {
    /// What a stranger sees of the site.
    #[oai(status = 200)]
    Name(Json<SiteName>),
    /// All of the site.
    #[oai(status = 200)]
    Site(Json<Site>),
    /// There is no such site.
    #[oai(status = 204)]
    Nothing,
}

#[auth_api(prefix_path = "/sites", tag = "Tag::Site")]
impl SitesApi {
    /// The sites at which the user is something.
    #[oai(path = "/", method = "get")]
    async fn own(
        &self,
        user: User,
        search: Query<Option<String>>,
        id: Query<Option<String>>,
        code: Query<Option<String>>,
        active: Query<Option<bool>>,
        deleted: Query<Option<bool>>,
        /// None but these, with commas between.
        ids: Query<Option<String>>,
        skip: Query<Option<i64>>,
        take: Query<Option<i64>>,
        total: Query<Option<bool>>,
    ) -> auth_poem::Result<Json<DataPage<Site>>> {
        let asked_for = listed(ids.0.as_deref());
        let own = user.sites().map(str::to_owned);
        let own = own.filter(|id| asked_for.as_ref().is_none_or(|ids| ids.contains(id)));
        let filter = SiteFilter {
            search: search.0,
            id: id.0,
            code: code.0,
            active: active.0,
            deleted: deleted.0.unwrap_or(false),
            ids: Some(own.collect()),
        };
        let paging = Paging::new(skip.0, take.0, total.0);
        Ok(Json(self.services.sites.page(&filter, paging).await?))
    }

    /// All sites.
    #[require(role = "admin")]
    #[oai(path = "/all", method = "get")]
    async fn all(
        &self,
        _user: User,
        search: Query<Option<String>>,
        id: Query<Option<String>>,
        code: Query<Option<String>>,
        active: Query<Option<bool>>,
        deleted: Query<Option<bool>>,
        /// None but these, with commas between.
        ids: Query<Option<String>>,
        skip: Query<Option<i64>>,
        take: Query<Option<i64>>,
        total: Query<Option<bool>>,
    ) -> auth_poem::Result<Json<DataPage<Site>>> {
        let filter = SiteFilter {
            search: search.0,
            id: id.0,
            code: code.0,
            active: active.0,
            deleted: deleted.0.unwrap_or(false),
            ids: listed(ids.0.as_deref()),
        };
        let paging = Paging::new(skip.0, take.0, total.0);
        Ok(Json(self.services.sites.page(&filter, paging).await?))
    }

    /// The site that has a code. Who does not belong to it sees its name.
    #[oai(path = "/find_by_code", method = "get")]
    async fn find_by_code(
        &self,
        user: Option<User>,
        code: Query<Option<String>>,
    ) -> auth_poem::Result<FoundByCode> {
        let Some(site) = self.by_code(code.0).await? else { return Ok(FoundByCode::Nothing) };
        let belongs = user.is_some_and(|user| user.role_at(&site.id).is_some());
        Ok(if belongs || self.rules.sites_by_code_in_full {
            FoundByCode::Site(Json(site))
        } else {
            FoundByCode::Name(Json(site.as_name()))
        })
    }

    /// The id of the site that has a code, or an empty text.
    #[oai(path = "/validate_code", method = "post")]
    async fn validate_code(
        &self,
        _user: User,
        code: Query<Option<String>>,
    ) -> auth_poem::Result<Json<String>> {
        let site = self.by_code(code.0).await?;
        Ok(Json(site.map(|site| site.id).unwrap_or_default()))
    }

    /// Creates a site, whose administrator the user becomes.
    #[rejects(DUPLICATE_ID = 409, INVALID_ID = 400, INVALID_TEXT = 400, SITE_TOO_LARGE = 400)]
    #[oai(path = "/", method = "post")]
    async fn create(
        &self,
        user: User,
        mut session: Session<UserSnapshot>,
        data: Json<NewSite>,
    ) -> auth_poem::Result<Json<Site>> {
        check(&data.data)?;
        let site = Site {
            id: self.id_for(&data).await?,
            code: None,
            create_time: Utc::now(),
            creator_id: user.id.clone(),
            deleted: None,
            data: data.0.data,
        };
        let mut work = self.services.begin().await?;
        let site = self.services.sites.create(&mut work, &site).await?.ok_or_else(duplicate_id)?;
        let grant = Grant::in_scope(site.id.clone(), Role::Admin);
        self.services.roles.grant(&mut work, &user.id, std::slice::from_ref(&grant)).await?;
        work.commit().await?;

        session.roles.push(grant.to_string());
        session.sites.push(site.as_name());
        Ok(Json(site))
    }

    /// A site.
    #[require(any(
        role = "admin",
        role = "{site_id}:admin",
        role = "{site_id}:manager",
        role = "{site_id}:user",
    ))]
    #[oai(path = "/:site_id", method = "get")]
    async fn one(&self, _user: User, site_id: Path<String>) -> auth_poem::Result<Found<Site>> {
        Ok(self.services.sites.by_id(&site_id).await?.into())
    }

    /// Says anew what a site is.
    #[require(any(role = "admin", role = "{site_id}:admin"))]
    #[rejects(INVALID_TEXT = 400, SITE_TOO_LARGE = 400)]
    #[oai(path = "/:site_id", method = "put")]
    async fn update(
        &self,
        _user: User,
        mut session: Session<UserSnapshot>,
        site_id: Path<String>,
        data: Json<SiteData>,
    ) -> auth_poem::Result<Found<Site>> {
        check(&data)?;
        let site = self.services.sites.update(&site_id, &data).await?;
        if let Some(site) = &site {
            session.sites.retain(|known| known.id != site.id);
            session.sites.push(site.as_name());
        }
        Ok(site.into())
    }

    /// Marks a site as deleted, and forgets its code and the invitations to it.
    #[require(role = "admin")]
    #[oai(path = "/:site_id", method = "delete")]
    async fn delete(&self, _user: User, site_id: Path<String>) -> auth_poem::Result<Found<Site>> {
        let mut work = self.services.begin().await?;
        let site = self.services.sites.delete(&mut work, &site_id).await?;
        self.services.invitations.remove_all(&mut work, &site_id).await?;
        work.commit().await?;
        Ok(site.into())
    }

    /// Gives a site a new code, by which it is found from now on.
    #[require(any(role = "admin", role = "{site_id}:admin"))]
    #[oai(path = "/:site_id/generate_code", method = "post")]
    async fn generate_code(
        &self,
        _user: User,
        site_id: Path<String>,
    ) -> auth_poem::Result<Found<String>> {
        // 50 bits.
        let code = code::random::<10>()?;
        let site = self.services.sites.set_code(&site_id, &code).await?;
        Ok(site.map(|_| code).into())
    }

    /// Leaves a site.
    #[require(any(
        role = "admin",
        role = "{site_id}:admin",
        role = "{site_id}:manager",
        role = "{site_id}:user",
    ))]
    #[oai(path = "/:site_id/remove", method = "post")]
    async fn leave(
        &self,
        user: User,
        mut session: Session<UserSnapshot>,
        site_id: Path<String>,
    ) -> auth_poem::Result<Done> {
        let grants = [Role::Admin, Role::Manager, Role::User]
            .map(|role| Grant::in_scope(site_id.0.clone(), role));
        let mut work = self.services.begin().await?;
        self.services.roles.revoke(&mut work, &user.id, &grants).await?;
        work.commit().await?;

        let grants = grants.map(|grant| grant.to_string());
        session.roles.retain(|role| !grants.contains(role));
        session.sites.retain(|site| site.id != site_id.0);
        Ok(Done::Done)
    }
}

impl SitesApi {
    async fn by_code(&self, code: Option<String>) -> auth_poem::Result<Option<Site>> {
        match code {
            Some(code) => Ok(self.services.sites.by_code(&code).await?),
            None => Ok(None),
        }
    }

    /// The id of a new site. Roles name sites by their ids: who took over one that was in use would
    /// take over what others may do there, so an id that a client wants is at best a new one.
    async fn id_for(&self, site: &NewSite) -> auth_poem::Result<String> {
        let Some(id) = &site.id else { return Ok(new_id()) };
        let is_id = text::is_id(id);
        if is_id && self.services.sites.by_id(id).await?.is_some() {
            return Err(duplicate_id().into());
        }
        if !self.rules.clients_name_sites {
            return Ok(new_id());
        }
        if !is_id {
            let message = "The id of a site has 1 to 64 letters, digits, - and _.";
            return Err(bad_request("INVALID_ID", message).into());
        }
        Ok(id.clone())
    }
}

/// Refuses what cannot be kept of a site.
fn check(data: &SiteData) -> Result<(), Rejection> {
    text::check([Some(&*data.name)])?;
    if data.to_json_string().len() > LARGEST {
        let message = format!("A site has at most {LARGEST} bytes.");
        return Err(bad_request("SITE_TOO_LARGE", message));
    }
    Ok(())
}

fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

fn duplicate_id() -> Rejection {
    conflict("DUPLICATE_ID", "There is a site with this id.")
}

/// What stands between the commas.
fn listed(ids: Option<&str>) -> Option<Vec<String>> {
    ids.map(|ids| ids.split(',').map(|id| id.trim().to_owned()).collect())
}
