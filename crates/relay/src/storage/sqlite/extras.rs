//! Hooks, pictures on their way out, deletion requests, the relay's own sign of life.

use async_trait::async_trait;
use shopbell_wire::{DeletionOutcome, HookKind, MEDIA_PER_DEVICE, Thumbprint};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::Sqlite;
use crate::storage::{Deletion, Extras, Hook, Media, StorageError, Stored};

const HOOK: &str = "id, kind, device, secret, origins, paused, removed, created_at_ms, last_ms";

#[async_trait]
impl Extras for Sqlite {
    async fn put_hook(&self, hook: &Hook) -> Stored<()> {
        sqlx::query(
            "INSERT OR REPLACE INTO hooks (id, kind, device, secret, origins, paused, removed, created_at_ms, last_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .bind(&hook.id)
        .bind(hook.kind.as_str())
        .bind(hook.device.as_str())
        .bind(&hook.secret)
        .bind(serde_json::to_string(&hook.origins).map_err(|_| StorageError::Unreadable("origins"))?)
        .bind(hook.paused)
        .bind(hook.removed)
        .bind(hook.created_at_ms)
        .bind(hook.last_ms)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn hook(&self, id: &str) -> Stored<Option<Hook>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {HOOK} FROM hooks WHERE id = ?1"
        )))
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(hook).transpose()
    }

    async fn hooks_of(&self, device: &Thumbprint) -> Stored<Vec<Hook>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {HOOK} FROM hooks WHERE device = ?1 AND NOT removed ORDER BY created_at_ms, id"
        )))
        .bind(device.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(hook).collect()
    }

    async fn put_media(
        &self,
        id: &str,
        device: &Thumbprint,
        media: &Media,
        expires_at_ms: i64,
    ) -> Stored<bool> {
        let done = sqlx::query(
            "INSERT INTO media (id, device, mime, bytes, expires_at_ms) SELECT ?1, ?2, ?3, ?4, ?5 \
             WHERE (SELECT count(*) FROM media WHERE device = ?2) < ?6 ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(device.as_str())
        .bind(&media.mime)
        .bind(&media.bytes[..])
        .bind(expires_at_ms)
        .bind(i64::try_from(MEDIA_PER_DEVICE).unwrap_or(i64::MAX))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    async fn take_media(&self, id: &str, now_ms: i64) -> Stored<Option<Media>> {
        let row =
            sqlx::query("DELETE FROM media WHERE id = ?1 RETURNING mime, bytes, expires_at_ms")
                .bind(id)
                .fetch_optional(&self.pool)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let until: i64 = row.try_get("expires_at_ms")?;
        Ok((now_ms <= until).then_some(Media {
            mime: row.try_get("mime")?,
            bytes: row.try_get::<Vec<u8>, _>("bytes")?.into(),
        }))
    }

    async fn put_deletion(&self, code: &str, deletion: &Deletion) -> Stored<()> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("INSERT INTO deletions (code, asked_at_ms) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET asked_at_ms = excluded.asked_at_ms")
            .bind(code)
            .bind(deletion.asked_at_ms)
            .execute(&mut *tx)
            .await?;
        for device in &deletion.told {
            sqlx::query(
                "INSERT OR REPLACE INTO deletions_told (code, device, outcome) VALUES (?1, ?2, ?3)",
            )
            .bind(code)
            .bind(device.as_str())
            .bind(deletion.outcomes.get(device.as_str()).map(|o| word(*o)))
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn deletion(&self, code: &str) -> Stored<Option<Deletion>> {
        let asked: Option<i64> =
            sqlx::query_scalar("SELECT asked_at_ms FROM deletions WHERE code = ?1")
                .bind(code)
                .fetch_optional(&self.pool)
                .await?;
        let Some(asked_at_ms) = asked else {
            return Ok(None);
        };
        let rows = sqlx::query(
            "SELECT device, outcome FROM deletions_told WHERE code = ?1 ORDER BY device",
        )
        .bind(code)
        .fetch_all(&self.pool)
        .await?;
        let mut deletion = Deletion {
            asked_at_ms,
            told: Vec::new(),
            outcomes: std::collections::BTreeMap::new(),
        };
        for row in rows {
            let device: String = row.try_get("device")?;
            if let Some(text) = row.try_get::<Option<String>, _>("outcome")? {
                deletion.outcomes.insert(device.clone(), outcome(&text)?);
            }
            deletion
                .told
                .push(Thumbprint::parse(&device).map_err(|_| StorageError::Unreadable("device"))?);
        }
        Ok(Some(deletion))
    }

    async fn settle_deletion(
        &self,
        code: &str,
        device: &Thumbprint,
        outcome: DeletionOutcome,
    ) -> Stored<bool> {
        let done =
            sqlx::query("UPDATE deletions_told SET outcome = ?3 WHERE code = ?1 AND device = ?2")
                .bind(code)
                .bind(device.as_str())
                .bind(word(outcome))
                .execute(&self.pool)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    async fn heartbeat(&self, now_ms: i64) -> Stored<Option<i64>> {
        let mut tx = self.pool.begin().await?;
        let before: Option<String> =
            sqlx::query_scalar("SELECT value FROM facts WHERE name = 'heartbeat'")
                .fetch_optional(&mut *tx)
                .await?;
        sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES ('heartbeat', ?1)")
            .bind(now_ms.to_string())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(before.and_then(|text| text.parse().ok()))
    }

    async fn put_outage(&self, (from, to): (i64, i64)) -> Stored<()> {
        sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES ('outage', ?1)")
            .bind(format!("{from} {to}"))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn outage(&self) -> Stored<Option<(i64, i64)>> {
        let text: Option<String> =
            sqlx::query_scalar("SELECT value FROM facts WHERE name = 'outage'")
                .fetch_optional(&self.pool)
                .await?;
        Ok(text.and_then(|text| {
            let (from, to) = text.split_once(' ')?;
            Some((from.parse().ok()?, to.parse().ok()?))
        }))
    }
}

fn hook(row: &SqliteRow) -> Stored<Hook> {
    let kind: String = row.try_get("kind")?;
    let device: String = row.try_get("device")?;
    let origins: String = row.try_get("origins")?;
    Ok(Hook {
        id: row.try_get("id")?,
        kind: HookKind::parse(&kind).ok_or(StorageError::Unreadable("hook kind"))?,
        device: Thumbprint::parse(&device).map_err(|_| StorageError::Unreadable("device"))?,
        secret: row.try_get("secret")?,
        origins: serde_json::from_str(&origins).map_err(|_| StorageError::Unreadable("origins"))?,
        paused: row.try_get("paused")?,
        removed: row.try_get("removed")?,
        created_at_ms: row.try_get("created_at_ms")?,
        last_ms: row.try_get("last_ms")?,
    })
}

fn word(outcome: DeletionOutcome) -> &'static str {
    match outcome {
        DeletionOutcome::Erased => "erased",
        DeletionOutcome::Kept => "kept",
    }
}

fn outcome(word: &str) -> Stored<DeletionOutcome> {
    match word {
        "erased" => Ok(DeletionOutcome::Erased),
        "kept" => Ok(DeletionOutcome::Kept),
        _ => Err(StorageError::Unreadable("outcome")),
    }
}
