//! Where each device's stream stands, in memory: newest offset, how far it is deleted, the latest events for devices that listen.
//!
//! Invariant: what stands here is durable. A [`Plan`] gives offsets out; they count only once it was [carried out](Places::done), so a
//! group that failed leaves no trace. Nothing here touches the disk.

use std::collections::{HashMap, HashSet, VecDeque, hash_map::Entry};

use bytes::Bytes;
use shopbell_wire::Thumbprint;
use tokio::sync::watch;

use super::block::Block;
use crate::storage::{Extent, NewRecord, Record};

/// Event ids that are remembered, so that a repeated append is known.
const REMEMBERED: usize = 16 * 1024;
/// Latest events of all devices that listen, together.
const TAIL_BYTES: usize = 16 * 1024 * 1024;
/// The same, as a number of events.
const TAIL_EVENTS: usize = 64 * 1024;

/// All streams.
#[derive(Default)]
pub(super) struct Places {
    by_device: HashMap<Thumbprint, usize>,
    all: Vec<Place>,
    next_stream: i64,
    ids: HashSet<(usize, [u8; 16])>,
    ids_in_order: VecDeque<(usize, [u8; 16])>,
    tails: VecDeque<(usize, u64)>,
    tail_bytes: usize,
}

#[derive(Default)]
struct Place {
    /// Row of the stream; none before its first event.
    stream: Option<i64>,
    newest: u64,
    deleted_to: u64,
    /// The latest events, the last one at `newest`.
    tail: VecDeque<Bytes>,
    arrivals: Option<watch::Sender<u64>>,
}

/// What a group of appends will write.
#[derive(Default)]
pub(super) struct Plan {
    /// Rows.
    pub(super) blocks: Vec<Block>,
    /// Streams that get their first event.
    pub(super) made: Vec<(i64, Thumbprint)>,
    events: Vec<(usize, u64, Bytes)>,
    ids: Vec<(usize, [u8; 16])>,
}

/// Where a read finds its records.
pub(super) enum Source {
    /// There are none.
    Nothing,
    /// Here.
    Memory(Vec<Record>),
    /// In the rows of this stream, up to this offset.
    Rows {
        stream: i64,
        after: u64,
        newest: u64,
    },
}

impl Places {
    /// Puts a stream in that was found on disk.
    pub(super) fn found(&mut self, stream: i64, device: Thumbprint, deleted_to: u64, newest: u64) {
        let place = self.all.len();
        self.all.push(Place {
            stream: Some(stream),
            newest: newest.max(deleted_to),
            deleted_to,
            ..Place::default()
        });
        self.by_device.insert(device, place);
        self.next_stream = self.next_stream.max(stream);
    }

    fn place_of(&mut self, device: &Thumbprint) -> usize {
        if let Some(place) = self.by_device.get(device) {
            return *place;
        }
        self.all.push(Place::default());
        self.by_device.insert(device.clone(), self.all.len() - 1);
        self.all.len() - 1
    }

    fn known(&self, device: &Thumbprint) -> Option<&Place> {
        self.all.get(*self.by_device.get(device)?)
    }

