//! The storage of many relays that work as one: NATS JetStream. Any node takes events in for any device and gives them out.
//!
//! What a device has to be given lies in one stream ([`events`]), everything else in tables with compare-and-swap ([`table`]). Every node
//! has the bindings, the answering leases' holders and the hooks in memory and hears of changes.
//! Invariant: the servers sync before they answer, or the relay does not start. What this node changed, it sees at once; what another node
//! changed, it sees as soon as it hears of it; every decision is made on the newest row, wherever it was written.
//!
//! Not here: what rows and events mean, and when they are deleted.

mod address;
mod answering;
mod arrivals;
mod bindings;
mod block;
mod deletion;
mod events;
mod extras;
mod link;
mod media;
mod mirror;
mod monitor;
mod place;
mod registry;
mod signins;
mod streams;
mod table;
#[cfg(test)]
mod test_line;
#[cfg(test)]
mod test_server;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::{
    address::Address,
    answering::Holders,
    arrivals::Notes,
    events::Events,
    extras::Hooks,
    link::Link,
    registry::Registry,
    table::{Table, Told, parse},
};
use super::{Storage, StorageError, Stored, changes::Changes};
use crate::{Entropy, clock};

/// Used marks, codes and pictures go by themselves after this. Longer than any of them is good for.
const PASSING_LIFE: Duration = Duration::from_secs(60 * 60);
/// Rows that stay until they are deleted.
const LASTING: Duration = Duration::ZERO;
/// Key of the storage's random name.
const EPOCH: &str = "epoch";

