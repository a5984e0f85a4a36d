//! Tokens to model.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::TokenStreamExt;
use syn::{
    Attribute, Generics, Ident, LitStr, Meta, Path, Token, Type, WhereClause,
    parse::{ParseStream, Parser},
    token,
};

use crate::{
    diag::Mistakes,
    operation::{self, Guards, Operation},
    param::{Param, Side},
    parse::{self, RawFn},
    paths::{self, Runtime},
    requirement::Require,
    route::Route,
};

/// An impl block.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) runtime: Runtime,
    /// For `#[OpenApi(...)]`.
    pub(super) args: TokenStream,
    /// `require(...)`: what holds for every operation.
    pub(super) require: Option<Require>,
    pub(super) attrs: Vec<Attribute>,
    /// `impl … Type`, as it was written.
    pub(super) header: TokenStream,
    /// What the header says; `None` where it could not be read.
    pub(super) head: Option<Head>,
    pub(super) items: Vec<Item>,
    /// Attributes of ours on what is no operation.
    pub(super) stray: Vec<Attribute>,
}

/// What the header of the impl says.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) generics: Generics,
    /// The trait, in a trait impl.
    pub(super) implemented: Option<Type>,
    pub(super) itself: Type,
}

/// An item of the impl.
#[derive(Debug)]
pub(super) enum Item {
    /// Whatever is no operation, as it was written.
    Other(TokenStream),
    Operation(Box<Method>),
}

/// A method with `#[oai(...)]`.
#[derive(Debug)]
pub(super) struct Method {
    /// The author's method without the attributes that we and poem-openapi read.
    pub(super) author: RawFn,
    pub(super) operation: Operation,
    /// `#[oai(...)]` and documentation.
    pub(super) attrs: Vec<Attribute>,
}

impl Api {
    /// The operations.
    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.items.iter().filter_map(|item| match item {
            Item::Operation(method) => Some(&**method),
            Item::Other(_) => None,
        })
    }
}

pub(super) fn api(args: TokenStream, input: TokenStream, mistakes: &mut Mistakes) -> Api {
    let Arguments { passed, named, require } = arguments(args, mistakes);
    let mut api = Api {
        runtime: Runtime::find(named.as_ref()),
        args: passed,
        require,
        attrs: Vec::new(),
        header: TokenStream::new(),
        head: None,
        items: Vec::new(),
        stray: Vec::new(),
    };
    let Some((attrs, header, body)) = split(input.clone()) else {
        mistakes.spanned(Span::call_site(), "`#[auth_api]` stands on an impl block");
        api.header = input;
        return api;
    };
    api.attrs = attrs;
    api.head = mistakes.keep(head.parse2(header.clone()));
    api.header = header;
    take_open_api(&mut api, mistakes);
    let itself = api.head.as_ref().map(|head| head.itself.clone());
    let items = |input: ParseStream<'_>| {
        api.items.push(Item::Other(inner_attributes(input)?));
        while !input.is_empty() {
            api.items.push(item(input, itself.as_ref(), &mut api.stray, mistakes)?);
        }
        Ok(())
    };
    if let Err(error) = items.parse2(body.stream()) {
        mistakes.add(error);
    }
    for item in &mut api.items {
        if let Item::Operation(method) = item {
            method.operation.route = Route::of(&method.attrs, &api.args);
            if let Some(require) = &api.require {
                method.operation.guards.join(require, mistakes);
            }
        }
    }
    api
}

/// The arguments of `#[auth_api]`.
#[derive(Default)]
struct Arguments {
    /// Those of poem-openapi.
    passed: TokenStream,
    /// `crate = "…"`.
    named: Option<Path>,
    /// `require(...)`.
    require: Option<Require>,
}

/// Takes `crate = "…"` and `require(...)` out of the arguments; all others are poem-openapi's.
fn arguments(args: TokenStream, mistakes: &mut Mistakes) -> Arguments {
    let mut found = Arguments::default();
    let read = |input: ParseStream<'_>| {
        parse::list(input, mistakes, |input, mistakes| {
            if input.peek(Token![crate]) && input.peek2(Token![=]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                found.named = Some(paths::crate_path(&input.parse::<LitStr>()?)?);
            } else if input.peek(Ident) && input.fork().parse::<Ident>()? == "require" {
                let key: Ident = input.parse()?;
                if found.require.is_some() {
                    return Err(syn::Error::new(
                        key.span(),
                        "a second `require`; write the guards into one, with commas",
                    ));
                }
                found.require = Some(everywhere(&key, input, mistakes)?);
            } else {
                found.passed.extend(parse::until_comma(input));
                found.passed.extend(quote::quote!(,));
            }
            Ok(())
        });
        Ok(())
    };
    // The list keeps its mistakes itself.
    let _ = read.parse2(args);
    found
}

/// Reads the parentheses behind `require`.
fn everywhere(
    key: &Ident,
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
) -> syn::Result<Require> {
    let how = || {
        syn::Error::new(
            key.span(),
            "say what the users of every operation need, as in `require(role = \"admin\")`",
        )
    };
    if !input.peek(token::Paren) {
        return Err(how());
    }
    parse::inside(input, |content| {
        if content.is_empty() {
            return Err(how());
        }
        Ok(Require::inside(key.span(), content, mistakes))
    })
}

