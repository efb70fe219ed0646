//! The stream of events: one JetStream stream for all devices, one subject per device, blocks as messages. Here: how it is made, found
//! and read. Writing is in [`super::writer`], deleting in [`super::deletion`], waking in [`super::arrivals`].
//!
//! Invariant: a read gives records in order and without leaving any out that this node has heard of, although in a cluster the server
//! that answers may lag behind the leader.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::stream::{Config, DiscardPolicy, Republish, StorageType, Stream};
use shopbell_wire::Thumbprint;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    address::Address,
    block::Block,
    link::Link,
    place::{Place, Tail},
};
use crate::storage::{Extent, Record, Stored};

/// The server deletes what is older by itself: a net far below ours, for streams nobody expires any more.
const SERVER_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// How long the server remembers names of messages. Blocks do not rely on it.
const SERVER_NAMES: Duration = Duration::from_secs(120);
/// Header with the newest offset of a block, for those who only hear that it came.
pub(super) const NEWEST: &str = "Shopbell-Newest";
/// Largest block, unless one event is larger.
const BLOCK_BYTES: usize = 512 * 1024;
/// Blocks asked for at once.
const READ_BLOCKS: usize = 256;
/// Bytes asked for at once, at least.
const READ_BYTES: usize = 64 * 1024;
/// Bytes asked for at once, at most.
const READ_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Event ids that are remembered, so that a repeated append is known.
const REMEMBERED: usize = 16 * 1024;
/// Deletions on their way at once; events come first.
const DELETIONS: usize = 4;

/// Shared by everything that reads, writes or deletes.
pub(super) struct Events {
    pub(super) link: Arc<Link>,
    pub(super) stream: Stream,
    /// Largest block.
    pub(super) block_bytes: usize,
    /// One permit per deletion on its way.
    pub(super) deletions: Semaphore,
    /// Writers and deletions; nothing is left running after the end.
    pub(super) tasks: TaskTracker,
    /// Ends what waits.
    pub(super) stop: CancellationToken,
    name: String,
    subjects: String,
    notes: String,
    places: Mutex<HashMap<Thumbprint, Arc<Place>>>,
    next_id: AtomicU64,
    recent: Mutex<Recent>,
}

#[derive(Default)]
struct Recent {
    ids: HashSet<(u64, [u8; 16])>,
    in_order: VecDeque<(u64, [u8; 16])>,
}

impl Events {
    /// Opens or makes the stream.
    pub(super) async fn open(
        link: &Arc<Link>,
        address: &Address,
        stop: CancellationToken,
    ) -> Stored<Self> {
        let prefix = &address.prefix;
        let name = format!("{prefix}_events");
        let notes = format!("{prefix}.live.");
        let stream = link
            .stream(Config {
                name: name.clone(),
                subjects: vec![format!("{prefix}.ev.*")],
                storage: StorageType::File,
                num_replicas: address.replicas,
                max_age: SERVER_AGE,
                duplicate_window: SERVER_NAMES,
                discard: DiscardPolicy::New,
                allow_rollup: true,
                allow_direct: true,
                republish: Some(Republish {
                    source: format!("{prefix}.ev.*"),
                    destination: format!("{notes}{{{{wildcard(1)}}}}"),
                    headers_only: true,
                }),
                ..Config::default()
            })
            .await?;
        Ok(Self {
            link: Arc::clone(link),
            stream,
            block_bytes: BLOCK_BYTES,
            deletions: Semaphore::new(DELETIONS),
            tasks: TaskTracker::new(),
            stop,
            name,
            subjects: format!("{prefix}.ev."),
            notes,
            places: Mutex::default(),
            next_id: AtomicU64::new(1),
            recent: Mutex::default(),
        })
    }

    /// Subject of a device.
    pub(super) fn subject(&self, device: &Thumbprint) -> String {
        format!("{}{device}", self.subjects)
    }

    /// The device of a subject below a prefix.
    pub(super) fn device_of(&self, subject: &str) -> Option<Thumbprint> {
        Thumbprint::parse(subject.strip_prefix(&self.subjects)?).ok()
    }

    /// Subjects of all devices.
    pub(super) fn all_subjects(&self) -> String {
        format!("{}*", self.subjects)
    }

