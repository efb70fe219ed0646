//! Counting calls: per second and account, and per day for the usage headers. A refused call counts
//! too, as it does on the platform.

use std::collections::{HashMap, VecDeque};

use crate::clock::SECOND;

/// Sliding counters by name.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    calls: HashMap<String, VecDeque<i64>>,
}

impl Counters {
    /// Counts a call now and says how many fell into the last `window_ms`, this one included.
    pub(crate) fn count(&mut self, name: &str, now_ms: i64, window_ms: i64) -> usize {
        let calls = self.calls.entry(name.to_owned()).or_default();
        while calls.front().is_some_and(|at| *at <= now_ms - window_ms) {
            calls.pop_front();
        }
        calls.push_back(now_ms);
        calls.len()
    }

    /// True when this call is one too many within a second; 0 allows everything.
    pub(crate) fn exceeds_per_second(&mut self, name: &str, now_ms: i64, allowed: usize) -> bool {
        allowed > 0 && self.count(name, now_ms, SECOND) > allowed
    }

    /// When the oldest counted call was made.
    pub(crate) fn oldest(&self, name: &str) -> Option<i64> {
        self.calls.get(name)?.front().copied()
    }

    /// Forgets everything, as after a change of the limits.
    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_call_in_a_second_is_one_too_many() {
        let mut counters = Counters::default();
        assert!(!counters.exceeds_per_second("a", 1_000, 2));
        assert!(!counters.exceeds_per_second("a", 1_500, 2));
        assert!(counters.exceeds_per_second("a", 1_999, 2));
        assert!(!counters.exceeds_per_second("b", 1_999, 2));
        assert!(!counters.exceeds_per_second("a", 2_999, 2));
        assert!(!counters.exceeds_per_second("c", 1, 0));
    }
}
