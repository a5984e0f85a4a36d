//! The macros of `auth-poem`: tokens in, tokens out.
//!
//! Use them through `auth_poem`, whose examples compile; here each macro has its grammar, what it
//! expands to and what it refuses. Every mistake in one item is shown in one build.
//!
//! Generated code finds the runtime under the name that `auth-poem` (else `auth-core`) has in the
//! application's `Cargo.toml`. Where that is not enough, say `crate = "path"` in the macro's own
//! arguments: `#[auth(crate = "…")]`, `#[role(crate = "…")]`, `#[session(crate = "…")]`,
//! `#[auth_api(crate = "…")]`, `#[handler(crate = "…")]`.

mod auth_api;
mod auth_role;
mod auth_user;
mod diag;
mod handler;
mod operation;
mod param;
mod parse;
mod paths;
mod requirement;
mod route;
mod schemes;
mod session_schema;
mod stray;
#[cfg(test)]
mod testing;
mod types;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct a type of user.
///
/// The struct is a row of one table, each field a column of it. No constructor, `Default` or
/// `Deserialize` is derived: a user comes only from a store, by way of a verified credential.
///
/// # Grammar
///
/// ```text
/// struct  = "#[auth(" item { "," item } ")]"
/// item    = "table" "=" string          the table; this or `claims` is required
///         | "claims"                    no table: serde fills the struct from the claims of a
///                                       token of another issuer; with `schemes(bearer)`, an id of
///                                       the type Subject, and roles and permissions at most
///         | "schemes" "(" scheme { "," scheme } ")"   how a user proves who he is, in the order
///                                       they are tried; required
///         | "role" "=" type             an enum with #[derive(AuthRole)]
///         | "crate" "=" string
///
/// scheme  = "session" | "bearer" | "basic" | "api_key" | "signature"
///         | "custom" "=" string         one of the application's own, which
///                                       `AuthConfig::scheme` configures under that name
///
/// field   = "#[auth(" mark { "," mark } ")]"
/// mark    = "id"                        required, once
///         | "login" [ "(ignore_case)" ] String or Option<String>; any number
///         | "password"                  PasswordHash or Option<PasswordHash>
///         | "roles"                     Role, Option<Role>, Vec<Role> or Vec<Scoped<Role>>; goes
///                                       with `role = …`
///         | "roles(table = string)"     Vec<Scoped<Role>>, from a table of their own
///         | "roles(external)"           Vec<Scoped<Role>>, from a RoleStore of the application's
///         | "permissions"               Vec<String>
///         | "active"                    bool
///         | "epoch"                     i64
///         | "token"                     Option<TokenId>; the user's newest token is his only one
///         | "login_time"                DateTime<Utc> or Option<DateTime<Utc>>
///         | "login_ip"                  IpAddr or Option<IpAddr>
///         | "column" "=" string         the column, if it is not called as the field
/// ```
///
/// A table or column is a plain name: letters, digits and `_`, at most 63 of them.
///
/// # Expands to
///
/// ```text
/// impl AuthUser for User {
///     type Id = Uuid;
///     type Role = Role;                       // NoRole without `role = …`
///     const META: &'static UserMeta = &UserMeta { name: "User", table: "users", id: "id", … };
///     fn id(&self) -> &Uuid { &self.id }
///     fn login_name(&self, index: usize) -> Option<&str> { … }
///     …                                       // one accessor for each mark
/// }
/// impl_user! { User }                         // what the web framework's adapter adds
/// impl_sql_user! { User; id = Uuid; fields { id: Uuid = "id" as plain, … } }
/// ```
///
/// # Errors
///
/// - no `#[auth(id)]`, table or scheme
/// - a mark or key that stands twice; two fields with one column
/// - a key or scheme that does not exist, with the one that was probably meant
/// - `#[auth(roles)]` without `role = …`, and the reverse
/// - roles from a table or a store in a field that is no `Vec<Scoped<Role>>`
/// - a table or column that is no plain name
/// - `#[auth(token)]` without `schemes(bearer)`, or on a field that is no Option
/// - beside `claims` a table, another scheme, or a mark that something would have to be stored for
/// - an enum, a union, a tuple struct, a generic struct
///
/// # Examples
///
/// ```text
/// #[derive(AuthUser, Clone, Debug)]
/// #[auth(table = "users", role = Role, schemes(bearer, session))]
/// struct User {
///     #[auth(id)]                              id: Uuid,
///     #[auth(login(ignore_case))]              email: String,
///     #[auth(password, column = "pwd_hash")]   password: PasswordHash,
///     #[auth(roles)]                           roles: Vec<Role>,
///     signup_time: DateTime<Utc>,
/// }
/// ```
#[proc_macro_derive(AuthUser, attributes(auth))]
pub fn derive_auth_user(input: TokenStream) -> TokenStream {
    auth_user::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes an enum the roles of a type of user.
///
/// # Grammar
///
/// ```text
/// variant = "#[role(" item { "," item } ")]"
/// item    = "name" "=" string                            default: the variant in snake_case
///         | "permissions" "(" string { "," string } ")"  what the role grants
/// ```
///
/// # Expands to
///
/// ```text
/// impl AuthRole for Role {
///     const NAMES: &'static [&'static str] = &["admin", "editor"];
///     fn name(&self) -> &'static str { … }
///     fn from_name(name: &str) -> Option<Self> { … }
///     fn permissions(&self) -> &'static [&'static str] { … }   // where a role grants any
/// }
/// impl Display for Role { … }                                  // the name
/// impl FromStr for Role { type Err = UnknownRole; … }
/// ```
///
/// # Errors
///
/// - anything but an enum; an enum without variants or with generics; a variant with fields
/// - two roles of one name
/// - a name with anything but small letters, digits, `_`, `:`, `.` and `-`
/// - an empty permission, or one that stands twice
/// - a key that does not exist
///
/// # Examples
///
/// ```text
/// #[derive(AuthRole, Clone, Copy, PartialEq, Debug)]
/// enum Role {
///     #[role(permissions("users:read", "users:delete"))]
///     Admin,
///     #[role(name = "ed")]
///     Editor,
/// }
/// ```
#[proc_macro_derive(AuthRole, attributes(role))]
pub fn derive_auth_role(input: TokenStream) -> TokenStream {
    auth_role::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct a typed view of one part of a session's data.
///
/// # Grammar
///
/// ```text
/// struct = "#[session(" item { "," item } ")]"
/// item   = "name" "=" string      the part's name; default: the struct's
///        | "discard_on_error"     changes are dropped when the operation fails
/// ```
///
/// # Expands to
///
/// ```text
/// impl SessionSchema for EmailSession {
///     const NAME: &'static str = "EmailSession";
///     const KEEP_ON_ERROR: bool = true;
/// }
/// ```
///
/// # Errors
///
/// - an enum, a union, a tuple struct: it would not serialise as an object
/// - a generic struct: one name would stand for several types
/// - a name that is no plain name; a key that does not exist
///
/// # Examples
///
/// ```text
/// #[derive(SessionSchema, Serialize, Deserialize, Default)]
/// #[session(name = "email")]
/// struct EmailSession { email: Option<String>, code: Option<String>, verified: bool }
/// ```
#[proc_macro_derive(SessionSchema, attributes(session))]
pub fn derive_session_schema(input: TokenStream) -> TokenStream {
    session_schema::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes the methods of an impl block operations of an API, each behind its guard.
///
/// Stands in place of poem-openapi's `#[OpenApi]`, or above it, and takes the same arguments. The
/// impl stays as it is written, so that a method can still be called in a unit test; a hidden type
/// beside it carries the operations, with a gate as the first parameter that knows the user and
/// checks the guard before anything else of the request is read.
///
/// An operation that takes no user and is not `#[public]` does not compile. A parameter of type
/// `User` asks for a user, one of type `Option<User>` for a user if there is one; which type is a
/// user is found by type, so an alias works.
///
/// # Grammar
///
/// ```text
/// "#[auth_api(" [ argument { "," argument } ] ")]"
/// argument = an argument of #[OpenApi]
///          | "require(" item { "," item } ")"     what the users of every operation need, in
///                                                 addition to what an operation says itself
///          | "crate" "=" string
///
/// "#[public]"                             nobody need be known
/// "#[require(" guard { "," guard } ")]"   what the user needs; see `require`
/// "#[schemes(" scheme { "," scheme } ")]"  the only ones that count; see `schemes`
/// "#[rejects(" code "=" status { "," code "=" status } ")]"   refusals of the operation's own
/// ```
///
/// # Expands to
///
/// ```text
/// impl UserApi { … }                                   // as it was written
/// const _: () = {
///     struct __op_me;
///     impl Operation for __op_me {
///         const POLICY: &'static Policy =
///             &Policy { name: "me", public: false, parameters: &[<Probe<User>>::PARAMETER], … };
///     }
///     const _: () = check::protected(<__op_me as Operation>::POLICY);
///     impl Returns for __op_me { type Output = Json<View>; … }
///     struct __AuthShim0(Arc<UserApi>);
///     #[OpenApi(prefix_path = "/user")]
///     impl __AuthShim0 {
///         #[oai(path = "/", method = "get")]
///         async fn me(&self, __auth_gate: Gate<__op_me>, user: Arg<User>) -> Guarded<__op_me> {
///             __auth_gate.finish(<UserApi>::me(&self.0, user.0)).await
///         }
///     }
///     impl OpenApi for UserApi { … }                   // asks __AuthShim0
/// };
/// ```
///
/// # Errors
///
/// - a generic impl, a trait impl, an impl without operations
/// - an operation that is not `async`, takes no `&self`, is generic, or returns a borrow
/// - `#[public]` beside `#[require]`, or one of them twice
/// - `#[require]`, `#[public]` or `#[rejects]` on a method without `#[oai(...)]`
/// - `#[public]` in an impl with `require(…)`
/// - a guard that does not exist, with the one that was probably meant
/// - a guard that reads a path parameter which the path does not have, with the one that was
///   probably meant
/// - path parameters in another order than in the path: poem-openapi fills them by their order, so
///   that one would hold another one's value
/// - from the compiler, at the method's name: an operation that nobody protects
/// - from the compiler, at the role: a role that the type of user does not have, or a role in a
///   scope where its roles have none
/// - from the compiler, at the scheme: one that the type of user does not declare
/// - from the compiler, at the check: a function that takes another user, or answers with anything
///   but `bool`
///
/// # Examples
///
/// ```text
/// #[auth_api(prefix_path = "/user", tag = "Tag::User")]
/// impl UserApi {
///     /// The current user.
///     #[oai(path = "/", method = "get")]
///     async fn me(&self, user: User) -> Json<UserView> { … }
///
///     #[require(any(role = "admin", permission = "users:delete"))]
///     #[oai(path = "/:id", method = "delete")]
///     async fn delete(&self, id: Path<Uuid>, user: User) { … }
/// }
///
/// #[auth_api(prefix_path = "/backoffice", require(role = "admin"))]
/// impl Backoffice { … }
/// ```
#[proc_macro_attribute]
pub fn auth_api(args: TokenStream, input: TokenStream) -> TokenStream {
    auth_api::attribute(args.into(), input.into()).into()
}

/// Makes a function an endpoint of poem, behind its guard.
///
/// Stands in place of `#[poem::handler]`. Parameters and attributes are those of [`macro@auth_api`];
/// `#[require]`, `#[public]` and `#[rejects]` stand below it.
///
/// # Grammar
///
/// ```text
/// "#[handler]"
/// ```
///
/// # Expands to
///
/// ```text
/// struct stats;
/// const _: () = {
///     …                                                 // policy and checks, as in `auth_api`
///     impl Endpoint for stats {
///         async fn call(&self, request: Request) -> Result<Response> {
///             async fn stats(user: User) -> String { … }      // as it was written
///             let gate = Gate::<__op_stats>::open(&request, &mut body).await?;
///             let p0 = HandlerArg::<User>::from_request(&request, &mut body).await?;
///             gate.settle(into_result(stats(p0.0).await))
///         }
///     }
/// };
/// ```
///
/// # Errors
///
/// - a method, a generic function
/// - a second handler attribute
/// - `#[require]` above instead of below
/// - what [`macro@auth_api`] refuses in an operation
///
/// # Examples
///
/// ```text
/// #[auth_poem::handler]
/// #[require(role = "admin")]
/// async fn stats(user: User) -> String { … }
/// ```
#[proc_macro_attribute]
pub fn handler(args: TokenStream, input: TokenStream) -> TokenStream {
    handler::attribute(args.into(), input.into()).into()
}

/// Says what the user of an operation needs, in addition to being known.
///
/// # Grammar
///
/// ```text
/// "#[require(" item { "," item } ")]"              all of them must hold
/// item  = guard
///       | "user" "=" type                          whose requirement it is, where an operation
///                                                  takes two types of user
///       | "conceal"                                who is refused finds nothing: 404 in place of
///                                                  403
/// guard = "role" "=" string                        "admin", or in the scope that a path parameter
///                                                  names: "{site_id}:manager"
///       | "permission" "=" string
///       | "owner" "=" string                       the path parameter that is the user's own id:
///                                                  "{user_id}"
///       | "fresh" [ "(" unit "=" integer ")" ]     a recent login; default: 10 minutes
///       | "check" "=" path                         a function, or a method of the impl: Self::…
///       | "any" "(" guard { "," guard } ")"        at least one of them
///       | "all" "(" guard { "," guard } ")"
/// unit  = "seconds" | "minutes" | "hours"
/// ```
///
/// A path parameter is read from the path and nowhere else: a query parameter, a header or a body
/// of the same name does not count. In an operation the name is the one in `path` or
/// `prefix_path`, and it must stand there. In a `#[handler]` it is the one in the route; a route
/// without it is a fault, 503, and never lets anybody in.
///
/// A role without a scope is held everywhere and in no scope: `role = "manager"` is not met by the
/// manager of a site, nor `role = "{site_id}:manager"` by a manager without one. Who may both
/// stands in `any(…)`.
///
/// ## Checks
///
/// ```text
/// async fn may_edit(user: &User, request: &poem::Request) -> auth_poem::Result<bool>
/// async fn may_edit(&self, user: &User, request: &poem::Request) -> auth_poem::Result<bool>
/// ```
///
/// `bool` does for one that cannot fail. `Ok(false)` refuses with 403 `forbidden`; a `Rejection` as
/// error is the refusal itself (`#[rejects]` documents it), a fault is 503. Path parameters are
/// `request.path_param("slug")?`, by the name in the operation's path.
///
/// Checks come last, and only if the answer depends on them: in `any(role = "admin", check = …)` no
/// administrator waits for one. They come before path, query and body are parsed.
///
/// ## Concealing
///
/// With `conceal`, who does not meet the requirement gets 404 `not_found`, so that he does not learn
/// what there is. A check that refuses with 403 by itself is concealed too. Whom only a recent login
/// is missing is told so, 403 `reauthentication_required`.
///
/// # Expands to
///
/// Nothing by itself: [`macro@auth_api`] and [`macro@handler`] read it. This is `role = "admin",
/// fresh`:
///
/// ```text
/// Requirement::All(&[Requirement::Role("admin"), Requirement::Fresh(FRESH)])
/// ```
///
/// and this `check = may_edit`, where `ask` finds user and request under their hidden types:
///
/// ```text
/// Requirement::Check(Check {
///     name: "may_edit",
///     run: |user, request| Box::pin(async move {
///         ask::said(may_edit(ask::user(user)?, ask::request(request)?).await)
///     }),
/// })
/// ```
///
/// # Errors
///
/// - standing alone, or above `#[handler]`: then nothing reads it
/// - a guard that does not exist, says nothing, or has no name
/// - a path parameter without braces, or one that the operation's path does not have
/// - `conceal` without a guard, or inside of `any` or `all`
/// - `check = Self::…` in a `#[handler]`, which has no impl
///
/// # Examples
///
/// ```text
/// #[require(any(role = "admin", permission = "users:delete"), fresh(minutes = 5))]
///
/// #[require(any(role = "admin", role = "{site_id}:manager"))]
/// #[oai(path = "/sites/:site_id/members", method = "get")]
///
/// #[require(any(role = "admin", owner = "{user_id}"))]
/// #[oai(path = "/users/:user_id/notes", method = "get")]
///
/// #[require(check = Self::is_author, conceal)]
/// #[oai(path = "/articles/:slug/draft", method = "get")]
/// ```
#[proc_macro_attribute]
pub fn require(_: TokenStream, input: TokenStream) -> TokenStream {
    stray::attribute("require", input.into()).into()
}

/// Opens an operation to everybody: without a user parameter it would not compile otherwise.
///
/// # Grammar
///
/// ```text
/// "#[public]"
/// ```
///
/// # Expands to
///
/// Nothing by itself: [`macro@auth_api`] and [`macro@handler`] read it.
///
/// # Errors
///
/// - standing alone, or above `#[handler]`: then nothing reads it
/// - arguments; a second `#[public]`; `#[require]` beside it
///
/// # Examples
///
/// ```text
/// #[public]
/// #[oai(path = "/login", method = "post")]
/// async fn login(&self, auth: Auth<User>, data: Json<Login>) -> Result<Json<UserView>> { … }
/// ```
#[proc_macro_attribute]
pub fn public(_: TokenStream, input: TokenStream) -> TokenStream {
    stray::attribute("public", input.into()).into()
}

/// Says which of its user's schemes count in an operation.
///
/// A credential of another scheme is not looked at, as if that scheme were disabled: who presents
/// nothing else is refused with 401 `unsupported_scheme`, and is nobody where users are optional.
/// The document and the challenges name the schemes that count.
///
/// # Grammar
///
/// ```text
/// "#[schemes(" scheme { "," scheme } ")]"    as in `#[auth(schemes(...))]`
/// ```
///
/// # Expands to
///
/// Nothing by itself: [`macro@auth_api`] and [`macro@handler`] read it.
///
/// # Errors
///
/// - standing alone, or above `#[handler]`: then nothing reads it
/// - no scheme, one that does not exist, or one that stands twice
/// - `#[public]` beside it
/// - from the compiler, at the scheme: one that no user of the operation declares
/// - from the compiler: a user of the operation who is left no scheme at all
///
/// # Examples
///
/// ```text
/// #[schemes(session)]
/// #[oai(path = "/keys", method = "post")]
/// async fn create_key(&self, user: User, auth: Auth<User>) -> Result<Json<Key>> { … }
/// ```
#[proc_macro_attribute]
pub fn schemes(_: TokenStream, input: TokenStream) -> TokenStream {
    stray::attribute("schemes", input.into()).into()
}

/// Documents refusals that an operation makes by itself.
///
/// # Grammar
///
/// ```text
/// "#[rejects(" code "=" status { "," code "=" status } ")]"   status: 400 to 499
/// ```
///
/// # Expands to
///
/// Nothing by itself: [`macro@auth_api`] and [`macro@handler`] read it.
///
/// # Errors
///
/// - standing alone, or above `#[handler]`: then nothing reads it
/// - a status that is no refusal; a code that stands twice
///
/// # Examples
///
/// ```text
/// #[rejects(username_taken = 409, weak_password = 422)]
/// ```
#[proc_macro_attribute]
pub fn rejects(_: TokenStream, input: TokenStream) -> TokenStream {
    stray::attribute("rejects", input.into()).into()
}
