//! From a folder and a keychain to an open [`Vault`]: first run, normal start, passphrase, recovery.

use super::{
    KeychainLine, MASTER, MasterKey, RecoverySecret, Vault, VaultError,
    file::{PassphraseCopy, VaultFile},
    keys::SealingKey,
    passphrase::{SHORTEST, Stretch},
    recovery_copy,
    secrets::{Secrets, SecretsFile, blocking},
};
use crate::{Entropy, api::types::VaultKind};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use zeroize::Zeroizing;

/// A folder whose vault is not open yet.
#[derive(Clone)]
pub struct VaultPlace {
    /// The profile's folder; it exists.
    pub dir: PathBuf,
    /// The database's path: where one exists, no new key is made.
    pub database: PathBuf,
    /// The keychain.
    pub line: KeychainLine,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// What `vault.json` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// Where the master key lives.
    pub kind: VaultKind,
    /// File and copy are both there and speak of the same key.
    pub copied: bool,
    /// The owner has confirmed a recovery key.
    pub recovery: bool,
}

impl VaultPlace {
    /// Opens with the keychain; makes a new master key on the very first run.
    ///
    /// # Errors
    /// [`VaultError`]; nothing was changed then.
    pub async fn open(&self, now_ms: i64) -> Result<Vault, VaultError> {
        match self.file().await? {
            Some(file) if file.kind == VaultKind::Passphrase => Err(VaultError::PassphraseNeeded),
            Some(file) => {
                let master = self.master_from_keychain(&file).await?;
                Ok(self.keychain_vault(master, file))
            }
            None if self.has_database() => Err(VaultError::KeyMissing),
            None => self.create(now_ms).await,
        }
    }

