//! What an operator can count: one registry per relay, in the text format of OpenMetrics, which Prometheus reads.
//!
//! Invariant: a label is a word of this file. No owner, account, device, address or hook ever becomes one, so the figures tell nothing
//! about anybody and their number is fixed. Every word exists from the start with 0: a rule that watches one need not guess its name.
//! Counting takes no lock and never fails. Deciding anything by a figure does not belong here.

mod counts;
pub(crate) mod page;
mod words;

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

pub(crate) use counts::{Counts, Grid};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
pub(crate) use words::{
    ConnectionOutcome, EntryOutcome, GapKind, HookOutcome, HookWord, Limit, MediaOutcome,
    NoticeKind, SecretWord, StorageWork, StreamEnd, WebhookOutcome, Word,
};

/// Upper ends of the append histogram: a page-cache write is below the first, a disk that stalls above the last.
const APPEND_SECONDS: [f64; 12] = [
    0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.5, 1.0, 2.0,
];

/// The figures of one relay.
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests at `/webhooks/meta`.
    pub(crate) webhooks: Counts<WebhookOutcome>,
    /// Entries of accepted webhooks, each once however many devices get it.
    pub(crate) entries: Counts<EntryOutcome>,
    /// Which secret a signature of Meta matched: an old one that still counts up may not be removed yet.
    pub(crate) signed_by: Counts<SecretWord>,
    /// Deauthorize and deletion callbacks.
    pub(crate) notices: Counts<NoticeKind>,
    /// Requests at hooks.
    pub(crate) hooks: Grid<HookWord, HookOutcome>,
    /// Pictures on their way out.
    pub(crate) media: Counts<MediaOutcome>,
    /// Calls of [`crate::storage::Streams::append`].
    pub(crate) appends: Counter,
    /// Records in them.
    pub(crate) appended_records: Counter,
    append_seconds: Histogram,
    /// Records written to streams' sockets.
    pub(crate) delivered: Counter,
    /// Records deleted because their device has them.
    pub(crate) acknowledged: Counter,
    /// Records deleted because they were kept for their time.
    pub(crate) expired: Counter,
    /// Devices unbound because they were silent.
    pub(crate) silent_devices: Counter,
    /// Streams open at this moment.
    pub(crate) streams_open: Gauge,
    /// Why streams ended.
    pub(crate) stream_ends: Counts<StreamEnd>,
    /// Gaps that were told to a device.
    pub(crate) gaps: Counts<GapKind>,
    /// Callers that were asked to wait.
    pub(crate) limits: Counts<Limit>,
    /// Work of the storage that failed.
    pub(crate) storage_errors: Counts<StorageWork>,
    /// Sockets open at this moment.
    pub(crate) connections_open: Gauge,
    /// What became of sockets.
    pub(crate) connections: Counts<ConnectionOutcome>,
    /// When the TLS certificate ends, seconds since 1970; 0 without one.
    pub(crate) certificate_ends: Gauge<i64, AtomicI64>,
    /// When the relay started, seconds since 1970.
    pub(crate) started: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// All at 0.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("shopbell_relay");
        let r = &mut registry;
        Self {
            webhooks: Counts::new(r, "webhooks", "Requests of Meta at the webhook address"),
            entries: Counts::new(r, "entries", "Entries of accepted webhooks"),
            signed_by: Counts::new(r, "signed_by", "Secret that a signature of Meta matched"),
            notices: Counts::new(r, "notices", "Deauthorize and deletion callbacks of Meta"),
            hooks: Grid::new(r, "hooks", "Requests of shops and websites"),
            media: Counts::new(r, "media", "Pictures on their way to Meta"),
            appends: counter(r, "appends", "Durable writes to streams"),
            appended_records: counter(r, "appended_records", "Sealed events written to streams"),
            append_seconds: seconds(r, "append", "Time until a write to streams was durable"),
            delivered: counter(r, "delivered_records", "Sealed events sent to devices"),
            acknowledged: counter(
                r,
                "acknowledged_records",
                "Sealed events that devices confirmed",
            ),
            expired: counter(
                r,
                "expired_records",
                "Sealed events deleted at the end of their time",
            ),
            silent_devices: counter(
                r,
                "silent_devices",
                "Devices unbound because they were silent",
            ),
            streams_open: gauge(r, "streams_open", "Streams open now"),
            stream_ends: Counts::new(r, "stream_ends", "Streams that ended"),
            gaps: Counts::new(r, "gaps", "Gaps told to a device"),
            limits: Counts::new(r, "limited", "Callers asked to wait"),
            storage_errors: Counts::new(r, "storage_errors", "Work of the storage that failed"),
            connections_open: gauge(r, "connections_open", "Sockets open now"),
            connections: Counts::new(r, "connections", "What became of sockets"),
            certificate_ends: timestamp(r, "certificate_end", "End of the TLS certificate"),
            started: timestamp(r, "start", "Start of the relay"),
            registry,
        }
    }

    /// A write to streams became durable.
    pub(crate) fn appended(&self, records: usize, took: Duration) {
        self.appends.inc();
        self.appended_records.inc_by(records as u64);
        self.append_seconds.observe(took.as_secs_f64());
    }

    /// Everything as text. Empty only when formatting failed, which writing to memory does not.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        match prometheus_client::encoding::text::encode(&mut out, &self.registry) {
            Ok(()) => out,
            Err(_) => String::new(),
        }
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn timestamp<N, A>(registry: &mut Registry, name: &str, help: &str) -> Gauge<N, A>
where
    Gauge<N, A>: prometheus_client::registry::Metric + Default + Clone,
{
    let gauge = Gauge::<N, A>::default();
    registry.register_with_unit(
        name,
        help,
        Unit::Other("timestamp_seconds".into()),
        gauge.clone(),
    );
    gauge
}

fn seconds(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let histogram = Histogram::new(APPEND_SECONDS);
    registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
