//! From a passphrase to a key: Argon2id with the parameters kept beside the result.

use super::{VaultError, keys::SealingKey};
use crate::Entropy;
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Shortest passphrase in characters.
pub const SHORTEST: usize = 8;

/// Parameters of Argon2id (RFC 9106 §4, second recommendation; one lane, because the owner's computer may have one core).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stretch {
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(with = "super::file::base64_text")]
    salt: Vec<u8>,
}

impl Stretch {
    /// Today's parameters and a new salt.
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        let mut salt = vec![0_u8; 16];
        entropy.fill(&mut salt);
        Self {
            kdf: "argon2id".into(),
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
            salt,
        }
    }

    /// Takes a tenth of a second on purpose: run it on a blocking thread.
    pub(super) fn key(&self, passphrase: &str) -> Result<SealingKey, VaultError> {
        // A file from outside must not make us take all memory.
        if self.kdf != "argon2id"
            || self.memory_kib > 1024 * 1024
            || self.passes > 64
            || self.lanes > 16
        {
            return Err(VaultError::FileNewer);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| VaultError::FileDamaged)?;
        let mut key = Zeroizing::new([0_u8; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, key.as_mut())
            .map_err(|_| VaultError::FileDamaged)?;
        Ok(SealingKey::from_bytes(key))
    }
}
