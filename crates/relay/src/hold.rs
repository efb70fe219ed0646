//! One process per database file: a lock beside it, held as long as the relay lives.
//!
//! Invariant: two relays never write into one SQLite file: each keeps in memory what it thinks is in there, and the SQLite inside loses
//! pages when two connections write and checkpoint at once. The system gives the lock back when the process ends, however it ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::PathBuf,
};

use crate::Config;

/// Why the lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Another process has it.
    #[error("another relay uses {0}")]
    Taken(PathBuf),
    /// The lock's file cannot be made.
    #[error("cannot lock {0}: {1}")]
    File(PathBuf, #[source] std::io::Error),
}

/// The lock; given back when dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    _file: File,
}

impl Hold {
    /// Takes the lock of the configured storage for a relay. Nothing when that is no file.
    pub(crate) fn take(config: &Config) -> Result<Option<Self>, HoldError> {
        Self::lock(config, true)
    }

    /// The same for an operator's command, whose user need not be the relay's: it makes no file that the relay could then not open.
    pub(crate) fn take_there(config: &Config) -> Result<Option<Self>, HoldError> {
        Self::lock(config, false)
    }

    fn lock(config: &Config, create: bool) -> Result<Option<Self>, HoldError> {
        let Some(database) = config.storage_file() else {
            return Ok(None);
        };
        let mut path = database.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.create(create).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = match options.open(&path) {
            Ok(file) => file,
            Err(error) if !create && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(HoldError::File(path, error)),
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(HoldError::Taken(database)),
            Err(TryLockError::Error(error)) => Err(HoldError::File(path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_second_is_told_and_has_it_when_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            storage: format!("sqlite:{}", dir.path().join("relay.db").display()),
            ..Config::default()
        };
        assert!(Hold::take_there(&config).unwrap().is_none());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let first = Hold::take(&config).unwrap().unwrap();
        assert!(Hold::take_there(&config).is_err());
        assert!(
            matches!(Hold::take(&config), Err(HoldError::Taken(path)) if path.ends_with("relay.db"))
        );
        drop(first);
        assert!(Hold::take(&config).unwrap().is_some());
        let nowhere = Config {
            storage: "sqlite:/nowhere/relay.db".into(),
            ..Config::default()
        };
        assert!(matches!(Hold::take(&nowhere), Err(HoldError::File(..))));
        let memory = Config {
            storage: "memory:".into(),
            ..Config::default()
        };
        assert!(Hold::take(&memory).unwrap().is_none());
    }
}
