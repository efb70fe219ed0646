//! Bugs on purpose, and places where the process ends itself: what the fault trials in `tests/faults` are tried out against.
//!
//! Invariant: only with the feature `planted`, which no release has; without it every question here is answered by the compiler. At most
//! one bug (`SHOPBELL_PLANTED=name`) and one place (`SHOPBELL_STOP_AT=name` or `name:n`, at its n-th passing), chosen when the process
//! starts. What a correct relay does belongs anywhere but here.

#[cfg(feature = "planted")]
pub use active::{BUGS, PLACES};
#[cfg(feature = "planted")]
pub(crate) use active::{device_for, on, pass};

/// Whether this bug was chosen.
#[cfg(not(feature = "planted"))]
pub(crate) const fn on(_bug: &str) -> bool {
    false
}

/// A place where the process may be told to end.
#[cfg(not(feature = "planted"))]
pub(crate) const fn pass(_place: &str) {}

/// The device an event is sealed to.
#[cfg(not(feature = "planted"))]
pub(crate) const fn device_for(to: &shopbell_wire::DevicePublic) -> &shopbell_wire::DevicePublic {
    to
}

#[cfg(feature = "planted")]
mod active {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    use shopbell_wire::DevicePublic;

    /// The bugs: name, and what is wrong then.
    pub const BUGS: &[(&str, &str)] = &[
        (
            "relay.answers_before_durable",
            "200 is said and the event is written a moment later",
        ),
        (
            "relay.resumes_one_too_far",
            "a stream goes on one event after the one that follows",
        ),
        (
            "relay.ignores_epoch",
            "a device that knows another storage is told that all is well",
        ),
        (
            "relay.seals_to_wrong_device",
            "an event is sealed to the first device ever seen",
        ),
        (
            "relay.deletes_one_too_many",
            "an acknowledgement deletes the event behind it as well",
        ),
        (
            "relay.gives_offsets_again",
            "after a restart the offsets of waiting events are given out again",
        ),
        (
            "relay.answers_group_that_failed",
            "a group whose commit failed is answered as if it were durable",
        ),
        (
            "relay.checks_own_rendering",
            "the signature is checked over the body as the relay would write it",
        ),
        (
            "relay.takes_first_entry_only",
            "of a batch only the first entry is taken",
        ),
        (
            "relay.keeps_accepting_after_failed_sync",
            "a failed sync is forgotten and the next one is believed",
        ),
    ];

    /// The places: name, and what has just been done.
    pub const PLACES: &[(&str, &str)] = &[
        (
            "relay.signature_held",
            "the signature was good, nothing is sealed",
        ),
        ("relay.sealed", "sealed, and not handed to the storage"),
        (
            "relay.before_commit",
            "the group is gathered, the transaction not begun",
        ),
        ("relay.after_commit", "durable, nobody was told"),
        (
            "relay.after_commit_before_200",
            "the request knows that it is durable, 200 is not said",
        ),
        (
            "relay.before_delivery",
            "a page was read for a device and not sent",
        ),
        ("relay.after_delivery", "a page was sent"),
        (
            "relay.before_acknowledged",
            "an acknowledgement was heard and nothing deleted",
        ),
        (
            "relay.after_acknowledged",
            "acknowledged events are marked, their rows still there",
        ),
        (
            "relay.rows_deleted",
            "the rows of acknowledged events are gone",
        ),
        ("relay.greeted", "a hello was good, no answer was given"),
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

    pub(crate) fn device_for(to: &DevicePublic) -> &DevicePublic {
        static FIRST: OnceLock<DevicePublic> = OnceLock::new();
        if on("relay.seals_to_wrong_device") {
            FIRST.get_or_init(|| *to)
        } else {
            to
        }
    }
}
