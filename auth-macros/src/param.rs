//! A parameter of an operation: its type, and how the operation gets it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, FnArg, Ident, LitStr, Pat, PatType, Signature, Type, ext::IdentExt, spanned::Spanned,
};

use crate::{diag::Mistakes, parse, paths::Runtime, types};

/// One parameter other than `self`.
#[derive(Debug)]
pub(crate) struct Param {
    /// The name that generated code gives it; poem-openapi reads names of query parameters and the
    /// like from it.
    pub(crate) name: Ident,
    /// The author's type, without `Self` and named lifetimes.
    pub(crate) ty: Type,
    /// `#[oai(...)]` and documentation.
    pub(crate) attrs: Vec<Attribute>,
    how: How,
    side: Side,
}

#[derive(Debug)]
enum How {
    /// A type without arguments may be a user, so the runtime decides what it is.
    Plain,
    /// The inner type of an `Option`, which may be a user.
    Optional(Box<Type>),
    /// A user's type is never generic: whatever this is, it extracts itself.
    AsItIs,
}

/// The wrappers by which one side gets its parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    /// Operations of poem-openapi.
    OpenApi,
    /// Plain poem handlers.
    Handler,
}

impl Param {
    /// Reads the parameters other than `self`, and takes `#[oai(...)]` and documentation off them
    /// as poem-openapi does.
    pub(crate) fn take_all(
        sig: &mut Signature,
        itself: Option<&Type>,
        side: Side,
        mistakes: &mut Mistakes,
    ) -> Vec<Self> {
        let typed = sig.inputs.iter_mut().filter_map(|input| match input {
            FnArg::Typed(param) => Some(param),
            FnArg::Receiver(_) => None,
        });
        typed
            .enumerate()
            .map(|(index, param)| Self::take(index, param, itself, side, mistakes))
            .collect()
    }

    fn take(
        index: usize,
        param: &mut PatType,
        itself: Option<&Type>,
        side: Side,
        mistakes: &mut Mistakes,
    ) -> Self {
        if let Some(cfg) = parse::named(&param.attrs, "cfg").next() {
            mistakes.at(cfg, "`#[cfg]` cannot stand on a parameter; put it on the whole operation");
        }
        let how = match types::option(&param.ty) {
            Some(inner) => How::Optional(Box::new(types::outside(inner, itself))),
            None if types::is_plain(&param.ty) => How::Plain,
            None => How::AsItIs,
        };
        let generated = format_ident!("__auth_p{index}");
        let name = match (side, written_name(&param.pat)) {
            (Side::OpenApi, Some(name)) => name.clone(),
            (Side::Handler, _) | (Side::OpenApi, None) => generated,
        };
        if matches!(side, Side::OpenApi)
            && written_name(&param.pat).is_none()
            && !matches!(how, How::Plain)
        {
            mistakes.at(
                &param.pat,
                "this parameter needs a name, which the document shows; take it apart in the body",
            );
        }
        let (attrs, kept) = std::mem::take(&mut param.attrs)
            .into_iter()
            .partition(|attr| attr.path().is_ident("oai") || attr.path().is_ident("doc"));
        param.attrs = kept;
        Self { name, ty: types::outside(&param.ty, itself), attrs, how, side }
    }

