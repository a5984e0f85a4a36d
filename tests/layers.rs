//! The layers of the workspace, as a test: who names whom.
//!
//! Five layers in `auth-core`, each of which names only what is below it or in it. What the table
//! does not allow stands in [`EXCEPTIONS`], item by item, with its reason.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use syn::visit::Visit;

/// The modules of `auth-core` from the plain to the composed.
const LAYERS: [&[&str]; 5] = [
    &[
        "error",
        "rejection",
        "secret",
        "user",
        "requirement",
        "scopes",
        "expiry",
        "http",
        "sealing",
        "signature",
    ],
    &[
        "clock",
        "password",
        "store",
        "users",
        "keys",
        "api_keys",
        "access_keys",
        "identities",
        "sql",
    ],
    &["session", "jwt", "credentials", "scheme", "guard", "throttle", "responder", "oidc"],
    &["features"],
    &["config", "context"],
];

/// Above all layers: what macros may name, and the doubles for tests.
const OUTSIDE: [&str; 2] = ["__private", "testing"];

/// Who may look upwards, at exactly what.
const EXCEPTIONS: [(&str, &str); 7] = [
    // Plain data that lies beside the code that makes it.
    ("user", "password::PasswordHash"),
    ("rejection", "password::WeakPassword"),
    // The row that a store keeps: plain data too, with the sessions that it is a picture of.
    ("store", "session::record"),
    // Whoever serves a request is handed its context, which in turn asks them: one request is one
    // value, and its type has to be named on both sides.
    ("session::live", "context::Context"),
    ("scheme", "context::Context"),
    ("guard", "context::Context"),
    ("features", "context::Context"),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every source file below a directory, with the path of its module.
fn modules(directory: &Path, parent: &[String], found: &mut Vec<(Vec<String>, PathBuf)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut module = parent.to_vec();
        if stem != "mod" && stem != "lib" {
            module.push(stem.clone());
        }
        if path.is_dir() {
            modules(&path, &module, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((module, path));
        }
    }
}

/// What a module names of the rest of its crate, as paths from the root.
struct Names {
    module: Vec<String>,
    named: BTreeSet<String>,
}

impl Names {
    fn note(&mut self, segments: &[String]) {
        let mut path = match segments.first().map(String::as_str) {
            Some("crate" | "$crate") => Vec::new(),
            Some("super" | "self") => self.module.clone(),
            _ => return,
        };
        for segment in segments {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => drop(path.pop()),
                _ => path.push(segment.clone()),
            }
        }
        self.named.insert(path.join("::"));
    }

    fn note_tree(&mut self, prefix: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.note(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.note(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.note(prefix),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.note_tree(prefix, tree));
            }
        }
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

impl<'a> Visit<'a> for Names {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.note_tree(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let segments: Vec<_> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(&segments);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'a syn::Macro) {
        // Tokens are no syntax yet; a path among them is still words and colons.
        let tokens = item.tokens.to_string().replace(' ', "");
        for rest in tokens.split("crate::").skip(1) {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let path = rest[..end.unwrap_or(rest.len())].trim_end_matches(':');
            let segments = ["crate"].into_iter().chain(path.split("::")).map(str::to_owned);
            self.note(&segments.collect::<Vec<_>>());
        }
        syn::visit::visit_macro(self, item);
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Every look upwards in `auth-core`: module and what it names.
fn upward() -> BTreeSet<(String, String)> {
    let mut found = Vec::new();
    modules(&workspace().join("auth-core/src"), &[], &mut found);
    assert!(found.len() > 50, "the sources are where the test looks");
    let mut upward = BTreeSet::new();
    for (module, file) in found {
        let Some(top) = module.first() else { continue };
        if OUTSIDE.contains(&top.as_str()) || module.iter().any(|part| part == "tests") {
            continue;
        }
        let own = layer(top).unwrap_or_else(|| panic!("`{top}` has no place in the layers"));
        let syntax = syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap();
        let mut names = Names { module: module.clone(), named: BTreeSet::new() };
        names.visit_file(&syntax);
        for named in names.named {
            let other = named.split("::").next().unwrap();
            if layer(other).is_some_and(|other| other > own) {
                upward.insert((module.join("::"), named));
            }
        }
    }
    upward
}

#[test]
fn no_layer_of_the_core_names_one_above_it() {
    for (module, named) in upward() {
        let allowed = EXCEPTIONS.iter().any(|(from, to)| {
            let is_from = *from == module || module.strip_prefix(from).is_some_and(is_below);
            let is_to = *to == named || named.strip_prefix(to).is_some_and(is_below);
            is_from && is_to
        });
        assert!(allowed, "`{module}` names `{named}`, which is above it");
    }
}

fn is_below(rest: &str) -> bool {
    rest.starts_with("::")
}

#[test]
fn every_exception_is_needed() {
    let upward = upward();
    for (from, to) in EXCEPTIONS {
        let used = upward.iter().any(|(module, named)| {
            module.starts_with(from) && (named == to || named.starts_with(&format!("{to}::")))
        });
        assert!(used, "nothing in `{from}` names `{to}` any more");
    }
}

/// The names of the packages in the dependency tables of a manifest, development included.
fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in fs::read_to_string(manifest).unwrap().lines() {
        if let Some(table) = line.trim().strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies");
            // `[dependencies.name]`
            if let Some((_, name)) = table.split_once("dependencies.") {
                names.insert(name.to_owned());
            }
        } else if inside && let Some((name, _)) = line.split_once(['=', '.']) {
            names.insert(name.trim().to_owned());
        }
    }
    names
}

fn of_package(package: &str) -> BTreeSet<String> {
    let names = dependencies(&workspace().join(package).join("Cargo.toml"));
    assert!(!names.is_empty(), "{package} has a manifest");
    names
}

#[test]
fn the_core_knows_no_web_framework_and_no_macros() {
    let names = of_package("auth-core");
    for name in &names {
        // The servers of its tests know nothing of it.
        let is_ours = name.starts_with("auth-") && name != "auth-test-servers";
        let is_framework = name.starts_with("poem") || is_ours;
        assert!(!is_framework, "auth-core depends on {name}");
    }
    for other in ["axum", "actix-web", "hyper", "tower", "rocket", "warp"] {
        assert!(!names.contains(other), "auth-core depends on {other}");
    }
}

#[test]
fn the_macros_know_only_tokens() {
    for name in of_package("auth-macros") {
        assert!(!name.starts_with("auth-"), "auth-macros depends on {name}");
        assert!(!name.starts_with("poem"), "auth-macros depends on {name}");
    }
}

#[test]
fn examples_name_the_facade_and_nothing_behind_it() {
    let mut seen = 0;
    for entry in fs::read_dir(workspace().join("examples")).unwrap() {
        let package = entry.unwrap().path();
        let manifest = package.join("Cargo.toml");
        if !manifest.is_file() {
            continue;
        }
        seen += 1;
        let names = dependencies(&manifest);
        assert!(names.contains("auth-poem"), "{manifest:?}");
        for hidden in ["auth-core", "auth-macros"] {
            assert!(!names.contains(hidden), "{manifest:?} names {hidden}");
        }
    }
    assert!(seen > 0, "there are examples");
}
