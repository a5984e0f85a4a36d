//! The chain: tries the schemes of a user type, joins their answers, loads the user once.

use std::{any::Any, sync::Arc};

use super::{
    Claim, Found, Identity, Outcome, SchemeKind, basic::NameAndPassword, session, stamp_of,
};
use crate::{
    context::Context,
    error::Failure,
    http::{RequestHead, cross_site::is_cross_site},
    rejection::Rejection,
    scopes::Scopes,
    user::{AuthUser, UserKey},
};

/// Tries the schemes of a user type in their order, and loads the user whom they name.
///
/// It goes on without waiting as long as the stores answer so: then a request needs no future for
/// it. Whatever is left waits in [`finish`](Self::finish).
///
/// # Errors
///
/// Both methods:
///
/// - an explicit credential that does not hold, two that disagree, a cookie from another site:
///   [`Failure::Rejected`]
/// - a store that cannot answer: [`Failure::Fault`], never "nobody"
#[derive(Debug, Default)]
pub(crate) struct Identification {
    /// How many schemes were tried.
    tried: usize,
    claims: Claims,
    /// The only schemes that count, none for all.
    only: &'static [&'static str],
    /// The user, if a token has said all of him; of the type that is looked for.
    described: Option<Arc<dyn Any + Send + Sync>>,
}

