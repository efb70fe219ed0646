//! Unpadded base64url and fixed-length byte fields, the only encodings on this wire.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Bytes as unpadded base64url.
pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of unpadded base64url, or nothing when it is not exactly that.
pub(crate) fn unb64(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Like [`unb64`] for a value of known length.
pub(crate) fn unb64_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    unb64(text)?.try_into().ok()
}

/// Serde for `Vec<u8>` as base64url text.
pub(crate) mod bytes_b64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&super::b64(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        super::unb64(&text).ok_or_else(|| D::Error::custom("not base64url"))
    }
}
