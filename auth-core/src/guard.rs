//! Who may use an operation: the only place where that is decided.

use std::{any::TypeId, marker::PhantomData};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;

use crate::{
    context::Context,
    error::Failure,
    http::{RequestHead, authorization::Authorization},
    rejection::Rejection,
    requirement::Requirement,
    scheme::{Identification, Identity, Outcome},
    user::{AuthRole, AuthUser, UserMeta},
};

/// What an operation asks of its callers; `#[auth_api]` and `#[handler]` write one per operation.
#[derive(Debug)]
pub struct Policy {
    /// The operation's name: the function's.
    pub name: &'static str,
    /// Whether `#[public]` says that anybody may call.
    pub public: bool,
    /// For each parameter, what it asks of authentication, if it asks anything.
    pub parameters: &'static [Option<&'static Parameter>],
    /// What the user must fulfil.
    pub requirement: Requirement,
    /// Which of two users must fulfil it: `#[require(user = Admin, …)]`.
    pub subject: Option<&'static Parameter>,
    /// Refusals of the operation's own, for its document: `#[rejects(name_taken = 409)]`.
    pub rejects: &'static [(u16, &'static str)],
}

/// What a parameter asks of authentication.
#[derive(Debug)]
pub enum Parameter {
    /// A user: `User` or `Option<User>`.
    User(Principal),
    /// The handle with which a user of this type logs in and out.
    Handle(UserType),
    /// Session data.
    Session,
}

/// A user whom a parameter asks for.
#[derive(Debug, Clone, Copy)]
pub struct Principal {
    /// The type of user.
    pub user: UserType,
    /// Whether the operation also goes without.
    pub optional: bool,
    /// Authenticates and checks.
    admit: Admit,
}

type Admit = for<'a> fn(&'a Context, &'a RequestHead<'a>, Admission) -> Admitted<'a>;

/// Whether a user is let in: known now, or when the stores have answered.
enum Admitted<'a> {
    Now(Result<(), Failure>),
    Later(BoxFuture<'a, Result<(), Failure>>),
}

/// A type of user, as data.
#[derive(Debug, Clone, Copy)]
pub struct UserType {
    /// Table, columns, schemes.
    pub meta: &'static UserMeta,
    /// The roles that the type knows.
    pub roles: &'static [&'static str],
    /// The type's identity.
    pub id: fn() -> TypeId,
}

impl UserType {
    /// The data of a type.
    #[must_use]
    pub const fn of<U: AuthUser>() -> Self {
        Self { meta: U::META, roles: <U::Role as AuthRole>::NAMES, id: TypeId::of::<U> }
    }
}

#[derive(Debug, Clone, Copy)]
struct Admission {
    optional: bool,
    requirement: Requirement,
}

/// A type that, as a parameter, asks something of authentication.
///
/// The pair of implementations for `U` and `Option<U>` is what macros look for; adapters add their
/// handles.
pub trait AuthParameter {
    /// What it asks.
    const PARAMETER: Parameter;
}

const fn principal<U: AuthUser>(optional: bool) -> Parameter {
    Parameter::User(Principal::of::<U>(optional))
}

impl Principal {
    pub(crate) const fn of<U: AuthUser>(optional: bool) -> Self {
        Self { user: UserType::of::<U>(), optional, admit: admit::<U> }
    }
}

impl<U: AuthUser> AuthParameter for U {
    const PARAMETER: Parameter = principal::<U>(false);
}

impl<U: AuthUser> AuthParameter for Option<U> {
    const PARAMETER: Parameter = principal::<U>(true);
}

/// Tells at compile time what a parameter type asks: `<Probe<T>>::PARAMETER`, with
/// [`OtherParameter`] in scope.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T: AuthParameter + 'static> Probe<T> {
    /// What the type asks.
    pub const PARAMETER: Option<&'static Parameter> = Some(&T::PARAMETER);
}

/// The answer of [`Probe`] for all other types.
pub trait OtherParameter {
    /// Nothing.
    const PARAMETER: Option<&'static Parameter> = None;
}

impl<T> OtherParameter for Probe<T> {}

