//! The stream of events from the relay: one connection per profile, made while an account is connected, made again whenever it ends.
//!
//! Invariants: what is acknowledged is on disk (`events`); the relay is hostile until parsed (`frames`); how a connection ended decides
//! alone what comes next (`after`); whoever was replaced, or is too old, does not come back by itself. What an event says does not
//! belong here.

mod after;
mod answering;
mod first;
mod frames;
mod report;
mod session;
mod socket;
mod taking;

pub use answering::AnswerHere;

use crate::{
    Parts, Profile, accounts,
    api::types::{Change, Reason, RelayGap, RelayOutage, RelayState, RelayStatus},
    domain::AccountId,
    events,
    platform::http,
    store::StoreError,
    sync::Link,
};
use after::{End, Mood, Next, after};
use shopbell_wire::AccountRef;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, broadcast, mpsc};
use tokio_util::sync::CancellationToken;

/// The database cannot be read: looked at again after this.
const LOOK_AGAIN_MS: u64 = 5_000;

/// Something to be said to the relay.
enum Order {
    AnswerHere(AccountRef),
}

/// The connection as others see it.
pub struct Stream {
    seen: Mutex<Seen>,
    poked: Notify,
    /// Held by the task that takes a connection's events in, until its last commit is done.
    taking: Arc<tokio::sync::Mutex<()>>,
}

struct Seen {
    state: RelayState,
    reason: Option<Reason>,
    since_ms: i64,
    retry_at_ms: Option<i64>,
    behind: u64,
    /// Nothing was behind since the relay was ready.
    caught_up: bool,
    clock_offset_ms: Option<i64>,
    orders: Option<mpsc::Sender<Order>>,
    poke: Option<End>,
}

impl Stream {
    /// From the profile's parts.
    pub fn new(parts: &Parts) -> Self {
        Self {
            seen: Mutex::new(Seen {
                state: RelayState::Off,
                reason: None,
                since_ms: parts.clock.now_ms(),
                retry_at_ms: None,
                behind: 0,
                caught_up: false,
                clock_offset_ms: None,
                orders: None,
                poke: None,
            }),
            poked: Notify::new(),
            taking: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The relay said where the stream goes on.
    fn is_ready(&self, clock_offset_ms: i64, orders: mpsc::Sender<Order>) {
        let mut seen = self.lock();
        seen.clock_offset_ms = Some(clock_offset_ms);
        seen.orders = Some(orders);
        seen.caught_up = false;
    }

    /// So many events are still to come. Once there were none, what comes is news and not the past.
    fn caught_up(&self, behind: u64) -> bool {
        let mut seen = self.lock();
        seen.behind = behind;
        seen.caught_up |= behind == 0;
        seen.caught_up
    }

    fn poke(&self, end: End) {
        self.lock().poke = Some(end);
        self.poked.notify_one();
    }

    /// Ends when somebody wants the connection made anew.
    async fn poked(&self) -> End {
        loop {
            if let Some(end) = self.lock().poke.take() {
                return end;
            }
            self.poked.notified().await;
        }
    }
}

/// Notes a state, tells of it, and lets fetching know whether events come.
fn show(profile: &Profile, state: RelayState, reason: Option<Reason>, retry_at_ms: Option<i64>) {
    let changed = {
        let mut seen = profile.stream.lock();
        let changed = seen.state != state || seen.reason != reason;
        if changed {
            tracing::info!(target: "shopbell::stream", ?state, reason = reason.as_ref().map(|reason| reason.code.as_str()), "relay");
        }
        if seen.state != state {
            seen.since_ms = profile.now_ms();
        }
        if !matches!(state, RelayState::CatchingUp | RelayState::Live) {
            seen.orders = None;
            seen.behind = 0;
        }
        seen.state = state;
        seen.reason = reason;
        seen.retry_at_ms = retry_at_ms;
        changed
    };
    match state {
        RelayState::Live => profile.sync.set_link(Link::Live),
        RelayState::CatchingUp => profile.sync.set_link(Link::Settling),
        // Whoever connects says whether that will take a moment or has failed before.
        RelayState::Connecting => {}
        RelayState::Off | RelayState::Waiting | RelayState::Stopped => {
            profile.sync.set_link(Link::Off);
        }
    }
    if changed {
        profile.parts.changes.send(Change::Relay);
    }
}

/// Before anything runs: what came while the program was closed is the relay's to bring, and is not missed yet.
pub(crate) fn before_start(profile: &Profile) {
    profile.sync.set_link(Link::Settling);
}

/// Stays connected until stopped.
pub async fn run(profile: Arc<Profile>, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = stay(&profile) => {}
    }
    show(&profile, RelayState::Off, None, None);
}

async fn stay(profile: &Arc<Profile>) {
    if let Err(error) = events::start(profile).await {
        tracing::warn!(target: "shopbell::stream", %error, "the care of the log could not be scheduled");
    }
    let Some(client) = http::stream_client(profile.parts.endpoints.sandbox) else {
        let reason = Reason::new("no_certificates");
        show(profile, RelayState::Stopped, Some(reason), None);
        return;
    };
    let mut changes = profile.parts.changes.listen();
    let mut mood = Mood::default();
    loop {
        wanted(profile, &mut changes).await;
        if mood.failures == 0 {
            profile.sync.set_link(Link::Settling);
        }
        show(profile, RelayState::Connecting, None, None);
        let ended = tokio::select! {
            ended = session::run(profile, &client, &mut mood) => ended,
            end = profile.stream.poked() => session::Ended { end, lived_ms: None },
            () = unwanted(profile, &mut changes) => continue,
        };
        let entropy = &profile.parts.entropy;
        let next = after(&ended.end, ended.lived_ms, &mut mood, |below| {
            entropy.below(below)
        });
        match next {
            Next::Now => {}
            Next::Rebind => {
                profile.sync.set_link(Link::Off);
                match accounts::bind_all(profile).await {
                    Ok(bound) => {
                        tracing::info!(target: "shopbell::stream", bound, "accounts were bound anew");
                    }
                    Err(error) => {
                        tracing::warn!(target: "shopbell::stream", %error, "accounts could not be bound anew");
                    }
                }
            }
            Next::In { ms, reason } => pause(profile, ms, reason, &mut mood, &mut changes).await,
            Next::Hold(reason) => {
                show(profile, RelayState::Stopped, Some(reason), None);
                while profile.stream.poked().await != End::Asked {}
                mood.failures = 0;
            }
        }
    }
}

/// Waits for the next try.
async fn pause(
    profile: &Profile,
    ms: u64,
    reason: Reason,
    mood: &mut Mood,
    changes: &mut broadcast::Receiver<Change>,
) {
    let stranger = reason.code == "unauthorised";
    let at_ms = profile
        .now_ms()
        .saturating_add(i64::try_from(ms).unwrap_or(i64::MAX));
    show(profile, RelayState::Waiting, Some(reason), Some(at_ms));
    // What happened to accounts so far led here.
    *changes = profile.parts.changes.listen();
    tokio::select! {
        () = profile.parts.clock.sleep(Duration::from_millis(ms)) => {}
        _ = profile.stream.poked() => mood.failures = 0,
        () = accounts_changed(changes), if stranger => {}
    }
}

/// Ends when an account is connected.
async fn wanted(profile: &Profile, changes: &mut broadcast::Receiver<Change>) {
    loop {
        match is_wanted(profile).await {
            Ok(true) => return,
            Ok(false) => {
                show(profile, RelayState::Off, None, None);
                accounts_changed(changes).await;
            }
            Err(StoreError::Closed) => std::future::pending().await,
            Err(error) => {
                tracing::warn!(target: "shopbell::stream", %error, "the accounts cannot be read");
                let wait = Duration::from_millis(LOOK_AGAIN_MS);
                profile.parts.clock.sleep(wait).await;
            }
        }
    }
}

/// Ends when no account is connected any more.
async fn unwanted(profile: &Profile, changes: &mut broadcast::Receiver<Change>) {
    loop {
        accounts_changed(changes).await;
        if matches!(is_wanted(profile).await, Ok(false)) {
            return;
        }
    }
}

async fn is_wanted(profile: &Profile) -> Result<bool, StoreError> {
    let mut read = profile.store.read().await?;
    let wanted = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM accounts WHERE state <> 'disconnected') AS "wanted!: bool""#
    )
    .fetch_one(&mut *read)
    .await?;
    Ok(wanted)
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

