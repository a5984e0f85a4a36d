//! Rules across variants.

use super::parse::{Role, Roles};
use crate::diag::Mistakes;

pub(super) fn roles(roles: &Roles<'_>, mistakes: &mut Mistakes) {
    if !roles.generics.params.is_empty() {
        mistakes.at(roles.generics, "roles cannot be generic: they are a list of names");
    }
    let Some(variants) = &roles.variants else {
        mistakes.at(roles.ident, "roles are an enum with one variant for each");
        return;
    };
    if variants.is_empty() {
        mistakes.at(roles.ident, "no role; users without roles need no `role = …` at all");
    }
    for (index, role) in variants.iter().enumerate() {
        variant(role, mistakes);
        if let Some(first) = variants[..index].iter().find(|other| other.name == role.name) {
            mistakes.spanned(
                role.span,
                format!("the name `{}` is already that of `{}`", role.name, first.ident),
            );
        }
    }
}

fn variant(role: &Role<'_>, mistakes: &mut Mistakes) {
    if !role.fields.is_empty() {
        mistakes.at(role.fields, "a role has no fields: it is stored as its name");
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:.-".contains(c);
    if role.name.is_empty() || !role.name.chars().all(plain) {
        mistakes.spanned(
            role.span,
            format!(
                "`{}` is no name for a role: small letters, digits, `_`, `:`, `.` and `-`",
                role.name
            ),
        );
    }
    for (index, permission) in role.permissions.iter().enumerate() {
        if permission.value().trim().is_empty() {
            mistakes.at(permission, "the permission has no name");
        }
        if role.permissions[..index].contains(permission) {
            mistakes.at(permission, format!("`{}` stands twice", permission.value()));
        }
    }
}
