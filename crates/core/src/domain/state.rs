//! States of messages and conversations (decisions C4 and C5), and who wrote.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! stored_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }
        impl $name {
            /// As stored.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),* } }
            /// From storage; `None` for an unknown word.
            pub fn parse(word: &str) -> Option<Self> { match word { $($word => Some(Self::$variant),)* _ => None } }
        }
    };
}

stored_words! {
    /// One enum for a message's life. Instagram never reports `delivered`.
    MessageState {
        /// A customer's message.
        Received = "received",
        /// Written, not sent.
        Draft = "draft",
        /// Held back so that the owner can undo.
        Scheduled = "scheduled",
        /// Wants to leave.
        Queued = "queued",
        /// The request is on its way.
        Sending = "sending",
        /// The request was written and no certain answer came.
        Unknown = "unknown",
        /// Accepted by the platform.
        Sent = "sent",
        /// Arrived (Messenger only).
        Delivered = "delivered",
        /// Seen.
        Read = "read",
        /// Refused for good.
        Failed = "failed",
        /// Undone by the owner.
        Cancelled = "cancelled",
    }
}

stored_words! {
    /// Who wrote a message.
    Author {
        /// The customer.
        Customer = "customer",
        /// The owner, in this program.
        You = "you",
        /// The owner, from the phone or Meta's own inbox.
        Phone = "phone",
        /// Another connected program.
        OtherApp = "other_app",
        /// An automation.
        Automation = "automation",
        /// An AI answer.
        Ai = "ai",
    }
}

stored_words! {
    /// A conversation's state. Unread is apart from it.
    ConversationState {
        /// Open.
        Open = "open",
        /// Waiting on the customer, set by hand.
        Pending = "pending",
        /// Snoozed.
        Snoozed = "snoozed",
        /// Done.
        Resolved = "resolved",
        /// Hidden from All.
        Archived = "archived",
    }
}
