//! Time, rotation, and the memory of verified tokens.

use super::*;

fn valid_at(jwt: &Jwt, token: &str, seconds: i64) -> bool {
    matches!(jwt.verify(token, now() + TimeDelta::seconds(seconds)), Verified::Valid(_))
}

#[test]
fn a_token_lives_from_nbf_to_exp_give_or_take_the_leeway() {
    for cache_entries in [0, 64] {
        let jwt = JwtConfig::new(JwtKeys::hs256(SECRET).unwrap(), ISSUER, AUDIENCE)
            .cache_entries(cache_entries)
            .build()
            .unwrap();
        let token = issue(&jwt);
        for (seconds, valid) in [
            (-86_400, false),
            (-31, false),
            (-30, true),
            (0, true),
            (599, true),
            (600, true),
            (629, true),
            (630, false),
            (631, false),
            (86_400, false),
            // A hit that was refused does not spoil the token where the clock is set right again.
            (0, true),
        ] {
            assert_eq!(valid_at(&jwt, &token, seconds), valid, "{cache_entries}, {seconds}");
        }
        let just_before = now() + TimeDelta::milliseconds(629_999);
        assert!(matches!(jwt.verify(&token, just_before), Verified::Valid(_)));
    }
}

#[test]
fn each_time_is_checked_by_itself() {
    let jwt = hs256();
    let (header, claims) = parts(&issue(&jwt));
    let at = now().timestamp();
    for (claim, seconds, expected) in [
        ("exp", at - 29, None),
        ("exp", at - 30, Some("expired")),
        ("nbf", at + 30, None),
        ("nbf", at + 31, Some("not valid yet")),
        ("iat", at + 30, None),
        ("iat", at + 31, Some("issued in the future")),
        ("auth_time", at + 30, None),
        ("auth_time", at + 31, Some("login in the future")),
        ("auth_time", 0, None),
    ] {
        let token = sign(&jwt, &header.to_string(), &set(&claims, claim, Some(json!(seconds))));
        match expected {
            None => assert!(is_valid(&jwt, &token), "{claim} {seconds}"),
            Some(expected) => assert_eq!(reason(&jwt, &token), expected),
        }
    }
}

#[test]
fn lifetime_and_leeway_are_configured() {
    let config = || JwtConfig::new(JwtKeys::hs256(SECRET).unwrap(), ISSUER, AUDIENCE);
    let jwt = config().lifetime(TimeDelta::minutes(5)).leeway(TimeDelta::zero()).build().unwrap();
    let token = issue(&jwt);
    assert!(valid_at(&jwt, &token, 299) && !valid_at(&jwt, &token, 300));
    assert!(valid_at(&jwt, &token, 0) && !valid_at(&jwt, &token, -1));

    let issue = |lifetime| jwt.issue(&user(), stamp(), now(), Some(lifetime), now());
    let hour = issue(TimeDelta::hours(1)).unwrap();
    assert_eq!(hour.expires_in, TimeDelta::hours(1));
    assert!(valid_at(&jwt, hour.token.expose(), 3599));
    assert!(!valid_at(&jwt, hour.token.expose(), 3600));
    for lifetime in [TimeDelta::zero(), TimeDelta::seconds(-1), TimeDelta::MAX, TimeDelta::MIN] {
        assert!(issue(lifetime).is_err(), "{lifetime}");
    }

    for wrong in [
        config().lifetime(TimeDelta::zero()),
        config().leeway(TimeDelta::seconds(-1)),
        config().leeway(TimeDelta::seconds(61)),
        JwtConfig::new(JwtKeys::hs256(SECRET).unwrap(), "", AUDIENCE),
        JwtConfig::new(JwtKeys::hs256(SECRET).unwrap(), ISSUER, ""),
    ] {
        assert!(wrong.build().is_err());
    }
}

#[test]
fn only_users_get_tokens() {
    let jwt = hs256();
    for key in ["", "7", ":7", "users:", ":"] {
        let user = UserKey::from(key.to_owned());
        assert!(jwt.issue(&user, stamp(), now(), None, now()).is_err(), "{key}");
    }
}

