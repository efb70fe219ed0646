//! What was said: conversations and messages in the sandbox's own shape. How the platform shows them
//! is decided in `graph`, how it announces them in `webhooks`.

use serde::Serialize;

use super::cards::Card;
use super::people::Account;

/// One conversation between an account and a person. Messages are oldest first.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    pub(crate) account: Account,
    pub(crate) customer: String,
    pub(crate) updated_ms: i64,
    pub(crate) unread: u64,
    /// Everything the business sent up to here was read by the customer.
    pub(crate) read_ms: i64,
    /// In the Requests folder: not returned after 30 idle days.
    pub(crate) requests: bool,
    /// Another app owns the thread (handover).
    pub(crate) owned_by_other: bool,
    pub(crate) messages: Vec<Message>,
}

/// One message.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) created_ms: i64,
    pub(crate) from_business: bool,
    pub(crate) text: String,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) shares: Vec<Share>,
    pub(crate) cards: Vec<Card>,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) sticker: Option<String>,
    pub(crate) story: Option<Story>,
    pub(crate) reply_to: Option<String>,
    pub(crate) quick_reply: Option<String>,
    /// The ad or product the person came from.
    pub(crate) referral: Option<Referral>,
    pub(crate) unsupported: bool,
    pub(crate) edits: u32,
    /// The app that sent it, for messages of the business.
    pub(crate) app_id: Option<String>,
    /// What the sender set; comes back only in the Messenger echo.
    pub(crate) metadata: Option<String>,
}

/// A file beside a message.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    pub(crate) kind: AttachmentKind,
    pub(crate) mime: String,
    pub(crate) name: String,
    /// Bytes, where they are known without drawing.
    pub(crate) size: Option<u64>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The unsigned path below `/cdn/`.
    pub(crate) path: String,
}

/// The platform's attachment types that carry bytes.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AttachmentKind {
    /// JPEG, PNG or GIF.
    Image,
    /// MP4.
    Video,
    /// A voice message.
    Audio,
    /// Anything else; on Instagram PDF only.
    File,
}

impl AttachmentKind {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "image" => Some(AttachmentKind::Image),
            "video" => Some(AttachmentKind::Video),
            "audio" => Some(AttachmentKind::Audio),
            "file" => Some(AttachmentKind::File),
            _ => None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            AttachmentKind::Image => "image",
            AttachmentKind::Video => "video",
            AttachmentKind::Audio => "audio",
            AttachmentKind::File => "file",
        }
    }
}

/// Where a person came from.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Referral {
    pub(crate) from: ReferralKind,
    /// The word that the link or ad carries.
    pub(crate) word: String,
    pub(crate) ad_id: String,
    pub(crate) ad_title: String,
    /// The unsigned path of the ad's picture below `/cdn/`.
    pub(crate) path: String,
    pub(crate) product: String,
}

/// The kinds of it.
#[derive(Clone, Copy, Debug, Default, Serialize, serde::Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ReferralKind {
    /// An m.me or ig.me link.
    #[default]
    Link,
    /// An ad that opens a conversation.
    Ad,
    /// A product page of the shop.
    Product,
}

/// A shared link or post.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Share {
    pub(crate) id: String,
    pub(crate) link: String,
    pub(crate) name: String,
}

/// A reaction and who gave it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reaction {
    pub(crate) word: String,
    pub(crate) emoji: String,
    pub(crate) by: String,
}

/// An answer to a story, or a story that mentions the account.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Story {
    pub(crate) id: String,
    pub(crate) mention: bool,
    /// The unsigned path of its picture below `/cdn/`.
    pub(crate) path: String,
}

impl Conversation {
    pub(crate) fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().rev().find(|message| message.id == id)
    }

    pub(crate) fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages
            .iter_mut()
            .rev()
            .find(|message| message.id == id)
    }

    /// Adds a message in the order of time and moves the conversation up.
    pub(crate) fn append(&mut self, message: Message) {
        if !message.from_business {
            self.unread += 1;
        } else {
            self.unread = 0;
        }
        self.updated_ms = self.updated_ms.max(message.created_ms);
        let at = self
            .messages
            .partition_point(|other| other.created_ms <= message.created_ms);
        self.messages.insert(at, message);
    }
}