    /// The type that generated code extracts.
    pub(crate) fn extracted(&self, p: &Runtime) -> TokenStream {
        let ty = &self.ty;
        let p = p.at(ty.span());
        match (&self.how, self.side) {
            (How::Plain, Side::OpenApi) => quote_spanned!(ty.span()=> #p::Arg<#ty>),
            (How::Plain, Side::Handler) => quote_spanned!(ty.span()=> #p::HandlerArg<#ty>),
            (How::Optional(inner), _) => quote_spanned!(ty.span()=> #p::OptionArg<#inner>),
            (How::AsItIs, _) => quote!(#ty),
        }
    }

    /// Asks rustc whether the wrapped type can be a parameter at all. The wrapper alone would have
    /// it speak of the wrapper.
    pub(crate) fn check(&self, cfg: &[Attribute], p: &Runtime) -> Option<TokenStream> {
        let (ty, function) = match (&self.how, self.side) {
            (How::Plain, Side::OpenApi) => (&self.ty, "is_param"),
            (How::Plain, Side::Handler) => (&self.ty, "is_handler_param"),
            (How::Optional(inner), _) => (&**inner, "is_handler_param"),
            (How::AsItIs, _) => return None,
        };
        let (p, function) = (p.at(ty.span()), Ident::new(function, ty.span()));
        Some(quote_spanned!(ty.span()=> #(#cfg)* const _: () = #p::#function::<#ty>();))
    }

    /// Whether poem-openapi takes this for a path parameter: by the type's name.
    pub(crate) fn is_path(&self) -> bool {
        match types::bare(&self.ty) {
            Type::Path(ty) => ty.path.segments.iter().any(|segment| segment.ident == "Path"),
            _ => false,
        }
    }

    /// Whether the type has one argument that is no tuple: poem's own `Path<(A, B)>` holds all
    /// parameters, whatever its name is.
    pub(crate) fn is_value(&self) -> bool {
        types::last_argument(&self.ty).is_some_and(|ty| !matches!(types::bare(ty), Type::Tuple(_)))
    }

    /// The name in the document: `#[oai(name = "…")]`, else the parameter's.
    pub(crate) fn documented_name(&self) -> String {
        let mut name = self.name.unraw().to_string();
        for attr in parse::named(&self.attrs, "oai") {
            // What cannot be read is poem-openapi's to refuse.
            let _ = attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    name = meta.value()?.parse::<LitStr>()?.value();
                } else if let Ok(value) = meta.value() {
                    value.parse::<syn::Expr>()?;
                }
                Ok(())
            });
        }
        name
    }

    /// The author's value out of what was extracted.
    pub(crate) fn value(&self) -> TokenStream {
        let name = &self.name;
        match self.how {
            How::Plain | How::Optional(_) => quote!(#name.0),
            How::AsItIs => quote!(#name),
        }
    }
}

/// The name in `id`, `mut id` and `Path(id)`.
fn written_name(pat: &Pat) -> Option<&Ident> {
    match pat {
        Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() => Some(&pat.ident),
        Pat::TupleStruct(pat) if pat.elems.len() == 1 => pat.elems.first().and_then(written_name),
        Pat::Paren(pat) => written_name(&pat.pat),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn params(mut sig: Signature, side: Side) -> Result<Vec<String>, String> {
        let p = Runtime::find(Some(&parse_quote!(p)));
        let mut mistakes = Mistakes::new();
        let params = Param::take_all(&mut sig, Some(&parse_quote!(Api)), side, &mut mistakes);
        mistakes.finish().map_err(|tokens| tokens.to_string())?;
        let shown = params.iter().map(|param| {
            format!("{}: {} => {}", param.name, param.extracted(&p), param.value())
                .replace("p :: __private :: ", "")
                .replace(" < ", "<")
                .replace(" >", ">")
                .replace(" . ", ".")
        });
        Ok(shown.collect())
    }

    #[test]
    fn only_what_may_be_a_user_is_wrapped() {
        let found = params(
            parse_quote! {
                async fn f(
                    &self, user: User, maybe: Option<crate::User>, Path(id): Path<Uuid>,
                    mut session: Session<Email>, r#type: Query<String>, me: Self, _: User,
                    request: &'a Request
                )
            },
            Side::OpenApi,
        );
        let expected = [
            "user: Arg<User> => user.0",
            "maybe: OptionArg<crate :: User> => maybe.0",
            "id: Path<Uuid> => id",
            "session: Session<Email> => session",
            "r#type: Query<String> => r#type",
            "me: Arg<Api> => me.0",
            "__auth_p6: Arg<User> => __auth_p6.0",
            "request: & '_ Request => request",
        ];
        assert_eq!(found, Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_handler_has_wrappers_of_its_own_and_any_pattern() {
        let found = params(
            parse_quote!(async fn f(user: User, Json(Data { a, .. }): Json<Data>, b: Option<User>)),
            Side::Handler,
        );
        let expected = [
            "__auth_p0: HandlerArg<User> => __auth_p0.0",
            "__auth_p1: Json<Data> => __auth_p1",
            "__auth_p2: OptionArg<User> => __auth_p2.0",
        ];
        assert_eq!(found, Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn attributes_of_poem_openapi_are_taken_off() {
        let mut sig: Signature = parse_quote! {
            async fn f(&self, #[oai(name = "q")] #[allow(unused)] /** Words. */ q: Query<String>)
        };
        let mut mistakes = Mistakes::new();
        let params = Param::take_all(&mut sig, None, Side::OpenApi, &mut mistakes);
        mistakes.finish().expect("no mistake");
        assert_eq!(params[0].attrs.len(), 2);
        let FnArg::Typed(left) = &sig.inputs[1] else { panic!("a parameter") };
        assert_eq!(left.attrs.len(), 1);
    }

    #[test]
    fn a_parameter_without_a_name_is_refused() {
        let found = params(parse_quote!(async fn f(&self, _: Path<Uuid>)), Side::OpenApi);
        assert!(found.expect_err("a mistake").contains("this parameter needs a name"));
        let found = params(parse_quote!(async fn f(&self, #[cfg(x)] a: User)), Side::OpenApi);
        assert!(found.expect_err("a mistake").contains("`#[cfg]` cannot stand on a parameter"));
    }
}
