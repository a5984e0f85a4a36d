//! Tokens to model.

use proc_macro2::{Span, TokenStream};
use syn::{
    Attribute, Ident, Path, Visibility,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    diag::Mistakes,
    operation::{Guards, Operation},
    param::{Param, Side},
    parse::{self, RawFn},
    paths::{self, Runtime},
    route::Route,
};

/// A function that is to be an endpoint.
#[derive(Debug)]
pub(super) struct Handler {
    pub(super) runtime: Runtime,
    pub(super) docs: Vec<Attribute>,
    pub(super) vis: Visibility,
    /// The function without what went to the fields here.
    pub(super) author: RawFn,
    pub(super) operation: Operation,
}

pub(super) fn handler(
    args: TokenStream,
    input: TokenStream,
    mistakes: &mut Mistakes,
) -> Option<Handler> {
    let runtime = Runtime::find(arguments(args, mistakes).as_ref());
    let Ok(mut author) = syn::parse2::<RawFn>(input) else {
        mistakes.spanned(Span::call_site(), "`#[handler]` stands on a function");
        return None;
    };
    let guards = Guards::take(&mut author.attrs, mistakes);
    let params = Param::take_all(&mut author.sig, None, Side::Handler, mistakes);
    let (docs, rest): (Vec<_>, _) =
        std::mem::take(&mut author.attrs).into_iter().partition(|attr| attr.path().is_ident("doc"));
    let (cfg, rest): (Vec<_>, _) =
        rest.into_iter().partition(|attr: &Attribute| attr.path().is_ident("cfg"));
    author.attrs = rest;
    let vis = std::mem::replace(&mut author.vis, Visibility::Inherited);
    let operation = Operation {
        name: author.sig.ident.clone(),
        params,
        guards,
        cfg,
        route: Route::default(),
        itself: None,
    };
    Some(Handler { runtime, docs, vis, author, operation })
}

/// Reads `crate = "…"`.
fn arguments(args: TokenStream, mistakes: &mut Mistakes) -> Option<Path> {
    let mut named = None;
    let read = |input: ParseStream<'_>| {
        parse::list(input, mistakes, |input, _| {
            let key = input.call(Ident::parse_any)?;
            if key != "crate" {
                return Err(parse::unknown("key", &key, &["crate"]));
            }
            named = Some(paths::crate_path(&parse::text(&key, input)?)?);
            Ok(())
        });
        Ok(())
    };
    // The list keeps its mistakes itself.
    let _ = read.parse2(args);
    named
}
