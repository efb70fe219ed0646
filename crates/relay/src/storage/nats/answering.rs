//! Who answers for an account: a lease with a term, one row per account, taken by compare-and-swap.

use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use shopbell_wire::{AccountRef, Thumbprint};

use super::{
    Nats,
    mirror::Mirror,
    table::{Decision, key},
};
use crate::storage::{AnsweringLease, Stored, changes::Changes};

/// Without a device: vacant, the term goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AnsweringRow {
    account: AccountRef,
    device: Option<Thumbprint>,
    term: u64,
    until_ms: i64,
}

impl AnsweringRow {
    fn lease(&self) -> Option<AnsweringLease> {
        Some(AnsweringLease {
            device: self.device.clone()?,
            term: self.term,
            until_ms: self.until_ms,
        })
    }
}

/// The holders as far as this node heard; only for telling that one changed.
#[derive(Default)]
pub(super) struct Holders(RwLock<Mirror<String, AnsweringRow>>);

impl Holders {
    /// A row is this now.
    pub(super) fn apply(
        &self,
        changes: &Changes,
        key: &str,
        revision: u64,
        row: Option<AnsweringRow>,
    ) {
        let holder = |row: &Option<AnsweringRow>| {
            row.as_ref()
                .and_then(|row| Some((row.account.clone(), row.device.clone()?, row.term)))
        };
        let after = holder(&row);
        let before = self.write().apply(&key.to_owned(), revision, row);
        let Some(before) = before else { return };
        let before = holder(&before);
        if before != after {
            let accounts: Vec<AccountRef> = after
                .or(before)
                .into_iter()
                .map(|(account, ..)| account)
                .collect();
            changes.note(&accounts);
        }
    }

    /// Every row was told up to a revision.
    pub(super) fn complete(&self, changes: &Changes, revision: u64) {
        let gone = self.write().complete(revision);
        let accounts: Vec<AccountRef> = gone.into_iter().map(|(_, row)| row.account).collect();
        changes.note(&accounts);
    }

    /// Accounts somebody answers for, with whom.
    pub(super) fn all(&self) -> Vec<(AccountRef, Thumbprint)> {
        let rows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rows.iter()
            .filter_map(|(_, row)| Some((row.account.clone(), row.device.clone()?)))
            .collect()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Mirror<String, AnsweringRow>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(account: &AccountRef) -> String {
    key(&[account.kind.as_str(), &account.platform_id])
}

impl Nats {
    /// The lease of an account, whether or not it has ended.
    pub(super) async fn answering_lease(
        &self,
        account: &AccountRef,
    ) -> Stored<Option<AnsweringLease>> {
        let row: Option<AnsweringRow> = self.answering.get(&key_of(account)).await?;
        Ok(row.and_then(|row| row.lease()))
    }

    /// Takes or renews it; answers the lease that holds afterwards.
    pub(super) async fn take_answering(
        &self,
        account: &AccountRef,
        device: &Thumbprint,
        insist: bool,
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<AnsweringLease> {
        self.change_answering(account, |row| {
            let term = match &row {
                None => 1,
                Some(row) if row.device.as_ref() == Some(device) => row.term,
                Some(row) => match row.lease() {
                    Some(lease) if !insist && lease.until_ms >= now_ms => {
                        return Decision::Keep(lease);
                    }
                    _ => row.term + 1,
                },
            };
            let row = AnsweringRow {
                account: account.clone(),
                device: Some(device.clone()),
                term,
                until_ms,
            };
            let lease = AnsweringLease {
                device: device.clone(),
                term,
                until_ms,
            };
            Decision::Put(row, lease)
        })
        .await
    }

    /// Takes it from a holder that is no longer bound. The term stays: it has to grow when somebody takes the lease.
    pub(super) async fn vacate(&self, account: &AccountRef, device: &Thumbprint) -> Stored<()> {
        self.change_answering(account, |row| match row {
            Some(row) if row.device.as_ref() == Some(device) => Decision::Put(
                AnsweringRow {
                    device: None,
                    until_ms: 0,
                    ..row
                },
                (),
            ),
            _ => Decision::Keep(()),
        })
        .await
    }

    async fn change_answering<R: Send>(
        &self,
        account: &AccountRef,
        decide: impl FnMut(Option<AnsweringRow>) -> Decision<AnsweringRow, R> + Send,
    ) -> Stored<R> {
        let key = key_of(account);
        let changed = self.answering.change(&key, decide).await?;
        if let Some((revision, row)) = changed.written {
            self.holders.apply(&self.changes, &key, revision, row);
        }
        Ok(changed.answer)
    }
}
