//! Signing up, logging in, one's own account.

use example_kit::testing::Body;
use serde_json::{Value, json};

use crate::conduit::{
    Answers, Conduct, Conduit, OTHER_PASSWORD, PASSWORD, email, members, stories,
};

stories! {
    signs_up_logs_in_and_knows_oneself,
    takes_the_passwords_of_the_contracts_clients,
    refuses_what_nobody_can_sign_up_with,
    lets_nobody_have_the_name_or_address_of_another,
    tells_apart_what_is_merely_similar,
    keeps_the_longest_name_and_address,
    tells_nobody_who_exists_at_login,
    slows_down_guessing,
    changes_what_is_given_and_nothing_else,
    takes_null_and_nothing_for_no_text,
    refuses_changes_that_nobody_can_make,
    a_refused_change_changes_nothing,
    a_new_password_ends_every_token_but_the_one_that_made_it,
}

fn signs_up_logs_in_and_knows_oneself(conduit: &Conduit) {
    let mut ann = conduit.stranger();
    let answer = ann.sign_up("Ann", PASSWORD);
    assert_eq!((answer.status, members(&answer.body)), (201, vec!["user"]));
    let user = &answer.body["user"];
    assert_eq!(members(user), ["bio", "email", "image", "token", "username"]);
    assert_eq!((&user["username"], &user["email"]), (&json!("Ann"), &json!("Ann@example.org")));
    assert_eq!((&user["bio"], &user["image"]), (&Value::Null, &Value::Null));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.set_cookie(), None);

    let login = conduit.stranger().log_in("ANN@Example.Org", PASSWORD);
    assert_eq!(login.status, 200);
    assert_ne!(login.token(), answer.token(), "each login has a token of its own");
    for token in [answer.token(), login.token()] {
        ann.present(token);
        let me = ann.get("/user");
        assert_eq!((me.status, &me.body["user"]["username"]), (200, &json!("Ann")));
        assert_eq!(me.token(), token, "its life does not begin anew");
    }
}

fn takes_the_passwords_of_the_contracts_clients(conduit: &Conduit) {
    for (name, password) in [("ann", "password123"), ("ben", "bonjour1"), ("cy", &"a".repeat(64))] {
        assert_eq!(conduit.stranger().sign_up(name, password).status, 201);
        conduit.logged_in(name, password);
    }
}

fn refuses_what_nobody_can_sign_up_with(conduit: &Conduit) {
    let refused = |user: Value, errors: Value| {
        let answer = conduit.stranger().post("/users", json!({ "user": user }));
        answer.assert_errors(422, errors);
    };
    let blank = ["can't be blank"];
    let all = json!({"username": blank, "email": blank, "password": blank});
    refused(json!({"username": "", "email": "", "password": ""}), all.clone());
    refused(json!({"username": " ", "email": null}), all.clone());
    refused(json!({}), all);

    let good = json!({"username": "ann", "email": "ann@example.org", "password": PASSWORD});
    let with = |field: &str, value: Value| {
        let mut user = good.clone();
        user[field] = value;
        user
    };
    for name in [json!(" ann"), json!("ann\n"), json!("a\u{0}b"), json!(5), json!(["ann"])] {
        refused(with("username", name), json!({"username": ["is invalid"]}));
    }
    for address in ["ann", "ann@", "@example.org", "ann example.org", "<a@b.c>\n"] {
        refused(with("email", json!(address)), json!({"email": ["is invalid"]}));
    }
    let long = json!({"username": ["is too long (maximum is 50 characters)"]});
    refused(with("username", json!("x".repeat(51))), long);
    let short = json!({"password": ["is too short (minimum is 8 characters)"]});
    refused(with("password", json!("short7c")), short);
    let named = json!({"password": ["must not be your name or e-mail address"]});
    refused(with("password", json!("ANN@example.org")), named);
    // Nothing of all that has taken the name.
    conduit.signed_up("ann");
}

