//! The streams that are open on this node: whose they are, which accounts they are about, who answers for those.
//!
//! Invariant: one seat per device; a second connection with the same keys takes it and the first is closed with `replaced`. Everything here is memory of this process and can be read back from the storage;
//! what a stream sends and when belongs to `live`, who shall answer to `answering`.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use shopbell_wire::{AccountRef, Answering, CloseReason, Thumbprint};
use tokio::sync::Notify;

use crate::storage::AnsweringLease;

/// What a stream's task is told by others.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Close, for this reason.
    pub(super) close: Option<CloseReason>,
    /// Who answers has changed.
    pub(super) answering: bool,
}

/// One device's place.
#[derive(Debug)]
pub(super) struct Seat {
    device: Thumbprint,
    told: Mutex<Told>,
    bell: Notify,
}

impl Seat {
    /// Waits until there is something to do. Safe to drop half-way.
    pub(super) async fn told(&self) -> Told {
        loop {
            let told = std::mem::take(&mut *lock(&self.told));
            if told != Told::default() {
                return told;
            }
            self.bell.notified().await;
        }
    }

    fn close(&self, reason: CloseReason) {
        lock(&self.told).close.get_or_insert(reason);
        self.bell.notify_one();
    }

    fn tell_answering(&self) {
        lock(&self.told).answering = true;
        self.bell.notify_one();
    }
}

#[derive(Debug, Default)]
struct Account {
    /// Devices with a seat that are bound to it, in the order in which they were bound.
    devices: Vec<Thumbprint>,
    lease: Option<AnsweringLease>,
}

#[derive(Debug, Default)]
struct Inner {
    seats: HashMap<Thumbprint, (Arc<Seat>, Vec<AccountRef>)>,
    accounts: HashMap<AccountRef, Account>,
    sockets: HashMap<IpAddr, u32>,
}

/// All open streams of this node.
#[derive(Debug, Default)]
pub(crate) struct OpenStreams {
    inner: Mutex<Inner>,
}

/// A socket's entry in the count of its address. Dropping it takes it out.
pub(super) struct Counted {
    streams: Arc<OpenStreams>,
    address: IpAddr,
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.streams.lock().sockets.entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// A taken seat. Dropping it leaves it, unless another connection has taken it already.
pub(super) struct Seated {
    streams: Arc<OpenStreams>,
    pub(super) seat: Arc<Seat>,
}

impl Drop for Seated {
    fn drop(&mut self) {
        let mut inner = self.streams.lock();
        if let Entry::Occupied(entry) = inner.seats.entry(self.seat.device.clone())
            && Arc::ptr_eq(&entry.get().0, &self.seat)
        {
            let (_, accounts) = entry.remove();
            for account in &accounts {
                inner.leave(account, &self.seat.device);
            }
        }
    }
}

impl Inner {
    fn leave(&mut self, account: &AccountRef, device: &Thumbprint) {
        if let Some(here) = self.accounts.get_mut(account) {
            here.devices.retain(|one| one != device);
            if here.devices.is_empty() {
                self.accounts.remove(account);
            }
        }
    }

