//! What failed is tried again: by itself after pauses that grow, or when the owner says so; or the owner leaves it.

use super::{
    log::{self, Outcome},
    read::{Event, read, understand},
    take::{known, process},
};
use crate::{
    Profile,
    api::types::{Change, Reason},
    jobs::{self, JobOutcome},
    relay_client::RelayError,
    store::{Priority, StoreError, WriteTx},
};
use serde_json::json;
use shopbell_wire::{EventKind, EventOpener};

// `state <> 'done'` beside another state: only so SQLite sees that the small index of what is not done fits.

/// Events of one run; the next run follows at once.
const AT_ONCE: i64 = 50;

/// Why an event was not tried or left.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// No such event.
    #[error("there is no such event")]
    NotFound,
    /// It is done, or there is nothing left of it to try.
    #[error("there is nothing to try")]
    Settled,
    /// The device keys are not available.
    #[error(transparent)]
    Keys(#[from] RelayError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts the job in for the first failed event that is due.
pub(super) async fn schedule(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    if let Some(due_at_ms) = next(tx).await? {
        jobs::schedule(tx, "retry-events", due_at_ms, &json!({})).await?;
    }
    Ok(())
}

async fn next(connection: &mut sqlx::SqliteConnection) -> Result<Option<i64>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT min(retry_at_ms) AS "at_ms?: i64" FROM raw_events WHERE state = 'failed' AND state <> 'done'"#
    )
    .fetch_one(connection)
    .await?)
}

/// Job `retry-events`: every failed event whose pause is over.
pub(crate) async fn due(profile: &Profile) -> JobOutcome {
    match run(profile).await {
        Ok(Some(due_at_ms)) => JobOutcome::Again { due_at_ms },
        Ok(None) => JobOutcome::Done,
        Err(error) => {
            tracing::warn!(target: "shopbell::events", %error, "failed events could not be tried again");
            JobOutcome::Failed
        }
    }
}

async fn run(profile: &Profile) -> Result<Option<i64>, RetryError> {
    let now_ms = profile.now_ms();
    let rows = {
        let mut read = profile.store.read().await?;
        sqlx::query_scalar!(
            "SELECT id FROM raw_events WHERE state = 'failed' AND state <> 'done' AND retry_at_ms <= ? ORDER BY retry_at_ms LIMIT ?",
            now_ms,
            AT_ONCE
        )
        .fetch_all(&mut *read)
        .await
        .map_err(StoreError::from)?
    };
    for row in rows {
        match again(profile, row, Priority::Background).await {
            Ok(()) | Err(RetryError::NotFound | RetryError::Settled) => {}
            Err(error) => return Err(error),
        }
    }
    let mut read = profile.store.read().await?;
    Ok(next(&mut read).await?)
}

/// Tries an event again now, because the owner says so.
///
/// # Errors
/// [`RetryError`]; what came of the try itself is in the event's state.
pub async fn try_again(profile: &Profile, row: i64) -> Result<(), RetryError> {
    again(profile, row, Priority::Owner).await
}

async fn again(profile: &Profile, id: i64, priority: Priority) -> Result<(), RetryError> {
    let keys = profile.relay.keys(&profile.vault).await?;
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(priority).await?;
    let row = sqlx::query!(
        "SELECT kind, event_id, subject, received_at_ms, body, sealed, state FROM raw_events WHERE id = ?",
        id
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(StoreError::from)?
    .ok_or(RetryError::NotFound)?;
    let body = match (row.state.as_str(), row.body) {
        ("failed" | "ignored", Some(body)) => body,
        _ => return Err(RetryError::Settled),
    };
    let event = if row.sealed != 0 {
        read(&mut EventOpener::new(&keys), body)
    } else {
        let kind = EventKind(u8::try_from(row.kind).unwrap_or(0));
        let content = understand(kind, &row.subject, &body);
        Event {
            kind,
            id: row.event_id,
            subject: row.subject,
            received_ms: row.received_at_ms,
            body,
            sealed: false,
            content,
        }
    };
    if row.sealed != 0 && !event.sealed {
        log::opened(&mut tx, id, &event).await?;
    }
    let known = known(&mut tx).await?;
    let signed_out = process(profile, &mut tx, &known, vec![(id, event)], now_ms).await?;
    tx.tell(Change::Events);
    tx.commit().await?;
    signed_out.forget(profile);
    Ok(())
}

/// Leaves a failed event: it is not tried again, and goes with the others after its time.
///
/// # Errors
/// [`RetryError`].
pub async fn leave(profile: &Profile, id: i64) -> Result<(), RetryError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Owner).await?;
    let row = sqlx::query!("SELECT state, reason FROM raw_events WHERE id = ?", id)
        .fetch_optional(&mut *tx)
        .await
        .map_err(StoreError::from)?
        .ok_or(RetryError::NotFound)?;
    if row.state != "failed" {
        return Err(RetryError::Settled);
    }
    let was = row
        .reason
        .and_then(|reason| serde_json::from_str::<Reason>(&reason).ok())
        .map_or_else(|| "failed".to_owned(), |reason| reason.code);
    let left = Outcome::Ignored(Reason::new("left").with("was", was));
    log::settle(&mut tx, &[(id, left)], now_ms).await?;
    tx.tell(Change::Events);
    tx.commit().await?;
    Ok(())
}
