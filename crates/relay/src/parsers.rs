//! Everything here that reads bytes from outside, one function for each, for tests that throw anything at them. None may panic; what
//! they answer is not told. Only with the feature `planted`.

use axum::http::{HeaderMap, HeaderValue};

use crate::{
    Config,
    events_in::{outside, signature},
};

/// Name of the corpus, and what reads it.
pub const ALL: &[(&str, fn(&[u8]))] = &[
    ("relay-webhook", outside::webhook),
    ("relay-signed-request", outside::signed_request),
    ("relay-signature", signatures),
    ("relay-config", config),
];

fn signatures(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert("x-hub-signature-256", value);
    let _ = signature::hub(&headers);
    let _ = signature::shop(&headers, "x-hub-signature-256");
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = signature::unescape_html(text);
    }
}

fn config(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Config::read(text, |_| None);
    }
}
