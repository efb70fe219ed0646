//! Which devices are bound to which accounts, in memory: what the devices' rows say, turned round so that an event finds its receivers
//! without asking anybody.
//!
//! Invariant: the accounts say exactly what the devices' rows say. Nothing here speaks to a server.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};
use shopbell_wire::{AccountRef, Binding, DevicePublic, LEASE_MS, Provider, Thumbprint};

use super::mirror::Mirror;
use crate::storage::{Receiver, changes::Changes};

/// A device with everything that is bound to it: one row, so that binding several accounts is one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DeviceRow {
    pub(super) keys: DevicePublic,
    pub(super) first_seen_ms: i64,
    pub(super) last_seen_ms: i64,
    pub(super) bindings: Vec<BindingRow>,
}

/// One account of a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct BindingRow {
    pub(super) account: AccountRef,
    pub(super) provider: Provider,
    pub(super) user_id: String,
    pub(super) bound_at_ms: i64,
    pub(super) proved_at_ms: i64,
    pub(super) lease_until_ms: i64,
}

impl DeviceRow {
    /// A device that was never here.
    pub(super) fn new(keys: &DevicePublic, now_ms: i64) -> Self {
        Self {
            keys: *keys,
            first_seen_ms: now_ms,
            last_seen_ms: now_ms,
            bindings: Vec::new(),
        }
    }

    /// Binds accounts or renews their leases.
    pub(super) fn bind(
        &mut self,
        provider: Provider,
        user_id: &str,
        accounts: &[AccountRef],
        now_ms: i64,
    ) {
        self.last_seen_ms = self.last_seen_ms.max(now_ms);
        for account in accounts {
            let renewed = BindingRow {
                account: account.clone(),
                provider,
                user_id: user_id.to_owned(),
                bound_at_ms: now_ms,
                proved_at_ms: now_ms,
                lease_until_ms: now_ms.saturating_add(LEASE_MS),
            };
            match self.bindings.iter_mut().find(|b| b.account == *account) {
                Some(known) => {
                    *known = BindingRow {
                        bound_at_ms: known.bound_at_ms,
                        ..renewed
                    };
                }
                None => self.bindings.push(renewed),
            }
        }
    }

