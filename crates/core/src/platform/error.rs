//! What went wrong with a call to Meta, and what may be done about it.
//!
//! Invariant: holds numbers and words of ours only. Meta's message text is never kept: it can quote names, ids and tokens.

use crate::api::types::Reason;

/// What the caller may do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryKind {
    /// Passes by itself; the same call may be made again after this time.
    Transient {
        /// Milliseconds.
        after_ms: i64,
    },
    /// Meta asks for patience; calling earlier makes it longer.
    RateLimited {
        /// Milliseconds.
        after_ms: i64,
    },
    /// The token is dead: renew or sign in again.
    Reconnect,
    /// A permission, setting or role is missing: a person must act.
    Permission,
    /// This call will never work.
    Final,
    /// The request was written and no certain answer came: a send may or may not have happened (decision T17).
    Ambiguous,
}

/// What kind of call failed. Decides whether a repeat can do harm, and which success clears a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Threads and messages.
    Read,
    /// A customer's profile.
    Profile,
    /// A message out. Must not be repeated blindly.
    Send,
    /// Subscribing, reading subscriptions back.
    Subscribe,
    /// Tokens and the account itself.
    Account,
}

impl Call {
    /// As stored in a reason.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Profile => "profile",
            Self::Send => "send",
            Self::Subscribe => "subscribe",
            Self::Account => "account",
        }
    }

    /// Whether doing it twice may show a customer something twice.
    pub fn once_only(self) -> bool {
        self == Self::Send
    }
}

/// How far the call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No HTTP client on this computer (no certificates).
    NotConfigured,
    /// No network here.
    Offline,
    /// Meta's address could not be reached.
    Unreachable,
    /// Connected, and then no whole answer.
    Broken,
    /// The answer was larger than allowed.
    TooLarge,
    /// The answer was not what Meta sends (a captive portal, a proxy's page).
    NotGraph,
    /// Our own budget holds the call back; nothing was sent.
    HeldBack,
    /// Meta answered with an error.
    Answered,
}

/// A failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("graph call {call:?}: {fault:?} {kind:?} (http {http:?}, code {code:?}/{subcode:?})")]
pub struct GraphError {
    /// What may be done.
    pub kind: RetryKind,
    /// Meta's code.
    pub code: Option<i64>,
    /// Meta's subcode.
    pub subcode: Option<i64>,
    /// HTTP status.
    pub http: Option<u16>,
    /// The request was written, at least in part. `false` = it certainly had no effect.
    pub reached: bool,
    /// How far it came.
    pub fault: Fault,
    /// What kind of call it was.
    pub call: Call,
}

impl GraphError {
    /// Message deleted, or older than the twenty that Meta shows to apps (code 9000001).
    pub fn is_deleted_or_older(&self) -> bool {
        self.code == Some(9_000_001)
    }

    /// Outside the 24 hours or 7 days.
    pub fn is_window_closed(&self) -> bool {
        self.code == Some(10)
            && matches!(
                self.subcode,
                Some(2_018_278 | 2_534_022 | 2_018_065 | 1_545_041)
            )
    }

    /// When a repeat makes sense, if it does.
    pub fn retry_after_ms(&self) -> Option<i64> {
        match self.kind {
            RetryKind::Transient { after_ms } | RetryKind::RateLimited { after_ms } => {
                Some(after_ms)
            }
            _ => None,
        }
    }

    /// The failure as a code with parameters, for the owner.
    pub fn reason(&self) -> Reason {
        let word = match self.fault {
            Fault::Offline => "offline",
            Fault::NotConfigured | Fault::Unreachable | Fault::Broken => "network",
            Fault::TooLarge | Fault::NotGraph => "not_meta",
            Fault::HeldBack => "rate_limited",
            Fault::Answered => self.answered_word(),
        };
        let mut reason = Reason::new(word);
        for (name, value) in [("code", self.code), ("subcode", self.subcode)] {
            if let Some(value) = value {
                reason = reason.with(name, value);
            }
        }
        reason
    }

    fn answered_word(&self) -> &'static str {
        match (self.code, self.subcode) {
            (Some(190), Some(458)) => "app_removed",
            (Some(190), Some(459)) => "checkpoint",
            (Some(190), Some(460)) => "password_changed",
            (Some(190), Some(463)) => "token_expired",
            (Some(190), Some(464)) => "user_unconfirmed",
            (Some(190), Some(483)) => "consent_blocked",
            (Some(190), Some(492)) => "role_lost",
            (Some(190 | 102), _) => "token_revoked",
            (Some(200), Some(2_534_041)) => "messages_not_allowed",
            (Some(200), Some(2_018_028)) => "app_in_development",
            (Some(10), Some(2_534_077)) => "link_or_two_factor",
            (Some(10), Some(1_893_063)) => "sending_restricted",
            (Some(100), Some(2_534_013)) => "page_not_linked",
            (Some(100), Some(2_534_029)) => "blocked",
            (Some(36_103), _) => "not_eligible",
            (Some(368), _) => "blocked_for_policy",
            (Some(9_000_001), _) => "deleted_or_older",
            _ if self.is_window_closed() => "window_closed",
            (Some(10), Some(2_018_108)) | (Some(200 | 551), Some(1_545_041)) | (Some(551), _) => {
                "person_unavailable"
            }
            (Some(100), Some(2_018_300 | 2_534_037)) => "other_app_controls_thread",
            _ => match self.kind {
                RetryKind::RateLimited { .. } => "rate_limited",
                RetryKind::Transient { .. } | RetryKind::Ambiguous => "platform_trouble",
                RetryKind::Reconnect => "token_revoked",
                RetryKind::Permission => "permission_missing",
                RetryKind::Final => "refused",
            },
        }
    }
}
