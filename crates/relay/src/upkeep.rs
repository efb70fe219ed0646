//! What the relay does by itself as time goes on: notes that it lives and tells outages, deletes events that had their time, unbinds
//! computers that stay silent.
//!
//! Invariant: what lasts is decided by the relay's clock alone; timers only say when to look. What was deleted unread shows as a gap in
//! the device's stream, because offsets go on (T13). Leases of answering computers are kept in `stream::answering`.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::{
    app::App,
    metrics::StorageWork,
    storage::{StorageError, Stored},
    stream::answering,
};

/// How often the relay notes that it lives.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(20);
/// A longer time without a note of any node is an outage. Meta gives up on an address after an hour of failures, but a restart is none.
const OUTAGE_MS: i64 = 60_000;
/// How often retention is looked at. The first time after a start comes as late: computers that were shut out by an outage come back
/// first.
const RETENTION_EVERY: Duration = Duration::from_secs(600);

/// Notes that the relay lives. When it did not for a while, that is kept for the devices: an outage may have cost subscriptions.
pub(crate) async fn heartbeat(app: &App) -> Stored<()> {
    let now_ms = app.now_ms();
    if let Some(before_ms) = app.storage.heartbeat(now_ms).await?
        && now_ms.saturating_sub(before_ms) > OUTAGE_MS
    {
        tracing::warn!(from_ms = before_ms, to_ms = now_ms, "was away");
        app.storage.put_outage((before_ms, now_ms)).await?;
    }
    Ok(())
}

/// Unbinds computers that were silent for the time events wait, and deletes events that waited as long.
pub(crate) async fn retention(app: &App) -> Stored<()> {
    let before_ms = app.now_ms().saturating_sub(app.config.retention_ms());
    let devices = app.storage.unbind_silent(before_ms).await?;
    app.metrics.silent_devices.inc_by(devices);
    let records = app.storage.expire(before_ms).await?;
    app.metrics.expired.inc_by(records);
    if devices > 0 || records > 0 {
        tracing::info!(devices, records, "had their time");
    }
    Ok(())
}

/// Everything that is due at this moment, at once.
pub(crate) async fn now(app: &App) -> Stored<()> {
    heartbeat(app).await?;
    retention(app).await?;
    answering::keep(app).await
}

/// Starts what runs until the relay stops.
pub(crate) fn begin(app: &Arc<App>) {
    tokio::spawn(run(Arc::clone(app)));
    tokio::spawn(answering::follow(Arc::clone(app)));
}

async fn run(app: Arc<App>) {
    let mut beats = interval(HEARTBEAT_EVERY);
    let mut looks = interval_at(Instant::now() + RETENTION_EVERY, RETENTION_EVERY);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (work, done) = tokio::select! {
            () = app.stop.cancelled() => return,
            _ = beats.tick() => (StorageWork::Extras, heartbeat(&app).await),
            _ = looks.tick() => (StorageWork::Expire, retention(&app).await),
        };
        if let Err(error) = done {
            fault(&app, work, &error);
        }
    }
}

fn fault(app: &App, work: StorageWork, error: &StorageError) {
    app.metrics.storage_errors.one(work);
    tracing::error!(%error, "upkeep");
}
