//! Tokens to model.

use proc_macro2::Span;
use syn::{
    Attribute, Data, DeriveInput, Fields, Generics, Ident, LitStr, Path, Token, Type,
    ext::IdentExt, parse::ParseStream, token,
};

use crate::{
    diag::Mistakes,
    parse,
    paths::{self, Runtime},
    schemes,
};

const KEYS: &[&str] = &["table", "claims", "role", "schemes", "crate"];
const FIELD_KEYS: &[&str] = &[
    "id",
    "login",
    "password",
    "roles",
    "permissions",
    "active",
    "epoch",
    "token",
    "login_time",
    "login_ip",
    "column",
];
/// The struct as it was written.
#[derive(Debug)]
pub(super) struct Model<'a> {
    pub(super) runtime: Runtime,
    pub(super) ident: &'a Ident,
    pub(super) generics: &'a Generics,
    /// `Some(None)` where it was written, but is no plain name.
    pub(super) table: Option<Option<LitStr>>,
    /// `claims`: there is no table.
    pub(super) claims: Option<Span>,
    pub(super) role: Option<Type>,
    pub(super) schemes: Vec<String>,
    /// Whether any scheme was written, be it one that does not exist.
    pub(super) schemes_said: bool,
    /// `None` where the type has no named fields.
    pub(super) fields: Option<Vec<Field<'a>>>,
}

/// A field, and what it is to us.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) ident: &'a Ident,
    pub(super) ty: &'a Type,
    pub(super) column: String,
    pub(super) marks: Vec<(Mark, Span)>,
    /// Where the roles are, in the field that holds them.
    pub(super) roles: Roles,
}

/// What stands behind `roles`.
#[derive(Debug)]
pub(super) enum Roles {
    /// Nothing: a column like any other.
    Column,
    /// `(table = "user_roles")`.
    Table(LitStr),
    /// `(external)`.
    External,
}

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Id,
    Login { ignore_case: bool },
    Password,
    Roles,
    Permissions,
    Active,
    Epoch,
    Token,
    LoginTime,
    LoginIp,
}

impl Mark {
    /// The key, as it is written.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Login { .. } => "login",
            Self::Password => "password",
            Self::Roles => "roles",
            Self::Permissions => "permissions",
            Self::Active => "active",
            Self::Epoch => "epoch",
            Self::Token => "token",
            Self::LoginTime => "login_time",
            Self::LoginIp => "login_ip",
        }
    }
}

pub(super) fn user<'a>(input: &'a DeriveInput, mistakes: &mut Mistakes) -> Model<'a> {
    let mut model = Model {
        runtime: Runtime::find(None),
        ident: &input.ident,
        generics: &input.generics,
        table: None,
        claims: None,
        role: None,
        schemes: Vec::new(),
        schemes_said: false,
        fields: None,
    };
    let mut named = None;
    for attr in parse::named(&input.attrs, "auth") {
        parse::entries(attr, mistakes, |key, input, mistakes| {
            container(&mut model, &mut named, key, input, mistakes)
        });
    }
    if named.is_some() {
        model.runtime = Runtime::find(named.as_ref());
    }
    if let Data::Struct(data) = &input.data
        && let Fields::Named(fields) = &data.fields
    {
        let fields = fields.named.iter().filter_map(|field| {
            let ident = field.ident.as_ref()?;
            Some(self::field(ident, &field.ty, &field.attrs, mistakes))
        });
        model.fields = Some(fields.collect());
    }
    model
}

fn container(
    model: &mut Model<'_>,
    named: &mut Option<Path>,
    key: &Ident,
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
) -> syn::Result<()> {
    let twice = || Err(syn::Error::new(key.span(), format!("`{key}` stands twice")));
    match key.to_string().as_str() {
        "table" => {
            if model.table.is_some() {
                return twice();
            }
            model.table = Some(None);
            model.table = Some(Some(identifier(key, input)?));
        }
        "claims" => {
            if model.claims.is_some() {
                return twice();
            }
            model.claims = Some(key.span());
        }
        "role" => {
            input.parse::<Token![=]>()?;
            let role = input.parse()?;
            if model.role.is_some() {
                return twice();
            }
            model.role = Some(role);
        }
        "schemes" => {
            if model.schemes_said {
                return twice();
            }
            scheme_list(model, key, input, mistakes)?;
        }
        "crate" => *named = Some(paths::crate_path(&parse::text(key, input)?)?),
        _ => return Err(parse::unknown("key", key, KEYS)),
    }
    Ok(())
}

