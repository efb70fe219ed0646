//! Hooks, pictures on their way out, deletion requests, the relay's own sign of life.

use async_trait::async_trait;
use shopbell_wire::{DeletionOutcome, MEDIA_PER_DEVICE, Thumbprint};

use super::Memory;
use crate::storage::{Deletion, Extras, Hook, Media, Stored};

#[async_trait]
impl Extras for Memory {
    async fn put_hook(&self, hook: &Hook) -> Stored<()> {
        self.held().hooks.insert(hook.id.clone(), hook.clone());
        Ok(())
    }

    async fn hook(&self, id: &str) -> Stored<Option<Hook>> {
        Ok(self.held().hooks.get(id).cloned())
    }

    async fn hooks_of(&self, device: &Thumbprint) -> Stored<Vec<Hook>> {
        let held = self.held();
        let mut found: Vec<Hook> = held
            .hooks
            .values()
            .filter(|hook| hook.device == *device && !hook.removed)
            .cloned()
            .collect();
        // Stable: by id where they are of the same time.
        found.sort_by_key(|hook| hook.created_at_ms);
        Ok(found)
    }

    async fn put_media(
        &self,
        id: &str,
        device: &Thumbprint,
        media: &Media,
        expires_at_ms: i64,
    ) -> Stored<bool> {
        let mut held = self.held();
        let waiting = held.media.values().filter(|(of, _, _)| of == device);
        if waiting.count() >= MEDIA_PER_DEVICE || held.media.contains_key(id) {
            return Ok(false);
        }
        let kept = (device.clone(), media.clone(), expires_at_ms);
        held.media.insert(id.to_owned(), kept);
        Ok(true)
    }

    async fn take_media(&self, id: &str, now_ms: i64) -> Stored<Option<Media>> {
        let taken = self.held().media.remove(id);
        Ok(taken.and_then(|(_, media, expires)| (now_ms <= expires).then_some(media)))
    }

    async fn put_deletion(&self, code: &str, deletion: &Deletion) -> Stored<()> {
        self.held()
            .deletions
            .insert(code.to_owned(), deletion.clone());
        Ok(())
    }

    async fn deletion(&self, code: &str) -> Stored<Option<Deletion>> {
        Ok(self.held().deletions.get(code).cloned())
    }

    async fn settle_deletion(
        &self,
        code: &str,
        device: &Thumbprint,
        outcome: DeletionOutcome,
    ) -> Stored<bool> {
        let mut held = self.held();
        let Some(deletion) = held.deletions.get_mut(code) else {
            return Ok(false);
        };
        let was_told = deletion.told.contains(device);
        if was_told {
            deletion
                .outcomes
                .insert(device.as_str().to_owned(), outcome);
        }
        Ok(was_told)
    }

    async fn heartbeat(&self, now_ms: i64) -> Stored<Option<i64>> {
        Ok(self.held().heartbeat.replace(now_ms))
    }

    async fn put_outage(&self, outage: (i64, i64)) -> Stored<()> {
        self.held().outage = Some(outage);
        Ok(())
    }

    async fn outage(&self) -> Stored<Option<(i64, i64)>> {
        Ok(self.held().outage)
    }
}
