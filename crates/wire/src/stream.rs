//! The stream of one device: `GET /v1/stream`, a WebSocket. Control messages are JSON text frames, events are binary frames.
//!
//! ```text
//! relay: challenge{nonce}      app: hello{device, signature, epoch, offset}
//! relay: ready{…} | gap{…}     then binary frames of deliveries, in order of offset, within the window
//! app:   ack{offset}           after its commit, cumulative, every 200 ms at most unless much waits ([`ACK_EVENTS`])
//! relay: answering{accounts}   after ready, on every change, and to the holder on every renewal      app: answer_here{account}
//! ```
//!
//! A device's offsets are 1, 2, 3, …; every delivery also carries the offset before it, so a hole is seen whoever made it (T13).
//! A gap may also be told later, between two binary frames, when events that were due are gone (deleted on the owner's wish, or
//! acknowledged by another connection with the same keys): the same rules as for the first one. An acknowledgement in the hello counts
//! like any other when its epoch is the relay's.
//!
//! The relay pings every [`PING_MS`]; whoever heard nothing for [`DEAD_MS`] closes. A large binary message comes in fragments with pings
//! between them, so that a slow line is not taken for a dead one: a ping in the middle of a message counts as heard.

use serde::{Deserialize, Serialize};

use crate::{
    AccountRef, DeviceKeys, DevicePublic, Thumbprint,
    encoding::{b64, unb64_array},
};

/// Version of this protocol.
pub const STREAM_PROTOCOL: u32 = 1;
/// Events on their way without acknowledgement, at most.
pub const WINDOW_EVENTS: usize = 512;
/// Bytes on their way without acknowledgement, at most (one event may always go).
pub const WINDOW_BYTES: usize = 4 * 1024 * 1024;
/// The relay pings this often, milliseconds.
pub const PING_MS: u64 = 5_000;
/// Nothing heard for so long: the other side is gone, milliseconds.
pub const DEAD_MS: u64 = 15_000;
/// Acknowledgements are at least so far apart, milliseconds, unless [`ACK_EVENTS`] or [`ACK_BYTES`] were committed since the last one.
pub const ACK_MS: u64 = 200;
/// So many committed events are acknowledged at once: a window that is acknowledged every 200 ms only would hold a replay to 2,560
/// events a second.
pub const ACK_EVENTS: usize = WINDOW_EVENTS / 4;
/// So many committed bytes are acknowledged at once.
pub const ACK_BYTES: usize = WINDOW_BYTES / 4;
/// How long a device may take to say hello, milliseconds.
pub const HELLO_MS: u64 = 10_000;
/// Largest text frame either side reads.
pub const TEXT_MAX_BYTES: usize = 64 * 1024;
/// Largest binary frame: the window and one event that is as large as it may be.
pub const FRAME_MAX_BYTES: usize = WINDOW_BYTES + crate::EVENT_MAX_BYTES + 64;
/// How long an answering lease lasts without renewal, milliseconds. A holder's open stream renews it.
pub const ANSWERING_LEASE_MS: i64 = 90_000;

/// Why a stream was closed, as WebSocket close codes. Each has a sentence in the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Another connection with the same keys took its place.
    Replaced,
    /// The challenge was not answered with this device's signature, or nothing is bound to this device (any more) and no notice about
    /// the owner waits for it.
    Unauthorised,
    /// The relay speaks another version of this protocol.
    Upgrade,
    /// The app broke the protocol (an acknowledgement of what was never sent, a frame that cannot be read).
    Protocol,
    /// Too many connections from this device or address; come back later.
    TooMany,
    /// The relay restarts.
    GoingAway,
}

impl CloseReason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Replaced,
        Self::Unauthorised,
        Self::Upgrade,
        Self::Protocol,
        Self::TooMany,
        Self::GoingAway,
    ];

    /// The code on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::Replaced => 4001,
            Self::Unauthorised => 4003,
            Self::Upgrade => 4010,
            Self::Protocol => 4002,
            Self::TooMany => 4029,
            Self::GoingAway => 1001,
        }
    }

    /// The word beside it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Unauthorised => "unauthorised",
            Self::Upgrade => "upgrade",
            Self::Protocol => "protocol",
            Self::TooMany => "too_many",
            Self::GoingAway => "going_away",
        }
    }

    /// Reads a close code.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// What the relay says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RelayMessage {
    /// First: sign this.
    Challenge {
        /// 32 random bytes, base64url.
        nonce: String,
    },
    /// The stream goes on after the offset of the hello.
    Ready(StreamState),
    /// Events are missing between what the app has and what there is. The app takes over `epoch` and `resume_after`, keeps its data,
    /// and compares with the platform by polling.
    Gap {
        /// Why.
        reason: GapReason,
        /// The stream goes on after this offset.
        resume_after: u64,
        /// State of the stream.
        state: StreamState,
    },
    /// Which computer answers for each of the caller's accounts. The one that does is told the new end at every renewal; when none
    /// comes, it stops at the end it knows.
    Answering {
        /// All accounts of the caller that somebody answers for.
        accounts: Vec<Answering>,
    },
}

