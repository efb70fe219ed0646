#![allow(clippy::unwrap_used)]

mod double;
mod ending;
mod hostile;
mod living;

use super::{RelayState, RelayStatus, run, status};
use crate::{Endpoints, Profile, events::testing::Shop, profile::testing::profile};
use double::{Double, Peer};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// A shop whose computer listens to a relay.
struct Scene {
    shop: Shop,
    relay: Double,
    stop: CancellationToken,
    listening: JoinHandle<()>,
}

impl Scene {
    /// Listens from now on; nothing was connected yet.
    async fn open() -> Self {
        let relay = Double::start().await;
        let nowhere = Url::parse("http://127.0.0.1:9/").unwrap();
        let endpoints = Endpoints::sandbox(&nowhere, relay.base.clone()).unwrap();
        let shop = Shop::in_profile(profile(endpoints).await).await;
        let stop = CancellationToken::new();
        let listening = tokio::spawn(run(Arc::clone(&shop.opened.profile), stop.clone()));
        Self {
            shop,
            relay,
            stop,
            listening,
        }
    }

    fn profile(&self) -> &Arc<Profile> {
        &self.shop.opened.profile
    }

    /// Events of the bakery, as the relay keeps them.
    fn events(&mut self, mids: &[&str]) -> Vec<Vec<u8>> {
        use crate::events::testing::{BAKERY, says};
        mids.iter()
            .map(|mid| {
                self.shop
                    .sealing
                    .meta(BAKERY, &says(BAKERY, "7011", mid, "Hallo"))
            })
            .collect()
    }

    /// Ends once the stream stands as asked for; answers how.
    async fn until(&self, fits: impl Fn(&RelayStatus) -> bool) -> RelayStatus {
        let mut changes = self.profile().parts.changes.listen();
        loop {
            let now = status(self.profile()).await.unwrap();
            if fits(&now) {
                return now;
            }
            let _ = changes.recv().await;
        }
    }

    /// Ends once it waits for the next try; answers why.
    async fn until_waiting(&self) -> String {
        let now = self.until(|now| now.state == RelayState::Waiting).await;
        now.reason.unwrap().code
    }

    /// The pause before the next try is over. The task sleeps already: it said that it waits before it went to sleep.
    async fn pause_is_over(&self) {
        let at_ms = self
            .until(|now| now.retry_at_ms.is_some())
            .await
            .retry_at_ms
            .unwrap();
        self.shop.opened.clock.until_waiting(1).await;
        let left = u64::try_from(at_ms - self.profile().now_ms()).unwrap();
        self.shop
            .opened
            .clock
            .advance(std::time::Duration::from_millis(left));
    }

    /// Ends once everything up to `offset` is on disk and acknowledged.
    async fn acknowledged(&self, peer: &mut Peer, offset: u64) {
        self.until(|now| now.committed == i64::try_from(offset).unwrap())
            .await;
        let pace = std::time::Duration::from_millis(shopbell_wire::ACK_MS);
        self.shop.opened.clock.advance(pace);
        while peer.ack().await != offset {}
    }

    async fn mids(&self) -> Vec<String> {
        self.shop
            .look("SELECT mid FROM messages ORDER BY mid")
            .await
    }

    /// The profile closes.
    async fn close(self) {
        self.stop.cancel();
        self.listening.await.unwrap();
        self.shop.opened.profile.close().await;
    }
}
