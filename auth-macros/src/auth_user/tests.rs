use quote::quote;
use syn::{DeriveInput, parse_quote};

use super::derive;
use crate::testing::{has, items, says};

fn expand(input: &DeriveInput) -> String {
    items(&derive(input))
}

#[track_caller]
fn refused(input: &DeriveInput, messages: &[&str]) -> String {
    let shown = expand(input);
    messages.iter().for_each(|message| says(&shown, message));
    assert_eq!(shown.matches("compile_error").count(), messages.len(), "{shown}");
    shown
}

fn full() -> DeriveInput {
    parse_quote! {
        #[auth(table = "users", role = Role, schemes(bearer, session))]
        struct User {
            #[auth(id)] id: Uuid,
            #[auth(login)] username: String,
            #[auth(login(ignore_case), column = "mail")] email: Option<String>,
            #[auth(password)] password: Option<PasswordHash>,
            #[auth(roles)] roles: Vec<Role>,
            #[auth(permissions)] permissions: Vec<String>,
            #[auth(active)] active: bool,
            #[auth(epoch)] epoch: i64,
            #[auth(token)] token: Option<TokenId>,
            #[auth(login_time)] last_login: Option<DateTime<Utc>>,
            #[auth(login_ip)] last_ip: Option<IpAddr>,
            #[auth(column = "signed_up")] signup_time: DateTime<Utc>,
            r#type: String,
        }
    }
}

#[test]
fn the_columns_are_written_down() {
    let shown = expand(&full());
    has(
        &shown,
        quote! {
            name: "User",
            path: ::core::concat!(::core::module_path!(), "::", "User"),
            table: "users",
            columns: &[
                "id", "username", "mail", "password", "roles", "permissions", "active", "epoch", "token",
                "last_login", "last_ip", "signed_up", "type"
            ],
            id: "id",
            login: &[
                LoginColumn { column: "username", ignore_case: false },
                LoginColumn { column: "mail", ignore_case: true }
            ],
            password: ::core::option::Option::Some("password"),
            login_time: ::core::option::Option::Some("last_login"),
            login_ip: ::core::option::Option::Some("last_ip"),
            epoch: ::core::option::Option::Some("epoch"),
            active: ::core::option::Option::Some("active"),
            token: ::core::option::Option::Some("token"),
            roles: RoleSource::Column,
            schemes: &["bearer", "session"],
        },
    );
    has(
        &shown,
        quote!(
            type Id = Uuid;
            type Role = Role;
        ),
    );
}

#[test]
fn the_accessors_follow_the_marks() {
    let shown = expand(&full());
    has(
        &shown,
        quote!(
            fn id(&self) -> &Uuid {
                &self.id
            }
        ),
    );
    has(&shown, quote!(self.password.as_ref()));
    has(
        &shown,
        quote!(0usize => ::core::option::Option::Some(::core::convert::AsRef::<str>::as_ref(&self.username)),),
    );
    has(&shown, quote!(1usize => self.email.as_ref().map(::core::convert::AsRef::<str>::as_ref),));
    has(&shown, quote!(<Vec<Role> as RoleSet<Self::Role>>::has_role(&self.roles, role)));
    has(
        &shown,
        quote!(
            self.permissions.iter().any(|held| held == permission)
                || <Vec<Role> as RoleSet<Self::Role>>::grants(&self.roles, permission)
        ),
    );
    has(
        &shown,
        quote!(
            fn is_active(&self) -> bool {
                self.active
            }
        ),
    );
    has(
        &shown,
        quote!(
            fn set_epoch(&mut self, epoch: i64) {
                self.epoch = epoch;
            }
        ),
    );
    has(&shown, quote!(self.last_login = ::core::convert::From::from(at); self.last_ip = ip;));
}

#[test]
fn core_and_adapter_get_their_macros() {
    let shown = expand(&full());
    has(&shown, quote!(impl_user! { User }));
    has(
        &shown,
        quote! {
            impl_sql_user! { User; id = Uuid; fields {
                id: Uuid = "id" as plain,
                username: String = "username" as plain,
                email: Option<String> = "mail" as plain,
                password: Option<PasswordHash> = "password" as plain,
                roles: Vec<Role> = "roles" as roles,
                permissions: Vec<String> = "permissions" as list,
                active: bool = "active" as plain,
                epoch: i64 = "epoch" as plain,
                token: Option<TokenId> = "token" as plain,
                last_login: Option<DateTime<Utc>> = "last_login" as plain,
                last_ip: Option<IpAddr> = "last_ip" as ip,
                signup_time: DateTime<Utc> = "signed_up" as plain,
                r#type: String = "type" as plain
            } }
        },
    );
}