impl Policy {
    /// What the parameters ask.
    pub fn asks(&self) -> impl Iterator<Item = &'static Parameter> {
        self.parameters.iter().flatten().copied()
    }

    /// The users that the operation takes.
    pub fn users(&self) -> impl Iterator<Item = &'static Principal> {
        self.asks().filter_map(|parameter| match parameter {
            Parameter::User(principal) => Some(principal),
            Parameter::Handle(_) | Parameter::Session => None,
        })
    }

    /// The user who must fulfil the requirement: the one it names, else the only required one.
    #[must_use]
    pub fn subject(&self) -> Option<&'static Principal> {
        match self.subject {
            Some(Parameter::User(named)) => Some(named),
            _ => self.users().find(|user| !user.optional),
        }
    }

    /// Lets a request in, or says why not. Every user that the operation takes is authenticated,
    /// once, and stays known to the request.
    ///
    /// # Errors
    ///
    /// - a required user is missing, a credential does not hold, the requirement is not met:
    ///   [`Failure::Rejected`]
    /// - a store cannot answer: [`Failure::Fault`]
    pub async fn admit(&self, context: &Context, head: &RequestHead<'_>) -> Result<(), Failure> {
        let subject = self.subject();
        for user in context.auth().principals(self) {
            let is_subject = !user.optional
                && subject.is_some_and(|subject| subject.user.meta.path == user.user.meta.path);
            let requirement = if is_subject { self.requirement } else { Requirement::LoggedIn };
            let admission = Admission { optional: user.optional, requirement };
            match (user.admit)(context, head, admission) {
                Admitted::Now(result) => result?,
                Admitted::Later(result) => result.await?,
            }
        }
        Ok(())
    }
}

fn admit<'a, U: AuthUser>(
    context: &'a Context,
    head: &'a RequestHead<'a>,
    admission: Admission,
) -> Admitted<'a> {
    let mut identification = Identification::default();
    match context.authenticate_now::<U>(&mut identification, head) {
        Ok(Some(outcome)) => Admitted::Now(admission.decide(&outcome, context, head)),
        Ok(None) => Admitted::Later(Box::pin(async move {
            let outcome = context.finish_authentication::<U>(identification, head).await?;
            admission.decide(&outcome, context, head)
        })),
        Err(failure) => Admitted::Now(Err(failure)),
    }
}

impl Admission {
    fn decide<U: AuthUser>(
        self,
        outcome: &Outcome<U>,
        context: &Context,
        head: &RequestHead<'_>,
    ) -> Result<(), Failure> {
        match outcome {
            Outcome::Nobody { .. } if self.optional => Ok(()),
            Outcome::Nobody { stale: true } => Err(Rejection::InvalidSession.into()),
            Outcome::Nobody { stale: false } => Err(missing(context, head).into()),
            Outcome::Known(identity) => match decide(&self.requirement, identity, context) {
                Decision::Met => Ok(()),
                Decision::NotMet => Err(Rejection::Forbidden.into()),
                Decision::NotFresh => Err(Rejection::ReauthenticationRequired.into()),
            },
        }
    }
}

/// Why nobody is there: nothing was presented, or nothing that anybody here understands.
fn missing(context: &Context, head: &RequestHead<'_>) -> Rejection {
    match Authorization::of(head.headers) {
        Authorization::Absent => Rejection::MissingCredentials,
        Authorization::Scheme { name, .. } if context.auth().handles(name) => {
            Rejection::MissingCredentials
        }
        Authorization::Scheme { .. } | Authorization::Malformed => Rejection::UnsupportedScheme,
    }
}

/// Whether a requirement is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Met,
    NotMet,
    /// A new login would do.
    NotFresh,
}

fn decide<U: AuthUser>(
    requirement: &Requirement,
    identity: &Identity<U>,
    context: &Context,
) -> Decision {
    let met = |met: bool| if met { Decision::Met } else { Decision::NotMet };
    match requirement {
        Requirement::LoggedIn => Decision::Met,
        Requirement::Role(role) => met(identity.user.has_role(role)),
        Requirement::Permission(permission) => met(identity.user.has_permission(permission)),
        Requirement::Fresh(age) => {
            let age = TimeDelta::from_std(*age).unwrap_or(TimeDelta::MAX);
            if context.now() - identity.login_at <= age {
                Decision::Met
            } else {
                Decision::NotFresh
            }
        }
        Requirement::Any(items) => {
            let mut best = Decision::NotMet;
            for item in *items {
                match decide(item, identity, context) {
                    Decision::Met => return Decision::Met,
                    Decision::NotFresh => best = Decision::NotFresh,
                    Decision::NotMet => {}
                }
            }
            best
        }
        Requirement::All(items) => {
            let mut worst = Decision::Met;
            for item in *items {
                match decide(item, identity, context) {
                    Decision::NotMet => return Decision::NotMet,
                    Decision::NotFresh => worst = Decision::NotFresh,
                    Decision::Met => {}
                }
            }
            worst
        }
    }
}
