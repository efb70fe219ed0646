//! The readers of this room, for `crate::parsers`.

use super::{envelope, signature::MetaSecrets, signed_request};
use crate::{Config, MetaApp, Upstreams};
use shopbell_wire::Secret;
use url::Url;

/// The body of a webhook.
pub(crate) fn webhook(bytes: &[u8]) {
    for entry in envelope::parse(bytes).into_iter().flatten() {
        let _ = envelope::recipient(entry.text);
    }
}

/// A `signed_request`; what is no such thing is signed as if it were, so that the payload's reader is reached.
pub(crate) fn signed_request(bytes: &[u8]) {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let Ok(base) = Url::parse("http://127.0.0.1:9/") else {
        return;
    };
    let Ok(upstreams) = Upstreams::below(&base) else {
        return;
    };
    let app = MetaApp::new("1", Secret::new("made up"));
    let secrets = MetaSecrets::new(&Config::in_memory(upstreams, Some(app), None));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = signed_request::read(text, &secrets, 1_790_000_000_000);
    }
    let payload = B64.encode(bytes);
    if let Ok(mac) = Hmac::<sha2::Sha256>::new_from_slice(b"made up") {
        let signature = mac.chain_update(&payload).finalize().into_bytes();
        let text = format!("{}.{payload}", B64.encode(signature));
        let _ = signed_request::read(&text, &secrets, 1_790_000_000_000);
    }
}
