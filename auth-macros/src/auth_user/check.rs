//! Rules across fields.

use syn::{Ident, Type};

use super::parse::{Field, Mark, Model, Roles};
use crate::{diag::Mistakes, paths::Runtime, types};

/// A struct that can be a type of user.
#[derive(Debug)]
pub(super) struct User<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) ident: &'a Ident,
    pub(super) table: String,
    /// Whether users are made of claims.
    pub(super) claims: bool,
    pub(super) role: Option<&'a Type>,
    pub(super) schemes: &'a [String],
    pub(super) fields: &'a [Field<'a>],
    pub(super) id: &'a Field<'a>,
    /// Each with `ignore_case`.
    pub(super) login: Vec<(&'a Field<'a>, bool)>,
    pub(super) password: Option<&'a Field<'a>>,
    pub(super) roles: Option<&'a Field<'a>>,
    pub(super) permissions: Option<&'a Field<'a>>,
    pub(super) active: Option<&'a Field<'a>>,
    pub(super) epoch: Option<&'a Field<'a>>,
    pub(super) token: Option<&'a Field<'a>>,
    pub(super) login_time: Option<&'a Field<'a>>,
    pub(super) login_ip: Option<&'a Field<'a>>,
}

/// `None` comes with at least one mistake.
pub(super) fn user<'a>(model: &'a Model<'a>, mistakes: &mut Mistakes) -> Option<User<'a>> {
    if !model.generics.params.is_empty() {
        mistakes.at(model.generics, "a type of user cannot be generic: it is one table");
    }
    container(model, mistakes);
    let Some(fields) = &model.fields else {
        mistakes.at(model.ident, "a type of user is a struct with named fields");
        return None;
    };
    columns(fields, mistakes);
    let mut single = |mark: Mark| single(fields, mark, mistakes);
    let id = single(Mark::Id);
    let password = single(Mark::Password);
    let roles = single(Mark::Roles);
    let permissions = single(Mark::Permissions);
    let active = single(Mark::Active);
    let epoch = single(Mark::Epoch);
    let token = single(Mark::Token);
    let login_time = single(Mark::LoginTime);
    let login_ip = single(Mark::LoginIp);
    role(model, roles, mistakes);
    role_table(model, fields, mistakes);
    only_token(model, token, mistakes);
    described(model, fields, mistakes);
    if id.is_none() {
        mistakes
            .at(model.ident, "no id: write `#[auth(id)]` above the field that is the user's id");
    }
    Some(User {
        runtime: &model.runtime,
        ident: model.ident,
        table: match &model.table {
            Some(table) => table.as_ref()?.value(),
            None => model.claims.map(|_| model.ident.to_string())?,
        },
        claims: model.claims.is_some(),
        role: model.role.as_ref(),
        schemes: &model.schemes,
        fields,
        id: id?,
        login: logins(fields),
        password,
        roles,
        permissions,
        active,
        epoch,
        token,
        login_time,
        login_ip,
    })
}

fn container(model: &Model<'_>, mistakes: &mut Mistakes) {
    if let (Some(claims), Some(_)) = (model.claims, &model.table) {
        mistakes
            .spanned(claims, "a user who is made of claims has no table; leave one of them out");
    }
    if model.table.is_none() && model.claims.is_none() {
        mistakes.at(
            model.ident,
            "no table: say where the users are, as in `#[auth(table = \"users\")]`",
        );
    }
    // A scheme that was not understood has its own mistake.
    if !model.schemes_said {
        let name = model.ident.to_string();
        let article = if name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
        mistakes.at(
            model.ident,
            format!(
                "no scheme: say how {article} {name} proves who he is, as in `schemes(session)`"
            ),
        );
    }
}

/// One token for each user: somebody has to issue it, and there may be none.
fn only_token(model: &Model<'_>, token: Option<&Field<'_>>, mistakes: &mut Mistakes) {
    let Some(field) = token else { return };
    if model.claims.is_none() && !model.schemes.iter().any(|scheme| scheme == "bearer") {
        mistakes.spanned(
            span_of(field, Mark::Token),
            "no token names this user: declare `schemes(bearer)`, or leave the mark out",
        );
    }
    if types::option(field.ty).is_none() {
        mistakes.at(field.ty, "write `Option<TokenId>`: there are users without a token");
    }
}