    fn tell(&self, devices: &[Thumbprint]) {
        for device in devices {
            if let Some((seat, _)) = self.seats.get(device) {
                seat.tell_answering();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OpenStreams {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Counts a socket of this address; nothing when it has as many as it may.
    pub(super) fn count(self: &Arc<Self>, address: IpAddr, at_most: u32) -> Option<Counted> {
        let mut inner = self.lock();
        let count = inner.sockets.entry(address).or_insert(0);
        if *count >= at_most {
            return None;
        }
        *count += 1;
        Some(Counted {
            streams: Arc::clone(self),
            address,
        })
    }

    /// Takes the device's seat. Whoever sat there is told to go.
    pub(super) fn sit(self: &Arc<Self>, device: &Thumbprint) -> Seated {
        let seat = Arc::new(Seat {
            device: device.clone(),
            told: Mutex::new(Told {
                close: None,
                answering: true,
            }),
            bell: Notify::new(),
        });
        let mut inner = self.lock();
        match inner.seats.entry(device.clone()) {
            // The accounts stay: they are the device's, not the connection's.
            Entry::Occupied(mut entry) => {
                std::mem::replace(&mut entry.get_mut().0, Arc::clone(&seat))
                    .close(CloseReason::Replaced);
            }
            Entry::Vacant(entry) => {
                entry.insert((Arc::clone(&seat), Vec::new()));
            }
        }
        Seated {
            streams: Arc::clone(self),
            seat,
        }
    }

    /// Closes every seat.
    pub(super) fn close_all(&self, reason: CloseReason) {
        for (seat, _) in self.lock().seats.values() {
            seat.close(reason);
        }
    }

    /// All devices with a seat.
    pub(super) fn devices(&self) -> Vec<Thumbprint> {
        self.lock().seats.keys().cloned().collect()
    }

    /// All accounts somebody here is bound to.
    pub(super) fn accounts(&self) -> Vec<AccountRef> {
        self.lock().accounts.keys().cloned().collect()
    }

    /// Notes who is bound to an account; devices that got or lost it are told. Answers the bound devices with a seat here, in the order
    /// given.
    pub(super) fn regroup(&self, account: &AccountRef, bound: &[Thumbprint]) -> Vec<Thumbprint> {
        let mut inner = self.lock();
        let here: Vec<Thumbprint> = bound
            .iter()
            .filter(|device| inner.seats.contains_key(device))
            .cloned()
            .collect();
        let before = match inner.accounts.get_mut(account) {
            Some(known) => std::mem::replace(&mut known.devices, here.clone()),
            None => Vec::new(),
        };
        for lost in before.iter().filter(|device| !here.contains(device)) {
            if let Some((seat, accounts)) = inner.seats.get_mut(lost) {
                accounts.retain(|one| one != account);
                seat.tell_answering();
            }
        }
        for new in here.iter().filter(|device| !before.contains(device)) {
            if let Some((seat, accounts)) = inner.seats.get_mut(new)
                && !accounts.contains(account)
            {
                accounts.push(account.clone());
                seat.tell_answering();
            }
        }
        if here.is_empty() {
            inner.accounts.remove(account);
        } else {
            inner.accounts.entry(account.clone()).or_default().devices = here.clone();
        }
        here
    }

    /// Notes the lease that holds for an account. Everybody here is told of another holder or term, the holder of another end.
    pub(super) fn note_lease(&self, account: &AccountRef, lease: AnsweringLease) {
        let mut inner = self.lock();
        let Some(known) = inner.accounts.get_mut(account) else {
            return;
        };
        // Two looks at the same account may end in another order than they began.
        let (changed, later) = match &known.lease {
            None => (true, true),
            Some(before) => (
                (lease.term, &lease.device) != (before.term, &before.device)
                    && lease.term >= before.term,
                lease.term == before.term && lease.until_ms > before.until_ms,
            ),
        };
        if !changed && !later {
            return;
        }
        let tell = if changed {
            known.devices.clone()
        } else {
            vec![lease.device.clone()]
        };
        known.lease = Some(lease);
        inner.tell(&tell);
    }

    /// Leases as far as known: every account with the devices that are here, and the lease.
    pub(super) fn leases(&self) -> Vec<(AccountRef, Vec<Thumbprint>, Option<AnsweringLease>)> {
        self.lock()
            .accounts
            .iter()
            .map(|(account, here)| (account.clone(), here.devices.clone(), here.lease.clone()))
            .collect()
    }

    /// Whether the device is bound to the account, as far as this node knows.
    pub(super) fn is_bound(&self, device: &Thumbprint, account: &AccountRef) -> bool {
        self.lock()
            .seats
            .get(device)
            .is_some_and(|(_, accounts)| accounts.contains(account))
    }

    /// Whether anything is bound to the device, as far as this node knows.
    pub(super) fn has_accounts(&self, device: &Thumbprint) -> bool {
        self.lock()
            .seats
            .get(device)
            .is_some_and(|(_, accounts)| !accounts.is_empty())
    }

    /// Who answers for the device's accounts, as far as somebody does.
    pub(super) fn answering(&self, device: &Thumbprint) -> Vec<Answering> {
        let inner = self.lock();
        let accounts = inner.seats.get(device).map(|(_, accounts)| accounts);
        let known = accounts.into_iter().flatten().filter_map(|account| {
            let lease = inner.accounts.get(account)?.lease.as_ref()?;
            Some(Answering {
                account: account.clone(),
                device: lease.device.clone(),
                mine: lease.device == *device,
                term: lease.term,
                until_ms: lease.until_ms,
            })
        });
        known.collect()
    }
}
