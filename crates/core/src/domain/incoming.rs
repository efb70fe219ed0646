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
    /// The platform named a new message and said nothing else of it. Asked for when it does not come by itself.
    Announced {
        /// Message.
        mid: String,
        /// UTC ms.
        at_ms: i64,
    },
    /// The customer came back through a link or an ad, without a word.
    Referral(IncomingReferral),
    /// Which program holds the thread: ours, or another one that we only stand by.
    Control {
        /// Customer's platform id.
        person: String,
        /// We may answer by ourselves.
        ours: bool,
        /// UTC ms.
        at_ms: i64,
    },
    /// The platform's word on the whole account.
    Policy {
        /// What it did.
        action: PolicyAction,
        /// Its reason, for the owner; at most some lines.
        reason: Option<String>,
        /// UTC ms.
        at_ms: i64,
    },
    /// A post, reel or story, new or edited.
    Post(IncomingPost),
    /// A post is gone.
    PostRemoved {
        /// The platform's id.
        post: String,
        /// UTC ms.
        at_ms: i64,
    },
    /// A comment, new or edited.
    Comment(IncomingComment),
    /// A comment was hidden from the public, or shown again.
    CommentHidden {
        /// The platform's id.
        comment: String,
        /// Its post, when told.
        post: Option<String>,
        /// Hidden now.
        hidden: bool,
        /// UTC ms.
        at_ms: i64,
    },
    /// A comment is gone for good: its words are erased here too.
    CommentRemoved {
        /// The platform's id.
        comment: String,
        /// Its post, when told.
        post: Option<String>,
        /// UTC ms.
        at_ms: i64,
    },
    /// Somebody named us in a caption or comment; the platform tells ids only. Asked for.
    Mention {
        /// The post.
        post: String,
        /// The comment, when it is one.
        comment: Option<String>,
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
    /// The customer tapped a button or quick reply; its payload, empty when the platform kept it back.
    #[serde(default)]
    pub tap: Option<String>,
    /// Told to us as to a bystander: another program holds this thread.
    #[serde(default)]
    pub standby: bool,
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

/// What the platform did to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyAction {
    /// A warning; everything still works.
    Warning,
    /// Sending is stopped.
    Block,
    /// Sending works again.
    Unblock,
}

/// The customer came through a link or an ad.
#[derive(Clone)]
pub struct IncomingReferral {
    /// Customer's platform id.
    pub person: String,
    /// `ad` or `link`.
    pub kind: String,
    /// What the owner called it: the link's own word, the ad's title or id. May be empty.
    pub label: String,
    /// Does it open the 24-hour window (a link does; an ad only together with the message that follows).
    pub opens_window: bool,
    /// UTC ms.
    pub at_ms: i64,
}

/// A post, reel, story or broadcast, as far as told. What is `None` was not told and says nothing.
#[derive(Clone, Default)]
pub struct IncomingPost {
    /// `{page}_{post}` on Facebook, the media's id on Instagram.
    pub platform_id: String,
    /// Ours; a visitor's post or one that names us is not.
    pub own: Option<bool>,
    /// Whose, when it is not ours.
    pub author: Option<IncomingPerson>,
    /// `feed`, `reels`, `story`, `live`, `ad`, `status`, `photo`, `video`, `share`, `album`.
    pub kind: Option<String>,
    /// Caption, with the time from which it reads so.
    pub text: Option<(String, i64)>,
    /// Address to open in a browser.
    pub permalink: Option<String>,
    /// Signed address of its picture; expires.
    pub picture: Option<String>,
    /// Posted, UTC ms.
    pub posted_at_ms: Option<i64>,
    /// The ad that shows it.
    pub ad_id: Option<String>,
    /// Title of that ad.
    pub ad_title: Option<String>,
    /// The post that the ad was made of.
    pub original: Option<String>,
    /// It names us.
    pub mention: bool,
}

/// A comment on a post, or an answer to one.
#[derive(Clone)]
pub struct IncomingComment {
    /// The platform's id.
    pub platform_id: String,
    /// Its post, as far as told beside it.
    pub post: IncomingPost,
    /// The comment it answers.
    pub parent: Option<String>,
    /// Who wrote; not told when privacy or rights forbid.
    pub author: Option<IncomingPerson>,
    /// Written by the account itself.
    pub own: bool,
    /// Written during a broadcast.
    pub live: bool,
    /// It names us on somebody else's post.
    pub mention: bool,
    /// Text.
    pub text: Option<String>,
    /// From when the text reads so: when it was written, or last edited, UTC ms.
    pub text_at_ms: i64,
    /// It was edited.
    pub edited: bool,
    /// Signed address of a picture in it; expires.
    pub photo: Option<String>,
    /// Written, UTC ms. Instagram does not say; then when it was told.
    pub written_at_ms: i64,
}
