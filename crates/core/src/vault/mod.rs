//! Keys and secrets: one master key per profile in the operating system's keychain, everything else derived from it or sealed by it.
//!
//! Invariant: a new master key is made only where neither a database nor a `vault.json` exists; a wrong or swapped key is recognised by
//! its id before any file is touched; there is no constant and no plaintext fall-back, a passphrase vault only when the owner asked.
//!
//! What does not belong here: which tokens there are and when they are renewed (`accounts`).

mod error;
mod file;
mod keychain;
mod keys;
mod opening;
mod passphrase;
mod recovery;
mod secrets;
#[cfg(test)]
pub mod testing;

pub use error::VaultError;
pub use keychain::{DEADLINE, Keychain, KeychainLine, SERVICE};
pub use keys::MasterKey;
pub use opening::{FileState, VaultPlace};
pub use recovery::RecoverySecret;

use crate::{Entropy, api::types::VaultKind, store::DatabaseKey};
use file::{RecoveryCopy, VaultFile};
use keys::SealingKey;
use secrets::{Secrets, blocking};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// The name of the master key's entry.
const MASTER: &str = "master-key";

/// An open vault. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    master: MasterKey,
    tokens: SealingKey,
    secrets: Secrets,
    entropy: Arc<dyn Entropy>,
    /// Folder of `vault.json`; `None` for a vault in memory.
    dir: Option<PathBuf>,
    file: Mutex<VaultFile>,
}

impl Vault {
    fn assemble(
        master: MasterKey,
        file: VaultFile,
        dir: &Path,
        secrets: Secrets,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let tokens = master.token_key();
        Self {
            inner: Arc::new(Inner {
                master,
                tokens,
                secrets,
                entropy,
                dir: Some(dir.to_owned()),
                file: Mutex::new(file),
            }),
        }
    }

    /// A vault that is gone with the program: for the sample shop.
    pub fn in_memory(entropy: Arc<dyn Entropy>) -> Self {
        let master = MasterKey::random(entropy.as_ref());
        let file = VaultFile::new("memory".into(), master.id(), VaultKind::Keychain);
        let secrets = Secrets::Memory(Mutex::default());
        Self {
            inner: Arc::new(Inner {
                tokens: master.token_key(),
                master,
                secrets,
                entropy,
                dir: None,
                file: Mutex::new(file),
            }),
        }
    }

    /// Keychain or passphrase.
    pub fn kind(&self) -> VaultKind {
        self.file().kind
    }

    /// Names the profile; part of every keychain entry's name.
    pub fn profile_id(&self) -> String {
        self.file().profile_id.clone()
    }

    /// See [`MasterKey::id`].
    pub fn key_id(&self) -> String {
        self.inner.master.id()
    }

    /// The database's key.
    pub fn database_key(&self) -> DatabaseKey {
        self.inner.master.database_key()
    }

    /// Seals `plain` for one purpose and owner.
    pub fn seal(&self, purpose: &str, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.inner
            .tokens
            .seal(purpose, aad, plain, self.inner.entropy.as_ref())
    }

    /// Opens what [`Vault::seal`] sealed for the same purpose and owner.
    ///
    /// # Errors
    /// [`VaultError::Sealed`].
    pub fn open(
        &self,
        purpose: &str,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.inner.tokens.open(purpose, aad, sealed)
    }

    /// Keeps a small secret under a name. At most 1,900 bytes.
    ///
    /// # Errors
    /// One of the `Keychain…` errors; with a passphrase vault what the file system says.
    pub async fn put_secret(&self, name: &str, value: &[u8]) -> Result<(), VaultError> {
        self.inner.secrets.put(name, value).await
    }

    /// The secret of that name.
    ///
    /// # Errors
    /// As [`Vault::put_secret`]; [`VaultError::KeyCorrupted`] for a value that is not ours.
    pub async fn get_secret(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        self.inner.secrets.get(name).await
    }

