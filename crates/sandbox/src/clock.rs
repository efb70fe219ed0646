//! The sandbox's own clock, in UTC milliseconds.
//!
//! It either follows the computer's clock with an offset that only grows, or stands still until it
//! is moved. Nothing else in the crate asks for the time, so a reply window, a token's sixty days or
//! a photo URL's life can be crossed in no time at all.

use std::time::{Duration, SystemTime};

/// Milliseconds in one second.
pub(crate) const SECOND: i64 = 1_000;
/// Milliseconds in one minute.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// Milliseconds in one hour.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Milliseconds in one day.
pub(crate) const DAY: i64 = 24 * HOUR;

/// Where the sandbox's time comes from.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The computer's clock plus what the clock was moved by.
    Running {
        /// How far ahead of the computer's clock.
        offset_ms: i64,
    },
    /// A clock that moves only when told.
    Standing {
        /// What it shows.
        now_ms: i64,
    },
}

impl Clock {
    /// A standing clock at `start_ms`, or one that follows the computer's.
    pub(crate) fn starting(start_ms: Option<i64>) -> Self {
        match start_ms {
            Some(now_ms) => Clock::Standing { now_ms },
            None => Clock::Running { offset_ms: 0 },
        }
    }

    /// The present moment.
    pub(crate) fn now_ms(&self) -> i64 {
        match self {
            Clock::Running { offset_ms } => computer_ms() + offset_ms,
            Clock::Standing { now_ms } => *now_ms,
        }
    }

    /// Moves the clock by `by_ms`; a clock never goes back.
    pub(crate) fn advance(&mut self, by_ms: i64) {
        match self {
            Clock::Running { offset_ms } => *offset_ms += by_ms.max(0),
            Clock::Standing { now_ms } => *now_ms += by_ms.max(0),
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place where the sandbox's clock meets the computer's"
)]
fn computer_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The form of the Conversations API: `2026-11-24T16:00:00+0000`, seconds only, no colon in the offset.
pub(crate) fn iso(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(),
        Err(_) => String::from("1970-01-01T00:00:00+0000"),
    }
}

/// The form of the HTTP `Date` header.
pub(crate) fn http_date(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        Err(_) => String::from("Thu, 01 Jan 1970 00:00:00 GMT"),
    }
}

/// The long form inside the sentence of an expired token.
pub(crate) fn sentence_time(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.strftime("%A, %d-%b-%y %H:%M:%S UTC").to_string(),
        Err(_) => String::from("Thursday, 01-Jan-70 00:00:00 UTC"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_forward() {
        let mut clock = Clock::starting(Some(1_764_000_000_000));
        clock.advance(-5);
        assert_eq!(clock.now_ms(), 1_764_000_000_000);
        clock.advance(HOUR);
        assert_eq!(clock.now_ms(), 1_764_003_600_000);
    }

    #[test]
    fn times_have_no_colon_in_the_offset() {
        assert_eq!(iso(1_657_653_067_999), "2022-07-12T19:11:07+0000");
        assert_eq!(
            http_date(1_657_653_067_999),
            "Tue, 12 Jul 2022 19:11:07 GMT"
        );
    }
}
