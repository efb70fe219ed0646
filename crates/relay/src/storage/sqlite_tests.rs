#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use async_trait::async_trait;
use tempfile::TempDir;

use super::*;
use crate::storage::conformance::{Fresh, Lasting};

/// A directory with a database that is opened again and again.
pub(super) struct File {
    dir: TempDir,
    open: Mutex<Option<Arc<dyn Storage>>>,
}

impl File {
    pub(super) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            open: Mutex::default(),
        }
    }

    pub(super) fn address(&self) -> String {
        format!("sqlite:{}", self.dir.path().join("relay.db").display())
    }

    /// The files as they are now, elsewhere.
    pub(super) fn copy(&self) -> Self {
        let copy = Self::new();
        for name in ["relay.db", "relay.db-wal"] {
            std::fs::copy(self.dir.path().join(name), copy.dir.path().join(name)).unwrap();
        }
        copy
    }

    /// Whether these bytes are anywhere in the files.
    pub(super) fn holds(&self, wanted: &[u8]) -> bool {
        std::fs::read_dir(self.dir.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(wanted.len()).any(|part| part == wanted)
        })
    }
}

#[async_trait]
impl Lasting for File {
    async fn open(&self) -> Arc<dyn Storage> {
        let before = self.open.lock().unwrap().take();
        if let Some(before) = before {
            before.close().await;
        }
        let storage: Arc<dyn Storage> = Arc::new(Sqlite::open(&self.address()).await.unwrap());
        *self.open.lock().unwrap() = Some(Arc::clone(&storage));
        storage
    }
}

mod file {
    use super::*;

    async fn fresh() -> Fresh {
        let file = File::new();
        Fresh {
            storage: Arc::new(Sqlite::open(&file.address()).await.unwrap()),
            _keep: Box::new(file),
        }
    }

    async fn lasting() -> File {
        File::new()
    }

    crate::storage::conformance::conformance!(fresh);
    crate::storage::conformance::conformance_of_restarts!(lasting);
}

mod in_memory {
    use super::*;

    async fn fresh() -> Fresh {
        Fresh {
            storage: Arc::new(Sqlite::open("sqlite::memory:").await.unwrap()),
            _keep: Box::new(()),
        }
    }

    crate::storage::conformance::conformance!(fresh);
}
