//! What an error of the writing connection means for everybody else.

use libsqlite3_sys as ffi;

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

/// The reach of an error.
pub(super) fn of(error: &StorageError) -> Fault {
    match error {
        StorageError::Broken => Fault::Broken,
        StorageError::Sqlite(sqlx::Error::WorkerCrashed | sqlx::Error::Io(_)) => Fault::Broken,
        StorageError::Sqlite(error) => code(error).map_or(Fault::Own, reach),
        _ => Fault::Own,
    }
}

/// The reach of SQLite's extended error code.
fn reach(code: i32) -> Fault {
    match code {
        // The index of the log is made anew from the log and never synced: nothing durable hangs on it.
        ffi::SQLITE_IOERR_SHMOPEN
        | ffi::SQLITE_IOERR_SHMSIZE
        | ffi::SQLITE_IOERR_SHMLOCK
        | ffi::SQLITE_IOERR_SHMMAP => Fault::Group,
        _ => match code & 0xff {
            ffi::SQLITE_IOERR => Fault::Broken,
            ffi::SQLITE_FULL | ffi::SQLITE_NOMEM | ffi::SQLITE_INTERRUPT => Fault::Group,
            _ => Fault::Own,
        },
    }
}

/// The same error once more, for the others of the group.
pub(super) fn again(error: &StorageError) -> StorageError {
    match error {
        _ if of(error) == Fault::Broken => StorageError::Broken,
        StorageError::Sqlite(inner)
            if code(inner).is_some_and(|code| code & 0xff == ffi::SQLITE_FULL) =>
        {
            StorageError::Full
        }
        other => StorageError::Other(other.to_string()),
    }
}

fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_ends_everything_a_full_one_only_the_group() {
        for (code, expected) in [
            (ffi::SQLITE_IOERR, Fault::Broken),
            (ffi::SQLITE_IOERR_FSYNC, Fault::Broken),
            (ffi::SQLITE_IOERR_DIR_FSYNC, Fault::Broken),
            (ffi::SQLITE_IOERR_WRITE, Fault::Broken),
            (ffi::SQLITE_IOERR_TRUNCATE, Fault::Broken),
            (ffi::SQLITE_IOERR_SHORT_READ, Fault::Broken),
            (ffi::SQLITE_IOERR_SHMSIZE, Fault::Group),
            (ffi::SQLITE_FULL, Fault::Group),
            (ffi::SQLITE_NOMEM, Fault::Group),
            (ffi::SQLITE_BUSY, Fault::Own),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, Fault::Own),
        ] {
            assert_eq!(reach(code), expected, "{code}");
        }
        assert_eq!(of(&StorageError::Broken), Fault::Broken);
        assert_eq!(of(&StorageError::Unreadable("x")), Fault::Own);
    }
}
