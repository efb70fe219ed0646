//! What the relay keeps, behind one set of traits: nonces and states that were used, codes with their sealed answers, devices,
//! bindings, each device's stream of sealed events, hooks, pictures on their way out, deletion codes.
//!
//! Invariant: every argument that reaches a storage is a public id, a time, a public key or ciphertext. Tokens, names and messages have
//! no way in. What a method answers with `Ok` is durable. All storages pass one conformance suite (`storage/conformance.rs`), so that
//! nothing else in the relay knows which one it stands on.

mod changes;
#[cfg(test)]
mod conformance;
mod memory;
mod nats;
mod sqlite;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use shopbell_wire::{
    AccountRef, Binding, DeletionOutcome, DevicePublic, HookKind, Provider, Thumbprint,
};
use tokio::sync::watch;

use crate::{Entropy, clock};
pub(crate) use memory::Memory;
pub(crate) use nats::Nats;
pub(crate) use sqlite::Sqlite;

/// Why a storage did not do it. Carries no argument: those are in nobody's log.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// SQLite.
    #[error("{0}")]
    Sqlite(#[from] sqlx::Error),
    /// Migrations of SQLite.
    #[error("{0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// No space left. Nothing of this was kept; it works again when there is some.
    #[error("no space left; nothing was kept")]
    Full,
    /// Anything else, in the words of the storage.
    #[error("{0}")]
    Other(String),
    /// An fsync or write failed once: nothing may be acknowledged any more until the relay was started anew, because what the disk
    /// holds is not known.
    #[error("the disk failed; nothing is accepted until a restart")]
    Broken,
    /// A row or message that cannot be read back.
    #[error("stored data has an unreadable {0}")]
    Unreadable(&'static str),
}

/// Short.
pub(crate) type Stored<T> = Result<T, StorageError>;

/// Kinds of things that may be used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Once {
    /// Nonce of a device proof; the id has the device in front.
    Nonce,
    /// Started sign-in.
    State,
}

impl Once {
    /// The word in rows.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nonce => "nonce",
            Self::State => "state",
        }
    }
}

/// What became of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The caller redeems it now.
    Fresh,
    /// Another request redeems it at this moment.
    InUse,
    /// It was redeemed, or its redemption was lost.
    Used,
    /// It was redeemed by the same device a moment ago; these bytes again.
    Answered(Vec<u8>),
}

/// A redemption that neither ended nor was given back within this time is taken for lost, in milliseconds.
pub(crate) const REDEEMING_MS: i64 = 2 * 60 * 1000;

/// A device is noted as seen at most this often, in milliseconds.
pub(crate) const SEEN_EVERY_MS: i64 = 60 * 60 * 1000;

/// Address of the storage that is gone with the process.
pub(crate) const IN_MEMORY: &str = "memory:";

/// Sign-in: used things and codes.
#[async_trait]
pub(crate) trait SignIns {
    /// Marks a thing as used; `false` when it was used before.
    async fn use_once(&self, kind: Once, id: &str, expires_at_ms: i64) -> Stored<bool>;
    /// Takes a code for redemption. The code itself is not stored, only its id.
    async fn claim_code(
        &self,
        jti: &str,
        device: &str,
        now_ms: i64,
        expires_at_ms: i64,
    ) -> Stored<Claim>;
    /// Gives a code back that the platform never saw or may not have seen.
    async fn release_code(&self, jti: &str) -> Stored<()>;
    /// The code is spent without an answer worth repeating.
    async fn spend_code(&self, jti: &str) -> Stored<()>;
    /// The code is spent; the sealed answer may be asked for until `until_ms`.
    async fn answer_code(&self, jti: &str, answer: &[u8], until_ms: i64) -> Stored<()>;
}

/// A device that gets an account's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receiver {
    /// Its keys.
    pub(crate) device: DevicePublic,
    /// Its lease ends.
    pub(crate) lease_until_ms: i64,
}

/// The computer that answers for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnsweringLease {
    /// Who.
    pub(crate) device: Thumbprint,
    /// Grows with every change of hands.
    pub(crate) term: u64,
    /// Until when, unless renewed.
    pub(crate) until_ms: i64,
}

