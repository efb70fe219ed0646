//! Devices, their leases on accounts, and who answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use shopbell_wire::{AccountRef, Binding, DevicePublic, LEASE_MS, Provider, Thumbprint};
use tokio::sync::watch;

use super::{Answering, Bound, Device, Held, Memory};
use crate::storage::{AnsweringLease, Bindings, Receiver, SEEN_EVERY_MS, Stored};

impl Held {
    /// Takes the answering lease from holders that are no longer bound.
    pub(super) fn vacate(&mut self) {
        for (account, answering) in &mut self.answering {
            answering.device = answering.device.take().filter(|device| {
                self.bindings
                    .contains_key(&(account.clone(), device.clone()))
            });
        }
    }

    fn receiver(&self, bound: &Bound) -> Option<Receiver> {
        Some(Receiver {
            device: self.devices.get(&bound.binding.device)?.keys,
            lease_until_ms: bound.binding.lease_until_ms,
        })
    }

    /// Oldest first.
    fn of_account(&self, account: &AccountRef, now_ms: i64) -> Vec<&Bound> {
        let mut found: Vec<&Bound> = self
            .bindings
            .values()
            .filter(|b| b.binding.account == *account && b.binding.lease_until_ms >= now_ms)
            .collect();
        found.sort_by_key(|b| (b.binding.bound_at_ms, b.binding.device.clone()));
        found
    }
}

impl Memory {
    /// Answers how many devices lost a binding.
    fn unbind_where(&self, goes: impl Fn(&BTreeMap<Thumbprint, Device>, &Bound) -> bool) -> usize {
        let mut held = self.held();
        let held = &mut *held;
        let gone = held
            .bindings
            .extract_if(.., |_, bound| goes(&held.devices, bound));
        let (accounts, devices): (Vec<AccountRef>, BTreeSet<Thumbprint>) =
            gone.map(|(key, _)| key).unzip();
        held.vacate();
        self.changes.note(&accounts);
        devices.len()
    }
}

#[async_trait]
impl Bindings for Memory {
    async fn bind(
        &self,
        device: &DevicePublic,
        provider: Provider,
        user_id: &str,
        accounts: &[AccountRef],
        now_ms: i64,
    ) -> Stored<()> {
        let thumbprint = device.thumbprint();
        let mut held = self.held();
        let known = held.devices.entry(thumbprint.clone()).or_insert(Device {
            keys: *device,
            last_seen_ms: now_ms,
        });
        known.last_seen_ms = known.last_seen_ms.max(now_ms);
        for account in accounts {
            let key = (account.clone(), thumbprint.clone());
            let bound_at_ms = held
                .bindings
                .get(&key)
                .map_or(now_ms, |bound| bound.binding.bound_at_ms);
            let bound = Bound {
                binding: Binding {
                    account: account.clone(),
                    provider,
                    device: thumbprint.clone(),
                    mine: false,
                    bound_at_ms,
                    proved_at_ms: now_ms,
                    lease_until_ms: now_ms.saturating_add(LEASE_MS),
                },
                user_id: user_id.to_owned(),
            };
            held.bindings.insert(key, bound);
        }
        drop(held);
        self.changes.note(accounts);
        Ok(())
    }

    async fn bindings_of(&self, device: &Thumbprint, now_ms: i64) -> Stored<Vec<Binding>> {
        let held = self.held();
        let mut found: Vec<Binding> = held
            .bindings
            .values()
            .map(|bound| &bound.binding)
            .filter(|b| b.device == *device && b.lease_until_ms >= now_ms)
            .cloned()
            .map(|binding| Binding {
                mine: true,
                ..binding
            })
            .collect();
        found.sort_by(|a, b| {
            (
                a.bound_at_ms,
                b.account.kind.as_str(),
                &a.account.platform_id,
            )
                .cmp(&(
                    b.bound_at_ms,
                    a.account.kind.as_str(),
                    &b.account.platform_id,
                ))
        });
        Ok(found)
    }

    async fn bindings_for(
        &self,
        account: &AccountRef,
        asking: &Thumbprint,
        now_ms: i64,
    ) -> Stored<Vec<Binding>> {
        Ok(self
            .held()
            .of_account(account, now_ms)
            .into_iter()
            .map(|bound| Binding {
                mine: bound.binding.device == *asking,
                ..bound.binding.clone()
            })
            .collect())
    }

