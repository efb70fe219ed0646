//! Bugs on purpose, and places where the process ends itself: what the fault trials in `tests/faults` are tried out against.
//!
//! Invariant: only with the feature `planted`, which no release has; without it every question here is answered by the compiler. At most
//! one bug (`SHOPBELL_PLANTED=name`) and one place (`SHOPBELL_STOP_AT=name` or `name:n`, at its n-th passing), chosen when the process
//! starts. What a correct app does belongs anywhere but here.

#[cfg(feature = "planted")]
pub use active::{BUGS, PLACES};
#[cfg(feature = "planted")]
pub(crate) use active::{on, pass};

/// Whether this bug was chosen.
#[cfg(not(feature = "planted"))]
pub(crate) const fn on(_bug: &str) -> bool {
    false
}

/// A place where the process may be told to end.
#[cfg(not(feature = "planted"))]
pub(crate) const fn pass(_place: &str) {}

/// The name a new message is stored under.
pub(crate) fn name(mid: &str, key: i64) -> std::borrow::Cow<'_, str> {
    if on("app.message_without_key") {
        format!("{mid}+{key}").into()
    } else {
        mid.into()
    }
}

#[cfg(feature = "planted")]
mod active {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    /// The bugs: name, and what is wrong then.
    pub const BUGS: &[(&str, &str)] = &[
        (
            "app.acknowledges_before_commit",
            "what was heard is acknowledged before it is on disk",
        ),
        (
            "app.moves_cursor_alone",
            "the place in the stream moves in a transaction of its own, before the events",
        ),
        (
            "app.message_without_key",
            "a message told again is another message",
        ),
        (
            "app.sorts_by_arrival",
            "a message stands where it arrived and not when it was sent",
        ),
        (
            "app.drops_early_news",
            "edits that come before their message are dropped",
        ),
        (
            "app.swallows_failures",
            "an event that could not be taken in counts as done",
        ),
        (
            "app.receipts_go_back",
            "the last receipt told counts, not the latest",
        ),
        (
            "app.ignores_gap",
            "a relay that lost its storage is believed to go on where it was",
        ),
    ];

    /// The places: name, and what has just been done.
    pub const PLACES: &[(&str, &str)] = &[
        ("app.heard", "events were heard, nothing is written"),
        (
            "app.logged",
            "the raw rows are written in the open transaction",
        ),
        (
            "app.taken_in",
            "the effects are written in the open transaction, the place has not moved",
        ),
        ("app.before_commit", "everything is written, not committed"),
        ("app.after_commit", "on disk, not acknowledged"),
        ("app.before_acknowledged", "about to acknowledge"),
        ("app.after_acknowledged", "acknowledged"),
        (
            "app.greeted",
            "the relay said where the stream goes on, nothing is noted",
        ),
        ("app.ready", "the connection is noted"),
    ];

    struct Chosen {
        bug: Option<String>,
        place: Option<(String, u32)>,
        passed: AtomicU32,
    }

    fn chosen() -> &'static Chosen {
        static CHOSEN: OnceLock<Chosen> = OnceLock::new();
        CHOSEN.get_or_init(|| Chosen {
            bug: std::env::var("SHOPBELL_PLANTED").ok(),
            place: std::env::var("SHOPBELL_STOP_AT")
                .ok()
                .map(|text| match text.split_once(':') {
                    Some((name, n)) => (name.to_owned(), n.parse().unwrap_or(1)),
                    None => (text, 1),
                }),
            passed: AtomicU32::new(0),
        })
    }

    pub(crate) fn on(bug: &str) -> bool {
        debug_assert!(BUGS.iter().any(|(name, _)| *name == bug), "{bug}");
        chosen().bug.as_deref() == Some(bug)
    }

    pub(crate) fn pass(place: &str) {
        debug_assert!(PLACES.iter().any(|(name, _)| *name == place), "{place}");
        let chosen = chosen();
        if let Some((name, at)) = &chosen.place
            && name == place
            && chosen.passed.fetch_add(1, Ordering::SeqCst) + 1 == *at
        {
            // Like kill -9: nothing is flushed, nobody is told.
            std::process::abort();
        }
    }
}
