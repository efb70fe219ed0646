//! The one value a shell holds. Opens the profile, swaps it for the sample shop and back, and says why it is not open.

use crate::{
    Changes, Clock, Endpoints, Entropy, Profile,
    api::{
        ApiError,
        types::{Change, VaultKind, VaultStatus},
    },
    opening::{self, Locked, Opened, Way},
    profile_lock::ProfileLock,
    sample,
    vault::{Keychain, KeychainLine},
};
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};
use zeroize::Zeroizing;

/// Everything the surroundings decide.
#[derive(Clone)]
pub struct CoreConfig {
    /// Folder that holds the profiles (`main`, `sample`).
    pub dir: PathBuf,
    /// Addresses.
    pub endpoints: Endpoints,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where keys live.
    pub keychain: Keychain,
}

/// What a program wants with the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenAs {
    /// Hold it, fetch, send, run due jobs: the app.
    Program,
    /// Hold it and run nothing by itself: a short call from a terminal.
    Tool,
    /// Read beside whoever holds it.
    Reader,
}

/// The product without a window. Cheap to clone.
#[derive(Clone)]
pub struct Core {
    inner: Arc<Inner>,
}

struct Inner {
    config: CoreConfig,
    changes: Changes,
    line: KeychainLine,
    slot: RwLock<Slot>,
    /// One opening, closing or swap at a time. Holds what the last opening was for.
    turn: tokio::sync::Mutex<OpenAs>,
}

/// What is open.
struct Slot {
    vault: VaultStatus,
    main: Option<Arc<Profile>>,
    sample: Option<Arc<Profile>>,
    lock: Option<ProfileLock>,
}

impl Core {
    /// Makes the core. Nothing is opened yet.
    pub fn new(config: CoreConfig) -> Self {
        Self {
            inner: Arc::new(Inner {
                line: KeychainLine::new(config.keychain.clone(), Arc::clone(&config.clock)),
                config,
                changes: Changes::default(),
                slot: RwLock::new(Slot {
                    vault: VaultStatus::Opening,
                    main: None,
                    sample: None,
                    lock: None,
                }),
                turn: tokio::sync::Mutex::new(OpenAs::Program),
            }),
        }
    }

    /// What the surroundings decided.
    pub fn config(&self) -> &CoreConfig {
        &self.inner.config
    }

    /// Where changes are told.
    pub fn changes(&self) -> &Changes {
        &self.inner.changes
    }

    /// The keychain.
    pub(crate) fn keychain_line(&self) -> &KeychainLine {
        &self.inner.line
    }

    /// Opens the owner's profile as the app does. Answers when it is open or known why not; until then [`Core::vault_status`] tells.
    pub async fn open(&self) -> VaultStatus {
        self.open_as(OpenAs::Program).await
    }

    /// As [`Core::open`], for another purpose.
    pub async fn open_as(&self, purpose: OpenAs) -> VaultStatus {
        *self.inner.turn.lock().await = purpose;
        // The reason is in the status.
        let _ = self.open_by(Way::Keychain).await;
        self.vault_status()
    }

    /// Tries again: the keychain was unlocked, the disk has room.
    ///
    /// # Errors
    /// Why it is still not open.
    pub async fn retry(&self) -> Result<(), ApiError> {
        self.open_by(Way::Keychain).await
    }

    /// Opens a passphrase vault.
    ///
    /// # Errors
    /// `passphrase_wrong`, or why it is still not open.
    pub async fn unlock(&self, passphrase: String) -> Result<(), ApiError> {
        self.open_by(Way::Passphrase(Zeroizing::new(passphrase)))
            .await
    }

    /// Makes a passphrase vault on the first run, because the owner chose so.
    ///
    /// # Errors
    /// `vault_exists`, `passphrase_short`, or why it is still not open.
    pub async fn create_passphrase(&self, passphrase: String) -> Result<(), ApiError> {
        self.open_by(Way::CreatePassphrase(Zeroizing::new(passphrase)))
            .await
    }

    /// Opens with the recovery key.
    ///
    /// # Errors
    /// `recovery_key_wrong`, or why it is still not open.
    pub async fn recover(&self, groups: Vec<String>) -> Result<(), ApiError> {
        self.open_by(Way::Recovery(groups)).await
    }

