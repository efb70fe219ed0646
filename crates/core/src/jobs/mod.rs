//! Named, deduplicated, persisted work that is due later: mirror a secret, erase after the grace time, check a subscription.
//!
//! Invariant: a job is a row before it is work, written in the same transaction as its cause, and goes only when its handler said
//! [`JobOutcome::Done`]. A program that ends in the middle runs it again: handlers must bear that. Wall-clock times decide, so a laptop
//! that slept finds everything due at once.

mod handlers;

use crate::{
    Profile,
    store::{Priority, StoreError, WriteTx},
};
use futures_util::future::BoxFuture;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Jobs at work at the same time.
const AT_ONCE: usize = 4;
/// Longest sleep: a changed wall clock is noticed after this.
const LONGEST_SLEEP_MS: i64 = 30_000;
/// First wait after a failure; doubles up to [`LONGEST_BACK_OFF_MS`].
const BACK_OFF_MS: i64 = 5_000;
/// Longest wait after a failure.
const LONGEST_BACK_OFF_MS: i64 = 3_600_000;

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// Finished; the row goes.
    Done,
    /// Wanted again at that time, UTC ms. Not a failure.
    Again {
        /// UTC ms.
        due_at_ms: i64,
    },
    /// Did not work out; tried again with growing waits.
    Failed,
}

/// A due job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// `kind:subject`, for example `erase:3`.
    pub name: String,
    /// JSON, without secrets and without message text.
    pub payload: String,
    /// Tries so far, this one included. A row written anew starts at none.
    pub attempts: i64,
}

/// Puts a job in, or moves the one of that name: its time, payload and tries are those of the last call.
///
/// # Errors
/// What SQLite says.
pub async fn schedule(
    tx: &mut WriteTx<'_>,
    name: &str,
    due_at_ms: i64,
    payload: &serde_json::Value,
) -> Result<(), StoreError> {
    let payload = payload.to_string();
    sqlx::query!(
        "INSERT INTO jobs (name, due_at_ms, attempts, payload) VALUES (?, ?, 0, ?)
         ON CONFLICT (name) DO UPDATE SET due_at_ms = excluded.due_at_ms, attempts = 0, payload = excluded.payload",
        name,
        due_at_ms,
        payload
    )
    .execute(&mut **tx)
    .await?;
    tx.wake_jobs();
    Ok(())
}

/// Puts a job in unless there is one of that name, which keeps its time. One that is at work stays in line for what came meanwhile.
///
/// # Errors
/// What SQLite says.
pub async fn schedule_once(
    tx: &mut WriteTx<'_>,
    name: &str,
    due_at_ms: i64,
    payload: &serde_json::Value,
) -> Result<(), StoreError> {
    let payload = payload.to_string();
    sqlx::query!(
        "INSERT INTO jobs (name, due_at_ms, attempts, payload) VALUES (?, ?, 0, ?)
         ON CONFLICT (name) DO UPDATE SET attempts = 0 WHERE attempts > 0",
        name,
        due_at_ms,
        payload
    )
    .execute(&mut **tx)
    .await?;
    tx.wake_jobs();
    Ok(())
}

