//! Rows of the log: written many at a time, settled one way or the other.

use super::read::Event;
use crate::{
    api::types::Reason,
    domain::AccountId,
    ingest::rows::encode,
    store::{StoreError, WriteTx},
};
use serde_json::json;
use std::collections::HashMap;

/// First pause before a failed event is tried again; it doubles.
const PAUSE_MS: i64 = 60_000;
/// Longest pause.
const LONGEST_PAUSE_MS: i64 = 24 * 3_600_000;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Taken in; with the parts that meant nothing, if there were any.
    Done(Option<Reason>),
    /// It means nothing here.
    Ignored(Reason),
    /// It is about an owner who is none of ours: nothing of it stays.
    Foreign(&'static str),
    /// It could not be taken in.
    Failed(Reason),
}

/// An event about to be logged.
pub(super) struct Entry<'a> {
    pub offset: u64,
    pub event: &'a Event,
    pub account: Option<AccountId>,
    /// Whether its bytes are kept.
    pub keep: bool,
}

/// Logs events as `new`; answers the rows of those that were not here yet, by offset.
pub(super) async fn insert(
    tx: &mut WriteTx<'_>,
    stream: &str,
    entries: &[Entry<'_>],
    now_ms: i64,
) -> Result<HashMap<u64, i64>, StoreError> {
    let (mut rows, mut bytes) = (Vec::with_capacity(entries.len()), Vec::new());
    for entry in entries {
        let event = entry.event;
        let begin = entry.keep.then_some(bytes.len() + 1);
        if entry.keep {
            bytes.extend_from_slice(&event.body);
        }
        // Of an owner who is none of ours not even the id stays.
        let subject = match (entry.keep, event.subject.split_once('/')) {
            (false, Some((kind, _))) => kind,
            _ => event.subject.as_str(),
        };
        rows.push(json!([
            entry.offset,
            event.kind.0,
            event.id,
            subject,
            entry.account,
            event.received_ms,
            begin,
            event.body.len(),
            i64::from(event.sealed),
        ]));
    }
    let rows = encode(&rows);
    let logged = sqlx::query!(
        r#"INSERT INTO raw_events (stream, stream_offset, kind, event_id, subject, account_id, received_at_ms, logged_at_ms, body, sealed)
           SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?2,
             CASE WHEN value ->> 6 IS NOT NULL THEN substr(?3, value ->> 6, value ->> 7) END, value ->> 8
           FROM json_each(?4) WHERE true ON CONFLICT (stream, stream_offset) DO NOTHING
           RETURNING id AS "id!: i64", stream_offset AS "offset!: i64""#,
        stream,
        now_ms,
        bytes,
        rows
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(logged
        .into_iter()
        .filter_map(|row| Some((u64::try_from(row.offset).ok()?, row.id)))
        .collect())
}

/// Notes of whom and what events speak.
pub(super) async fn refer(tx: &mut WriteTx<'_>, refs: &[(i64, String)]) -> Result<(), StoreError> {
    if refs.is_empty() {
        return Ok(());
    }
    let rows = encode(refs);
    sqlx::query!(
        "INSERT INTO raw_event_refs (raw_event_id, ref) SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
        rows
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes what became of events. Failed ones are due again after a pause that grows with every try.
pub(super) async fn settle(
    tx: &mut WriteTx<'_>,
    outcomes: &[(i64, Outcome)],
    now_ms: i64,
) -> Result<(), StoreError> {
    let rows: Vec<_> = outcomes
        .iter()
        .map(|(id, outcome)| {
            let (state, reason) = match outcome {
                Outcome::Done(parts) => ("done", parts.clone()),
                Outcome::Ignored(reason) => ("ignored", Some(reason.clone())),
                Outcome::Foreign(why) => ("ignored", Some(Reason::new(*why))),
                Outcome::Failed(reason) => ("failed", Some(reason.clone())),
            };
            let reason = reason.and_then(|reason| serde_json::to_string(&reason).ok());
            let foreign = matches!(outcome, Outcome::Foreign(_));
            json!([id, state, reason, i64::from(foreign)])
        })
        .collect();
    let rows = encode(&rows);
    sqlx::query!(
        "UPDATE raw_events SET state = told.value ->> 1, reason = told.value ->> 2, attempts = attempts + 1,
           body = CASE WHEN told.value ->> 3 THEN NULL ELSE body END,
           retry_at_ms = CASE WHEN told.value ->> 1 = 'failed' THEN ?2 + min(?3 << min(attempts, 20), ?4) END
         FROM json_each(?1) told WHERE raw_events.id = told.value ->> 0",
        rows,
        now_ms,
        PAUSE_MS,
        LONGEST_PAUSE_MS
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An event that did not open when it came has been opened: from now on its own bytes are logged.
pub(super) async fn opened(tx: &mut WriteTx<'_>, id: i64, event: &Event) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE raw_events SET body = ?, sealed = 0, kind = ?, event_id = ?, subject = ?, received_at_ms = ? WHERE id = ?",
        event.body,
        event.kind.0,
        event.id,
        event.subject,
        event.received_ms,
        id
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
