//! Why the database does not open, and why a read or write failed. No text in here quotes a value.

use crate::api::types::Reason;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a database does not open. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no file, and this call does not make one.
    #[error("there is no database")]
    Missing,
    /// An SQLite file without encryption.
    #[error("the database file is not encrypted")]
    Plaintext,
    /// Not a file of ours: wrong size for a database, or another program's.
    #[error("the file is not a Shopbell database")]
    Foreign,
    /// Made with another key.
    #[error("the database was made with another key")]
    WrongKey,
    /// Made by a newer program.
    #[error("the database has schema {found}, this program knows {known}")]
    Newer {
        /// Schema in the file.
        found: i64,
        /// Newest schema of this program.
        known: i64,
    },
    /// Another program holds the profile and its schema is older than ours; only the holder may migrate.
    #[error("the database has schema {found}, this program needs {known}")]
    Older {
        /// Schema in the file.
        found: i64,
        /// Schema this program needs.
        known: i64,
    },
    /// No room left.
    #[error("the disk is full")]
    Full,
    /// The folder or file cannot be written.
    #[error("the folder cannot be written")]
    ReadOnlyFolder,
    /// Pages whose checksum is wrong.
    #[error("the database file is damaged")]
    Damaged,
    /// The program was built with another database engine than it was tested with.
    #[error("built with another database engine: {0}")]
    Program(String),
    /// Anything else SQLite or the system says.
    #[error("the database does not open")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl OpenError {
    /// As the boundary says it (`VaultStatus::Locked`).
    pub fn reason(&self) -> Reason {
        match self {
            Self::Missing => Reason::new("file_missing"),
            Self::Plaintext => Reason::new("file_plaintext"),
            Self::Foreign => Reason::new("file_not_ours"),
            Self::WrongKey => Reason::new("key_wrong"),
            Self::Newer { found, known } => Reason::new("file_newer")
                .with("found", found)
                .with("known", known),
            Self::Older { found, known } => Reason::new("file_older")
                .with("found", found)
                .with("known", known),
            Self::Full => Reason::new("disk_full"),
            Self::ReadOnlyFolder => Reason::new("folder_read_only"),
            Self::Damaged => Reason::new("file_damaged"),
            Self::Program(_) | Self::Other(_) => Reason::new("file_trouble"),
        }
    }

    /// From an error of the file system.
    pub(crate) fn from_io(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnlyFolder,
            _ => Self::Other(Box::new(error)),
        }
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::from(StoreError::from(error))
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::ReadOnly => Self::ReadOnlyFolder,
            StoreError::Damaged => Self::Damaged,
            StoreError::Connect(error) => *error,
            other => Self::Other(Box::new(other)),
        }
    }
}

/// Why a read or write failed. A failed write changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The profile is being closed.
    #[error("the database is closed")]
    Closed,
    /// Another program holds the profile, or the file cannot be written.
    #[error("the database cannot be written")]
    ReadOnly,
    /// No room left.
    #[error("the disk is full")]
    Full,
    /// Pages whose checksum is wrong.
    #[error("the database file is damaged")]
    Damaged,
    /// A connection did not open.
    #[error("the database does not open")]
    Connect(#[source] Box<OpenError>),
    /// Anything else.
    #[error(transparent)]
    Sql(sqlx::Error),
}

/// How often a damaged page was met. SQLCipher's connection is of no more use after one, so readers opened before are not used again.
static DAMAGE: AtomicU64 = AtomicU64::new(0);

pub(super) fn damage_seen() -> u64 {
    DAMAGE.load(Ordering::Relaxed)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let error = Self::classify(error);
        if matches!(error, Self::Damaged) {
            DAMAGE.fetch_add(1, Ordering::Relaxed);
        }
        error
    }
}

impl StoreError {
    fn classify(error: sqlx::Error) -> Self {
        match primary_code(&error) {
            // SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM
            Some(8 | 14 | 3) => Self::ReadOnly,
            // SQLITE_FULL
            Some(13) => Self::Full,
            // SQLITE_CORRUPT, SQLITE_NOTADB
            Some(11 | 26) => Self::Damaged,
            Some(1) if is_codec_error(&error) => Self::Damaged,
            _ => Self::Sql(error),
        }
    }
}

/// SQLCipher reports a page whose checksum is wrong as SQLITE_ERROR without a text of its own; real errors in SQL always have one.
fn is_codec_error(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.message() == "SQL logic error")
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Full => Self::Full,
            OpenError::ReadOnlyFolder => Self::ReadOnly,
            OpenError::Damaged => Self::Damaged,
            other => Self::Connect(Box::new(other)),
        }
    }
}

/// SQLite's primary result code.
fn primary_code(error: &sqlx::Error) -> Option<i64> {
    let sqlx::Error::Database(error) = error else {
        return None;
    };
    error.code()?.parse::<i64>().ok().map(|code| code & 0xff)
}
