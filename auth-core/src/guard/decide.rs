//! Whether a known user meets a requirement.

use chrono::TimeDelta;

use super::Policy;
use crate::{
    context::Context,
    error::{Error, Failure},
    http::{PathParam, RequestHead},
    rejection::Rejection,
    requirement::{Check, Requirement},
    scheme::Identity,
    scopes::Scopes,
    user::AuthUser,
};

/// Whether a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Met,
    NotMet,
    /// A new login would do.
    NotFresh,
    /// It depends on this check, which has not been asked yet.
    Ask(Check),
}

/// A check that was asked, and what it said.
type Answer = (Check, bool);

/// What a policy asks, and of which request.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) policy: &'static Policy,
    pub(super) context: &'a Context,
    pub(super) head: &'a RequestHead<'a>,
}

impl<'a> Asked<'a> {
    /// The decision, as far as it is known with these answers.
    ///
    /// # Errors
    ///
    /// - the route lacks a path parameter that the requirement reads: [`Error::Misconfigured`]
    pub(super) fn decide<U: AuthUser>(
        &self,
        identity: &Identity<U>,
        answers: &[Answer],
    ) -> Result<Decision, Error> {
        self.of(&self.policy.requirement, identity, answers)
    }

    /// Asks one check after the other, as long as the decision depends on them.
    pub(super) async fn ask<U: AuthUser>(
        self,
        identity: &Identity<U>,
        first: Check,
    ) -> Result<(), Failure> {
        let mut answers = Vec::new();
        let mut check = first;
        loop {
            let says = (check.run)(&*identity.user, self.head.adapter).await;
            answers.push((check, says.map_err(|failure| self.concealed(failure))?));
            match self.decide(identity, &answers)? {
                Decision::Ask(next) => check = next,
                decision => return self.answer(decision, identity, &answers),
            }
        }
    }

    /// What the decision means to the request.
    pub(super) fn answer<U: AuthUser>(
        &self,
        decision: Decision,
        identity: &Identity<U>,
        answers: &[Answer],
    ) -> Result<(), Failure> {
        let requirement = self.policy.requirement;
        match decision {
            Decision::Met => Ok(()),
            // A check that is still to be asked has not said yes.
            Decision::NotMet | Decision::Ask(_) => Err(if self.policy.conceal {
                Rejection::NotFound.into()
            } else if self.would_reach(identity, answers)? {
                Rejection::InsufficientScope(requirement).into()
            } else {
                Rejection::RequirementNotMet(requirement).into()
            }),
            // Whoever reads this may have what he asks for: there is nothing to conceal.
            Decision::NotFresh => Err(Rejection::ReauthenticationRequired.into()),
        }
    }

    /// Whether the user would not be refused with a credential that is not restricted.
    fn would_reach<U: AuthUser>(
        &self,
        identity: &Identity<U>,
        answers: &[Answer],
    ) -> Result<bool, Error> {
        if U::FROM_CLAIMS {
            // All that such a user may do stands in his token: with more scopes it would do.
            return Ok(self.policy.requirement.scopes().any(|scope| !scope.starts_with("role:")));
        }
        if identity.scopes == Scopes::All {
            return Ok(false);
        }
        let unrestricted = Identity { scopes: Scopes::All, ..identity.clone() };
        Ok(self.decide(&unrestricted, answers)? != Decision::NotMet)
    }

    /// What a check refuses with, concealed if the operation is.
    fn concealed(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Rejected(rejection)
                if self.policy.conceal && rejection.status() == http::StatusCode::FORBIDDEN =>
            {
                Rejection::NotFound.into()
            }
            other => other,
        }
    }

    fn of<U: AuthUser>(
        &self,
        requirement: &Requirement,
        identity: &Identity<U>,
        answers: &[Answer],
    ) -> Result<Decision, Error> {
        let met = |met: bool| if met { Decision::Met } else { Decision::NotMet };
        let (user, scopes) = (&*identity.user, &identity.scopes);
        Ok(match *requirement {
            Requirement::LoggedIn => Decision::Met,
            Requirement::Role(role) => met(user.has_role(role) && scopes.allow_role(role)),
            Requirement::ScopedRole { scope, role } => {
                let has =
                    self.path_param(scope)?.is_some_and(|scope| user.has_role_in(scope, role));
                met(has && scopes.allow_role(role))
            }
            Requirement::Permission(permission) => {
                met(user.has_permission(permission) && scopes.allow_permission(permission))
            }
            // What is no id at all is nobody's.
            Requirement::Owner(param) => met(self
                .path_param(param)?
                .and_then(|id| id.parse::<U::Id>().ok())
                .is_some_and(|id| id == *user.id())),
            Requirement::Fresh(age) => {
                let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
                if self.context.now() - identity.login_at <= age {
                    Decision::Met
                } else {
                    Decision::NotFresh
                }
            }
            Requirement::Check(check) => match answers.iter().find(|(asked, _)| *asked == check) {
                Some((_, says)) => met(*says),
                None => Decision::Ask(check),
            },
            Requirement::Any(items) => {
                let mut best = Decision::NotMet;
                for item in items {
                    best = match (best, self.of(item, identity, answers)?) {
                        (_, Decision::Met) => return Ok(Decision::Met),
                        // The first check, but not before all else has been looked at.
                        (Decision::Ask(check), _) | (_, Decision::Ask(check)) => {
                            Decision::Ask(check)
                        }
                        (Decision::NotFresh, _) | (_, Decision::NotFresh) => Decision::NotFresh,
                        (best, Decision::NotMet) => best,
                    };
                }
                best
            }
            Requirement::All(items) => {
                let mut worst = Decision::Met;
                for item in items {
                    worst = match (worst, self.of(item, identity, answers)?) {
                        (_, Decision::NotMet) => return Ok(Decision::NotMet),
                        (Decision::Ask(check), _) | (_, Decision::Ask(check)) => {
                            Decision::Ask(check)
                        }
                        (Decision::NotFresh, _) | (_, Decision::NotFresh) => Decision::NotFresh,
                        (worst, Decision::Met) => worst,
                    };
                }
                worst
            }
        })
    }

    /// The value of a path parameter, `None` if the client wrote one that is no text.
    fn path_param(&self, name: &str) -> Result<Option<&'a str>, Error> {
        let Policy { name: operation, path, .. } = self.policy;
        let route = path.iter().find(|(written, _)| *written == name);
        let problem = match self.head.adapter.path_param(route.map_or(name, |(_, route)| *route)) {
            PathParam::Value(value) => return Ok(Some(value)),
            PathParam::Unreadable => return Ok(None),
            PathParam::Missing => "which its route does not have",
            PathParam::Repeated => "which its route has more than once",
        };
        Err(Error::Misconfigured(format!(
            "the guard of `{operation}` reads the path parameter `{name}`, {problem}"
        )))
    }
}
