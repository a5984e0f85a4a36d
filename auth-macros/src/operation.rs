//! What `#[auth_api]` and `#[handler]` have in common: the attributes of an operation, and the
//! policy that they and the parameters add up to.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, Ident, LitInt, Meta, Token, Type, ext::IdentExt, parse::ParseStream,
    spanned::Spanned,
};

use crate::{
    diag::Mistakes,
    param::Param,
    parse,
    paths::Runtime,
    requirement::{self, Require, Role},
    route::Route,
    schemes,
};

/// The attributes that are ours.
pub(crate) const OURS: [&str; 4] = ["require", "public", "schemes", "rejects"];

/// What the attributes of one operation say.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    /// Where `#[public]` stands.
    pub(crate) public: Option<Span>,
    pub(crate) require: Option<Require>,
    /// Where `#[schemes(bearer)]` stands, and what it names.
    schemes: Option<(Span, Vec<(String, Span)>)>,
    /// `#[rejects(username_taken = 409)]`: code and status.
    rejects: Vec<(String, u16)>,
}

impl Guards {
    /// Reads our attributes and takes them off.
    pub(crate) fn take(attrs: &mut Vec<Attribute>, mistakes: &mut Mistakes) -> Self {
        let (ours, others): (Vec<_>, _) = std::mem::take(attrs).into_iter().partition(is_ours);
        *attrs = others;
        let mut this = Self::default();
        for attr in &ours {
            match attr.path().segments.last().map(|segment| segment.ident.to_string()).as_deref() {
                Some("public") => this.read_public(attr, mistakes),
                Some("require") => this.read_require(attr, mistakes),
                Some("schemes") => this.read_schemes(attr, mistakes),
                _ => this.read_rejects(attr, mistakes),
            }
        }
        if let (Some(_), Some((span, _))) = (this.public, &this.schemes) {
            mistakes
                .spanned(*span, "a `#[public]` operation takes no user who would prove himself");
        }
        this
    }

    fn schemes(&self) -> &[(String, Span)] {
        self.schemes.as_ref().map_or(&[], |(_, named)| named)
    }

    /// Adds what is required of every operation of the impl.
    pub(crate) fn join(&mut self, everywhere: &Require, mistakes: &mut Mistakes) {
        if let Some(public) = self.public {
            mistakes.spanned(
                public,
                "`#[auth_api(require(…))]` guards every operation of this impl; write a public one \
                 into an impl of its own",
            );
            return;
        }
        let joined = everywhere.clone();
        self.require = Some(match self.require.take() {
            Some(own) => joined.and(own, mistakes),
            None => joined,
        });
    }

    fn read_public(&mut self, attr: &Attribute, mistakes: &mut Mistakes) {
        if !matches!(attr.meta, Meta::Path(_)) {
            mistakes.at(&attr.meta, "`#[public]` takes no arguments");
        }
        if self.public.is_some() {
            mistakes.at(attr, "`#[public]` stands here twice");
        } else if self.require.is_some() {
            mistakes.at(attr, BOTH);
        }
        self.public = Some(attr.path().span());
    }

    fn read_require(&mut self, attr: &Attribute, mistakes: &mut Mistakes) {
        if self.require.is_some() {
            mistakes.at(
                attr,
                "a second `#[require]`; write the guards into one, with commas: all of them must \
                 hold",
            );
        } else if self.public.is_some() {
            mistakes.at(attr, BOTH);
        }
        self.require = Some(Require::read(attr, mistakes));
    }

    fn read_schemes(&mut self, attr: &Attribute, mistakes: &mut Mistakes) {
        const HOW: &str = "name the schemes that count here, as in `#[schemes(bearer)]`";
        if self.schemes.is_some() {
            mistakes.at(attr, "a second `#[schemes]`; write the schemes into one");
        }
        let mut named = Vec::new();
        match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => {
                let result = attr.parse_args_with(|input: ParseStream<'_>| {
                    schemes::read(input, mistakes, |name, span| named.push((name, span)));
                    Ok(())
                });
                mistakes.keep(result);
            }
            _ => mistakes.at(attr, HOW),
        }
        self.schemes = Some((attr.path().span(), named));
    }

    fn read_rejects(&mut self, attr: &Attribute, mistakes: &mut Mistakes) {
        const HOW: &str = "name the refusals, as in `#[rejects(username_taken = 409)]`";
        if matches!(&attr.meta, Meta::Path(_))
            || matches!(&attr.meta, Meta::List(list) if list.tokens.is_empty())
        {
            mistakes.at(attr, HOW);
            return;
        }
        parse::entries(attr, mistakes, |code, input, _| {
            input.parse::<Token![=]>().map_err(|_| syn::Error::new(code.span(), HOW))?;
            let number: LitInt = input.parse()?;
            let status = number.base10_parse::<u16>().unwrap_or_default();
            if !(400..500).contains(&status) {
                return Err(syn::Error::new(
                    number.span(),
                    "a refusal has a status from 400 to 499",
                ));
            }
            let code_name = code.unraw().to_string();
            if self.rejects.iter().any(|(known, _)| *known == code_name) {
                return Err(syn::Error::new(code.span(), format!("`{code_name}` stands twice")));
            }
            self.rejects.push((code_name, status));
            Ok(())
        });
    }
}

