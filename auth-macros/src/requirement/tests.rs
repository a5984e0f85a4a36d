use super::*;
use syn::parse_quote;

fn expand(attr: &Attribute) -> Result<String, String> {
    let mut mistakes = Mistakes::new();
    let require = Require::read(attr, &mut mistakes);
    require.check(&mut mistakes);
    mistakes.finish().map_err(|tokens| tokens.to_string())?;
    Ok(require
        .expand(&Runtime::find(Some(&parse_quote!(p))), Some(&parse_quote!(Api)))
        .to_string()
        .replace("p :: __private :: Requirement :: ", "")
        .replace("p :: __private :: ", "")
        .replace(' ', ""))
}

#[track_caller]
fn refused(attr: &Attribute, message: &str) {
    let shown = expand(attr).expect_err("a mistake");
    let message = format!("{message:?}");
    assert!(shown.contains(&message), "{shown}\nlacks {message}");
}

#[test]
fn every_guard_becomes_a_constant() {
    for (attr, expected) in [
        (parse_quote!(#[require(role = "admin")]), r#"Role("admin")"#),
        (parse_quote!(#[require(permission = "a:b")]), r#"Permission("a:b")"#),
        (parse_quote!(#[require(fresh)]), "Fresh(FRESH)"),
        (
            parse_quote!(#[require(fresh(minutes = 5))]),
            "Fresh(::core::time::Duration::from_secs(300u64))",
        ),
        (
            parse_quote!(#[require(fresh(seconds = 30),)]),
            "Fresh(::core::time::Duration::from_secs(30u64))",
        ),
        (
            parse_quote!(#[require(role = "a", any(role = "b", all(permission = "c", fresh)))]),
            r#"All(&[Role("a"),Any(&[Role("b"),All(&[Permission("c"),Fresh(FRESH)])])])"#,
        ),
        (parse_quote!(#[require(role = "a:b")]), r#"Role("a:b")"#),
        (
            parse_quote!(#[require(role = "{site_id}:manager")]),
            r#"ScopedRole{scope:"site_id",role:"manager"}"#,
        ),
        (parse_quote!(#[require(owner = "{user_id}", conceal)]), r#"Owner("user_id")"#),
        (
            parse_quote!(#[require(check = checks::may_edit)]),
            "Check(Check{name:\"may_edit\",run:|__auth_user,__auth_request|::std::boxed::Box::pin(\
             asyncmove{ask::said(checks::may_edit(ask::user(__auth_user)?,\
             ask::request(__auth_request)?).await)}),})",
        ),
        (
            parse_quote!(#[require(check = Self::may_edit)]),
            "Check(Check{name:\"may_edit\",run:|__auth_user,__auth_request|::std::boxed::Box::pin(\
             asyncmove{ask::said(<Api>::may_edit(ask::api::<Api>(__auth_request)?,\
             ask::user(__auth_user)?,ask::request(__auth_request)?).await)}),})",
        ),
        (parse_quote!(#[require(user = Admin)]), "LoggedIn"),
        (parse_quote!(#[require(user = Admin, role = "a")]), r#"Role("a")"#),
    ] {
        let attr: Attribute = attr;
        assert_eq!(expand(&attr).as_deref(), Ok(expected));
    }
}

#[test]
fn roles_are_found_at_any_depth() {
    let mut mistakes = Mistakes::new();
    let attr = parse_quote!(#[require(role = "a", any(role = "b", all(role = "c", fresh)))]);
    let require = Require::read(&attr, &mut mistakes);
    mistakes.finish().expect("no mistake");
    let roles: Vec<_> = require.roles().into_iter().map(|role| role.name).collect();
    assert_eq!(roles, ["a", "b", "c"]);
}

#[test]
fn path_parameters_and_checks_are_found_at_any_depth() {
    let mut mistakes = Mistakes::new();
    let attr = parse_quote! {
        #[require(owner = "{a}", any(role = "{b}:x", check = f, all(check = Self::g, owner = "{c}")))]
    };
    let require = Require::read(&attr, &mut mistakes);
    mistakes.finish().expect("no mistake");
    let params: Vec<_> = require.path_params().into_iter().map(|(name, _)| name).collect();
    assert_eq!(params, ["a", "b", "c"]);
    let checks: Vec<_> =
        require.checks().iter().map(|check| (check.name(), check.is_method())).collect();
    assert_eq!(checks, [("f".to_owned(), false), ("g".to_owned(), true)]);
    assert!(require.roles().iter().all(|role| role.scoped && role.name == "x"));
}

#[test]
fn what_holds_everywhere_comes_first() {
    let mut mistakes = Mistakes::new();
    let read = |attr: Attribute, mistakes: &mut Mistakes| Require::read(&attr, mistakes);
    let everywhere = read(parse_quote!(#[require(role = "a", conceal)]), &mut mistakes);
    let own = read(parse_quote!(#[require(user = User, fresh)]), &mut mistakes);
    let both = everywhere.and(own, &mut mistakes);
    let p = Runtime::find(Some(&parse_quote!(p)));
    assert!(both.conceal.is_some() && both.user.is_some());
    assert!(both.expand(&p, None).to_string().contains("All"));

    let admins = read(parse_quote!(#[require(user = Admin)]), &mut mistakes);
    mistakes.finish().expect("no mistake");
    let mut mistakes = Mistakes::new();
    let _ = both.and(admins, &mut mistakes);
    let shown = mistakes.finish().expect_err("two users").to_string();
    assert!(shown.contains("names somebody else"), "{shown}");
}

#[test]
fn a_guard_that_says_nothing_is_refused() {
    refused(&parse_quote!(#[require]), HOW);
    refused(&parse_quote!(#[require()]), HOW);
    refused(&parse_quote!(#[require(any())]), "`any` needs at least one guard");
    refused(&parse_quote!(#[require(all)]), "write `all(…)` with the guards inside");
    refused(&parse_quote!(#[require(role = " ")]), "the role has no name");
    refused(&parse_quote!(#[require(fresh(minutes = 0))]), "no login is that fresh");
    refused(
        &parse_quote!(#[require(fresh())]),
        "say how long ago, as in `fresh(minutes = 5)`, or write `fresh` alone",
    );
}

#[test]
fn a_path_parameter_stands_in_braces() {
    for role in ["{site_id}", "{}:a", "{site_id}:", "{a}:b:{c}", "a{site_id}:b", "{a/b}:c", "a}"] {
        refused(
            &parse_quote!(#[require(role = #role)]),
            "a role in a scope is written as `\"{site_id}:manager\"`: a path parameter in braces, \
             a colon, the role",
        );
    }
    for owner in ["user_id", "{}", "{a}{b}", "{a}x", ":id"] {
        refused(
            &parse_quote!(#[require(owner = #owner)]),
            "the owner is a path parameter in braces, as in `owner = \"{user_id}\"`",
        );
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    refused(
        &parse_quote!(#[require(rolle = "admin")]),
        "unknown guard `rolle`; did you mean `role`?",
    );
    refused(
        &parse_quote!(#[require(role = Role::Admin)]),
        "expected a string, as in `role = \"…\"`",
    );
    refused(&parse_quote!(#[require(role("admin"))]), "expected a string, as in `role = \"…\"`");
    refused(
        &parse_quote!(#[require(any(user = Admin))]),
        "`user` stands at the top of `#[require]`, not inside `any` or `all`",
    );
    refused(
        &parse_quote!(#[require(fresh(minute = 5))]),
        "unknown unit `minute`; did you mean `minutes`?",
    );
}

#[test]
fn every_mistake_of_one_attribute_is_shown() {
    let attr: Attribute = parse_quote!(#[require(rolle = "a", any(permision = "b"), role)]);
    let shown = expand(&attr).expect_err("three mistakes");
    assert_eq!(shown.matches("compile_error").count(), 3, "{shown}");
}
