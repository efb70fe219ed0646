//! The thread: messages, attachments, reactions, sends.

use super::Reason;
use crate::domain::{Author, MessageState};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Argument of `messages_list`. At most one of `before`, `after`, `around`; none = the newest.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MessagesQuery {
    /// Conversation.
    pub conversation_id: i64,
    /// Older than this sort key.
    pub before: Option<String>,
    /// Newer than this sort key.
    pub after: Option<String>,
    /// Half before, half from this sort key on.
    pub around: Option<String>,
    /// 1 to 200.
    pub limit: u32,
}

/// A stretch of the thread, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct MessagePage {
    /// Oldest first.
    pub messages: Vec<MessageView>,
    /// There are older ones here.
    pub more_before: bool,
    /// There are newer ones here.
    pub more_after: bool,
}

/// One message.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct MessageView {
    /// Internal id.
    pub id: i64,
    /// Its place: a 64-bit integer as text.
    pub sort_key: String,
    /// Conversation.
    pub conversation_id: i64,
    /// Who wrote it.
    pub author: Author,
    /// Text; null when there is none.
    pub text: Option<String>,
    /// UTC ms.
    pub sent_at_ms: i64,
    /// State; customers' messages are `received`.
    pub state: MessageState,
    /// Why it failed, waits or is unknown.
    pub reason: Option<Reason>,
    /// It leaves at this time (hold-back), UTC ms.
    pub leaves_at_ms: Option<i64>,
    /// Edited last, UTC ms.
    pub edited_at_ms: Option<i64>,
    /// Taken back by its author; text and files are gone here too.
    pub deleted: bool,
    /// Meta does not show its content to apps.
    pub unsupported: bool,
    /// The message it answers.
    pub reply_to: Option<QuotedMessage>,
    /// Story it answers or mentions: kind `reply` or `mention`, link while it lives.
    pub story: Option<StoryRef>,
    /// Files, pictures, shares.
    pub attachments: Vec<AttachmentView>,
    /// Reactions.
    pub reactions: Vec<ReactionView>,
    /// Where the customer came from: `ad`, `link`, `story`, with a label.
    pub referral: Option<Reason>,
}

impl std::fmt::Debug for MessageView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageView({}, {:?})", self.id, self.state)
    }
}

/// A quoted message.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct QuotedMessage {
    /// Internal id when it is here.
    pub id: Option<i64>,
    /// Sort key when it is here.
    pub sort_key: Option<String>,
    /// Author when it is here.
    pub author: Option<Author>,
    /// First words.
    pub preview: Option<String>,
}

/// A story behind a message.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct StoryRef {
    /// `reply` or `mention`.
    pub kind: String,
    /// Opaque media id while the story can be shown.
    pub media: Option<String>,
    /// Ends 24 h after posting; null when unknown, UTC ms.
    pub expires_at_ms: Option<i64>,
}

/// One attachment.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AttachmentView {
    /// `image`, `video`, `audio`, `file`, `sticker`, `share`, `reel`, `story`, `location`, `template`, `fallback`, `unsupported`.
    pub kind: String,
    /// Opaque media id for `/media/{id}`; null when there is nothing to load.
    pub media: Option<String>,
    /// File name or title.
    pub name: Option<String>,
    /// Media type.
    pub mime: Option<String>,
    /// Bytes.
    pub size: Option<i64>,
    /// Pixels.
    pub width: Option<i64>,
    /// Pixels.
    pub height: Option<i64>,
    /// Link to show as text (opened in the system browser).
    pub link: Option<String>,
}

/// One reaction.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ReactionView {
    /// `customer` or `us`.
    pub by: String,
    /// Emoji.
    pub emoji: String,
    /// UTC ms.
    pub at_ms: Option<i64>,
}

/// Argument of `message_send`.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct MessageSend {
    /// Conversation.
    pub conversation_id: i64,
    /// Text as typed.
    pub text: String,
    /// Message it answers.
    pub reply_to: Option<i64>,
    /// Chosen by the UI before the call, so that a repeated call is one send (UUID).
    pub key: String,
}

impl std::fmt::Debug for MessageSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageSend({})", self.conversation_id)
    }
}
