//! What `#[auth_api]` and `#[handler]` have in common: the attributes of an operation, and the
//! policy that they and the parameters add up to.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, Ident, LitInt, LitStr, Meta, Token, ext::IdentExt, spanned::Spanned};

use crate::{
    diag::Mistakes, param::Param, parse, paths::Runtime, requirement, requirement::Require,
};

/// The attributes that are ours.
pub(crate) const OURS: [&str; 3] = ["require", "public", "rejects"];

/// What the attributes of one operation say.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    /// Where `#[public]` stands.
    public: Option<Span>,
    require: Option<Require>,
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
                _ => this.read_rejects(attr, mistakes),
            }
        }
        this
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
}

impl Operation {
    /// The operation's policy as a constant, and the compile-time checks, each at the tokens that
    /// are wrong if it fails: one check that somebody guards the operation, and one for each role
    /// and for each parameter that could be a user. Needs `OtherParameter` in scope.
    pub(crate) fn policy(&self, p: &Runtime) -> TokenStream {
        let Self { name, params, guards, cfg } = self;
        let marker = marker(name);
        let text = name.unraw().to_string();
        let public = guards.public.is_some();
        let probes = params.iter().map(|param| {
            let ty = &param.ty;
            quote!(<#p::Probe<#ty>>::PARAMETER)
        });
        let requirement = match &guards.require {
            Some(require) => require.expand(p),
            None => requirement::logged_in(p),
        };
        let user = guards.require.as_ref().and_then(|require| require.user.as_ref());
        let subject = match user {
            Some(user) => quote!(<#p::Probe<#user>>::PARAMETER),
            None => quote!(::core::option::Option::None),
        };
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
                    subject: #subject,
                    rejects: &[#(#rejects),*],
                };
            }
            #checks
        }
    }

    fn checks(&self, marker: &Ident, p: &Runtime) -> TokenStream {
        let Self { name, params, guards, cfg } = self;
        let check = |span: Span, function: &str, role: Option<&LitStr>| {
            let (p, function) = (p.at(span), Ident::new(function, span));
            let role = role.map(|role| quote!(, #role));
            quote_spanned! {span=>
                #(#cfg)*
                const _: () = #p::check::#function(<#marker as #p::Operation>::POLICY #role);
            }
        };
        let mut checks: TokenStream =
            params.iter().filter_map(|param| param.check(cfg, p)).collect();
        checks.extend(match (guards.public, &guards.require) {
            (Some(span), _) => check(span, "public", None),
            (None, Some(require)) => check(require.span, "requirable", None),
            (None, None) => check(name.span(), "protected", None),
        });
        let Some(require) = &guards.require else { return checks };
        checks.extend(require.roles().iter().map(|role| check(role.span(), "role", Some(role))));
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
