//! The sync log: what was fetched when, with what result. The first sync is one line per start of the program, a poll only when it brought
//! something or failed, a comparison always.

use crate::{
    api::types::{Reason, SyncRun},
    domain::AccountId,
    store::{StoreError, WriteTx},
};
use sqlx::SqliteConnection;

/// Lines kept per account.
const KEPT: i64 = 500;
/// Lines shown.
const SHOWN: i64 = 100;

/// Kinds of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// First sync.
    Backfill,
    /// Looking for news.
    Poll,
    /// Comparing with the platform.
    Reconcile,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Backfill => "backfill",
            Self::Poll => "poll",
            Self::Reconcile => "reconcile",
        }
    }
}

/// What a run brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    /// Conversations looked at.
    pub conversations: i64,
    /// New messages.
    pub messages: i64,
    /// Of these, missed before.
    pub recovered_messages: i64,
    /// Conversations with missed messages.
    pub recovered_conversations: i64,
}

/// A finished run.
///
/// # Errors
/// What the database says.
pub async fn note(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    kind: Kind,
    started_at_ms: i64,
    now_ms: i64,
    brought: &Brought,
    failure: Option<&Reason>,
) -> Result<(), StoreError> {
    let result = if failure.is_some() { "failed" } else { "done" };
    let (kind, reason) = (
        kind.as_str(),
        failure.and_then(|reason| serde_json::to_string(reason).ok()),
    );
    sqlx::query!(
        "INSERT INTO sync_runs (account_id, kind, started_at_ms, finished_at_ms, result, conversations, messages, recovered_messages,
           recovered_conversations, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        account.0,
        kind,
        started_at_ms,
        now_ms,
        result,
        brought.conversations,
        brought.messages,
        brought.recovered_messages,
        brought.recovered_conversations,
        reason
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "DELETE FROM sync_runs WHERE account_id = ?1 AND result <> 'running' AND id <=
           (SELECT id FROM sync_runs WHERE account_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        account.0,
        KEPT
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The first sync goes on: its line, opened when there is none.
///
/// # Errors
/// What the database says.
pub async fn backfill_goes_on(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    now_ms: i64,
    conversations: i64,
    messages: i64,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "UPDATE sync_runs SET conversations = conversations + ?, messages = messages + ?
         WHERE account_id = ? AND kind = 'backfill' AND result = 'running'",
        conversations,
        messages,
        account.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        sqlx::query!(
            "INSERT INTO sync_runs (account_id, kind, started_at_ms, result, conversations, messages) VALUES (?, 'backfill', ?, 'running', ?, ?)",
            account.0,
            now_ms,
            conversations,
            messages
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// The first sync is finished.
///
/// # Errors
/// What the database says.
pub async fn backfill_ended(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    now_ms: i64,
) -> Result<(), StoreError> {
    backfill_goes_on(tx, account, now_ms, 0, 0).await?;
    sqlx::query!(
        "UPDATE sync_runs SET result = 'done', finished_at_ms = ? WHERE account_id = ? AND kind = 'backfill' AND result = 'running'",
        now_ms,
        account.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// After a start: what was running was interrupted.
///
/// # Errors
/// What the database says.
pub async fn after_restart(tx: &mut WriteTx<'_>, now_ms: i64) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE sync_runs SET result = 'interrupted', finished_at_ms = ? WHERE result = 'running'",
        now_ms
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The newest lines of an account, newest first.
///
/// # Errors
/// What the database says.
pub async fn read(
    connection: &mut SqliteConnection,
    account: AccountId,
) -> Result<Vec<SyncRun>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!: i64", kind, started_at_ms, finished_at_ms, result, conversations, messages, reason FROM sync_runs
           WHERE account_id = ? ORDER BY id DESC LIMIT ?"#,
        account.0,
        SHOWN
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| SyncRun {
            id: row.id,
            account_id: account.0,
            kind: row.kind,
            started_at_ms: row.started_at_ms,
            finished_at_ms: row.finished_at_ms,
            result: row.result,
            conversations: row.conversations,
            messages: row.messages,
            reason: row.reason.and_then(|json| serde_json::from_str(&json).ok()),
        })
        .collect())
}
