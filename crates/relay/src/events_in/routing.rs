//! From entries to the streams of the devices bound to their accounts, and into the storage in time.
//!
//! Invariant: an entry goes to the devices bound to its own account and to nobody else; every drop is counted with its reason. One
//! request is one append, and what the caller is told to be taken is durable.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use shopbell_wire::{AccountKind, AccountRef, DevicePublic, EventKind, Thumbprint, subject_of};

use super::{
    envelope::{self, Entry, Object},
    sealing::Event,
};
use crate::{
    app::App,
    clock::random,
    metrics::{EntryOutcome, StorageWork},
    planted,
    storage::{NewRecord, Receiver, StorageError, Stored},
};

/// Whoever posts is answered within two seconds, also when the disk stalls; the rest is for the way back.
pub(crate) const STORE_WITHIN: Duration = Duration::from_millis(1_800);
/// Entries that are sealed before other requests get a turn.
const AT_ONCE: usize = 32;

/// What a request became.
#[derive(Default)]
pub(crate) struct Routed {
    /// For the streams, in the order of the entries.
    pub(crate) records: Vec<NewRecord>,
    /// Entries without an account that can be read: the operator's, when there is a key, and no device's.
    pub(crate) no_account: Vec<String>,
}

/// Finds the receivers of every entry and seals it for each.
pub(crate) async fn route(app: &App, entries: &[Entry<'_>], now_ms: i64) -> Stored<Routed> {
    let mut routed = Routed::default();
    let mut last: Option<(AccountRef, Arc<[Receiver]>)> = None;
    let mut plain = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        if n > 0 && planted::on("relay.takes_first_entry_only") {
            break;
        }
        if n % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        let (kind, opening): (_, &[u8]) = match entry.object {
            Object::Page => (AccountKind::Page, br#"{"object":"page","entry":"#),
            Object::Instagram => (AccountKind::Instagram, br#"{"object":"instagram","entry":"#),
            Object::Other => {
                app.metrics.entries.one(EntryOutcome::OtherObject);
                continue;
            }
        };
        let outcome = match find(app, kind, entry, &mut last, now_ms).await? {
            Found::NoAccount => {
                routed.no_account.push(entry.text.to_owned());
                EntryOutcome::NoAccount
            }
            Found::Nobody => EntryOutcome::Unbound,
            Found::Receivers(account, receivers) => {
                plain.clear();
                plain.extend_from_slice(opening);
                plain.extend_from_slice(entry.text.as_bytes());
                plain.push(b'}');
                let event = Event {
                    kind: EventKind::META,
                    id: random(app.entropy.as_ref()),
                    subject: &subject_of(account),
                    received_ms: now_ms,
                    plain: &plain,
                };
                let before = routed.records.len();
                let sealers = &app.events_in.sealers;
                let sealed = receivers.iter().map(|to| sealers.seal(&to.device, &event));
                routed.records.extend(sealed.flatten());
                if routed.records.len() > before {
                    EntryOutcome::Routed
                } else {
                    EntryOutcome::NotSealed
                }
            }
        };
        app.metrics.entries.one(outcome);
    }
    Ok(routed)
}

enum Found<'a> {
    NoAccount,
    Nobody,
    Receivers(&'a AccountRef, &'a [Receiver]),
}

/// The account of an entry and its devices. `last` is the one before: entries of one account come in a row.
async fn find<'a>(
    app: &App,
    kind: AccountKind,
    entry: &Entry<'_>,
    last: &'a mut Option<(AccountRef, Arc<[Receiver]>)>,
    now_ms: i64,
) -> Stored<Found<'a>> {
    let known = last.as_ref().is_some_and(|(account, receivers)| {
        let same = entry.id.as_deref() == Some(account.platform_id.as_str());
        same && account.kind == kind && !receivers.is_empty()
    });
    if !known {
        let recipient = || envelope::recipient(entry.text);
        let Some(id) = entry.id.clone().or_else(recipient) else {
            return Ok(Found::NoAccount);
        };
        let mut found = look_up(app, kind, &id, now_ms).await?;
        if found.1.is_empty()
            && let Some(other) = recipient().filter(|other| *other != id)
        {
            found = look_up(app, kind, &other, now_ms).await?;
        }
        *last = Some(found);
    }
    Ok(match last {
        Some((account, receivers)) if !receivers.is_empty() => Found::Receivers(account, receivers),
        _ => Found::Nobody,
    })
}

async fn look_up(
    app: &App,
    kind: AccountKind,
    id: &str,
    now_ms: i64,
) -> Stored<(AccountRef, Arc<[Receiver]>)> {
    let account = AccountRef {
        kind,
        platform_id: id.to_owned(),
    };
    let receivers = app.storage.receivers(&account, now_ms).await?;
    Ok((account, receivers))
}

/// A device's keys as long as anything is bound to it. Who is bound to nothing gets nothing.
pub(crate) async fn keys_of(
    app: &App,
    device: &Thumbprint,
    now_ms: i64,
) -> Stored<Option<DevicePublic>> {
    let bindings = app.storage.bindings_of(device, now_ms).await?;
    let Some(binding) = bindings.first() else {
        return Ok(None);
    };
    let receivers = app.storage.receivers(&binding.account, now_ms).await?;
    Ok(receivers
        .iter()
        .map(|receiver| receiver.device)
        .find(|keys| keys.thumbprint() == *device))
}

/// Not stored; whoever posted is told to come back. The log has heard of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotStored;

/// Makes records durable.
pub(crate) async fn append(app: &App, records: Vec<NewRecord>) -> Stored<()> {
    if records.is_empty() {
        return Ok(());
    }
    let (count, began) = (records.len(), Instant::now());
    planted::pass("relay.sealed");
    if planted::on("relay.answers_before_durable") {
        let storage = Arc::clone(&app.storage);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            storage.append(records).await
        });
        return Ok(());
    }
    app.storage.append(records).await?;
    planted::pass("relay.after_commit_before_200");
    app.metrics.appended(count, began.elapsed());
    Ok(())
}

/// Does storage work within [`STORE_WITHIN`].
pub(crate) async fn in_time<T>(
    app: &App,
    work: impl Future<Output = Stored<T>>,
) -> Result<T, NotStored> {
    let error = match tokio::time::timeout(STORE_WITHIN, work).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) => error,
        Err(_) => StorageError::Other("no answer in time".into()),
    };
    app.metrics.storage_errors.one(StorageWork::Append);
    // Thousands of requests may fail in the same second, for the same reason.
    if app.events_in.complaints.may(app.now_ms()) {
        tracing::error!(%error, "events are not taken; those who post were told to come back");
    }
    Err(NotStored)
}
