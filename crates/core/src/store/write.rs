//! A transaction on the one writer.

use super::{Inner, Priority, StoreError, turns::Turn};
use crate::api::types::Change;
use sqlx::{Connection, Database, SqlSafeStr, Sqlite, SqliteConnection};
use sqlx_core::transaction::TransactionManager;
use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::{Arc, atomic::Ordering},
};

type Manager = <Sqlite as Database>::TransactionManager;

/// Inside `BEGIN IMMEDIATE`. [`WriteTx::commit`] makes it last; dropping it takes everything back.
pub struct WriteTx<'a> {
    inner: Arc<Inner>,
    connection: Option<SqliteConnection>,
    changes: Vec<Change>,
    wakes_jobs: bool,
    begun_ms: i64,
    // Dropped after the connection has been given back.
    turn: Option<Turn>,
    store: PhantomData<&'a ()>,
}

impl WriteTx<'_> {
    pub(super) async fn begin(inner: &Arc<Inner>, priority: Priority) -> Result<Self, StoreError> {
        let asked_ms = inner.clock.monotonic_ms();
        let turns = inner.turns.as_ref().ok_or(StoreError::ReadOnly)?;
        let turn = turns.wait(priority).await.ok_or(StoreError::Closed)?;
        let mut connection = inner.take_writer().await?;
        if let Err(first) =
            Manager::begin(&mut connection, Some("BEGIN IMMEDIATE".into_sql_str())).await
        {
            // An error inside the last transaction may have ended it behind sqlx's back. A fresh connection knows.
            tracing::warn!(target: "shopbell::store", error = %StoreError::from(first), "the writer is opened again");
            let _ = connection.close().await;
            connection = inner.take_writer().await?;
            Manager::begin(&mut connection, Some("BEGIN IMMEDIATE".into_sql_str())).await?;
        }
        let begun_ms = inner.clock.monotonic_ms();
        tracing::trace!(target: "shopbell::store", ?priority, waited_ms = begun_ms - asked_ms, "write begins");
        Ok(Self {
            inner: Arc::clone(inner),
            connection: Some(connection),
            changes: Vec::new(),
            wakes_jobs: false,
            begun_ms,
            turn: Some(turn),
            store: PhantomData,
        })
    }

    /// To be told after the commit, and only then.
    pub fn tell(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Jobs were put in; the scheduler looks after the commit.
    pub(crate) fn wake_jobs(&mut self) {
        self.wakes_jobs = true;
    }

    /// Puts everything on disk, then tells. Giving up the wait does not stop it.
    ///
    /// # Errors
    /// Nothing was changed then, [`StoreError::Closed`] excepted: the program is ending and the outcome is not known.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let (Some(mut connection), Some(turn)) = (self.connection.take(), self.turn.take()) else {
            return Err(StoreError::Closed);
        };
        let inner = Arc::clone(&self.inner);
        let changes = std::mem::take(&mut self.changes);
        let (begun_ms, wakes_jobs) = (self.begun_ms, self.wakes_jobs);
        let work = async move {
            match Manager::commit(&mut connection).await {
                Ok(()) => {
                    inner.put_writer(connection);
                    inner
                        .saved_at_ms
                        .store(inner.clock.now_ms(), Ordering::Relaxed);
                    tracing::debug!(target: "shopbell::store", held_ms = inner.clock.monotonic_ms() - begun_ms, "committed");
                    drop(turn);
                    if wakes_jobs {
                        inner.jobs.notify_waiters();
                    }
                    for change in changes {
                        inner.changes.send(change);
                    }
                    Ok(())
                }
                Err(error) => {
                    // After a failed sync the system may have dropped the pages it could not write; a fresh connection reads the file.
                    let _ = connection.close().await;
                    drop(turn);
                    Err(StoreError::from(error))
                }
            }
        };
        tokio::spawn(work).await.map_err(|_| StoreError::Closed)?
    }
}

impl Deref for WriteTx<'_> {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection leaves only with the transaction"),
        }
    }
}

impl DerefMut for WriteTx<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection leaves only with the transaction"),
        }
    }
}

impl Drop for WriteTx<'_> {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            Manager::start_rollback(&mut connection);
            self.inner.put_writer(connection);
        }
    }
}
