//! Who may use an operation: the only place where that is decided.

use std::{any::TypeId, marker::PhantomData};

use futures_util::future::BoxFuture;

use crate::{
    context::Context,
    error::Failure,
    http::RequestHead,
    rejection::Rejection,
    requirement::Requirement,
    scheme::{Identification, Outcome},
    user::{AuthRole, AuthUser, UserMeta},
};

mod decide;

use decide::{Asked, Decision};

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
    /// Whether who does not fulfil it is told that there is nothing: 404 in place of 403.
    pub conceal: bool,
    /// The path parameters, each by the operation's name for it and by the route's.
    pub path: &'static [PathName],
    /// Which of two users must fulfil it: `#[require(user = Admin, …)]`.
    pub subject: Option<&'static Parameter>,
    /// The only schemes that count here, of those that the types of users declare; none for all of
    /// them: `#[schemes(bearer)]`.
    pub schemes: &'static [&'static str],
    /// Refusals of the operation's own, for its document: `#[rejects(name_taken = 409)]`.
    pub rejects: &'static [(u16, &'static str)],
}

/// A path parameter: what the operation's path calls it, and what the route does.
pub type PathName = (&'static str, &'static str);

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
    /// Whether they may have a scope.
    pub scoped_roles: bool,
    /// The type's identity.
    pub id: fn() -> TypeId,
}

impl UserType {
    /// The data of a type.
    #[must_use]
    pub const fn of<U: AuthUser>() -> Self {
        Self {
            meta: U::META,
            roles: <U::Role as AuthRole>::NAMES,
            scoped_roles: U::SCOPED_ROLES,
            id: TypeId::of::<U>,
        }
    }
}

/// What is asked of one user.
#[derive(Debug, Clone, Copy)]
struct Admission {
    optional: bool,
    /// The policy whose requirement the user must fulfil, if it is his to fulfil.
    policy: Option<&'static Policy>,
    /// The only schemes that count, none for all.
    only: &'static [&'static str],
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

    /// The types of users that the operation has to do with, by whatever parameter.
    pub fn user_types(&self) -> impl Iterator<Item = &'static UserType> {
        self.asks().filter_map(|parameter| match parameter {
            Parameter::User(principal) => Some(&principal.user),
            Parameter::Handle(user) => Some(user),
            Parameter::Session => None,
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
    /// - a store cannot answer, or the route lacks a path parameter that the requirement reads:
    ///   [`Failure::Fault`]
    pub async fn admit(
        &'static self,
        context: &Context,
        head: &RequestHead<'_>,
    ) -> Result<(), Failure> {
        if !self.path.is_empty() {
            context.note_path(self.path);
        }
        let subject = self.subject();
        for user in context.auth().principals(self) {
            let is_subject = !user.optional
                && subject.is_some_and(|subject| subject.user.meta.path == user.user.meta.path);
            let admission = Admission {
                optional: user.optional,
                policy: is_subject.then_some(self),
                only: self.schemes,
            };
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
    let mut identification = Identification::by(admission.only);
    let outcome = match context.authenticate_now::<U>(&mut identification, head) {
        Ok(Some(outcome)) => outcome,
        Ok(None) => {
            return Admitted::Later(Box::pin(async move {
                let outcome = context.finish_authentication::<U>(identification, head).await?;
                admission.decide(outcome, context, head).wait().await
            }));
        }
        Err(failure) => return Admitted::Now(Err(failure)),
    };
    admission.decide(outcome, context, head)
}

impl Admitted<'_> {
    async fn wait(self) -> Result<(), Failure> {
        match self {
            Self::Now(result) => result,
            Self::Later(result) => result.await,
        }
    }
}

impl Admission {
    fn decide<'a, U: AuthUser>(
        self,
        outcome: Outcome<U>,
        context: &'a Context,
        head: &'a RequestHead<'a>,
    ) -> Admitted<'a> {
        let identity = match outcome {
            Outcome::Nobody { .. } if self.optional => return Admitted::Now(Ok(())),
            Outcome::Nobody { stale: true } => {
                return Admitted::Now(Err(Rejection::InvalidSession.into()));
            }
            Outcome::Nobody { stale: false } => {
                return Admitted::Now(Err(missing::<U>(context, head, self.only).into()));
            }
            Outcome::Known(identity) => identity,
        };
        let Some(policy) = self.policy else { return Admitted::Now(Ok(())) };
        let asked = Asked { policy, context, head };
        match asked.decide(&identity, &[]) {
            Ok(Decision::Ask(first)) => {
                Admitted::Later(Box::pin(async move { asked.ask(&identity, first).await }))
            }
            Ok(decision) => Admitted::Now(asked.answer(decision, &identity, &[])),
            Err(fault) => Admitted::Now(Err(fault.into())),
        }
    }
}

/// Why nobody is there: nothing was presented, or nothing that anybody here understands.
fn missing<U: AuthUser>(context: &Context, head: &RequestHead<'_>, only: &[&str]) -> Rejection {
    let in_vain = context.auth().presents_in_vain(TypeId::of::<U>(), only, head);
    if in_vain { Rejection::UnsupportedScheme } else { Rejection::MissingCredentials }
}