/// Devices, their leases on accounts, and who answers.
#[async_trait]
pub(crate) trait Bindings {
    /// Binds accounts to a device or renews its leases, all or none.
    async fn bind(
        &self,
        device: &DevicePublic,
        provider: Provider,
        user_id: &str,
        accounts: &[AccountRef],
        now_ms: i64,
    ) -> Stored<()>;
    /// Live bindings of one device, oldest first.
    async fn bindings_of(&self, device: &Thumbprint, now_ms: i64) -> Stored<Vec<Binding>>;
    /// Live bindings of one account, oldest first; `asking` is marked as the caller's own.
    async fn bindings_for(
        &self,
        account: &AccountRef,
        asking: &Thumbprint,
        now_ms: i64,
    ) -> Stored<Vec<Binding>>;
    /// Removes a device from an account; `false` when it was not bound. The account's answering lease goes with its holder.
    async fn unbind(&self, account: &AccountRef, device: &Thumbprint) -> Stored<bool>;
    /// Devices with a lease on the account. Asked for every event: answered from memory, right as of the last change any node made
    /// (a change made on this node counts at once).
    async fn receivers(&self, account: &AccountRef, now_ms: i64) -> Stored<Arc<[Receiver]>>;
    /// Devices bound through this app-scoped user.
    async fn receivers_of_user(
        &self,
        provider: Provider,
        user_id: &str,
        now_ms: i64,
    ) -> Stored<Vec<Receiver>>;
    /// Forgets every binding made through this user. The devices' streams stay.
    async fn unbind_user(&self, provider: Provider, user_id: &str) -> Stored<()>;
    /// Forgets the bindings of devices that were silent since before `silent_since_ms` (no stream, nothing bound). Answers how many devices.
    async fn unbind_silent(&self, silent_since_ms: i64) -> Stored<u64>;
    /// Notes that a device was here. Coarse: written at most once an hour per device.
    async fn seen(&self, device: &Thumbprint, now_ms: i64) -> Stored<()>;
    /// Who answers for an account, whether or not the lease has ended.
    async fn answering(&self, account: &AccountRef) -> Stored<Option<AnsweringLease>>;
    /// Takes or renews the answering lease, atomically over all nodes: the holder renews (same term); anybody may take one that has
    /// ended; with `insist` also a living one. Answers the lease that holds afterwards, whoever has it.
    async fn answer(
        &self,
        account: &AccountRef,
        device: &Thumbprint,
        insist: bool,
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<AnsweringLease>;
    /// Renews the answering leases of holders whose streams live, many at once; like [`Self::answer`] without `insist` for each. Answers
    /// the leases that hold afterwards, in the same order.
    async fn renew_answers(
        &self,
        held: &[(AccountRef, Thumbprint)],
        now_ms: i64,
        until_ms: i64,
    ) -> Stored<Vec<AnsweringLease>> {
        let mut leases = Vec::with_capacity(held.len());
        for (account, device) in held {
            leases.push(
                self.answer(account, device, false, now_ms, until_ms)
                    .await?,
            );
        }
        Ok(leases)
    }
    /// Changes whenever a binding or the holder of an answering lease changed, on any node.
    fn binding_changes(&self) -> watch::Receiver<u64>;
    /// Accounts that changed since a value of [`Self::binding_changes`]; nothing when the storage cannot name them all.
    fn changed_accounts(&self, _since: u64) -> Option<Vec<AccountRef>> {
        None
    }
}

/// A sealed event for one device.
#[derive(Debug, Clone)]
pub(crate) struct NewRecord {
    /// Whose stream.
    pub(crate) device: Thumbprint,
    /// [`shopbell_wire::SealedEvent`] as bytes.
    pub(crate) event: Bytes,
    /// The event's id: a repeated append of the same record by a retry inside the storage must not double it.
    pub(crate) event_id: [u8; 16],
    /// When the relay had it, for retention.
    pub(crate) received_ms: i64,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Place in the device's stream: 1, 2, 3, … without holes unless something was lost.
    pub(crate) offset: u64,
    /// The place before it as it was when this was written.
    pub(crate) prev: u64,
    /// [`shopbell_wire::SealedEvent`] as bytes.
    pub(crate) event: Bytes,
}

/// What there is of a device's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Oldest offset that is kept; one more than `newest` when there is none.
    pub(crate) oldest: u64,
    /// Newest offset given out; 0 when there was none.
    pub(crate) newest: u64,
}

/// Each device's stream.
#[async_trait]
pub(crate) trait Streams {
    /// Random id of this storage; another one after a restore.
    fn epoch(&self) -> &str;
    /// Writes records, durable when it returns. Offsets of one device follow the order of the call. Calls that come while one is being
    /// made durable share the next one (group commit).
    async fn append(&self, records: Vec<NewRecord>) -> Stored<()>;
    /// Records after an offset, in order, at most `max_events`, at most `max_bytes` (but one, however large).
    async fn read(
        &self,
        device: &Thumbprint,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Stored<Vec<Record>>;
    /// What there is.
    async fn extent(&self, device: &Thumbprint) -> Stored<Extent>;
    /// Deletes up to an offset, inclusive. May be done a second later; a higher call covers a lower one.
    async fn acknowledge(&self, device: &Thumbprint, offset: u64) -> Stored<()>;
    /// Changes whenever records of this device were appended, on any node. Seen only after they can be read. The value is the newest
    /// offset as far as this node knows, or 0.
    async fn arrivals(&self, device: &Thumbprint) -> Stored<watch::Receiver<u64>>;
    /// Deletes what was received before this time, and whole streams of devices that no longer exist. Offsets go on where they were, so
    /// that the gap shows. Answers how many records.
    async fn expire(&self, before_ms: i64) -> Stored<u64>;
    /// Deletes everything of a device's stream at once; offsets go on (deletion on the owner's wish).
    async fn drop_stream(&self, device: &Thumbprint) -> Stored<()>;
}

/// A hook, with its secret sealed under the relay's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hook {
    /// Unguessable.
    pub(crate) id: String,
    /// Who posts.
    pub(crate) kind: HookKind,
    /// Whose.
    pub(crate) device: Thumbprint,
    /// The shop's signing secret, sealed.
    pub(crate) secret: Option<Vec<u8>>,
    /// Allowed origins.
    pub(crate) origins: Vec<String>,
    /// Passes nothing on.
    pub(crate) paused: bool,
    /// Removed by the owner: only the fact that it existed is kept, because shops go on posting (T23).
    pub(crate) removed: bool,
    /// Made.
    pub(crate) created_at_ms: i64,
    /// Last time something was accepted; coarse, at most once a minute.
    pub(crate) last_ms: Option<i64>,
}

