//! Each device's stream: rows of blocks, and what is deleted of them.
//!
//! Invariant: everything up to a stream's `deleted_to` is gone for every reader, whether or not its rows are deleted yet; the newest
//! offset is that of the last row or `deleted_to`, so offsets go on after any deletion.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use shopbell_wire::{EVENT_MAX_BYTES, Thumbprint};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use tokio::sync::{oneshot, watch};

use super::{
    Sqlite, block, ended,
    insert::number,
    later::{DELETE_ROWS, Later},
    lock,
    places::{Places, Source},
    writer::Order,
};
use crate::storage::{Extent, NewRecord, Record, Storage as _, StorageError, Stored, Streams};

#[async_trait]
impl Streams for Sqlite {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    async fn append(&self, records: Vec<NewRecord>) -> Stored<()> {
        if records.iter().any(|r| r.event.len() > EVENT_MAX_BYTES) {
            return Err(StorageError::Other("an event is too large".into()));
        }
        if self.gauge.is_broken() {
            return Err(StorageError::Broken);
        }
        let (done, answer) = oneshot::channel();
        self.order(Order::Append(records, done)).await?;
        answer.await.map_err(|_| ended())?
    }

    async fn read(
        &self,
        device: &Thumbprint,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Stored<Vec<Record>> {
        let source = lock(&self.places).source(device, after, max_events, max_bytes);
        match source {
            Source::Nothing => Ok(Vec::new()),
            Source::Memory(records) => Ok(records),
            Source::Rows {
                stream,
                after,
                newest,
            } => {
                self.read_with(move |connection| {
                    Box::pin(read(
                        connection, stream, after, newest, max_events, max_bytes,
                    ))
                })
                .await
            }
        }
    }

    async fn extent(&self, device: &Thumbprint) -> Stored<Extent> {
        Ok(lock(&self.places).extent(device))
    }

    async fn acknowledge(&self, device: &Thumbprint, offset: u64) -> Stored<()> {
        let offset = offset + u64::from(crate::planted::on("relay.deletes_one_too_many"));
        let deleted = lock(&self.places).delete(device, offset);
        if let Some((stream, to)) = deleted {
            lock(&self.later).delete(stream, to);
            self.order(Order::Later).await?;
        }
        Ok(())
    }

    async fn arrivals(&self, device: &Thumbprint) -> Stored<watch::Receiver<u64>> {
        Ok(lock(&self.places).listen(device))
    }

    async fn expire(&self, before_ms: i64) -> Stored<u64> {
        // Acknowledged records are not expired ones.
        self.flush().await?;
        let old = self
            .read_with(move |connection| Box::pin(old_streams(connection, before_ms)))
            .await?;
        let mut records = 0;
        for (stream, device, before_ms) in old {
            loop {
                let (places, device) = (Arc::clone(&self.places), device.clone());
                let (expired, _, rows) = self
                    .write_then(
                        move |connection| Box::pin(expire(connection, stream, before_ms)),
                        move |_, (_, to, _)| {
                            lock(&places).delete(&device, *to);
                        },
                    )
                    .await?;
                records += expired;
                if rows < u64::from(DELETE_ROWS) {
                    break;
                }
            }
        }
        Ok(records)
    }

    async fn drop_stream(&self, device: &Thumbprint) -> Stored<()> {
        let Some(stream) = lock(&self.places).stream(device) else {
            return Ok(());
        };
        let (places, device) = (Arc::clone(&self.places), device.clone());
        let to = self
            .write_then(
                move |connection| Box::pin(drop_all(connection, stream)),
                move |_, to| {
                    lock(&places).delete(&device, to.unsigned_abs());
                },
            )
            .await?;
        while self
            .write(move |connection| Box::pin(delete_rows(connection, stream, to)))
            .await?
            == u64::from(DELETE_ROWS)
        {}
        Ok(())
    }
}

/// Where all streams stand, and what of them is still to be deleted.
pub(super) async fn load(connection: &mut SqliteConnection) -> Stored<(Places, Later)> {
    let mut places = Places::default();
    let mut later = Later::default();
    let mut rows = sqlx::query(
        "SELECT id, device, deleted_to, (SELECT max(last) FROM blocks WHERE stream = s.id) AS newest, \
         (SELECT min(last) FROM blocks WHERE stream = s.id) AS oldest FROM streams s",
    )
    .fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let (stream, deleted_to) = (row.try_get("id")?, offset(&row, "deleted_to")?);
        let newest: Option<i64> = row.try_get("newest")?;
        let oldest: Option<i64> = row.try_get("oldest")?;
        if oldest.is_some_and(|oldest| oldest.unsigned_abs() <= deleted_to) {
            later.leftover(stream, deleted_to);
        }
        places.found(
            stream,
            super::bindings::thumbprint(&row)?,
            deleted_to,
            if crate::planted::on("relay.gives_offsets_again") {
                deleted_to
            } else {
                newest.unwrap_or(0).unsigned_abs()
            },
        );
    }
    Ok((places, later))
}

