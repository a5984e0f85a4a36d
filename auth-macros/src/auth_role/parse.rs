//! Tokens to model.

use proc_macro2::Span;
use syn::{
    Attribute, Data, DeriveInput, Fields, Generics, Ident, LitStr, Path, Token, ext::IdentExt,
    parse::ParseStream, token,
};

use crate::{
    diag::Mistakes,
    parse,
    paths::{self, Runtime},
};

/// The enum as it was written.
#[derive(Debug)]
pub(super) struct Roles<'a> {
    pub(super) runtime: Runtime,
    pub(super) ident: &'a Ident,
    pub(super) generics: &'a Generics,
    /// `None` where the type is no enum.
    pub(super) variants: Option<Vec<Role<'a>>>,
}

/// A variant.
#[derive(Debug)]
pub(super) struct Role<'a> {
    pub(super) ident: &'a Ident,
    pub(super) fields: &'a Fields,
    pub(super) name: String,
    /// Where the name comes from.
    pub(super) span: Span,
    pub(super) permissions: Vec<LitStr>,
}

pub(super) fn roles<'a>(input: &'a DeriveInput, mistakes: &mut Mistakes) -> Roles<'a> {
    let mut named: Option<Path> = None;
    for attr in parse::named(&input.attrs, "role") {
        parse::entries(attr, mistakes, |key, input, _| {
            if key != "crate" {
                return Err(parse::unknown("key", key, &["crate"]));
            }
            named = Some(paths::crate_path(&parse::text(key, input)?)?);
            Ok(())
        });
    }
    let variants = match &input.data {
        Data::Enum(data) => Some(
            data.variants
                .iter()
                .map(|variant| role(&variant.ident, &variant.fields, &variant.attrs, mistakes))
                .collect(),
        ),
        Data::Struct(_) | Data::Union(_) => None,
    };
    Roles {
        runtime: Runtime::find(named.as_ref()),
        ident: &input.ident,
        generics: &input.generics,
        variants,
    }
}

fn role<'a>(
    ident: &'a Ident,
    fields: &'a Fields,
    attrs: &[Attribute],
    mistakes: &mut Mistakes,
) -> Role<'a> {
    let mut role = Role {
        ident,
        fields,
        name: snake_case(&ident.unraw().to_string()),
        span: ident.span(),
        permissions: Vec::new(),
    };
    for attr in parse::named(attrs, "role") {
        parse::entries(attr, mistakes, |key, input, _| {
            match key.to_string().as_str() {
                "name" => {
                    let name = parse::text(key, input)?;
                    role.span = name.span();
                    role.name = name.value();
                }
                "permissions" => permissions(&mut role, key, input)?,
                _ => return Err(parse::unknown("key", key, &["name", "permissions"])),
            }
            Ok(())
        });
    }
    role
}

fn permissions(role: &mut Role<'_>, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(
            key.span(),
            "write `permissions(…)`, as in `permissions(\"users:delete\")`",
        ));
    }
    parse::inside(input, |content| {
        let list = content.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?;
        role.permissions.extend(list);
        Ok(())
    })
}

/// `SuperAdmin` to `super_admin`, `HTTPAdmin` to `http_admin`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let starts_word = letter.is_uppercase() && index > 0 && {
            let after_small = !letters[index - 1].is_uppercase() && letters[index - 1] != '_';
            let before_small = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
            after_small || (before_small && letters[index - 1] != '_')
        };
        if starts_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn variants_become_snake_case() {
        for (variant, name) in [
            ("Admin", "admin"),
            ("SuperAdmin", "super_admin"),
            ("HTTPAdmin", "http_admin"),
            ("Level2Support", "level2_support"),
            ("Read_Only", "read_only"),
            ("A", "a"),
        ] {
            assert_eq!(snake_case(variant), name);
        }
    }
}
