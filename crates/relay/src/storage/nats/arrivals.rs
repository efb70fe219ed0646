//! Waking: every node hears of every stored block, and tells those who listen to that device's stream.
//!
//! The server sends a note without content after it stored a block (`republish`). Notes may get lost: with the connection, in a
//! subscription that is too slow, between servers. So after each reconnection everybody who listens looks, and a node that did not hear
//! of a block by the next look at the stream's end does the same.
//! Invariant: nobody is woken before there is something to read, and nobody sleeps for ever over something that came.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::{HeaderMap, Subscriber, header};
use futures_util::StreamExt as _;
use shopbell_wire::Thumbprint;

use super::{
    events::{Events, NEWEST},
    link::failed,
};
use crate::storage::Stored;

/// How often a node looks whether it heard of everything.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Streams looked at at the same time.
const LOOKS_AT_ONCE: usize = 32;

/// What a node hears of.
pub(super) struct Notes {
    events: Arc<Events>,
    notes: Subscriber,
    heard: AtomicU64,
}

impl Notes {
    /// Begins to listen.
    pub(super) async fn open(events: &Arc<Events>) -> Stored<Self> {
        let subject = format!("{}*", events.notes());
        let notes = events
            .link
            .client
            .subscribe(subject)
            .await
            .map_err(failed("a subscription"))?;
        Ok(Self {
            events: Arc::clone(events),
            notes,
            heard: AtomicU64::new(0),
        })
    }

    /// Passes on what it hears until it is dropped.
    pub(super) async fn run(mut self) {
        let mut found = self.events.link.found();
        found.borrow_and_update();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut expected = 0;
        loop {
            tokio::select! {
                note = self.notes.next() => {
                    let Some(note) = note else { return };
                    let device = note.subject.strip_prefix(self.events.notes()).map(Thumbprint::parse);
                    if let (Some(Ok(device)), Some(headers)) = (device, note.headers) {
                        self.note(&device, &headers);
                    }
                }
                changed = found.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // Subscriptions are renewed in the same connection before this is answered.
                    let _ = self.end().await;
                    self.look().await;
                }
                _ = looks.tick() => {
                    if self.heard.load(Ordering::Relaxed) < expected {
                        tracing::debug!("a note was lost");
                        self.look().await;
                        self.heard.fetch_max(expected, Ordering::Relaxed);
                    }
                    expected = self.end().await.unwrap_or(0);
                }
            }
        }
    }

    fn note(&self, device: &Thumbprint, headers: &HeaderMap) {
        let number = |value: Option<&async_nats::HeaderValue>| -> u64 {
            value.and_then(|v| v.as_str().parse().ok()).unwrap_or(0)
        };
        let sequence = number(headers.get(header::NATS_SEQUENCE));
        self.heard.fetch_max(sequence, Ordering::Relaxed);
        if let Some(place) = self.events.known_place(device) {
            place.noted(sequence, number(headers.get(NEWEST)));
        }
    }

    async fn end(&self) -> Stored<u64> {
        let question = self.events.stream.get_info();
        let info = self
            .events
            .link
            .ask("the end of the stream", question)
            .await?;
        Ok(info.state.last_sequence)
    }

    async fn look(&self) {
        let listened = self
            .events
            .all_places()
            .into_iter()
            .filter(|place| place.is_listened_to());
        futures_util::stream::iter(listened)
            .for_each_concurrent(LOOKS_AT_ONCE, |place| async move {
                self.events.refresh(&place).await;
            })
            .await;
    }
}