async fn read(
    connection: &mut SqliteConnection,
    stream: i64,
    after: u64,
    newest: u64,
    max_events: usize,
    max_bytes: usize,
) -> Stored<Vec<Record>> {
    let mut rows = sqlx::query(
        "SELECT first, last, records FROM blocks WHERE stream = ?1 AND last > ?2 ORDER BY last",
    )
    .bind(stream)
    .bind(number(after)?)
    .fetch(connection);
    let mut out = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await? {
        let (first, last) = (offset(&row, "first")?, offset(&row, "last")?);
        let block = Bytes::from(row.try_get::<Vec<u8>, _>("records")?);
        for record in block::records(first, last, block, after) {
            let record = record?;
            bytes += record.event.len();
            // What was committed but not yet told as such is for the next read.
            let is_beyond = record.offset > newest;
            let is_enough = out.len() == max_events || (!out.is_empty() && bytes > max_bytes);
            if is_beyond || is_enough {
                return Ok(out);
            }
            out.push(record);
        }
    }
    Ok(out)
}

/// Streams that begin with something to expire, and the time before which everything of them goes: that of the call, or the end of time for
/// devices that no longer exist.
async fn old_streams(
    connection: &mut SqliteConnection,
    before_ms: i64,
) -> Stored<BTreeSet<(i64, Thumbprint, i64)>> {
    let rows = sqlx::query(
        "SELECT s.id, s.device, d.thumbprint IS NOT NULL AS lives FROM streams s \
         LEFT JOIN devices d ON d.thumbprint = s.device \
         WHERE (SELECT received_ms < ?1 OR d.thumbprint IS NULL FROM blocks WHERE stream = s.id ORDER BY last LIMIT 1)",
    )
    .bind(before_ms)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let before = if row.try_get("lives")? {
                before_ms
            } else {
                i64::MAX
            };
            Ok((
                row.try_get("id")?,
                super::bindings::thumbprint(row)?,
                before,
            ))
        })
        .collect()
}

/// Expires the oldest blocks of a stream, up to the first that is too young. Answers records, the offset up to which nothing is left,
/// and rows.
async fn expire(
    connection: &mut SqliteConnection,
    stream: i64,
    before_ms: i64,
) -> Stored<(u64, u64, u64)> {
    let deleted_to: i64 = sqlx::query_scalar("SELECT deleted_to FROM streams WHERE id = ?1")
        .bind(stream)
        .fetch_one(&mut *connection)
        .await?;
    let blocks: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT last, received_ms FROM blocks WHERE stream = ?1 ORDER BY last LIMIT ?2",
    )
    .bind(stream)
    .bind(DELETE_ROWS)
    .fetch_all(&mut *connection)
    .await?;
    let old = blocks
        .iter()
        .take_while(|(_, received_ms)| *received_ms < before_ms);
    let Some((to, _)) = old.last() else {
        return Ok((0, deleted_to.unsigned_abs(), 0));
    };
    // First how far it went, so that no device ever misses records without being told.
    sqlx::query(
        "UPDATE streams SET deleted_to = max(deleted_to, ?2), expired_to = max(expired_to, ?2) WHERE id = ?1",
    )
    .bind(stream)
    .bind(to)
    .execute(&mut *connection)
    .await?;
    let rows = delete_rows(connection, stream, *to).await?;
    let records = to.saturating_sub(deleted_to).max(0).unsigned_abs();
    Ok((records, to.unsigned_abs(), rows))
}

/// Drops a stream as it stands; its rows may go after that. Answers the offset up to which nothing is left.
async fn drop_all(connection: &mut SqliteConnection, stream: i64) -> Stored<i64> {
    Ok(sqlx::query_scalar(
        "UPDATE streams SET deleted_to = max(deleted_to, coalesce((SELECT max(last) FROM blocks WHERE stream = ?1), 0)) \
         WHERE id = ?1 RETURNING deleted_to",
    )
    .bind(stream)
    .fetch_one(connection)
    .await?)
}

async fn delete_rows(connection: &mut SqliteConnection, stream: i64, to: i64) -> Stored<u64> {
    let done = sqlx::query(
        "DELETE FROM blocks WHERE id IN \
         (SELECT id FROM blocks WHERE stream = ?1 AND last <= ?2 ORDER BY last LIMIT ?3)",
    )
    .bind(stream)
    .bind(to)
    .bind(DELETE_ROWS)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

fn offset(row: &SqliteRow, column: &str) -> Stored<u64> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StorageError::Unreadable("offset"))
}
