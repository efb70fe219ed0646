//! Deleting from devices' streams: what was acknowledged, what was kept for its time, everything on the owner's wish.
//!
//! The newest block of a device is never deleted alone: it carries the counter. When nothing is left to read, a block without records
//! takes the place of all before it in one step, so that what was acknowledged does not stay and offsets go on where they were.
//! Invariant: nothing is deleted that was not acknowledged, expired or to be dropped at the moment the server decided.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::message::PublishMessage;
use shopbell_wire::Thumbprint;

use super::{
    block::{Block, Head},
    events::{Events, NEWEST},
    link::{Pause, Published},
    place::{Place, Tail},
};
use crate::storage::Stored;

/// Acknowledgements of a device are gathered for so long.
const GATHER: Duration = Duration::from_secs(1);
/// A deletion gives up after this; the next acknowledgement brings the next one.
const DELETE_MAX: Duration = Duration::from_secs(10);
/// A counter is written anew after this time, so that the server's own age limit never takes it. Milliseconds.
const COUNTER_LIFE_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Blocks looked at at once.
const LOOK: usize = 64;
/// Bytes looked at at once.
const LOOK_BYTES: usize = 1024 * 1024;

/// What to do with the newest block.
enum Newest {
    /// Everything up to and with it goes.
    Replace,
    /// Nothing.
    Leave,
}

impl Events {
    /// See [`crate::storage::Streams::acknowledge`].
    pub(super) async fn acknowledge(
        self: &Arc<Self>,
        place: Arc<Place>,
        offset: u64,
    ) -> Stored<()> {
        if offset > place.newest() {
            let tail = self.fetch_tail(&place).await?;
            place.noted(tail.sequence, tail.newest());
        }
        if place.acknowledge(offset) {
            let events = Arc::clone(self);
            self.tasks.spawn(async move {
                loop {
                    tokio::select! {
                        () = tokio::time::sleep(GATHER) => {}
                        // Whoever stops deletes what is left, see `flush`.
                        () = events.stop.cancelled() => return,
                    }
                    match events.delete_acknowledged(&place).await {
                        Ok(()) => return,
                        Err(error) => {
                            tracing::warn!(%error, "acknowledged events are deleted later");
                            if !place.delete_later() {
                                return;
                            }
                        }
                    }
                }
            });
        }
        Ok(())
    }

    /// Deletes at once what was acknowledged, to the very record where no block came after it.
    pub(super) async fn flush(&self) -> Stored<()> {
        for place in self.all_places() {
            self.delete_acknowledged(&place).await?;
            self.trim(&place).await?;
        }
        Ok(())
    }

    /// Writes the newest block anew without what is acknowledged of it.
    async fn trim(&self, place: &Place) -> Stored<()> {
        let to = place.acknowledged();
        let _publishing = place.publishing.lock().await;
        let Some(newest) = self.link.last(&self.stream, &place.subject).await? else {
            return Ok(());
        };
        let block = Block::decode(&newest.payload)?;
        if !(block.first..block.last()).contains(&to) {
            return Ok(());
        }
        let tail = Tail {
            sequence: newest.sequence,
            head: Some(block.head()),
        };
        // Refused when something came after it: then it stays whole until it is acknowledged to its end.
        self.replace_all(place, &tail, &block.without(to)).await?;
        Ok(())
    }

    async fn delete_acknowledged(&self, place: &Place) -> Stored<()> {
        let Some(to) = place.to_delete() else {
            return Ok(());
        };
        let _permit = self.deletions.acquire().await;
        let everything = self
            .replace_newest(place, |head| match head.last <= to {
                true => Newest::Replace,
                false => Newest::Leave,
            })
            .await?;
        if !everything {
            let mut end = place.end_before(to);
            if end == 0 {
                end = self.find_end(place, |block| block.last() <= to).await?.0;
            }
            self.link.purge(&self.stream, &place.subject, end).await?;
        }
        place.deleted(to);
        Ok(())
    }

    /// See [`crate::storage::Streams::drop_stream`].
    pub(super) async fn drop_stream(&self, place: &Place) -> Stored<()> {
        self.replace_newest(place, |_| Newest::Replace).await?;
        place.acknowledge(u64::MAX);
        if let Some(to) = place.to_delete() {
            place.deleted(to);
        }
        Ok(())
    }

