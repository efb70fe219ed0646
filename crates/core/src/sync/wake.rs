//! Did the computer sleep? The wall clock went on while the monotonic one stood still. Pure.

use super::plan::Moment;

/// Pace of the look.
pub const TICK_MS: u64 = 5_000;
/// So much more wall time than monotonic time is a sleep (or somebody set the clock forward: fetching then does no harm).
const SLEPT_MS: i64 = 10_000;

/// Between two looks.
pub fn slept(before: Moment, now: Moment) -> bool {
    (now.now_ms - before.now_ms) - (now.monotonic_ms - before.monotonic_ms) > SLEPT_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lid_closed_over_night() {
        let at = |now_ms, monotonic_ms| Moment {
            now_ms,
            monotonic_ms,
        };
        let before = at(1_000_000, 500);
        assert!(!slept(before, at(1_005_000, 5_500)), "an ordinary tick");
        assert!(
            !slept(before, at(1_100_000, 95_500)),
            "a busy computer: both clocks went on"
        );
        assert!(
            !slept(before, at(1_015_000, 5_500)),
            "ten seconds are noise"
        );
        assert!(slept(before, at(1_015_001, 5_500)));
        assert!(slept(before, at(29_800_000, 5_500)));
        assert!(!slept(before, at(-80_000, 5_500)), "the clock was set back");
    }
}
