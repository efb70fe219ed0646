//! Answers sealed to one device: HPKE (RFC 9180) base mode, X25519-HKDF-SHA256, ChaCha20-Poly1305.
//!
//! Associated data are version, device, jti and kind, each with its length before it, so an envelope cannot
//! be passed off as another one. The compact text form is what `access_token` carries in a token answer.

use hpke::{
    Deserializable as _, OpModeR, OpModeS, Serializable as _, aead::ChaCha20Poly1305,
    kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    DeviceKeys, DevicePublic, Thumbprint,
    encoding::{b64, bytes_b64, unb64},
};

type Kem = X25519HkdfSha256;

/// Version written into every envelope.
pub const ENVELOPE_VERSION: u8 = 1;
const INFO: &[u8] = b"shopbell envelope v1";
const PREFIX: &str = "sbe1.";

/// What is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeKind {
    /// A [`crate::Grant`].
    Grant,
}

impl EnvelopeKind {
    fn label(self) -> &'static str {
        match self {
            Self::Grant => "grant",
        }
    }
}

/// Why an envelope was not opened or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not an envelope, or of a newer version.
    #[error("the sealed answer cannot be read")]
    Malformed,
    /// Sealed to another device.
    #[error("the sealed answer is for another device")]
    OtherDevice,
    /// Opened, and it is not what it says it is, or somebody changed it.
    #[error("the sealed answer does not open")]
    Seal,
}

/// A sealed message with the public facts it is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`ENVELOPE_VERSION`].
    pub v: u8,
    /// What is inside.
    pub kind: EnvelopeKind,
    /// Whom it is for.
    pub device: Thumbprint,
    /// Id of the code or request it answers.
    pub jti: String,
    /// Encapsulated key.
    #[serde(with = "bytes_b64")]
    enc: Vec<u8>,
    /// Ciphertext with tag.
    #[serde(with = "bytes_b64")]
    ct: Vec<u8>,
}

impl Envelope {
    /// Seals a value to a device.
    ///
    /// # Errors
    /// [`EnvelopeError::Seal`] when the device's key is of no use (low order), [`EnvelopeError::Malformed`]
    /// when the value does not serialise.
    pub fn seal<T: Serialize>(
        to: &DevicePublic,
        kind: EnvelopeKind,
        jti: &str,
        value: &T,
        rng: &mut impl rand::CryptoRng,
    ) -> Result<Self, EnvelopeError> {
        let plain =
            Zeroizing::new(serde_json::to_vec(value).map_err(|_| EnvelopeError::Malformed)?);
        let key = <Kem as hpke::Kem>::PublicKey::from_bytes(to.seal_key())
            .map_err(|_| EnvelopeError::Seal)?;
        let device = to.thumbprint();
        let aad = associated_data(ENVELOPE_VERSION, &device, jti, kind);
        let (enc, mut context) = hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeS::Base,
            &key,
            INFO,
            rng,
        )
        .map_err(|_| EnvelopeError::Seal)?;
        let ct = context
            .seal(&plain, &aad)
            .map_err(|_| EnvelopeError::Seal)?;
        Ok(Self {
            v: ENVELOPE_VERSION,
            kind,
            device,
            jti: jti.to_owned(),
            enc: enc.to_bytes().to_vec(),
            ct,
        })
    }

    /// Opens it with the device's keys. The caller compares `jti` with what it asked for where it knows one.
    ///
    /// # Errors
    /// [`EnvelopeError`], one per reason.
    pub fn open<T: DeserializeOwned>(&self, keys: &DeviceKeys) -> Result<T, EnvelopeError> {
        if self.v != ENVELOPE_VERSION {
            return Err(EnvelopeError::Malformed);
        }
        if self.device != keys.thumbprint() {
            return Err(EnvelopeError::OtherDevice);
        }
        let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(keys.seal_secret().as_bytes())
            .map_err(|_| EnvelopeError::Seal)?;
        let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&self.enc)
            .map_err(|_| EnvelopeError::Malformed)?;
        let mut context = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            &secret,
            &enc,
            INFO,
        )
        .map_err(|_| EnvelopeError::Seal)?;
        let aad = associated_data(self.v, &self.device, &self.jti, self.kind);
        let plain = Zeroizing::new(
            context
                .open(&self.ct, &aad)
                .map_err(|_| EnvelopeError::Seal)?,
        );
        serde_json::from_slice(&plain).map_err(|_| EnvelopeError::Malformed)
    }

    /// One line of text: `sbe1.` and base64url.
    pub fn to_compact(&self) -> String {
        format!(
            "{PREFIX}{}",
            b64(serde_json::to_vec(self).unwrap_or_default())
        )
    }

    /// Reads [`Self::to_compact`].
    ///
    /// # Errors
    /// [`EnvelopeError::Malformed`] for anything else.
    pub fn from_compact(text: &str) -> Result<Self, EnvelopeError> {
        text.strip_prefix(PREFIX)
            .and_then(unb64)
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or(EnvelopeError::Malformed)
    }
}

fn associated_data(version: u8, device: &Thumbprint, jti: &str, kind: EnvelopeKind) -> Vec<u8> {
    let mut out = vec![version];
    for part in [device.as_str(), jti, kind.label()] {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}
