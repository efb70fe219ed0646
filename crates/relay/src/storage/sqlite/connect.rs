//! Opening the connections of the database: one that writes, a few that read.
//!
//! Invariant: the SQLite inside loses pages when two connections write and checkpoint at once. So readers are opened read-only, never
//! checkpoint, not even when they are the last to close, and are closed first.

use std::{borrow::Cow, str::FromStr as _, time::Duration};

use sqlx::{
    ConnectOptions as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::writer;
use crate::storage::Stored;

/// Connections that read: more than cores make nothing faster.
const READERS: u32 = 3;

/// Where the database is and through which file layer.
pub(super) struct Place {
    options: SqliteConnectOptions,
    /// Whether it is a file; else it is gone with its one connection.
    pub(super) on_disk: bool,
}

impl Place {
    pub(super) fn new(address: &str, vfs: Option<&str>) -> Stored<Self> {
        let mut options = SqliteConnectOptions::from_str(address)?
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true)
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging();
        if let Some(vfs) = vfs {
            options = options.vfs(Cow::Owned(vfs.to_owned()));
        }
        Ok(Self {
            options,
            on_disk: !address.contains(":memory:"),
        })
    }

    /// The one that writes. Whatever an earlier process left in the log is carried over and synced first: if a sync failed then, the
    /// system may believe pages to be on disk that never got there, and only writing them again puts them there.
    pub(super) async fn writer(&self) -> Stored<SqliteConnection> {
        let journal = if self.on_disk {
            SqliteJournalMode::Wal
        } else {
            SqliteJournalMode::Memory
        };
        let mut connection = self
            .options
            .clone()
            .create_if_missing(true)
            .journal_mode(journal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("fullfsync", "ON")
            .pragma("checkpoint_fullfsync", "ON")
            .pragma("secure_delete", "ON")
            // The writer carries the log over itself, because SQLite would keep a failed sync to itself. 256 MB are a safety net.
            .pragma("wal_autocheckpoint", "65536")
            .pragma("journal_size_limit", "67108864")
            .pragma("cache_size", "-16000")
            .connect()
            .await?;
        if self.on_disk {
            writer::checkpoint(&mut connection, "TRUNCATE").await?;
        }
        // `run` asks for a lifetime that a future sent between threads cannot promise.
        sqlx::migrate!("../../migrations/relay")
            .run_direct(None, &mut connection, false)
            .await?;
        Ok(connection)
    }

    /// Those that read; none for a database in memory.
    pub(super) async fn readers(&self) -> Stored<Option<SqlitePool>> {
        if !self.on_disk {
            return Ok(None);
        }
        let options = self
            .options
            .clone()
            .read_only(true)
            .pragma("query_only", "ON")
            .pragma("wal_autocheckpoint", "0")
            .row_buffer_size(4);
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(no_checkpoint_on_close(connection)))
            .connect_with(options)
            .await?;
        Ok(Some(pool))
    }
}

/// The last connection to close checkpoints, a reader too.
#[allow(unsafe_code, reason = "sqlx has no call for sqlite3_db_config")]
async fn no_checkpoint_on_close(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut handle = connection.lock_handle().await?;
    let mut answer: std::ffi::c_int = 0;
    // SAFETY: the handle is locked and open; this verb takes an int and a pointer to an int.
    let code = unsafe {
        libsqlite3_sys::sqlite3_db_config(
            handle.as_raw_handle().as_ptr(),
            libsqlite3_sys::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
            1 as std::ffi::c_int,
            &raw mut answer,
        )
    };
    if code == libsqlite3_sys::SQLITE_OK && answer == 1 {
        Ok(())
    } else {
        Err(sqlx::Error::Protocol("no_ckpt_on_close".into()))
    }
}
