//! Signatures of those who post: HMAC-SHA256 over the exact bytes, compared in constant time.
//!
//! Invariant: nothing is parsed before its signature held. Keys are keyed once, when the relay starts or a hook is read, so a request
//! pays for its bytes only. Which secret matched is told, so that an old one can be counted out (facts sheet §3.3, §12).

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shopbell_wire::Provider;

use crate::{Config, metrics::SecretWord};

/// A secret, ready to check signatures.
#[derive(Clone)]
pub(crate) struct Keyed(Hmac<Sha256>);

impl Keyed {
    /// Nothing for an empty secret: it would make every signature easy.
    pub(crate) fn new(secret: &str) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        Hmac::new_from_slice(secret.as_bytes()).ok().map(Self)
    }

    /// Whether this secret signed the message.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8; 32]) -> bool {
        self.0
            .clone()
            .chain_update(message)
            .verify_slice(signature)
            .is_ok()
    }
}

/// One of Meta's secrets.
pub(crate) struct MetaSecret {
    /// For the figures.
    pub(crate) word: SecretWord,
    /// Whose login it belongs to.
    pub(crate) provider: Provider,
    keyed: Keyed,
}

/// Every secret Meta may sign with: both apps', and the ones before during a rotation.
pub(crate) struct MetaSecrets(Vec<MetaSecret>);

impl MetaSecrets {
    /// Those that are configured.
    pub(crate) fn new(config: &Config) -> Self {
        let apps = [
            (
                &config.facebook,
                Provider::Facebook,
                [SecretWord::Facebook, SecretWord::FacebookPrevious],
            ),
            (
                &config.instagram,
                Provider::Instagram,
                [SecretWord::Instagram, SecretWord::InstagramPrevious],
            ),
        ];
        let mut secrets = Vec::new();
        for (app, provider, words) in apps {
            let Some(app) = app else { continue };
            let both = [Some(&app.app_secret), app.previous_secret.as_ref()];
            for (secret, word) in both.into_iter().zip(words) {
                if let Some(keyed) = secret.and_then(|secret| Keyed::new(secret.expose())) {
                    secrets.push(MetaSecret {
                        word,
                        provider,
                        keyed,
                    });
                }
            }
        }
        Self(secrets)
    }

    /// The secret that signed the message.
    pub(crate) fn who_signed(&self, message: &[u8], signature: &[u8; 32]) -> Option<&MetaSecret> {
        self.0
            .iter()
            .find(|secret| secret.keyed.signed(message, signature))
    }
}

/// The one value of a header; nothing when it is missing or there are two.
pub(crate) fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// `X-Hub-Signature-256: sha256=<64 hex>`.
pub(crate) fn hub(headers: &HeaderMap) -> Option<[u8; 32]> {
    let text = only(headers, "x-hub-signature-256")?.as_bytes();
    let mut signature = [0; 32];
    hex::decode_to_slice(text.strip_prefix(b"sha256=")?, &mut signature).ok()?;
    Some(signature)
}

/// A shop's signature: base64 with padding.
pub(crate) fn shop(headers: &HeaderMap, name: &str) -> Option<[u8; 32]> {
    let text = only(headers, name)?.as_bytes();
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// WordPress keeps secrets with their HTML characters escaped and signs with them unescaped; an owner may have copied either form.
pub(crate) fn unescape_html(secret: &str) -> String {
    let mut out = String::with_capacity(secret.len());
    let mut rest = secret;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let found = ENTITIES
            .iter()
            .find_map(|(entity, plain)| Some((rest.strip_prefix(entity)?, *plain)));
        match found {
            Some((after, plain)) => {
                out.push(plain);
                rest = after;
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

const ENTITIES: &[(&str, char)] = &[
    ("&amp;", '&'),
    ("&#038;", '&'),
    ("&#38;", '&'),
    ("&lt;", '<'),
    ("&#060;", '<'),
    ("&gt;", '>'),
    ("&#062;", '>'),
    ("&quot;", '"'),
    ("&#034;", '"'),
    ("&#x22;", '"'),
    ("&#039;", '\''),
    ("&#39;", '\''),
    ("&#x27;", '\''),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ORDER: &str =
        r##"{"id":820982911946154508,"name":"#9999","total_price":"403.00","currency":"USD"}"##;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn shops_sign_as_the_facts_sheet_says() {
        for (secret, name, value) in [
            (
                "shpss_test",
                "x-shopify-hmac-sha256",
                "FUeshH13ROu3c1HrtoMuaFV8kEp5Yik16wykML1MQjo=",
            ),
            (
                "wc_secret",
                "x-wc-webhook-signature",
                "yGUM6eN1wqW6+kpObgVaIeW+JiUiLUD/UMyiJuudhH4=",
            ),
        ] {
            let signature = shop(&headers(name, &[value]), name).unwrap();
            let keyed = Keyed::new(secret).unwrap();
            assert!(keyed.signed(ORDER.as_bytes(), &signature));
            assert!(
                keyed.signed(ORDER.as_bytes(), &signature),
                "a key is used again"
            );
            assert!(!keyed.signed(&ORDER.as_bytes()[1..], &signature));
            assert!(
                !Keyed::new("other")
                    .unwrap()
                    .signed(ORDER.as_bytes(), &signature)
            );
        }
        assert!(Keyed::new("").is_none());
    }

    #[test]
    fn a_header_that_is_no_signature_is_none() {
        let name = "x-hub-signature-256";
        let good = format!("sha256={}", "ab".repeat(32));
        assert_eq!(hub(&headers(name, &[&good])), Some([0xab; 32]));
        for bad in [
            "",
            "sha256=",
            "sha1=0000000000000000000000000000000000000000",
            &good[7..],
            &good[..70],
            &format!("{good}00"),
            &good.replace("ab", "zz"),
        ] {
            assert_eq!(hub(&headers(name, &[bad])), None, "{bad}");
        }
        assert_eq!(hub(&headers(name, &[&good, &good])), None, "two are none");
        assert_eq!(hub(&HeaderMap::new()), None);
        let name = "x-shopify-hmac-sha256";
        for bad in ["", "AAAA", "not base64!", &"A".repeat(43)] {
            assert_eq!(shop(&headers(name, &[bad]), name), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_copied_with_html_in_it_is_read_as_the_shop_signs() {
        for (copied, signs_with) in [
            ("plain", "plain"),
            ("a&amp;b", "a&b"),
            ("&lt;&quot;&#039;&gt;", "<\"'>"),
            ("&amp;lt;", "&lt;"),
            ("a&b&", "a&b&"),
            ("é&amp;é", "é&é"),
        ] {
            assert_eq!(unescape_html(copied), signs_with);
        }
    }
}
