//! Pictures that wait for their one fetch, in parts: a large one must not hold events up while it is written or deleted.

use bytes::Bytes;
use shopbell_wire::{MEDIA_PER_DEVICE, Thumbprint};
use sqlx::Row as _;

use super::Sqlite;
use crate::storage::{Media, Stored};

const PART_BYTES: usize = 512 * 1024;
/// Parts that one group deletes at most.
const DELETE_PARTS: u32 = 4;

impl Sqlite {
    pub(super) async fn keep_media(
        &self,
        id: &str,
        device: &Thumbprint,
        media: &Media,
        expires_at_ms: i64,
    ) -> Stored<bool> {
        let (row, device, mime) = (id.to_owned(), device.clone(), media.mime.clone());
        let begun = self
            .write(move |connection| {
                Box::pin(async move {
                    let done = sqlx::query(
                        "INSERT INTO media (id, device, mime, complete, expires_at_ms) SELECT ?1, ?2, ?3, 0, ?4 \
                         WHERE (SELECT count(*) FROM media WHERE device = ?2) < ?5 ON CONFLICT DO NOTHING",
                    )
                    .bind(row)
                    .bind(device.as_str())
                    .bind(mime)
                    .bind(expires_at_ms)
                    .bind(i64::try_from(MEDIA_PER_DEVICE).unwrap_or(i64::MAX))
                    .execute(connection)
                    .await?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await?;
        if !begun {
            return Ok(false);
        }
        for (part, start) in (0i64..).zip((0..media.bytes.len()).step_by(PART_BYTES)) {
            let end = media.bytes.len().min(start + PART_BYTES);
            let (row, bytes) = (id.to_owned(), media.bytes.slice(start..end));
            self.write(move |connection| {
                Box::pin(async move {
                    sqlx::query("INSERT INTO media_parts (media, part, bytes) VALUES (?1, ?2, ?3)")
                        .bind(row)
                        .bind(part)
                        .bind(&bytes[..])
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await?;
        }
        let row = id.to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                let done = sqlx::query("UPDATE media SET complete = 1 WHERE id = ?1")
                    .bind(row)
                    .execute(connection)
                    .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    pub(super) async fn hand_media_out(&self, id: &str, now_ms: i64) -> Stored<Option<Media>> {
        let row = id.to_owned();
        let found = self
            .read_with(move |connection| {
                Box::pin(async move {
                    let Some(row_found) = sqlx::query(
                        "SELECT mime, expires_at_ms FROM media WHERE id = ?1 AND complete",
                    )
                    .bind(&row)
                    .fetch_optional(&mut *connection)
                    .await?
                    else {
                        return Ok(None);
                    };
                    let parts: Vec<Vec<u8>> = sqlx::query_scalar(
                        "SELECT bytes FROM media_parts WHERE media = ?1 ORDER BY part",
                    )
                    .bind(row)
                    .fetch_all(connection)
                    .await?;
                    let media = Media {
                        mime: row_found.try_get("mime")?,
                        bytes: Bytes::from(parts.concat()),
                    };
                    Ok(Some((media, row_found.try_get::<i64, _>("expires_at_ms")?)))
                })
            })
            .await?;
        let Some((media, expires_at_ms)) = found else {
            return Ok(None);
        };
        let row = id.to_owned();
        // Of several that read it at the same time the one that deletes it has it.
        let mine = self
            .write(move |connection| {
                Box::pin(async move {
                    let done = sqlx::query("DELETE FROM media WHERE id = ?1 AND complete")
                        .bind(row)
                        .execute(connection)
                        .await?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await?;
        if !mine {
            return Ok(None);
        }
        self.delete_orphaned_parts().await?;
        Ok((now_ms <= expires_at_ms).then_some(media))
    }

    /// Deletes parts of pictures that are gone.
    pub(super) async fn delete_orphaned_parts(&self) -> Stored<()> {
        loop {
            let deleted = self
                .write(|connection| {
                    Box::pin(async move {
                        let done = sqlx::query(
                            "DELETE FROM media_parts WHERE rowid IN (SELECT rowid FROM media_parts \
                             WHERE media NOT IN (SELECT id FROM media) LIMIT ?1)",
                        )
                        .bind(DELETE_PARTS)
                        .execute(connection)
                        .await?;
                        Ok(done.rows_affected())
                    })
                })
                .await?;
            if deleted < u64::from(DELETE_PARTS) {
                return Ok(());
            }
        }
    }
}