impl Identification {
    /// One for which only these schemes count, all if there are none.
    pub(crate) fn by(only: &'static [&'static str]) -> Self {
        Self { only, ..Self::default() }
    }

    /// Whether a scheme counts.
    fn counts(&self, scheme: SchemeKind) -> bool {
        self.only.is_empty() || self.only.contains(&scheme.name())
    }

    /// Whether an outcome would do that was found before, perhaps by schemes that do not count.
    pub(crate) fn accepts<U: AuthUser>(&self, outcome: &Outcome<U>) -> bool {
        match outcome {
            Outcome::Nobody { .. } => true,
            Outcome::Known(identity) => self.counts(identity.scheme),
        }
    }

    /// Whether what stands where a token stands is an API key, which another scheme looks at.
    fn is_api_key(
        &self,
        context: &Context,
        schemes: &[SchemeKind],
        head: &RequestHead<'_>,
    ) -> bool {
        let keys = context.auth().inner.api_keys.as_ref();
        keys.is_some_and(|keys| {
            schemes.contains(&SchemeKind::ApiKey)
                && self.counts(SchemeKind::ApiKey)
                && keys.bearer_key(head, false).is_some()
        })
    }

    /// The outcome, `None` if a store has to be waited for.
    pub(crate) fn now<U: AuthUser>(
        &mut self,
        context: &Context,
        head: &RequestHead<'_>,
    ) -> Result<Option<Outcome<U>>, Failure> {
        let service = context.user_service::<U>()?;
        while let Some(&scheme) = service.schemes.get(self.tried) {
            if !self.counts(scheme) {
                self.tried += 1;
                continue;
            }
            let found = match scheme {
                SchemeKind::Session => {
                    if !context.session.load_now(context.sessions()?, head.headers)? {
                        return Ok(None);
                    }
                    session::find::<U>(context)
                }
                SchemeKind::Bearer if self.is_api_key(context, service.schemes, head) => {
                    Found::Absent
                }
                SchemeKind::Bearer => match context.bearer()?.find_now::<U>(head, context)? {
                    Some((found, user)) => {
                        if let Some(user) = user {
                            self.described = Some(user);
                        }
                        found
                    }
                    None => return Ok(None),
                },
                SchemeKind::ApiKey => {
                    let every = !service.schemes.contains(&SchemeKind::Bearer);
                    match context.api_keys()?.presented(head, every)? {
                        Some(_) => return Ok(None),
                        None => Found::Absent,
                    }
                }
                SchemeKind::Signature => {
                    if context.signatures()?.is_presented(head) {
                        return Ok(None);
                    }
                    Found::Absent
                }
                // A password is hashed on another thread.
                SchemeKind::Basic => match NameAndPassword::of(head)? {
                    Some(_) => return Ok(None),
                    None => Found::Absent,
                },
                SchemeKind::Custom(name) => {
                    if service.custom(name)?.may_be_presented(head) {
                        return Ok(None);
                    }
                    Found::Absent
                }
            };
            self.claims.add(found)?;
            self.tried += 1;
        }
        let described = self.described.take().and_then(|user| user.downcast::<U>().ok());
        let user = match self.claims.id::<U>() {
            Some(_) if described.is_some() => described,
            Some(id) => match service.store.by_id_now(&id) {
                Some(answer) => answer?,
                None => return Ok(None),
            },
            None => None,
        };
        if service.store.keeps_copies() && !self.claims.fit(user.as_deref()) {
            return Ok(None);
        }
        std::mem::take(&mut self.claims).judge(user, context, head).map(Some)
    }

    /// The outcome, from where [`now`](Self::now) had to stop.
    pub(crate) async fn finish<U: AuthUser>(
        mut self,
        context: &Context,
        head: &RequestHead<'_>,
    ) -> Result<Outcome<U>, Failure> {
        let service = context.user_service::<U>()?;
        let mut verified: Option<Arc<U>> =
            self.described.take().and_then(|user| user.downcast::<U>().ok());
        for &scheme in service.schemes.iter().skip(self.tried) {
            if !self.counts(scheme) {
                continue;
            }
            let found = match scheme {
                SchemeKind::Session => {
                    context.session.presented_session(context.sessions()?, head.headers).await?;
                    session::find::<U>(context)
                }
                SchemeKind::Bearer if self.is_api_key(context, service.schemes, head) => {
                    Found::Absent
                }
                SchemeKind::Bearer => {
                    let (found, user) = context.bearer()?.find::<U>(head, context).await?;
                    verified = verified.or(user);
                    found
                }
                SchemeKind::ApiKey => {
                    let every = !service.schemes.contains(&SchemeKind::Bearer);
                    let scheme = context.api_keys()?;
                    match scheme.presented(head, every)? {
                        Some(key) => scheme.find::<U>(key, context).await?,
                        None => Found::Absent,
                    }
                }
                SchemeKind::Signature => context.signatures()?.find::<U>(head, context).await?,
                SchemeKind::Basic => {
                    let user = verify::<U>(context, head).await?;
                    let found =
                        user.as_ref().map_or(Found::Absent, |user| Found::proved(&**user, context));
                    verified = verified.or(user);
                    found
                }
                SchemeKind::Custom(name) => match service.custom(name)?.find(head).await? {
                    Some((claim, user)) => {
                        verified = verified.or(user);
                        Found::Claim(claim)
                    }
                    None => Found::Absent,
                },
            };
            self.claims.add(found)?;
        }
        let user = match (verified, self.claims.id::<U>()) {
            // Whoever else is claimed is the same user.
            (Some(user), _) => Some(user),
            (None, Some(id)) => match service.store.by_id(&id).await? {
                // A copy may be older than the credential.
                user if service.store.keeps_copies() && !self.claims.fit(user.as_deref()) => {
                    service.store.reload(&id).await?
                }
                user => user,
            },
            (None, None) => None,
        };
        self.claims.judge(user, context, head)
    }
}

/// The user whose name and password a request presents, if it presents any.
async fn verify<U: AuthUser>(
    context: &Context,
    head: &RequestHead<'_>,
) -> Result<Option<Arc<U>>, Failure> {
    let Some(presented) = NameAndPassword::of(head)? else { return Ok(None) };
    let (name, password) = (presented.name(), presented.password());
    let check = context.password_check::<U>()?;
    let Some(cache) = &context.auth().inner.basic.cache else {
        let user = check.verify(name, password).await?;
        return Ok(Some(user.ok_or(Rejection::WrongCredentials)?));
    };
    let tag = cache.tag::<U>(name, password);
    if let Some(id) = cache.get(&tag, context.now()).and_then(|user| user.id::<U>()) {
        match check.store.by_id(&id).await? {
            Some(user) if cache.still_holds(&tag, &*user, name) => return Ok(Some(user)),
            _ => cache.remove(&tag),
        }
    }
    let user = check.verify(name, password).await?.ok_or(Rejection::WrongCredentials)?;
    cache.insert(tag, &*user, context.now());
    Ok(Some(user))
}

