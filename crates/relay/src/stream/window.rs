//! What is on its way to one device without acknowledgement.
//!
//! Invariant: never more than [`WINDOW_EVENTS`] or [`WINDOW_BYTES`], except that one event may always go. An acknowledgement counts only
//! for what was sent. Holds nothing when nothing is on its way.

use std::collections::VecDeque;

use shopbell_wire::{WINDOW_BYTES, WINDOW_EVENTS};

/// An acknowledgement of what was never sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NeverSent;

/// The window.
#[derive(Debug)]
pub(super) struct Window {
    on_their_way: VecDeque<(u64, u32)>,
    bytes: usize,
    sent: u64,
}

impl Window {
    /// Nothing on its way; the device has everything up to `after`.
    pub(super) fn new(after: u64) -> Self {
        Self {
            on_their_way: VecDeque::new(),
            bytes: 0,
            sent: after,
        }
    }

    /// The last offset that was sent, or where the stream goes on.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.on_their_way.is_empty()
    }

    /// How many events and bytes may go now. With nothing on its way the bytes are those of a full window, and one event may be larger.
    pub(super) fn room(&self) -> (usize, usize) {
        (
            WINDOW_EVENTS.saturating_sub(self.on_their_way.len()),
            WINDOW_BYTES.saturating_sub(self.bytes),
        )
    }

    /// Whether an event of this size may go now.
    pub(super) fn takes(&self, bytes: usize) -> bool {
        let (events, room) = self.room();
        self.on_their_way.is_empty() || (events > 0 && room >= bytes)
    }

    /// An event goes.
    pub(super) fn send(&mut self, offset: u64, bytes: usize) {
        let counted = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.on_their_way.push_back((offset, counted));
        self.bytes += counted as usize;
        self.sent = offset;
    }

    /// The stream goes on after another offset: what lies between is gone and was told as a gap.
    pub(super) fn skip(&mut self, to: u64) {
        self.sent = to;
    }

    /// The device has everything up to here. Answers how many events that released; a repeated or older one releases none.
    pub(super) fn acknowledge(&mut self, offset: u64) -> Result<u64, NeverSent> {
        if offset > self.sent {
            return Err(NeverSent);
        }
        let mut released = 0;
        while let Some((first, bytes)) = self.on_their_way.front() {
            if *first > offset {
                break;
            }
            self.bytes -= *bytes as usize;
            self.on_their_way.pop_front();
            released += 1;
        }
        if self.on_their_way.is_empty() {
            self.on_their_way = VecDeque::new();
        }
        Ok(released)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_takes_nothing_until_its_first_event_is_acknowledged() {
        let mut window = Window::new(100);
        for n in 0..WINDOW_EVENTS as u64 {
            assert!(window.takes(10));
            window.send(101 + n, 10);
        }
        assert!(!window.takes(10));
        assert_eq!(window.acknowledge(100), Ok(0));
        assert!(!window.takes(10));
        assert_eq!(window.acknowledge(101), Ok(1));
        assert!(window.takes(10));
        assert_eq!(window.room().0, 1);
    }

    #[test]
    fn an_event_larger_than_the_window_goes_alone() {
        let mut window = Window::new(0);
        assert!(window.takes(WINDOW_BYTES * 2));
        window.send(1, WINDOW_BYTES * 2);
        assert!(!window.takes(1));
        assert_eq!(window.acknowledge(1), Ok(1));
        window.send(2, 1);
        assert!(
            !window.takes(WINDOW_BYTES),
            "beside another one it has to wait"
        );
        assert!(window.takes(WINDOW_BYTES - 1));
    }

    #[test]
    fn acknowledgements_are_cumulative_and_never_go_back() {
        let mut window = Window::new(0);
        for offset in 1..=9 {
            window.send(offset, 1);
        }
        assert_eq!(window.acknowledge(6), Ok(6));
        assert_eq!(window.acknowledge(2), Ok(0));
        assert_eq!(window.acknowledge(6), Ok(0));
        assert_eq!(window.acknowledge(9), Ok(3));
        assert_eq!(window.room(), (WINDOW_EVENTS, WINDOW_BYTES));
    }

    #[test]
    fn what_was_never_sent_cannot_be_acknowledged() {
        let mut window = Window::new(7);
        assert_eq!(window.acknowledge(8), Err(NeverSent));
        window.send(8, 1);
        assert_eq!(window.acknowledge(u64::MAX), Err(NeverSent));
        assert_eq!(window.acknowledge(8), Ok(1));
    }

    #[test]
    fn after_a_gap_its_end_may_be_acknowledged() {
        let mut window = Window::new(7);
        window.send(8, 1);
        window.skip(20);
        assert_eq!(window.acknowledge(20), Ok(1));
        assert_eq!(window.sent(), 20);
    }
}
