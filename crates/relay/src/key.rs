//! The relay's own key and what is sealed under it: started sign-ins, codes, shops' signing secrets.
//!
//! XChaCha20-Poly1305, one key per purpose through HKDF-SHA256, so a code can never be taken for a state.
//! The text form is a prefix and base64url(nonce ‖ ciphertext). Of what is sealed here only shops' secrets
//! are stored.

use std::{io::Write as _, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    clock::{Entropy, random},
    config::KeySource,
};

/// Why the key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not 32 bytes of base64url or hex.
    #[error("the relay key must be 32 bytes as hex or base64url")]
    Malformed,
    /// The file cannot be read or written.
    #[error("the key file cannot be used: {0}")]
    File(#[from] std::io::Error),
}

/// What a sealed text is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Rides in Meta's `state`.
    State,
    /// Is the code the app redeems.
    Code,
    /// A shop's signing secret, in the storage.
    HookSecret,
}

impl Purpose {
    fn prefix(self) -> &'static str {
        match self {
            Self::State => "sbs1.",
            Self::Code => shopbell_wire::CODE_PREFIX,
            Self::HookSecret => "sbh1.",
        }
    }
}

/// Sealing keys derived from the relay's one.
pub(crate) struct RelayKey {
    state: XChaCha20Poly1305,
    code: XChaCha20Poly1305,
    hook_secret: XChaCha20Poly1305,
    health: Hmac<Sha256>,
}

impl RelayKey {
    /// Reads the key, or makes the file on the first start.
    pub(crate) fn load(source: &KeySource, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let bytes = match source {
            KeySource::Given(text) => parse(text.expose())?,
            KeySource::Ephemeral => Zeroizing::new(random(entropy)),
            KeySource::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => parse(&Zeroizing::new(text))?,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => create(path, entropy)?,
                Err(e) => return Err(e.into()),
            },
        };
        Ok(Self::from_bytes(&bytes))
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let expanded = |label: &[u8]| {
            let mut out = Zeroizing::new([0u8; 32]);
            hkdf::Hkdf::<Sha256>::new(Some(b"shopbell relay v1"), bytes)
                .expand(label, out.as_mut())
                .expect("32 bytes are within HKDF's limit");
            out
        };
        let derived = |label: &[u8]| XChaCha20Poly1305::new((&*expanded(label)).into());
        Self {
            state: derived(b"state"),
            code: derived(b"code"),
            hook_secret: derived(b"hook secret"),
            health: Hmac::new_from_slice(expanded(b"health").as_ref())
                .expect("HMAC takes a key of any length"),
        }
    }

    fn cipher(&self, purpose: Purpose) -> &XChaCha20Poly1305 {
        match purpose {
            Purpose::State => &self.state,
            Purpose::Code => &self.code,
            Purpose::HookSecret => &self.hook_secret,
        }
    }

    /// Answers a nonce as only a relay with this key can: an operator's check tells by it whether an address leads here.
    pub(crate) fn vouch(&self, nonce: &str) -> String {
        let mac = self.health.clone().chain_update(nonce.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Seals a value into text. Nothing only when the value does not serialise.
    pub(crate) fn seal<T: Serialize>(
        &self,
        purpose: Purpose,
        value: &T,
        entropy: &dyn Entropy,
    ) -> Option<String> {
        let plain = Zeroizing::new(serde_json::to_vec(value).ok()?);
        let nonce: [u8; 24] = random(entropy);
        let payload = Payload {
            msg: &plain,
            aad: purpose.prefix().as_bytes(),
        };
        let sealed = self
            .cipher(purpose)
            .encrypt(&XNonce::from(nonce), payload)
            .ok()?;
        Some(format!(
            "{}{}",
            purpose.prefix(),
            B64.encode([&nonce[..], &sealed].concat())
        ))
    }

    /// Opens what [`Self::seal`] made for the same purpose; nothing for every other text.
    pub(crate) fn open<T: DeserializeOwned>(&self, purpose: Purpose, text: &str) -> Option<T> {
        let bytes = B64.decode(text.strip_prefix(purpose.prefix())?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<24>()?;
        let payload = Payload {
            msg: sealed,
            aad: purpose.prefix().as_bytes(),
        };
        let plain = Zeroizing::new(
            self.cipher(purpose)
                .decrypt(&XNonce::from(*nonce), payload)
                .ok()?,
        );
        serde_json::from_slice(&plain).ok()
    }
}

fn parse(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let text = text.trim();
    let bytes = if text.len() == 64 {
        hex::decode(text).ok()
    } else {
        B64.decode(text.trim_end_matches('=')).ok()
    };
    let bytes = Zeroizing::new(bytes.ok_or(KeyError::Malformed)?);
    bytes
        .as_slice()
        .try_into()
        .map(Zeroizing::new)
        .map_err(|_| KeyError::Malformed)
}

fn create(path: &Path, entropy: &dyn Entropy) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(random(entropy));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(Zeroizing::new(hex::encode(*bytes)).as_bytes())?;
    file.sync_all()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::SystemEntropy;
    use shopbell_wire::Secret;

    #[test]
    fn a_code_is_no_state_and_a_changed_text_is_neither() {
        let key = RelayKey::load(&KeySource::Ephemeral, &SystemEntropy).unwrap();
        let code = key.seal(Purpose::Code, &"hello", &SystemEntropy).unwrap();
        assert_eq!(key.open::<String>(Purpose::Code, &code).unwrap(), "hello");
        assert!(key.open::<String>(Purpose::State, &code).is_none());
        assert!(
            key.open::<String>(Purpose::State, &code.replacen("sbc1.", "sbs1.", 1))
                .is_none()
        );
        for at in 5..code.len() {
            let mut torn = code.clone().into_bytes();
            torn[at] = if torn[at] == b'A' { b'B' } else { b'A' };
            assert!(
                key.open::<String>(Purpose::Code, &String::from_utf8(torn).unwrap())
                    .is_none()
            );
        }
        let other = RelayKey::load(&KeySource::Ephemeral, &SystemEntropy).unwrap();
        assert!(other.open::<String>(Purpose::Code, &code).is_none());
    }

    #[test]
    fn the_file_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let source = KeySource::File(dir.path().join("relay.key"));
        let first = RelayKey::load(&source, &SystemEntropy).unwrap();
        let sealed = first.seal(Purpose::Code, &1, &SystemEntropy).unwrap();
        let again = RelayKey::load(&source, &SystemEntropy).unwrap();
        assert_eq!(again.open::<i32>(Purpose::Code, &sealed), Some(1));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(dir.path().join("relay.key"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(matches!(
            RelayKey::load(&KeySource::Given(Secret::new("short")), &SystemEntropy),
            Err(KeyError::Malformed)
        ));
    }
}