fn lets_nobody_have_the_name_or_address_of_another(conduit: &Conduit) {
    conduit.signed_up("ann");
    let mut ben = conduit.signed_up("ben");
    let taken = ["has already been taken"];
    let sign_up = |name: &str, email: &str| {
        let user = json!({"username": name, "email": email, "password": PASSWORD});
        conduit.stranger().post("/users", json!({ "user": user }))
    };
    for name in ["ann", "ANN"] {
        sign_up(name, "other@example.org").assert_errors(409, json!({"username": taken}));
        ben.change(json!({"username": name})).assert_errors(409, json!({"username": taken}));
    }
    for address in ["ann@example.org", "ANN@EXAMPLE.ORG"] {
        sign_up("other", address).assert_errors(409, json!({"email": taken}));
        ben.change(json!({"email": address})).assert_errors(409, json!({"email": taken}));
    }
    // One's own name in another case is free.
    assert_eq!(ben.change(json!({"username": "Ben", "email": "Ben@example.org"})).status, 200);
}

fn tells_apart_what_is_merely_similar(conduit: &Conduit) {
    let names = ["jose", "josé", "ﬁn", "fin"];
    for name in names {
        let mut user = conduit.signed_up(name);
        if name != "jose" {
            assert_eq!(user.send("POST", "/profiles/jose/follow", Body::Empty).status, 200);
        }
        let tags = json!({
            "title": name, "description": "About", "body": "Text",
            "tagList": ["jose", "Jose", "josé"],
        });
        let article = user.write(tags).body;
        assert_eq!(article["article"]["tagList"], json!(["jose", "Jose", "josé"]));
    }
    for name in names {
        let mut user = conduit.logged_in(name, PASSWORD);
        assert_eq!(user.get("/user").body["user"]["username"], name);
        for other in names {
            let profile = user.get(&format!("/profiles/{}", escaped(other))).body;
            let profile = &profile["profile"];
            assert_eq!(profile["username"], other);
            assert_eq!(profile["following"], other == "jose" && name != "jose", "{name}");
        }
        assert_eq!(user.titles(&format!("/articles?author={}", escaped(name))).1, 1);
        assert_eq!(user.get(&format!("/profiles/{}%20", escaped(name))).status, 404);
    }
    assert_eq!(conduit.stranger().titles("/articles?tag=Jose").1, 4);
    assert_eq!(conduit.stranger().titles("/articles?tag=JOSE").1, 0);
}

fn keeps_the_longest_name_and_address(conduit: &Conduit) {
    let (name, domain) = ("🐉".repeat(50), "d.".repeat(90));
    let email = format!("{}@{domain}d.example", "l".repeat(64));
    assert_eq!(email.len(), 254);
    let mut client = conduit.stranger();
    let user = json!({"username": name, "email": email, "password": PASSWORD});
    let answer = client.post("/users", json!({ "user": user }));
    assert_eq!((answer.status, &answer.body["user"]["username"]), (201, &json!(name)));
    assert_eq!(client.log_in(&email.to_uppercase(), PASSWORD).status, 200);
    let longer = format!("{}@{domain}dd.example", "l".repeat(64));
    let user = json!({"username": "ann", "email": longer, "password": PASSWORD});
    assert_eq!(client.post("/users", json!({ "user": user })).status, 422);
}

/// A text as a URL has it.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn tells_nobody_who_exists_at_login(conduit: &Conduit) {
    conduit.signed_up("ann");
    let wrong = conduit.stranger().log_in(&email("ann"), OTHER_PASSWORD);
    let unknown = conduit.stranger().log_in(&email("nobody"), OTHER_PASSWORD);
    wrong.assert_errors(401, json!({"credentials": ["invalid"]}));
    unknown.assert_errors(401, json!({"credentials": ["invalid"]}));
    // A user name is no address.
    let name = conduit.stranger().log_in("ann", PASSWORD);
    name.assert_errors(401, json!({"credentials": ["invalid"]}));

    let blank = ["can't be blank"];
    let nothing = conduit.stranger().log_in("", "");
    nothing.assert_errors(422, json!({"email": blank, "password": blank}));
}

fn slows_down_guessing(conduit: &Conduit) {
    conduit.signed_up("ann");
    for _ in 0..5 {
        let wrong = conduit.stranger().log_in(&email("ann"), OTHER_PASSWORD);
        wrong.assert_errors(401, json!({"credentials": ["invalid"]}));
    }
    let answer = conduit.stranger().log_in(&email("ann"), PASSWORD);
    answer.assert_errors(429, json!({"credentials": ["too many attempts"]}));
    assert!(answer.header("retry-after").is_some());
}

