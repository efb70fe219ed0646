//! Which accounts had a binding or a holder changed, for those who follow [`super::Bindings::binding_changes`].
//!
//! Invariant: a follower that saw version `n` learns of every account noted after it, or that it cannot know which. Only the last
//! [`REMEMBERED`] are kept.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use shopbell_wire::AccountRef;
use tokio::sync::watch;

/// A follower that is further behind looks at everything.
const REMEMBERED: usize = 1024;

/// The changes of one storage.
pub(crate) struct Changes {
    version: watch::Sender<u64>,
    recent: Mutex<VecDeque<AccountRef>>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            version: watch::Sender::new(0),
            recent: Mutex::default(),
        }
    }
}

impl Changes {
    /// Notes changed accounts. After the change can be read.
    pub(crate) fn note(&self, accounts: &[AccountRef]) {
        if accounts.is_empty() {
            return;
        }
        let mut recent = self.recent();
        recent.extend(accounts.iter().cloned());
        let surplus = recent.len().saturating_sub(REMEMBERED);
        recent.drain(..surplus);
        self.version
            .send_modify(|version| *version += accounts.len() as u64);
    }

    /// Notes that accounts changed which are not known by name.
    pub(crate) fn note_any(&self) {
        let mut recent = self.recent();
        recent.clear();
        self.version.send_modify(|version| *version += 1);
    }

    /// To be woken by.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Accounts noted after a version, each once; nothing when they cannot all be named.
    pub(crate) fn since(&self, seen: u64) -> Option<Vec<AccountRef>> {
        let recent = self.recent();
        let behind = usize::try_from(self.version.borrow().checked_sub(seen)?).ok()?;
        let first = recent.len().checked_sub(behind)?;
        let mut accounts: Vec<AccountRef> = recent.range(first..).cloned().collect();
        accounts.sort();
        accounts.dedup();
        Some(accounts)
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<AccountRef>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use shopbell_wire::AccountKind;

    use super::*;

    fn page(id: u32) -> AccountRef {
        AccountRef {
            kind: AccountKind::Page,
            platform_id: id.to_string(),
        }
    }

    #[test]
    fn a_follower_learns_of_every_account_after_what_it_saw_and_of_each_once() {
        let changes = Changes::default();
        changes.note(&[page(1), page(2)]);
        let seen = *changes.follow().borrow();
        assert_eq!(changes.since(seen), Some(vec![]));
        changes.note(&[page(4)]);
        changes.note(&[page(3), page(4)]);
        assert_eq!(changes.since(seen), Some(vec![page(3), page(4)]));
        assert_eq!(
            changes.since(0),
            Some(vec![page(1), page(2), page(3), page(4)])
        );
    }

    #[test]
    fn whoever_cannot_be_told_all_is_told_nothing() {
        let changes = Changes::default();
        changes.note(&[page(1)]);
        let seen = *changes.follow().borrow();
        changes.note_any();
        changes.note(&[page(2)]);
        assert_eq!(changes.since(seen), None);
        let seen = *changes.follow().borrow();
        changes.note(&[page(3)]);
        assert_eq!(changes.since(seen), Some(vec![page(3)]));
        changes.note(&(0..2000).map(page).collect::<Vec<_>>());
        assert_eq!(changes.since(seen), None, "too far behind");
        assert_eq!(changes.since(9_999_999), None, "of another storage");
    }
}