#[test]
fn a_user_may_be_an_id_alone() {
    let shown = expand(&parse_quote! {
        #[auth(table = "devices", schemes(session, custom = "badge"), crate = "auth_core")]
        struct Device { #[auth(id)] id: i64 }
    });
    assert!(shown.contains("type Role = auth_core :: __private :: NoRole"), "{shown}");
    for absent in ["has_role", "has_permission", "set_login", "set_password", "is_active"] {
        assert!(!shown.contains(absent), "{shown}");
    }
}

#[test]
fn one_build_shows_every_mistake() {
    let shown = refused(
        &parse_quote! {
            #[auth(tabel = "users", schemes(sesion))]
            struct User {
                #[auth(password)] a: PasswordHash,
                #[auth(password)] b: PasswordHash,
                #[auth(passwd)] c: String,
                #[auth(roles)] roles: Vec<Role>,
            }
        },
        &[
            "unknown key `tabel`; did you mean `table`?",
            "unknown scheme `sesion`; did you mean `session`?",
            "unknown key `passwd`; did you mean `password`?",
            "no table: say where the users are",
            "a second `#[auth(password)]`; the first is `a`",
            "name the type of the roles above the struct, as in `#[auth(role = Role)]`",
            "no id: write `#[auth(id)]`",
        ],
    );
    has(&shown, quote!(impl AuthUser for User));
}

#[test]
fn each_rule_has_its_message() {
    let with = |attrs: proc_macro2::TokenStream, fields: proc_macro2::TokenStream| -> DeriveInput {
        parse_quote!(#[auth(#attrs)] struct User { #[auth(id)] id: i64, #fields })
    };
    for (attrs, fields, message) in [
        (quote!(table = "users", schemes()), quote!(), "no scheme: say how"),
        (quote!(table = "users"), quote!(), "no scheme: say how"),
        (quote!(table = "users", schemes(session, session)), quote!(), "`session` stands twice"),
        (quote!(table = "users", schemes(custom)), quote!(), "as in `custom = \"badge\"`"),
        (
            quote!(table = "users", schemes(badge)),
            quote!(),
            "one of your own is `custom = \"badge\"`",
        ),
        (quote!(table = "users", schemes(costum = "a")), quote!(), "did you mean `custom`?"),
        (
            quote!(table = "users", schemes(custom = "basic")),
            quote!(),
            "is a name of the framework's",
        ),
        (quote!(table = "users", schemes(custom = "a b")), quote!(), "not a name for a scheme"),
        (quote!(table = "us-ers", schemes(session)), quote!(), "not a plain name for a table"),
        (
            quote!(table = "users", schemes(session), role = Role),
            quote!(),
            "no field holds the roles",
        ),
        (
            quote!(table = "users", schemes(session)),
            quote!(#[auth(id)] other: i64),
            "a second `#[auth(id)]`; the first is `id`",
        ),
        (
            quote!(table = "users", schemes(session)),
            quote!(#[auth(column = "a b")] other: i64),
            "not a plain name for a column",
        ),
        (
            quote!(table = "users", schemes(session)),
            quote!(#[auth(column = "id")] other: i64),
            "the column `id` is already that of `id`",
        ),
        (
            quote!(table = "users", schemes(session)),
            quote!(#[auth(login(ignorecase))] other: String),
            "unknown option `ignorecase`; did you mean `ignore_case`?",
        ),
        (
            quote!(table = "users", role = Role, schemes(session)),
            quote!(#[auth(roles(tabel = "user_roles"))] roles: Vec<Scoped<Role>>),
            "unknown option `tabel`; did you mean `table`?",
        ),
        (
            quote!(table = "users", role = Role, schemes(session)),
            quote!(#[auth(roles())] roles: Vec<Scoped<Role>>),
            "or `roles` alone",
        ),
        (
            quote!(table = "users", role = Role, schemes(session)),
            quote!(#[auth(roles(table = "user roles"))] roles: Vec<Scoped<Role>>),
            "not a plain name for a table",
        ),
        (
            quote!(table = "users", role = Role, schemes(session)),
            quote!(#[auth(roles(table = "users"))] roles: Vec<Scoped<Role>>),
            "this is the users' own table",
        ),
        (
            quote!(table = "users", role = Role, schemes(session)),
            quote!(#[auth(roles(external), column = "x")] roles: Vec<Scoped<Role>>),
            "these roles are in no column",
        ),
        (quote!(table = "users", table = "b", schemes(session)), quote!(), "`table` stands twice"),
    ] {
        says(&expand(&with(attrs, fields)), message);
    }
}

#[test]
fn only_a_plain_struct_can_be_a_user() {
    for input in [
        parse_quote!(
            #[auth(table = "u", schemes(session))]
            enum User {
                A,
            }
        ),
        parse_quote!(
            #[auth(table = "u", schemes(session))]
            struct User(i64);
        ),
        parse_quote!(#[auth(table = "u", schemes(session))] union User { a: i64 }),
    ] {
        refused(&input, &["a type of user is a struct with named fields"]);
    }
    let generic = parse_quote! {
        #[auth(table = "u", schemes(session))]
        struct User<T> { #[auth(id)] id: T }
    };
    let shown = refused(&generic, &["a type of user cannot be generic"]);
    assert!(!shown.contains("impl AuthUser"), "{shown}");
}

#[test]
fn roles_may_be_elsewhere() {
    let user = |mark: proc_macro2::TokenStream| {
        expand(&parse_quote! {
            #[auth(table = "users", role = Role, schemes(session))]
            struct User { #[auth(id)] id: i64, #[auth(#mark)] held: Vec<Scoped<Role>> }
        })
    };
    let table = user(quote!(roles(table = "user_roles")));
    has(&table, quote!(columns: &["id"],));
    has(&table, quote!(roles: RoleSource::Table { table: "user_roles", field: "held" },));
    has(&table, quote!(held: Vec<Scoped<Role>> = "held" as role_table));
    has(
        &table,
        quote!(
            const _: () = check::elsewhere::<User>();
        ),
    );
    assert!(!table.contains("fn set_roles"), "{table}");

    let external = user(quote!(roles(external)));
    has(&external, quote!(columns: &["id"],));
    has(&external, quote!(roles: RoleSource::External,));
    has(&external, quote!(held: Vec<Scoped<Role>> = "held" as absent));
    has(&external, quote!(self.held = roles;));

    let column = user(quote!(roles));
    has(&column, quote!(columns: &["id", "held"],));
    has(&column, quote!(roles: RoleSource::Column,));
    has(
        &column,
        quote!(
            const SCOPED_ROLES: bool = <Vec<Scoped<Role>> as RoleSet<Self::Role>>::SCOPED;
        ),
    );
    assert!(!column.contains("check :: elsewhere"), "{column}");
}

#[test]
fn a_user_of_claims_has_no_rows() {
    let shown = expand(&parse_quote! {
        #[auth(claims, schemes(bearer))]
        struct Caller {
            #[auth(id)] id: Subject,
            #[auth(permissions)] scopes: GrantedScopes,
            email: Option<String>,
        }
    });
    has(
        &shown,
        quote!(
            const FROM_CLAIMS: bool = true;
        ),
    );
    has(&shown, quote!(impl ClaimsUser for Caller {}));
    has(&shown, quote!(table: "Caller", columns: &[]));
    assert!(!shown.contains("impl_sql_user"), "{shown}");
}

#[test]
fn what_nobody_could_store_is_refused() {
    refused(
        &parse_quote! {
            #[auth(claims, table = "users", schemes(bearer, session))]
            struct Caller {
                #[auth(id)] id: Subject,
                #[auth(login)] name: String,
                #[auth(token)] token: Option<TokenId>,
            }
        },
        &[
            "a user who is made of claims has no table; leave one of them out",
            "no `#[auth(login)]` in a user who is made of claims: nothing is stored",
            "no `#[auth(token)]` in a user who is made of claims: nothing is stored",
            "a user who is made of claims comes by token and in no other way: `schemes(bearer)`",
        ],
    );
    refused(
        &parse_quote! {
            #[auth(table = "users", schemes(session))]
            struct User {
                #[auth(id)] id: i64,
                #[auth(token)] token: TokenId,
            }
        },
        &[
            "no token names this user: declare `schemes(bearer)`, or leave the mark out",
            "write `Option<TokenId>`: there are users without a token",
        ],
    );
}
