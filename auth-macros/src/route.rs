//! The path of an operation: how its parameters are called there, and in the route that
//! poem-openapi makes of it.
//!
//! poem-openapi numbers the parameters of `path`: the route of `/sites/:site_id/users/:id` has
//! `param0` and `param1`. Those of `prefix_path`, and those inside of a segment, keep their names.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Lit, LitStr, Meta, Token, parse::Parser, punctuated::Punctuated,
};

use crate::{diag::Mistakes, parse};

/// The path of an operation, as far as the macro can read it.
#[derive(Debug, Default)]
pub(crate) struct Route {
    /// `path = "…"` of `#[oai(...)]`.
    written: Option<LitStr>,
    /// Whether a `prefix_path` is no literal, so that it may hold any parameter.
    prefix_unknown: bool,
    /// The parameters of the prefix.
    prefix: Vec<String>,
    /// Those of the path, in their order: each as it is written, and as the route calls it.
    params: Vec<(String, String)>,
}

impl Route {
    /// The path of an operation with these attributes, in an impl with these arguments.
    pub(crate) fn of(attrs: &[Attribute], api: &TokenStream) -> Self {
        let oai = parse::named(attrs, "oai").next();
        let written = oai
            .and_then(|oai| oai.parse_args_with(List::parse_terminated).ok())
            .and_then(|list| value(&list, "path").and_then(literal).cloned());
        let prefix = List::parse_terminated.parse2(api.clone()).ok();
        let prefix = prefix.as_ref().and_then(|list| value(list, "prefix_path"));
        let (prefix_unknown, prefix) = match prefix.map(literal) {
            None => (false, Vec::new()),
            Some(None) => (true, Vec::new()),
            Some(Some(prefix)) => (false, embedded(&prefix.value()).collect()),
        };
        let params = written.as_ref().map(|path| params(&path.value())).unwrap_or_default();
        Self { written, prefix_unknown, prefix, params }
    }

    /// The parameters that have another name in the route.
    pub(crate) fn renamed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params
            .iter()
            .filter(|(written, route)| written != route)
            .map(|(written, route)| (written.as_str(), route.as_str()))
    }

    /// The parameters of the path, in their order.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.params.iter().map(|(written, _)| written.as_str())
    }

    /// The parameters that poem-openapi's `Path<…>` reads, in their order.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = &str> {
        let mut number = 0;
        self.params.iter().filter_map(move |(written, route)| {
            let is_numbered = *route == format!("param{number}");
            number += usize::from(is_numbered);
            is_numbered.then_some(written.as_str())
        })
    }

    /// Whether the route has the parameter, or may have it, in a place that `Path<…>` does not read.
    pub(crate) fn may_be_elsewhere(&self, name: &str) -> bool {
        self.prefix_unknown || self.is_in_prefix(name) || self.names().any(|known| known == name)
    }

    /// Whether `prefix_path` has the parameter.
    fn is_in_prefix(&self, name: &str) -> bool {
        self.prefix.iter().any(|known| known == name)
    }

    /// A guard or an operation reads a parameter that the path has.
    pub(crate) fn check(&self, name: &str, at: &impl ToTokens, mistakes: &mut Mistakes) {
        let Some(path) = &self.written else { return };
        if self.prefix_unknown || self.is_in_prefix(name) || self.names().any(|known| known == name)
        {
            return;
        }
        let known: Vec<&str> = self.names().chain(self.prefix.iter().map(String::as_str)).collect();
        let path = path.value();
        let hint = if path.contains(&format!("{{{name}}}")) {
            format!("`{{{name}}}` is plain text there, write `:{name}`")
        } else if let Some(near) = parse::nearest(name, &known) {
            format!("did you mean `{near}`?")
        } else {
            format!("a parameter is written as `:{name}`")
        };
        mistakes.at(at, format!("the path `{path}` has no parameter `{name}`; {hint}"));
    }
}

