//! A real, encrypted database in a folder that goes away with the test.
#![allow(clippy::unwrap_used)]

use super::{DatabaseKey, Store};
use crate::{Changes, Clock, ManualClock};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

/// The key of test databases. A canary: it must never be seen in any log.
pub fn key() -> DatabaseKey {
    DatabaseKey::new(*b"canary-no-1-canary-no-1-canary-1", *b"salt-of-the-test")
}

/// An empty store. The clock stands at 2026-01-05 09:00 UTC.
pub async fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    (folder, store)
}

/// The store in `folder`.
pub async fn open(folder: &Path) -> Store {
    Store::open(
        &folder.join("shopbell.db"),
        key(),
        clock(),
        Changes::default(),
    )
    .await
    .unwrap()
}

/// A clock that stands.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(1_767_603_600_000))
}
