#![allow(clippy::unwrap_used)]
use super::*;
use crate::{Config, MetaApp, Upstreams};
use hmac::{Hmac, KeyInit as _, Mac as _};
use shopbell_wire::Secret;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const INSTAGRAM: &str = "fedcba9876543210fedcba9876543210";
const NOW: i64 = 1_790_000_000_000;
/// Facts sheet, appendix A.
const VECTOR: &str = "M1dK0aFoaW_A02BxSFwO0PW5Vu_ZpMsxX45jXcLRR0s.eyJ1c2VyX2lkIjoiMjE4NDcxIiwiYWxnb3JpdGhtIjoiSE1BQy1TSEEyNTYiLCJpc3N1ZWRfYXQiOjE3NjQwMDAwMDAsImV4cGlyZXMiOjE3NjQwMDM2MDB9";

fn secrets() -> MetaSecrets {
    let app = |id: &str, secret: &str, previous: Option<&str>| MetaApp {
        app_id: id.into(),
        app_secret: Secret::new(secret),
        previous_secret: previous.map(Secret::new),
        config_id: None,
        scopes: Vec::new(),
    };
    MetaSecrets::new(&Config::in_memory(
        Upstreams::default(),
        Some(app("138", SECRET, Some("the one before"))),
        Some(app("990", INSTAGRAM, None)),
    ))
}

fn sign(secret: &str, payload: &str) -> String {
    let payload = B64.encode(payload);
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap()
        .chain_update(payload.as_bytes())
        .finalize()
        .into_bytes();
    format!("{}.{payload}", B64.encode(mac))
}

#[test]
fn the_published_vector_is_taken_however_old() {
    let request = read(VECTOR, &secrets(), NOW).unwrap();
    assert_eq!(
        (
            request.provider,
            request.user_id.as_str(),
            request.issued_at_ms
        ),
        (Provider::Facebook, "218471", Some(1_764_000_000_000))
    );
    assert_eq!(request, read(VECTOR, &secrets(), NOW + 1).unwrap());
    assert!(request.code().bytes().all(|b| b.is_ascii_alphanumeric()));
    assert_eq!(
        request.code(),
        read(VECTOR, &secrets(), NOW).unwrap().code()
    );
}

#[test]
fn the_secret_says_which_login() {
    let payload = r#"{"user_id":77,"algorithm":"HMAC-SHA256","issued_at":"1764000000"}"#;
    for (secret, provider) in [
        (SECRET, Provider::Facebook),
        ("the one before", Provider::Facebook),
        (INSTAGRAM, Provider::Instagram),
    ] {
        let request = read(&sign(secret, payload), &secrets(), NOW).unwrap();
        assert_eq!(
            (request.provider, request.user_id.as_str()),
            (provider, "77")
        );
        assert_eq!(request.issued_at_ms, Some(1_764_000_000_000));
    }
    let other = sign("somebody's", payload);
    assert_eq!(read(&other, &secrets(), NOW), Err(NotTaken::Forged));
}

#[test]
fn a_date_in_the_future_is_now_and_none_is_none() {
    let at = |issued: &str| {
        let payload = format!(r#"{{"user_id":"7","algorithm":"hmac-sha256"{issued}}}"#);
        read(&sign(SECRET, &payload), &secrets(), NOW)
            .unwrap()
            .issued_at_ms
    };
    assert_eq!(at(r#","issued_at":1999999999"#), Some(NOW));
    assert_eq!(at(r#","issued_at":9223372036854775807"#), Some(NOW));
    for none in [
        "",
        r#","issued_at":null"#,
        r#","issued_at":0"#,
        r#","issued_at":-5"#,
        r#","issued_at":"x""#,
    ] {
        assert_eq!(at(none), None, "{none}");
    }
}

#[test]
fn other_algorithms_other_signatures_and_halves_are_refused() {
    for payload in [
        r#"{"user_id":"7","algorithm":"none"}"#,
        r#"{"user_id":"7","algorithm":"HMAC-SHA1"}"#,
        r#"{"user_id":"7"}"#,
        r#"{"algorithm":"HMAC-SHA256"}"#,
        r#"{"user_id":"","algorithm":"HMAC-SHA256"}"#,
        r#"{"user_id":-7,"algorithm":"HMAC-SHA256"}"#,
        r#"{"user_id":{},"algorithm":"HMAC-SHA256"}"#,
        "[]",
        "no json",
    ] {
        let read = read(&sign(SECRET, payload), &secrets(), NOW);
        assert_eq!(read, Err(NotTaken::Malformed), "{payload}");
    }
    let (signature, payload) = VECTOR.split_once('.').unwrap();
    for (text, why) in [
        (String::new(), NotTaken::Malformed),
        (payload.to_owned(), NotTaken::Malformed),
        (format!(".{payload}"), NotTaken::Malformed),
        (
            format!("{}.{payload}", &signature[1..]),
            NotTaken::Malformed,
        ),
        (format!("{signature}."), NotTaken::Forged),
        (format!("{signature}.{payload}="), NotTaken::Forged),
        (format!("{signature}.{}", &payload[1..]), NotTaken::Forged),
        (
            format!("{signature}.{}", "A".repeat(SIGNED_REQUEST_MAX)),
            NotTaken::Malformed,
        ),
    ] {
        assert_eq!(read(&text, &secrets(), NOW), Err(why));
    }
    for at in 0..VECTOR.len() {
        let mut torn = VECTOR.as_bytes().to_vec();
        torn[at] = if torn[at] == b'A' { b'B' } else { b'A' };
        assert!(
            read(std::str::from_utf8(&torn).unwrap(), &secrets(), NOW).is_err(),
            "at {at}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[A-Za-z0-9_.=-]{0,120}|.{0,120}") {
        let _ = read(&text, &secrets(), NOW);
    }

    #[test]
    fn no_signed_payload_makes_it_panic(payload in ".{0,120}") {
        let _ = read(&sign(SECRET, &payload), &secrets(), NOW);
    }
}
