//! What can be told of a type from its tokens.

use proc_macro2::Span;
use syn::{
    GenericArgument, Lifetime, PathArguments, PathSegment, QSelf, Token, Type, TypePath,
    TypeReference,
    visit_mut::{self, VisitMut},
};

/// The type without the invisible groups that a `macro_rules!` leaves, and without parentheses.
pub(crate) fn bare(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            _ => return ty,
        };
    }
}

/// The `X` of an `Option<X>` that is written as one.
pub(crate) fn option(ty: &Type) -> Option<&Type> {
    let path = plain_path(ty)?;
    let names: Vec<_> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    match names[..] {
        ["Option"] | ["std" | "core", "option", "Option"] => argument(path.path.segments.last()?),
        _ => None,
    }
}

/// Whether the type is a path without generic arguments at its end: what a type of user always is.
pub(crate) fn is_plain(ty: &Type) -> bool {
    plain_path(ty)
        .and_then(|path| path.path.segments.last())
        .is_some_and(|segment| segment.arguments.is_none())
}

/// Whether the type's last name is this.
pub(crate) fn ends_in(ty: &Type, name: &str) -> bool {
    plain_path(ty)
        .and_then(|path| path.path.segments.last())
        .is_some_and(|segment| segment.ident == name)
}

fn plain_path(ty: &Type) -> Option<&TypePath> {
    match bare(ty) {
        Type::Path(path) if path.qself.is_none() => Some(path),
        _ => None,
    }
}

/// The one argument of the type's last name.
pub(crate) fn last_argument(ty: &Type) -> Option<&Type> {
    argument(plain_path(ty)?.path.segments.last()?)
}

fn argument(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(list) if list.args.len() == 1 => match list.args.first()? {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

/// The type as it reads outside of the impl: the author's type in place of `Self`, no lifetime by
/// name.
pub(crate) fn outside(ty: &Type, itself: Option<&Type>) -> Type {
    let mut ty = ty.clone();
    Outside { itself }.visit_type_mut(&mut ty);
    ty
}

/// The part of a type that borrows, if one does so for less than `'static`.
pub(crate) fn borrowed(ty: &Type) -> Option<Span> {
    let mut borrowed = Borrowed(None);
    borrowed.visit_type_mut(&mut ty.clone());
    borrowed.0
}

struct Borrowed(Option<Span>);

impl VisitMut for Borrowed {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() {
            self.0.get_or_insert(reference.and_token.span);
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            self.0.get_or_insert(lifetime.span());
        }
    }

    /// What a function type borrows is for its caller.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
}

struct Outside<'a> {
    itself: Option<&'a Type>,
}

impl VisitMut for Outside<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let (Type::Path(path), Some(itself)) = (&mut *ty, self.itself)
            && path.qself.is_none()
            && path.path.segments.first().is_some_and(|first| first.ident == "Self")
        {
            if path.path.segments.len() == 1 {
                *ty = itself.clone();
                return;
            }
            path.path.segments = path.path.segments.iter().skip(1).cloned().collect();
            path.path.leading_colon = Some(<Token![::]>::default());
            path.qself = Some(QSelf {
                lt_token: <Token![<]>::default(),
                ty: Box::new(itself.clone()),
                position: 0,
                as_token: None,
                gt_token: <Token![>]>::default(),
            });
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" {
            *lifetime = Lifetime::new("'_", lifetime.span());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;
    use syn::parse_quote;

    #[test]
    fn an_option_is_recognised_by_its_names() {
        let inner: Type = parse_quote!(User);
        for written in ["Option<User>", "std::option::Option<User>", "::core::option::Option<User>"]
        {
            let ty: Type = syn::parse_str(written).expect(written);
            assert_eq!(option(&ty), Some(&inner), "{written}");
        }
        for other in ["Maybe<User>", "my::Option<User>", "Option", "&Option<User>"] {
            let ty: Type = syn::parse_str(other).expect(other);
            assert_eq!(option(&ty), None, "{other}");
        }
    }

    #[test]
    fn a_plain_type_has_no_arguments() {
        for (written, plain) in [
            ("User", true),
            ("crate::users::User", true),
            ("(User)", true),
            ("Path<Uuid>", false),
            ("&Request", false),
            ("<A as B>::C", false),
        ] {
            let ty: Type = syn::parse_str(written).expect(written);
            assert_eq!(is_plain(&ty), plain, "{written}");
        }
    }

    #[test]
    fn self_and_lifetimes_are_replaced() {
        let itself: Type = parse_quote!(Api<Pg>);
        for (written, expected) in [
            ("Json<Self>", "Json<Api<Pg>>"),
            ("Self::View", "<Api<Pg>>::View"),
            ("&'a Request", "&'_ Request"),
            ("Text<&'static str>", "Text<&'static str>"),
        ] {
            let ty: Type = syn::parse_str(written).expect(written);
            let expected: Type = syn::parse_str(expected).expect(expected);
            let found = outside(&ty, Some(&itself));
            assert_eq!(
                found.to_token_stream().to_string(),
                expected.to_token_stream().to_string(),
                "{written}"
            );
        }
    }
}
