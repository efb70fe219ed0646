//! The one door in. Polls, webhooks, the sample shop and released echoes all end here, as [`Incoming`].
//!
//! Invariant: told twice, in any order, by any way, the same news ends in the same rows (decision T14c). A message is one by
//! (account, message id), kept for ever; a polled and a pushed message whose ids differ are one when person, second and text agree.
//! Message, person, conversation, window and search words change in ONE transaction of at most [`BATCH`] messages; callers are told
//! after its commit. A batch reads what it needs in a few statements, is worked out in memory, and is written in a few statements:
//! what a message costs is its row and its words, not round trips.
//!
//! What does not belong here: platform formats (`platform::adapter`, `platform::webhook`), deciding what was our own send
//! (`outbox::echo`), rows of posts and comments (`comments::write`, called here), asking for what was only announced (jobs).

mod batch;
mod heads;
mod keys;
mod load;
mod merge;
mod message;
mod news;
mod people;
pub mod preview;
pub(crate) mod rows;
mod waiting;
mod write;

pub use keys::{key_ceiling, key_floor};

use crate::{
    Entropy, OsEntropy, Profile,
    accounts::policy,
    api::types::Change,
    comments,
    domain::{ConversationId, Incoming, IncomingItem},
    events,
    store::{Priority, StoreError, WriteTx},
};

/// Messages per transaction at most: a batch must not make the owner's own writes wait noticeably.
pub const BATCH: usize = 200;

/// What came of some news.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Messages that were not here before.
    pub new_messages: u64,
    /// Their message ids, in the order told.
    pub new_mids: Vec<String>,
    /// Conversations that were not here before.
    pub new_conversations: u64,
    /// Conversations in which something changed.
    pub touched_conversations: Vec<ConversationId>,
    /// Conversations with messages that were not here before.
    pub grown_conversations: Vec<ConversationId>,
    /// Messages and comments whose text or files were erased because their author took them back.
    pub erased: u64,
    /// Platform ids, all known ones, of the messages and comments this news speaks of that were taken back, now or before: whoever keeps
    /// what was told in another form erases it there.
    pub erased_refs: Vec<String>,
    /// Comments that were not here before.
    pub new_comments: u64,
    /// News that waits for its message.
    pub waiting: u64,
    /// Messages put aside until a send of ours is answered (decision T18).
    pub held: u64,
    /// News without the ids it needs.
    pub ignored: u64,
}

impl IngestReport {
    fn add(&mut self, other: Self) {
        self.new_messages += other.new_messages;
        self.new_mids.extend(other.new_mids);
        self.new_conversations += other.new_conversations;
        for (all, more) in [
            (&mut self.touched_conversations, other.touched_conversations),
            (&mut self.grown_conversations, other.grown_conversations),
        ] {
            for id in more {
                if !all.contains(&id) {
                    all.push(id);
                }
            }
        }
        self.erased += other.erased;
        self.erased_refs.extend(other.erased_refs);
        self.new_comments += other.new_comments;
        self.waiting += other.waiting;
        self.held += other.held;
        self.ignored += other.ignored;
    }
}

/// Takes news in, in transactions of at most [`BATCH`] messages. Each is on disk before the next begins; when one fails, the ones before
/// it stay, and telling everything again is harmless.
///
/// # Errors
/// What the database says.
pub async fn take_in(
    profile: &Profile,
    incoming: Incoming,
    priority: Priority,
) -> Result<IngestReport, StoreError> {
    let mut report = IngestReport::default();
    let Incoming {
        account,
        source,
        observed_at_ms,
        items,
    } = incoming;
    for items in split(items) {
        let part = Incoming {
            account,
            source,
            observed_at_ms,
            items,
        };
        let mut tx = profile.store.write(priority).await?;
        let done = apply_with(&mut tx, &part, &*profile.parts.entropy).await?;
        tx.commit().await?;
        report.add(done);
    }
    if report.erased > 0 {
        // The log still holds the pages of what was taken back (decision T24). It was erased already; this failing only delays the rest.
        if let Err(error) = profile.store.scrub().await {
            tracing::warn!(%error, "the log was not emptied after an erasure");
        }
    }
    Ok(report)
}