    /// Its live bindings, oldest first.
    pub(super) fn live(&self, device: &Thumbprint, now_ms: i64) -> Vec<Binding> {
        let mut live: Vec<Binding> = self
            .bindings
            .iter()
            .filter(|b| b.lease_until_ms >= now_ms)
            .map(|b| b.as_seen_by(device, device))
            .collect();
        live.sort_by(|a, b| {
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
        live
    }
}

impl BindingRow {
    fn as_seen_by(&self, asking: &Thumbprint, device: &Thumbprint) -> Binding {
        Binding {
            account: self.account.clone(),
            provider: self.provider,
            device: device.clone(),
            mine: device == asking,
            bound_at_ms: self.bound_at_ms,
            proved_at_ms: self.proved_at_ms,
            lease_until_ms: self.lease_until_ms,
        }
    }
}

/// All devices.
pub(super) struct Registry {
    known: RwLock<Known>,
    changes: Arc<Changes>,
}

#[derive(Default)]
struct Known {
    devices: Mirror<Thumbprint, DeviceRow>,
    accounts: HashMap<AccountRef, Bound>,
}

#[derive(Default)]
struct Bound {
    /// By time of binding, then name: the order everything is listed in.
    members: BTreeSet<(i64, Thumbprint)>,
    receivers: Arc<[Receiver]>,
}

impl Registry {
    /// Knows nobody.
    pub(super) fn new(changes: Arc<Changes>) -> Self {
        Self {
            known: RwLock::default(),
            changes,
        }
    }

    /// A device's row is this now.
    pub(super) fn apply(&self, device: &Thumbprint, revision: u64, row: Option<DeviceRow>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let new = row.as_ref().map_or(Vec::new(), |row| row.bindings.clone());
        let Some(before) = known.devices.apply(device, revision, row) else {
            return;
        };
        let old = before.map_or(Vec::new(), |row| row.bindings);
        let changed = known.turn_round(device, &old, &new);
        drop(known);
        self.changes.note(&changed);
    }

    /// Every device was told up to a revision: others are gone.
    pub(super) fn complete(&self, revision: u64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::new();
        for (device, row) in known.devices.complete(revision) {
            changed.extend(known.turn_round(&device, &row.bindings, &[]));
        }
        drop(known);
        self.changes.note(&changed);
    }

    /// Devices with a live lease on an account.
    pub(super) fn receivers(&self, account: &AccountRef, now_ms: i64) -> Arc<[Receiver]> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(bound) = known.accounts.get(account) else {
            return Arc::default();
        };
        if bound.receivers.iter().all(|r| r.lease_until_ms >= now_ms) {
            return Arc::clone(&bound.receivers);
        }
        bound
            .receivers
            .iter()
            .filter(|r| r.lease_until_ms >= now_ms)
            .copied()
            .collect()
    }

    /// Devices bound through a user, the earliest bound first.
    pub(super) fn receivers_of_user(
        &self,
        provider: Provider,
        user_id: &str,
        now_ms: i64,
    ) -> Vec<Receiver> {
        let mut found: Vec<(i64, Thumbprint, Receiver)> = self
            .devices(|row| {
                row.bindings
                    .iter()
                    .any(|b| b.provider == provider && b.user_id == user_id)
            })
            .into_iter()
            .filter_map(|(device, row)| {
                let mine = || {
                    row.bindings.iter().filter(|b| {
                        b.provider == provider && b.user_id == user_id && b.lease_until_ms >= now_ms
                    })
                };
                let lease_until_ms = mine().map(|b| b.lease_until_ms).max()?;
                let bound = mine().map(|b| b.bound_at_ms).min()?;
                Some((
                    bound,
                    device,
                    Receiver {
                        device: row.keys,
                        lease_until_ms,
                    },
                ))
            })
            .collect();
        found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        found.into_iter().map(|(_, _, receiver)| receiver).collect()
    }

    /// Live bindings of an account, oldest first.
    pub(super) fn bindings_for(
        &self,
        account: &AccountRef,
        asking: &Thumbprint,
        now_ms: i64,
    ) -> Vec<Binding> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(bound) = known.accounts.get(account) else {
            return Vec::new();
        };
        bound
            .members
            .iter()
            .filter_map(|(_, device)| {
                let row = known.devices.get(device)?;
                let binding = row.bindings.iter().find(|b| b.account == *account)?;
                (binding.lease_until_ms >= now_ms).then(|| binding.as_seen_by(asking, device))
            })
            .collect()
    }

    /// Devices whose row is as asked.
    pub(super) fn devices(
        &self,
        wanted: impl Fn(&DeviceRow) -> bool,
    ) -> Vec<(Thumbprint, DeviceRow)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known
            .devices
            .iter()
            .filter(|(_, row)| wanted(row))
            .map(|(device, row)| (device.clone(), row.clone()))
            .collect()
    }

    /// One device's row.
    pub(super) fn device(&self, device: &Thumbprint) -> Option<DeviceRow> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.devices.get(device).cloned()
    }

    /// Whether the device is bound to the account, dead leases too.
    pub(super) fn is_bound(&self, account: &AccountRef, device: &Thumbprint) -> bool {
        self.device(device)
            .is_some_and(|row| row.bindings.iter().any(|b| b.account == *account))
    }
}

