//! Meta's `signed_request`: who asks for deauthorization or deletion, and by which app's secret (facts sheet §2.4).
//!
//! Invariant: the signature is checked over the payload as it came, still encoded, before a byte of it is decoded. Pure.
//!
//! Age: an old request is as good as a new one, because Meta may deliver late and a wish for deletion must not be lost; it does nothing
//! twice, because what follows from it is named by its signature ([`SignedRequest::code`]). A date in the future is taken for now.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shopbell_wire::Provider;

use super::signature::MetaSecrets;

/// Longest text that is looked at.
pub(crate) const SIGNED_REQUEST_MAX: usize = 8 * 1024;
const ID_MAX: usize = 64;

/// A request whose signature held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedRequest {
    /// Whose secret signed it.
    pub(crate) provider: Provider,
    /// App-scoped user: the owner.
    pub(crate) user_id: String,
    /// As Meta dated it, never later than now.
    pub(crate) issued_at_ms: Option<i64>,
    signature: [u8; 32],
}

impl SignedRequest {
    /// Names what follows from this request: the same for every delivery of it, and not to be guessed by anybody who has not seen it.
    /// Letters and digits, as Meta asks of a confirmation code.
    pub(crate) fn code(&self) -> String {
        hex::encode(&self.digest()[..16])
    }

    /// Id of the event that tells a device, the same for every delivery.
    pub(crate) fn event_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&self.digest()[16..]);
        id
    }

    fn digest(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"shopbell signed request v1")
            .chain_update(self.signature)
            .finalize()
            .into()
    }
}

/// Why it was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// Not of that form, or signed and without what is needed.
    Malformed,
    /// No secret of ours signed it.
    Forged,
}

/// Reads and checks one.
pub(crate) fn read(
    text: &str,
    secrets: &MetaSecrets,
    now_ms: i64,
) -> Result<SignedRequest, NotTaken> {
    #[derive(Deserialize)]
    struct Payload {
        algorithm: String,
        user_id: Value,
        #[serde(default)]
        issued_at: Option<Value>,
    }
    if text.len() > SIGNED_REQUEST_MAX {
        return Err(NotTaken::Malformed);
    }
    let (signature, payload) = text.split_once('.').ok_or(NotTaken::Malformed)?;
    let decode = |text: &str| B64.decode(text.trim_end_matches('='));
    let signature: [u8; 32] = decode(signature)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(NotTaken::Malformed)?;
    let secret = secrets
        .who_signed(payload.as_bytes(), &signature)
        .ok_or(NotTaken::Forged)?;
    let payload = decode(payload).map_err(|_| NotTaken::Malformed)?;
    let payload: Payload = serde_json::from_slice(&payload).map_err(|_| NotTaken::Malformed)?;
    if !payload.algorithm.eq_ignore_ascii_case("HMAC-SHA256") {
        return Err(NotTaken::Malformed);
    }
    let user_id = match payload.user_id {
        Value::String(id) => id,
        Value::Number(id) if id.is_u64() => id.to_string(),
        _ => return Err(NotTaken::Malformed),
    };
    if user_id.is_empty() || user_id.len() > ID_MAX {
        return Err(NotTaken::Malformed);
    }
    let seconds = match payload.issued_at {
        Some(Value::Number(seconds)) => seconds.as_i64(),
        Some(Value::String(seconds)) => seconds.parse().ok(),
        _ => None,
    };
    Ok(SignedRequest {
        provider: secret.provider,
        user_id,
        issued_at_ms: seconds
            .filter(|seconds| *seconds > 0)
            .map(|seconds: i64| seconds.saturating_mul(1000).min(now_ms)),
        signature,
    })
}

#[cfg(test)]
#[path = "signed_request_tests.rs"]
mod tests;