/// A picture that waits for its one fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Media {
    /// `image/jpeg` and the like.
    pub(crate) mime: String,
    /// The picture.
    pub(crate) bytes: Bytes,
}

/// A data-deletion request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deletion {
    /// Asked.
    pub(crate) asked_at_ms: i64,
    /// Computers that were told.
    pub(crate) told: Vec<Thumbprint>,
    /// What became of it on each, as far as reported.
    pub(crate) outcomes: BTreeMap<String, DeletionOutcome>,
}

/// Hooks, pictures, deletion codes.
#[async_trait]
pub(crate) trait Extras {
    /// Makes or replaces a hook.
    async fn put_hook(&self, hook: &Hook) -> Stored<()>;
    /// One hook, removed ones too. Asked for every post: answered from memory where it can be.
    async fn hook(&self, id: &str) -> Stored<Option<Hook>>;
    /// Hooks of a device that are not removed, oldest first.
    async fn hooks_of(&self, device: &Thumbprint) -> Stored<Vec<Hook>>;
    /// Notes that a hook accepted something. Must not undo what its owner changes at the same moment; a storage that can writes `last_ms`
    /// alone.
    async fn touch_hook(&self, id: &str, now_ms: i64) -> Stored<()> {
        match self.hook(id).await? {
            Some(hook) if !hook.removed => {
                let last_ms = Some(now_ms);
                self.put_hook(&Hook { last_ms, ..hook }).await
            }
            _ => Ok(()),
        }
    }
    /// Keeps a picture; `false` when the id is taken or the device has [`shopbell_wire::MEDIA_PER_DEVICE`] waiting.
    async fn put_media(
        &self,
        id: &str,
        device: &Thumbprint,
        media: &Media,
        expires_at_ms: i64,
    ) -> Stored<bool>;
    /// Gives a picture out once and deletes it.
    async fn take_media(&self, id: &str, now_ms: i64) -> Stored<Option<Media>>;
    /// Notes a deletion request.
    async fn put_deletion(&self, code: &str, deletion: &Deletion) -> Stored<()>;
    /// A deletion request.
    async fn deletion(&self, code: &str) -> Stored<Option<Deletion>>;
    /// What a device did; `false` when there is no such request or it was not told to this device.
    async fn settle_deletion(
        &self,
        code: &str,
        device: &Thumbprint,
        outcome: DeletionOutcome,
    ) -> Stored<bool>;
    /// Notes that the relay lives and answers the time of the note before, of any node.
    async fn heartbeat(&self, now_ms: i64) -> Stored<Option<i64>>;
    /// Keeps the last outage (from, to).
    async fn put_outage(&self, outage: (i64, i64)) -> Stored<()>;
    /// The last outage.
    async fn outage(&self) -> Stored<Option<(i64, i64)>>;
}

/// Everything.
#[async_trait]
pub(crate) trait Storage:
    SignIns + Bindings + Streams + Extras + Send + Sync + 'static
{
    /// Whether it answers and accepts.
    async fn ready(&self) -> bool;
    /// Deletes what has had its time: used marks, codes with their answers, leases, pictures, devices without any.
    async fn purge(&self, now_ms: i64) -> Stored<()>;
    /// Does now what may be done later: acknowledgements, signs of life.
    async fn flush(&self) -> Stored<()>;
    /// Ends it in order, with everything that was still to be done.
    async fn close(&self);
}

/// Tells a storage that it was brought back from a copy: devices compare with the platform instead of trusting their offsets. For files;
/// what many relays share is brought back by its own means and has to be a new one then.
pub(crate) async fn restored(address: &str, entropy: &dyn Entropy) -> Stored<()> {
    if address == IN_MEMORY || address.starts_with("nats:") {
        return Err(StorageError::Other(
            "only a database file is brought back like this".into(),
        ));
    }
    sqlite::epoch::renew(address, entropy).await
}

/// Opens the storage an operator chose.
pub(crate) async fn open(address: &str, entropy: &dyn Entropy) -> Stored<Arc<dyn Storage>> {
    if address == IN_MEMORY {
        let epoch = hex::encode(clock::random::<16>(entropy));
        return Ok(Arc::new(Memory::new(epoch)));
    }
    if address.starts_with("nats:") {
        return Ok(Arc::new(Nats::open(address, entropy).await?));
    }
    Ok(Arc::new(Sqlite::open(address).await?))
}