    /// Forgets a secret; none is fine.
    ///
    /// # Errors
    /// As [`Vault::put_secret`].
    pub async fn delete_secret(&self, name: &str) -> Result<(), VaultError> {
        self.inner.secrets.delete(name).await
    }

    /// Has the owner still to confirm a recovery key?
    pub fn recovery_pending(&self) -> bool {
        self.inner.dir.is_some() && self.file().recovery.is_none()
    }

    /// The recovery key to write down: the one not yet confirmed, or else a new one. An older, confirmed one works until the new one
    /// is confirmed.
    ///
    /// # Errors
    /// What the file system says; [`VaultError::Sealed`] when `vault.json` was changed by somebody.
    pub async fn recovery_key(&self) -> Result<Vec<String>, VaultError> {
        if let Some(copy) = &self.file().recovery_next {
            return self.shown(copy).map(|secret| secret.groups());
        }
        let secret = RecoverySecret::random(self.inner.entropy.as_ref());
        let copy = self.copy_under(&secret);
        self.change(|file| file.recovery_next = Some(copy)).await?;
        Ok(secret.groups())
    }

    /// The owner typed some groups of the key shown: `(index from 0, text)`, at least two different ones.
    ///
    /// # Errors
    /// [`VaultError::RecoveryGroup`] for the first wrong one, [`VaultError::RecoveryWrong`] when there are too few or nothing was shown.
    pub async fn confirm_recovery(&self, typed: &[(usize, String)]) -> Result<(), VaultError> {
        let copy = self
            .file()
            .recovery_next
            .clone()
            .ok_or(VaultError::RecoveryWrong)?;
        let groups = self.shown(&copy)?.groups();
        let mut places: Vec<usize> = typed.iter().map(|(place, _)| *place).collect();
        places.sort_unstable();
        places.dedup();
        if places.len() < 2 {
            return Err(VaultError::RecoveryWrong);
        }
        for (place, text) in typed {
            if !groups
                .get(*place)
                .is_some_and(|shown| recovery::same_group(shown, text))
            {
                return Err(VaultError::RecoveryGroup(*place));
            }
        }
        self.change(|file| {
            file.recovery = Some(RecoveryCopy {
                wrapped: copy.wrapped,
                shown: Vec::new(),
            });
            file.recovery_next = None;
        })
        .await
    }

    fn shown(&self, copy: &RecoveryCopy) -> Result<RecoverySecret, VaultError> {
        let bytes = self.open("recovery key", self.key_id().as_bytes(), &copy.shown)?;
        RecoverySecret::from_bytes(&bytes).ok_or(VaultError::Sealed)
    }

    fn copy_under(&self, secret: &RecoverySecret) -> RecoveryCopy {
        recovery_copy(&self.inner.master, secret, self.inner.entropy.as_ref())
    }

    async fn change(&self, change: impl FnOnce(&mut VaultFile)) -> Result<(), VaultError> {
        let Some(dir) = self.inner.dir.clone() else {
            return Ok(());
        };
        let mut changed = self.file().clone();
        change(&mut changed);
        let written = changed.clone();
        blocking(move || written.write(&dir)).await?;
        *self.file() = changed;
        Ok(())
    }

    fn file(&self) -> std::sync::MutexGuard<'_, VaultFile> {
        self.inner
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The master key wrapped under `secret`, and `secret` sealed so that it can be shown until it is confirmed.
fn recovery_copy(
    master: &MasterKey,
    secret: &RecoverySecret,
    entropy: &dyn Entropy,
) -> RecoveryCopy {
    let under = SealingKey::from_secret(secret.bytes(), "recovery");
    RecoveryCopy {
        wrapped: master.wrap(&under, "recovery", entropy),
        shown: master.token_key().seal(
            "recovery key",
            master.id().as_bytes(),
            secret.bytes(),
            entropy,
        ),
    }
}