    async fn open_by(&self, way: Way) -> Result<(), ApiError> {
        let purpose = self.inner.turn.lock().await;
        if self.read().main.is_some() {
            return Ok(());
        }
        let before = self.vault_status();
        self.set_vault(VaultStatus::Opening);
        match opening::open(self, *purpose, way).await {
            Ok(Opened { profile, lock }) => {
                if *purpose == OpenAs::Program {
                    sample::remove_left_over(&self.inner.config.dir);
                    profile.start();
                }
                let mut slot = self.write();
                slot.vault = VaultStatus::Open {
                    kind: profile.vault.kind(),
                };
                slot.main = Some(profile);
                slot.lock = lock;
                drop(slot);
                self.tell();
                Ok(())
            }
            Err(Locked { reason, ways, ours }) => {
                let error = ApiError::new(&reason.code, "The profile does not open.");
                // What the owner typed was wrong: the reason why it is locked is the same as before.
                self.set_vault(if ours {
                    VaultStatus::Locked { reason, ways }
                } else {
                    before
                });
                Err(error)
            }
        }
    }

    /// The open profile.
    ///
    /// # Errors
    /// `locked` when none is open.
    pub fn profile(&self) -> Result<Arc<Profile>, ApiError> {
        let slot = self.read();
        slot.sample
            .clone()
            .or_else(|| slot.main.clone())
            .ok_or_else(ApiError::locked)
    }

    /// Is the sample shop shown?
    pub fn shows_sample(&self) -> bool {
        self.read().sample.is_some()
    }

    /// Is a profile open, and if not why.
    pub fn vault_status(&self) -> VaultStatus {
        let slot = self.read();
        match (&slot.sample, &slot.vault) {
            (Some(_), VaultStatus::Open { kind }) => VaultStatus::Open { kind: *kind },
            (Some(_), _) => VaultStatus::Open {
                kind: VaultKind::Keychain,
            },
            (None, vault) => vault.clone(),
        }
    }

    /// Shows the sample shop in a profile of its own. The owner's profile stays as it is, open or not.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub async fn open_sample(&self) -> Result<(), ApiError> {
        let _turn = self.inner.turn.lock().await;
        if self.shows_sample() {
            return Ok(());
        }
        let profile = sample::open(&self.inner.config, &self.inner.changes).await?;
        self.write().sample = Some(profile);
        self.tell();
        Ok(())
    }

    /// Leaves the sample shop; everything of it is deleted.
    ///
    /// # Errors
    /// When its folder cannot be deleted.
    pub async fn leave_sample(&self) -> Result<(), ApiError> {
        let _turn = self.inner.turn.lock().await;
        let Some(profile) = self.write().sample.take() else {
            return Ok(());
        };
        self.tell();
        profile.close().await;
        sample::remove(&profile.dir).map_err(|error| ApiError::internal("sample", &error))
    }

    /// Stops everything: tasks first, then readers, then the writer. Afterwards nothing is open.
    pub async fn shutdown(&self) {
        let _turn = self.inner.turn.lock().await;
        let (main, sample, lock) = {
            let mut slot = self.write();
            slot.vault = VaultStatus::Opening;
            (slot.main.take(), slot.sample.take(), slot.lock.take())
        };
        if let Some(profile) = sample {
            profile.close().await;
            if let Err(error) = sample::remove(&profile.dir) {
                tracing::warn!(%error, "the sample shop could not be deleted");
            }
        }
        if let Some(profile) = main {
            profile.close().await;
        }
        drop(lock);
    }

    /// The keychain has not answered for a moment.
    pub(crate) fn waiting_for_keychain(&self) {
        self.set_vault(VaultStatus::WaitingForKeychain);
    }

    fn set_vault(&self, vault: VaultStatus) {
        self.write().vault = vault;
        self.changes().send(Change::Status);
    }

    fn tell(&self) {
        self.changes().send(Change::Status);
        self.changes().send(Change::Everything);
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Slot> {
        self.inner
            .slot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Slot> {
        self.inner
            .slot
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
