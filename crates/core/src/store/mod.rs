//! The encrypted database: one writer, many readers.
//!
//! Invariant: exactly ONE connection ever writes and checkpoints; readers are read-only, `query_only`, never checkpoint and are closed
//! before the writer. The SQLite inside SQLCipher 4.10 (3.50.4) loses commits when two connections write and checkpoint at once
//! (sqlite.org/wal.html#walresetbug), so this is not a matter of taste. A commit is on disk (`synchronous=FULL`) before anybody is told.
//!
//! What does not belong here: SQL about conversations, accounts or anything else the product knows.

mod connect;
mod error;
mod key;
mod migrate;
mod read;
mod statements;
#[cfg(test)]
pub mod testing;
mod turns;
mod write;

pub use error::{OpenError, StoreError};
pub use key::DatabaseKey;
pub use migrate::{MIGRATIONS, Migration};
pub use read::ReadGuard;
pub use turns::Priority;
pub use write::WriteTx;

use crate::{Changes, Clock};
use connect::Role;
use sqlx::{Connection, SqliteConnection};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::sync::{Notify, Semaphore, futures::Notified};
use turns::Turns;

/// Readers at most. Each is a thread and a page cache of 2 MB.
const READERS: usize = 4;

/// The encrypted database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    key: DatabaseKey,
    clock: Arc<dyn Clock>,
    changes: Changes,
    /// `None` for a store that only reads.
    turns: Option<Turns>,
    /// The one writer, while nobody holds it.
    writer: Mutex<Option<SqliteConnection>>,
    readers: Semaphore,
    /// Readers nobody holds, each with [`error::damage_seen`] of when it was opened.
    idle: Mutex<Vec<(u64, SqliteConnection)>>,
    saved_at_ms: AtomicI64,
    /// A transaction that put jobs in was committed.
    jobs: Notify,
}

impl Store {
    /// Opens the database at `path`, makes it when there is none, and brings it to the newest schema.
    ///
    /// # Errors
    /// [`OpenError`]; in every case the file is as it was.
    pub async fn open(
        path: &Path,
        key: DatabaseKey,
        clock: Arc<dyn Clock>,
        changes: Changes,
    ) -> Result<Self, OpenError> {
        Self::open_with(path, key, clock, changes, MIGRATIONS).await
    }

