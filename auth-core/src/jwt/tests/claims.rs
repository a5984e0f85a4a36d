//! Every claim, in every shape that it may not have.

use super::*;

const CLAIMS: [&str; 10] =
    ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "realm", "stamp", "auth_time"];

#[test]
fn writes_every_claim() {
    let jwt = hs256();
    let issued = jwt.issue(&user(), stamp(), now() - TimeDelta::seconds(5), None, now()).unwrap();
    let (header, claims) = parts(issued.token.expose());

    let kid = jwt.keys.signing_key().unwrap().kid();
    assert_eq!(header, json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid }));
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": "7", "aud": AUDIENCE, "exp": 1_900_000_600u32,
            "nbf": 1_900_000_000u32, "iat": 1_900_000_000u32, "jti": issued.jti, "realm": "users",
            "stamp": base64url(stamp().as_bytes()), "auth_time": 1_899_999_995u32,
        })
    );
    assert_eq!(issued.expires_in, TimeDelta::minutes(10));
    assert_eq!(unbase64url(&issued.jti).unwrap().len(), 16);

    let Verified::Valid(claims) = jwt.verify(issued.token.expose(), now()) else { panic!() };
    assert_eq!(claims.user(), &user());
    assert_eq!(claims.stamp(), stamp());
    assert_eq!(claims.jti(), issued.jti);
    assert_eq!(claims.issued_at(), now());
    assert_eq!(claims.expires_at(), now() + TimeDelta::minutes(10));
    assert_eq!(claims.auth_time(), now() - TimeDelta::seconds(5));
}

#[test]
fn no_claim_may_be_missing_or_of_another_type() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    let header = header.to_string();
    assert!(is_valid(&jwt, &sign(&jwt, &header, &claims.to_string())), "the untouched one");

    for claim in CLAIMS {
        let is_time = matches!(claim, "exp" | "nbf" | "iat" | "auth_time");
        let mut cases = vec![
            None,
            Some(Value::Null),
            Some(json!(true)),
            Some(json!(-1)),
            Some(json!(1.9e9)),
            Some(json!(1e308)),
            Some(json!(u64::MAX)),
            Some(json!(i64::MAX)),
            Some(json!({})),
            Some(json!([])),
            Some(json!([1])),
            Some(json!([null])),
            Some(json!("")),
        ];
        if is_time {
            cases.extend([json!("1900000000"), json!([1_900_000_000]), json!("NaN")].map(Some));
            cases.push(Some(json!(253_402_300_800u64)));
        } else {
            cases.push(Some(json!(7)));
        }
        if claim != "aud" {
            cases.push(Some(json!([claims[claim]])));
        }
        for case in cases {
            let token = sign(&jwt, &header, &set(&claims, claim, case.clone()));
            assert!(
                matches!(jwt.verify(&token, now()), Verified::Invalid(_)),
                "{claim} = {case:?}: {:?}",
                jwt.verify(&token, now())
            );
        }
    }
}

#[test]
fn numbers_that_json_cannot_hold_are_invalid() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    for number in
        ["NaN", "Infinity", "-0", "1e10", "1900000000.0", "01900000000", "1e999", "0x7fffffff"]
    {
        let text = set(&claims, "exp", Some(json!("EXP"))).replace("\"EXP\"", number);
        assert!(!is_valid(&jwt, &sign(&jwt, &header.to_string(), &text)), "{number}");
    }
}

#[test]
fn a_member_given_twice_is_invalid() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    for claim in CLAIMS {
        let twice = format!("{{\"{claim}\":{},{}", claims[claim], &claims.to_string()[1..]);
        assert!(!is_valid(&jwt, &sign(&jwt, &header.to_string(), &twice)), "{twice}");
    }
    for member in ["alg", "typ", "kid"] {
        let twice = format!("{{\"{member}\":{},{}", header[member], &header.to_string()[1..]);
        assert!(!is_valid(&jwt, &sign(&jwt, &twice, &claims.to_string())), "{twice}");
    }
}

