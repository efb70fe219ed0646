//! Which platform, which login, which row.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
    )*};
}

row_id! {
    /// Row of `accounts`.
    AccountId,
    /// Row of `credentials`: one token that one or several accounts use.
    CredentialId,
    /// Row of `contacts`: a person.
    ContactId,
    /// Row of `identities`: a person on one account.
    IdentityId,
    /// Row of `conversations`.
    ConversationId,
    /// Row of `messages`.
    MessageId,
    /// Row of `outbox`.
    OutboxId,
}

/// Where customers write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A Facebook Page's Messenger.
    Messenger,
    /// An Instagram professional account.
    Instagram,
}

impl Channel {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Messenger => "messenger",
            Self::Instagram => "instagram",
        }
    }

    /// From storage; `None` for an unknown word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "messenger" => Some(Self::Messenger),
            "instagram" => Some(Self::Instagram),
            _ => None,
        }
    }
}

/// Meta's two login products. An Instagram account may come through either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Facebook Login for Business: Pages and the Instagram accounts linked to them.
    Facebook,
    /// Instagram API with Instagram Login.
    Instagram,
}

impl Provider {
    /// As stored and as sent to the relay.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Facebook => "facebook",
            Self::Instagram => "instagram",
        }
    }

    /// From storage; `None` for an unknown word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "facebook" => Some(Self::Facebook),
            "instagram" => Some(Self::Instagram),
            _ => None,
        }
    }
}
