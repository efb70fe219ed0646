//! The one door out: every text is a row before it is a request, and nothing is ever said twice by itself.
//!
//! Rooms: [`rules`] and [`context`] say what may leave, [`enqueue`] and [`change`] are the owner's side, [`plan`] decides what is due,
//! `sender` sends and looks, [`settle`] writes down what became of it, [`echo`] recognises our own messages when they come back.
//! What does not belong here: what to say, and the platform's formats.

pub mod change;
pub mod context;
pub mod echo;
pub mod enqueue;
pub mod plan;
pub mod refusal;
pub mod rules;
mod sender;
pub mod settle;
mod thread;
mod view;

pub use enqueue::send_text;

use crate::{
    Parts, Profile,
    api::types::Change,
    domain::{AccountId, ConversationId, OutboxId},
    store::{Priority, StoreError},
    sync::{
        graph::GraphRemote,
        plan::back_off,
        remote::{FaultKind, Remote},
    },
};
use plan::{Open, OpenRow, Work};
use sender::Effect;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, broadcast},
    task::{Id, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// Sends and looks under way at once, over all accounts.
const AT_ONCE: usize = 8;
/// How long closing the profile waits for requests that are on their way.
const GRACE: Duration = Duration::from_secs(3);
/// A signed-out or paused account is asked about again after this, unless something changed before.
const LOCKED_MS: i64 = 60_000;
/// Looks at most, with those after reconnects.
const LOOKS_AT_MOST: i64 = 6;

/// What an outbox row holds beside its columns.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Body {
    /// Text.
    pub text: String,
    /// Message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to_mid: Option<String>,
}