    /// As [`VaultPlace::open`] and never makes anything: for a second program.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn open_existing(&self) -> Result<Vault, VaultError> {
        match self.file().await? {
            Some(_) => self.open(0).await,
            None => Err(VaultError::KeyMissing),
        }
    }

    /// Is this the very first run?
    ///
    /// # Errors
    /// When `vault.json` cannot be read.
    pub async fn is_new(&self) -> Result<bool, VaultError> {
        Ok(self.file().await?.is_none() && !self.has_database())
    }

    /// Is there a recovery key that could open this vault?
    pub async fn has_recovery(&self) -> bool {
        matches!(self.file().await, Ok(Some(file)) if file.recovery.is_some() || file.recovery_next.is_some())
    }

    /// What `vault.json` says, without opening anything; `None` where there is none.
    ///
    /// # Errors
    /// When neither the file nor its copy can be read.
    pub async fn examine(&self) -> Result<Option<FileState>, VaultError> {
        let Some(file) = self.file().await? else {
            return Ok(None);
        };
        let (dir, expected) = (self.dir.clone(), file.key_id.clone());
        let copied = blocking(move || VaultFile::copies(&dir))
            .await?
            .iter()
            .all(|copy| copy.as_ref() == Some(&expected));
        Ok(Some(FileState {
            kind: file.kind,
            copied,
            recovery: file.recovery.is_some(),
        }))
    }

    /// Opens a passphrase vault.
    ///
    /// # Errors
    /// [`VaultError::PassphraseWrong`], or that there is no such vault.
    pub async fn unlock(&self, passphrase: Zeroizing<String>) -> Result<Vault, VaultError> {
        let file = self.file().await?.ok_or(VaultError::KeyMissing)?;
        let copy = file.passphrase.clone().ok_or(VaultError::KeyMissing)?;
        let id = file.key_id.clone();
        let master = blocking(move || {
            let under = copy.stretch.key(&passphrase)?;
            MasterKey::unwrap(&copy.wrapped, &under, "passphrase", &id)
                .ok_or(VaultError::PassphraseWrong)
        })
        .await?;
        Ok(self.passphrase_vault(master, file))
    }

    /// Makes a passphrase vault on the very first run, because the owner chose so.
    ///
    /// # Errors
    /// [`VaultError::Exists`] where there is a vault or a database, [`VaultError::PassphraseShort`].
    pub async fn create_passphrase(
        &self,
        passphrase: Zeroizing<String>,
        now_ms: i64,
    ) -> Result<Vault, VaultError> {
        if passphrase.chars().count() < SHORTEST {
            return Err(VaultError::PassphraseShort);
        }
        if !self.is_new().await? {
            return Err(VaultError::Exists);
        }
        let master = MasterKey::random(self.entropy.as_ref());
        let mut file = self.new_file(&master, VaultKind::Passphrase, now_ms);
        let (entropy, dir, key) = (Arc::clone(&self.entropy), self.dir.clone(), master.clone());
        let file = blocking(move || {
            let stretch = Stretch::new(entropy.as_ref());
            let under = stretch.key(&passphrase)?;
            let wrapped = key.wrap(&under, "passphrase", entropy.as_ref());
            file.passphrase = Some(PassphraseCopy { stretch, wrapped });
            file.write(&dir).map(|()| file)
        })
        .await?;
        Ok(self.passphrase_vault(master, file))
    }

    /// Opens with the recovery key and puts the master key into the present keychain again.
    ///
    /// A keychain that does not take it does not stop the owner: the vault opens for now, and the next start asks again.
    ///
    /// # Errors
    /// [`VaultError::RecoveryGroup`], [`VaultError::RecoveryWrong`].
    pub async fn recover(&self, groups: &[String]) -> Result<Vault, VaultError> {
        let secret = RecoverySecret::parse(groups)?;
        let file = self.file().await?.ok_or(VaultError::KeyMissing)?;
        let under = SealingKey::from_secret(secret.bytes(), "recovery");
        let master = [&file.recovery, &file.recovery_next]
            .into_iter()
            .flatten()
            .find_map(|copy| MasterKey::unwrap(&copy.wrapped, &under, "recovery", &file.key_id))
            .ok_or(VaultError::RecoveryWrong)?;
        if file.kind == VaultKind::Passphrase {
            return Ok(self.passphrase_vault(master, file));
        }
        if let Err(error) = self.put_master(&file.profile_id, &master).await {
            tracing::warn!(target: "shopbell::vault", %error, "the recovered key could not be put into the keychain");
        }
        Ok(self.keychain_vault(master, file))
    }

    async fn create(&self, now_ms: i64) -> Result<Vault, VaultError> {
        let master = MasterKey::random(self.entropy.as_ref());
        let file = self.new_file(&master, VaultKind::Keychain, now_ms);
        // The keychain first: an entry without a folder harms nobody, a folder without its key would be locked for ever.
        self.put_master(&file.profile_id, &master).await?;
        let kept = self.master_from_keychain(&file).await?;
        let (dir, written) = (self.dir.clone(), file.clone());
        if let Err(error) = blocking(move || written.write(&dir)).await {
            let _ = self.line.delete(&entry(&file.profile_id)).await;
            return Err(error);
        }
        Ok(self.keychain_vault(kept, file))
    }

    fn new_file(&self, master: &MasterKey, kind: VaultKind, now_ms: i64) -> VaultFile {
        let profile_id = self.entropy.uuid_v7(now_ms).to_string();
        let mut file = VaultFile::new(profile_id, master.id(), kind);
        let secret = RecoverySecret::random(self.entropy.as_ref());
        file.recovery_next = Some(recovery_copy(master, &secret, self.entropy.as_ref()));
        file
    }

    async fn put_master(&self, profile_id: &str, master: &MasterKey) -> Result<(), VaultError> {
        self.line.put(&entry(profile_id), master.to_text()).await
    }

    async fn master_from_keychain(&self, file: &VaultFile) -> Result<MasterKey, VaultError> {
        let found = self.line.get(&entry(&file.profile_id)).await?;
        let keys: Vec<MasterKey> = found
            .iter()
            .filter_map(|text| MasterKey::from_text(text))
            .collect();
        match (found.len(), keys.len()) {
            (0, _) => return Err(VaultError::KeyMissing),
            (1, 0) => return Err(VaultError::KeyCorrupted),
            _ => {}
        }
        // Several entries are no trouble as long as one of them is the right one.
        let several = found.len() > 1;
        keys.into_iter()
            .find(|key| key.id() == file.key_id)
            .ok_or(if several {
                VaultError::KeyAmbiguous
            } else {
                VaultError::KeyWrong
            })
    }

    fn keychain_vault(&self, master: MasterKey, file: VaultFile) -> Vault {
        let secrets = Secrets::Keychain {
            line: self.line.clone(),
            profile_id: file.profile_id.clone(),
        };
        Vault::assemble(master, file, &self.dir, secrets, Arc::clone(&self.entropy))
    }

    fn passphrase_vault(&self, master: MasterKey, file: VaultFile) -> Vault {
        let secrets = Secrets::File(Arc::new(SecretsFile {
            path: self.dir.join("secrets.json"),
            key: master.token_key(),
            entropy: Arc::clone(&self.entropy),
            lock: Mutex::default(),
        }));
        Vault::assemble(master, file, &self.dir, secrets, Arc::clone(&self.entropy))
    }

    fn has_database(&self) -> bool {
        exists(&self.database)
    }

    async fn file(&self) -> Result<Option<VaultFile>, VaultError> {
        let dir = self.dir.clone();
        blocking(move || VaultFile::read(&dir)).await
    }
}

/// Anything at all, also what we may not look at.
fn exists(path: &Path) -> bool {
    !matches!(path.try_exists(), Ok(false))
}

fn entry(profile_id: &str) -> String {
    format!("{profile_id}:{MASTER}")
}
