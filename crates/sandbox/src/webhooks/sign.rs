//! Signatures: HMAC over the exact bytes of a body, in both headers, and `signed_request`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;
use sha2::Sha256;

fn sha256(secret: &str, message: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

/// The value of `X-Hub-Signature-256`.
pub(crate) fn modern(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(sha256(secret, body)))
}

/// The value of the legacy `X-Hub-Signature`.
pub(crate) fn legacy(secret: &str, body: &[u8]) -> String {
    match Hmac::<Sha1>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            format!("sha1={}", hex::encode(mac.finalize().into_bytes()))
        }
        Err(_) => String::new(),
    }
}

/// `signed_request` of deauthorize and data-deletion callbacks; times in seconds.
pub(crate) fn signed_request(secret: &str, user_id: &str, issued_at: i64, expires: i64) -> String {
    // The order of keys is part of the test vector; a JSON map of this crate would sort them.
    let payload = format!(
        "{{\"user_id\":{},\"algorithm\":\"HMAC-SHA256\",\"issued_at\":{issued_at},\"expires\":{expires}}}",
        json!(user_id)
    );
    let encoded = URL_SAFE_NO_PAD.encode(payload);
    let signature = URL_SAFE_NO_PAD.encode(sha256(secret, encoded.as_bytes()));
    format!("{signature}.{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::answer::escape;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_body_is_escaped_and_signed_as_in_the_facts_sheet() {
        let plain = r#"{"object":"instagram","entry":[{"id":"17841400000000001","time":1764000000123,"messaging":[{"sender":{"id":"9001"},"recipient":{"id":"17841400000000001"},"timestamp":1764000000001,"message":{"mid":"aWdtZXNzYWdl","text":"café ☕ 😊 https://x.example/a"}}]}]}"#;
        let body = escape(plain);
        assert_eq!(body.len(), 279);
        assert!(body.contains(r"caf\u00e9 \u2615 \ud83d\ude0a https:\/\/x.example\/a"));
        assert_eq!(
            modern(SECRET, body.as_bytes()),
            "sha256=e33f2e7b49c382c91b207580aadf2bb0e399e6079b2e71ffa11cbddf33cf02d9"
        );
        assert_eq!(
            legacy(SECRET, body.as_bytes()),
            "sha1=46008ffde51ee2f03c163082e94ed8a6180e9ef7"
        );
        assert_eq!(
            modern(SECRET, plain.as_bytes()),
            "sha256=a157ff0f7e0935a94a5f9fd385723c5652a5e448d2bbea6c49a785ea4ac90ac1"
        );
    }

    #[test]
    fn a_signed_request_is_that_of_the_facts_sheet() {
        assert_eq!(
            signed_request(SECRET, "218471", 1_764_000_000, 1_764_003_600),
            "M1dK0aFoaW_A02BxSFwO0PW5Vu_ZpMsxX45jXcLRR0s.eyJ1c2VyX2lkIjoiMjE4NDcxIiwiYWxnb3JpdGhtIjoiSE1BQy1TSEEyNTYiLCJpc3N1ZWRfYXQiOjE3NjQwMDAwMDAsImV4cGlyZXMiOjE3NjQwMDM2MDB9"
        );
    }
}
