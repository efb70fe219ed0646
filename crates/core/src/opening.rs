//! From a folder to an open [`Profile`]: lock, vault, database, in this order. On any failure the folder is as it was.

use crate::{
    Core, OpenAs, Parts, Profile,
    api::types::{ProfileKind, Reason},
    profile_lock::{LockError, ProfileLock},
    store::{OpenError, Store},
    vault::{Vault, VaultError, VaultPlace},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use zeroize::Zeroizing;

/// After this the owner sees that the keychain is slow.
const PATIENCE: Duration = Duration::from_secs(1);
/// The database's file name.
pub(crate) const DATABASE: &str = "shopbell.db";

/// How the master key is found.
pub(crate) enum Way {
    /// In the keychain; on the first run a new one is made.
    Keychain,
    /// Behind the owner's passphrase.
    Passphrase(Zeroizing<String>),
    /// A new one behind the owner's passphrase.
    CreatePassphrase(Zeroizing<String>),
    /// Behind the recovery key.
    Recovery(Vec<String>),
}

/// An open profile and its lock.
pub(crate) struct Opened {
    pub(crate) profile: Arc<Profile>,
    pub(crate) lock: Option<ProfileLock>,
}

/// Why it is not open, and what helps.
pub(crate) struct Locked {
    pub(crate) reason: Reason,
    pub(crate) ways: Vec<String>,
    /// The reason lies in the profile or the computer, not in what was typed.
    pub(crate) ours: bool,
}

/// Folder of the owner's profile.
pub(crate) fn main_folder(dir: &Path) -> PathBuf {
    dir.join("main")
}

/// Where the vault of the owner's profile is.
pub(crate) fn place(core: &Core) -> VaultPlace {
    let dir = main_folder(&core.config().dir);
    VaultPlace {
        database: dir.join(DATABASE),
        dir,
        line: core.keychain_line().clone(),
        entropy: Arc::clone(&core.config().entropy),
    }
}

/// Opens the owner's profile.
pub(crate) async fn open(core: &Core, purpose: OpenAs, way: Way) -> Result<Opened, Locked> {
    let place = place(core);
    let lock = match purpose {
        OpenAs::Reader => None,
        OpenAs::Program | OpenAs::Tool => {
            make_folder(&place.dir)
                .map_err(|error| locked(OpenError::from_io(error).reason(), &["retry"]))?;
            Some(take_lock(&place.dir)?)
        }
    };
    let vault = match open_vault(core, &place, purpose, way).await {
        Ok(vault) => vault,
        Err(error) => return Err(from_vault(&place, &error).await),
    };
    let store = open_store(core, &place.database, &vault, purpose)
        .await
        .map_err(|error| {
            let reason = match error {
                // The key's id fits vault.json: the key is right, so the file is another one.
                OpenError::WrongKey => OpenError::Foreign.reason(),
                error => {
                    tracing::warn!(%error, "the database does not open");
                    error.reason()
                }
            };
            locked(reason, &["retry"])
        })?;
    let profile = Profile::new(ProfileKind::Main, place.dir, parts(core), store, vault);
    Ok(Opened {
        profile: Arc::new(profile),
        lock,
    })
}

/// What the rooms of a profile get.
pub(crate) fn parts(core: &Core) -> Parts {
    let config = core.config();
    Parts {
        clock: Arc::clone(&config.clock),
        entropy: Arc::clone(&config.entropy),
        endpoints: config.endpoints.clone(),
        changes: core.changes().clone(),
    }
}

/// Makes `dir`, for the owner only.
pub(crate) fn make_folder(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn take_lock(dir: &Path) -> Result<ProfileLock, Locked> {
    ProfileLock::take(dir).map_err(|error| match error {
        LockError::Held(pid) => {
            let reason = Reason::new("profile_in_use");
            locked(
                pid.map_or(reason.clone(), |pid| reason.with("pid", pid)),
                &["retry"],
            )
        }
        LockError::Io(error) => locked(OpenError::from_io(error).reason(), &["retry"]),
    })
}

async fn open_vault(
    core: &Core,
    place: &VaultPlace,
    purpose: OpenAs,
    way: Way,
) -> Result<Vault, VaultError> {
    let now_ms = core.config().clock.now_ms();
    match way {
        Way::Passphrase(passphrase) => place.unlock(passphrase).await,
        Way::CreatePassphrase(passphrase) => place.create_passphrase(passphrase, now_ms).await,
        Way::Recovery(groups) => place.recover(&groups).await,
        Way::Keychain => {
            let asked = async {
                match purpose {
                    OpenAs::Reader => place.open_existing().await,
                    OpenAs::Program | OpenAs::Tool => place.open(now_ms).await,
                }
            };
            let mut asked = std::pin::pin!(asked);
            tokio::select! {
                biased;
                answer = &mut asked => answer,
                () = core.config().clock.sleep(PATIENCE) => {
                    core.waiting_for_keychain();
                    asked.await
                }
            }
        }
    }
}

async fn open_store(
    core: &Core,
    path: &Path,
    vault: &Vault,
    purpose: OpenAs,
) -> Result<Store, OpenError> {
    let (key, clock, changes) = (
        vault.database_key(),
        Arc::clone(&core.config().clock),
        core.changes().clone(),
    );
    match purpose {
        OpenAs::Reader => Store::open_read_only(path, key, clock, changes).await,
        OpenAs::Program | OpenAs::Tool => Store::open(path, key, clock, changes).await,
    }
}

async fn from_vault(place: &VaultPlace, error: &VaultError) -> Locked {
    use VaultError as V;
    let ours = !matches!(
        error,
        V::PassphraseWrong
            | V::PassphraseShort
            | V::RecoveryWrong
            | V::RecoveryGroup(_)
            | V::Exists
    );
    let first_run = place.is_new().await.unwrap_or(false);
    let recoverable = place.has_recovery().await;
    let mut ways = match error {
        V::PassphraseNeeded => vec!["passphrase"],
        V::KeychainMissing | V::KeychainLocked | V::KeychainDenied | V::KeychainSlow
            if first_run =>
        {
            vec!["retry", "create_passphrase"]
        }
        _ => vec!["retry"],
    };
    if recoverable && ours {
        ways.push("recovery_key");
    }
    Locked {
        ours,
        ..locked(error.reason(), &ways)
    }
}

fn locked(reason: Reason, ways: &[&str]) -> Locked {
    Locked {
        reason,
        ways: ways.iter().map(|way| (*way).to_owned()).collect(),
        ours: true,
    }
}