type List = Punctuated<Meta, Token![,]>;

fn value<'a>(list: &'a List, key: &str) -> Option<&'a Expr> {
    list.iter().find_map(|meta| match meta {
        Meta::NameValue(pair) if pair.path.is_ident(key) => Some(&pair.value),
        _ => None,
    })
}

fn literal(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// What poem-openapi makes of a path's parameters.
fn params(path: &str) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = Vec::new();
    let mut numbered = 0;
    for segment in path.split('/') {
        if let Some(param) = segment.strip_prefix(':') {
            // A regular expression behind the name is no part of it.
            let name = param.split('<').next().unwrap_or_default();
            params.push((name.to_owned(), format!("param{numbered}")));
            numbered += 1;
        } else {
            params.extend(embedded(segment).map(|name| (name.clone(), name)));
        }
    }
    params
}

/// The parameters that poem itself sees in a text: `:name`, `:name<…>` and `*name`.
fn embedded(text: &str) -> impl Iterator<Item = String> {
    let names = text.split('/').flat_map(|segment| {
        segment.match_indices([':', '*']).map(|(at, sign)| {
            let name = &segment[at + sign.len()..];
            name.split(['<', '*']).next().unwrap_or_default().to_owned()
        })
    });
    names.filter(|name| !name.is_empty()).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn route(path: &str, api: &str) -> Route {
        let attr: Attribute =
            parse_quote!(#[oai(path = #path, method = "get", method = "post", tag = "Tag::A")]);
        Route::of(&[attr], &api.parse().unwrap())
    }

    #[test]
    fn parameters_are_numbered_as_poem_openapi_does_it() {
        for (path, expected) in [
            ("/", &[][..]),
            ("/sites/:site_id", &[("site_id", "param0")]),
            ("/:a/x/:b<[0-9]+>/", &[("a", "param0"), ("b", "param1")]),
            ("/a-:b/:c/*rest", &[("b", "b"), ("c", "param0"), ("rest", "rest")]),
            ("/{id}", &[]),
        ] {
            let found = route(path, "").params;
            let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn a_prefix_keeps_its_names() {
        let found = route("/:id", r#"tag = "Tag::A", prefix_path = "/sites/:site_id","#);
        assert!(found.is_in_prefix("site_id") && !found.is_in_prefix("id"));
        assert_eq!(found.renamed().collect::<Vec<_>>(), [("id", "param0")]);
    }

    #[test]
    fn poem_openapi_reads_whole_segments_of_the_path() {
        let found = route("/a-:b/:c/:param0/*rest", r#"prefix_path = "/sites/:site_id""#);
        assert_eq!(found.numbered().collect::<Vec<_>>(), ["c", "param0"]);
        assert!(["b", "rest", "site_id"].iter().all(|name| found.may_be_elsewhere(name)));
        assert!(!found.may_be_elsewhere("user_id"));
        assert!(route("/a", "prefix_path = PREFIX").may_be_elsewhere("user_id"));
    }

    #[track_caller]
    fn mistake(route: &Route, name: &str) -> String {
        let mut mistakes = Mistakes::new();
        route.check(name, &name, &mut mistakes);
        mistakes.finish().err().map(|tokens| tokens.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_guard_names_what_is_there() {
        let known = route("/:id/*rest", r#"prefix_path = "/sites/:site_id""#);
        for name in ["id", "rest", "site_id"] {
            assert_eq!(mistake(&known, name), "", "{name}");
        }
        assert!(mistake(&known, "site_idd").contains("did you mean `site_id`?"));
        assert!(mistake(&known, "user").contains("has no parameter `user`; a parameter is"));
        assert!(mistake(&route("/{id}", ""), "id").contains("plain text there, write `:id`"));
        // What the macro cannot read it does not judge.
        assert_eq!(mistake(&route("/a", "prefix_path = PREFIX"), "id"), "");
        assert_eq!(mistake(&Route::default(), "id"), "");
    }
}
