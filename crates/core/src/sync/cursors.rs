//! What is stored about one account's fetching, and how the steps read and write it.
//!
//! Invariant: a page cursor is a hint. Cursors may die (meta-platform §1.5): then the list begins anew and skips what is done. What is
//! done is known from `sync_threads`, written in the transaction that took the thread's messages in.

use super::plan::{Facts, Import, Link, Permitted};
use crate::{
    domain::AccountId,
    store::{StoreError, WriteTx},
};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// Threads per page: the platform's most.
pub const PAGE: u32 = 100;
/// Threads of the very first page: the owner sees something after a small answer.
pub const FIRST_PAGE: u32 = 25;
/// So many threads are asked for messages beyond the newest 20. When the platform refuses all of them, the rule of the newest 20 holds
/// for this account and the others are not asked: one call each would cost more than the rest of the first sync.
pub const PROBES: i64 = 3;

/// The first sync's place (`sync_cursors.backfill`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backfill {
    /// The thread list is complete.
    pub listed: bool,
    /// Everything is finished.
    pub finished: bool,
    /// Next page of the list.
    pub cursor: Option<String>,
    /// Threads per page that the platform stands.
    pub size: u32,
    /// The list began anew so many times without a page in between.
    pub restarts: u32,
    /// Newest thread when the list began: everything changed later is the polls' business.
    pub began_at_ms: i64,
    /// Messages taken in.
    pub messages: i64,
    /// Threads that gave messages beyond the newest 20.
    pub gave_older: i64,
    /// Threads that refused them.
    pub refused_older: i64,
}

impl Default for Backfill {
    fn default() -> Self {
        Self {
            listed: false,
            finished: false,
            cursor: None,
            size: PAGE,
            restarts: 0,
            began_at_ms: 0,
            messages: 0,
            gave_older: 0,
            refused_older: 0,
        }
    }
}

impl Backfill {
    /// Is it worth asking a thread for messages beyond those that came with the list?
    pub fn ask_older(&self) -> bool {
        self.gave_older > 0 || self.refused_older < PROBES
    }

    /// How many threads to ask for next.
    pub fn page_size(&self) -> u32 {
        let size = self.size.clamp(1, PAGE);
        if self.began_at_ms == 0 {
            size.min(FIRST_PAGE)
        } else {
            size
        }
    }
}

/// A thread whose older messages are still to be fetched.
pub struct Todo {
    /// The platform's conversation id.
    pub thread: String,
    /// Next page of its messages.
    pub cursor: Option<String>,
}

/// Everything stored that the next step depends on.
pub struct Stored {
    /// For the plan.
    pub facts: Facts,
    /// Events are switched on at the platform, one has come, and none was missed since. A relay that is set up wrongly brings nothing
    /// and says nothing: until it has proved itself the account is polled.
    pub events_trusted: bool,
    /// The first sync's place.
    pub backfill: Backfill,
    /// The newest thread that is not done.
    pub todo: Option<Todo>,
}

/// Reads it. `None` when the account is gone.
///
/// # Errors
/// What the database says.
pub async fn read(
    connection: &mut SqliteConnection,
    account: AccountId,
) -> Result<Option<Stored>, StoreError> {
    let Some(row) = sqlx::query!(
        r#"SELECT a.state, a.paused, a.auto_sync, a.credential_id, a.subscribed_at_ms, a.webhook_at_ms, s.backfill AS "backfill?: String", s.watermark_ms AS "watermark_ms?: i64",
             s.imported_at_ms AS "imported_at_ms?: i64", s.last_poll_at_ms AS "last_poll_at_ms?: i64",
             s.last_reconcile_at_ms AS "last_reconcile_at_ms?: i64",
             (SELECT MAX(finished_at_ms) FROM sync_runs r WHERE r.account_id = a.id AND r.kind = 'reconcile' AND r.recovered_messages > 0)
               AS "missed_at_ms?: i64",
             (SELECT last_at_ms FROM conversations c WHERE c.account_id = a.id ORDER BY last_key DESC, id DESC LIMIT 1) AS "newest_at_ms?: i64"
           FROM accounts a LEFT JOIN sync_cursors s ON s.account_id = a.id WHERE a.id = ?"#,
        account.0
    )
    .fetch_optional(&mut *connection)
    .await?
    else {
        return Ok(None);
    };
    let backfill = row
        .backfill
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let permitted = match row.state.as_str() {
        "disconnected" | "paused" | "reconnect_now" | "blocked" => Permitted::No,
        _ if row.paused != 0 || row.credential_id.is_none() => Permitted::No,
        _ if row.auto_sync == 0 => Permitted::OnAsk,
        _ => Permitted::ByItself,
    };
    let todo = todo(connection, account, &backfill, row.imported_at_ms).await?;
    let import = match (row.imported_at_ms, backfill.listed, &todo) {
        (Some(_), ..) => Import::Done,
        (None, false, _) => Import::Listing,
        (None, true, Some(_)) => Import::Deepening,
        (None, true, None) => Import::Ready,
    };
    let facts = Facts {
        permitted,
        import,
        watermark_ms: row.watermark_ms.unwrap_or(0),
        last_poll_at_ms: row.last_poll_at_ms,
        last_reconcile_at_ms: row.last_reconcile_at_ms.max(row.imported_at_ms),
        newest_at_ms: row.newest_at_ms.unwrap_or(0),
        // Whoever decides the next step knows the connection.
        link: Link::Off,
    };
    Ok(Some(Stored {
        facts,
        events_trusted: row.subscribed_at_ms.is_some()
            && row
                .webhook_at_ms
                .is_some_and(|event| row.missed_at_ms.is_none_or(|missed| missed < event)),
        backfill,
        todo,
    }))
}

