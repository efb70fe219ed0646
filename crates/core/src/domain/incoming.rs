//! What an adapter makes of a platform's bytes, and the only thing `ingest` takes.
//!
//! Polls, webhooks and the sample shop all arrive as [`Incoming`]; the semantic key of every effect is derived from these fields
//! (decision T14c), so the same message told twice, by two ways, is one row.

use super::{AccountId, Author};
use serde::{Deserialize, Serialize};

/// Where a piece of news came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// First sync.
    Backfill,
    /// Polling; counts as "recovered" when the relay should have told us.
    Poll,
    /// The relay.
    Webhook,
    /// Our own send's answer.
    Send,
    /// The sample shop.
    Sample,
}

/// News of one account, in the order told.
#[derive(Clone)]
pub struct Incoming {
    /// Whose.
    pub account: AccountId,
    /// By which way.
    pub source: Source,
    /// When we learned it, UTC ms.
    pub observed_at_ms: i64,
    /// The news.
    pub items: Vec<IncomingItem>,
}

/// One piece of news.
#[derive(Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all items are messages, and a box each would cost an allocation per message"
)]
pub enum IncomingItem {
    /// A thread as the platform lists it. Comes before its messages in a poll.
    Thread(IncomingThread),
    /// A message, from either side.
    Message(IncomingMessage),
    /// A reaction set or taken back.
    Reaction(IncomingReaction),
    /// An edit.
    Edit {
        /// Message.
        mid: String,
        /// New text.
        text: String,
        /// Count of edits as told.
        num_edit: i64,
        /// UTC ms.
        at_ms: i64,
    },
    /// The author took the message back: text and files are erased here too.
    Unsend {
        /// Message.
        mid: String,
        /// UTC ms.
        at_ms: i64,
    },
    /// Everything we sent this person up to the watermark arrived.
    Delivered {
        /// Customer's platform id.
        person: String,
        /// UTC ms.
        watermark_ms: i64,
    },
    /// The customer read up to a watermark (Messenger) or one message (Instagram).
    Read {
        /// Customer's platform id.
        person: String,
        /// UTC ms.
        watermark_ms: Option<i64>,
        /// Message.
        mid: Option<String>,
        /// UTC ms.
        at_ms: i64,
    },
}

/// A thread of the platform's list.
#[derive(Clone)]
pub struct IncomingThread {
    /// The platform's conversation id.
    pub platform_id: String,
    /// The customer.
    pub person: IncomingPerson,
    /// Last change, UTC ms.
    pub updated_at_ms: i64,
    /// The platform holds older messages than it shows to apps (the 20-message rule).
    pub older_missing: bool,
    /// Unread count as the platform tells, Messenger only.
    pub unread: Option<i64>,
}

/// A customer as seen beside a message or thread.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct IncomingPerson {
    /// PSID or IGSID.
    pub platform_id: String,
    /// Name, where told.
    pub name: Option<String>,
    /// Handle, where told.
    pub username: Option<String>,
}

/// A message, from either side.
#[derive(Clone, Serialize, Deserialize)]
pub struct IncomingMessage {
    /// The platform's message id.
    pub mid: String,
    /// The customer of this conversation, whoever wrote.
    pub person: IncomingPerson,
    /// The platform's conversation id, where told.
    pub thread: Option<String>,
    /// Who wrote: `Customer`, or for our side what the adapter can tell (`Phone` when it cannot tell more;
    /// ingest recognises our own sends by message id, metadata or text).
    pub author: Author,
    /// Our metadata as echoed (Messenger), or null.
    pub metadata: Option<String>,
    /// The app that sent it, for echoes.
    pub app_id: Option<String>,
    /// Sent, UTC ms. Polls know only whole seconds.
    pub sent_at_ms: i64,
    /// Text; `None` when there is only a file.
    pub text: Option<String>,
    /// Files, shares.
    pub attachments: Vec<IncomingAttachment>,
    /// Message it answers.
    pub reply_to_mid: Option<String>,
    /// Story it answers or mentions.
    pub story: Option<IncomingStory>,
    /// Reactions known with the message (polls).
    pub reactions: Vec<IncomingReaction>,
    /// Meta does not show its content.
    pub unsupported: bool,
    /// Already deleted at the platform.
    pub deleted: bool,
    /// Where the customer came from: (`ad` | `link` | `story`, label).
    pub referral: Option<(String, String)>,
    /// Does this event open the 24-hour window (a customer's message, tap or reaction does; our own does not).
    pub opens_window: bool,
}

/// A file or share.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct IncomingAttachment {
    /// `image`, `video`, `audio`, `file`, `sticker`, `share`, `reel`, `story`, `location`, `template`, `fallback`, `unsupported`.
    pub kind: String,
    /// Signed address at Meta's CDN; expires.
    pub url: Option<String>,
    /// Name or title.
    pub name: Option<String>,
    /// Media type.
    pub mime: Option<String>,
    /// Bytes.
    pub size: Option<i64>,
    /// Pixels.
    pub width: Option<i64>,
    /// Pixels.
    pub height: Option<i64>,
    /// Link to show.
    pub link: Option<String>,
}

/// A story behind a message.
#[derive(Clone, Serialize, Deserialize)]
pub struct IncomingStory {
    /// `reply` or `mention`.
    pub kind: String,
    /// Story id.
    pub id: Option<String>,
    /// Signed address; never stored as bytes.
    pub url: Option<String>,
}

/// A reaction.
#[derive(Clone, Serialize, Deserialize)]
pub struct IncomingReaction {
    /// Message.
    pub mid: String,
    /// The customer reacted (else we did).
    pub by_customer: bool,
    /// Customer's platform id.
    pub person: String,
    /// `None` = taken back.
    pub emoji: Option<String>,
    /// UTC ms.
    pub at_ms: i64,
}
