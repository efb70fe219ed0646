//! A connection that can only read.

use super::{Inner, Role, StoreError, connect, error::damage_seen};
use sqlx::{Connection, SqliteConnection};
use std::{
    ops::{Deref, DerefMut},
    sync::PoisonError,
};
use tokio::sync::SemaphorePermit;

/// A reader, given back when dropped.
pub struct ReadGuard<'a> {
    inner: &'a Inner,
    connection: Option<SqliteConnection>,
    opened: u64,
    // Dropped after the connection has been given back.
    _permit: SemaphorePermit<'a>,
}

impl<'a> ReadGuard<'a> {
    pub(super) async fn take(inner: &'a Inner) -> Result<Self, StoreError> {
        let permit = inner
            .readers
            .acquire()
            .await
            .map_err(|_| StoreError::Closed)?;
        let seen = damage_seen();
        let connection = loop {
            let idle = inner
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop();
            match idle {
                Some((opened, connection)) if opened == seen => break connection,
                Some((_, spoilt)) => drop(spoilt.close().await),
                None => break connect::open(&inner.path, &inner.key, Role::Reader).await?,
            }
        };
        Ok(Self {
            inner,
            connection: Some(connection),
            opened: seen,
            _permit: permit,
        })
    }
}

impl Deref for ReadGuard<'_> {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection leaves only with the guard"),
        }
    }
}

impl DerefMut for ReadGuard<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection leaves only with the guard"),
        }
    }
}

impl Drop for ReadGuard<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.inner
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((self.opened, connection));
        }
    }
}
