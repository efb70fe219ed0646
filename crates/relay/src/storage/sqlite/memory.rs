//! What is asked for every event, from memory: whom an account's events go to, hooks, who answers.
//!
//! Invariant: only the writer's task changes it, after the commit of what changed. Receivers are looked up on disk when they are first
//! asked for; a look-up that began before a change is not kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use shopbell_wire::AccountRef;
use sqlx::SqliteConnection;

use super::{answering, extras, lock};
use crate::storage::{AnsweringLease, Hook, Receiver, Stored, changes::Changes};

/// Accounts that are remembered; then it begins anew.
const ACCOUNTS: usize = 50_000;

/// All of it.
pub(super) struct Memory {
    receivers: Mutex<Receivers>,
    hooks: Mutex<HashMap<String, Hook>>,
    answering: Mutex<HashMap<AccountRef, AnsweringLease>>,
    /// For those who follow bindings and holders.
    pub(super) changes: Changes,
}

#[derive(Default)]
struct Receivers {
    changes: u64,
    by_account: HashMap<AccountRef, Arc<[Receiver]>>,
}

/// What the memory says about an account's receivers.
pub(super) enum Known {
    /// These, their leases living or not.
    Yes(Arc<[Receiver]>),
    /// To be looked up; bring this number back with the answer.
    No(u64),
}

impl Memory {
    pub(super) async fn load(connection: &mut SqliteConnection) -> Stored<Self> {
        Ok(Self {
            receivers: Mutex::default(),
            hooks: Mutex::new(extras::hooks(connection).await?),
            answering: Mutex::new(answering::all(connection).await?),
            changes: Changes::default(),
        })
    }

    pub(super) fn receivers(&self, account: &AccountRef) -> Known {
        let receivers = lock(&self.receivers);
        match receivers.by_account.get(account) {
            Some(known) => Known::Yes(Arc::clone(known)),
            None => Known::No(receivers.changes),
        }
    }

    pub(super) fn looked_up(&self, account: &AccountRef, asked_at: u64, found: &Arc<[Receiver]>) {
        let mut receivers = lock(&self.receivers);
        if receivers.changes != asked_at {
            return;
        }
        if receivers.by_account.len() >= ACCOUNTS {
            receivers.by_account.clear();
        }
        receivers
            .by_account
            .insert(account.clone(), Arc::clone(found));
    }

    /// Bindings of these accounts changed.
    pub(super) fn bindings_changed(&self, accounts: &[AccountRef]) {
        let mut receivers = lock(&self.receivers);
        receivers.changes += 1;
        for account in accounts {
            receivers.by_account.remove(account);
        }
        drop(receivers);
        self.changes.note(accounts);
    }

    /// Bindings changed, nobody counts whose.
    pub(super) fn all_bindings_changed(&self) {
        let mut receivers = lock(&self.receivers);
        receivers.changes += 1;
        receivers.by_account.clear();
        drop(receivers);
        self.changes.note_any();
    }

    pub(super) fn hook(&self, id: &str) -> Option<Hook> {
        lock(&self.hooks).get(id).cloned()
    }

    pub(super) fn put_hook(&self, hook: Hook) {
        lock(&self.hooks).insert(hook.id.clone(), hook);
    }

    pub(super) fn hook_touched(&self, id: &str, now_ms: i64) {
        if let Some(hook) = lock(&self.hooks).get_mut(id) {
            hook.last_ms = hook.last_ms.max(Some(now_ms));
        }
    }

    pub(super) fn answering(&self, account: &AccountRef) -> Option<AnsweringLease> {
        lock(&self.answering).get(account).cloned()
    }

    /// These leases hold.
    pub(super) fn answers(&self, leases: &[(AccountRef, AnsweringLease)]) {
        let mut answering = lock(&self.answering);
        let mut changed = Vec::new();
        for (account, lease) in leases {
            let before = answering.insert(account.clone(), lease.clone());
            if before.is_none_or(|before| before.device != lease.device) {
                changed.push(account.clone());
            }
        }
        drop(answering);
        self.changes.note(&changed);
    }

    /// Nobody answers for these any more.
    pub(super) fn vacated(&self, accounts: &[AccountRef]) {
        let mut answering = lock(&self.answering);
        for account in accounts {
            answering.remove(account);
        }
    }
}