    async fn unbind(&self, account: &AccountRef, device: &Thumbprint) -> Stored<bool> {
        Ok(
            self.unbind_where(|_, b| b.binding.account == *account && b.binding.device == *device)
                > 0,
        )
    }

    async fn receivers(&self, account: &AccountRef, now_ms: i64) -> Stored<Arc<[Receiver]>> {
        let held = self.held();
        Ok(held
            .of_account(account, now_ms)
            .into_iter()
            .filter_map(|bound| held.receiver(bound))
            .collect())
    }

    async fn receivers_of_user(
        &self,
        provider: Provider,
        user_id: &str,
        now_ms: i64,
    ) -> Stored<Vec<Receiver>> {
        let held = self.held();
        let mut found: BTreeMap<&Thumbprint, (i64, Receiver)> = BTreeMap::new();
        for bound in held.bindings.values() {
            let binding = &bound.binding;
            let is_theirs = binding.provider == provider && bound.user_id == user_id;
            if !is_theirs || binding.lease_until_ms < now_ms {
                continue;
            }
            if let Some(receiver) = held.receiver(bound) {
                let (since, known) = found
                    .entry(&binding.device)
                    .or_insert((binding.bound_at_ms, receiver));
                *since = binding.bound_at_ms.min(*since);
                known.lease_until_ms = known.lease_until_ms.max(receiver.lease_until_ms);
            }
        }
        let mut found: Vec<(i64, Receiver)> = found.into_values().collect();
        // Stable: by thumbprint where they are of the same time.
        found.sort_by_key(|(since, _)| *since);
        Ok(found.into_iter().map(|(_, receiver)| receiver).collect())
    }

    async fn unbind_user(&self, provider: Provider, user_id: &str) -> Stored<()> {
        self.unbind_where(|_, b| b.binding.provider == provider && b.user_id == user_id);
        Ok(())
    }

    async fn unbind_silent(&self, silent_since_ms: i64) -> Stored<u64> {
        let devices = self.unbind_where(|devices, bound| {
            devices
                .get(&bound.binding.device)
                .is_none_or(|device| device.last_seen_ms < silent_since_ms)
        });
        Ok(devices as u64)
    }

    async fn seen(&self, device: &Thumbprint, now_ms: i64) -> Stored<()> {
        if let Some(known) = self.held().devices.get_mut(device)
            && now_ms >= known.last_seen_ms.saturating_add(SEEN_EVERY_MS)
        {
            known.last_seen_ms = now_ms;
        }
        Ok(())
    }

    async fn answering(&self, account: &AccountRef) -> Stored<Option<AnsweringLease>> {
        Ok(self.held().answering.get(account).and_then(lease))
    }

    async fn answer(
        &self,
        account: &AccountRef,
        device: &Thumbprint,
        insist: bool,
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<AnsweringLease> {
        let mut held = self.held();
        let answering = held.answering.entry(account.clone()).or_insert(Answering {
            device: None,
            term: 0,
            until_ms,
        });
        let is_holder = answering.device.as_ref() == Some(device);
        let is_free = answering.device.is_none() || answering.until_ms < now_ms;
        let changes_hands = !is_holder && (is_free || insist);
        if changes_hands {
            answering.device = Some(device.clone());
            answering.term += 1;
        }
        if is_holder || changes_hands {
            answering.until_ms = until_ms;
        }
        let after = AnsweringLease {
            device: answering.device.clone().unwrap_or_else(|| device.clone()),
            term: answering.term,
            until_ms: answering.until_ms,
        };
        drop(held);
        if changes_hands {
            self.changes.note(std::slice::from_ref(account));
        }
        Ok(after)
    }

    fn binding_changes(&self) -> watch::Receiver<u64> {
        self.changes.follow()
    }

    fn changed_accounts(&self, since: u64) -> Option<Vec<AccountRef>> {
        self.changes.since(since)
    }
}

fn lease(answering: &Answering) -> Option<AnsweringLease> {
    Some(AnsweringLease {
        device: answering.device.clone()?,
        term: answering.term,
        until_ms: answering.until_ms,
    })
}
