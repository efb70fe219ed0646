//! One batch of news while it is worked out in memory: the people and conversations it touches, the messages it speaks of.

use super::preview::Preview;
use crate::domain::{
    AccountId, Author, Channel, IncomingAttachment, IncomingItem, MessageState, Source,
};
use std::collections::HashMap;

/// Everything of one batch.
pub(super) struct Batch {
    pub account: AccountId,
    pub channel: Channel,
    pub source: Source,
    pub observed_at_ms: i64,
    /// The platform lists newest first (polls), so the first told is the newest.
    pub newest_first: bool,
    pub talks: Vec<Talk>,
    pub talk_of_person: HashMap<String, usize>,
    pub talk_of_conversation: HashMap<i64, usize>,
    pub messages: Vec<Message>,
    pub message_of_mid: HashMap<String, usize>,
    /// Stored messages that a new one may be the same as: by the new one's mid.
    pub twins: HashMap<String, Vec<usize>>,
    pub reactions: Vec<Reaction>,
    pub waiting: Vec<Waiting>,
    /// What waited for messages of this batch: by mid.
    pub waited: HashMap<String, Vec<Waiting>>,
    /// Messages that came for what waited: their waiting rows go.
    pub applied: Vec<String>,
    /// Messages of which an author took everything back, known here or not.
    pub unsent: Vec<String>,
    pub held: u64,
    pub ignored: u64,
}

/// A person on this account and the one conversation with them.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub identity: i64,
    pub conversation: i64,
    pub new: bool,
    /// Something must be written.
    pub touched: bool,
    pub name: Option<String>,
    pub username: Option<String>,
    /// The profile was never fetched: names told beside messages count.
    pub unfetched: bool,
    pub renamed: bool,
    pub thread: Option<String>,
    pub state: String,
    pub last_key: i64,
    pub last_at_ms: i64,
    pub last_author: Option<String>,
    pub preview: Preview,
    pub customer_at_ms: Option<i64>,
    pub older_missing: bool,
    pub delivered_until_ms: Option<i64>,
    pub read_until_ms: Option<i64>,
    /// Watermarks as they were before this batch.
    pub delivered_before_ms: Option<i64>,
    pub read_before_ms: Option<i64>,
    /// A message of ours became known late: look at all of them again.
    pub recheck_receipts: bool,
    /// Another program held the thread, and we did: newest proof of each. The newer one says who holds it.
    pub standby_at_ms: Option<i64>,
    pub control_at_ms: Option<i64>,
    /// Where the customer came from last without a word: when, and the reason as JSON.
    pub referral: Option<(i64, String)>,
    pub messages: i64,
    pub first_at_ms: Option<i64>,
    pub opened_key: i64,
    pub own_key: i64,
    /// The message behind `own_key` turned out to be no person's of ours.
    pub own_key_lost: bool,
    /// Sends of ours that an echo could belong to.
    pub open_sends: bool,
    /// Unread messages as the platform counts, and up to when.
    pub told_unread: Option<(i64, i64)>,
    pub new_from_customer: bool,
    pub grown: bool,
}

/// A message, stored or new.
#[derive(Clone)]
pub(super) struct Message {
    /// Row, when stored.
    pub id: Option<i64>,
    /// 0 until allocated.
    pub key: i64,
    pub talk: usize,
    pub mid: String,
    pub alias: Option<String>,
    pub author: Author,
    pub state: MessageState,
    pub text: Option<String>,
    pub sent_at_ms: i64,
    pub edited_at_ms: Option<i64>,
    pub num_edit: i64,
    pub deleted: bool,
    pub unsupported: bool,
    pub reply_to: Option<String>,
    pub story_kind: Option<String>,
    pub story_id: Option<String>,
    pub story_url: Option<String>,
    pub first_attachment: Option<String>,
    pub attachments: Vec<IncomingAttachment>,
    pub referral: Option<(String, String)>,
    pub tap: Option<String>,
    /// The stored row has these two already.
    pub has_referral: bool,
    pub has_tap: bool,
    /// The customer read this very message, as the platform said by its id.
    pub seen: bool,
    /// The exact time took the place of a whole second.
    pub refined: bool,
    /// A stored row differs now.
    pub changed: bool,
    /// The words it is found by differ now.
    pub reworded: bool,
    /// Its content must go.
    pub erased: bool,
}

impl Message {
    /// From our side?
    pub fn ours(&self) -> bool {
        self.author != Author::Customer
    }

    /// Last words and what they are.
    pub fn preview(&self) -> Preview {
        super::preview::of(
            self.text.as_deref(),
            self.first_attachment.as_deref(),
            self.story_kind.as_deref(),
            self.deleted,
            self.unsupported,
        )
    }
}

/// A reaction to be stored; `emoji` empty = taken back.
pub(super) struct Reaction {
    pub message: usize,
    pub by_customer: bool,
    pub emoji: String,
    pub at_ms: i64,
}

/// News whose message is not here yet.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub mid: String,
    pub kind: &'static str,
    pub body: super::waiting::Body,
    pub at_ms: i64,
}

impl Batch {
    /// The conversation with a person, when the person is known by an id.
    pub fn talk(&self, person: &str) -> Option<usize> {
        self.talk_of_person.get(person).copied()
    }

    /// A message by either of its ids.
    pub fn find(&self, mid: &str) -> Option<usize> {
        self.message_of_mid.get(mid).copied()
    }

    /// Notes that a message has this id.
    pub fn name(&mut self, mid: &str, index: usize) {
        self.message_of_mid.insert(mid.to_owned(), index);
    }

    /// Did this news come by itself, as something that just happened?
    pub fn is_live(&self) -> bool {
        matches!(self.source, Source::Poll | Source::Webhook)
    }
}

/// In which order are the messages of one conversation told? Polls list newest first; should a caller have turned them around, the
/// times say so.
pub(super) fn newest_first(source: Source, items: &[IncomingItem]) -> bool {
    let mut last: HashMap<&str, i64> = HashMap::new();
    for item in items {
        let IncomingItem::Message(message) = item else {
            continue;
        };
        match last.insert(message.person.platform_id.as_str(), message.sent_at_ms) {
            Some(before) if before > message.sent_at_ms => return true,
            Some(before) if before < message.sent_at_ms => return false,
            _ => {}
        }
    }
    matches!(source, Source::Backfill | Source::Poll)
}