fn changes_what_is_given_and_nothing_else(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let before = ann.get("/user").body;
    let unchanged = ann.change(json!({}));
    unchanged.assert(200, &before);

    let answer = ann.change(json!({"bio": "I write.", "image": "https://example.org/ann.png"}));
    let mut expected = before.clone();
    expected["user"]["bio"] = json!("I write.");
    expected["user"]["image"] = json!("https://example.org/ann.png");
    answer.assert(200, &expected);

    let answer = ann.change(json!({"username": "anna", "email": "anna@example.org"}));
    expected["user"]["username"] = json!("anna");
    expected["user"]["email"] = json!("anna@example.org");
    answer.assert(200, &expected);
    ann.get("/user").assert(200, &expected);
    conduit.logged_in("anna", PASSWORD);
    let old = conduit.stranger().log_in(&email("ann"), PASSWORD);
    old.assert_errors(401, json!({"credentials": ["invalid"]}));
}

fn takes_null_and_nothing_for_no_text(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    for field in ["bio", "image"] {
        for nothing in [json!(""), json!("  "), Value::Null] {
            assert_eq!(ann.change(json!({ field: "something" })).body["user"][field], "something");
            assert_eq!(ann.change(json!({ field: nothing })).body["user"][field], Value::Null);
            assert_eq!(ann.get("/user").body["user"][field], Value::Null);
        }
    }
}

fn refuses_changes_that_nobody_can_make(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    for field in ["username", "email", "password"] {
        for nothing in [json!(""), json!(" "), Value::Null] {
            let answer = ann.change(json!({ field: nothing }));
            answer.assert_errors(422, json!({ field: ["can't be blank"] }));
        }
    }
    for (field, value) in [("bio", json!(5)), ("image", json!([])), ("email", json!("ann"))] {
        ann.change(json!({ field: value })).assert_errors(422, json!({ field: ["is invalid"] }));
    }
    let short = json!({"password": ["is too short (minimum is 8 characters)"]});
    ann.change(json!({"password": "short7c"})).assert_errors(422, short);
    let named = json!({"password": ["must not be your name or e-mail address"]});
    ann.change(json!({"username": "long enough", "password": "LONG enough"}))
        .assert_errors(422, named);
}

fn a_refused_change_changes_nothing(conduit: &Conduit) {
    conduit.signed_up("ben");
    let mut ann = conduit.signed_up("ann");
    let mut elsewhere = conduit.logged_in("ann", PASSWORD);
    let before = ann.get("/user").body;
    let taken = json!({"bio": "New", "password": OTHER_PASSWORD, "username": "ben"});
    assert_eq!(ann.change(taken).status, 409);
    let weak = json!({"bio": "New", "username": "anna", "password": "short"});
    assert_eq!(ann.change(weak).status, 422);
    ann.get("/user").assert(200, &before);
    assert_eq!(elsewhere.get("/user").status, 200, "another login has ended");
    conduit.logged_in("ann", PASSWORD);
}

fn a_new_password_ends_every_token_but_the_one_that_made_it(conduit: &Conduit) {
    let mut ann = conduit.signed_up("ann");
    let mut elsewhere = conduit.logged_in("ann", PASSWORD);
    let mut ben = conduit.signed_up("ben");
    for password in [OTHER_PASSWORD, PASSWORD, OTHER_PASSWORD] {
        let answer = ann.change(json!({"password": password}));
        assert_eq!(answer.status, 200, "{}", answer.body);
        ann.present(answer.token());
        assert_eq!(ann.get("/user").status, 200);
    }
    let invalid = json!({"token": ["is invalid"]});
    elsewhere.get("/user").assert_errors(401, invalid.clone());
    // Where a user is optional, a token that has ended is not a stranger's.
    elsewhere.get("/articles").assert_errors(401, invalid);
    assert_eq!(ben.get("/user").status, 200, "another user's token has ended");

    let old = conduit.stranger().log_in(&email("ann"), PASSWORD);
    old.assert_errors(401, json!({"credentials": ["invalid"]}));
    conduit.logged_in("ann", OTHER_PASSWORD);
}
