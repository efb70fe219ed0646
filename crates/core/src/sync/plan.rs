//! What to do next for one account: a pure function of what is stored, what was felt lately, and the time.
//!
//! Figures (decision T39). While events come through the relay: no polls, a comparison every 15 min. Without: a poll every 20 s while a
//! conversation was active in the last hour, else every 2 min. After every gap (sleep, no network, program closed, events missing at the
//! relay) a comparison, but not before the relay had its chance to bring what it kept: what it brings was not lost.

/// Poll pace with a conversation active in the last hour.
pub const LIVELY_MS: i64 = 20_000;
/// Poll pace else.
pub const QUIET_MS: i64 = 120_000;
/// "Active" means: something was said in this time.
pub const ACTIVE_MS: i64 = 3_600_000;
/// Pace of the comparison.
pub const RECONCILE_MS: i64 = 900_000;
/// No good poll for this long is a gap: what comes in afterwards was missed, and is counted as recovered.
pub const GAP_MS: i64 = 600_000;

/// May this account be fetched?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permitted {
    /// By itself.
    ByItself,
    /// Only when the owner asks (auto-sync off).
    OnAsk,
    /// Not at all: paused, disconnected, signed out, blocked.
    No,
}

/// Whether events come through the relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Link {
    /// No: there is no connection, or events are not switched on for the account.
    #[default]
    Off,
    /// The connection is being made, or what the relay kept is being brought. Lasts seconds; whoever sets it ends it.
    Settling,
    /// Yes.
    Live,
}

/// Where the first sync stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Import {
    /// The thread list is not complete.
    Listing,
    /// The list is complete; threads with older messages are left.
    Deepening,
    /// Nothing is left, but it was not written down yet.
    Ready,
    /// Finished.
    Done,
}

/// What is stored.
#[derive(Debug, Clone)]
pub struct Facts {
    /// May it be fetched.
    pub permitted: Permitted,
    /// First sync.
    pub import: Import,
    /// Newest `updated_time` fully taken in; 0 before the first page.
    pub watermark_ms: i64,
    /// Last good poll, UTC ms.
    pub last_poll_at_ms: Option<i64>,
    /// Last comparison (or the end of the first sync), UTC ms.
    pub last_reconcile_at_ms: Option<i64>,
    /// Newest message of the account, UTC ms.
    pub newest_at_ms: i64,
    /// Events of this account through the relay.
    pub link: Link,
}

/// What was felt lately; not stored.
#[derive(Debug, Clone, Default)]
pub struct Mood {
    /// The owner asked, or the computer woke: do not wait for the next turn.
    pub asked: bool,
    /// The computer slept or had no network since the last good poll.
    pub gap: bool,
    /// Not before this moment of the monotonic clock.
    pub hold_until: Option<i64>,
    /// The hold is the platform's wish, so the owner's asking does not lift it.
    pub hold_is_limit: bool,
}

impl Mood {
    /// The owner asks.
    pub fn ask(&mut self) {
        self.asked = true;
        if !self.hold_is_limit {
            self.hold_until = None;
        }
    }
}

/// The two clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// UTC ms.
    pub now_ms: i64,
    /// Monotonic ms.
    pub monotonic_ms: i64,
}

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Fetch the next page of the thread list.
    List,
    /// Fetch older messages of one thread.
    Deepen,
    /// Write down that the first sync is finished.
    Finish,
    /// Look for news.
    Poll,
    /// Compare with the platform. `gap`: everything new counts as recovered.
    Reconcile {
        /// After a gap.
        gap: bool,
    },
    /// Nothing for so many ms, unless something happens.
    Wait {
        /// Ms.
        ms: i64,
    },
    /// Nothing until something happens.
    Rest,
}

/// Decides. A stored time that lies in the future (the computer's clock was set back) counts as long ago.
pub fn next(facts: &Facts, mood: &Mood, at: Moment) -> Step {
    match facts.permitted {
        Permitted::No => return Step::Rest,
        Permitted::OnAsk if !mood.asked => return Step::Rest,
        _ => {}
    }
    if let Some(until) = mood.hold_until
        && until > at.monotonic_ms
    {
        return Step::Wait {
            ms: until - at.monotonic_ms,
        };
    }
    let importing = match facts.import {
        Import::Listing => Some(Step::List),
        Import::Deepening => Some(Step::Deepen),
        Import::Ready => Some(Step::Finish),
        Import::Done => None,
    };
    // Without a first page there is nothing a poll could start from.
    if facts.watermark_ms == 0
        && let Some(step) = importing
    {
        return step;
    }
    let since = |stored: Option<i64>| {
        stored
            .filter(|at_ms| *at_ms <= at.now_ms)
            .map(|at_ms| at.now_ms - at_ms)
    };
    let polled = since(facts.last_poll_at_ms);
    // With events nobody polls, so the time since the last poll says nothing.
    let silent = facts.link != Link::Live && polled.is_some_and(|ms| ms >= GAP_MS);
    if importing.is_none() && (mood.gap || silent) {
        return match facts.link {
            Link::Settling => Step::Rest,
            Link::Off | Link::Live => Step::Reconcile { gap: true },
        };
    }
    let pace = if at.now_ms - facts.newest_at_ms < ACTIVE_MS {
        LIVELY_MS
    } else {
        QUIET_MS
    };
    let poll_in = match facts.link {
        Link::Off => polled.map_or(0, |ms| (pace - ms).max(0)),
        Link::Settling | Link::Live => RECONCILE_MS,
    };
    // Under "only when asked" the first sync goes on before the poll, because the poll ends the asking.
    let import_first = facts.permitted == Permitted::OnAsk && importing.is_some();
    if !import_first && (poll_in == 0 || (mood.asked && importing.is_none())) {
        return Step::Poll;
    }
    if let Some(step) = importing {
        return step;
    }
    let reconcile_in = since(facts.last_reconcile_at_ms).map_or(0, |ms| (RECONCILE_MS - ms).max(0));
    if reconcile_in == 0 {
        return Step::Reconcile { gap: false };
    }
    Step::Wait {
        ms: poll_in.min(reconcile_in),
    }
}

/// How long to leave an account alone after `failures` faults in a row, ms: 5 s doubling to 60 s ("we try again every minute").
pub fn back_off(failures: u32) -> i64 {
    5_000_i64
        .saturating_mul(1 << failures.saturating_sub(1).min(5))
        .min(60_000)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
