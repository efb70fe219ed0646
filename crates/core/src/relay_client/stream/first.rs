//! The relay's first word after the hello: where the stream goes on. Pure.

use super::after::End;
use crate::{api::types::Reason, events::Place};
use shopbell_wire::{GapReason, StreamState};

/// What the relay said first.
pub(super) enum First {
    Ready(StreamState),
    Gap {
        reason: GapReason,
        resume_after: u64,
        state: StreamState,
    },
}

/// The relay's reason as the owner reads it.
pub(super) fn gap_reason(reason: GapReason) -> Reason {
    Reason::new(match reason {
        GapReason::Expired => "expired",
        GapReason::EpochChanged => "epoch_changed",
    })
}

/// What the relay's first word means: its state, and where the stream goes on when events are missing.
///
/// # Errors
/// When it does not fit what is known here: offsets of one storage must not come twice unnoticed.
pub(super) fn judge(
    known: &Place,
    first: First,
) -> Result<(StreamState, Option<(u64, Reason)>), End> {
    let (state, gap) = match first {
        First::Ready(state) => {
            if !known.epoch.is_empty() && known.epoch != state.epoch {
                return Err(End::Confused("epoch"));
            }
            if state.newest < known.committed {
                return Err(End::Confused("newest"));
            }
            // Ready, but the next one is not there any more.
            let gap = (state.oldest > known.committed.saturating_add(1))
                .then(|| (state.oldest - 1, Reason::new("expired")));
            (state, gap)
        }
        First::Gap {
            reason,
            resume_after,
            state,
        } => (state, Some((resume_after, gap_reason(reason)))),
    };
    let fits = |offset: u64| i64::try_from(offset).is_ok();
    if state.epoch.is_empty() || !fits(state.newest) || gap.iter().any(|(after, _)| !fits(*after)) {
        return Err(End::Confused("state"));
    }
    Ok((state, gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(epoch: &str, committed: u64) -> Place {
        Place {
            relay: "https://relay.example/".into(),
            epoch: epoch.into(),
            rewinds: 0,
            committed,
        }
    }

    fn ready(epoch: &str, oldest: u64, newest: u64) -> First {
        First::Ready(state(epoch, oldest, newest))
    }

    fn state(epoch: &str, oldest: u64, newest: u64) -> StreamState {
        StreamState {
            epoch: epoch.into(),
            oldest,
            newest,
            relay_time_ms: 0,
            outage: None,
        }
    }

    fn verdict(known: &Place, first: First) -> Result<Option<(u64, String)>, End> {
        judge(known, first).map(|(_, gap)| gap.map(|(after, reason)| (after, reason.code)))
    }

    #[test]
    fn a_relay_that_goes_on_where_we_are_is_ready() {
        assert_eq!(verdict(&known("", 0), ready("a", 1, 0)), Ok(None));
        assert_eq!(verdict(&known("a", 7), ready("a", 8, 7)), Ok(None));
        assert_eq!(verdict(&known("a", 7), ready("a", 3, 90)), Ok(None));
    }

    #[test]
    fn a_relay_that_says_ready_and_lost_the_next_event_is_a_gap() {
        assert_eq!(
            verdict(&known("a", 7), ready("a", 9, 20)),
            Ok(Some((8, "expired".into())))
        );
        assert_eq!(
            verdict(&known("", 0), ready("a", 31, 30)),
            Ok(Some((30, "expired".into())))
        );
    }

    #[test]
    fn another_storage_or_an_older_one_must_say_so_itself() {
        assert_eq!(
            verdict(&known("a", 7), ready("b", 1, 9)),
            Err(End::Confused("epoch"))
        );
        assert_eq!(
            verdict(&known("a", 7), ready("a", 1, 6)),
            Err(End::Confused("newest"))
        );
        let gap = First::Gap {
            reason: GapReason::EpochChanged,
            resume_after: 2,
            state: state("a", 3, 6),
        };
        assert_eq!(
            verdict(&known("a", 7), gap),
            Ok(Some((2, "epoch_changed".into())))
        );
    }

    #[test]
    fn numbers_that_no_storage_holds_are_refused() {
        assert_eq!(
            verdict(&known("", 0), ready("", 1, 0)),
            Err(End::Confused("state"))
        );
        assert_eq!(
            verdict(&known("", 0), ready("a", 1, u64::MAX)),
            Err(End::Confused("state"))
        );
        assert_eq!(
            verdict(&known("", 0), ready("a", u64::MAX, 3)),
            Err(End::Confused("state"))
        );
    }
}