impl Claim {
    /// Whether it is the claim of this user as he is.
    fn holds<U: AuthUser>(&self, user: Option<&U>) -> bool {
        user.is_some_and(|user| {
            user.is_active()
                && self.stamp.is_none_or(|stamp| stamp_of(user) == stamp)
                && self.token.is_none_or(|token| user.token() == Some(&token))
        })
    }
}

impl Found {
    /// A user who has just proved who he is by name and password.
    fn proved<U: AuthUser>(user: &U, context: &Context) -> Self {
        Self::Claim(Claim {
            user: UserKey::of(user),
            stamp: Some(stamp_of(user)),
            token: None,
            login_at: context.now(),
            scheme: SchemeKind::Basic,
            ambient: true,
            scopes: Scopes::All,
        })
    }
}

/// What the schemes found.
#[derive(Debug, Default)]
struct Claims {
    first: Option<Claim>,
    others: Vec<Claim>,
    stale: bool,
}

impl Claims {
    /// Adds what the next scheme found; refuses what does not hold, and disagreement.
    fn add(&mut self, found: Found) -> Result<(), Rejection> {
        match found {
            Found::Absent => {}
            Found::Stale => self.stale = true,
            Found::Invalid(rejection) => return Err(rejection),
            Found::Claim(claim) => match &self.first {
                None => self.first = Some(claim),
                Some(known) if known.user == claim.user => self.others.push(claim),
                Some(_) => return Err(Rejection::ConflictingCredentials),
            },
        }
        Ok(())
    }

    /// The user whom the claims name.
    fn id<U: AuthUser>(&self) -> Option<U::Id> {
        self.first.as_ref()?.user.id::<U>()
    }

    /// Whether all of them hold for this user.
    fn fit<U: AuthUser>(&self, user: Option<&U>) -> bool {
        self.first.iter().chain(&self.others).all(|claim| claim.holds(user))
    }

    /// Compares the claims with the user as the store has him.
    fn judge<U: AuthUser>(
        self,
        user: Option<Arc<U>>,
        context: &Context,
        head: &RequestHead<'_>,
    ) -> Result<Outcome<U>, Failure> {
        let mut stale = self.stale;
        let mut known: Option<Claim> = None;
        for claim in self.first.into_iter().chain(self.others) {
            if claim.holds(user.as_deref()) {
                // An explicit credential is proof enough, wherever the page came from; then the
                // more recent one.
                let weight = |claim: &Claim| (!claim.ambient, claim.login_at);
                if known.as_ref().is_none_or(|known| weight(known) < weight(&claim)) {
                    known = Some(claim);
                }
                continue;
            }
            match claim.scheme {
                SchemeKind::Bearer => return Err(Rejection::InvalidToken.into()),
                SchemeKind::Basic => return Err(Rejection::WrongCredentials.into()),
                SchemeKind::ApiKey => return Err(Rejection::InvalidApiKey.into()),
                SchemeKind::Signature => return Err(Rejection::InvalidSignature.into()),
                SchemeKind::Custom(name) => {
                    let service = context.user_service::<U>()?;
                    return Err(service.custom(name)?.info.rejection().clone().into());
                }
                SchemeKind::Session => {
                    context.session.forget();
                    if !claim.ambient {
                        return Err(Rejection::InvalidSession.into());
                    }
                    stale = true;
                }
            }
        }
        let (Some(user), Some(claim)) = (user, known) else {
            return Ok(Outcome::Nobody { stale });
        };
        if claim.ambient && is_cross_site(head, context.allowed_origins()) {
            return Err(Rejection::CrossSite.into());
        }
        let Claim { scheme, login_at, scopes, .. } = claim;
        Ok(Outcome::Known(Identity { user, scheme, login_at, scopes }))
    }
}