/// The computer slept: the connection is made anew before anything is believed to be missing.
pub(crate) fn slept(profile: &Profile) {
    let held = matches!(
        profile.stream.lock().state,
        RelayState::Off | RelayState::Stopped
    );
    if !held {
        profile.sync.set_link(Link::Settling);
        profile.stream.poke(End::Slept);
    }
}

/// The network is there again, as others found: no need to wait for the pause.
pub(crate) fn network_back(profile: &Profile) {
    const NETWORK: [&str; 4] = [
        "offline",
        "relay_unreachable",
        "relay_closed",
        "relay_silent",
    ];
    let waits = {
        let seen = profile.stream.lock();
        let code = seen.reason.as_ref().map(|reason| reason.code.as_str());
        seen.state == RelayState::Waiting && code.is_some_and(|code| NETWORK.contains(&code))
    };
    if waits {
        profile.stream.poke(End::Slept);
    }
}

/// The owner wants the connection made anew, whatever stopped it.
pub fn reconnect(profile: &Profile) {
    if profile.stream.lock().state != RelayState::Off {
        profile.stream.poke(End::Asked);
    }
}

/// Asks the relay to let this computer answer for an account.
///
/// # Errors
/// What the database says.
pub async fn answer_here(profile: &Profile, account: AccountId) -> Result<AnswerHere, StoreError> {
    let Some(account) = answering::account(profile, account).await? else {
        return Ok(AnswerHere::NoAccount);
    };
    let orders = profile.stream.lock().orders.clone();
    let asked = match orders {
        Some(orders) => orders.try_send(Order::AnswerHere(account)).is_ok(),
        None => false,
    };
    Ok(if asked {
        AnswerHere::Asked
    } else {
        AnswerHere::NotConnected
    })
}

/// How the stream stands.
///
/// # Errors
/// What the database says.
pub async fn status(profile: &Profile) -> Result<RelayStatus, StoreError> {
    let url = profile.parts.endpoints.relay.to_string();
    let stored = events::standing(profile, &url).await?;
    let deletions = events::open_deletions(profile).await?;
    let seen = profile.stream.lock();
    Ok(RelayStatus {
        url,
        state: seen.state,
        reason: seen.reason.clone(),
        since_ms: seen.since_ms,
        retry_at_ms: seen.retry_at_ms,
        epoch: stored.epoch,
        committed: stored.committed,
        behind: i64::try_from(seen.behind).unwrap_or(i64::MAX),
        connected_at_ms: stored.connected_at_ms,
        last_event_at_ms: stored.last_event_at_ms,
        gap: stored
            .gap_at_ms
            .zip(stored.gap)
            .map(|(at_ms, reason)| RelayGap { at_ms, reason }),
        outage: stored
            .outage
            .map(|(from_ms, to_ms)| RelayOutage { from_ms, to_ms }),
        clock_offset_ms: seen.clock_offset_ms,
        deletions,
    })
}

#[cfg(test)]
mod tests;
