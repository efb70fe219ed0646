//! Where small secrets (sealed tokens, device keys) lie: in the keychain; with a passphrase vault sealed in a file; for the sample shop
//! in memory.

use super::{
    VaultError,
    file::{read_json, write_json},
    keychain::KeychainLine,
    keys::SealingKey,
};
use crate::Entropy;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// The place.
pub(super) enum Secrets {
    /// Entries named `{profile_id}:{name}`.
    Keychain {
        line: KeychainLine,
        profile_id: String,
    },
    /// `secrets.json`, every value sealed under the token key and bound to its name.
    File(Arc<SecretsFile>),
    /// Gone with the program.
    Memory(Mutex<BTreeMap<String, Zeroizing<Vec<u8>>>>),
}

/// The file of a passphrase vault.
pub(super) struct SecretsFile {
    pub(super) path: PathBuf,
    pub(super) key: SealingKey,
    pub(super) entropy: Arc<dyn Entropy>,
    /// One change at a time.
    pub(super) lock: Mutex<()>,
}

impl Secrets {
    pub(super) async fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        match self {
            Self::Keychain { line, profile_id } => {
                let mut found = line.get(&format!("{profile_id}:{name}")).await?;
                if found.len() > 1 {
                    return Err(VaultError::KeyAmbiguous);
                }
                let Some(text) = found.pop() else {
                    return Ok(None);
                };
                STANDARD
                    .decode(text.trim_ascii())
                    .map(|bytes| Some(Zeroizing::new(bytes)))
                    .map_err(|_| VaultError::KeyCorrupted)
            }
            Self::File(file) => {
                let (file, name) = (Arc::clone(file), name.to_owned());
                blocking(move || file.get(&name)).await
            }
            Self::Memory(values) => Ok(values
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(name)
                .cloned()),
        }
    }

    pub(super) async fn put(&self, name: &str, value: &[u8]) -> Result<(), VaultError> {
        match self {
            Self::Keychain { line, profile_id } => {
                line.put_bytes(&format!("{profile_id}:{name}"), value).await
            }
            Self::File(file) => {
                let (file, name, value) = (
                    Arc::clone(file),
                    name.to_owned(),
                    Zeroizing::new(value.to_vec()),
                );
                blocking(move || file.change(&name, Some(&value))).await
            }
            Self::Memory(values) => {
                values
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(name.to_owned(), Zeroizing::new(value.to_vec()));
                Ok(())
            }
        }
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), VaultError> {
        match self {
            Self::Keychain { line, profile_id } => {
                line.delete(&format!("{profile_id}:{name}")).await
            }
            Self::File(file) => {
                let (file, name) = (Arc::clone(file), name.to_owned());
                blocking(move || file.change(&name, None)).await
            }
            Self::Memory(values) => {
                values
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(name);
                Ok(())
            }
        }
    }
}

impl SecretsFile {
    fn read(&self) -> Result<BTreeMap<String, String>, VaultError> {
        Ok(read_json(&self.path)?.unwrap_or_default())
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let values = self.read()?;
        let Some(text) = values.get(name) else {
            return Ok(None);
        };
        let sealed = STANDARD
            .decode(text)
            .map_err(|_| VaultError::KeyCorrupted)?;
        self.key.open("secret", name.as_bytes(), &sealed).map(Some)
    }

    fn change(&self, name: &str, value: Option<&[u8]>) -> Result<(), VaultError> {
        let _one = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = self.read()?;
        match value {
            Some(value) => {
                let sealed = self
                    .key
                    .seal("secret", name.as_bytes(), value, self.entropy.as_ref());
                values.insert(name.to_owned(), STANDARD.encode(sealed));
            }
            None => {
                values.remove(name);
            }
        }
        write_json(&self.path, &values)
    }
}

/// Files and key stretching do not belong on the runtime's threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(VaultError::Io(std::io::ErrorKind::Interrupted.into())))
}
