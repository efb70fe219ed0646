//! One account's fetching: read, decide, do, note; until the account is gone or the profile closes.
//!
//! Invariant: whatever goes wrong here stays here. A step may be dropped at any moment (closing, another step); the next one begins from
//! what is stored.

use super::{
    Failure, Live, backfill,
    cursors::{self, Stored},
    plan::{Import, Moment, Step, back_off, next},
    poll::{self, Walk},
    progress::Pace,
    remote::{Fault, FaultKind, Remote},
};
use crate::{Profile, domain::AccountId, relay_client::stream, store::StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Leave alone what only a person can change.
const PERSON_MS: i64 = 300_000;
/// Rate limits without a word on when to come back.
const LIMIT_MS: i64 = 60_000;

/// Runs one account.
pub(super) async fn run(
    profile: &Profile,
    remote: &dyn Remote,
    account: AccountId,
    live: &Live,
    stop: &CancellationToken,
) {
    while !stop.is_cancelled() {
        let goes_on = tokio::select! {
            goes_on = turn(profile, remote, account, live) => goes_on,
            () = stop.cancelled() => return,
        };
        if !goes_on {
            return;
        }
    }
}

/// One decision and what follows. `false`: the account is gone.
pub(super) async fn turn(
    profile: &Profile,
    remote: &dyn Remote,
    account: AccountId,
    live: &Live,
) -> bool {
    let clock = &profile.parts.clock;
    let stored = match read(profile, account).await {
        Ok(Some(stored)) => stored,
        Ok(None) | Err(StoreError::Closed) => return false,
        Err(error) => {
            tracing::warn!(target: "shopbell::sync", account = account.0, %error, "the database cannot be read");
            clock.sleep(Duration::from_secs(5)).await;
            return true;
        }
    };
    let at = Moment {
        now_ms: profile.now_ms(),
        monotonic_ms: clock.monotonic_ms(),
    };
    let step = next(&stored.facts, &live.felt().mood, at);
    live.begins(step, at.monotonic_ms, stored.facts.import != Import::Done);
    profile.sync.tell();
    let done = match step {
        Step::Rest => {
            live.woken().await;
            return true;
        }
        Step::Wait { ms } => {
            tokio::select! {
                () = live.woken() => {}
                () = clock.sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))) => {}
            }
            return true;
        }
        Step::List | Step::Deepen | Step::Finish => {
            import(profile, remote, account, live, step, stored).await
        }
        Step::Poll => poll::walk(profile, remote, account, &stored, Walk::Poll)
            .await
            .map(|_| ()),
        Step::Reconcile { gap } => {
            poll::walk(profile, remote, account, &stored, Walk::Reconcile { gap })
                .await
                .map(|_| ())
        }
    };
    match done {
        Ok(()) => {
            if live.worked(step, clock.monotonic_ms()) {
                profile.outbox.network_back();
                stream::network_back(profile);
            }
        }
        Err(Failure::Store(StoreError::Closed)) => return false,
        Err(failure) => {
            let fault = failure.into_fault();
            tracing::info!(target: "shopbell::sync", account = account.0, ?step, %fault, "a step did not work");
            let failures = live.failures() + 1;
            live.failed(&fault, clock.monotonic_ms() + hold_ms(&fault, failures));
        }
    }
    profile.sync.tell();
    true
}

/// What is stored, with the connection as it is now.
pub(super) async fn read(
    profile: &Profile,
    account: AccountId,
) -> Result<Option<Stored>, StoreError> {
    let mut reader = profile.store.read().await?;
    let mut stored = cursors::read(&mut reader, account).await?;
    if let Some(stored) = stored.as_mut().filter(|stored| stored.events_trusted) {
        stored.facts.link = profile.sync.link();
    }
    Ok(stored)
}

async fn import(
    profile: &Profile,
    remote: &dyn Remote,
    account: AccountId,
    live: &Live,
    step: Step,
    stored: Stored,
) -> Result<(), Failure> {
    if !live.has_pace() {
        let mut reader = profile.store.read().await?;
        let done_then = sqlx::query_scalar!(
            r#"SELECT COUNT(*) AS "done!: i64" FROM sync_threads WHERE account_id = ? AND state = 'done'"#,
            account.0
        )
        .fetch_one(&mut *reader)
        .await
        .map_err(StoreError::from)?;
        live.set_pace(Pace {
            since: profile.parts.clock.monotonic_ms(),
            done_then,
        });
    }
    match (step, &stored.todo) {
        (Step::List, _) => backfill::list(profile, remote, account, stored.backfill).await,
        (Step::Deepen, Some(todo)) => {
            backfill::deepen(profile, remote, account, stored.backfill.clone(), todo).await
        }
        _ => backfill::finish(profile, account, stored.backfill).await,
    }
}

/// How long to leave the account alone. Pure.
fn hold_ms(fault: &Fault, failures: u32) -> i64 {
    match fault.kind {
        FaultKind::RateLimited => fault.retry_after_ms.unwrap_or(LIMIT_MS),
        FaultKind::Permission | FaultKind::Refused | FaultKind::Gone => PERSON_MS,
        // Woken anyway when the account changes.
        FaultKind::SignedOut | FaultKind::NotAllowedHere => LIMIT_MS,
        _ => fault.retry_after_ms.unwrap_or(0).max(back_off(failures)),
    }
}
