//! When a profile is due. Pure, one rule per platform.

use crate::domain::Channel;

/// Nobody is asked for more often than this, whatever the owner clicks.
pub const FLOOR_MS: i64 = 60_000;

/// One platform's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileRule {
    /// How long a fetched profile counts as fresh. `None`: never, it is asked for whenever a conversation is opened, because photo
    /// addresses expire (Meta).
    pub fresh_for_ms: Option<i64>,
}

/// What the rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Ask the platform.
    Ask,
    /// What is stored is fresh enough.
    Cached,
    /// Asked less than a minute ago.
    TooSoon,
}

impl ProfileRule {
    /// Rule of a channel. Meta's channels have no cache; a platform whose pictures live longer gets 24 hours here.
    pub fn of(channel: Channel) -> Self {
        match channel {
            Channel::Messenger | Channel::Instagram => Self { fresh_for_ms: None },
        }
    }

    /// Is it due? `force` is the owner's "Refresh profile": it passes over the cache, not over the minute.
    pub fn due(
        self,
        fetched_at_ms: Option<i64>,
        tried_at_ms: Option<i64>,
        now_ms: i64,
        force: bool,
    ) -> Due {
        // A time in the future is a clock that was set back, not a reason to wait for it.
        let within = |at_ms: Option<i64>, span_ms: i64| {
            at_ms.is_some_and(|at_ms| (0..span_ms).contains(&(now_ms - at_ms)))
        };
        if within(tried_at_ms, FLOOR_MS) {
            return Due::TooSoon;
        }
        match self.fresh_for_ms {
            Some(fresh_for_ms) if !force && within(fetched_at_ms, fresh_for_ms) => Due::Cached,
            _ => Due::Ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_603_600_000;
    const HOUR: i64 = 3_600_000;

    #[test]
    fn meta_is_asked_whenever_a_conversation_opens_but_once_a_minute() {
        for channel in [Channel::Messenger, Channel::Instagram] {
            let rule = ProfileRule::of(channel);
            assert_eq!(
                rule.due(Some(NOW - FLOOR_MS), Some(NOW - FLOOR_MS), NOW, false),
                Due::Ask
            );
            assert_eq!(
                rule.due(
                    Some(NOW - FLOOR_MS + 1),
                    Some(NOW - FLOOR_MS + 1),
                    NOW,
                    false
                ),
                Due::TooSoon
            );
            assert_eq!(rule.due(None, Some(NOW - 1), NOW, true), Due::TooSoon);
            assert_eq!(rule.due(None, None, NOW, false), Due::Ask);
        }
    }

    /// A platform that is not there yet: pictures whose addresses live long are asked for once a day.
    #[test]
    fn a_third_platform_keeps_a_profile_for_24_hours() {
        let rule = ProfileRule {
            fresh_for_ms: Some(24 * HOUR),
        };
        let fetched = Some(NOW - 24 * HOUR + 1);
        assert_eq!(rule.due(fetched, fetched, NOW, false), Due::Cached);
        assert_eq!(
            rule.due(fetched, fetched, NOW, true),
            Due::Ask,
            "Refresh profile passes over the cache"
        );
        assert_eq!(
            rule.due(Some(NOW - 24 * HOUR), Some(NOW - 24 * HOUR), NOW, false),
            Due::Ask
        );
        assert_eq!(
            rule.due(None, Some(NOW - HOUR), NOW, false),
            Due::Ask,
            "a failed try is no cache"
        );
    }

    #[test]
    fn a_clock_set_back_does_not_silence_it() {
        assert_eq!(
            ProfileRule::of(Channel::Instagram).due(Some(NOW), Some(NOW + 5 * HOUR), NOW, false),
            Due::Ask
        );
    }
}