fn scheme_list(
    model: &mut Model<'_>,
    key: &Ident,
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
) -> syn::Result<()> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(key.span(), "write `schemes(…)`, as in `schemes(session)`"));
    }
    parse::inside(input, |content| {
        model.schemes_said = !content.is_empty();
        schemes::read(content, mistakes, |name, _| model.schemes.push(name));
        Ok(())
    })
}

fn field<'a>(
    ident: &'a Ident,
    ty: &'a Type,
    attrs: &[Attribute],
    mistakes: &mut Mistakes,
) -> Field<'a> {
    let mut column: Option<LitStr> = None;
    let mut roles = Roles::Column;
    let mut marks: Vec<(Mark, Span)> = Vec::new();
    for attr in parse::named(attrs, "auth") {
        parse::entries(attr, mistakes, |key, input, _| {
            let twice = || Err(syn::Error::new(key.span(), format!("`{key}` stands twice")));
            if key == "column" {
                let name = identifier(key, input)?;
                if column.is_some() {
                    return twice();
                }
                column = Some(name);
                return Ok(());
            }
            let mark = mark(key, input)?;
            if mark == Mark::Roles {
                roles = self::roles(input)?;
            }
            if marks.iter().any(|(known, _)| known.key() == mark.key()) {
                return twice();
            }
            marks.push((mark, key.span()));
            Ok(())
        });
    }
    if let (Some(column), Roles::Table(_) | Roles::External) = (&column, &roles) {
        mistakes.at(column, "these roles are in no column of the user's table; leave it out");
    }
    let column = match column {
        Some(written) => written.value(),
        None => {
            let name = ident.unraw().to_string();
            if !parse::is_identifier(&name) {
                mistakes.at(ident, "no plain name for a column; add `#[auth(column = \"…\")]`");
            }
            name
        }
    };
    Field { ident, ty, column, marks, roles }
}

fn mark(key: &Ident, input: ParseStream<'_>) -> syn::Result<Mark> {
    Ok(match key.to_string().as_str() {
        "id" => Mark::Id,
        "login" => Mark::Login { ignore_case: ignore_case(input)? },
        "password" => Mark::Password,
        "roles" => Mark::Roles,
        "permissions" => Mark::Permissions,
        "active" => Mark::Active,
        "epoch" => Mark::Epoch,
        "token" => Mark::Token,
        "login_time" => Mark::LoginTime,
        "login_ip" => Mark::LoginIp,
        _ => return Err(parse::unknown("key", key, FIELD_KEYS)),
    })
}

/// Reads `(ignore_case)` behind `login`, if it is there.
fn ignore_case(input: ParseStream<'_>) -> syn::Result<bool> {
    if !input.peek(token::Paren) {
        return Ok(false);
    }
    parse::inside(input, |content| {
        let option = content.call(Ident::parse_any)?;
        if option == "ignore_case" {
            Ok(true)
        } else {
            Err(parse::unknown("option", &option, &["ignore_case"]))
        }
    })
}

/// Reads what stands in parentheses behind `roles`, if anything does.
fn roles(input: ParseStream<'_>) -> syn::Result<Roles> {
    if !input.peek(token::Paren) {
        return Ok(Roles::Column);
    }
    parse::inside(input, |content| {
        if content.is_empty() {
            return Err(content.error("write `table = \"…\"` or `external`, or `roles` alone"));
        }
        let key = content.call(Ident::parse_any)?;
        match key.to_string().as_str() {
            "table" => identifier(&key, content).map(Roles::Table),
            "external" => Ok(Roles::External),
            _ => Err(parse::unknown("option", &key, &["table", "external"])),
        }
    })
}

/// Reads the name of a table or column. It goes into SQL, so nothing needs quoting.
fn identifier(key: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let text = parse::text(key, input)?;
    if parse::is_identifier(&text.value()) {
        return Ok(text);
    }
    Err(syn::Error::new(
        text.span(),
        format!("not a plain name for a {key}: letters, digits and `_`, at most 63"),
    ))
}