async fn todo(
    connection: &mut SqliteConnection,
    account: AccountId,
    backfill: &Backfill,
    imported_at_ms: Option<i64>,
) -> Result<Option<Todo>, StoreError> {
    if !backfill.listed || imported_at_ms.is_some() {
        return Ok(None);
    }
    let row = sqlx::query!(
        "SELECT platform_id, cursor FROM sync_threads WHERE account_id = ? AND state = 'found' ORDER BY updated_at_ms DESC LIMIT 1",
        account.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Todo {
        thread: row.platform_id,
        cursor: row.cursor,
    }))
}

/// Writes the first sync's place.
///
/// # Errors
/// What the database says.
pub async fn save(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    backfill: &Backfill,
) -> Result<(), StoreError> {
    // Plain data of our own: writing it as JSON cannot fail.
    let json = serde_json::to_string(backfill).unwrap_or_else(|_| "{}".into());
    sqlx::query!(
        "INSERT INTO sync_cursors (account_id, backfill) VALUES (?, ?) ON CONFLICT (account_id) DO UPDATE SET backfill = excluded.backfill",
        account.0,
        json
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes a thread as found or done, with how it stands at the platform.
///
/// # Errors
/// What the database says.
pub async fn note_thread(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    thread: &str,
    updated_at_ms: i64,
    done: bool,
    cursor: Option<&str>,
) -> Result<(), StoreError> {
    let state = if done { "done" } else { "found" };
    sqlx::query!(
        "INSERT INTO sync_threads (account_id, platform_id, updated_at_ms, state, cursor) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (account_id, platform_id) DO UPDATE SET updated_at_ms = MAX(updated_at_ms, excluded.updated_at_ms),
           state = excluded.state, cursor = excluded.cursor",
        account.0,
        thread,
        updated_at_ms,
        state,
        cursor
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A poll saw a thread. What the first sync still has to fetch of it stays to be fetched; of a thread that the first sync did not
/// reach yet, `cursor` leads to the rest.
///
/// # Errors
/// What the database says.
pub async fn touch_thread(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    thread: &str,
    updated_at_ms: i64,
    cursor: Option<&str>,
) -> Result<(), StoreError> {
    let state = if cursor.is_some() { "found" } else { "done" };
    sqlx::query!(
        "INSERT INTO sync_threads (account_id, platform_id, updated_at_ms, state, cursor) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (account_id, platform_id) DO UPDATE SET updated_at_ms = MAX(updated_at_ms, excluded.updated_at_ms)",
        account.0,
        thread,
        updated_at_ms,
        state,
        cursor
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How the threads of a page stand here: (`updated_at_ms`, done) by the platform's conversation id.
///
/// # Errors
/// What the database says.
pub async fn known(
    connection: &mut SqliteConnection,
    account: AccountId,
    threads: &[&str],
) -> Result<HashMap<String, (i64, bool)>, StoreError> {
    let wanted = serde_json::to_string(threads).unwrap_or_else(|_| "[]".into());
    let rows = sqlx::query!(
        "SELECT platform_id, updated_at_ms, state FROM sync_threads WHERE account_id = ? AND platform_id IN (SELECT value FROM json_each(?))",
        account.0,
        wanted
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.platform_id, (row.updated_at_ms, row.state == "done")))
        .collect())
}

/// Moves the watermark, never back.
///
/// # Errors
/// What the database says.
pub async fn raise_watermark(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    to_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO sync_cursors (account_id, watermark_ms) VALUES (?, ?)
         ON CONFLICT (account_id) DO UPDATE SET watermark_ms = MAX(watermark_ms, excluded.watermark_ms)",
        account.0,
        to_ms
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
