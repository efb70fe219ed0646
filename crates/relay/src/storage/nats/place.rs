//! One device's stream as this node knows it: what waits to be written, the newest block, where blocks end, how far it is acknowledged.
//!
//! Invariant: everything here was true once and is checked where it matters: the newest block by the server when a block is published
//! after it, the ends because a block never moves. Nothing here speaks to a server.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use shopbell_wire::Thumbprint;
use tokio::sync::{oneshot, watch};

use super::block::Head;
use crate::storage::{NewRecord, Stored};

/// Ends of blocks that are remembered per device. More than a window of events has.
const ENDS_MAX: usize = 2048;

/// Records of one call.
pub(super) struct Waiting {
    /// In the order of the call.
    pub(super) records: Vec<NewRecord>,
    /// Is told when they are durable, or why not.
    pub(super) done: oneshot::Sender<Stored<()>>,
}

/// The newest block of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tail {
    /// Its place among the messages of all devices; 0 when there is none.
    pub(super) sequence: u64,
    /// Nothing when there is none.
    pub(super) head: Option<Head>,
}

impl Tail {
    /// Newest offset given out.
    pub(super) fn newest(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.last)
    }
}

/// See the module.
pub(super) struct Place {
    /// Of this node only; names the device where memory counts.
    pub(super) id: u64,
    /// Whose.
    pub(super) device: Thumbprint,
    /// Its subject.
    pub(super) subject: String,
    /// Held while a block is on its way, so that this node does not compete with itself.
    pub(super) publishing: tokio::sync::Mutex<()>,
    arrivals: watch::Sender<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: Vec<Waiting>,
    writing: bool,
    tail: Option<Tail>,
    /// A message at this place of the stream was heard of.
    known: u64,
    /// Newest offset that was heard of.
    newest: u64,
    /// Last offset of a block and its place.
    ends: BTreeMap<u64, u64>,
    acknowledged: u64,
    deleted: u64,
    deleting: bool,
}

