//! Events of one account become rows, each so that it can be taken back alone.
//!
//! Invariant: what an event does stands between a savepoint and its release. An error that lies in the event, or a panic, takes back to
//! the savepoint and is the event's failure; an error that lies in the disk is the caller's, and nothing was taken in.

use super::log::Outcome;
use crate::{
    api::types::Reason,
    domain::{AccountId, Incoming, IncomingItem, Source},
    ingest,
    platform::webhook::EntryNews,
    store::{StoreError, WriteTx},
};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// One event of an account, logged under `row`.
pub(super) struct News {
    pub row: i64,
    pub news: EntryNews,
}

/// Takes the events of one account in, in their order: together for speed, one by one when that does not work.
pub(super) async fn account(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    events: Vec<News>,
    now_ms: i64,
) -> Result<Vec<(i64, Outcome)>, StoreError> {
    let mut outcomes = Vec::with_capacity(events.len());
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() {
        let (mut items, mut some) = (Vec::new(), Vec::new());
        while let Some(next) = events
            .next_if(|next| some.is_empty() || items.len() + next.news.items.len() <= ingest::BATCH)
        {
            some.push((next.row, next.news.items.len(), ignored(&next.news)));
            items.extend(next.news.items);
        }
        together(tx, account, items, some, now_ms, &mut outcomes).await?;
    }
    Ok(outcomes)
}

/// Row, number of items, words about the parts left out.
type Part = (i64, usize, Option<Reason>);

async fn together(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    items: Vec<IncomingItem>,
    parts: Vec<Part>,
    now_ms: i64,
    outcomes: &mut Vec<(i64, Outcome)>,
) -> Result<(), StoreError> {
    let done = |(row, items, ignored): Part| match (items, ignored) {
        (0, ignored) => {
            let reason = ignored.unwrap_or_else(|| Reason::new("nothing_in_it"));
            (row, Outcome::Ignored(reason))
        }
        (_, parts) => (row, Outcome::Done(parts)),
    };
    let mut incoming = Incoming {
        account,
        source: Source::Webhook,
        observed_at_ms: now_ms,
        items,
    };
    let failed = take_in(tx, &incoming).await?.err();
    match failed {
        None => outcomes.extend(parts.into_iter().map(done)),
        Some(reason) if parts.len() == 1 => {
            outcomes.extend(
                parts
                    .iter()
                    .map(|part| (part.0, Outcome::Failed(reason.clone()))),
            );
        }
        Some(_) => {
            let mut rest = std::mem::take(&mut incoming.items).into_iter();
            for part in parts {
                incoming.items = rest.by_ref().take(part.1).collect();
                let outcome = match take_in(tx, &incoming).await? {
                    Ok(()) => done(part),
                    Err(reason) => (part.0, Outcome::Failed(reason)),
                };
                outcomes.push(outcome);
            }
        }
    }
    Ok(())
}

async fn take_in(
    tx: &mut WriteTx<'_>,
    incoming: &Incoming,
) -> Result<Result<(), Reason>, StoreError> {
    if incoming.items.is_empty() {
        return Ok(Ok(()));
    }
    savepoint(tx).await?;
    let done = watched(ingest::apply(tx, incoming)).await;
    Ok(keep(tx, done).await?.map(drop))
}

fn ignored(news: &EntryNews) -> Option<Reason> {
    let mut words = news.ignored.clone();
    words.sort_unstable();
    words.dedup();
    match words.as_slice() {
        [] => None,
        [word] if news.items.is_empty() => Some(Reason::new(*word)),
        words => Some(Reason::new("parts_left_out").with("parts", words.join(", "))),
    }
}

/// Marks the place to go back to.
pub(super) async fn savepoint(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    sqlx::raw_sql("SAVEPOINT event").execute(&mut **tx).await?;
    Ok(())
}

/// What came of work behind a savepoint; nothing for a panic.
pub(super) async fn watched<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Option<Result<T, StoreError>> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

/// Keeps what was done since the savepoint, or takes it back when the fault is the work's own: that is the inner error.
pub(super) async fn keep<T>(
    tx: &mut WriteTx<'_>,
    done: Option<Result<T, StoreError>>,
) -> Result<Result<T, Reason>, StoreError> {
    let reason = match done {
        Some(Ok(done)) => {
            sqlx::raw_sql("RELEASE event").execute(&mut **tx).await?;
            return Ok(Ok(done));
        }
        Some(Err(error)) => own_fault(&error).ok_or(error)?,
        None => Reason::new("panic"),
    };
    sqlx::raw_sql("ROLLBACK TO event; RELEASE event")
        .execute(&mut **tx)
        .await?;
    Ok(Err(reason))
}

/// Whether an error lies in what was to be stored, and not in the disk or the connection. Without SQLite's text: it may quote.
fn own_fault(error: &StoreError) -> Option<Reason> {
    let StoreError::Sql(error) = error else {
        return None;
    };
    let code = match error {
        sqlx::Error::Database(error) => {
            let code: i64 = error.code()?.parse().ok()?;
            // SQLITE_ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE.
            matches!(code & 0xff, 1 | 18 | 19 | 20 | 25).then(|| code.to_string())?
        }
        sqlx::Error::RowNotFound => "row_not_found".to_owned(),
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_) => {
            "decode".to_owned()
        }
        _ => return None,
    };
    Some(Reason::new("not_stored").with("why", code))
}
