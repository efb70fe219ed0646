//! A profile for tests: a real encrypted database, keys in memory, a clock that stands, the same randomness every time.
#![allow(clippy::unwrap_used)]

use crate::{
    Changes, Endpoints, ManualClock, Parts, Profile, SeededEntropy, api::types::ProfileKind,
    store::Store, vault::Vault,
};
use std::sync::Arc;
use tempfile::TempDir;

/// The profile and what moves it. Nothing runs: no task was started.
pub struct Opened {
    /// Its folder; gone with this value.
    pub folder: TempDir,
    /// The profile.
    pub profile: Arc<Profile>,
    /// Its clock, at 2026-01-05 09:00 UTC.
    pub clock: ManualClock,
}

/// A profile whose outside world is at `endpoints`.
pub async fn profile(endpoints: Endpoints) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(1_767_603_600_000);
    let parts = Parts {
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(20_260_105)),
        endpoints,
        changes: Changes::default(),
    };
    let vault = Vault::in_memory(Arc::clone(&parts.entropy));
    let path = folder.path().join("shopbell.db");
    let store = Store::open(
        &path,
        vault.database_key(),
        Arc::clone(&parts.clock),
        parts.changes.clone(),
    )
    .await
    .unwrap();
    let profile = Profile::new(
        ProfileKind::Main,
        folder.path().to_owned(),
        parts,
        store,
        vault,
    );
    Opened {
        profile: Arc::new(profile),
        folder,
        clock,
    }
}

/// A profile that never reaches anybody.
pub async fn offline_profile() -> Opened {
    let nowhere = url::Url::parse("http://127.0.0.1:9/").unwrap();
    profile(Endpoints::sandbox(&nowhere, nowhere.clone()).unwrap()).await
}
