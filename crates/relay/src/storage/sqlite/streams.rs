//! Each device's stream: blocks of sealed events, offsets, what was deleted.

use async_trait::async_trait;
use bytes::Bytes;
use shopbell_wire::Thumbprint;
use sqlx::{Row as _, SqliteConnection};
use tokio::sync::watch;

use super::Sqlite;
use crate::storage::{Extent, NewRecord, Record, StorageError, Stored, Streams};

#[async_trait]
impl Streams for Sqlite {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    async fn append(&self, records: Vec<NewRecord>) -> Stored<()> {
        let mut tx = self.pool.begin().await?;
        let mut newest = std::collections::HashMap::new();
        for record in records {
            sqlx::query("INSERT INTO streams (device, deleted_to, expired_to) VALUES (?1, 0, 0) ON CONFLICT DO NOTHING")
                .bind(record.device.as_str())
                .execute(&mut *tx)
                .await?;
            let (id, _, last) = place(&mut tx, &record.device).await?;
            let length = u32::try_from(record.event.len())
                .map_err(|_| StorageError::Other("an event is too large".into()))?;
            let mut block = length.to_be_bytes().to_vec();
            block.extend_from_slice(&record.event);
            sqlx::query("INSERT INTO blocks (stream, first, last, received_ms, records) VALUES (?1, ?2, ?2, ?3, ?4)")
                .bind(id)
                .bind(last + 1)
                .bind(record.received_ms)
                .bind(block)
                .execute(&mut *tx)
                .await?;
            newest.insert(record.device, last + 1);
        }
        tx.commit().await?;
        for (device, offset) in newest {
            self.arrived(&device, offset.unsigned_abs());
        }
        Ok(())
    }

    async fn read(
        &self,
        device: &Thumbprint,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Stored<Vec<Record>> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "SELECT first, records FROM blocks JOIN streams s ON s.id = stream WHERE device = ?1 AND last > max(?2, deleted_to) \
             ORDER BY last LIMIT ?3",
        )
        .bind(device.as_str())
        .bind(after)
        .bind(i64::try_from(max_events).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let mut out = Vec::new();
        let mut bytes = 0;
        for row in rows {
            let offset: i64 = row.try_get("first")?;
            let block: &[u8] = row.try_get("records")?;
            let event = block.get(4..).ok_or(StorageError::Unreadable("block"))?;
            bytes += event.len();
            if !out.is_empty() && bytes > max_bytes {
                break;
            }
            out.push(Record {
                offset: offset.unsigned_abs(),
                prev: offset.unsigned_abs() - 1,
                event: Bytes::copy_from_slice(event),
            });
        }
        Ok(out)
    }

    async fn extent(&self, device: &Thumbprint) -> Stored<Extent> {
        let mut connection = self.pool.acquire().await?;
        let (_, deleted_to, newest) = place(&mut connection, device).await?;
        Ok(Extent {
            oldest: deleted_to.unsigned_abs() + 1,
            newest: newest.unsigned_abs(),
        })
    }

    async fn acknowledge(&self, device: &Thumbprint, offset: u64) -> Stored<()> {
        let mut tx = self.pool.begin().await?;
        let (id, deleted_to, newest) = place(&mut tx, device).await?;
        let offset = i64::try_from(offset).unwrap_or(i64::MAX).min(newest);
        if offset > deleted_to {
            delete_to(&mut tx, id, offset).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn arrivals(&self, device: &Thumbprint) -> Stored<watch::Receiver<u64>> {
        let mut arrivals = self
            .arrivals
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(arrivals
            .entry(device.clone())
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe())
    }

    async fn expire(&self, before_ms: i64) -> Stored<u64> {
        let mut tx = self.pool.begin().await?;
        let old = sqlx::query(
            "SELECT stream, max(last) AS last FROM blocks WHERE received_ms < ?1 \
             OR stream IN (SELECT id FROM streams WHERE device NOT IN (SELECT thumbprint FROM devices)) GROUP BY stream",
        )
        .bind(before_ms)
        .fetch_all(&mut *tx)
        .await?;
        let mut deleted = 0;
        for row in old {
            let (stream, last): (i64, i64) = (row.try_get("stream")?, row.try_get("last")?);
            sqlx::query("UPDATE streams SET expired_to = ?2 WHERE id = ?1")
                .bind(stream)
                .bind(last)
                .execute(&mut *tx)
                .await?;
            deleted += delete_to(&mut tx, stream, last).await?;
        }
        tx.commit().await?;
        Ok(deleted)
    }

    async fn drop_stream(&self, device: &Thumbprint) -> Stored<()> {
        self.acknowledge(device, u64::MAX).await
    }
}

impl Sqlite {
    fn arrived(&self, device: &Thumbprint, newest: u64) {
        let mut arrivals = self
            .arrivals
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(sender) = arrivals.get(device) {
            if sender.receiver_count() == 0 {
                arrivals.remove(device);
            } else {
                sender.send_replace(newest);
            }
        }
    }
}

/// Id of the stream, offset up to which it was deleted, newest offset.
async fn place(connection: &mut SqliteConnection, device: &Thumbprint) -> Stored<(i64, i64, i64)> {
    let row = sqlx::query(
        "SELECT id, deleted_to, coalesce((SELECT max(last) FROM blocks WHERE stream = streams.id), deleted_to) AS newest \
         FROM streams WHERE device = ?1",
    )
    .bind(device.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(match row {
        Some(row) => (
            row.try_get("id")?,
            row.try_get("deleted_to")?,
            row.try_get("newest")?,
        ),
        None => (0, 0, 0),
    })
}

async fn delete_to(connection: &mut SqliteConnection, stream: i64, offset: i64) -> Stored<u64> {
    let done = sqlx::query("DELETE FROM blocks WHERE stream = ?1 AND last <= ?2")
        .bind(stream)
        .bind(offset)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE streams SET deleted_to = ?2 WHERE id = ?1")
        .bind(stream)
        .bind(offset)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
