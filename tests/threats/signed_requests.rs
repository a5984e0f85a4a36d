//! Signed requests that were changed on their way, kept and sent again, or made up.

use auth_poem::{prelude::*, signature::Signer};
use auth_tests::{Depot, Logs};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};

fn refused() -> (u16, String) {
    (401, "invalid_signature".into())
}

type Headers = Vec<(&'static str, String)>;

fn changed(headers: &Headers, name: &str, change: impl Fn(&str) -> String) -> Headers {
    let mut headers = headers.clone();
    let found = headers.iter_mut().find(|(known, _)| *known == name).unwrap();
    found.1 = change(&found.1);
    headers
}

fn without(headers: &Headers, name: &str) -> Headers {
    headers.iter().filter(|(known, _)| *known != name).cloned().collect()
}

#[tokio::test]
async fn whatever_is_changed_is_refused() {
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("ann", None).await;
    let signer = signer.with_header("x-amount".parse().unwrap());
    let path = "/echo?to=bob";
    let sign = || {
        // Signed anew each time, so that no repetition hides what is tested.
        let mut headers = poem::http::HeaderMap::new();
        headers.insert("host", "depot.example".parse().unwrap());
        headers.insert("x-amount", "10".parse().unwrap());
        let (method, uri) = (poem::http::Method::POST, path.parse().unwrap());
        let message =
            auth_poem::signature::Message { method: &method, uri: &uri, headers: &headers };
        let added = signer.headers_for(&message, b"body", depot.clock.now()).unwrap();
        let mut all: Headers = vec![("host", "depot.example".into()), ("x-amount", "10".into())];
        for (name, value) in added {
            let names = ["content-digest", "signature-input", "signature"];
            let name = names.into_iter().find(|known| name == *known).unwrap();
            all.push((name, value.to_str().unwrap().into()));
        }
        all
    };
    let fine = depot.send("POST", path, &sign(), "body").await;
    assert_eq!(fine.is(200).body, "ann: body");
    let post = |path: &str, headers: &Headers, body: &str| {
        depot.send("POST", path, headers, body.to_owned())
    };
    for (what, ask) in [
        ("the body", post(path, &sign(), "bodY")),
        ("no body", post(path, &sign(), "")),
        ("a longer body", post(path, &sign(), "body ")),
        ("the query", post("/echo?to=eve", &sign(), "body")),
        ("no query", post("/echo", &sign(), "body")),
        ("an empty query", post("/echo?", &sign(), "body")),
        ("a longer query", post("/echo?to=bob&to=eve", &sign(), "body")),
        ("the path", post("/access-keys?to=bob", &sign(), "body")),
        ("the method", depot.send("GET", "/me?to=bob", &sign(), "body")),
        ("the host", post(path, &changed(&sign(), "host", |_| "evil.example".into()), "body")),
        ("a header", post(path, &changed(&sign(), "x-amount", |_| "99".into()), "body")),
        ("a header gone", post(path, &without(&sign(), "x-amount"), "body")),
        ("a header twice", post(path, &[sign(), vec![("x-amount", "99".into())]].concat(), "body")),
        (
            "the digest",
            post(
                path,
                &changed(&sign(), "content-digest", |_| {
                    // That of no body.
                    "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:".into()
                }),
                "",
            ),
        ),
        ("no digest", post(path, &without(&sign(), "content-digest"), "body")),
        (
            "the time",
            post(
                path,
                &changed(&sign(), "signature-input", |input| {
                    let created = input.split("created=").nth(1).unwrap();
                    let created = created.split(';').next().unwrap();
                    input.replace(created, &(created.parse::<i64>().unwrap() + 1).to_string())
                }),
                "body",
            ),
        ),
        (
            "the nonce",
            post(
                path,
                &changed(&sign(), "signature-input", |input| {
                    input.replace("nonce=\"", "nonce=\"x")
                }),
                "body",
            ),
        ),
        (
            "what is signed",
            post(
                path,
                &changed(&sign(), "signature-input", |input| {
                    input.replace("\"x-amount\"", "\"content-type\"")
                }),
                "body",
            ),
        ),
        (
            "less is signed",
            post(
                path,
                &changed(&sign(), "signature-input", |input| {
                    input.replace(" \"content-digest\"", "")
                }),
                "body",
            ),
        ),
        (
            "the signature",
            post(
                path,
                &changed(&sign(), "signature", |_| format!("sig=:{}=:", "A".repeat(43))),
                "body",
            ),
        ),
        (
            "a short signature",
            post(path, &changed(&sign(), "signature", |_| "sig=::".into()), "body"),
        ),
    ] {
        assert_eq!(ask.await.outcome(), refused(), "{what}");
    }
    let noted = depot.nonces.noted();
    assert_eq!(noted, 1, "only what is signed well is remembered");
}

#[tokio::test]
async fn a_request_is_accepted_once() {
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("ann", None).await;
    let headers = depot.sign(&signer, "POST", "/echo", b"pay");
    assert_eq!(depot.send("POST", "/echo", &headers, "pay").await.is(200).body, "ann: pay");
    for seconds in [0, 30, 30, 1, 3600] {
        depot.clock.advance(Duration::seconds(seconds));
        let again = depot.send("POST", "/echo", &headers, "pay").await;
        assert_eq!(again.outcome(), refused(), "{seconds} s later");
    }
    let input = &headers.iter().find(|(name, _)| *name == "signature-input").unwrap().1;
    assert!(input.contains(";nonce="), "{input}");
}

#[tokio::test]
async fn without_a_nonce_what_was_signed_is_accepted_once() {
    let depot = Depot::new().await;
    let (id, secret) = depot.access_key("ann", None).await;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let sign = |path: &str| {
        let now = depot.clock.now().timestamp();
        let input = format!("(\"@method\" \"@authority\" \"@path\");created={now};keyid=\"{id}\"");
        let base = format!(
            "\"@method\": GET\n\"@authority\": depot.example\n\"@path\": {path}\n\
             \"@signature-params\": {input}"
        );
        let signature = STANDARD.encode(hmac::sign(&key, base.as_bytes()));
        vec![
            ("host", "Depot.Example:443".to_owned()),
            ("signature-input", format!("a={input}")),
            ("signature", format!("a=:{signature}:")),
        ]
    };
    let headers = sign("/me");
    assert_eq!(depot.send("GET", "/me", &headers, "").await.is(200).body, "ann");
    assert_eq!(depot.send("GET", "/me", &headers, "").await.outcome(), refused());
    assert_eq!(depot.send("GET", "/maybe", &sign("/maybe"), "").await.is(200).body, "ann");
    // The query is not signed, so there may be none.
    let longer = depot.send("GET", "/maybe?all=1", &sign("/maybe"), "").await;
    assert_eq!(longer.outcome(), refused());
}

/// Headers that sign what the first text says, with further parameters, and nothing else; `lines` is
/// what stands in front of the parameters in the signature base.
fn signed_by_hand(id: &str, secret: &str, names: &str, parameters: &str, lines: &str) -> Headers {
    let input = format!("({names});{parameters};keyid=\"{id}\"");
    let base = format!("{lines}\"@signature-params\": {input}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, base.as_bytes()));
    vec![
        ("host", "depot.example".to_owned()),
        ("signature-input", format!("a={input}")),
        ("signature", format!("a=:{signature}:")),
    ]
}

#[tokio::test]
async fn what_leaves_something_open_is_refused() {
    let depot = Depot::new().await;
    let (id, secret) = depot.access_key("ann", None).await;
    let now = depot.clock.now().timestamp();
    let method = ("\"@method\"", "\"@method\": GET\n");
    let host = ("\"@authority\"", "\"@authority\": depot.example\n");
    let path = ("\"@path\"", "\"@path\": /maybe\n");
    let all = [method, host, path];
    // Each with a nonce of its own, so that no repetition hides what is tested.
    let nonces = std::cell::Cell::new(0);
    let of_now = format!("created={now}");
    let ask = async |parts: &[(&str, &str)], parameters: &str, path: &str, body: &str| {
        let names: Vec<_> = parts.iter().map(|part| part.0).collect();
        let lines: String = parts.iter().map(|part| part.1).collect();
        nonces.set(nonces.get() + 1);
        let parameters = format!("{parameters};nonce=\"{}\"", nonces.get());
        let headers = signed_by_hand(&id, &secret, &names.join(" "), &parameters, &lines);
        let verb = if path == "/echo" { "POST" } else { "GET" };
        depot.send(verb, path, &headers, body.to_owned()).await
    };
    assert_eq!(ask(&all, &of_now, "/maybe", "").await.is(200).body, "ann");
    for (what, parts, parameters, path) in [
        ("the method", vec![host, path], of_now.clone(), "/maybe"),
        ("the host", vec![method, path], of_now.clone(), "/maybe"),
        ("the path", vec![method, host], of_now.clone(), "/maybe"),
        ("the query", all.to_vec(), of_now.clone(), "/maybe?a=1"),
        ("twice the same", vec![method, host, path, path], of_now.clone(), "/maybe"),
        ("over", all.to_vec(), format!("created={now};expires={now}"), "/maybe"),
        ("another algorithm", all.to_vec(), format!("created={now};alg=\"ed25519\""), "/maybe"),
    ] {
        let answer = ask(&parts, &parameters, path, "").await;
        assert_eq!(answer.outcome(), refused(), "{what}");
    }
    let post = [("\"@method\"", "\"@method\": POST\n"), host, ("\"@path\"", "\"@path\": /echo\n")];
    let answer = ask(&post, &of_now, "/echo", "any body").await;
    assert_eq!(answer.outcome(), refused(), "the body");
    // Without `created` nobody knows for how long to remember it.
    let answer = ask(&all, &format!("expires={}", now + 30), "/maybe", "").await;
    assert_eq!(answer.outcome(), (401, "malformed_credentials".into()));
}

#[tokio::test]
async fn of_many_that_send_it_at_once_one_succeeds() {
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("ann", None).await;
    let headers = depot.sign(&signer, "GET", "/me", b"");
    let asks = (0..20).map(|_| {
        use std::future::IntoFuture;
        depot.send("GET", "/me", &headers, "").into_future()
    });
    let answers = futures_util::future::join_all(asks).await;
    let successes = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(successes, 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.outcome() == refused()));
}

#[tokio::test]
async fn an_old_signature_and_one_from_the_future_are_worth_nothing() {
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("ann", None).await;
    let early = depot.sign(&signer, "GET", "/me", b"");
    depot.clock.advance(Duration::seconds(61));
    assert_eq!(depot.send("GET", "/me", &early, "").await.outcome(), refused());
    depot.clock.advance(Duration::seconds(61));
    let late = depot.sign(&signer, "GET", "/me", b"");
    depot.clock.advance(Duration::seconds(-61));
    assert_eq!(depot.send("GET", "/me", &late, "").await.outcome(), refused());
    depot.clock.advance(Duration::seconds(1));
    assert_eq!(depot.send("GET", "/me", &late, "").await.is(200).body, "ann");
}

#[tokio::test]
async fn who_knows_only_the_id_signs_nothing() {
    let depot = Depot::new().await;
    let (_, id) = depot.signer("ann", None).await;
    let (bobs, _) = depot.signer("bob", None).await;
    for signer in [
        Signer::hmac_sha256(&id, b""),
        Signer::hmac_sha256(&id, id.as_bytes()),
        Signer::ed25519(&id, &[7; 32]).unwrap(),
        Signer::hmac_sha256("ak_nobody", b"x"),
    ] {
        let answer = depot.signed_get(&signer, "/maybe").await;
        assert_eq!(answer.outcome(), refused(), "{signer:?}");
    }
    // Another user's signature under this id.
    let headers = depot.sign(&bobs, "GET", "/me", b"");
    let headers = changed(&headers, "signature-input", |input| {
        let start = input.find("keyid=").unwrap();
        let end = input[start..].find(';').unwrap() + start;
        format!("{}keyid=\"{id}\"{}", &input[..start], &input[end..])
    });
    assert_eq!(depot.send("GET", "/me", &headers, "").await.outcome(), refused());
}

#[tokio::test]
async fn a_signature_for_one_host_is_none_for_another() {
    let depot = Depot::signed_as(|it| it.host("Depot.Example"), |config| config).await;
    let (signer, _) = depot.signer("ann", None).await;
    assert_eq!(depot.signed_get(&signer, "/me").await.is(200).body, "ann");
    let mut headers = poem::http::HeaderMap::new();
    headers.insert("host", "other.example".parse().unwrap());
    let (method, uri) = (poem::http::Method::GET, "/me".parse().unwrap());
    let message = auth_poem::signature::Message { method: &method, uri: &uri, headers: &headers };
    let signed = signer.headers_for(&message, b"", depot.clock.now()).unwrap();
    let mut ask = depot.browser().get("/me").header("host", "other.example");
    for (name, value) in &signed {
        let names = ["signature-input", "signature"];
        let name = names.into_iter().find(|known| name == *known).unwrap();
        ask = ask.header(name, value.to_str().unwrap());
    }
    assert_eq!(ask.await.outcome(), refused());
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_never_a_fault() {
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("ann", None).await;
    let headers = depot.sign(&signer, "GET", "/maybe", b"");
    let malformed = (401, "malformed_credentials".to_owned());
    let long = "(".repeat(20_000);
    for (name, value) in [
        ("signature-input", ""),
        ("signature-input", "sig=()"),
        ("signature-input", "sig=(\"@method\";created=1"),
        ("signature-input", &long),
        ("signature", "sig=1"),
        ("signature", "other=:AAAA:"),
        ("signature", "sig=:!!!:"),
    ] {
        let headers = changed(&headers, name, |_| value.to_owned());
        let answer = depot.send("GET", "/maybe", &headers, "").await;
        assert_eq!(answer.outcome(), malformed, "{name}: {value:.40}");
    }
    for name in ["signature-input", "signature"] {
        let answer = depot.send("GET", "/maybe", &without(&headers, name), "").await;
        assert_eq!(answer.outcome(), malformed, "without {name}");
    }
    let two = changed(&headers, "signature", |value| format!("{value}, b=:AAAA:"));
    assert_eq!(depot.send("GET", "/maybe", &two, "").await.outcome(), malformed);
    let answer = depot.send("GET", "/maybe", &without(&headers, "host"), "").await;
    assert_eq!(answer.outcome(), refused(), "no host");
}

#[tokio::test]
async fn while_a_store_is_down_nobody_is_anybody_and_nothing_is_accepted_twice() {
    let logs = Logs::capture();
    let depot = Depot::new().await;
    let (signer, _) = depot.signer("ann", None).await;
    let unavailable = (503, "unavailable".to_owned());
    depot.access_keys.fail(true);
    for path in ["/me", "/maybe"] {
        assert_eq!(depot.signed_get(&signer, path).await.outcome(), unavailable, "{path}");
    }
    depot.access_keys.fail(false);
    depot.nonces.fail(true);
    for path in ["/me", "/maybe"] {
        assert_eq!(depot.signed_get(&signer, path).await.outcome(), unavailable, "{path}");
    }
    depot.nonces.fail(false);
    assert_eq!(depot.signed_get(&signer, "/me").await.is(200).body, "ann");
    assert!(logs.text().contains("switched to fail"), "{}", logs.text());
}

#[tokio::test]
async fn neither_the_store_nor_the_log_knows_the_secret() {
    use auth_core::{access_keys::KeyMaterial, keys::KeyStore};
    let logs = Logs::capture();
    let depot = Depot::new().await;
    let (id, secret) = depot.access_key("ann", None).await;
    let record = depot.access_keys.load(&id).await.unwrap().unwrap();
    let KeyMaterial::HmacSha256 { sealed } = &record.verifier else { panic!("{record:?}") };
    assert!(!sealed.contains(&secret) && !format!("{record:?}").contains(sealed.as_str()));
    // One row's secret in another one opens nothing: it is a fault, and nobody's signature.
    let (bobs, _) = depot.signer("bob", None).await;
    let mut moved = (*record).clone();
    moved.id = "ak_moved".into();
    assert!(depot.access_keys.create(&moved).await.unwrap());
    let signer = Signer::hmac_sha256("ak_moved", secret.as_bytes());
    let answer = depot.signed_get(&signer, "/me").await;
    assert_eq!(answer.outcome(), (503, "unavailable".into()));
    assert_eq!(depot.signed_get(&bobs, "/me").await.is(200).body, "bob");
    assert!(!logs.text().contains(&secret), "{}", logs.text());
}