impl Body {
    fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    fn to_json(&self) -> String {
        // Plain strings: writing them as JSON cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Wake-ups of sending.
pub struct Outbox {
    woken: Notify,
    signals: Mutex<Signals>,
}

#[derive(Default)]
struct Signals {
    network_back: bool,
    lifted: HashSet<AccountId>,
}

impl Outbox {
    /// From the profile's parts.
    pub fn new(_parts: &Parts) -> Self {
        Self {
            woken: Notify::new(),
            signals: Mutex::default(),
        }
    }

    /// Something is due, or no longer due.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// The platform answers again: what waits leaves now, and unknown sends are looked for once more.
    pub fn network_back(&self) {
        self.signals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .network_back = true;
        self.wake();
    }

    /// The owner wants this account tried now.
    pub fn lift_hold(&self, account: AccountId) {
        self.signals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .lifted
            .insert(account);
        self.wake();
    }

    fn take_signals(&self) -> Signals {
        std::mem::take(&mut *self.signals.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An account that is left alone for a while.
struct Hold {
    until: i64,
    failures: u32,
    kind: FaultKind,
}

/// Sends and looks until stopped.
pub async fn run(profile: Arc<Profile>, stop: CancellationToken) {
    let remote: Arc<dyn Remote> = Arc::new(GraphRemote::new(Arc::clone(&profile)));
    run_with(profile, remote, stop).await;
}

/// As [`run`], over any platform.
pub async fn run_with(profile: Arc<Profile>, remote: Arc<dyn Remote>, stop: CancellationToken) {
    let clock = Arc::clone(&profile.parts.clock);
    let mut changes = profile.parts.changes.listen();
    while let Err(error) = recover(&profile).await {
        tracing::warn!(target: "shopbell::outbox", %error, "the outbox cannot be read yet");
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(Duration::from_secs(1)) => {}
        }
    }
    let mut holds: HashMap<AccountId, Hold> = HashMap::new();
    let mut under_way: HashMap<Id, Work> = HashMap::new();
    let mut tasks: JoinSet<Effect> = JoinSet::new();
    while !stop.is_cancelled() {
        let next_in_ms =
            match begin_due(&profile, &remote, &mut tasks, &mut under_way, &mut holds).await {
                Ok(next) => next,
                Err(StoreError::Closed) => break,
                Err(error) => {
                    tracing::warn!(target: "shopbell::outbox", %error, "the outbox cannot be read");
                    Some(1_000)
                }
            };
        let timer = async {
            match next_in_ms {
                Some(ms) => {
                    clock
                        .sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
                        .await
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            Some(done) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                let (id, effect) = match done {
                    Ok((id, effect)) => (id, effect),
                    Err(error) => (error.id(), Effect::Nothing),
                };
                if let Some(work) = under_way.remove(&id) {
                    let account = match work { Work::Send { account, .. } | Work::Look { account, .. } => account };
                    take_effect(&profile, &mut holds, account, effect);
                }
            }
            () = profile.outbox.woken.notified() => {}
            () = accounts_changed(&mut changes) => {
                holds.retain(|_, hold| !matches!(hold.kind, FaultKind::SignedOut | FaultKind::NotAllowedHere));
            }
            () = timer => {}
        }
    }
    let grace = clock.sleep(GRACE);
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        () = grace => {}
    }
}

async fn recover(profile: &Profile) -> Result<(), StoreError> {
    let mut tx = profile.store.write(Priority::Owner).await?;
    settle::after_restart(&mut tx, profile.now_ms()).await?;
    tx.commit().await
}

/// Starts what is due; answers the ms until the next moment.
async fn begin_due(
    profile: &Arc<Profile>,
    remote: &Arc<dyn Remote>,
    tasks: &mut JoinSet<Effect>,
    under_way: &mut HashMap<Id, Work>,
    holds: &mut HashMap<AccountId, Hold>,
) -> Result<Option<i64>, StoreError> {
    let now_ms = profile.now_ms();
    let signals = profile.outbox.take_signals();
    holds.retain(|account, hold| {
        let back = signals.network_back && hold.kind == FaultKind::Offline;
        let lifted = signals.lifted.contains(account) && hold.kind != FaultKind::RateLimited;
        !back && !lifted
    });
    if signals.network_back {
        look_again(profile, now_ms).await?;
    }
    let echoes_in_ms = release_echoes(profile, now_ms).await?;
    let monotonic_ms = profile.parts.clock.monotonic_ms();
    let left: HashMap<AccountId, i64> = holds
        .iter()
        .map(|(account, hold)| (*account, hold.until - monotonic_ms))
        .filter(|(_, ms)| *ms > 0)
        .collect();
    let busy: HashSet<ConversationId> = under_way.values().map(Work::conversation).collect();
    let due = plan::due(&open_rows(profile).await?, &busy, &left, now_ms);
    for work in due
        .work
        .into_iter()
        .take(AT_ONCE.saturating_sub(tasks.len()))
    {
        let (profile, remote) = (Arc::clone(profile), Arc::clone(remote));
        let handle =
            tasks.spawn(async move { sender::work(&profile, remote.as_ref(), &work).await });
        under_way.insert(handle.id(), work);
    }
    Ok([due.next_in_ms, echoes_in_ms].into_iter().flatten().min())
}

fn take_effect(
    profile: &Profile,
    holds: &mut HashMap<AccountId, Hold>,
    account: AccountId,
    effect: Effect,
) {
    let fault = match effect {
        Effect::Nothing => return,
        Effect::Reached => {
            if holds
                .remove(&account)
                .is_some_and(|hold| hold.kind == FaultKind::Offline)
            {
                profile.outbox.network_back();
            }
            return;
        }
        Effect::Hold(fault) => fault,
    };
    let failures = holds.get(&account).map_or(0, |hold| hold.failures) + 1;
    let wait_ms = match fault.kind {
        FaultKind::SignedOut | FaultKind::NotAllowedHere => LOCKED_MS,
        _ => fault.retry_after_ms.unwrap_or_else(|| back_off(failures)),
    };
    let until = profile.parts.clock.monotonic_ms() + wait_ms;
    holds.insert(
        account,
        Hold {
            until,
            failures,
            kind: fault.kind,
        },
    );
}

async fn open_rows(profile: &Profile) -> Result<Vec<OpenRow>, StoreError> {
    let mut reader = profile.store.read().await?;
    let rows = sqlx::query!(
        r#"SELECT id AS "id!: i64", conversation_id, account_id, state, not_before_ms, checks, next_check_ms FROM outbox
           WHERE state IN ('scheduled', 'queued', 'sending', 'unknown') ORDER BY id"#
    )
    .fetch_all(&mut *reader)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| OpenRow {
            id: OutboxId(row.id),
            conversation: ConversationId(row.conversation_id),
            account: AccountId(row.account_id),
            open: match row.state.as_str() {
                "sending" => Open::Sending,
                "unknown" => Open::Unknown {
                    checks: row.checks,
                    next_check_ms: row.next_check_ms,
                },
                _ => Open::Waiting {
                    not_before_ms: row.not_before_ms,
                },
            },
        })
        .collect())
}

async fn look_again(profile: &Profile, now_ms: i64) -> Result<(), StoreError> {
    let mut tx = profile.store.write(Priority::Owner).await?;
    sqlx::query!(
        "UPDATE outbox SET next_check_ms = ? WHERE state = 'unknown' AND next_check_ms IS NULL AND checks < ?",
        now_ms,
        LOOKS_AT_MOST
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Releases the echoes whose time is over; answers the ms until the next one's.
async fn release_echoes(profile: &Profile, now_ms: i64) -> Result<Option<i64>, StoreError> {
    let due = {
        let mut reader = profile.store.read().await?;
        sqlx::query!(r#"SELECT conversation_id AS "conversation_id!: i64", MIN(until_ms) AS "until_ms!: i64" FROM held_echoes GROUP BY conversation_id"#)
            .fetch_all(&mut *reader)
            .await?
    };
    let mut next: Option<i64> = None;
    for row in due {
        if row.until_ms > now_ms {
            let left = (row.until_ms - now_ms).min(echo::HOLD_MS);
            next = Some(next.map_or(left, |ms| ms.min(left)));
            continue;
        }
        let mut tx = profile.store.write(Priority::Owner).await?;
        echo::release(&mut tx, ConversationId(row.conversation_id), now_ms).await?;
        tx.commit().await?;
    }
    Ok(next)
}

/// Ends when an account changed, or so much was said that it may have.
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

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
