//! Fetching conversations: first sync, looking for news, comparing with the platform.
//!
//! Plan, then do: [`plan`] decides from what is stored and the time; one task per account does it and begins again. [`remote`] is all
//! that is known of the platform, [`graph`] the one that speaks to Meta. Everything fetched goes through `ingest`, so that the order in
//! which steps fail, repeat or overlap does not matter. What does not belong here: what a message means, and when to send.

mod account;
pub(crate) mod announced;
mod backfill;
mod compare;
mod cursors;
pub mod graph;
pub mod log;
pub mod plan;
mod poll;
mod progress;
pub mod remote;
#[cfg(test)]
pub mod testing;
mod wake;

use crate::{
    Parts, Profile,
    api::{
        ApiError,
        types::{Change, SyncRun, SyncStatus},
    },
    domain::AccountId,
    relay_client::stream,
    store::{Priority, StoreError},
};
use graph::GraphRemote;
pub use plan::Link;
use plan::{Moment, Mood, Step};
use progress::Pace;
use remote::{Fault, FaultKind, Remote};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, broadcast},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// At most four notes of progress a second.
const TELL_MS: u64 = 250;

/// Why a step did not work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The platform.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Failure {
    fn into_fault(self) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Store(_) => Fault::new(FaultKind::Busy, "disk_trouble"),
        }
    }
}

/// Progress and wake-ups of fetching.
pub struct Sync {
    lives: Mutex<HashMap<AccountId, Arc<Live>>>,
    dirty: Notify,
    link: Mutex<Link>,
}

impl Sync {
    /// From the profile's parts.
    pub fn new(_parts: &Parts) -> Self {
        Self {
            lives: Mutex::default(),
            dirty: Notify::new(),
            link: Mutex::default(),
        }
    }

    fn live(&self, account: AccountId) -> Arc<Live> {
        Arc::clone(
            self.lives
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(account)
                .or_default(),
        )
    }

