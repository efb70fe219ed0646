//! The one value a shell holds. Opens the profile, swaps it for the sample shop and back, and says why it is not open.

use crate::{
    Changes, Clock, Endpoints, Entropy, Profile,
    api::{
        ApiError,
        types::{Change, VaultStatus},
    },
    vault::Keychain,
};
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

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

/// The product without a window. Cheap to clone.
#[derive(Clone)]
pub struct Core {
    inner: Arc<Inner>,
}

struct Inner {
    config: CoreConfig,
    changes: Changes,
    slot: RwLock<Slot>,
}

/// What is open.
struct Slot {
    vault: VaultStatus,
    profile: Option<Arc<Profile>>,
}

impl Core {
    /// Makes the core. Nothing is opened yet.
    pub fn new(config: CoreConfig) -> Self {
        Self {
            inner: Arc::new(Inner {
                config,
                changes: Changes::default(),
                slot: RwLock::new(Slot {
                    vault: VaultStatus::Opening,
                    profile: None,
                }),
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

    /// The open profile.
    ///
    /// # Errors
    /// `locked` when none is open.
    pub fn profile(&self) -> Result<Arc<Profile>, ApiError> {
        self.read().profile.clone().ok_or_else(ApiError::locked)
    }

    /// Is the profile open, and if not why.
    pub fn vault_status(&self) -> VaultStatus {
        self.read().vault.clone()
    }

    /// Puts a profile (or the reason for none) in place and tells everybody. The caller closes the one that comes back.
    pub(crate) fn set_slot(
        &self,
        vault: VaultStatus,
        profile: Option<Arc<Profile>>,
    ) -> Option<Arc<Profile>> {
        let old = {
            let mut slot = self
                .inner
                .slot
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            slot.vault = vault;
            std::mem::replace(&mut slot.profile, profile)
        };
        self.changes().send(Change::Status);
        self.changes().send(Change::Everything);
        old
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Slot> {
        self.inner
            .slot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
