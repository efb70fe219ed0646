//! What the fetching of conversations is doing.

use super::Reason;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One account's fetching.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SyncStatus {
    /// Account.
    pub account_id: i64,
    /// `idle`, `importing`, `polling`, `waiting` (see reason), `paused`, `offline`, `stopped`.
    pub state: String,
    /// Conversations found so far in the first sync.
    pub found: i64,
    /// Of these, done.
    pub done: i64,
    /// Everything was found (the list is complete), so `found` is final.
    pub found_all: bool,
    /// Time left in ms, when it can be reckoned.
    pub left_ms: Option<i64>,
    /// Messages stored by the running or last first sync.
    pub messages: i64,
    /// Conversations in which Meta gave no older messages.
    pub older_missing: i64,
    /// No progress for 60 s: what is awaited (`platform_slow`, `rate_limited`, `network`).
    pub awaiting: Option<Reason>,
    /// Last good poll, UTC ms.
    pub last_poll_at_ms: Option<i64>,
    /// Next poll, UTC ms.
    pub next_poll_at_ms: Option<i64>,
    /// The last reconciliation that found something: messages, conversations, when.
    pub recovered: Option<Recovered>,
    /// First sync is finished.
    pub imported_at_ms: Option<i64>,
}

/// "Recovered 14 messages in 9 conversations."
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Recovered {
    /// Messages.
    pub messages: i64,
    /// Conversations.
    pub conversations: i64,
    /// UTC ms.
    pub at_ms: i64,
}

/// One line of the sync log.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct SyncRun {
    /// Internal id.
    pub id: i64,
    /// Account.
    pub account_id: i64,
    /// `backfill`, `poll` or `reconcile`.
    pub kind: String,
    /// UTC ms.
    pub started_at_ms: i64,
    /// UTC ms, null while running.
    pub finished_at_ms: Option<i64>,
    /// `running`, `done`, `failed`, `interrupted`.
    pub result: String,
    /// Conversations looked at.
    pub conversations: i64,
    /// New messages.
    pub messages: i64,
    /// Why it failed.
    pub reason: Option<Reason>,
}

/// Something changed; ids and kinds only. The UI asks again for what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// `app_status` changed.
    Status,
    /// `accounts_list` changed.
    Accounts,
    /// A sign-in changed.
    SignIn,
    /// Sync figures changed.
    Sync,
    /// `relay_status` changed.
    Relay,
    /// `events_list` changed.
    Events,
    /// Settings changed.
    Settings,
    /// A conversation's row, head or person changed.
    Conversation {
        /// Conversation.
        id: i64,
    },
    /// Messages of a conversation changed.
    Messages {
        /// Conversation.
        conversation_id: i64,
    },
    /// A post or its comments changed.
    Comments {
        /// Post.
        post_id: i64,
    },
    /// More changed than is worth listing: ask again for everything shown.
    Everything,
}
