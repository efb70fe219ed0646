//! The sample shop: a committed, believable inbox to look around in, in a profile of its own.
//!
//! Invariant: it comes in through `ingest` like everything else, starts no task, speaks to nobody, and its key exists in memory only:
//! leaving it, or ending the program in any way, makes its folder unreadable; the folder is deleted then, or at the next start.

mod load;

use crate::{
    Changes, CoreConfig, Parts, Profile,
    api::{ApiError, types::ProfileKind},
    opening::{DATABASE, make_folder},
    store::Store,
    vault::Vault,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

fn folder(dir: &Path) -> PathBuf {
    dir.join("sample")
}

/// Makes the profile and fills it.
pub(crate) async fn open(config: &CoreConfig, changes: &Changes) -> Result<Arc<Profile>, ApiError> {
    let dir = folder(&config.dir);
    remove(&dir)
        .and_then(|()| make_folder(&dir))
        .map_err(|error| ApiError::internal("sample folder", &error))?;
    let vault = Vault::in_memory(Arc::clone(&config.entropy));
    let parts = Parts {
        clock: Arc::clone(&config.clock),
        entropy: Arc::clone(&config.entropy),
        endpoints: config.endpoints.clone(),
        changes: changes.clone(),
    };
    let store = Store::open(
        &dir.join(DATABASE),
        vault.database_key(),
        Arc::clone(&parts.clock),
        changes.clone(),
    )
    .await
    .map_err(|error| ApiError::internal("sample database", &error))?;
    let profile = Profile::new(ProfileKind::Sample, dir, parts, store, vault);
    if let Err(error) = load::load(&profile).await {
        profile.close().await;
        let _ = remove(&profile.dir);
        return Err(error);
    }
    Ok(Arc::new(profile))
}

/// Deletes a sample shop's folder; none is fine.
pub(crate) fn remove(dir: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Deletes what a program that ended in the sample shop left behind.
pub(crate) fn remove_left_over(dir: &Path) {
    if let Err(error) = remove(&folder(dir)) {
        tracing::warn!(%error, "an old sample shop could not be deleted");
    }
}
