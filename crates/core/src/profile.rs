//! An open profile: the owner's own, or the sample shop. Holds the rooms of the core together and starts their tasks.
//!
//! Invariant: it exists only while the database is open and the master key is known. Rooms take `&Profile` (or `Arc<Profile>` for
//! tasks); they never hold one another.

use crate::{
    Changes, Clock, Endpoints, Entropy,
    accounts::Accounts,
    api::types::ProfileKind,
    contacts::Contacts,
    jobs,
    media::Media,
    outbox::Outbox,
    platform::GraphClient,
    relay_client::{
        RelayClient,
        stream::{self, Stream},
    },
    store::Store,
    sync::Sync,
    vault::Vault,
};
use std::{path::PathBuf, sync::Arc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What every room may need and nobody owns.
#[derive(Clone)]
pub struct Parts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Addresses.
    pub endpoints: Endpoints,
    /// Who to tell after a commit.
    pub changes: Changes,
}

/// An open profile.
pub struct Profile {
    /// Main or sample.
    pub kind: ProfileKind,
    /// Its folder.
    pub dir: PathBuf,
    /// Clock, randomness, addresses, changes.
    pub parts: Parts,
    /// The encrypted database.
    pub store: Store,
    /// Keys and secrets.
    pub vault: Vault,
    /// Meta's Graph API: budgets, clock offset.
    pub graph: GraphClient,
    /// The relay.
    pub relay: RelayClient,
    /// The stream of events from the relay.
    pub stream: Stream,
    /// Tokens in memory.
    pub accounts: Accounts,
    /// Profile fetches in flight.
    pub contacts: Contacts,
    /// Pictures in memory.
    pub media: Media,
    /// Progress and wake-ups of fetching.
    pub sync: Sync,
    /// Wake-ups of sending.
    pub outbox: Outbox,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Profile {
    /// Puts the rooms together. Nothing runs until [`Profile::start`].
    pub fn new(kind: ProfileKind, dir: PathBuf, parts: Parts, store: Store, vault: Vault) -> Self {
        Self {
            kind,
            dir,
            graph: GraphClient::new(&parts),
            relay: RelayClient::new(&parts),
            stream: Stream::new(&parts),
            accounts: Accounts::new(&parts),
            contacts: Contacts::new(&parts),
            media: Media::new(&parts),
            sync: Sync::new(&parts),
            outbox: Outbox::new(&parts),
            parts,
            store,
            vault,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// UTC ms of the injected clock.
    pub fn now_ms(&self) -> i64 {
        self.parts.clock.now_ms()
    }

    /// Starts listening, fetching, sending and due jobs. The sample shop starts none of them: it never speaks to anybody.
    pub fn start(self: &Arc<Self>) {
        if self.kind == ProfileKind::Sample {
            return;
        }
        stream::before_start(self);
        self.spawn(stream::run(Arc::clone(self), self.stop.child_token()));
        self.spawn(crate::accounts::run(
            Arc::clone(self),
            self.stop.child_token(),
        ));
        self.spawn(crate::sync::run(Arc::clone(self), self.stop.child_token()));
        self.spawn(crate::outbox::run(
            Arc::clone(self),
            self.stop.child_token(),
        ));
        self.spawn(jobs::run(Arc::clone(self), self.stop.child_token()));
    }

    /// Runs a task that [`Profile::close`] waits for. It must end soon after [`Profile::stopping`] fires.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Fires when the profile is being closed.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Stops the tasks, waits for them, then closes readers and writer in that order.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.store.close().await;
    }
}

#[cfg(test)]
#[path = "profile_testing.rs"]
pub mod testing;