impl Place {
    /// Knows nothing.
    pub(super) fn new(id: u64, device: Thumbprint, subject: String) -> Self {
        Self {
            id,
            device,
            subject,
            publishing: tokio::sync::Mutex::default(),
            arrivals: watch::Sender::new(0),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts records in the queue. `true`: the caller has to see to it that they are written.
    pub(super) fn queue(&self, waiting: Waiting) -> bool {
        let mut state = self.state();
        state.queue.push(waiting);
        !std::mem::replace(&mut state.writing, true)
    }

    /// Everything in the queue. Nothing: the writer ends, and the next record needs a new one.
    pub(super) fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut state = self.state();
        if state.queue.is_empty() {
            state.writing = false;
            return None;
        }
        Some(std::mem::take(&mut state.queue))
    }

    /// The newest block, as far as known.
    pub(super) fn tail(&self) -> Option<Tail> {
        self.state().tail.clone()
    }

    /// It may be another one by now.
    pub(super) fn forget_tail(&self) {
        self.state().tail = None;
    }

    /// The server says so: whoever listens is told when that is news.
    pub(super) fn set_tail(&self, tail: Tail) {
        let mut state = self.state();
        let newest = tail.newest();
        if newest < state.newest && tail.sequence > state.known {
            // A later message with an earlier offset: the stream was deleted and begins anew.
            *state = State {
                queue: std::mem::take(&mut state.queue),
                writing: state.writing,
                ..State::default()
            };
        }
        state.known = state.known.max(tail.sequence);
        state.tail = Some(tail);
        self.note_newest(&mut state, newest);
    }

    /// Another node wrote a block that can be read.
    pub(super) fn noted(&self, sequence: u64, newest: u64) {
        let mut state = self.state();
        state.known = state.known.max(sequence);
        self.note_newest(&mut state, newest);
    }

    fn note_newest(&self, state: &mut State, newest: u64) {
        if newest > state.newest {
            state.newest = newest;
            self.arrivals.send_replace(newest);
        }
    }

    /// Something may have come, nobody knows what.
    pub(super) fn wake(&self) {
        self.arrivals.send_replace(0);
    }

    /// Tells about arrivals from now on.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    /// Whether somebody listens.
    pub(super) fn is_listened_to(&self) -> bool {
        self.arrivals.receiver_count() > 0
    }

    /// Newest offset that was heard of.
    pub(super) fn newest(&self) -> u64 {
        self.state().newest
    }

    /// The place of the newest message that was heard of.
    pub(super) fn known(&self) -> u64 {
        self.state().known
    }

    /// A block ends here.
    pub(super) fn saw_end(&self, last: u64, sequence: u64) {
        let mut state = self.state();
        if last > state.acknowledged {
            state.ends.insert(last, sequence);
            if state.ends.len() > ENDS_MAX {
                state.ends.pop_first();
            }
        }
    }

    /// Place of the last block that ends at or before an offset, 0 when none is remembered.
    pub(super) fn end_before(&self, offset: u64) -> u64 {
        let state = self.state();
        state
            .ends
            .range(..=offset)
            .next_back()
            .map_or(0, |(_, sequence)| *sequence)
    }

    /// The device has everything up to here. `true`: the caller has to see to it that it is deleted.
    pub(super) fn acknowledge(&self, offset: u64) -> bool {
        let mut state = self.state();
        let offset = offset.min(state.newest);
        if offset <= state.acknowledged {
            return false;
        }
        state.acknowledged = offset;
        !std::mem::replace(&mut state.deleting, true)
    }

    /// How far it is acknowledged, as far as this node knows.
    pub(super) fn acknowledged(&self) -> u64 {
        self.state().acknowledged
    }

    /// What is acknowledged and not deleted yet. Later acknowledgements need a new deletion.
    pub(super) fn to_delete(&self) -> Option<u64> {
        let mut state = self.state();
        state.deleting = false;
        (state.acknowledged > state.deleted).then_some(state.acknowledged)
    }

    /// The deletion did not work. `true`: the caller has to see to it that it is tried again.
    pub(super) fn delete_later(&self) -> bool {
        let mut state = self.state();
        !std::mem::replace(&mut state.deleting, true)
    }

    /// Blocks that end at or before an offset are gone.
    pub(super) fn deleted(&self, to: u64) {
        let mut state = self.state();
        state.deleted = state.deleted.max(to);
        state.ends = state.ends.split_off(&(to + 1));
    }

    /// Nobody waits for anything here.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        !self.is_listened_to()
            && !state.writing
            && !state.deleting
            && state.acknowledged <= state.deleted
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::storage::nats::block::Block;
    use shopbell_wire::DeviceKeys;

    fn place() -> Place {
        let device = DeviceKeys::from_random_bytes(&[7; 64]).thumbprint();
        Place::new(1, device, "s".into())
    }

    fn tail(sequence: u64, newest: u64) -> Tail {
        let block = Block {
            received_ms: 0,
            prev: newest - 1,
            first: newest,
            names: vec![1],
            events: vec![bytes::Bytes::new()],
        };
        Tail {
            sequence,
            head: Some(block.head()),
        }
    }

    #[test]
    fn only_what_is_new_wakes_a_listener() {
        let place = place();
        let mut listener = place.listen();
        place.set_tail(tail(10, 4));
        assert_eq!(*listener.borrow_and_update(), 4);
        place.noted(10, 4);
        place.noted(9, 3);
        assert!(!listener.has_changed().unwrap());
        place.noted(12, 6);
        assert_eq!((*listener.borrow_and_update(), place.known()), (6, 12));
        place.wake();
        assert!(listener.has_changed().unwrap());
    }

    #[test]
    fn acknowledgements_are_gathered_and_never_reach_beyond_what_there_is() {
        let place = place();
        place.set_tail(tail(10, 4));
        assert!(place.acknowledge(2));
        assert!(!place.acknowledge(3), "the same deletion covers it");
        assert!(!place.acknowledge(1));
        assert_eq!(place.to_delete(), Some(3));
        place.deleted(3);
        assert!(place.acknowledge(u64::MAX));
        assert_eq!(place.acknowledged(), 4);
    }

    #[test]
    fn a_stream_that_begins_anew_takes_nothing_over() {
        let place = place();
        place.set_tail(tail(10, 4));
        place.saw_end(4, 10);
        place.acknowledge(3);
        place.set_tail(tail(20, 1));
        assert_eq!(
            (place.acknowledged(), place.end_before(9), place.newest()),
            (0, 0, 1)
        );
    }

    #[test]
    fn ends_lead_to_the_block_that_comes_next() {
        let place = place();
        place.set_tail(tail(40, 9));
        for (last, sequence) in [(3, 10), (5, 22), (9, 40)] {
            place.saw_end(last, sequence);
        }
        assert_eq!(place.end_before(2), 0);
        assert_eq!(place.end_before(4), 10);
        assert_eq!(place.end_before(100), 40);
        place.deleted(5);
        assert_eq!((place.end_before(5), place.end_before(9)), (0, 40));
    }
}
