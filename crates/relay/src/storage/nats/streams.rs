//! Devices' streams, as the rest of the relay asks for them.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use shopbell_wire::Thumbprint;
use tokio::sync::watch;

use super::Nats;
use crate::storage::{Extent, NewRecord, Record, Stored, Streams};

/// Devices whose streams are looked through at the same time.
const EXPIRED_AT_ONCE: usize = 4;

#[async_trait]
impl Streams for Nats {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    async fn append(&self, records: Vec<NewRecord>) -> Stored<()> {
        self.events.append(records).await
    }

    async fn read(
        &self,
        device: &Thumbprint,
        after: u64,
        max_events: usize,
        max_bytes: usize,
    ) -> Stored<Vec<Record>> {
        let place = self.events.place(device);
        self.events.read(&place, after, max_events, max_bytes).await
    }

    async fn extent(&self, device: &Thumbprint) -> Stored<Extent> {
        self.events.extent(&self.events.place(device)).await
    }

    async fn acknowledge(&self, device: &Thumbprint, offset: u64) -> Stored<()> {
        let place = self.events.place(device);
        self.events.acknowledge(place, offset).await
    }

    async fn arrivals(&self, device: &Thumbprint) -> Stored<watch::Receiver<u64>> {
        let place = self.events.place(device);
        let arrivals = place.listen();
        // From here on the node knows how far a read has to get.
        let tail = self.events.fetch_tail(&place).await?;
        place.noted(tail.sequence, tail.newest());
        Ok(arrivals)
    }

    async fn expire(&self, before_ms: i64) -> Stored<u64> {
        let devices = self.events.devices().await?;
        let expired = futures_util::stream::iter(devices)
            .map(|device| async move {
                // This node may not have heard of a device that was bound a moment ago.
                let exists = self.registry.device(&device).is_some()
                    || self.devices.row(device.as_str()).await?.value.is_some();
                self.events.expire(&device, before_ms, exists).await
            })
            .buffer_unordered(EXPIRED_AT_ONCE)
            .try_fold(0, |all, one| std::future::ready(Ok(all + one)))
            .await;
        self.events.tidy();
        expired
    }

    async fn drop_stream(&self, device: &Thumbprint) -> Stored<()> {
        self.events.drop_stream(&self.events.place(device)).await
    }
}
