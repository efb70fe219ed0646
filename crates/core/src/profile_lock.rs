//! One program per profile folder. The lock goes with the process, however it ends.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::Path,
};

/// Held while the profile is open for writing.
#[derive(Debug)]
pub(crate) struct ProfileLock {
    // Closing the file gives the lock back.
    _file: File,
}

/// Why the lock was not given.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another program has it; its process id where it could be read.
    Held(Option<u32>),
    /// The folder cannot be used.
    Io(std::io::Error),
}

impl ProfileLock {
    /// Takes the lock of `dir` without waiting.
    pub(crate) fn take(dir: &Path) -> Result<Self, LockError> {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join("profile.lock"))
            .map_err(LockError::Io)?;
        // The id lies beside the locked file: on Windows a locked file cannot be read.
        let id = dir.join("profile.pid");
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(holder(&id))),
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        File::create(&id)
            .and_then(|mut file| write!(file, "{}", std::process::id()))
            .map_err(LockError::Io)?;
        Ok(Self { _file: file })
    }
}

fn holder(id: &Path) -> Option<u32> {
    fs::read_to_string(id).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it_and_gets_it_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let first = ProfileLock::take(folder.path()).unwrap();
        match ProfileLock::take(folder.path()) {
            Err(LockError::Held(pid)) => assert_eq!(pid, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(first);
        ProfileLock::take(folder.path()).unwrap();
    }
}
