//! The stream of events from the relay, and the log of what came.

use super::{AccountDisconnect, Reason};
use crate::domain::Provider;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Answer of `relay_status`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct RelayStatus {
    /// Address of the relay.
    pub url: String,
    /// The connection in one word.
    pub state: RelayState,
    /// Why it waits or stopped. Waiting: `offline`, `relay_unreachable`, `relay_closed`, `relay_silent`, `relay_restarts`, `relay_busy`,
    /// `relay_confused`, `events_missing`, `unauthorised`, `keychain_locked`, `disk_full`, `file_damaged`, `read_only`, `internal`.
    /// Stopped until the owner says so: `replaced`, `upgrade`.
    pub reason: Option<Reason>,
    /// Since when it is in this state, UTC ms.
    pub since_ms: i64,
    /// Next try, UTC ms.
    pub retry_at_ms: Option<i64>,
    /// Id of the relay's storage.
    pub epoch: Option<String>,
    /// Last event on this disk.
    pub committed: i64,
    /// Events the relay still holds for this computer, as far as known.
    pub behind: i64,
    /// Begin of the last connection that worked, UTC ms.
    pub connected_at_ms: Option<i64>,
    /// When the relay had the newest event, UTC ms.
    pub last_event_at_ms: Option<i64>,
    /// The last time events were missing: `expired`, `epoch_changed`, `hole`.
    pub gap: Option<RelayGap>,
    /// The last time the relay was away, as it says itself.
    pub outage: Option<RelayOutage>,
    /// Relay's clock minus this computer's, ms.
    pub clock_offset_ms: Option<i64>,
    /// Wishes for deletion that Meta passed on and that wait for the owner or for an erasure.
    pub deletions: Vec<DeletionRequest>,
}

/// The connection to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    /// Nothing is connected, or this program only reads.
    Off,
    /// Being made.
    Connecting,
    /// What came while this computer was away is being taken in.
    CatchingUp,
    /// Events come as they happen.
    Live,
    /// Tried again by itself.
    Waiting,
    /// Not tried again before the owner says so or the program starts anew.
    Stopped,
}

/// Events were missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RelayGap {
    /// UTC ms.
    pub at_ms: i64,
    /// Why.
    pub reason: Reason,
}

/// The relay was away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RelayOutage {
    /// UTC ms.
    pub from_ms: i64,
    /// UTC ms.
    pub to_ms: i64,
}

/// Meta passes on that the owner wants their data deleted. Nothing is deleted by it; without an answer the data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeletionRequest {
    /// Internal id.
    pub id: i64,
    /// Which login.
    pub provider: Provider,
    /// Accounts that came through it.
    pub account_ids: Vec<i64>,
    /// UTC ms.
    pub asked_at_ms: i64,
    /// Kept when nobody answered by then, UTC ms.
    pub due_at_ms: i64,
    /// Where it stands.
    pub state: DeletionState,
}

/// Where a wish for deletion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeletionState {
    /// Waits for the owner.
    Asked,
    /// The data stays.
    Kept,
    /// The accounts are being erased after their time of grace.
    Erasing,
    /// The accounts are gone.
    Erased,
}

impl DeletionState {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Kept => "kept",
            Self::Erasing => "erasing",
            Self::Erased => "erased",
        }
    }

    /// From storage; `None` for an unknown word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Asked, Self::Kept, Self::Erasing, Self::Erased]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// Argument of `deletion_answer`.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct DeletionAnswer {
    /// The request.
    pub id: i64,
    /// Erase the accounts, or keep everything.
    pub erase: bool,
    /// To erase: each account of the request that is still here and not being erased, with the token of `account_erase_prepare`.
    #[serde(default)]
    pub permits: Vec<AccountDisconnect>,
}

/// Argument of `events_list`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct EventsQuery {
    /// Only these.
    pub state: Option<EventState>,
    /// Older than this event: `next` of the page before.
    pub before: Option<i64>,
    /// How many, at most 200; 50 when null.
    pub limit: Option<u32>,
}

/// A page of the log, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, TS)]
pub struct EventPage {
    /// Events.
    pub rows: Vec<EventView>,
    /// For the next page; null at the end.
    pub next: Option<i64>,
}

/// An event that came through the relay. What it says is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EventView {
    /// Internal id.
    pub id: i64,
    /// `meta`, `shop`, `collect`, `deauthorized`, `deletion`, `unknown`.
    pub kind: String,
    /// Account.
    pub account_id: Option<i64>,
    /// The relay had it, UTC ms.
    pub received_at_ms: i64,
    /// This computer had it, UTC ms.
    pub logged_at_ms: i64,
    /// What became of it.
    pub state: EventState,
    /// Why it was ignored or failed, or which parts of it meant nothing.
    pub reason: Option<Reason>,
    /// Tries.
    pub attempts: i64,
    /// Failed: tried again at this time, UTC ms.
    pub retry_at_ms: Option<i64>,
    /// Size of what is kept of it; null when it was erased or never kept.
    pub bytes: Option<i64>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Logged.
    New,
    /// Taken in.
    Done,
    /// It means nothing here.
    Ignored,
    /// It could not be taken in; tried again.
    Failed,
}

impl EventState {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }

    /// From storage; `None` for an unknown word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::New, Self::Done, Self::Ignored, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}
