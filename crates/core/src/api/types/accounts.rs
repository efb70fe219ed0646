//! Connected accounts and their health.

use super::Reason;
use crate::domain::{Channel, Provider};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One connected account.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AccountView {
    /// Internal id.
    pub id: i64,
    /// `messenger` or `instagram`.
    pub channel: Channel,
    /// Which login product it came through.
    pub provider: Provider,
    /// Meta's id.
    pub platform_id: String,
    /// Display name.
    pub name: String,
    /// Handle without `@`.
    pub username: Option<String>,
    /// Opaque media id of the picture.
    pub picture: Option<String>,
    /// State in one word; see [`AccountState`].
    pub state: AccountState,
    /// Why, in a code (`token_revoked`, `password_changed`, `permission_missing`, `messages_not_allowed`, `rate_limited`, …).
    pub reason: Option<Reason>,
    /// Since when, UTC ms.
    pub state_since_ms: i64,
    /// Fetches by itself.
    pub auto_sync: bool,
    /// Paused by the owner; data stays.
    pub paused: bool,
    /// End of the token's life; null = no expiry date or unknown, see `token_expiry`.
    pub token_expires_at_ms: Option<i64>,
    /// `dated`, `none` (Meta gave no expiry) or `unknown`.
    pub token_expiry: String,
    /// Last time a call with this token worked, UTC ms.
    pub token_checked_at_ms: Option<i64>,
    /// Webhook fields read back from Meta, and since when.
    pub subscribed_fields: Vec<String>,
    /// UTC ms.
    pub subscribed_at_ms: Option<i64>,
    /// Last time they were read back, UTC ms.
    pub subscription_checked_at_ms: Option<i64>,
    /// Last event that came through the relay, UTC ms.
    pub last_event_at_ms: Option<i64>,
    /// Which computer runs automations; null until the relay said so.
    pub answering: Option<AnsweringView>,
    /// Permissions granted / declined (Meta's names).
    pub granted: Vec<String>,
    /// Declined.
    pub declined: Vec<String>,
    /// Conversations and messages held here.
    pub conversations: i64,
    /// Messages held here.
    pub messages: i64,
    /// Disconnected with "erase": data goes at this time unless undone.
    pub erase_at_ms: Option<i64>,
    /// Last good poll, UTC ms.
    pub last_sync_at_ms: Option<i64>,
}

/// The computer that runs an account's automations (decision T15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AnsweringView {
    /// It is this one.
    pub here: bool,
    /// First characters of the computer's key, to tell others apart: the relay knows no names.
    pub device: String,
    /// Its lease ends unless it stays connected, UTC ms.
    pub until_ms: i64,
}

/// States of an account, as the owner reads them (products.md §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// First sync runs.
    Importing,
    /// Live.
    Live,
    /// Works, but slower than normal (no relay, or the network failed a moment ago).
    Delayed,
    /// A permission is missing.
    Limited,
    /// Ends within 7 days.
    ReconnectSoon,
    /// Signed out: read-only, everything stays.
    ReconnectNow,
    /// Blocked by Meta.
    Blocked,
    /// Paused by the owner.
    Paused,
    /// Disconnected; data kept.
    Disconnected,
}

/// Argument of `account_set`. Null leaves a value as it is.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AccountSet {
    /// Internal id.
    pub id: i64,
    /// Fetch by itself.
    pub auto_sync: Option<bool>,
    /// Pause, keeping data.
    pub paused: Option<bool>,
}

/// Answer of `account_erase_prepare`: what would go, and the token that permits it once.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct ErasePrepared {
    /// One-time, 5 minutes.
    pub token: String,
    /// What goes.
    pub conversations: i64,
    /// What goes.
    pub messages: i64,
    /// What goes.
    pub contacts: i64,
    /// When it would really go, UTC ms (24 h grace).
    pub erase_at_ms: i64,
}

/// Argument of `account_disconnect`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct AccountDisconnect {
    /// Internal id.
    pub id: i64,
    /// Present = erase the data after the grace time; the token of `account_erase_prepare`. Absent = keep.
    pub erase_token: Option<String>,
}

/// One token's story, for Health.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct TokenEvent {
    /// UTC ms.
    pub at_ms: i64,
    /// `connected`, `checked`, `refreshed`, `refresh_failed`, `expired`, `revoked`, `forgotten`, `flagged_short`.
    pub kind: String,
    /// Account it concerns.
    pub account_id: Option<i64>,
    /// Details as a code.
    pub reason: Option<Reason>,
}

/// Answer of `health_get`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct Health {
    /// Relay address in use.
    pub relay_url: String,
    /// Relay answered when last asked; null = not asked yet.
    pub relay_ok: Option<bool>,
    /// Vault kind.
    pub vault: super::VaultKind,
    /// Recovery key confirmed by the owner.
    pub recovery_key_confirmed: bool,
    /// Clock difference (platform minus here), ms.
    pub clock_offset_ms: Option<i64>,
    /// Queue: rows in the outbox that still want to leave.
    pub outbox_waiting: i64,
    /// Rows nobody is sure about.
    pub outbox_unknown: i64,
    /// Failed raw events.
    pub events_failed: i64,
    /// Database size, bytes.
    pub database_bytes: i64,
    /// Several accounts see the platform's own errors at once: "Instagram itself has trouble".
    pub platform_trouble: bool,
    /// Newest first.
    pub token_events: Vec<TokenEvent>,
}