    fn all(&self) -> Vec<Arc<Live>> {
        self.lives
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// The connection to the relay changed: with events there is no polling.
    pub fn set_link(&self, link: Link) {
        let before = std::mem::replace(
            &mut *self.link.lock().unwrap_or_else(PoisonError::into_inner),
            link,
        );
        if before != link {
            self.all().iter().for_each(|live| live.wake());
        }
    }

    /// Whether events come through the relay.
    pub fn link(&self) -> Link {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events may be missing (the relay says so, or it was away): every account is compared with the platform, and what that finds is
    /// counted as recovered.
    pub fn compare_all(&self) {
        self.all().iter().for_each(|live| live.slept());
        self.tell();
    }

    /// Figures changed: somebody may want to look.
    fn tell(&self) {
        self.dirty.notify_one();
    }
}

/// What one account's fetching feels like right now.
#[derive(Default)]
struct Live {
    woken: Notify,
    felt: Mutex<Felt>,
}

#[derive(Debug, Clone, Default)]
struct Felt {
    mood: Mood,
    step: Option<Step>,
    /// Monotonic ms.
    step_ends_at: Option<i64>,
    failures: u32,
    fault: Option<FaultKind>,
    /// Last progress of the first sync, monotonic ms.
    progress_at: Option<i64>,
    pace: Option<Pace>,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, Felt> {
        self.felt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn felt(&self) -> Felt {
        self.lock().clone()
    }

    async fn woken(&self) {
        self.woken.notified().await;
    }

    fn wake(&self) {
        self.woken.notify_one();
    }

    fn ask(&self) {
        self.lock().mood.ask();
        self.wake();
    }

    fn slept(&self) {
        let mut felt = self.lock();
        felt.mood.gap = true;
        if !felt.mood.hold_is_limit {
            felt.mood.hold_until = None;
        }
        drop(felt);
        self.wake();
    }

    fn begins(&self, step: Step, monotonic_ms: i64, importing: bool) {
        let mut felt = self.lock();
        felt.step = Some(step);
        felt.step_ends_at = match step {
            Step::Wait { ms } => Some(monotonic_ms + ms),
            _ => None,
        };
        if importing && felt.progress_at.is_none() {
            felt.progress_at = Some(monotonic_ms);
        }
    }

    /// A step worked. Answers whether there was no network before.
    fn worked(&self, step: Step, monotonic_ms: i64) -> bool {
        let mut felt = self.lock();
        let was_offline = felt.fault == Some(FaultKind::Offline);
        felt.failures = 0;
        felt.fault = None;
        felt.mood.hold_until = None;
        felt.mood.hold_is_limit = false;
        match step {
            Step::Poll => felt.mood.asked = false,
            Step::Reconcile { .. } => {
                felt.mood.asked = false;
                felt.mood.gap = false;
            }
            _ => felt.progress_at = Some(monotonic_ms),
        }
        was_offline
    }

    fn failures(&self) -> u32 {
        self.lock().failures
    }

    fn failed(&self, fault: &Fault, hold_until: i64) {
        let mut felt = self.lock();
        felt.failures += 1;
        felt.fault = Some(fault.kind);
        felt.mood.hold_until = Some(hold_until);
        felt.mood.hold_is_limit = fault.kind == FaultKind::RateLimited;
    }

    fn has_pace(&self) -> bool {
        self.lock().pace.is_some()
    }

    fn set_pace(&self, pace: Pace) {
        self.lock().pace = Some(pace);
    }
}

/// Fetches all accounts until stopped.
pub async fn run(profile: Arc<Profile>, stop: CancellationToken) {
    let remote: Arc<dyn Remote> = Arc::new(GraphRemote::new(Arc::clone(&profile)));
    run_with(profile, remote, stop).await;
}

/// As [`run`], over any platform.
pub async fn run_with(profile: Arc<Profile>, remote: Arc<dyn Remote>, stop: CancellationToken) {
    let clock = Arc::clone(&profile.parts.clock);
    let mut changes = profile.parts.changes.listen();
    let moment = || Moment {
        now_ms: clock.now_ms(),
        monotonic_ms: clock.monotonic_ms(),
    };
    if let Err(error) = recover(&profile).await {
        tracing::warn!(target: "shopbell::sync", %error, "the sync log could not be closed");
    }
    let mut running: JoinSet<AccountId> = JoinSet::new();
    let mut ids: Vec<AccountId> = Vec::new();
    let mut before = moment();
    running.spawn(tell(Arc::clone(&profile), stop.clone()));
    while !stop.is_cancelled() {
        match account_ids(&profile).await {
            Ok(all) => {
                for account in all {
                    if !ids.contains(&account) {
                        ids.push(account);
                        running.spawn(one(
                            Arc::clone(&profile),
                            Arc::clone(&remote),
                            account,
                            stop.clone(),
                        ));
                    }
                }
            }
            Err(StoreError::Closed) => break,
            Err(error) => {
                tracing::warn!(target: "shopbell::sync", %error, "the accounts cannot be read")
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = accounts_changed(&mut changes) => {
                profile.sync.all().iter().for_each(|live| live.wake());
            }
            Some(ended) = running.join_next() => {
                if let Ok(account) = ended {
                    ids.retain(|id| *id != account);
                }
            }
            () = clock.sleep(Duration::from_millis(wake::TICK_MS)) => {
                let now = moment();
                if wake::slept(before, now) {
                    tracing::info!(target: "shopbell::sync", "the computer slept: fetching goes first");
                    stream::slept(&profile);
                    profile.sync.all().iter().for_each(|live| live.slept());
                }
                before = now;
                profile.sync.tell();
            }
        }
    }
    while running.join_next().await.is_some() {}
}

async fn one(
    profile: Arc<Profile>,
    remote: Arc<dyn Remote>,
    account: AccountId,
    stop: CancellationToken,
) -> AccountId {
    let live = profile.sync.live(account);
    account::run(&profile, remote.as_ref(), account, &live, &stop).await;
    account
}

async fn tell(profile: Arc<Profile>, stop: CancellationToken) -> AccountId {
    loop {
        tokio::select! {
            () = stop.cancelled() => return AccountId(0),
            () = profile.sync.dirty.notified() => {}
        }
        profile.parts.changes.send(Change::Sync);
        tokio::select! {
            () = stop.cancelled() => return AccountId(0),
            () = profile.parts.clock.sleep(Duration::from_millis(TELL_MS)) => {}
        }
    }
}

async fn recover(profile: &Profile) -> Result<(), StoreError> {
    let mut tx = profile.store.write(Priority::Background).await?;
    log::after_restart(&mut tx, profile.now_ms()).await?;
    tx.commit().await
}

async fn account_ids(profile: &Profile) -> Result<Vec<AccountId>, StoreError> {
    let mut reader = profile.store.read().await?;
    let ids = sqlx::query_scalar!(r#"SELECT id AS "id!: i64" FROM accounts ORDER BY id"#)
        .fetch_all(&mut *reader)
        .await?;
    Ok(ids.into_iter().map(AccountId).collect())
}

async fn accounts_changed(changes: &mut broadcast::Receiver<Change>) {
    loop {
        match changes.recv().await {
            Ok(Change::Accounts | Change::Everything)
            | Err(broadcast::error::RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// This account should be looked at now: it was connected, or its owner asked.
pub fn wake(profile: &Profile, account: AccountId) {
    profile.sync.live(account).ask();
    profile.sync.tell();
}

/// Platform time minus this computer's, ms; 0 until known (decision T19).
pub fn clock_offset_ms(profile: &Profile) -> i64 {
    profile.graph.clock_offset_ms().unwrap_or(0)
}

/// Status of every account.
///
/// # Errors
/// What the database says.
pub async fn status(profile: &Profile) -> Result<Vec<SyncStatus>, StoreError> {
    let mut all = Vec::new();
    for account in account_ids(profile).await? {
        all.extend(status_of(profile, account).await?);
    }
    Ok(all)
}

/// Status of one account.
///
/// # Errors
/// What the database says.
pub async fn status_of(
    profile: &Profile,
    account: AccountId,
) -> Result<Option<SyncStatus>, StoreError> {
    progress::status(profile, account, &profile.sync.live(account)).await
}

/// The newest lines of an account's sync log.
///
/// # Errors
/// What the database says.
pub async fn log_of(profile: &Profile, account: AccountId) -> Result<Vec<SyncRun>, StoreError> {
    let mut reader = profile.store.read().await?;
    log::read(&mut reader, account).await
}

/// A fault as the boundary's error.
pub fn as_api_error(fault: &Fault) -> ApiError {
    let error = match fault.kind {
        FaultKind::Offline => ApiError::new("offline", "The platform was not reached."),
        FaultKind::RateLimited => {
            ApiError::new("rate_limited", "The platform asks us to slow down.")
        }
        FaultKind::SignedOut => ApiError::new("needs_reconnect", "The account is signed out."),
        FaultKind::NotAllowedHere => ApiError::new("paused", "The account is not in use."),
        _ => ApiError::new(
            "platform_trouble",
            "The platform did not answer as it should.",
        ),
    };
    let error = error.with_detail(&fault.reason.code);
    match fault.retry_after_ms {
        Some(ms) => error.with_retry_after_ms(ms),
        None => error,
    }
}

#[cfg(test)]
#[path = "sync_tests.rs"]
mod tests;
