//! The log as the owner sees it: what came, what became of it, never what it says.

use crate::{
    api::types::{EventPage, EventState, EventView, EventsQuery},
    ingest::rows::encode,
    store::StoreError,
};
use shopbell_wire::EventKind;
use sqlx::SqliteConnection;

/// Rows of a page at most.
const MOST: u32 = 200;

/// A page, newest first.
///
/// # Errors
/// What the database says.
pub async fn page(
    connection: &mut SqliteConnection,
    query: &EventsQuery,
) -> Result<EventPage, StoreError> {
    let limit = i64::from(query.limit.unwrap_or(50).clamp(1, MOST));
    let before = query.before.unwrap_or(i64::MAX);
    let state = query.state.map(EventState::as_str);
    // Two questions, because only what is not done has an index by state.
    let ids = match state {
        Some(state) if state != "done" => {
            sqlx::query_scalar!(
                r#"SELECT id AS "id!: i64" FROM raw_events WHERE state = ? AND state <> 'done' AND id < ? ORDER BY id DESC LIMIT ?"#,
                state,
                before,
                limit
            )
            .fetch_all(&mut *connection)
            .await?
        }
        state => {
            sqlx::query_scalar!(
                r#"SELECT id AS "id!: i64" FROM raw_events WHERE (?1 IS NULL OR state = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3"#,
                state,
                before,
                limit
            )
            .fetch_all(&mut *connection)
            .await?
        }
    };
    let next = ids
        .last()
        .copied()
        .filter(|_| i64::try_from(ids.len()).is_ok_and(|found| found == limit));
    let rows = views(connection, &ids).await?;
    Ok(EventPage { rows, next })
}

/// One event.
///
/// # Errors
/// What the database says.
pub async fn one(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Option<EventView>, StoreError> {
    Ok(views(connection, &[id]).await?.pop())
}

struct Row {
    id: i64,
    kind: i64,
    account_id: Option<i64>,
    received_at_ms: i64,
    logged_at_ms: i64,
    state: String,
    reason: Option<String>,
    attempts: i64,
    retry_at_ms: Option<i64>,
    bytes: Option<i64>,
}

async fn views(
    connection: &mut SqliteConnection,
    ids: &[i64],
) -> Result<Vec<EventView>, StoreError> {
    let ids = encode(ids);
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, kind, account_id, received_at_ms, logged_at_ms, state, reason, attempts, retry_at_ms,
             octet_length(body) AS "bytes?: i64" FROM raw_events
           WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    let view = |row: Row| {
        Some(EventView {
            id: row.id,
            kind: word(row.kind).into(),
            account_id: row.account_id,
            received_at_ms: row.received_at_ms,
            logged_at_ms: row.logged_at_ms,
            state: EventState::parse(&row.state)?,
            reason: row
                .reason
                .and_then(|reason| serde_json::from_str(&reason).ok()),
            attempts: row.attempts,
            retry_at_ms: row.retry_at_ms,
            bytes: row.bytes,
        })
    };
    Ok(rows.into_iter().filter_map(view).collect())
}

fn word(kind: i64) -> &'static str {
    match u8::try_from(kind).map(EventKind) {
        Ok(EventKind::META) => "meta",
        Ok(EventKind::SHOP) => "shop",
        Ok(EventKind::COLLECT) => "collect",
        Ok(EventKind::DEAUTHORIZED) => "deauthorized",
        Ok(EventKind::DELETION) => "deletion",
        _ => "unknown",
    }
}