/// Attributes, header and body of an impl block.
fn split(input: TokenStream) -> Option<(Vec<Attribute>, TokenStream, Group)> {
    let read = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        let rest: TokenStream = input.parse()?;
        Ok((attrs, rest))
    };
    let (attrs, rest) = read.parse2(input).ok()?;
    let mut tokens: Vec<TokenTree> = rest.into_iter().collect();
    let is_impl = tokens.iter().any(|token| matches!(token, TokenTree::Ident(i) if i == "impl"));
    match tokens.pop()? {
        TokenTree::Group(body) if body.delimiter() == Delimiter::Brace && is_impl => {
            Some((attrs, tokens.into_iter().collect(), body))
        }
        _ => None,
    }
}

fn head(input: ParseStream<'_>) -> syn::Result<Head> {
    input.parse::<Option<Token![unsafe]>>()?;
    input.parse::<Token![impl]>()?;
    let generics = if input.peek(Token![<]) { input.parse()? } else { Generics::default() };
    let first: Type = input.parse()?;
    let second = if input.parse::<Option<Token![for]>>()?.is_some() {
        Some(input.parse::<Type>()?)
    } else {
        None
    };
    input.parse::<Option<WhereClause>>()?;
    Ok(match second {
        Some(itself) => Head { generics, implemented: Some(first), itself },
        None => Head { generics, implemented: None, itself: first },
    })
}

/// An `#[OpenApi(...)]` below gives its arguments to the one that is emitted.
fn take_open_api(api: &mut Api, mistakes: &mut Mistakes) {
    let (open_api, others): (Vec<_>, _) = std::mem::take(&mut api.attrs)
        .into_iter()
        .partition(|attr| parse::is_named(attr, "OpenApi"));
    api.attrs = others;
    for attr in open_api {
        match attr.meta {
            Meta::Path(_) => {}
            Meta::List(list) => api.args.extend(list.tokens),
            Meta::NameValue(_) => mistakes.at(attr, "expected `#[OpenApi(...)]`"),
        }
    }
}

fn inner_attributes(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    tokens.append_all(input.call(Attribute::parse_inner)?);
    Ok(tokens)
}

fn item(
    input: ParseStream<'_>,
    itself: Option<&Type>,
    stray: &mut Vec<Attribute>,
    mistakes: &mut Mistakes,
) -> syn::Result<Item> {
    let attrs = input.call(Attribute::parse_outer)?;
    let is_operation = parse::named(&attrs, "oai").next().is_some();
    if !is_operation {
        stray.extend(attrs.iter().filter(|attr| operation::is_ours(attr)).cloned());
    }
    let method = input.fork();
    match RawFn::after(Vec::new(), &method) {
        Ok(_) if is_operation => {
            let author = RawFn::after(attrs, input)?;
            Ok(Item::Operation(Box::new(operation(author, itself, mistakes))))
        }
        Ok(_) => Ok(Item::Other(verbatim(attrs, input))),
        Err(error) => {
            // rustc would say so too, but an operation that vanishes must never compile.
            if is_operation {
                mistakes.add(error);
            }
            Ok(Item::Other(verbatim(attrs, input)))
        }
    }
}

/// An item as it was written, without our attributes: up to a `;`, or to the braces that end
/// everything but constants and types.
fn verbatim(attrs: Vec<Attribute>, input: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    tokens.append_all(
        attrs.iter().filter(|attr| !operation::is_ours(attr) && !attr.path().is_ident("oai")),
    );
    let by_semicolon = (input.peek(Token![const]) && !is_function(input))
        || input.peek(Token![type])
        || input.peek2(Token![const]) && !is_function(input)
        || input.peek2(Token![type]);
    while let Ok(token) = input.parse::<TokenTree>() {
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => !by_semicolon && group.delimiter() == Delimiter::Brace,
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        };
        tokens.append(token);
        if ends {
            break;
        }
    }
    tokens
}

/// Whether `fn` comes before any group: `const fn` is not a constant.
fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while !ahead.is_empty() && !ahead.peek(token::Brace) && !ahead.peek(Token![=]) {
        if ahead.peek(Token![fn]) {
            return true;
        }
        if ahead.parse::<TokenTree>().is_err() {
            break;
        }
    }
    false
}

fn operation(mut author: RawFn, itself: Option<&Type>, mistakes: &mut Mistakes) -> Method {
    let guards = Guards::take(&mut author.attrs, mistakes);
    let params = Param::take_all(&mut author.sig, itself, Side::OpenApi, mistakes);
    let attrs = author
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("oai") || attr.path().is_ident("doc"))
        .cloned()
        .collect();
    author.attrs.retain(|attr| !attr.path().is_ident("oai"));
    let cfg = author.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect();
    let operation = Operation {
        name: author.sig.ident.clone(),
        params,
        guards,
        cfg,
        route: Route::default(),
        itself: itself.cloned(),
    };
    Method { author, operation, attrs }
}