#[test]
fn claims_are_an_object_of_utf8() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    let header = header.to_string();
    let positional = Value::Array(CLAIMS.iter().map(|claim| claims[claim].clone()).collect());
    let text = claims.to_string();
    for other in [
        positional.to_string(),
        format!(" {positional}"),
        format!("[{text}]"),
        "null".to_owned(),
        String::new(),
        "{".to_owned(),
        format!("{text}{text}"),
        format!("\u{feff}{text}"),
    ] {
        assert!(!is_valid(&jwt, &sign(&jwt, &header, &other)), "{other}");
    }
    // In a member that nobody reads as well.
    let mut bytes = text.as_bytes()[..text.len() - 1].to_vec();
    bytes.extend(b",\"note\":\"\xff\xfe\"}");
    assert!(!is_valid(&jwt, &sign_bytes(&jwt, header.as_bytes(), &bytes)));
}

#[test]
fn other_members_are_let_be() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    let claims = set(&claims, "scope", Some(json!(["a", { "b": null }])));
    assert!(is_valid(&jwt, &sign(&jwt, &header.to_string(), &claims)));
}

#[test]
fn audience() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    let verify = |aud: Value| {
        let claims = set(&claims, "aud", Some(aud));
        jwt.verify(&sign(&jwt, &header.to_string(), &claims), now())
    };
    for ours in [json!(AUDIENCE), json!([AUDIENCE]), json!(["https://else.example", AUDIENCE])] {
        assert!(matches!(verify(ours.clone()), Verified::Valid(_)), "{ours}");
    }
    for theirs in [
        json!("https://else.example"),
        json!(["https://else.example", "b"]),
        json!(AUDIENCE.to_uppercase()),
        json!(format!("{AUDIENCE}/")),
        json!(&AUDIENCE[..AUDIENCE.len() - 1]),
    ] {
        assert!(matches!(verify(theirs.clone()), Verified::WrongAudience), "{theirs}");
    }
    for malformed in [json!([]), json!(""), json!([AUDIENCE, 7]), json!([[AUDIENCE]])] {
        assert!(matches!(verify(malformed.clone()), Verified::Invalid(_)), "{malformed}");
    }
}

#[test]
fn another_audience_is_told_only_of_tokens_that_are_good_in_all_else() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    let header = header.to_string();
    let theirs: Value =
        serde_json::from_str(&set(&claims, "aud", Some(json!("https://else.example")))).unwrap();
    assert!(matches!(
        jwt.verify(&sign(&jwt, &header, &theirs.to_string()), now()),
        Verified::WrongAudience
    ));
    for (member, value) in [
        ("exp", json!(1)),
        ("nbf", json!(2_000_000_000)),
        ("iss", json!("x")),
        ("stamp", json!("x")),
    ] {
        let token = sign(&jwt, &header, &set(&theirs, member, Some(value)));
        assert!(matches!(jwt.verify(&token, now()), Verified::Invalid(_)), "{member}");
    }
    let mut forged = sign(&jwt, &header, &theirs.to_string());
    forged.truncate(forged.len() - 43);
    forged.push_str(&base64url(&[0; 32]));
    assert_eq!(reason(&jwt, &forged), "wrong signature");
}

#[test]
fn another_issuer_is_invalid() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    for issuer in ["https://accounts.example/", "https://else.example", "HTTPS://ACCOUNTS.EXAMPLE"]
    {
        let claims = set(&claims, "iss", Some(json!(issuer)));
        assert_eq!(reason(&jwt, &sign(&jwt, &header.to_string(), &claims)), "another issuer");
    }
}

#[test]
fn a_user_of_another_realm_is_another_user() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    let verify = |realm: &str| {
        let claims = set(&claims, "realm", Some(json!(realm)));
        jwt.verify(&sign(&jwt, &header.to_string(), &claims), now())
    };
    let Verified::Valid(admin) = verify("admins") else { panic!() };
    assert_eq!(admin.user().as_str(), "admins:7");
    assert_ne!(admin.user(), &user());
    // `users` with the id `1:7` may not come out of the realm `users:1` with the id `7`.
    assert!(matches!(verify("users:1"), Verified::Invalid(_)));

    let colon = UserKey::from("users:1:7".to_owned());
    let issued = jwt.issue(&colon, stamp(), now(), None, now()).unwrap();
    let Verified::Valid(claims) = jwt.verify(issued.token.expose(), now()) else { panic!() };
    assert_eq!(claims.user(), &colon);
}
