//! Hooks, deletion requests, the relay's own sign of life. Pictures are in [`super::media`].

use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD as B64};
use serde::{Deserialize, Serialize};
use shopbell_wire::{DeletionOutcome, HookKind, Thumbprint};

use super::{
    Nats,
    mirror::Mirror,
    table::{Decision, key},
};
use crate::storage::{Deletion, Extras, Hook, Media, Stored};

/// A hook; the secret is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HookRow {
    id: String,
    kind: HookKind,
    device: Thumbprint,
    secret: Option<String>,
    origins: Vec<String>,
    paused: bool,
    removed: bool,
    created_at_ms: i64,
    last_ms: Option<i64>,
}

impl From<&Hook> for HookRow {
    fn from(hook: &Hook) -> Self {
        Self {
            id: hook.id.clone(),
            kind: hook.kind,
            device: hook.device.clone(),
            secret: hook.secret.as_ref().map(|secret| B64.encode(secret)),
            origins: hook.origins.clone(),
            paused: hook.paused,
            removed: hook.removed,
            created_at_ms: hook.created_at_ms,
            last_ms: hook.last_ms,
        }
    }
}

impl HookRow {
    /// Nothing when the secret cannot be read back: then no post can be checked against it either.
    fn hook(&self) -> Option<Hook> {
        Some(Hook {
            id: self.id.clone(),
            kind: self.kind,
            device: self.device.clone(),
            secret: match &self.secret {
                Some(secret) => Some(B64.decode(secret).ok()?),
                None => None,
            },
            origins: self.origins.clone(),
            paused: self.paused,
            removed: self.removed,
            created_at_ms: self.created_at_ms,
            last_ms: self.last_ms,
        })
    }
}

/// All hooks, in memory: every post asks for one.
#[derive(Default)]
pub(super) struct Hooks {
    rows: RwLock<Mirror<String, HookRow>>,
    #[cfg(test)]
    changes: tokio::sync::watch::Sender<u64>,
}

impl Hooks {
    /// A row is this now.
    pub(super) fn apply(&self, key: &str, revision: u64, row: Option<HookRow>) {
        let mut hooks = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        hooks.apply(&key.to_owned(), revision, row);
        #[cfg(test)]
        self.changes.send_modify(|n| *n += 1);
    }

    /// Counts what this node heard of.
    #[cfg(test)]
    pub(super) fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Every row was told up to a revision.
    pub(super) fn complete(&self, revision: u64) {
        let mut hooks = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        hooks.complete(revision);
    }

    fn find(&self, id: &str) -> Option<Hook> {
        let hooks = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        hooks.get(key(&[id]).as_str())?.hook()
    }

    fn of(&self, device: &Thumbprint) -> Vec<Hook> {
        let hooks = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Hook> = hooks
            .iter()
            .filter(|(_, row)| row.device == *device && !row.removed)
            .filter_map(|(_, row)| row.hook())
            .collect();
        found.sort_by(|a, b| (a.created_at_ms, &a.id).cmp(&(b.created_at_ms, &b.id)));
        found
    }
}

/// A data-deletion request.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct DeletionRow {
    asked_at_ms: i64,
    told: Vec<Thumbprint>,
    outcomes: std::collections::BTreeMap<String, DeletionOutcome>,
}

const HEARTBEAT: &str = "heartbeat";
const OUTAGE: &str = "outage";

#[async_trait]
impl Extras for Nats {
    async fn put_hook(&self, hook: &Hook) -> Stored<()> {
        self.change_hook(&hook.id, |_| Some(HookRow::from(hook)))
            .await
    }

    async fn hook(&self, id: &str) -> Stored<Option<Hook>> {
        Ok(self.hooks.find(id))
    }

    async fn hooks_of(&self, device: &Thumbprint) -> Stored<Vec<Hook>> {
        Ok(self.hooks.of(device))
    }

    async fn touch_hook(&self, id: &str, now_ms: i64) -> Stored<()> {
        self.change_hook(id, |row| {
            let row = row.filter(|row| !row.removed)?;
            Some(HookRow {
                last_ms: Some(now_ms),
                ..row
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
        self.give_media(id, now_ms).await
    }

    async fn put_deletion(&self, code: &str, deletion: &Deletion) -> Stored<()> {
        self.deletions
            .change(&key(&[code]), |row: Option<DeletionRow>| {
                let mut row = row.unwrap_or_else(|| DeletionRow {
                    asked_at_ms: 0,
                    told: Vec::new(),
                    outcomes: std::collections::BTreeMap::new(),
                });
                row.asked_at_ms = deletion.asked_at_ms;
                row.told.extend(deletion.told.iter().cloned());
                row.told.sort();
                row.told.dedup();
                for device in &deletion.told {
                    row.outcomes.remove(device.as_str());
                }
                row.outcomes.extend(
                    deletion
                        .outcomes
                        .iter()
                        .map(|(device, outcome)| (device.clone(), *outcome)),
                );
                Decision::Put(row, ())
            })
            .await?;
        Ok(())
    }

    async fn deletion(&self, code: &str) -> Stored<Option<Deletion>> {
        let row: Option<DeletionRow> = self.deletions.get(&key(&[code])).await?;
        Ok(row.map(|row| Deletion {
            asked_at_ms: row.asked_at_ms,
            told: row.told,
            outcomes: row.outcomes,
        }))
    }

    async fn settle_deletion(
        &self,
        code: &str,
        device: &Thumbprint,
        outcome: DeletionOutcome,
    ) -> Stored<bool> {
        let changed = self
            .deletions
            .change(&key(&[code]), |row: Option<DeletionRow>| match row {
                Some(mut row) if row.told.contains(device) => {
                    row.outcomes.insert(device.as_str().to_owned(), outcome);
                    Decision::Put(row, true)
                }
                _ => Decision::Keep(false),
            })
            .await?;
        Ok(changed.answer)
    }

    async fn heartbeat(&self, now_ms: i64) -> Stored<Option<i64>> {
        let changed = self
            .facts
            .change(HEARTBEAT, |before: Option<i64>| {
                Decision::Put(now_ms, before)
            })
            .await?;
        Ok(changed.answer)
    }

    async fn put_outage(&self, outage: (i64, i64)) -> Stored<()> {
        self.facts
            .change(OUTAGE, |_: Option<(i64, i64)>| Decision::Put(outage, ()))
            .await?;
        Ok(())
    }

    async fn outage(&self) -> Stored<Option<(i64, i64)>> {
        self.facts.get(OUTAGE).await
    }
}

impl Nats {
    async fn change_hook(
        &self,
        id: &str,
        change: impl Fn(Option<HookRow>) -> Option<HookRow> + Send + Sync,
    ) -> Stored<()> {
        let key = key(&[id]);
        let changed = self
            .hook_rows
            .change(&key, |row| match change(row) {
                Some(row) => Decision::Put(row, ()),
                None => Decision::Keep(()),
            })
            .await?;
        if let Some((revision, row)) = changed.written {
            self.hooks.apply(&key, revision, row);
        }
        Ok(())
    }
}
