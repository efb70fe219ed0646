//! Pictures that wait for their one fetch, in chunks, with a list per device that bounds how many wait.
//!
//! Rows of the bucket: `q.{device}` what waits, `m.{id}` one picture, `c.{upload}.{n}` its chunks. Everything goes with the bucket's age
//! in any case.
//! Invariant: a picture is given out by whoever deleted its row, so once over all nodes.

use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use shopbell_wire::{MEDIA_MAX_BYTES, MEDIA_PER_DEVICE, Thumbprint};

use super::{
    Nats,
    table::{Decision, key, parse},
};
use crate::storage::{Media, StorageError, Stored};

/// Size of a chunk.
const CHUNK_BYTES: usize = 512 * 1024;
/// Chunks on their way at once.
const CHUNKS_AT_ONCE: usize = 4;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct PictureRow {
    device: Thumbprint,
    mime: String,
    upload: String,
    bytes: usize,
    expires_at_ms: i64,
}

/// Key of a picture and when it is over.
type Waiting = Vec<(String, i64)>;

fn queue_key(device: &Thumbprint) -> String {
    format!("q.{device}")
}

fn chunk_key(upload: &str, chunk: usize) -> String {
    format!("c.{upload}.{chunk}")
}

impl Nats {
    /// See [`crate::storage::Extras::put_media`].
    pub(super) async fn keep_media(
        &self,
        id: &str,
        device: &Thumbprint,
        media: &Media,
        expires_at_ms: i64,
    ) -> Stored<bool> {
        let picture = format!("m.{}", key(&[id]));
        if self.media.row(&picture).await?.value.is_some()
            || !self.queue_media(device, &picture, expires_at_ms).await?
        {
            return Ok(false);
        }
        let upload = self.upload();
        let kept = self
            .keep_picture(&picture, &upload, device, media, expires_at_ms)
            .await;
        if !matches!(kept, Ok(true)) {
            // Another upload of the same id was faster, or nothing could be kept.
            self.forget_chunks(&upload).await?;
            self.unqueue_media(device, &picture).await?;
        }
        kept
    }

    async fn keep_picture(
        &self,
        picture: &str,
        upload: &str,
        device: &Thumbprint,
        media: &Media,
        expires_at_ms: i64,
    ) -> Stored<bool> {
        let chunks: Vec<(String, Bytes)> = (0..media.bytes.len().div_ceil(CHUNK_BYTES))
            .map(|n| {
                let end = media.bytes.len().min((n + 1) * CHUNK_BYTES);
                (
                    chunk_key(upload, n),
                    media.bytes.slice(n * CHUNK_BYTES..end),
                )
            })
            .collect();
        futures_util::stream::iter(chunks)
            .map(|(key, chunk)| async move { self.media.write(&key, Some(chunk), 0).await })
            .buffer_unordered(CHUNKS_AT_ONCE)
            .try_for_each(|_| std::future::ready(Ok(())))
            .await?;
        let row = PictureRow {
            device: device.clone(),
            mime: media.mime.clone(),
            upload: upload.to_owned(),
            bytes: media.bytes.len(),
            expires_at_ms,
        };
        let changed = self
            .media
            .change(picture, |known: Option<PictureRow>| match known {
                Some(_) => Decision::Keep(false),
                None => Decision::Put(row.clone(), true),
            })
            .await?;
        Ok(changed.answer)
    }

    /// See [`crate::storage::Extras::take_media`].
    pub(super) async fn give_media(&self, id: &str, now_ms: i64) -> Stored<Option<Media>> {
        let key = format!("m.{}", key(&[id]));
        let row = self.media.row(&key).await?;
        let Some(picture) = row.value.as_ref().map(parse::<PictureRow>).transpose()? else {
            return Ok(None);
        };
        if !self.media.forget(&key, row.revision).await? {
            return Ok(None);
        }
        let media = if now_ms <= picture.expires_at_ms {
            Some(self.picture(&picture).await?)
        } else {
            None
        };
        self.forget_chunks(&picture.upload).await?;
        self.unqueue_media(&picture.device, &key).await?;
        Ok(media)
    }

    async fn picture(&self, picture: &PictureRow) -> Stored<Media> {
        let size = picture.bytes.min(MEDIA_MAX_BYTES);
        let mut chunks = futures_util::stream::iter(0..size.div_ceil(CHUNK_BYTES))
            .map(|n| async move { self.media.row(&chunk_key(&picture.upload, n)).await })
            .buffered(CHUNKS_AT_ONCE);
        let mut bytes = BytesMut::with_capacity(size);
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk?.value.unwrap_or_default());
        }
        if bytes.len() != picture.bytes {
            return Err(StorageError::Unreadable("picture"));
        }
        Ok(Media {
            mime: picture.mime.clone(),
            bytes: bytes.freeze(),
        })
    }

    async fn queue_media(
        &self,
        device: &Thumbprint,
        picture: &str,
        expires_at_ms: i64,
    ) -> Stored<bool> {
        let over = self.purged_to.load(Ordering::Relaxed);
        let changed = self
            .media
            .change(&queue_key(device), |waiting: Option<Waiting>| {
                let mut waiting = waiting.unwrap_or_default();
                waiting.retain(|(_, expires)| *expires >= over);
                if waiting.len() >= MEDIA_PER_DEVICE {
                    return Decision::Keep(false);
                }
                waiting.push((picture.to_owned(), expires_at_ms));
                Decision::Put(waiting, true)
            })
            .await?;
        Ok(changed.answer)
    }

    async fn unqueue_media(&self, device: &Thumbprint, picture: &str) -> Stored<()> {
        self.media
            .change(&queue_key(device), |waiting: Option<Waiting>| {
                let mut waiting = waiting.unwrap_or_default();
                let before = waiting.len();
                waiting.retain(|(known, _)| known != picture);
                if waiting.len() == before {
                    return Decision::Keep(());
                }
                Decision::Put(waiting, ())
            })
            .await?;
        Ok(())
    }

    async fn forget_chunks(&self, upload: &str) -> Stored<()> {
        let chunks = self.media.subject(&format!("c.{upload}.*"));
        self.media.link.purge_all(&self.media.stream, &chunks).await
    }

    /// Deletes pictures that are over.
    pub(super) async fn purge_media(&self, now_ms: i64) -> Stored<()> {
        for key in self.media.keys("m.").await? {
            let row = self.media.row(&key).await?;
            let Some(picture) = row.value.as_ref().map(parse::<PictureRow>).transpose()? else {
                continue;
            };
            if picture.expires_at_ms < now_ms && self.media.forget(&key, row.revision).await? {
                self.forget_chunks(&picture.upload).await?;
                self.unqueue_media(&picture.device, &key).await?;
            }
        }
        Ok(())
    }
}