/// State of a device's stream at the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamState {
    /// Random id of the relay's storage; another one means that offsets begin anew.
    pub epoch: String,
    /// Oldest offset that is kept; one more than `newest` when there is none.
    pub oldest: u64,
    /// Newest offset given out; 0 when there was none.
    pub newest: u64,
    /// The relay's clock, UTC ms.
    pub relay_time_ms: i64,
    /// The last time the relay was away for longer than a minute, (from, to), UTC ms. Meta may have switched events off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<(i64, i64)>,
}

/// Why there is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// What lies between was kept for its time and deleted, or was deleted on the owner's wish.
    Expired,
    /// The relay's storage is another one than the app knows, or is older than the app.
    EpochChanged,
}

/// Who answers for an account (T15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answering {
    /// The account.
    pub account: AccountRef,
    /// The device.
    pub device: Thumbprint,
    /// Whether that is the caller.
    pub mine: bool,
    /// Grows with every change of hands: a decision made under an older term must not be carried out.
    pub term: u64,
    /// End of the lease unless renewed, UTC ms.
    pub until_ms: i64,
}

/// What the app says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeviceMessage {
    /// First, in answer to the challenge.
    Hello(Hello),
    /// Everything up to here is committed on this device's disk.
    Ack {
        /// Offset.
        offset: u64,
    },
    /// This computer shall answer for the account from now on.
    AnswerHere {
        /// The account.
        account: AccountRef,
    },
}

/// Who the app is and what it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`STREAM_PROTOCOL`].
    pub protocol: u32,
    /// What this app can do beyond the protocol; words the relay may ignore.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Public keys.
    pub device: DevicePublic,
    /// Signature over [`challenge_bytes`], base64url.
    pub signature: String,
    /// Epoch the app knows; nothing at first.
    #[serde(default)]
    pub epoch: Option<String>,
    /// Last offset committed in that epoch; 0 at first.
    pub offset: u64,
}

impl Hello {
    /// Signs a challenge. `relay` is the public URL the device connected to: a signature made for one relay is of no use at another.
    pub fn sign(
        keys: &DeviceKeys,
        relay: &str,
        nonce: &str,
        epoch: Option<String>,
        offset: u64,
    ) -> Self {
        Self {
            protocol: STREAM_PROTOCOL,
            capabilities: Vec::new(),
            device: keys.public(),
            signature: b64(keys.sign(&challenge_bytes(relay, nonce))),
            epoch,
            offset,
        }
    }

    /// Whether the signature is this device's for that challenge.
    pub fn is_signed(&self, relay: &str, nonce: &str) -> bool {
        unb64_array(&self.signature).is_some_and(|signature| {
            self.device
                .verify(&challenge_bytes(relay, nonce), &signature)
        })
    }
}

/// What is signed: a name no other signature of ours begins with, the relay, the nonce, each with its length.
pub fn challenge_bytes(relay: &str, nonce: &str) -> Vec<u8> {
    let mut out = b"shopbell stream v1".to_vec();
    for part in [relay.trim_end_matches('/'), nonce] {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}

/// One event on the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in this device's stream.
    pub offset: u64,
    /// The place before it.
    pub prev: u64,
    /// [`crate::SealedEvent`] as bytes.
    pub event: Vec<u8>,
}

impl Delivery {
    /// Appends it to a binary frame; a frame holds any number.
    pub fn write(offset: u64, prev: u64, event: &[u8], frame: &mut Vec<u8>) {
        frame.extend_from_slice(&offset.to_be_bytes());
        frame.extend_from_slice(&prev.to_be_bytes());
        frame.extend_from_slice(&u32::try_from(event.len()).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(event);
    }

    /// Reads a binary frame. Nothing when any part of it is not as it should be.
    pub fn read_all(mut frame: &[u8]) -> Option<Vec<Self>> {
        let mut out = Vec::new();
        while !frame.is_empty() {
            let (offset, rest) = frame.split_first_chunk::<8>()?;
            let (prev, rest) = rest.split_first_chunk::<8>()?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (event, rest) = rest.split_at_checked(length)?;
            out.push(Self {
                offset: u64::from_be_bytes(*offset),
                prev: u64::from_be_bytes(*prev),
                event: event.to_vec(),
            });
            frame = rest;
        }
        Some(out)
    }
}
