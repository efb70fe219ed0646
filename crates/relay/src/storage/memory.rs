//! A storage that lives and dies with the process: for trials that play days in simulated time, and for tests.
//!
//! Invariant: one lock over everything, no thread, no clock and no randomness of its own, so that the same calls in the same order give
//! the same answers. Its epoch is given from outside, another one for every start: what it held before is gone.

mod bindings;
mod extras;
mod streams;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Claim, Deletion, Hook, Media, Once, REDEEMING_MS, SignIns, Storage, Stored, changes::Changes,
};
use async_trait::async_trait;
use shopbell_wire::{AccountRef, Binding, DevicePublic, LEASE_MS, Thumbprint};

/// Everything in memory.
pub(crate) struct Memory {
    epoch: String,
    held: Mutex<Held>,
    changes: Changes,
}

#[derive(Default)]
struct Held {
    used: BTreeMap<(&'static str, String), i64>,
    codes: BTreeMap<String, Code>,
    devices: BTreeMap<Thumbprint, Device>,
    bindings: BTreeMap<(AccountRef, Thumbprint), Bound>,
    answering: BTreeMap<AccountRef, Answering>,
    streams: BTreeMap<Thumbprint, streams::Stream>,
    hooks: BTreeMap<String, Hook>,
    media: BTreeMap<String, (Thumbprint, Media, i64)>,
    deletions: BTreeMap<String, Deletion>,
    heartbeat: Option<i64>,
    outage: Option<(i64, i64)>,
}

struct Code {
    device: String,
    redeeming: bool,
    claimed_at_ms: i64,
    answer: Option<(Vec<u8>, i64)>,
    expires_at_ms: i64,
}

struct Device {
    keys: DevicePublic,
    last_seen_ms: i64,
}

struct Bound {
    binding: Binding,
    user_id: String,
}

/// Without a device: vacant, the term goes on.
struct Answering {
    device: Option<Thumbprint>,
    term: u64,
    until_ms: i64,
}

impl Memory {
    /// Empty.
    pub(crate) fn new(epoch: String) -> Self {
        Self {
            epoch,
            held: Mutex::default(),
            changes: Changes::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SignIns for Memory {
    async fn use_once(&self, kind: Once, id: &str, expires_at_ms: i64) -> Stored<bool> {
        let mut held = self.held();
        let key = (kind.word(), id.to_owned());
        let is_new = !held.used.contains_key(&key);
        held.used.entry(key).or_insert(expires_at_ms);
        Ok(is_new)
    }

    async fn claim_code(
        &self,
        jti: &str,
        device: &str,
        now_ms: i64,
        expires_at_ms: i64,
    ) -> Stored<Claim> {
        let mut held = self.held();
        let Some(code) = held.codes.get(jti) else {
            let code = Code {
                device: device.to_owned(),
                redeeming: true,
                claimed_at_ms: now_ms,
                answer: None,
                expires_at_ms,
            };
            held.codes.insert(jti.to_owned(), code);
            return Ok(Claim::Fresh);
        };
        Ok(match &code.answer {
            _ if code.device != device => Claim::Used,
            Some((answer, until_ms)) if now_ms <= *until_ms => Claim::Answered(answer.clone()),
            _ if code.redeeming && now_ms < code.claimed_at_ms.saturating_add(REDEEMING_MS) => {
                Claim::InUse
            }
            _ => Claim::Used,
        })
    }

    async fn release_code(&self, jti: &str) -> Stored<()> {
        self.held()
            .codes
            .retain(|id, code| id != jti || code.answer.is_some());
        Ok(())
    }

    async fn spend_code(&self, jti: &str) -> Stored<()> {
        if let Some(code) = self.held().codes.get_mut(jti) {
            code.redeeming = false;
        }
        Ok(())
    }

    async fn answer_code(&self, jti: &str, answer: &[u8], until_ms: i64) -> Stored<()> {
        if let Some(code) = self.held().codes.get_mut(jti) {
            code.redeeming = false;
            code.answer = Some((answer.to_vec(), until_ms));
        }
        Ok(())
    }
}

#[async_trait]
impl Storage for Memory {
    async fn ready(&self) -> bool {
        true
    }

    async fn purge(&self, now_ms: i64) -> Stored<()> {
        let mut held = self.held();
        held.used
            .retain(|_, expires_at_ms| *expires_at_ms >= now_ms);
        for code in held.codes.values_mut() {
            code.answer = code.answer.take().filter(|(_, until)| *until >= now_ms);
        }
        held.codes
            .retain(|_, code| code.expires_at_ms >= now_ms || code.answer.is_some());
        held.media.retain(|_, (_, _, expires)| *expires >= now_ms);
        let changed: Vec<AccountRef> = held
            .bindings
            .extract_if(.., |_, bound| bound.binding.lease_until_ms < now_ms)
            .map(|((account, _), _)| account)
            .collect();
        held.vacate();
        let bound: HashSet<Thumbprint> = held.bindings.keys().map(|(_, d)| d.clone()).collect();
        let silent = now_ms.saturating_sub(LEASE_MS);
        held.devices.retain(|thumbprint, device| {
            device.last_seen_ms >= silent || bound.contains(thumbprint)
        });
        drop(held);
        self.changes.note(&changed);
        Ok(())
    }

    async fn flush(&self) -> Stored<()> {
        Ok(())
    }

    async fn close(&self) {}
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
