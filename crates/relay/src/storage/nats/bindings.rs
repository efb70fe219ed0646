//! Devices and their leases on accounts.
//!
//! One row per device in `devices`. What an event needs is answered from the
//! [registry](super::registry); every decision is made on the leader's newest row.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use shopbell_wire::{AccountRef, Binding, DevicePublic, LEASE_MS, Provider, Thumbprint};
use tokio::sync::watch;

use super::{
    Nats,
    registry::{BindingRow, DeviceRow},
    table::Decision,
};
use crate::storage::{AnsweringLease, Bindings, Receiver, SEEN_EVERY_MS, Stored};

/// Leases that are renewed at the same time.
const RENEWED_AT_ONCE: usize = 64;

#[async_trait]
impl Bindings for Nats {
    async fn bind(
        &self,
        device: &DevicePublic,
        provider: Provider,
        user_id: &str,
        accounts: &[AccountRef],
        now_ms: i64,
    ) -> Stored<()> {
        self.change_device(&device.thumbprint(), |row| {
            let mut row = row.unwrap_or_else(|| DeviceRow::new(device, now_ms));
            row.bind(provider, user_id, accounts, now_ms);
            Decision::Put(row, ())
        })
        .await
    }

    async fn bindings_of(&self, device: &Thumbprint, now_ms: i64) -> Stored<Vec<Binding>> {
        let row: Option<DeviceRow> = self.devices.get(device.as_str()).await?;
        Ok(row.map_or(Vec::new(), |row| row.live(device, now_ms)))
    }

    async fn bindings_for(
        &self,
        account: &AccountRef,
        asking: &Thumbprint,
        now_ms: i64,
    ) -> Stored<Vec<Binding>> {
        Ok(self.registry.bindings_for(account, asking, now_ms))
    }

    async fn unbind(&self, account: &AccountRef, device: &Thumbprint) -> Stored<bool> {
        let gone = self.unbind_where(device, |b| b.account == *account).await?;
        self.vacate(account, device).await?;
        Ok(!gone.is_empty())
    }

    async fn receivers(&self, account: &AccountRef, now_ms: i64) -> Stored<Arc<[Receiver]>> {
        Ok(self.registry.receivers(account, now_ms))
    }

    async fn receivers_of_user(
        &self,
        provider: Provider,
        user_id: &str,
        now_ms: i64,
    ) -> Stored<Vec<Receiver>> {
        Ok(self.registry.receivers_of_user(provider, user_id, now_ms))
    }

    async fn unbind_user(&self, provider: Provider, user_id: &str) -> Stored<()> {
        let theirs = |b: &BindingRow| b.provider == provider && b.user_id == user_id;
        for (device, _) in self.registry.devices(|row| row.bindings.iter().any(theirs)) {
            for account in self.unbind_where(&device, theirs).await? {
                self.vacate(&account, &device).await?;
            }
        }
        Ok(())
    }

    async fn unbind_silent(&self, silent_since_ms: i64) -> Stored<u64> {
        let silent =
            |row: &DeviceRow| row.last_seen_ms < silent_since_ms && !row.bindings.is_empty();
        let mut devices = 0;
        for (device, _) in self.registry.devices(silent) {
            let gone = self
                .change_device(&device, |row| match row {
                    // It may have been seen by another node a moment ago.
                    Some(mut row) if silent(&row) => {
                        let gone = std::mem::take(&mut row.bindings);
                        Decision::Put(row, gone)
                    }
                    _ => Decision::Keep(Vec::new()),
                })
                .await?;
            devices += u64::from(!gone.is_empty());
            for binding in gone {
                self.vacate(&binding.account, &device).await?;
            }
        }
        Ok(devices)
    }

    async fn seen(&self, device: &Thumbprint, now_ms: i64) -> Stored<()> {
        let stale = |row: &DeviceRow| row.last_seen_ms < now_ms.saturating_sub(SEEN_EVERY_MS);
        if !self.registry.device(device).is_some_and(|row| stale(&row)) {
            return Ok(());
        }
        self.change_device(device, |row| match row {
            Some(mut row) if stale(&row) => {
                row.last_seen_ms = now_ms;
                Decision::Put(row, ())
            }
            _ => Decision::Keep(()),
        })
        .await
    }

