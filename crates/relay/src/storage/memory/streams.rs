//! Each device's stream.

use std::collections::{BTreeSet, VecDeque};

use async_trait::async_trait;
use bytes::Bytes;
use shopbell_wire::Thumbprint;
use tokio::sync::watch;

use super::Memory;
use crate::storage::{Extent, NewRecord, Record, Stored, Streams};

/// Event ids of a stream that are remembered, so that a repeated append is known.
const REMEMBERED: usize = 1024;

pub(super) struct Stream {
    newest: u64,
    /// The last one is at `newest`.
    records: VecDeque<(i64, Bytes)>,
    ids: VecDeque<[u8; 16]>,
    arrivals: watch::Sender<u64>,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            newest: 0,
            records: VecDeque::new(),
            ids: VecDeque::new(),
            arrivals: watch::Sender::new(0),
        }
    }
}

impl Stream {
    fn oldest(&self) -> u64 {
        self.newest + 1 - self.records.len() as u64
    }

    fn delete_to(&mut self, offset: u64) {
        while self.oldest() <= offset && self.records.pop_front().is_some() {}
    }
}

#[async_trait]
impl Streams for Memory {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    async fn append(&self, records: Vec<NewRecord>) -> Stored<()> {
        let mut held = self.held();
        let mut grown = BTreeSet::new();
        for record in records {
            let stream = held.streams.entry(record.device.clone()).or_default();
            if stream.ids.contains(&record.event_id) {
                continue;
            }
            stream.ids.push_back(record.event_id);
            if stream.ids.len() > REMEMBERED {
                stream.ids.pop_front();
            }
            stream.newest += 1;
            stream.records.push_back((record.received_ms, record.event));
            grown.insert(record.device);
        }
        for device in grown {
            if let Some(stream) = held.streams.get(&device) {
                stream.arrivals.send_replace(stream.newest);
            }
        }
        Ok(())
    }

    async fn read(
        &self,
        device: &Thumbprint,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Stored<Vec<Record>> {
        let held = self.held();
        let Some(stream) = held.streams.get(device) else {
            return Ok(Vec::new());
        };
        let mut out = Vec::new();
        let mut bytes = 0;
        for (offset, (_, event)) in (stream.oldest()..).zip(&stream.records) {
            if offset <= after {
                continue;
            }
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
        Ok(out)
    }

    async fn extent(&self, device: &Thumbprint) -> Stored<Extent> {
        let held = self.held();
        let (oldest, newest) = held
            .streams
            .get(device)
            .map_or((1, 0), |stream| (stream.oldest(), stream.newest));
        Ok(Extent { oldest, newest })
    }

    async fn acknowledge(&self, device: &Thumbprint, offset: u64) -> Stored<()> {
        if let Some(stream) = self.held().streams.get_mut(device) {
            stream.delete_to(offset);
        }
        Ok(())
    }

    async fn arrivals(&self, device: &Thumbprint) -> Stored<watch::Receiver<u64>> {
        let mut held = self.held();
        let stream = held.streams.entry(device.clone()).or_default();
        Ok(stream.arrivals.subscribe())
    }

    async fn expire(&self, before_ms: i64) -> Stored<u64> {
        let mut held = self.held();
        let mut expired = 0;
        let held = &mut *held;
        for (device, stream) in &mut held.streams {
            let lives = held.devices.contains_key(device);
            let is_old = |(received_ms, _): &(i64, Bytes)| !lives || *received_ms < before_ms;
            while stream.records.front().is_some_and(is_old) {
                stream.records.pop_front();
                expired += 1;
            }
        }
        Ok(expired)
    }

    async fn drop_stream(&self, device: &Thumbprint) -> Stored<()> {
        self.acknowledge(device, u64::MAX).await
    }
}
