//! This computer's two key pairs: made once from random bytes, kept in the vault's secrets.

use super::RelayError;
use crate::{Entropy, vault::Vault};
use shopbell_wire::DeviceKeys;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Name in the vault.
const NAME: &str = "device-keys";

/// Reads stored keys.
pub fn keys_from_secret(bytes: &[u8]) -> Option<DeviceKeys> {
    DeviceKeys::from_secret_bytes(bytes).ok()
}

pub(super) async fn load_or_make(
    vault: &Vault,
    entropy: &dyn Entropy,
) -> Result<Arc<DeviceKeys>, RelayError> {
    if let Some(keys) = vault
        .get_secret(NAME)
        .await?
        .as_deref()
        .and_then(|bytes| keys_from_secret(bytes))
    {
        return Ok(Arc::new(keys));
    }
    let mut random = Zeroizing::new([0_u8; 64]);
    entropy.fill(random.as_mut());
    let keys = DeviceKeys::from_random_bytes(&random);
    // Kept before they are used: an answer sealed to keys that are gone tomorrow would be lost.
    vault
        .put_secret(NAME, keys.to_secret_bytes().as_ref())
        .await?;
    Ok(Arc::new(keys))
}
