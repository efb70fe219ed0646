//! Appending: one block of a device on its way at a time per node; what comes meanwhile is the next block.
//!
//! Writers on all nodes put their blocks one after the other by saying which message they take for the newest of the subject; the
//! server refuses all but one of them. Who was refused reads the newest block and makes the block anew with the offsets after it.
//! Invariant: what is reported as appended is durable, and once. When nobody knows whether a block arrived, the newest block says so by
//! name before it is published again; a late arrival of the first attempt is refused, because the newest message is another one by then.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_nats::jetstream::message::PublishMessage;
use shopbell_wire::Thumbprint;
use tokio::sync::oneshot;

use super::{
    block::{self, Block},
    events::{Events, NEWEST},
    link::{Pause, Published},
    place::{Place, Tail, Waiting},
};
use crate::storage::{NewRecord, StorageError, Stored};

/// An append gives up after this.
const APPEND_MAX: Duration = Duration::from_secs(10);

impl Events {
    /// See [`crate::storage::Streams::append`].
    pub(super) async fn append(self: &Arc<Self>, records: Vec<NewRecord>) -> Stored<()> {
        let mut ends = Vec::new();
        for (device, records) in by_device(records) {
            let place = self.place(&device);
            let (done, end) = oneshot::channel();
            ends.push(end);
            if place.queue(Waiting { records, done }) {
                // Not in the caller's future: a caller that goes away must not take the records of others with it.
                self.tasks.spawn(Arc::clone(self).write(place));
            }
        }
        for end in ends {
            end.await
                .map_err(|_| StorageError::Other("the writer ended".into()))??;
        }
        Ok(())
    }

    async fn write(self: Arc<Self>, place: Arc<Place>) {
        while let Some(group) = place.next_group() {
            let mut records = Vec::new();
            let mut ends = Vec::with_capacity(group.len());
            for waiting in group {
                records.extend(waiting.records);
                ends.push(waiting.done);
            }
            let outcome = self.write_group(&place, records).await;
            for end in ends {
                let _ = end.send(match &outcome {
                    Ok(()) => Ok(()),
                    Err(error) => Err(again(error)),
                });
            }
        }
    }

    async fn write_group(&self, place: &Place, mut records: Vec<NewRecord>) -> Stored<()> {
        let mut fresh = HashSet::new();
        records.retain(|r| !self.is_recent(place, r.event_id) && fresh.insert(r.event_id));
        for block in block::cut(records, self.block_bytes) {
            self.write_block(place, &block).await?;
            for record in block {
                self.remember(place, record.event_id);
            }
        }
        Ok(())
    }

    async fn write_block(&self, place: &Place, records: &[NewRecord]) -> Stored<()> {
        let name = block::name_of(records);
        let mut pause = Pause::within(APPEND_MAX);
        let mut unknown = false;
        loop {
            let publishing = place.publishing.lock().await;
            let tail = match place.tail() {
                Some(tail) => tail,
                None => match self.fetch_tail(place).await {
                    Ok(tail) => {
                        place.set_tail(tail.clone());
                        tail
                    }
                    Err(error @ StorageError::Unreadable(_)) => return Err(error),
                    Err(_) => {
                        drop(publishing);
                        pause.wait().await?;
                        continue;
                    }
                },
            };
            if unknown && tail.head.as_ref().is_some_and(|head| head.follows(name)) {
                return Ok(());
            }
            let block = Block::after(tail.head.as_ref(), records);
            let message = PublishMessage::build()
                .message_id(format!("{}.{name:016x}", place.device))
                .header(NEWEST, block.last().to_string());
            match self.publish_after(place, &tail, &block, message).await? {
                Published::Stored { sequence, before } => {
                    if !before && place.is_listened_to() {
                        place.saw_end(block.last(), sequence);
                    }
                    return Ok(());
                }
                Published::Behind => pause.check()?,
                Published::Unknown => {
                    unknown = true;
                    drop(publishing);
                    pause.wait().await?;
                }
            }
        }
    }

    /// Publishes a block when `tail` is still the newest message. What is known of the newest block afterwards is in the place.
    pub(super) async fn publish_after(
        &self,
        place: &Place,
        tail: &Tail,
        block: &Block,
        message: PublishMessage,
    ) -> Stored<Published> {
        let message = message
            .expected_last_subject_sequence(tail.sequence)
            .payload(block.encode());
        let published = self.link.publish(&place.subject, message).await;
        match &published {
            Ok(Published::Stored {
                sequence,
                before: false,
            }) => place.set_tail(Tail {
                sequence: *sequence,
                head: Some(block.head()),
            }),
            _ => place.forget_tail(),
        }
        published
    }
}

/// Records by device, in the order of the call.
fn by_device(records: Vec<NewRecord>) -> Vec<(Thumbprint, Vec<NewRecord>)> {
    let mut out: Vec<(Thumbprint, Vec<NewRecord>)> = Vec::new();
    let mut at: std::collections::HashMap<Thumbprint, usize> = std::collections::HashMap::new();
    for record in records {
        match at.get(&record.device) {
            Some(at) => out[*at].1.push(record),
            None => {
                at.insert(record.device.clone(), out.len());
                out.push((record.device.clone(), vec![record]));
            }
        }
    }
    out
}

/// The same error for everybody who waited.
fn again(error: &StorageError) -> StorageError {
    match error {
        StorageError::Full => StorageError::Full,
        StorageError::Broken => StorageError::Broken,
        StorageError::Unreadable(what) => StorageError::Unreadable(what),
        other => StorageError::Other(other.to_string()),
    }
}