    /// Subjects the server tells on that a block was stored; what stands in front of the device.
    pub(super) fn notes(&self) -> &str {
        &self.notes
    }

    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<Thumbprint, Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this node knows of a device's stream.
    pub(super) fn place(&self, device: &Thumbprint) -> Arc<Place> {
        let mut places = self.places();
        if let Some(place) = places.get(device) {
            return Arc::clone(place);
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let place = Arc::new(Place::new(id, device.clone(), self.subject(device)));
        places.insert(device.clone(), Arc::clone(&place));
        place
    }

    /// The same, when it knows anything.
    pub(super) fn known_place(&self, device: &Thumbprint) -> Option<Arc<Place>> {
        self.places().get(device).cloned()
    }

    /// All of them.
    pub(super) fn all_places(&self) -> Vec<Arc<Place>> {
        self.places().values().cloned().collect()
    }

    /// Forgets devices nobody here has to do with.
    pub(super) fn tidy(&self) {
        self.places()
            .retain(|_, place| Arc::strong_count(place) > 1 || !place.is_idle());
    }

    /// Whether this node appended the event to this stream a moment ago.
    pub(super) fn is_recent(&self, place: &Place, event_id: [u8; 16]) -> bool {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.ids.contains(&(place.id, event_id))
    }

    /// Remembers an appended event.
    pub(super) fn remember(&self, place: &Place, event_id: [u8; 16]) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let id = (place.id, event_id);
        if recent.ids.insert(id) {
            recent.in_order.push_back(id);
        }
        if recent.in_order.len() > REMEMBERED
            && let Some(oldest) = recent.in_order.pop_front()
        {
            recent.ids.remove(&oldest);
        }
    }

    /// The newest block, from the stream's leader.
    pub(super) async fn fetch_tail(&self, place: &Place) -> Stored<Tail> {
        let message = self.link.last(&self.stream, &place.subject).await?;
        Ok(match message {
            Some(message) => Tail {
                sequence: message.sequence,
                head: Some(Block::decode(&message.payload)?.head()),
            },
            None => Tail {
                sequence: 0,
                head: None,
            },
        })
    }

    /// Learns what another node may have written.
    pub(super) async fn refresh(&self, place: &Place) {
        match self.fetch_tail(place).await {
            Ok(tail) => place.noted(tail.sequence, tail.newest()),
            Err(_) => place.wake(),
        }
    }

    /// See [`crate::storage::Streams::extent`].
    pub(super) async fn extent(&self, place: &Place) -> Stored<Extent> {
        let tail = self.fetch_tail(place).await?;
        place.noted(tail.sequence, tail.newest());
        let newest = tail.newest();
        let oldest = match &tail.head {
            None => 1,
            Some(head) if head.counter => newest + 1,
            Some(_) => match self.link.next(&self.stream, &place.subject, 1).await? {
                Some(first) => Block::decode(&first.payload)?.first,
                None => newest + 1,
            },
        };
        Ok(Extent {
            oldest: oldest.max(place.acknowledged() + 1).min(newest + 1),
            newest,
        })
    }

    /// Blocks from a place of the stream on.
    pub(super) async fn blocks(
        &self,
        place: &Place,
        from: u64,
        count: usize,
        max_bytes: usize,
    ) -> Stored<(Vec<(u64, Block)>, bool)> {
        let batch = self
            .link
            .batch(
                &self.name,
                &place.subject,
                from,
                count.min(READ_BLOCKS),
                max_bytes.clamp(READ_BYTES, READ_BYTES_MAX),
            )
            .await?;
        let mut messages = batch.messages;
        let reached = messages
            .last()
            .map_or(from.saturating_sub(1), |(at, _)| *at);
        let mut more = batch.more;
        if !more && reached < place.known() {
            // The server that answered has not everything yet; the leader has.
            if let Some(next) = self
                .link
                .next(&self.stream, &place.subject, reached + 1)
                .await?
            {
                messages.push((next.sequence, next.payload));
                more = true;
            }
        }
        let mut blocks = Vec::with_capacity(messages.len());
        for (sequence, bytes) in messages {
            let block = Block::decode(&bytes)?;
            if !block.is_counter() {
                place.saw_end(block.last(), sequence);
            }
            blocks.push((sequence, block));
        }
        Ok((blocks, more))
    }

    /// See [`crate::storage::Streams::read`].
    pub(super) async fn read(
        &self,
        place: &Place,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Stored<Vec<Record>> {
        let after = after.max(place.acknowledged());
        let mut from = place.end_before(after) + 1;
        let mut out: Vec<Record> = Vec::new();
        let mut bytes = 0;
        while out.len() < max_events {
            let (blocks, more) = self
                .blocks(
                    place,
                    from,
                    max_events - out.len(),
                    max_bytes.saturating_sub(bytes),
                )
                .await?;
            for (sequence, block) in blocks {
                from = sequence + 1;
                for record in block.records_after(after) {
                    let with = bytes + record.event.len();
                    if out.len() == max_events || (with > max_bytes && !out.is_empty()) {
                        return Ok(out);
                    }
                    bytes = with;
                    out.push(record);
                }
            }
            if !more || (bytes >= max_bytes && !out.is_empty()) {
                break;
            }
        }
        Ok(out)
    }
}
