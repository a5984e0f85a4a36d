//! Project Wycheproof's vectors for the four algorithms, on the keys of a ring.
//!
//! The messages of the vectors are no tokens, and nobody can sign others with those keys, so they go
//! to the key itself: what stands around it (parts, base64url, headers) has tests of its own, and the
//! signature is carried through base64url here as a token carries it.
//!
//! Left out: ECDSA with DER signatures and on other curves or hashes, RSA with other hashes and
//! RSA-PSS, HMAC with other hashes: there are no such algorithms here. Of `hmac_sha256`, tags that are
//! cut to 128 bits: tokens carry all 256. HMAC keys below 32 bytes are tried on the key, though a ring
//! refuses them.

use ::wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify};

use super::*;
use crate::jwt::key::{JwtKey, Private, Public};

/// Whether the signature holds, by the way that it takes in a token.
fn holds(key: &JwtKey, message: &[u8], signature: &[u8]) -> bool {
    let carried = unbase64url(&base64url(signature)).unwrap();
    key.verify(message, &carried)
}

fn verifying(public: Public) -> JwtKey {
    JwtKey::verifying(public, Some("test".into())).unwrap()
}

/// Tries all vectors of a set on the keys that its groups have, and counts the valid and the invalid
/// ones. Each kind of set is a type of its own.
macro_rules! tried {
    ($set:expr, $group:ident => $public:expr) => {{
        let (mut valid, mut invalid) = (0, 0);
        for $group in $set.test_groups {
            let key = verifying($public.unwrap());
            for test in $group.tests {
                let expected = test.result == TestResult::Valid;
                assert_eq!(
                    holds(&key, &test.msg, &test.sig),
                    expected,
                    "{} {}",
                    test.tc_id,
                    test.comment
                );
                *if expected { &mut valid } else { &mut invalid } += 1;
            }
        }
        (valid, invalid)
    }};
}

#[test]
fn es256() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let (valid, invalid) = tried!(set, group => Public::p256(&group.key.key));
    assert!(valid > 150 && invalid > 80, "{valid} valid, {invalid} invalid");
}

#[test]
fn eddsa() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let (valid, invalid) = tried!(set, group => Public::ed25519(&group.key.pk));
    assert!(valid > 50 && invalid > 30, "{valid} valid, {invalid} invalid");
}

#[test]
fn rs256() {
    let mut tried = 0;
    for name in [
        rsa_pkcs1_verify::TestName::Rsa2048Sha256,
        rsa_pkcs1_verify::TestName::Rsa3072Sha256,
        rsa_pkcs1_verify::TestName::Rsa4096Sha256,
        rsa_pkcs1_verify::TestName::Rsa8192Sha256,
    ] {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let Ok(public) = Public::rsa(&group.asn_key) else {
                panic!("a key of {name:?} cannot be read");
            };
            let key = verifying(public);
            for test in group.tests {
                let held = holds(&key, &test.msg, &test.sig);
                match test.result {
                    TestResult::Valid => assert!(held, "{name:?} {} {}", test.tc_id, test.comment),
                    // Acceptable are signatures whose parameters lack the NULL: not those of RFC 8017.
                    TestResult::Invalid | TestResult::Acceptable => {
                        assert!(!held, "{name:?} {} {}", test.tc_id, test.comment);
                    }
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
}

#[test]
fn hs256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut tried, mut cut) = (0, 0);
    for group in set.test_groups {
        for test in group.tests {
            let key = JwtKey::signing(Private::hmac(&test.key), Some("test".into())).unwrap();
            let held = holds(&key, &test.msg, &test.tag);
            if group.tag_size < 256 {
                assert!(!held, "{} {}", test.tc_id, test.comment);
                cut += 1;
                continue;
            }
            assert_eq!(held, test.result == TestResult::Valid, "{} {}", test.tc_id, test.comment);
            tried += 1;
        }
    }
    assert!(tried > 50 && cut > 50, "{tried} tried, {cut} cut");
}