#[test]
fn an_old_key_verifies_and_the_new_one_signs() {
    let old = JwtKeys::generate(JwtAlgorithm::EdDsa).unwrap();
    let old_text = old.dangerous_private_jwks().unwrap();
    let before = with(old);
    let old_token = issue(&before);

    let new = JwtKeys::generate(JwtAlgorithm::Es256).unwrap();
    let both = with(new.with_previous(JwtKeys::from_jwks(&old_text).unwrap()).unwrap());
    let new_token = issue(&both);
    assert!(is_valid(&both, &old_token));
    assert!(is_valid(&both, &new_token));
    assert_eq!(parts(&new_token).0["alg"], "ES256");
    assert_eq!(reason(&before, &new_token), "unknown key");

    // The old key is taken out.
    let after = with(JwtKeys::from_jwks(&both.keys.dangerous_private_jwks().unwrap()).unwrap());
    assert!(is_valid(&after, &old_token));
    let set: Value = serde_json::from_str(&both.keys.dangerous_private_jwks().unwrap()).unwrap();
    let after = with(JwtKeys::from_jwks(&set["keys"][0].to_string()).unwrap());
    assert_eq!(reason(&after, &old_token), "unknown key");
    assert!(is_valid(&after, &new_token));
}

#[test]
fn remembers_valid_tokens_one_by_one() {
    let jwt = hs256();
    let cache = jwt.cache.as_ref().unwrap();
    let (first, second) = (issue(&jwt), issue(&jwt));
    assert_ne!(first, second);
    let claims = |token: &str| match jwt.verify(token, now()) {
        Verified::Valid(claims) => claims,
        other => panic!("{other:?}"),
    };
    let cold = claims(&first);
    assert!(std::sync::Arc::ptr_eq(&cold, &claims(&first)), "the second time is a hit");
    assert_ne!(cold.jti(), claims(&second).jti());
    assert_eq!(cache.len(), 2);

    for invalid in [&first[1..], &first[..first.len() - 1], "a.b.c"] {
        assert!(!is_valid(&jwt, invalid));
    }
    let (header, claims) = parts(&first);
    let theirs = set(&claims, "aud", Some(json!("else")));
    let theirs = sign(&jwt, &header.to_string(), &theirs);
    assert!(matches!(jwt.verify(&theirs, now()), Verified::WrongAudience));
    assert_eq!(cache.len(), 2, "only valid tokens are remembered");

    assert!(!valid_at(&jwt, &first, 630));
    assert_eq!(cache.len(), 1, "an expired token is forgotten");
}

#[test]
fn the_memory_is_bounded() {
    let jwt = JwtConfig::new(JwtKeys::hs256(SECRET).unwrap(), ISSUER, AUDIENCE)
        .cache_entries(32)
        .build()
        .unwrap();
    let tokens: Vec<_> = (0..200).map(|_| issue(&jwt)).collect();
    for token in tokens.iter().chain(&tokens) {
        assert!(is_valid(&jwt, token));
        assert!(jwt.cache.as_ref().unwrap().len() <= 32);
    }
    assert!(jwt.cache.as_ref().unwrap().len() > 16);
}

#[test]
fn the_token_that_ends_first_makes_room() {
    let jwt = JwtConfig::new(JwtKeys::hs256(SECRET).unwrap(), ISSUER, AUDIENCE)
        .cache_entries(1)
        .build()
        .unwrap();
    let cache = jwt.cache.as_ref().unwrap();
    let issue = |minutes| {
        let lifetime = Some(TimeDelta::minutes(minutes));
        let issued = jwt.issue(&user(), stamp(), now(), lifetime, now()).unwrap();
        (cache.tag(issued.token.expose()).unwrap(), issued.token)
    };
    let mut tag_and_token = issue(1);
    let (tag, short) = (tag_and_token.0, tag_and_token.1.expose().to_owned());
    assert!(is_valid(&jwt, &short));
    // Another token of the same shard.
    while tag_and_token.0[0] % 16 != tag[0] % 16 || tag_and_token.0 == tag {
        tag_and_token = issue(5);
    }
    assert!(is_valid(&jwt, tag_and_token.1.expose()));
    assert!(cache.get(&tag).is_none());
    assert!(cache.get(&tag_and_token.0).is_some());
}

#[test]
fn a_tag_is_of_the_whole_token_and_of_one_memory_only() {
    let (jwt, other) = (hs256(), hs256());
    let tag = |jwt: &Jwt, token: &str| jwt.cache.as_ref().unwrap().tag(token).unwrap();
    let token = issue(&jwt);
    let remembered = tag(&jwt, &token);
    assert_eq!(tag(&jwt, &token), remembered);
    assert_ne!(tag(&other, &token), remembered, "the key is drawn for each memory");
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        assert_ne!(tag(&jwt, &changed), remembered, "{index}");
        assert_ne!(tag(&jwt, &token[..index]), remembered, "{index}");
    }
}

#[test]
fn debug_shows_no_token() {
    let issued = hs256().issue(&user(), stamp(), now(), None, now()).unwrap();
    let shown = format!("{issued:?}");
    assert!(shown.contains("AccessToken(…)"), "{shown}");
    for part in issued.token.expose().split('.') {
        assert!(!shown.contains(part));
    }
}
