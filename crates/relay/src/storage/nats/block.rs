//! Blocks: the messages of a device's stream. All records of one device that were written together are one message.
//!
//! A block without records carries the counter on when everything before it is gone. Every block names itself and the sixteen before
//! it, so that a writer who did not hear whether a block arrived can tell from the newest one alone, even when the block was read,
//! acknowledged and deleted meanwhile.
//!
//! Invariant: what [`Block::decode`] takes, [`Block::encode`] made; anything else is unreadable and never panics.

use bytes::{BufMut as _, Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

use crate::storage::{NewRecord, Record, StorageError, Stored};

/// Version in front of every block.
const VERSION: u8 = 1;
/// Names that a block remembers beside its own.
const REMEMBERED: usize = 16;
/// What a block adds to its records, at most.
pub(super) const HEAD_MAX: usize = 1 + 8 * 3 + 1 + 8 * (REMEMBERED + 1) + 4;
/// Records of one block were received within this time, milliseconds.
const AGES_TOGETHER_MS: u64 = 30_000;
/// What a record adds to its event.
const RECORD_HEAD: usize = 4;

/// Name of a block: from the ids of its events. 0: a block without records.
pub(super) type Name = u64;

/// The name of a block with these records.
pub(super) fn name_of(records: &[NewRecord]) -> Name {
    let mut hash = Sha256::new();
    for record in records {
        hash.update(record.event_id);
    }
    let digest = hash.finalize();
    let (name, _) = digest.split_first_chunk::<8>().expect("32 bytes");
    // 0 is taken.
    u64::from_be_bytes(*name).max(1)
}

/// One message of a device's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The latest time the relay had one of its records; of a counter, that of the block it replaced.
    pub(super) received_ms: i64,
    /// Offset before the first record, as the writer knew it.
    pub(super) prev: u64,
    /// Offset of the first record; of a counter, the one that comes next.
    pub(super) first: u64,
    /// Its own name, then those before it.
    pub(super) names: Vec<Name>,
    /// Sealed events.
    pub(super) events: Vec<Bytes>,
}

impl Block {
    /// The block after another one (after nothing: none) with these records.
    pub(super) fn after(newest: Option<&Head>, records: &[NewRecord]) -> Self {
        let prev = newest.map_or(0, |head| head.last);
        Self {
            received_ms: records.iter().map(|r| r.received_ms).max().unwrap_or(0),
            prev,
            first: prev + 1,
            names: names(name_of(records), newest),
            events: records.iter().map(|r| r.event.clone()).collect(),
        }
    }

    /// The counter that takes the place of everything up to and with `newest`.
    pub(super) fn counter(newest: &Head, received_ms: i64) -> Self {
        Self {
            received_ms,
            prev: newest.last,
            first: newest.last + 1,
            names: names(0, Some(newest)),
            events: Vec::new(),
        }
    }

    /// The same block without its records up to an offset that it contains.
    pub(super) fn without(mut self, to: u64) -> Self {
        let gone = (to + 1).saturating_sub(self.first);
        self.events.drain(
            ..usize::try_from(gone)
                .unwrap_or(usize::MAX)
                .min(self.events.len()),
        );
        self.first += gone;
        self.prev = to;
        self
    }

    /// Offset of the last record; of a counter, the last that was given out.
    pub(super) fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    /// Whether it is a counter.
    pub(super) fn is_counter(&self) -> bool {
        self.events.is_empty()
    }

    /// What a node remembers of it.
    pub(super) fn head(&self) -> Head {
        Head {
            last: self.last(),
            received_ms: self.received_ms,
            counter: self.is_counter(),
            names: self.names.clone(),
        }
    }

    /// As bytes.
    pub(super) fn encode(&self) -> Bytes {
        let body: usize = self.events.iter().map(|e| RECORD_HEAD + e.len()).sum();
        let mut out = BytesMut::with_capacity(HEAD_MAX + body);
        out.put_u8(VERSION);
        out.put_i64(self.received_ms);
        out.put_u64(self.prev);
        out.put_u64(self.first);
        out.put_u8(u8::try_from(self.names.len()).unwrap_or(u8::MAX));
        for name in &self.names {
            out.put_u64(*name);
        }
        out.put_u32(u32::try_from(self.events.len()).unwrap_or(u32::MAX));
        for event in &self.events {
            out.put_u32(u32::try_from(event.len()).unwrap_or(u32::MAX));
            out.put_slice(event);
        }
        out.freeze()
    }

    /// From bytes; the events share them.
    pub(super) fn decode(bytes: &Bytes) -> Stored<Self> {
        decode(bytes).ok_or(StorageError::Unreadable("block"))
    }

    /// Its records after an offset.
    pub(super) fn records_after(&self, after: u64) -> impl Iterator<Item = Record> {
        let first = self.first;
        self.events
            .iter()
            .zip(first..)
            .filter(move |(_, offset)| *offset > after)
            .map(move |(event, offset)| Record {
                offset,
                prev: if offset == first {
                    self.prev
                } else {
                    offset - 1
                },
                event: event.clone(),
            })
    }
}

/// What a node remembers of a device's newest block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Newest offset.
    pub(super) last: u64,
    /// Of the block.
    pub(super) received_ms: i64,
    /// Whether it is a counter: nothing before it is left.
    pub(super) counter: bool,
    names: Vec<Name>,
}

impl Head {
    /// Whether a block of this name is this one or shortly before it.
    pub(super) fn follows(&self, name: Name) -> bool {
        self.names.contains(&name)
    }
}

fn names(own: Name, newest: Option<&Head>) -> Vec<Name> {
    let before = newest.map_or(&[][..], |head| &head.names);
    std::iter::once(own)
        .chain(before.iter().copied().filter(|name| *name != 0))
        .take(REMEMBERED + 1)
        .collect()
}