/// Handle on the servers.
pub(crate) struct Nats {
    link: Arc<Link>,
    events: Arc<Events>,
    epoch: String,
    used: Table,
    codes: Table,
    facts: Table,
    devices: Arc<Table>,
    answering: Arc<Table>,
    hook_rows: Arc<Table>,
    media: Table,
    deletions: Table,
    changes: Arc<Changes>,
    registry: Arc<Registry>,
    holders: Arc<Holders>,
    hooks: Arc<Hooks>,
    /// What was over by then counts as gone.
    purged_to: AtomicI64,
    uploads: AtomicU64,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Nats {
    /// Connects, makes what is missing and reads what has to be in memory.
    pub(crate) async fn open(address: &str, entropy: &dyn Entropy) -> Stored<Self> {
        let address = Address::parse(address)?;
        let fresh = || hex::encode(clock::random::<16>(entropy));
        let (node, epoch) = (fresh(), fresh());
        let link = Arc::new(Link::open(&address, node).await?);
        let stop = CancellationToken::new();
        let events = Arc::new(Events::open(&link, &address, stop.clone()).await?);
        let table = |name, life| Table::open(&link, &address.prefix, address.replicas, name, life);
        let facts = table("facts", LASTING).await?;
        let changes = Arc::new(Changes::default());
        let nats = Self {
            epoch: name(&facts, &events, epoch).await?,
            used: table("used", PASSING_LIFE).await?,
            codes: table("codes", PASSING_LIFE).await?,
            facts,
            devices: Arc::new(table("devices", LASTING).await?),
            answering: Arc::new(table("answering", LASTING).await?),
            hook_rows: Arc::new(table("hooks", LASTING).await?),
            media: table("media", PASSING_LIFE).await?,
            deletions: table("deletions", LASTING).await?,
            registry: Arc::new(Registry::new(Arc::clone(&changes))),
            changes,
            holders: Arc::default(),
            hooks: Arc::default(),
            purged_to: AtomicI64::new(i64::MIN),
            uploads: AtomicU64::new(0),
            link,
            events,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        };
        let notes = Notes::open(&nats.events).await?;
        nats.run(async move { notes.run().await });
        nats.follow_all().await?;
        Ok(nats)
    }

    /// Follows the tables that are in memory; returns when they are.
    async fn follow_all(&self) -> Stored<()> {
        let registry = Arc::clone(&self.registry);
        let devices = self.follow(&self.devices, move |told| match told {
            Told::Row {
                key,
                revision,
                value,
            } => {
                if let (Ok(device), Some(row)) =
                    (shopbell_wire::Thumbprint::parse(&key), readable(value))
                {
                    registry.apply(&device, revision, row);
                }
            }
            Told::All { revision } => registry.complete(revision),
        });
        let (holders, changes) = (Arc::clone(&self.holders), Arc::clone(&self.changes));
        let answering = self.follow(&self.answering, move |told| match told {
            Told::Row {
                key,
                revision,
                value,
            } => {
                if let Some(row) = readable(value) {
                    holders.apply(&changes, &key, revision, row);
                }
            }
            Told::All { revision } => holders.complete(&changes, revision),
        });
        let hooks = Arc::clone(&self.hooks);
        let hooks = self.follow(&self.hook_rows, move |told| match told {
            Told::Row {
                key,
                revision,
                value,
            } => {
                if let Some(row) = readable(value) {
                    hooks.apply(&key, revision, row);
                }
            }
            Told::All { revision } => hooks.complete(revision),
        });
        for mut complete in [devices, answering, hooks] {
            complete
                .wait_for(|complete| *complete)
                .await
                .map_err(|_| StorageError::Other("a feed ended".into()))?;
        }
        Ok(())
    }

    fn follow(
        &self,
        table: &Arc<Table>,
        mut tell: impl FnMut(Told) + Send + 'static,
    ) -> watch::Receiver<bool> {
        let (complete, receiver) = watch::channel(false);
        let table = Arc::clone(table);
        self.run(async move {
            table
                .follow(|told| {
                    let all = matches!(told, Told::All { .. });
                    tell(told);
                    if all {
                        complete.send_replace(true);
                    }
                })
                .await;
        });
        receiver
    }

    /// Runs until the storage is closed or dropped.
    fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.events.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// A name no other upload of any node has.
    fn upload(&self) -> String {
        let upload = self.uploads.fetch_add(1, Ordering::Relaxed);
        format!("{}-{upload}", self.link.node)
    }
}

/// A row of a feed; nothing (and a line in the log) when it cannot be read: one bad row must not hide the others.
fn readable<T: serde::de::DeserializeOwned>(value: Option<bytes::Bytes>) -> Option<Option<T>> {
    match value.as_ref().map(parse).transpose() {
        Ok(row) => Some(row),
        Err(error) => {
            tracing::error!(%error, "a feed");
            None
        }
    }
}

/// The storage's name: made at the first start, and another one when the stream of events was made anew.
async fn name(facts: &Table, events: &Events, fresh: String) -> Stored<String> {
    let name = facts
        .change(EPOCH, |name: Option<String>| match name {
            Some(name) => table::Decision::Keep(name),
            None => table::Decision::Put(fresh.clone(), fresh.clone()),
        })
        .await?
        .answer;
    let made = events.stream.cached_info().created.unix_timestamp_nanos();
    Ok(format!("{name}.{made:x}"))
}

#[async_trait]
impl Storage for Nats {
    async fn ready(&self) -> bool {
        let state = self.link.client.connection_state();
        state == async_nats::connection::State::Connected
            && self
                .facts
                .row(EPOCH)
                .await
                .is_ok_and(|row| row.value.is_some())
    }

    async fn purge(&self, now_ms: i64) -> Stored<()> {
        self.purged_to.fetch_max(now_ms, Ordering::Relaxed);
        self.purge_codes(now_ms).await?;
        self.purge_media(now_ms).await?;
        self.purge_bindings(now_ms).await
    }

    async fn flush(&self) -> Stored<()> {
        self.events.flush().await
    }

    async fn close(&self) {
        if let Err(error) = self.events.flush().await {
            tracing::warn!(%error, "acknowledged events stay until they expire");
        }
        self.stop.cancel();
        self.events.tasks.close();
        self.events.tasks.wait().await;
        let _ = self.link.client.flush().await;
    }
}

#[cfg(test)]
mod nodes_tests;
#[cfg(test)]
#[path = "nats_tests.rs"]
mod tests;
