//! What may be made durable a second later, gathered: acknowledgements and signs of life. The next group that is due takes it along.
//!
//! Invariant: a higher acknowledgement covers a lower one, a later sign of life an earlier one; what could not be written is put back.

use std::collections::HashMap;

use shopbell_wire::Thumbprint;
use sqlx::SqliteConnection;

use super::insert::{json, number};
use crate::storage::{SEEN_EVERY_MS, Stored};

/// Rows that one group deletes at most, so that events do not wait behind a large acknowledgement.
pub(super) const DELETE_ROWS: u32 = 500;

/// Waits for the next group that is due.
#[derive(Default)]
pub(super) struct Later {
    deleted_to: HashMap<i64, u64>,
    leftover: HashMap<i64, u64>,
    seen: HashMap<Thumbprint, i64>,
    noted: HashMap<Thumbprint, i64>,
}

/// What one group takes along.
#[derive(Default)]
pub(super) struct Batch {
    deleted_to: HashMap<i64, u64>,
    leftover: HashMap<i64, u64>,
    seen: HashMap<Thumbprint, i64>,
}

impl Later {
    /// A stream is deleted up to an offset.
    pub(super) fn delete(&mut self, stream: i64, to: u64) {
        raise(&mut self.deleted_to, stream, to);
    }

    /// Rows of a stream that are deleted already are still there.
    pub(super) fn leftover(&mut self, stream: i64, to: u64) {
        raise(&mut self.leftover, stream, to);
    }

    /// A device was here; answers whether that is worth a write.
    pub(super) fn seen(&mut self, device: &Thumbprint, now_ms: i64) -> bool {
        match self.noted.get_mut(device) {
            Some(noted) if now_ms < noted.saturating_add(SEEN_EVERY_MS) => return false,
            Some(noted) => *noted = now_ms,
            None => {
                self.noted.insert(device.clone(), now_ms);
            }
        }
        self.seen.insert(device.clone(), now_ms);
        true
    }

    pub(super) fn take(&mut self) -> Batch {
        Batch {
            deleted_to: std::mem::take(&mut self.deleted_to),
            leftover: std::mem::take(&mut self.leftover),
            seen: std::mem::take(&mut self.seen),
        }
    }

    pub(super) fn put_back(&mut self, batch: Batch) {
        for (stream, to) in batch.deleted_to {
            raise(&mut self.deleted_to, stream, to);
        }
        for (stream, to) in batch.leftover {
            raise(&mut self.leftover, stream, to);
        }
        for (device, at) in batch.seen {
            let seen = self.seen.entry(device).or_insert(at);
            *seen = at.max(*seen);
        }
    }
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.deleted_to.is_empty() && self.leftover.is_empty() && self.seen.is_empty()
    }

    /// Rows this batch touches, roughly.
    pub(super) fn size(&self) -> usize {
        self.deleted_to.len() + self.leftover.len() + self.seen.len()
    }

    /// Writes it. What is left of it afterwards is for another group.
    pub(super) async fn write(&self, connection: &mut SqliteConnection) -> Stored<Batch> {
        let mut rest = Batch::default();
        if !self.deleted_to.is_empty() {
            sqlx::query(
                "UPDATE streams SET deleted_to = j.value ->> 1 FROM json_each(?1) j \
                 WHERE streams.id = j.value ->> 0 AND deleted_to < j.value ->> 1",
            )
            .bind(list(&self.deleted_to)?)
            .execute(&mut *connection)
            .await?;
        }
        let mut rows = self.leftover.clone();
        for (stream, to) in &self.deleted_to {
            raise(&mut rows, *stream, *to);
        }
        if !rows.is_empty() {
            let done = sqlx::query(
                "DELETE FROM blocks WHERE id IN (SELECT b.id FROM json_each(?1) j CROSS JOIN blocks b \
                 ON b.stream = j.value ->> 0 AND b.last <= j.value ->> 1 LIMIT ?2)",
            )
            .bind(list(&rows)?)
            .bind(DELETE_ROWS)
            .execute(&mut *connection)
            .await?;
            if done.rows_affected() >= u64::from(DELETE_ROWS) {
                rest.leftover = rows;
            }
        }
        if !self.seen.is_empty() {
            let seen: Vec<(&str, i64)> =
                self.seen.iter().map(|(d, at)| (d.as_str(), *at)).collect();
            sqlx::query(
                "UPDATE devices SET last_seen_ms = j.value ->> 1 FROM json_each(?1) j \
                 WHERE thumbprint = j.value ->> 0 AND last_seen_ms < j.value ->> 1",
            )
            .bind(json(&seen)?)
            .execute(connection)
            .await?;
        }
        Ok(rest)
    }
}

fn raise(map: &mut HashMap<i64, u64>, stream: i64, to: u64) {
    let known = map.entry(stream).or_insert(to);
    *known = to.max(*known);
}

fn list(map: &HashMap<i64, u64>) -> Stored<String> {
    let list = map
        .iter()
        .map(|(stream, to)| Ok((*stream, number(*to)?)))
        .collect::<Stored<Vec<_>>>()?;
    json(&list)
}