/// Takes news in inside somebody else's transaction. The caller keeps it small.
///
/// # Errors
/// What the database says; the transaction must then be dropped.
pub async fn apply(tx: &mut WriteTx<'_>, incoming: &Incoming) -> Result<IngestReport, StoreError> {
    apply_with(tx, incoming, &OsEntropy).await
}

async fn apply_with(
    tx: &mut WriteTx<'_>,
    incoming: &Incoming,
    entropy: &dyn Entropy,
) -> Result<IngestReport, StoreError> {
    let Some(mut batch) = load::load(tx, incoming, entropy).await? else {
        return Ok(IngestReport::default());
    };
    let mut in_public = Vec::new();
    for item in &incoming.items {
        match item {
            IncomingItem::Thread(thread) => batch.take_thread(thread),
            IncomingItem::Message(message) => message::take(tx, &mut batch, message).await?,
            IncomingItem::Reaction(reaction) => batch.take_reaction(reaction),
            IncomingItem::Edit {
                mid,
                text,
                num_edit,
                at_ms,
            } => batch.take_edit(mid, text, *num_edit, *at_ms),
            IncomingItem::Unsend { mid, at_ms } => batch.take_unsend(mid, *at_ms),
            IncomingItem::Delivered {
                person,
                watermark_ms,
            } => batch.take_delivered(person, *watermark_ms),
            IncomingItem::Read {
                person,
                watermark_ms,
                mid,
                at_ms,
            } => {
                batch.take_read(person, *watermark_ms, mid.as_deref(), *at_ms);
            }
            IncomingItem::Announced { mid, .. } => batch.take_announced(mid),
            IncomingItem::Referral(referral) => batch.take_referral(referral),
            IncomingItem::Control {
                person,
                ours,
                at_ms,
            } => batch.take_control(person, *ours, *at_ms),
            IncomingItem::Policy {
                action,
                reason,
                at_ms,
            } => {
                let (account, now_ms) = (incoming.account, incoming.observed_at_ms);
                policy::take(tx, account, *action, reason.as_deref(), *at_ms, now_ms).await?;
            }
            IncomingItem::Post(_)
            | IncomingItem::PostRemoved { .. }
            | IncomingItem::Comment(_)
            | IncomingItem::CommentHidden { .. }
            | IncomingItem::CommentRemoved { .. }
            | IncomingItem::Mention { .. } => in_public.push(item),
        }
    }
    let mut report = write::write(tx, &mut batch).await?;
    if !in_public.is_empty() {
        let (account, now_ms) = (incoming.account, incoming.observed_at_ms);
        let taken = comments::write::take(tx, account, &in_public, now_ms).await?;
        report.new_comments += taken.new;
        report.erased += taken.erased;
        report.erased_refs.extend(taken.gone);
        report.erased_refs.sort_unstable();
        report.erased_refs.dedup();
    }
    // What was taken back is gone from the raw log too (decision T24).
    let gone: Vec<&str> = report.erased_refs.iter().map(String::as_str).collect();
    events::forget(tx, incoming.account, &gone, incoming.observed_at_ms).await?;
    for id in &report.touched_conversations {
        tx.tell(Change::Conversation { id: id.0 });
        tx.tell(Change::Messages {
            conversation_id: id.0,
        });
    }
    Ok(report)
}

/// Cuts at a thread's begin when one comes near the limit, so that a thread and its messages stay together.
fn split(items: Vec<IncomingItem>) -> Vec<Vec<IncomingItem>> {
    let mut parts = Vec::new();
    let mut part: Vec<IncomingItem> = Vec::new();
    for item in items {
        let near = part.len() * 4 >= BATCH * 3 && matches!(item, IncomingItem::Thread(_));
        if part.len() >= BATCH || near {
            parts.push(std::mem::take(&mut part));
        }
        part.push(item);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
