//! The two key pairs of one computer: X25519 to receive sealed answers, Ed25519 to sign requests.
//!
//! Both come from random bytes of the caller at first use, live in the keychain, are never derived from the
//! master key and never enter a backup (T7). Invariant: secrets are not printable and are wiped on drop.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::encoding::{b64, unb64_array};

/// Why key bytes were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The export does not have 64 bytes.
    #[error("device keys have 64 bytes")]
    Length,
    /// The public key is not a point of the curve, or one of the few weak ones.
    #[error("not a usable public key")]
    Point,
}

/// A computer's identity towards the relay. 64 secret bytes: 32 sealing, then 32 signing.
#[derive(ZeroizeOnDrop)]
pub struct DeviceKeys {
    seal: x25519_dalek::StaticSecret,
    sign: SigningKey,
}

impl DeviceKeys {
    /// Makes keys from 64 bytes of a cryptographic random source. The same bytes give the same keys, so the
    /// bytes are also the export format of [`Self::to_secret_bytes`].
    pub fn from_random_bytes(bytes: &[u8; 64]) -> Self {
        let mut halves = Zeroizing::new([[0u8; 32]; 2]);
        halves[0].copy_from_slice(&bytes[..32]);
        halves[1].copy_from_slice(&bytes[32..]);
        Self {
            seal: x25519_dalek::StaticSecret::from(halves[0]),
            sign: SigningKey::from_bytes(&halves[1]),
        }
    }

    /// Reads what [`Self::to_secret_bytes`] wrote.
    ///
    /// # Errors
    /// [`KeyError::Length`] when it is not 64 bytes.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let exact: &[u8; 64] = bytes.try_into().map_err(|_| KeyError::Length)?;
        Ok(Self::from_random_bytes(exact))
    }

    /// The 64 secret bytes, for the keychain and for nothing else.
    pub fn to_secret_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut out = Zeroizing::new([0u8; 64]);
        out[..32].copy_from_slice(self.seal.as_bytes());
        out[32..].copy_from_slice(self.sign.as_bytes());
        out
    }

    /// The public half.
    pub fn public(&self) -> DevicePublic {
        DevicePublic {
            seal: x25519_dalek::PublicKey::from(&self.seal).to_bytes(),
            sign: self.sign.verifying_key().to_bytes(),
        }
    }

    /// Short for `self.public().thumbprint()`.
    pub fn thumbprint(&self) -> Thumbprint {
        self.public().thumbprint()
    }

    /// Ed25519 signature over the message. Public so that the relay's stream challenge can use it later;
    /// for requests use [`crate::DeviceProof`].
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.sign.sign(message).to_bytes()
    }

    pub(crate) fn seal_secret(&self) -> &x25519_dalek::StaticSecret {
        &self.seal
    }
}

impl std::fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceKeys")
            .field("thumbprint", &self.thumbprint())
            .finish_non_exhaustive()
    }
}

/// The public half of [`DeviceKeys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DevicePublic {
    seal: [u8; 32],
    sign: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct DevicePublicText {
    seal: String,
    sign: String,
}

impl DevicePublic {
    /// From raw public keys.
    ///
    /// # Errors
    /// [`KeyError::Point`] when the signing key is no usable Ed25519 key or the sealing key is all zero.
    pub fn from_bytes(seal: [u8; 32], sign: [u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(&sign).map_err(|_| KeyError::Point)?;
        if key.is_weak() || seal == [0; 32] {
            return Err(KeyError::Point);
        }
        Ok(Self { seal, sign })
    }

    /// X25519 key that answers are sealed to.
    pub fn seal_key(&self) -> &[u8; 32] {
        &self.seal
    }

    /// Ed25519 key that requests are signed with.
    pub fn sign_key(&self) -> &[u8; 32] {
        &self.sign
    }

    /// Base64url SHA-256 over both keys in the canonical form of RFC 7638 (members in lexical order, no
    /// spaces), with the member `seal` added so that neither key can be swapped.
    pub fn thumbprint(&self) -> Thumbprint {
        let canonical = format!(
            r#"{{"crv":"Ed25519","kty":"OKP","seal":"{}","x":"{}"}}"#,
            b64(self.seal),
            b64(self.sign)
        );
        Thumbprint(b64(Sha256::digest(canonical.as_bytes())))
    }

    /// Whether the signature is this device's over the message. Strict verification: no malleable forms.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.sign).is_ok_and(|key| {
            key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature))
                .is_ok()
        })
    }
}

impl Serialize for DevicePublic {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        DevicePublicText {
            seal: b64(self.seal),
            sign: b64(self.sign),
        }
        .serialize(out)
    }
}

impl<'de> Deserialize<'de> for DevicePublic {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = DevicePublicText::deserialize(from)?;
        let (Some(seal), Some(sign)) = (unb64_array(&text.seal), unb64_array(&text.sign)) else {
            return Err(D::Error::custom("device keys are 32 bytes of base64url"));
        };
        Self::from_bytes(seal, sign).map_err(D::Error::custom)
    }
}

/// Name of a device: 43 characters of base64url. Public, safe to log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// Takes a thumbprint from outside.
    ///
    /// # Errors
    /// [`KeyError::Length`] when it is not base64url of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        unb64_array::<32>(text)
            .map(|_| Self(text.to_owned()))
            .ok_or(KeyError::Length)
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}
