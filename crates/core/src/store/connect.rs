//! Opening one connection the way its role demands, and refusing what is not ours before SQLite touches it.

use super::{DatabaseKey, OpenError};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::OnceCell;

#[cfg(feature = "planted")]
#[path = "../../../relay/src/storage/sqlite/trial_vfs.rs"]
mod trial_vfs;

/// SQLite inside the pinned SQLCipher. A different one was not tested: see the invariant of this room.
const SQLITE_VERSION: &str = "3.50.4";
/// The pinned SQLCipher.
const CIPHER_VERSION: &str = "4.10.0";
/// Page size; every file of ours is a multiple of it.
const PAGE: u64 = 4096;

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The one that writes and checkpoints.
    Writer,
    /// Reads, and leaves the log alone even when it is the last to close.
    Reader,
}

/// The files of a database.
pub(super) fn side_files(path: &Path) -> [PathBuf; 2] {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    [path.to_owned(), PathBuf::from(log)]
}

/// Looks at the first bytes. A missing or empty file is fine: it becomes a database.
pub(super) fn look_at_file(path: &Path, key: &DatabaseKey) -> Result<(), OpenError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(OpenError::from_io(error)),
    };
    let length = file.metadata().map_err(OpenError::from_io)?.len();
    if length == 0 {
        return Ok(());
    }
    let mut first = [0_u8; 16];
    if length < 16 || file.read_exact(&mut first).is_err() {
        return Err(OpenError::Foreign);
    }
    if &first == b"SQLite format 3\0" {
        return Err(OpenError::Plaintext);
    }
    if key.opens(&first) {
        return Ok(());
    }
    Err(if length % PAGE == 0 {
        OpenError::WrongKey
    } else {
        OpenError::Foreign
    })
}

/// After opening: what lies on disk must not be readable. Guards against a build that lost the cipher.
pub(super) fn check_encrypted(path: &Path) -> Result<(), OpenError> {
    let mut first = [0_u8; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    match read {
        Ok(()) if &first == b"SQLite format 3\0" => Err(OpenError::Plaintext),
        _ => Ok(()),
    }
}

/// Opens one connection.
pub(super) async fn open(
    path: &Path,
    key: &DatabaseKey,
    role: Role,
) -> Result<SqliteConnection, OpenError> {
    silence_cipher().await?;
    // sqlx prints its pragma string, and with it the key, through its statement log: at debug always, at warn when slow.
    let mut options = SqliteConnectOptions::new()
        .filename(path)
        .disable_statement_logging()
        .pragma("key", key.pragma().as_str().to_owned())
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("temp_store", "MEMORY")
        .pragma("mmap_size", "0");
    #[cfg(feature = "planted")]
    if let Some(layer) = trial_vfs::chosen() {
        options = options.vfs(layer);
    }
    options = match role {
        Role::Writer => options
            .create_if_missing(true)
            .pragma("cipher_page_size", PAGE.to_string())
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("fullfsync", "ON")
            .pragma("checkpoint_fullfsync", "ON")
            .pragma("secure_delete", "ON")
            // 16 MB of log before it is carried over: the pages at the ends of the indexes are written again by every transaction, and
            // are then carried over once for many of them. Half of the size the log may keep.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "33554432")
            // 16 MB for the one writer, filled by writing only: a page of an index that is asked by id is decrypted once, not each time.
            .pragma("cache_size", "-16000"),
        Role::Reader => options
            .read_only(true)
            .pragma("query_only", "ON")
            .pragma("wal_autocheckpoint", "0"),
    };
    let mut connection = options.connect().await?;
    if role == Role::Reader {
        no_checkpoint_on_close(&mut connection).await?;
    }
    // The first page is read here, so that a damaged one is found now.
    if let Err(error) = sqlx::raw_sql("SELECT count(*) FROM sqlite_schema")
        .execute(&mut connection)
        .await
    {
        let _ = connection.close().await;
        return Err(error.into());
    }
    Ok(connection)
}

/// SQLCipher writes to stderr by itself; what matters comes back as an error. The setting is the process's, not the connection's.
async fn silence_cipher() -> Result<(), OpenError> {
    static DONE: OnceCell<()> = OnceCell::const_new();
    DONE.get_or_try_init(|| async {
        let mut connection = SqliteConnectOptions::new()
            .in_memory(true)
            .connect()
            .await?;
        sqlx::raw_sql("PRAGMA cipher_log_level = NONE")
            .execute(&mut connection)
            .await?;
        connection.close().await
    })
    .await?;
    Ok(())
}

/// The last connection to close checkpoints, a reader too. Only the writer may (decision T12).
#[allow(unsafe_code, reason = "sqlx has no call for sqlite3_db_config")]
async fn no_checkpoint_on_close(connection: &mut SqliteConnection) -> Result<(), OpenError> {
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
        Err(OpenError::Program("no_ckpt_on_close".into()))
    }
}

/// Is this the engine the program was tested with?
pub(super) async fn check_program(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let cipher: Option<String> = sqlx::query_scalar("PRAGMA cipher_version")
        .fetch_optional(&mut *connection)
        .await?;
    let sqlite: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut *connection)
        .await?;
    match cipher {
        Some(cipher)
            if cipher.split(' ').next() == Some(CIPHER_VERSION) && sqlite == SQLITE_VERSION =>
        {
            Ok(())
        }
        cipher => Err(OpenError::Program(format!(
            "SQLite {sqlite}, SQLCipher {}",
            cipher.as_deref().unwrap_or("none")
        ))),
    }
}
