//! Hooks, deletion requests, the relay's own sign of life.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use shopbell_wire::{DeletionOutcome, HookKind, Thumbprint};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Sqlite, bindings::thumbprint};
use crate::storage::{Deletion, Extras, Hook, Media, StorageError, Stored};

/// A hook is noted as used at most this often, milliseconds.
const TOUCHED_EVERY_MS: i64 = 60 * 1000;

#[async_trait]
impl Extras for Sqlite {
    async fn put_hook(&self, hook: &Hook) -> Stored<()> {
        let hook = hook.clone();
        let put = hook.clone();
        self.write_then(
            move |connection| Box::pin(put_hook(connection, hook)),
            move |memory, ()| memory.put_hook(put),
        )
        .await
    }

    async fn hook(&self, id: &str) -> Stored<Option<Hook>> {
        Ok(self.memory.hook(id))
    }

    async fn touch_hook(&self, id: &str, now_ms: i64) -> Stored<()> {
        let due = self.memory.hook(id).is_some_and(|hook| {
            let last_ms = hook.last_ms.unwrap_or(i64::MIN);
            !hook.removed && now_ms >= last_ms.saturating_add(TOUCHED_EVERY_MS)
        });
        if !due {
            return Ok(());
        }
        let (row, id) = (id.to_owned(), id.to_owned());
        self.write_then(
            move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE hooks SET last_ms = ?2 WHERE id = ?1 AND coalesce(last_ms < ?2, 1)",
                    )
                    .bind(row)
                    .bind(now_ms)
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            },
            move |memory, ()| memory.hook_touched(&id, now_ms),
        )
        .await
    }

    async fn hooks_of(&self, device: &Thumbprint) -> Stored<Vec<Hook>> {
        let device = device.clone();
        self.read_with(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "SELECT id, kind, device, secret, origins, paused, removed, created_at_ms, last_ms FROM hooks \
                     WHERE device = ?1 AND NOT removed ORDER BY created_at_ms, id",
                )
                .bind(device.as_str())
                .fetch_all(connection)
                .await?;
                rows.iter().map(hook).collect()
            })
        })
        .await
    }

    async fn put_media(
        &self,
        id: &str,
        device: &Thumbprint,
        media: &Media,
        expires_at_ms: i64,
    ) -> Stored<bool> {
        self.keep_media(id, device, media, expires_at_ms).await
    }

    async fn take_media(&self, id: &str, now_ms: i64) -> Stored<Option<Media>> {
        self.hand_media_out(id, now_ms).await
    }

    async fn put_deletion(&self, code: &str, deletion: &Deletion) -> Stored<()> {
        let (code, deletion) = (code.to_owned(), deletion.clone());
        self.write(move |connection| Box::pin(put_deletion(connection, code, deletion)))
            .await
    }

    async fn deletion(&self, code: &str) -> Stored<Option<Deletion>> {
        let code = code.to_owned();
        self.read_with(move |connection| Box::pin(deletion(connection, code)))
            .await
    }

    async fn settle_deletion(
        &self,
        code: &str,
        device: &Thumbprint,
        outcome: DeletionOutcome,
    ) -> Stored<bool> {
        let (code, device) = (code.to_owned(), device.clone());
        self.write(move |connection| {
            Box::pin(async move {
                let done = sqlx::query(
                    "UPDATE deletions_told SET outcome = ?3 WHERE code = ?1 AND device = ?2",
                )
                .bind(code)
                .bind(device.as_str())
                .bind(word(outcome))
                .execute(connection)
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await
    }

    async fn heartbeat(&self, now_ms: i64) -> Stored<Option<i64>> {
        let before = self
            .write(move |connection| {
                Box::pin(async move {
                    let before = fact(connection, "heartbeat").await?;
                    put_fact(connection, "heartbeat", now_ms.to_string()).await?;
                    Ok(before)
                })
            })
            .await?;
        Ok(before.and_then(|text| text.parse().ok()))
    }

    async fn put_outage(&self, (from, to): (i64, i64)) -> Stored<()> {
        self.write(move |connection| {
            Box::pin(async move { put_fact(connection, "outage", format!("{from} {to}")).await })
        })
        .await
    }

    async fn outage(&self) -> Stored<Option<(i64, i64)>> {
        let text = self
            .read_with(|connection| Box::pin(fact(connection, "outage")))
            .await?;
        Ok(text.and_then(|text| {
            let (from, to) = text.split_once(' ')?;
            Some((from.parse().ok()?, to.parse().ok()?))
        }))
    }
}

/// Every hook, removed ones too.
pub(super) async fn hooks(connection: &mut SqliteConnection) -> Stored<HashMap<String, Hook>> {
    let rows = sqlx::query(
        "SELECT id, kind, device, secret, origins, paused, removed, created_at_ms, last_ms FROM hooks",
    )
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| hook(row).map(|hook| (hook.id.clone(), hook)))
        .collect()
}

async fn put_hook(connection: &mut SqliteConnection, hook: Hook) -> Stored<()> {
    let origins =
        serde_json::to_string(&hook.origins).map_err(|_| StorageError::Unreadable("origins"))?;
    sqlx::query(
        "INSERT OR REPLACE INTO hooks (id, kind, device, secret, origins, paused, removed, created_at_ms, last_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(hook.id)
    .bind(hook.kind.as_str())
    .bind(hook.device.as_str())
    .bind(hook.secret)
    .bind(origins)
    .bind(hook.paused)
    .bind(hook.removed)
    .bind(hook.created_at_ms)
    .bind(hook.last_ms)
    .execute(connection)
    .await?;
    Ok(())
}

async fn put_deletion(
    connection: &mut SqliteConnection,
    code: String,
    deletion: Deletion,
) -> Stored<()> {
    sqlx::query(
        "INSERT INTO deletions (code, asked_at_ms) VALUES (?1, ?2) \
         ON CONFLICT DO UPDATE SET asked_at_ms = excluded.asked_at_ms",
    )
    .bind(&code)
    .bind(deletion.asked_at_ms)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM deletions_told WHERE code = ?1")
        .bind(&code)
        .execute(&mut *connection)
        .await?;
    for (place, device) in (0i64..).zip(&deletion.told) {
        sqlx::query(
            "INSERT INTO deletions_told (code, place, device, outcome) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(&code)
        .bind(place)
        .bind(device.as_str())
        .bind(deletion.outcomes.get(device.as_str()).map(|o| word(*o)))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn deletion(connection: &mut SqliteConnection, code: String) -> Stored<Option<Deletion>> {
    let asked: Option<i64> =
        sqlx::query_scalar("SELECT asked_at_ms FROM deletions WHERE code = ?1")
            .bind(&code)
            .fetch_optional(&mut *connection)
            .await?;
    let Some(asked_at_ms) = asked else {
        return Ok(None);
    };
    let rows =
        sqlx::query("SELECT device, outcome FROM deletions_told WHERE code = ?1 ORDER BY place")
            .bind(&code)
            .fetch_all(connection)
            .await?;
    let mut deletion = Deletion {
        asked_at_ms,
        told: Vec::new(),
        outcomes: BTreeMap::new(),
    };
    for row in &rows {
        let device = thumbprint(row)?;
        if let Some(text) = row.try_get("outcome")? {
            deletion
                .outcomes
                .insert(device.as_str().to_owned(), outcome(text)?);
        }
        deletion.told.push(device);
    }
    Ok(Some(deletion))
}

async fn fact(connection: &mut SqliteConnection, name: &'static str) -> Stored<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT value FROM facts WHERE name = ?1")
            .bind(name)
            .fetch_optional(connection)
            .await?,
    )
}

async fn put_fact(
    connection: &mut SqliteConnection,
    name: &'static str,
    value: String,
) -> Stored<()> {
    sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES (?1, ?2)")
        .bind(name)
        .bind(value)
        .execute(connection)
        .await?;
    Ok(())
}

fn hook(row: &SqliteRow) -> Stored<Hook> {
    let kind: &str = row.try_get("kind")?;
    let origins: &str = row.try_get("origins")?;
    Ok(Hook {
        id: row.try_get("id")?,
        kind: HookKind::parse(kind).ok_or(StorageError::Unreadable("hook kind"))?,
        device: thumbprint(row)?,
        secret: row.try_get("secret")?,
        origins: serde_json::from_str(origins).map_err(|_| StorageError::Unreadable("origins"))?,
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
