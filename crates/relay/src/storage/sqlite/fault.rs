//! What an error of the writing connection means for everybody else.

use crate::storage::StorageError;

/// How far a fault reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The one order that asked.
    Own,
    /// The whole transaction: SQLite has taken it back or may have.
    Group,
    /// Everything from now on: a write or sync failed, so what the disk holds is not known.
    Broken,
}

const NOMEM: i32 = 7;
const INTERRUPT: i32 = 9;
const IOERR: i32 = 10;
const FULL: i32 = 13;
/// `SQLITE_IOERR_SHMOPEN` to `SQLITE_IOERR_SHMMAP`: the index of the log, which is made anew from the log and never synced.
const SHM: std::ops::RangeInclusive<i32> = 18..=21;

/// The reach of an error.
pub(super) fn of(error: &StorageError) -> Fault {
    match error {
        StorageError::Broken => Fault::Broken,
        StorageError::Sqlite(sqlx::Error::WorkerCrashed | sqlx::Error::Io(_)) => Fault::Broken,
        StorageError::Sqlite(error) => match code(error) {
            Some(code) => match code & 0xff {
                IOERR if !SHM.contains(&(code >> 8)) => Fault::Broken,
                IOERR | FULL | NOMEM | INTERRUPT => Fault::Group,
                _ => Fault::Own,
            },
            None => Fault::Own,
        },
        _ => Fault::Own,
    }
}

/// The same error once more, for the others of the group.
pub(super) fn again(error: &StorageError) -> StorageError {
    match error {
        _ if of(error) == Fault::Broken => StorageError::Broken,
        StorageError::Sqlite(inner) if code(inner).is_some_and(|code| code & 0xff == FULL) => {
            StorageError::Full
        }
        other => StorageError::Other(other.to_string()),
    }
}

fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}