    async fn answering(&self, account: &AccountRef) -> Stored<Option<AnsweringLease>> {
        self.answering_lease(account).await
    }

    async fn answer(
        &self,
        account: &AccountRef,
        device: &Thumbprint,
        insist: bool,
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<AnsweringLease> {
        self.take_answering(account, device, insist, now_ms, until_ms)
            .await
    }

    async fn renew_answers(
        &self,
        held: &[(AccountRef, Thumbprint)],
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<Vec<AnsweringLease>> {
        futures_util::stream::iter(held.to_vec())
            .map(|(account, device)| async move {
                self.take_answering(&account, &device, false, now_ms, until_ms)
                    .await
            })
            .buffered(RENEWED_AT_ONCE)
            .try_collect()
            .await
    }

    fn binding_changes(&self) -> watch::Receiver<u64> {
        self.changes.follow()
    }

    fn changed_accounts(&self, since: u64) -> Option<Vec<AccountRef>> {
        self.changes.since(since)
    }
}

impl Nats {
    /// Changes a device's row; the registry has it before this returns.
    async fn change_device<R: Send>(
        &self,
        device: &Thumbprint,
        decide: impl FnMut(Option<DeviceRow>) -> Decision<DeviceRow, R> + Send,
    ) -> Stored<R> {
        let changed = self.devices.change(device.as_str(), decide).await?;
        if let Some((revision, row)) = changed.written {
            self.registry.apply(device, revision, row);
        }
        Ok(changed.answer)
    }

    /// Removes bindings of a device; answers the accounts.
    async fn unbind_where(
        &self,
        device: &Thumbprint,
        gone: impl Fn(&BindingRow) -> bool + Send + Sync,
    ) -> Stored<Vec<AccountRef>> {
        self.change_device(device, |row| {
            let Some(mut row) = row else {
                return Decision::Keep(Vec::new());
            };
            let (out, left): (Vec<_>, Vec<_>) = row.bindings.drain(..).partition(|b| gone(b));
            if out.is_empty() {
                return Decision::Keep(Vec::new());
            }
            row.bindings = left;
            Decision::Put(row, out.into_iter().map(|b| b.account).collect())
        })
        .await
    }

    /// Ends leases that have run out. Devices without any may fetch what they still have for as long as a lease lasts; then they are
    /// forgotten.
    pub(super) async fn purge_bindings(&self, now_ms: i64) -> Stored<()> {
        let over = |b: &BindingRow| b.lease_until_ms < now_ms;
        let idle = |row: &DeviceRow| {
            row.last_seen_ms < now_ms.saturating_sub(LEASE_MS) && row.bindings.iter().all(over)
        };
        for (device, _) in self
            .registry
            .devices(|row| idle(row) || row.bindings.iter().any(over))
        {
            let gone = self
                .change_device(&device, |row| match row {
                    Some(row) if idle(&row) => Decision::Remove(row.bindings),
                    Some(mut row) if row.bindings.iter().any(over) => {
                        let (out, left) = row.bindings.drain(..).partition(|b| over(b));
                        row.bindings = left;
                        Decision::Put(row, out)
                    }
                    _ => Decision::Keep(Vec::new()),
                })
                .await?;
            for binding in gone {
                self.vacate(&binding.account, &device).await?;
            }
        }
        // A node that ended between unbinding and vacating left a holder behind.
        for (account, device) in self.holders.all() {
            if !self.registry.is_bound(&account, &device) {
                let row: Option<DeviceRow> = self.devices.get(device.as_str()).await?;
                if !row.is_some_and(|row| row.bindings.iter().any(|b| b.account == account)) {
                    self.vacate(&account, &device).await?;
                }
            }
        }
        Ok(())
    }
}