    /// Puts a counter in the place of everything, when the newest block is to be replaced. `true`: nothing is left to read.
    async fn replace_newest(
        &self,
        place: &Place,
        decide: impl Fn(&Head) -> Newest + Send + Sync,
    ) -> Stored<bool> {
        let mut pause = Pause::within(DELETE_MAX);
        loop {
            let publishing = place.publishing.lock().await;
            let tail = match place.tail() {
                Some(tail) => tail,
                None => {
                    let tail = self.fetch_tail(place).await?;
                    place.set_tail(tail.clone());
                    tail
                }
            };
            let Some(head) = &tail.head else {
                return Ok(true);
            };
            match decide(head) {
                Newest::Leave => return Ok(false),
                Newest::Replace if head.counter => return Ok(true),
                Newest::Replace => {}
            }
            let counter = Block::counter(head, head.received_ms);
            match self.replace_all(place, &tail, &counter).await? {
                Published::Stored { .. } => return Ok(true),
                Published::Behind | Published::Unknown => {
                    drop(publishing);
                    pause.wait().await?;
                }
            }
        }
    }

    /// Puts a block in the place of everything.
    async fn replace_all(&self, place: &Place, tail: &Tail, block: &Block) -> Stored<Published> {
        let message = PublishMessage::build()
            .header(async_nats::header::NATS_ROLLUP, "sub")
            .header(NEWEST, block.last().to_string());
        self.publish_after(place, tail, block, message).await
    }

    /// Looks through a stream from its beginning for as long as blocks are to go. Answers where the last of them is (0: none) and how
    /// many records they have.
    async fn find_end(
        &self,
        place: &Place,
        goes: impl Fn(&Block) -> bool + Send,
    ) -> Stored<(u64, u64)> {
        let (mut end, mut records) = (0, 0);
        // Mostly already the first one stays.
        let mut look = 1;
        loop {
            let (blocks, more) = self.blocks(place, end + 1, look, LOOK_BYTES).await?;
            look = LOOK;
            let none = blocks.is_empty();
            for (sequence, block) in blocks {
                if !goes(&block) {
                    return Ok((end, records));
                }
                end = sequence;
                records += block.events.len() as u64;
            }
            if !more || none {
                return Ok((end, records));
            }
        }
    }

    /// Devices that ever got an event.
    pub(super) async fn devices(&self) -> Stored<Vec<Thumbprint>> {
        let subjects = self
            .link
            .subjects(&self.stream, &self.all_subjects())
            .await?;
        Ok(subjects
            .iter()
            .filter_map(|subject| self.device_of(subject))
            .collect())
    }

    /// Deletes what a device was given before a time, everything when there is no such device any more. Answers how many records.
    pub(super) async fn expire(
        &self,
        device: &Thumbprint,
        before_ms: i64,
        exists: bool,
    ) -> Stored<u64> {
        let place = &*self.place(device);
        // What was acknowledged does not expire.
        self.delete_acknowledged(place).await?;
        let old = |block: &Block| !exists || block.received_ms < before_ms;
        let (end, records) = self.find_end(place, old).await?;
        if end == 0 {
            return Ok(0);
        }
        let publishing = place.publishing.lock().await;
        let tail = self.fetch_tail(place).await?;
        place.set_tail(tail.clone());
        let Some(head) = &tail.head else {
            return Ok(0);
        };
        if tail.sequence > end {
            self.link.purge(&self.stream, &place.subject, end).await?;
            return Ok(records);
        }
        // Everything is over. A counter of a device that is still there is written anew; of one that is gone it ends with the server's age.
        if head.counter && !exists {
            return Ok(0);
        }
        let until_ms = if exists {
            before_ms.saturating_add(COUNTER_LIFE_MS)
        } else {
            head.received_ms
        };
        let counter = Block::counter(head, until_ms);
        let published = self.replace_all(place, &tail, &counter).await?;
        drop(publishing);
        Ok(match published {
            Published::Stored { .. } => records,
            // Something came at this moment; the next run looks again.
            Published::Behind | Published::Unknown => 0,
        })
    }
}