const BOTH: &str = "an operation is either `#[public]` or has `#[require]`, not both";

/// Whether the attribute is one of ours.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    OURS.iter().any(|name| parse::is_named(attr, name))
}

/// The type that stands for an operation of that name.
pub(crate) fn marker(name: &Ident) -> Ident {
    format_ident!("__op_{}", name.unraw())
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: Ident,
    pub(crate) params: Vec<Param>,
    pub(crate) guards: Guards,
    /// Stands on everything that is emitted for the operation.
    pub(crate) cfg: Vec<Attribute>,
    /// Its path, where the macro knows it.
    pub(crate) route: Route,
    /// The type of the impl, for an operation of one.
    pub(crate) itself: Option<Type>,
}

impl Operation {
    /// The operation's policy as a constant, and the compile-time checks, each at the tokens that
    /// are wrong if it fails: one check that somebody guards the operation, and one for each role
    /// and for each parameter that could be a user. Needs `OtherParameter` in scope.
    pub(crate) fn policy(&self, p: &Runtime) -> TokenStream {
        let Self { name, params, guards, cfg, .. } = self;
        let marker = marker(name);
        let text = name.unraw().to_string();
        let public = guards.public.is_some();
        let probes = params.iter().map(|param| {
            let ty = &param.ty;
            quote!(<#p::Probe<#ty>>::PARAMETER)
        });
        let requirement = match &guards.require {
            Some(require) => require.expand(p, self.itself.as_ref()),
            None => requirement::logged_in(p),
        };
        let conceal = guards.require.as_ref().is_some_and(|require| require.conceal.is_some());
        let path = self.route.renamed().map(|(written, route)| quote!((#written, #route)));
        let user = guards.require.as_ref().and_then(|require| require.user.as_ref());
        let subject = match user {
            Some(user) => quote!(<#p::Probe<#user>>::PARAMETER),
            None => quote!(::core::option::Option::None),
        };
        let schemes = guards.schemes().iter().map(|(name, _)| name);
        let rejects = guards.rejects.iter().map(|(code, status)| quote!((#status, #code)));
        let checks = self.checks(&marker, p);
        quote! {
            #(#cfg)*
            struct #marker;
            #(#cfg)*
            impl #p::Operation for #marker {
                const POLICY: &'static #p::Policy = &#p::Policy {
                    name: #text,
                    public: #public,
                    parameters: &[#(#probes),*],
                    requirement: #requirement,
                    conceal: #conceal,
                    path: &[#(#path),*],
                    subject: #subject,
                    schemes: &[#(#schemes),*],
                    rejects: &[#(#rejects),*],
                };
            }
            #checks
        }
    }

    fn checks(&self, marker: &Ident, p: &Runtime) -> TokenStream {
        let Self { name, params, guards, cfg, .. } = self;
        let check = |span: Span, function: &str, more: TokenStream| {
            let (p, function) = (p.at(span), Ident::new(function, span));
            quote_spanned! {span=>
                #(#cfg)*
                const _: () = #p::check::#function(<#marker as #p::Operation>::POLICY #more);
            }
        };
        let mut checks: TokenStream =
            params.iter().filter_map(|param| param.check(cfg, p)).collect();
        checks.extend(match (guards.public, &guards.require) {
            (Some(span), _) => check(span, "public", quote!()),
            (None, Some(require)) => check(require.span, "requirable", quote!()),
            (None, None) => check(name.span(), "protected", quote!()),
        });
        for (name, span) in guards.schemes() {
            checks.extend(check(*span, "scheme", quote!(, #name)));
        }
        if let Some((span, _)) = &guards.schemes {
            checks.extend(check(*span, "reachable", quote!()));
        }
        let Some(require) = &guards.require else { return checks };
        for Role { span, name, scoped } in require.roles() {
            checks.extend(check(span, "role", quote!(, #name)));
            checks.extend(scoped.then(|| check(span, "scope", quote!())));
        }
        for asked in require.checks() {
            let (span, name) = (asked.span(), asked.name());
            let function = asked.function(self.itself.as_ref());
            let p = p.at(span);
            let whom = Ident::new(if asked.is_method() { "whom_method" } else { "whom" }, span);
            let whom = quote_spanned!(span=> #p::ask::#whom(#function));
            checks.extend(check(span, "takes_subject", quote!(, #name, #whom)));
        }
        // A type that is no user would silently name nobody.
        if let Some(user) = &require.user {
            let p = p.at(user.span());
            checks.extend(quote_spanned! {user.span()=>
                #(#cfg)*
                const _: &#p::UserMeta = <#user as #p::AuthUser>::META;
            });
        }
        checks
    }
}