    /// Gives offsets out. Events that were appended a moment ago are left out.
    pub(super) fn plan<'a>(&mut self, records: impl Iterator<Item = &'a NewRecord>) -> Plan {
        let mut plan = Plan::default();
        let mut open: HashMap<usize, usize> = HashMap::new();
        let mut fresh: HashSet<(usize, [u8; 16])> = HashSet::new();
        for record in records {
            let place = self.place_of(&record.device);
            let id = (place, record.event_id);
            if self.ids.contains(&id) || !fresh.insert(id) {
                continue;
            }
            plan.ids.push(id);
            let offset = match open.entry(place) {
                Entry::Occupied(mut entry) => {
                    let block = &mut plan.blocks[*entry.get()];
                    let (stream, offset) = (block.stream, block.last + 1);
                    if !block.push(record.received_ms, &record.event) {
                        entry.insert(plan.blocks.len());
                        plan.blocks.push(Block::new(
                            stream,
                            offset,
                            record.received_ms,
                            &record.event,
                        ));
                    }
                    offset
                }
                Entry::Vacant(entry) => {
                    let offset = self.all[place].newest + 1;
                    let stream = self.all[place].stream.unwrap_or_else(|| {
                        self.next_stream += 1;
                        plan.made.push((self.next_stream, record.device.clone()));
                        self.next_stream
                    });
                    entry.insert(plan.blocks.len());
                    plan.blocks.push(Block::new(
                        stream,
                        offset,
                        record.received_ms,
                        &record.event,
                    ));
                    offset
                }
            };
            plan.events.push((place, offset, record.event.clone()));
        }
        plan
    }

    /// The plan is durable: from here on it counts, and whoever listens is told.
    pub(super) fn done(&mut self, plan: Plan) {
        for (stream, device) in plan.made {
            let place = self.place_of(&device);
            self.all[place].stream = Some(stream);
        }
        for id in plan.ids {
            self.ids.insert(id);
            self.ids_in_order.push_back(id);
            if self.ids_in_order.len() > REMEMBERED
                && let Some(oldest) = self.ids_in_order.pop_front()
            {
                self.ids.remove(&oldest);
            }
        }
        let mut told = Vec::new();
        for (at, offset, event) in plan.events {
            let place = &mut self.all[at];
            place.newest = offset;
            let listened_to = place
                .arrivals
                .as_ref()
                .is_some_and(|sender| sender.receiver_count() > 0);
            if listened_to {
                self.tail_bytes += event.len();
                place.tail.push_back(event);
                self.tails.push_back((at, offset));
                told.push(at);
            } else {
                place.arrivals = None;
                self.tail_bytes -= place.forget_tail(offset);
            }
        }
        while self.tail_bytes > TAIL_BYTES || self.tails.len() > TAIL_EVENTS {
            let Some((at, offset)) = self.tails.pop_front() else {
                break;
            };
            self.tail_bytes -= self.all[at].forget_tail(offset);
        }
        told.sort_unstable();
        told.dedup();
        for at in told {
            let place = &self.all[at];
            if let Some(sender) = &place.arrivals {
                sender.send_replace(place.newest);
            }
        }
    }

    /// Where records after an offset are found.
    pub(super) fn source(
        &self,
        device: &Thumbprint,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Source {
        let Some(place) = self.known(device) else {
            return Source::Nothing;
        };
        let after = after.max(place.deleted_to);
        let (Some(stream), true) = (place.stream, after < place.newest) else {
            return Source::Nothing;
        };
        let before_tail = place.newest - place.tail.len() as u64;
        if place.tail.is_empty() || after < before_tail {
            return Source::Rows {
                stream,
                after,
                newest: place.newest,
            };
        }
        let skip = usize::try_from(after - before_tail).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        let mut bytes = 0;
        for (offset, event) in (after + 1..).zip(place.tail.iter().skip(skip)) {
            bytes += event.len();
            if out.len() == max_events || (!out.is_empty() && bytes > max_bytes) {
                break;
            }
            out.push(Record {
                offset,
                prev: offset - 1,
                event: event.clone(),
            });
        }
        Source::Memory(out)
    }

    /// What there is of a stream.
    pub(super) fn extent(&self, device: &Thumbprint) -> Extent {
        let (deleted_to, newest) = self
            .known(device)
            .map_or((0, 0), |place| (place.deleted_to, place.newest));
        Extent {
            oldest: deleted_to + 1,
            newest,
        }
    }

    /// Row of a stream.
    pub(super) fn stream(&self, device: &Thumbprint) -> Option<i64> {
        self.known(device)?.stream
    }

    /// Forgets records up to an offset, as far as there are any; answers the row and the offset when that is news.
    pub(super) fn delete(&mut self, device: &Thumbprint, to: u64) -> Option<(i64, u64)> {
        let place = self.all.get_mut(*self.by_device.get(device)?)?;
        let to = to.min(place.newest);
        if to <= place.deleted_to {
            return None;
        }
        place.deleted_to = to;
        self.tail_bytes -= place.forget_tail(to);
        Some((place.stream?, to))
    }

    /// Tells about arrivals from now on.
    pub(super) fn listen(&mut self, device: &Thumbprint) -> watch::Receiver<u64> {
        let place = self.place_of(device);
        let place = &mut self.all[place];
        place
            .arrivals
            .get_or_insert_with(|| watch::Sender::new(place.newest))
            .subscribe()
    }
}

impl Place {
    /// Answers how many bytes are let go.
    fn forget_tail(&mut self, to: u64) -> usize {
        let mut bytes = 0;
        let mut offset = self.newest + 1 - self.tail.len() as u64;
        while offset <= to
            && let Some(event) = self.tail.pop_front()
        {
            bytes += event.len();
            offset += 1;
        }
        bytes
    }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
