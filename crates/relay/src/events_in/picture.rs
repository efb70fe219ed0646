//! A picture as it lies in the storage: sealed under a key that only its address gives, and found by a name from which the address
//! cannot be told. So the disk, its backups and other nodes hold nothing that can be looked at, and this relay itself cannot open a
//! picture before somebody asks for it by its address.

use bytes::Bytes;
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{Entropy, clock::random as random_bytes, failure::Failure};

const NONCE: usize = 24;

/// The name in the storage of the picture at an address.
pub(super) fn id_of(address: &str) -> String {
    hex::encode(digest(b"shopbell media id v1", address))
}

/// Seals a picture. The address has at least 192 random bits, so one hash of it is a key.
pub(super) async fn seal(
    address: &str,
    mime: &'static str,
    plain: Vec<u8>,
    entropy: &dyn Entropy,
) -> Result<Bytes, Failure> {
    let (cipher, nonce) = (cipher(address), random_bytes::<NONCE>(entropy));
    away(move || {
        let payload = Payload {
            msg: &plain,
            aad: mime.as_bytes(),
        };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    })
    .await
}

/// Opens what [`seal`] made.
pub(super) async fn open(address: &str, mime: &str, sealed: Bytes) -> Result<Bytes, Failure> {
    let (cipher, mime) = (cipher(address), mime.to_owned());
    away(move || {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: sealed,
            aad: mime.as_bytes(),
        };
        cipher.decrypt(&XNonce::from(*nonce), payload).ok()
    })
    .await
}

/// 25 MB take long enough to keep other requests waiting.
async fn away(work: impl FnOnce() -> Option<Vec<u8>> + Send + 'static) -> Result<Bytes, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .ok()
        .flatten()
        .map(Bytes::from)
        .ok_or(Failure::Fault("a picture's seal"))
}

fn cipher(address: &str) -> XChaCha20Poly1305 {
    let key = Zeroizing::new(digest(b"shopbell media key v1", address));
    XChaCha20Poly1305::new((&*key).into())
}

fn digest(purpose: &[u8], address: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(purpose)
        .chain_update(address.as_bytes())
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::SystemEntropy;

    #[tokio::test]
    async fn only_its_address_opens_a_picture() {
        let (address, other) = ("a".repeat(43), "b".repeat(43));
        let plain = b"canary-picture".repeat(10);
        let sealed = seal(&address, "image/png", plain.clone(), &SystemEntropy)
            .await
            .unwrap();
        let again = seal(&address, "image/png", plain.clone(), &SystemEntropy)
            .await
            .unwrap();
        assert_ne!(
            sealed, again,
            "twice under one address is not twice the same"
        );
        assert!(!sealed.windows(14).any(|window| window == b"canary-picture"));
        let opened = open(&address, "image/png", sealed.clone()).await.unwrap();
        assert_eq!(opened, plain);
        assert!(open(&other, "image/png", sealed.clone()).await.is_err());
        assert!(open(&address, "text/html", sealed.clone()).await.is_err());
        assert!(
            open(&address, "image/png", sealed.slice(..20))
                .await
                .is_err()
        );
        assert_ne!(id_of(&address), id_of(&other));
        assert!(!id_of(&address).contains(&address[..8]));
    }
}
