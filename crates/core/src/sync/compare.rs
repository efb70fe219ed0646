//! What we hold against what the platform lists: messages that it no longer has. Pure.
//!
//! Messenger announces an unsend to nobody (meta-platform §3.6); it only shows in the list. A missing message is asked about by its id
//! before anything is erased: being missing is a suspicion, not news.

use super::remote::FoundThread;

/// Suspicions looked into per run.
pub const AT_MOST: usize = 5;
/// The platform's list may lag behind its own news.
const SETTLED_MS: i64 = 60_000;

/// A message held here.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its id at the platform.
    pub mid: String,
    /// Its other id, if it has one.
    pub alias: Option<String>,
    /// UTC ms.
    pub sent_at_ms: i64,
}

/// Where the complete stretch of a listing begins: everything later must be in it. `None` = it says nothing.
pub fn complete_from(found: &FoundThread) -> Option<i64> {
    // The oldest second may be cut in the middle.
    found
        .messages
        .iter()
        .map(|message| message.sent_at_ms)
        .min()
        .map(|oldest| (oldest / 1_000 + 1) * 1_000)
}

/// Which of the held messages the listing should show and does not.
pub fn missing<'a>(held: &'a [Held], found: &FoundThread, now_ms: i64) -> Vec<&'a Held> {
    let Some(from_ms) = complete_from(found) else {
        return Vec::new();
    };
    held.iter()
        .filter(|held| held.sent_at_ms >= from_ms && held.sent_at_ms < now_ms - SETTLED_MS)
        .filter(|held| {
            !found
                .messages
                .iter()
                .any(|listed| listed.mid == held.mid || held.alias.as_ref() == Some(&listed.mid))
        })
        .take(AT_MOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::testing::{message, thread};

    const T: i64 = 1_900_000_000_000;

    fn held(mid: &str, after_ms: i64) -> Held {
        Held {
            mid: mid.into(),
            alias: None,
            sent_at_ms: T + after_ms,
        }
    }

    #[test]
    fn only_what_the_list_must_show_is_suspicious() {
        let listed = |mid: &str, after_ms| message(mid, "ana", T + after_ms, true, "…");
        let found = FoundThread {
            thread: thread("t_1", "ana", T + 9_000),
            messages: vec![
                listed("m_9", 9_000),
                listed("m_5", 5_000),
                listed("m_2", 2_000),
            ],
            older: None,
        };
        let mut known_by_alias = held("webhook_9", 9_000);
        known_by_alias.alias = Some("m_9".into());
        let here = [
            held("m_1", 1_000),
            held("m_2b", 2_900),
            held("m_5", 5_000),
            held("m_6", 6_000),
            known_by_alias,
            held("m_now", 500_000),
        ];
        let mids: Vec<&str> = missing(&here, &found, T + 520_000)
            .iter()
            .map(|held| held.mid.as_str())
            .collect();
        assert_eq!(
            mids,
            ["m_6"],
            "older than the list, in its cut second, known by another id, and just said are not"
        );
        let nothing = FoundThread {
            messages: vec![],
            ..found
        };
        assert!(
            missing(&here, &nothing, T + 520_000).is_empty(),
            "a list without messages says nothing"
        );
    }
}