/// Who is made of claims has nothing that would have to be stored.
fn described(model: &Model<'_>, fields: &[Field<'_>], mistakes: &mut Mistakes) {
    if model.claims.is_none() {
        return;
    }
    for field in fields {
        for (mark, span) in &field.marks {
            if !matches!(mark, Mark::Id | Mark::Roles | Mark::Permissions) {
                let key = mark.key();
                mistakes.spanned(
                    *span,
                    format!(
                        "no `#[auth({key})]` in a user who is made of claims: nothing is stored"
                    ),
                );
            }
        }
        if let (Some((_, span)), Roles::Table(_) | Roles::External) =
            (field.marks.iter().find(|(mark, _)| *mark == Mark::Roles), &field.roles)
        {
            mistakes
                .spanned(*span, "the roles of a user who is made of claims stand in the claims");
        }
    }
    if model.schemes_said && !matches!(&model.schemes[..], [scheme] if scheme == "bearer") {
        mistakes.at(
            model.ident,
            "a user who is made of claims comes by token and in no other way: `schemes(bearer)`",
        );
    }
}

/// A table of roles is not the users' own.
fn role_table(model: &Model<'_>, fields: &[Field<'_>], mistakes: &mut Mistakes) {
    let Some(Some(users)) = &model.table else { return };
    for field in fields {
        if let Roles::Table(table) = &field.roles
            && table.value() == users.value()
        {
            mistakes.at(
                table,
                "this is the users' own table; roles of one user have many rows in theirs",
            );
        }
    }
}

fn role(model: &Model<'_>, roles: Option<&Field<'_>>, mistakes: &mut Mistakes) {
    match (&model.role, roles) {
        (Some(role), None) => mistakes.at(
            role,
            "no field holds the roles: write `#[auth(roles)]` above it, or leave `role = …` out",
        ),
        (None, Some(field)) => mistakes.spanned(
            span_of(field, Mark::Roles),
            "name the type of the roles above the struct, as in `#[auth(role = Role)]`",
        ),
        (Some(_), Some(_)) | (None, None) => {}
    }
}

/// The one field with the mark; a second one is a mistake.
fn single<'a>(
    fields: &'a [Field<'a>],
    mark: Mark,
    mistakes: &mut Mistakes,
) -> Option<&'a Field<'a>> {
    let mut marked = fields.iter().filter(|field| is_marked(field, mark));
    let first = marked.next()?;
    for field in marked {
        let key = mark.key();
        mistakes.spanned(
            span_of(field, mark),
            format!("a second `#[auth({key})]`; the first is `{}`", first.ident),
        );
    }
    Some(first)
}

fn logins<'a>(fields: &'a [Field<'a>]) -> Vec<(&'a Field<'a>, bool)> {
    fields
        .iter()
        .flat_map(|field| field.marks.iter().map(move |(mark, _)| (field, *mark)))
        .filter_map(|(field, mark)| match mark {
            Mark::Login { ignore_case } => Some((field, ignore_case)),
            _ => None,
        })
        .collect()
}

fn columns(fields: &[Field<'_>], mistakes: &mut Mistakes) {
    for (index, field) in fields.iter().enumerate() {
        if let Some(first) = fields[..index].iter().find(|other| other.column == field.column) {
            mistakes.at(
                field.ident,
                format!("the column `{}` is already that of `{}`", field.column, first.ident),
            );
        }
    }
}

fn is_marked(field: &Field<'_>, mark: Mark) -> bool {
    field.marks.iter().any(|(found, _)| *found == mark)
}

fn span_of(field: &Field<'_>, mark: Mark) -> proc_macro2::Span {
    let found = field.marks.iter().find(|(found, _)| *found == mark);
    found.map_or_else(|| field.ident.span(), |(_, span)| *span)
}
