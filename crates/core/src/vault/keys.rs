//! The master key and what is derived from it. Pure: no files, no keychain.
//!
//! Invariant: the master key itself encrypts nothing; every use has its own key from HKDF-SHA256 with its own label. Nothing in here
//! has a `Debug` that shows a byte.

use super::VaultError;
use crate::{Entropy, store::DatabaseKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const NONCE: usize = 24;

/// 32 random bytes from which every key of a profile comes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// A new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.key())
    }

    /// From 32 bytes.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// As it lies in the keychain. Base64, because KDE's wallet keeps UTF-8 only.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0))
    }

    /// From the keychain's text.
    pub(super) fn from_text(text: &[u8]) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim_ascii()).ok()?);
        Self::from_bytes(&bytes)
    }

    fn derive<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0_u8; N]);
        // Only lengths above 255 hashes are refused.
        if Hkdf::<Sha256>::new(Some(b"shopbell v1"), &self.0)
            .expand(label.as_bytes(), key.as_mut())
            .is_err()
        {
            unreachable!("HKDF gives up to 8160 bytes");
        }
        key
    }

    /// Names the key without telling it; a wrong or swapped key is recognised before any file is touched.
    pub fn id(&self) -> String {
        hex::encode(*self.derive::<8>("key id"))
    }

    /// The database's key and salt.
    pub fn database_key(&self) -> DatabaseKey {
        DatabaseKey::new(*self.derive("database key"), *self.derive("database salt"))
    }

    /// Seals tokens, sign-ins, device keys.
    pub(super) fn token_key(&self) -> SealingKey {
        SealingKey(self.derive("token key"))
    }

    /// The master key, wrapped under another one.
    pub(super) fn wrap(&self, under: &SealingKey, purpose: &str, entropy: &dyn Entropy) -> Vec<u8> {
        under.seal(purpose, self.id().as_bytes(), &self.0, entropy)
    }

    /// The opposite. `id` is the key that is expected.
    pub(super) fn unwrap(
        wrapped: &[u8],
        under: &SealingKey,
        purpose: &str,
        id: &str,
    ) -> Option<Self> {
        let bytes = under.open(purpose, id.as_bytes(), wrapped).ok()?;
        Self::from_bytes(&bytes).filter(|key| key.id() == id)
    }
}

/// Seals and opens with XChaCha20-Poly1305.
#[derive(Clone)]
pub(super) struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// From a secret with enough randomness of its own.
    pub(super) fn from_secret(secret: &[u8], label: &str) -> Self {
        let mut key = Zeroizing::new([0_u8; 32]);
        if Hkdf::<Sha256>::new(Some(b"shopbell v1"), secret)
            .expand(label.as_bytes(), key.as_mut())
            .is_err()
        {
            unreachable!("HKDF gives up to 8160 bytes");
        }
        Self(key)
    }

    /// From a stretched passphrase.
    pub(super) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    pub(super) fn seal(
        &self,
        purpose: &str,
        aad: &[u8],
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE];
        entropy.fill(&mut nonce);
        let aad = bound(purpose, aad);
        let Ok(sealed) = self.cipher().encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain,
                aad: &aad,
            },
        ) else {
            unreachable!("only texts above 256 GiB are refused");
        };
        [nonce.as_slice(), &sealed].concat()
    }

    pub(super) fn open(
        &self,
        purpose: &str,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE>()
            .ok_or(VaultError::Sealed)?;
        let aad = bound(purpose, aad);
        self.cipher()
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| VaultError::Sealed)
    }
}

/// Purpose and associated data, so that no pair reads like another.
fn bound(purpose: &str, aad: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(purpose.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes()
        .to_vec();
    bytes.extend_from_slice(purpose.as_bytes());
    bytes.extend_from_slice(aad);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn sealed_text_opens_only_for_its_purpose_and_owner() {
        let entropy = SeededEntropy::new(7);
        let key = MasterKey::random(&entropy).token_key();
        let sealed = key.seal("token", b"mira:42:1", b"EAAB", &entropy);
        assert_eq!(
            key.open("token", b"mira:42:1", &sealed).unwrap().as_slice(),
            b"EAAB"
        );
        assert!(key.open("tokenm", b"ira:42:1", &sealed).is_err());
        assert!(key.open("token", b"mira:42:2", &sealed).is_err());
        assert!(key.open("token", b"mira:42:1", &sealed[..20]).is_err());
        assert!(
            MasterKey::random(&entropy)
                .token_key()
                .open("token", b"mira:42:1", &sealed)
                .is_err()
        );
        assert_ne!(
            sealed,
            key.seal("token", b"mira:42:1", b"EAAB", &entropy),
            "a nonce is never used twice"
        );
    }

    #[test]
    fn a_wrapped_key_comes_back_only_as_itself() {
        let entropy = SeededEntropy::new(8);
        let (master, other) = (MasterKey::random(&entropy), MasterKey::random(&entropy));
        let under = SealingKey::from_secret(b"twenty random bytes!", "recovery");
        let wrapped = master.wrap(&under, "recovery", &entropy);
        assert_eq!(
            MasterKey::unwrap(&wrapped, &under, "recovery", &master.id())
                .unwrap()
                .id(),
            master.id()
        );
        assert!(MasterKey::unwrap(&wrapped, &under, "recovery", &other.id()).is_none());
        assert!(!format!("{master:?}").contains(&hex::encode(master.0)));
    }
}
