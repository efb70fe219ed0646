//! Where a stream goes on after a hello: a pure decision over what the device has and what there is.
//!
//! Invariant: a device is told `ready` only when every event after its last one is still there. Anything else is a gap, told once, with
//! the place where the stream goes on.

use shopbell_wire::GapReason;

use crate::storage::Extent;

/// The decision.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resume {
    /// The stream goes on after this offset.
    pub(super) after: u64,
    /// Told when events are missing.
    pub(super) gap: Option<GapReason>,
    /// The hello acknowledges up to here.
    pub(super) acknowledged: Option<u64>,
}

/// Decides. `known` is the epoch the device knows, `offset` the last one it committed in it.
///
/// A device without an epoch never committed anything here: its keys are as old as its data, so the stream begins with its first event,
/// or with a gap when that is gone (kept for its time while the device never came, or the app's data were lost and its keys were not).
/// An offset that was never given out means that the storage is older than the device: the same as another epoch.
pub(super) fn resume(known: Option<&str>, offset: u64, epoch: &str, there: Extent) -> Resume {
    let oldest = there.oldest.max(1);
    let gap = |reason| Resume {
        after: oldest - 1,
        gap: Some(reason),
        acknowledged: None,
    };
    match known {
        None if oldest > 1 => gap(GapReason::Expired),
        None => Resume {
            after: 0,
            gap: None,
            acknowledged: None,
        },
        Some(known)
            if (known != epoch || offset > there.newest)
                && !crate::planted::on("relay.ignores_epoch") =>
        {
            gap(GapReason::EpochChanged)
        }
        Some(_) if offset.saturating_add(1) < oldest => gap(GapReason::Expired),
        Some(_) => Resume {
            after: offset + u64::from(crate::planted::on("relay.resumes_one_too_far")),
            gap: None,
            acknowledged: (offset > 0).then_some(offset),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "0a0a";

    fn at(known: Option<&str>, offset: u64, oldest: u64, newest: u64) -> (u64, Option<GapReason>) {
        let found = resume(known, offset, HERE, Extent { oldest, newest });
        assert!(
            found.acknowledged.is_none() || found.gap.is_none(),
            "what a gap made doubtful is not acknowledged"
        );
        (found.after, found.gap)
    }

    #[test]
    fn a_new_device_begins_at_the_beginning() {
        assert_eq!(at(None, 0, 1, 0), (0, None));
        assert_eq!(at(None, 0, 1, 40), (0, None));
    }

    #[test]
    fn a_device_that_never_came_before_its_first_events_expired_is_told() {
        assert_eq!(at(None, 0, 31, 40), (30, Some(GapReason::Expired)));
        assert_eq!(at(None, 0, 41, 40), (40, Some(GapReason::Expired)));
    }

    #[test]
    fn every_offset_from_the_last_deleted_to_the_newest_goes_on() {
        for offset in 30..=40 {
            assert_eq!(at(Some(HERE), offset, 31, 40), (offset, None));
        }
        assert_eq!(at(Some(HERE), 40, 41, 40), (40, None));
        assert_eq!(at(Some(HERE), 0, 1, 0), (0, None));
    }

    #[test]
    fn one_event_less_than_that_is_a_gap() {
        assert_eq!(at(Some(HERE), 29, 31, 40), (30, Some(GapReason::Expired)));
        assert_eq!(at(Some(HERE), 0, 2, 1), (1, Some(GapReason::Expired)));
    }

    #[test]
    fn an_offset_that_was_never_given_out_comes_from_another_storage() {
        let changed = Some(GapReason::EpochChanged);
        assert_eq!(at(Some(HERE), 41, 31, 40), (30, changed));
        assert_eq!(at(Some(HERE), u64::MAX, 41, 40), (40, changed));
        assert_eq!(at(Some("0b0b"), 35, 31, 40), (30, changed));
        assert_eq!(at(Some(""), 0, 1, 0), (0, changed));
    }

    #[test]
    fn a_hello_acknowledges_what_it_names() {
        let there = Extent {
            oldest: 31,
            newest: 40,
        };
        assert_eq!(resume(Some(HERE), 35, HERE, there).acknowledged, Some(35));
        assert_eq!(resume(Some("0b0b"), 35, HERE, there).acknowledged, None);
        assert_eq!(resume(None, 35, HERE, there).acknowledged, None);
    }
}
