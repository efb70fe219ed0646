//! Records of one stream that are stored as one row: each as four bytes of length (big-endian) and its bytes, in order of offset.
//!
//! Invariant: events are smaller than 4 GiB (checked where they come in); what [`Block::push`] wrote, [`records`] reads back, and damaged bytes are an error and never a panic.

use bytes::{Buf as _, Bytes};

use crate::storage::{Record, StorageError, Stored};

/// A full block takes no more records, so that reading a few of them does not read megabytes. One record may be larger.
const FULL_BYTES: usize = 256 * 1024;
/// Records that arrived so far apart do not share a block: blocks are expired as a whole.
const SPAN_MS: i64 = 10_000;

/// A block that is being filled.
#[derive(Debug)]
pub(super) struct Block {
    /// Row of the stream.
    pub(super) stream: i64,
    /// Offset of its first record.
    pub(super) first: u64,
    /// Offset of its last record.
    pub(super) last: u64,
    /// The latest of its records.
    pub(super) received_ms: i64,
    earliest_ms: i64,
    /// The bytes of the row.
    pub(super) bytes: Vec<u8>,
}

impl Block {
    /// With its first record.
    pub(super) fn new(stream: i64, offset: u64, received_ms: i64, event: &Bytes) -> Self {
        let mut block = Self {
            stream,
            first: offset,
            last: offset,
            received_ms,
            earliest_ms: received_ms,
            bytes: Vec::with_capacity(event.len() + 4),
        };
        block.write(event);
        block
    }

    /// Takes the stream's next record, unless it is full.
    pub(super) fn push(&mut self, received_ms: i64, event: &Bytes) -> bool {
        let earliest_ms = self.earliest_ms.min(received_ms);
        let latest_ms = self.received_ms.max(received_ms);
        if self.bytes.len() + event.len() > FULL_BYTES
            || latest_ms.saturating_sub(earliest_ms) > SPAN_MS
        {
            return false;
        }
        self.write(event);
        self.last += 1;
        (self.earliest_ms, self.received_ms) = (earliest_ms, latest_ms);
        true
    }

    fn write(&mut self, event: &Bytes) {
        let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(event);
    }
}

/// The records of a row with an offset above `after`, oldest first.
pub(super) fn records(
    first: u64,
    last: u64,
    mut bytes: Bytes,
    after: u64,
) -> impl Iterator<Item = Stored<Record>> {
    let mut offset = first;
    std::iter::from_fn(move || {
        while offset <= last {
            let here = offset;
            offset += 1;
            if bytes.len() < 4 {
                offset = last + 1;
                return Some(Err(StorageError::Unreadable("block")));
            }
            let length = bytes.get_u32() as usize;
            if bytes.len() < length {
                offset = last + 1;
                return Some(Err(StorageError::Unreadable("block")));
            }
            let event = bytes.split_to(length);
            if here > after {
                return Some(Ok(Record {
                    offset: here,
                    prev: here.saturating_sub(1),
                    event,
                }));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_block_gives_back_what_was_put_in_from_any_place() {
        let events: Vec<Bytes> = [&b"one"[..], b"", b"three"]
            .map(Bytes::from_static)
            .to_vec();
        let mut block = Block::new(7, 41, 5, &events[0]);
        assert!(block.push(6, &events[1]));
        assert!(block.push(4, &events[2]));
        assert_eq!((block.first, block.last, block.received_ms), (41, 43, 6));
        for after in 40..44 {
            let read: Vec<Record> = records(41, 43, block.bytes.clone().into(), after)
                .collect::<Stored<_>>()
                .unwrap();
            let expected: Vec<Record> = (41..=43u64)
                .zip(&events)
                .filter(|(offset, _)| *offset > after)
                .map(|(offset, event)| Record {
                    offset,
                    prev: offset - 1,
                    event: event.clone(),
                })
                .collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_block_is_full_by_size_and_by_time() {
        let large = Bytes::from(vec![0; FULL_BYTES]);
        let small = Bytes::from_static(b"x");
        let mut block = Block::new(1, 1, 0, &large);
        assert!(!block.push(0, &small));
        let mut block = Block::new(1, 1, 0, &small);
        assert!(!block.push(SPAN_MS + 1, &small));
        assert!(!block.push(-SPAN_MS - 1, &small));
        assert!(block.push(SPAN_MS, &small));
        assert!(!block.push(-1, &small), "the span is over all records");
        assert_eq!(block.last, 2);
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let block = Block::new(1, 1, 0, &Bytes::from_static(b"event"));
        for cut in 0..block.bytes.len() {
            let read: Vec<_> = records(1, 1, block.bytes[..cut].to_vec().into(), 0).collect();
            assert!(matches!(read[..], [Err(StorageError::Unreadable("block"))]));
        }
    }
}
