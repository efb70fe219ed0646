//! What to do when a connection ended: a pure function of how it ended and what was before.

use crate::{api::types::Reason, store::StoreError};
use shopbell_wire::CloseReason;

/// First pause; doubles.
const PAUSE_MS: u64 = 1_000;
/// Longest pause.
const LONGEST_PAUSE_MS: u64 = 60_000;
/// A connection that lived so long was a good one: the next pause begins anew.
const GOOD_MS: i64 = 30_000;
/// A relay that restarts is back soon, but not for everybody at once.
const RESTART_MS: u64 = 2_000;
/// The relay does not know this computer and no token convinces it: the owner may connect an account meanwhile, which is noticed at once.
const UNKNOWN_MS: u64 = 15 * 60_000;

/// How a connection, or the try to make one, ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The owner wants it made anew.
    Asked,
    /// The computer slept: what was connected before is not believed.
    Slept,
    /// This computer has no network.
    Offline,
    /// Nobody answered, or somebody else in the relay's place.
    Unreachable,
    /// The relay closed it and said why.
    Closed(CloseReason),
    /// It broke, or was closed without a word that means something.
    Broke,
    /// Nothing was heard for too long.
    Silent,
    /// The relay said what it may not say.
    Confused(&'static str),
    /// An event is missing behind this one.
    Hole(u64),
    /// The device keys cannot be read.
    Keys,
    /// The database does not take events in.
    Store(&'static str),
}

impl From<&StoreError> for End {
    fn from(error: &StoreError) -> Self {
        Self::Store(match error {
            StoreError::Full => "disk_full",
            StoreError::Damaged => "file_damaged",
            StoreError::ReadOnly => "read_only",
            _ => "internal",
        })
    }
}

/// What was before.
#[derive(Debug, Default)]
pub(super) struct Mood {
    /// Tries without a good connection between.
    pub failures: u32,
    /// The tokens were shown since the relay last knew this computer.
    pub rebound: bool,
    /// The place of the last hole: at its second showing it is believed.
    pub hole: Option<u64>,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Connect at once.
    Now,
    /// Show the relay the accounts' tokens, then connect.
    Rebind,
    /// Connect after a pause.
    In { ms: u64, reason: Reason },
    /// Only when the owner says so.
    Hold(Reason),
}

/// Decides. `lived_ms`: how long the relay was ready, if it came so far. `below` draws a random number below its argument.
pub(super) fn after(
    end: &End,
    lived_ms: Option<i64>,
    mood: &mut Mood,
    below: impl Fn(u64) -> u64,
) -> Next {
    if lived_ms.is_some() {
        mood.rebound = false;
    }
    if lived_ms.is_some_and(|ms| ms >= GOOD_MS) {
        mood.failures = 0;
    }
    let code = match end {
        End::Asked | End::Slept => {
            mood.failures = 0;
            return Next::Now;
        }
        End::Hole(at) if mood.hole != Some(*at) => {
            mood.hole = Some(*at);
            return Next::Now;
        }
        End::Closed(CloseReason::Replaced) => return Next::Hold(Reason::new("replaced")),
        End::Closed(CloseReason::Upgrade) => return Next::Hold(Reason::new("upgrade")),
        End::Closed(CloseReason::Unauthorised) if !mood.rebound => {
            mood.rebound = true;
            return Next::Rebind;
        }
        End::Closed(CloseReason::Unauthorised) => {
            mood.rebound = false;
            return Next::In {
                ms: UNKNOWN_MS,
                reason: Reason::new("unauthorised"),
            };
        }
        End::Closed(CloseReason::GoingAway) if mood.failures == 0 => {
            mood.failures = 1;
            return Next::In {
                ms: RESTART_MS / 4 + below(RESTART_MS),
                reason: Reason::new("relay_restarts"),
            };
        }
        End::Closed(CloseReason::TooMany) => {
            return Next::In {
                ms: LONGEST_PAUSE_MS - below(LONGEST_PAUSE_MS / 4),
                reason: Reason::new("relay_busy"),
            };
        }
        End::Closed(CloseReason::GoingAway) => "relay_restarts",
        End::Closed(CloseReason::Protocol) | End::Confused(_) => "relay_confused",
        End::Hole(_) => "events_missing",
        End::Offline => "offline",
        End::Unreachable => "relay_unreachable",
        End::Broke => "relay_closed",
        End::Silent => "relay_silent",
        End::Keys => "keychain_locked",
        End::Store(code) => code,
    };
    let pause = PAUSE_MS
        .saturating_mul(1 << mood.failures.min(10))
        .min(LONGEST_PAUSE_MS);
    mood.failures += 1;
    let reason = match end {
        End::Confused(why) => Reason::new(code).with("why", why),
        End::Closed(reason @ CloseReason::Protocol) => Reason::new(code).with("why", reason.word()),
        _ => Reason::new(code),
    };
    Next::In {
        ms: pause / 2 + below(pause / 2 + 1),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(end: End, mood: &mut Mood) -> Next {
        after(&end, None, mood, |_| 0)
    }

    fn pause(end: End, mood: &mut Mood) -> (u64, String) {
        match next(end, mood) {
            Next::In { ms, reason } => (ms, reason.code),
            other => panic!("no pause: {other:?}"),
        }
    }

    #[test]
    fn pauses_double_to_a_minute_and_are_spread() {
        let mut mood = Mood::default();
        let pauses: Vec<u64> = (0..9).map(|_| pause(End::Broke, &mut mood).0).collect();
        assert_eq!(
            pauses,
            [
                500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000
            ]
        );
        let Next::In { ms, .. } = after(&End::Broke, None, &mut mood, |below| below - 1) else {
            panic!("a pause");
        };
        assert_eq!(ms, 60_000, "never more than a minute");
    }

    #[test]
    fn a_good_connection_is_forgiven_a_short_one_is_not() {
        let mut mood = Mood {
            failures: 5,
            ..Mood::default()
        };
        after(&End::Broke, Some(GOOD_MS - 1), &mut mood, |_| 0);
        assert_eq!(mood.failures, 6);
        after(&End::Broke, Some(GOOD_MS), &mut mood, |_| 0);
        assert_eq!(mood.failures, 1);
    }

    #[test]
    fn who_was_replaced_or_is_too_old_waits_for_the_owner() {
        let mut mood = Mood::default();
        for (reason, code) in [
            (CloseReason::Replaced, "replaced"),
            (CloseReason::Upgrade, "upgrade"),
        ] {
            assert_eq!(
                next(End::Closed(reason), &mut mood),
                Next::Hold(Reason::new(code))
            );
        }
        assert_eq!(next(End::Asked, &mut mood), Next::Now);
    }

    #[test]
    fn a_stranger_shows_its_tokens_once_and_then_waits() {
        let mut mood = Mood::default();
        let stranger = || End::Closed(CloseReason::Unauthorised);
        assert_eq!(next(stranger(), &mut mood), Next::Rebind);
        let (ms, code) = pause(stranger(), &mut mood);
        assert_eq!((ms, code.as_str()), (UNKNOWN_MS, "unauthorised"));
        assert_eq!(next(stranger(), &mut mood), Next::Rebind, "next time again");
        assert_eq!(
            after(&stranger(), Some(1), &mut mood, |_| 0),
            Next::Rebind,
            "it was known meanwhile"
        );
    }

    #[test]
    fn a_relay_that_restarts_is_asked_soon_and_one_that_stays_away_less_often() {
        let mut mood = Mood::default();
        let (ms, code) = pause(End::Closed(CloseReason::GoingAway), &mut mood);
        assert_eq!((ms, code.as_str()), (500, "relay_restarts"));
        assert_eq!(
            pause(End::Closed(CloseReason::GoingAway), &mut mood).0,
            1_000
        );
        assert_eq!(pause(End::Unreachable, &mut mood).0, 2_000);
    }

    #[test]
    fn a_hole_is_looked_at_once_more_at_once() {
        let mut mood = Mood::default();
        assert_eq!(next(End::Hole(7), &mut mood), Next::Now);
        assert_eq!(mood.hole, Some(7));
        assert_eq!(next(End::Hole(9), &mut mood), Next::Now, "another one");
        assert_eq!(
            pause(End::Hole(9), &mut mood),
            (500, "events_missing".into())
        );
    }

    #[test]
    fn every_end_has_a_word_and_says_no_more_than_that() {
        let mut mood = Mood::default();
        for (end, code) in [
            (End::Offline, "offline"),
            (End::Unreachable, "relay_unreachable"),
            (End::Silent, "relay_silent"),
            (End::Keys, "keychain_locked"),
            (End::Store("disk_full"), "disk_full"),
            (End::Closed(CloseReason::Protocol), "relay_confused"),
            (End::Confused("frame"), "relay_confused"),
            (End::Closed(CloseReason::TooMany), "relay_busy"),
        ] {
            assert_eq!(pause(end, &mut mood).1, code);
        }
        assert_eq!(next(End::Slept, &mut mood), Next::Now);
        assert_eq!(mood.failures, 0);
    }
}