impl Known {
    /// Answers the accounts whose binding changed.
    fn turn_round(
        &mut self,
        device: &Thumbprint,
        old: &[BindingRow],
        new: &[BindingRow],
    ) -> Vec<AccountRef> {
        let gone = old.iter().filter(|binding| !new.contains(binding));
        let came = new.iter().filter(|binding| !old.contains(binding));
        let mut changed = BTreeSet::new();
        for binding in gone {
            changed.insert(binding.account.clone());
            if let Some(bound) = self.accounts.get_mut(&binding.account) {
                bound.members.remove(&(binding.bound_at_ms, device.clone()));
            }
        }
        for binding in came {
            changed.insert(binding.account.clone());
            self.accounts
                .entry(binding.account.clone())
                .or_default()
                .members
                .insert((binding.bound_at_ms, device.clone()));
        }
        for account in &changed {
            let Some(bound) = self.accounts.get_mut(account) else {
                continue;
            };
            bound.receivers = bound
                .members
                .iter()
                .filter_map(|(_, device)| {
                    let row = self.devices.get(device)?;
                    let binding = row.bindings.iter().find(|b| b.account == *account)?;
                    Some(Receiver {
                        device: row.keys,
                        lease_until_ms: binding.lease_until_ms,
                    })
                })
                .collect();
            if bound.members.is_empty() {
                self.accounts.remove(account);
            }
        }
        changed.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use shopbell_wire::{AccountKind, DeviceKeys};

    const NOW: i64 = 1_790_000_000_000;

    fn page(id: &str) -> AccountRef {
        AccountRef {
            kind: AccountKind::Page,
            platform_id: id.into(),
        }
    }

    fn bound(seed: u8, accounts: &[AccountRef], at: i64) -> (Thumbprint, DeviceRow) {
        let keys = DeviceKeys::from_random_bytes(&[seed; 64]).public();
        let mut row = DeviceRow::new(&keys, at);
        row.bind(Provider::Facebook, "u", accounts, at);
        (keys.thumbprint(), row)
    }

    #[test]
    fn receivers_are_those_with_a_living_lease_earliest_bound_first() {
        let registry = Registry::new(Arc::default());
        let (home, row) = bound(1, &[page("1001"), page("1002")], NOW + 5);
        registry.apply(&home, 1, Some(row));
        let (shop, row) = bound(2, &[page("1001")], NOW);
        registry.apply(&shop, 2, Some(row));
        let names = |at| -> Vec<Thumbprint> {
            registry
                .receivers(&page("1001"), at)
                .iter()
                .map(|r| r.device.thumbprint())
                .collect()
        };
        assert_eq!(names(NOW), [shop.clone(), home.clone()]);
        assert_eq!(names(NOW + LEASE_MS + 1), std::slice::from_ref(&home));
        assert!(names(NOW + LEASE_MS + 6).is_empty());
        assert_eq!(registry.bindings_for(&page("1001"), &home, NOW).len(), 2);
    }

    #[test]
    fn only_accounts_whose_binding_changed_are_told() {
        let changes = Arc::new(Changes::default());
        let registry = Registry::new(Arc::clone(&changes));
        let (home, mut row) = bound(1, &[page("1001"), page("1002")], NOW);
        registry.apply(&home, 1, Some(row.clone()));
        let seen = *changes.follow().borrow();
        row.last_seen_ms += 5;
        registry.apply(&home, 2, Some(row.clone()));
        assert_eq!(changes.since(seen), Some(vec![]));
        row.bindings.retain(|b| b.account == page("1002"));
        registry.apply(&home, 3, Some(row));
        assert_eq!(changes.since(seen), Some(vec![page("1001")]));
    }

    #[test]
    fn a_device_that_is_gone_receives_nothing() {
        let registry = Registry::new(Arc::default());
        let (home, row) = bound(1, &[page("1001")], NOW);
        registry.apply(&home, 3, Some(row.clone()));
        registry.apply(&home, 4, None);
        assert!(registry.receivers(&page("1001"), NOW).is_empty());
        registry.apply(&home, 5, Some(row));
        registry.complete(5);
        assert_eq!(registry.receivers(&page("1001"), NOW).len(), 1);
        registry.complete(6);
        assert!(registry.receivers(&page("1001"), NOW).is_empty());
    }
}