    /// As [`Store::open`], with other migrations.
    pub(crate) async fn open_with(
        path: &Path,
        key: DatabaseKey,
        clock: Arc<dyn Clock>,
        changes: Changes,
        migrations: &[Migration],
    ) -> Result<Self, OpenError> {
        connect::look_at_file(path, &key)?;
        let mut writer = connect::open(path, &key, Role::Writer).await?;
        let ready = match connect::check_program(&mut writer).await {
            Ok(()) => migrate::run(&mut writer, migrations, &mut |_| {}).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ready {
            // Explicitly, so that the file is closed before the caller looks at it.
            let _ = writer.close().await;
            return Err(error);
        }
        connect::check_encrypted(path)?;
        let store = Self::assemble(path, key, clock, changes, Some(writer));
        // One reader now: a reader that cannot be opened is found at the start, not in the middle of the work.
        drop(store.read().await.map_err(OpenError::from)?);
        Ok(store)
    }

    /// Opens for reading only, beside a program that holds the profile. Never migrates, never checkpoints.
    ///
    /// # Errors
    /// [`OpenError`]; `Newer` also for an older schema, because only the holder may migrate.
    pub async fn open_read_only(
        path: &Path,
        key: DatabaseKey,
        clock: Arc<dyn Clock>,
        changes: Changes,
    ) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing);
        }
        connect::look_at_file(path, &key)?;
        let store = Self::assemble(path, key, clock, changes, None);
        let mut reader = store.read().await.map_err(OpenError::from)?;
        connect::check_program(&mut reader).await?;
        migrate::check_readable(&mut reader, MIGRATIONS).await?;
        drop(reader);
        Ok(store)
    }

    fn assemble(
        path: &Path,
        key: DatabaseKey,
        clock: Arc<dyn Clock>,
        changes: Changes,
        writer: Option<SqliteConnection>,
    ) -> Self {
        let turns = writer.is_some().then(Turns::default);
        Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                key,
                clock,
                changes,
                turns,
                writer: Mutex::new(writer),
                readers: Semaphore::new(READERS),
                idle: Mutex::new(Vec::new()),
                saved_at_ms: AtomicI64::new(0),
                jobs: Notify::new(),
            }),
        }
    }

    /// A connection that can only read. Waits while all are in use.
    ///
    /// # Errors
    /// [`StoreError::Closed`] after [`Store::close`]; else what opening a reader brings.
    pub async fn read(&self) -> Result<ReadGuard<'_>, StoreError> {
        ReadGuard::take(&self.inner).await
    }

    /// The one writer, inside `BEGIN IMMEDIATE`. Waits for its turn; the owner's writes overtake background ones.
    /// Dropping the answer, or the wait, changes nothing in the database.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] when another program holds the profile, [`StoreError::Closed`], or what SQLite says.
    pub async fn write(&self, priority: Priority) -> Result<WriteTx<'_>, StoreError> {
        WriteTx::begin(&self.inner, priority).await
    }

    /// Can this store write?
    pub fn is_read_only(&self) -> bool {
        self.inner.turns.is_none()
    }

    /// When something was last committed by this program, UTC ms.
    pub fn saved_at_ms(&self) -> Option<i64> {
        Some(self.inner.saved_at_ms.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Ends once jobs were put in after this call.
    pub(crate) fn jobs_woken(&self) -> Notified<'_> {
        self.inner.jobs.notified()
    }

    /// Bytes on disk, with the write-ahead log.
    pub fn size_bytes(&self) -> u64 {
        connect::side_files(&self.inner.path)
            .iter()
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|found| found.len())
            .sum()
    }

    /// Moves everything out of the write-ahead log and empties it, with the readers drained: after an erasure nothing of the erased
    /// rows is left in any file (decision T24).
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn scrub(&self) -> Result<(), StoreError> {
        let turns = self.inner.turns.as_ref().ok_or(StoreError::ReadOnly)?;
        let _turn = turns
            .wait(Priority::Owner)
            .await
            .ok_or(StoreError::Closed)?;
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        let _drained = self
            .inner
            .readers
            .acquire_many(all)
            .await
            .map_err(|_| StoreError::Closed)?;
        let mut writer = self.inner.take_writer().await?;
        let answer = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut writer)
            .await;
        self.inner.put_writer(writer);
        answer.map(drop).map_err(StoreError::from)
    }

    /// Closes the readers, then the writer. Waits for whoever still holds one; afterwards every call answers [`StoreError::Closed`].
    pub async fn close(&self) {
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        if let Ok(drained) = self.inner.readers.acquire_many(all).await {
            self.inner.readers.close();
            drained.forget();
        }
        let idle = std::mem::take(
            &mut *self
                .inner
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for (_, reader) in idle {
            let _ = reader.close().await;
        }
        let Some(turns) = &self.inner.turns else {
            return;
        };
        let turn = turns.wait(Priority::Background).await;
        turns.close();
        let writer = self
            .inner
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            let _ = writer.close().await;
        }
        drop(turn);
    }
}

impl Inner {
    /// The writer, opened again when the last one failed. Only for the holder of the turn.
    async fn take_writer(&self) -> Result<SqliteConnection, StoreError> {
        let waiting = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match waiting {
            Some(writer) => Ok(writer),
            None => connect::open(&self.path, &self.key, Role::Writer)
                .await
                .map_err(StoreError::from),
        }
    }

    fn put_writer(&self, writer: SqliteConnection) {
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;

#[cfg(test)]
mod canary_tests;
#[cfg(test)]
mod failure_tests;
