//! A new epoch, after a database was brought back from a copy.
//!
//! Offsets that were given out after the copy was made are given out again. A device that has them would take new events for old ones,
//! so it has to be told that this is another storage: the epoch says so. Invariant: called while no relay has the file.

use crate::{
    Entropy, clock,
    storage::{StorageError, Stored},
};

use super::connect::Place;

/// Gives an existing database a new epoch.
pub(crate) async fn renew(address: &str, entropy: &dyn Entropy) -> Stored<()> {
    let epoch = hex::encode(clock::random::<16>(entropy));
    let mut connection = Place::new(address, None)?.writer().await?;
    let changed = sqlx::query("UPDATE facts SET value = ? WHERE name = 'epoch'")
        .bind(&epoch)
        .execute(&mut connection)
        .await?
        .rows_affected();
    sqlx::Connection::close(connection).await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StorageError::Unreadable("epoch"))
    }
}