fn decode(bytes: &Bytes) -> Option<Block> {
    fn take<const N: usize>(rest: &mut Bytes) -> Option<[u8; N]> {
        let head = *rest.first_chunk::<N>()?;
        let _ = rest.split_to(N);
        Some(head)
    }
    let mut rest = bytes.clone();
    if take::<1>(&mut rest)? != [VERSION] {
        return None;
    }
    let received_ms = i64::from_be_bytes(take(&mut rest)?);
    let prev = u64::from_be_bytes(take(&mut rest)?);
    let first = u64::from_be_bytes(take(&mut rest)?);
    let [named] = take::<1>(&mut rest)?;
    let mut names = Vec::with_capacity(usize::from(named));
    for _ in 0..named {
        names.push(u64::from_be_bytes(take(&mut rest)?));
    }
    let count = u32::from_be_bytes(take(&mut rest)?);
    let mut events = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).ok()?;
        if length > rest.len() {
            return None;
        }
        events.push(rest.split_to(length));
    }
    // Offsets begin at 1 and never come near the end of the numbers.
    let sound = first > prev && first < 1 << 62 && !names.is_empty() && rest.is_empty();
    sound.then_some(Block {
        received_ms,
        prev,
        first,
        names,
        events,
    })
}

/// Cuts records into blocks: at most `max_bytes` of events each, but one event however large, and all of about the same age, because
/// they expire together.
pub(super) fn cut(records: Vec<NewRecord>, max_bytes: usize) -> Vec<Vec<NewRecord>> {
    let mut blocks: Vec<Vec<NewRecord>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        let size = RECORD_HEAD + record.event.len();
        let fits = blocks.last().is_some_and(|block| {
            bytes + size <= max_bytes
                && block[0].received_ms.abs_diff(record.received_ms) <= AGES_TOGETHER_MS
        });
        match blocks.last_mut() {
            Some(block) if fits => {
                bytes += size;
                block.push(record);
            }
            _ => {
                bytes = size;
                blocks.push(vec![record]);
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use shopbell_wire::DeviceKeys;

    fn record(n: u8, size: usize) -> NewRecord {
        NewRecord {
            device: DeviceKeys::from_random_bytes(&[7; 64]).thumbprint(),
            event: Bytes::from(vec![n; size]),
            event_id: [n; 16],
            received_ms: 1_000 + i64::from(n),
        }
    }

    #[test]
    fn blocks_carry_dense_offsets_and_remember_who_came_before() {
        let mut newest: Option<Head> = None;
        let mut last = None;
        let mut all = Vec::new();
        for n in 0..20 {
            let records = [record(2 * n, 5), record(2 * n + 1, 0)];
            all.push(name_of(&records));
            let block = Block::after(newest.as_ref(), &records);
            assert_eq!(Block::decode(&block.encode()).unwrap(), block);
            newest = Some(block.head());
            last = Some(block);
        }
        let (newest, last) = (newest.unwrap(), last.unwrap());
        assert_eq!((last.prev, last.first, last.last()), (38, 39, 40));
        assert!(all[3..].iter().all(|name| newest.follows(*name)));
        assert!(
            !newest.follows(all[2]),
            "the seventeenth before it is forgotten"
        );

        let counter = Block::counter(&newest, 5);
        let counter = Block::decode(&counter.encode()).unwrap();
        assert!(counter.is_counter() && counter.head().follows(all[19]));
        assert_eq!((counter.first, counter.last()), (41, 40));
        let next = Block::after(Some(&counter.head()), &[record(99, 1)]);
        assert_eq!((next.prev, next.first), (40, 41));
        assert!(next.head().follows(all[4]), "counters push no names out");
    }

    #[test]
    fn a_read_in_the_middle_of_a_block_gives_the_rest_of_it() {
        let first = Block::after(None, &[record(1, 1), record(2, 1), record(3, 1)]);
        let offsets = |after| {
            first
                .records_after(after)
                .map(|r| (r.prev, r.offset))
                .collect::<Vec<_>>()
        };
        assert_eq!(offsets(0), [(0, 1), (1, 2), (2, 3)]);
        assert_eq!(offsets(2), [(2, 3)]);
        assert_eq!(offsets(3), []);
        let rest = first.clone().without(2);
        assert_eq!((rest.prev, rest.first, rest.last()), (2, 3, 3));
        assert_eq!(
            rest.records_after(0).collect::<Vec<_>>(),
            first.records_after(2).collect::<Vec<_>>()
        );
        assert_eq!(Block::decode(&rest.encode()).unwrap(), rest);
    }

    #[test]
    fn records_of_very_different_ages_are_not_kept_together() {
        let at = |n, received_ms| NewRecord {
            received_ms,
            ..record(n, 1)
        };
        let cut = cut(vec![at(1, 0), at(2, 9), at(3, 60_000), at(4, 5)], 100);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1]);
    }

    #[test]
    fn torn_bytes_are_unreadable_and_nothing_worse() {
        let whole = Block::after(None, &[record(1, 30), record(2, 3)]).encode();
        for length in 0..whole.len() {
            assert!(Block::decode(&whole.slice(..length)).is_err(), "{length}");
        }
        let mut longer = whole.to_vec();
        longer.push(0);
        assert!(Block::decode(&longer.into()).is_err());
        assert!(Block::decode(&Bytes::from_static(&[1; 40])).is_err());
    }

    #[test]
    fn records_are_cut_by_size_and_a_large_one_stands_alone() {
        let cut = cut(
            vec![record(1, 40), record(2, 40), record(3, 500), record(4, 40)],
            100,
        );
        let sizes: Vec<usize> = cut.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1, 1]);
    }
}