/// Takes a job out; none is fine. One that is at work right now finishes its try.
///
/// # Errors
/// What SQLite says.
pub async fn cancel(tx: &mut WriteTx<'_>, name: &str) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM jobs WHERE name = ?", name)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Runs due jobs until stopped; then lets those at work finish.
pub async fn run(profile: Arc<Profile>, stop: CancellationToken) {
    run_with(profile, stop, |profile, job| {
        Box::pin(async move { handlers::handle(&profile, &job).await })
    })
    .await;
}

/// As [`run`], with other handlers.
pub(crate) async fn run_with(
    profile: Arc<Profile>,
    stop: CancellationToken,
    handle: impl Fn(Arc<Profile>, Job) -> BoxFuture<'static, JobOutcome>,
) {
    let mut working = JoinSet::new();
    let mut names = BTreeMap::new();
    loop {
        let woken = profile.store.jobs_woken();
        let next_ms = match start_due(&profile, &mut working, &mut names, &handle).await {
            Ok(next_ms) => next_ms,
            Err(StoreError::Closed) => break,
            Err(error) => {
                tracing::warn!(target: "shopbell::jobs", %error, "due jobs could not be read");
                profile.now_ms() + BACK_OFF_MS
            }
        };
        let wait_ms = (next_ms - profile.now_ms()).clamp(1, LONGEST_SLEEP_MS);
        let sleep = profile
            .parts
            .clock
            .sleep(Duration::from_millis(wait_ms.unsigned_abs()));
        tokio::select! {
            () = stop.cancelled() => break,
            () = woken => {}
            Some(ended) = working.join_next_with_id(), if !working.is_empty() => settle(&profile, &mut names, ended).await,
            () = sleep => {}
        }
    }
    while let Some(ended) = working.join_next_with_id().await {
        settle(&profile, &mut names, ended).await;
    }
}

type Ended = Result<(tokio::task::Id, JobOutcome), tokio::task::JoinError>;

/// Starts what is due; answers when to look again, UTC ms.
async fn start_due(
    profile: &Arc<Profile>,
    working: &mut JoinSet<JobOutcome>,
    names: &mut BTreeMap<tokio::task::Id, Job>,
    handle: &impl Fn(Arc<Profile>, Job) -> BoxFuture<'static, JobOutcome>,
) -> Result<i64, StoreError> {
    let now_ms = profile.now_ms();
    let rows = {
        let mut reader = profile.store.read().await?;
        sqlx::query!("SELECT name, due_at_ms, payload FROM jobs ORDER BY due_at_ms LIMIT 50")
            .fetch_all(&mut *reader)
            .await?
    };
    for row in rows {
        if names.values().any(|job| job.name == row.name) {
            continue;
        }
        if row.due_at_ms > now_ms {
            return Ok(row.due_at_ms);
        }
        if working.len() >= AT_ONCE {
            break;
        }
        if let Some(job) = claim(profile, &row.name, now_ms).await? {
            let task = working.spawn(handle(Arc::clone(profile), job.clone()));
            names.insert(task.id(), job);
        }
    }
    Ok(i64::MAX / 2)
}

/// Counts the try before it begins, so that the row shows whether somebody put it in anew meanwhile.
async fn claim(profile: &Profile, name: &str, now_ms: i64) -> Result<Option<Job>, StoreError> {
    let mut tx = profile.store.write(Priority::Background).await?;
    let row = sqlx::query!(
        "UPDATE jobs SET attempts = attempts + 1 WHERE name = ? AND due_at_ms <= ? RETURNING payload, attempts",
        name,
        now_ms
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(row.map(|row| Job {
        name: name.to_owned(),
        payload: row.payload,
        attempts: row.attempts,
    }))
}

async fn settle(profile: &Profile, names: &mut BTreeMap<tokio::task::Id, Job>, ended: Ended) {
    let (id, outcome) = match ended {
        Ok((id, outcome)) => (id, outcome),
        Err(error) => (error.id(), JobOutcome::Failed),
    };
    let Some(job) = names.remove(&id) else { return };
    if let Err(error) = write_outcome(profile, &job, outcome).await {
        // The row is still there and due: it runs again.
        tracing::warn!(target: "shopbell::jobs", job = %job.name, %error, "the outcome of a job could not be written");
    }
}

async fn write_outcome(
    profile: &Profile,
    job: &Job,
    outcome: JobOutcome,
) -> Result<(), StoreError> {
    let mut tx = profile.store.write(Priority::Background).await?;
    // Only the row that was claimed: one put in anew meanwhile has no tries yet.
    match outcome {
        JobOutcome::Done => {
            sqlx::query!(
                "DELETE FROM jobs WHERE name = ? AND attempts = ?",
                job.name,
                job.attempts
            )
            .execute(&mut *tx)
            .await?;
        }
        JobOutcome::Again { due_at_ms } => {
            sqlx::query!(
                "UPDATE jobs SET due_at_ms = ?, attempts = 0 WHERE name = ? AND attempts = ?",
                due_at_ms,
                job.name,
                job.attempts
            )
            .execute(&mut *tx)
            .await?;
        }
        JobOutcome::Failed => {
            let due_at_ms =
                profile.now_ms() + back_off_ms(job.attempts, profile.parts.entropy.below(1000));
            tracing::info!(target: "shopbell::jobs", job = %job.name, attempts = job.attempts, "a job failed and is tried again");
            sqlx::query!(
                "UPDATE jobs SET due_at_ms = ? WHERE name = ? AND attempts = ?",
                due_at_ms,
                job.name,
                job.attempts
            )
            .execute(&mut *tx)
            .await?;
        }
    }
    tx.commit().await
}

/// 5 s, 10 s, 20 s … one hour, a tenth of it spread by `jitter` (0 to 999).
fn back_off_ms(attempts: i64, jitter: u64) -> i64 {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    let wait = BACK_OFF_MS
        .saturating_mul(1 << doublings)
        .min(LONGEST_BACK_OFF_MS);
    wait + wait * i64::try_from(jitter).unwrap_or(0) / 10_000
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
