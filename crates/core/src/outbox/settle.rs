//! Every change of a send's state, each inside a transaction of its caller. Nothing else writes `outbox.state`.
//!
//! Invariant: the message's state follows the send's in the same transaction, `conversations.trouble` with it, and an answer only
//! counts while its request is open: whatever was settled by an echo first stays settled.

use super::Body;
use crate::{
    api::types::{Change, Reason},
    domain::{ConversationId, OutboxId},
    store::{StoreError, WriteTx},
};

/// First look after an unknown send, and the second (decision T17).
pub const LOOKS_MS: [i64; 2] = [10_000, 60_000];

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted under this message id.
    Sent {
        /// Platform's message id.
        mid: String,
    },
    /// Refused for good.
    Failed {
        /// Why.
        reason: Reason,
    },
    /// Nothing was done: it stays in line.
    Again {
        /// What it waits for.
        reason: Reason,
    },
    /// Perhaps.
    Unknown {
        /// What went wrong.
        reason: Reason,
    },
}

/// The request is about to leave. `false`: it was undone or taken in the meantime, and must not leave.
///
/// # Errors
/// What the database says.
pub async fn begin(
    tx: &mut WriteTx<'_>,
    id: OutboxId,
    platform_now_ms: i64,
    now_ms: i64,
) -> Result<bool, StoreError> {
    // The offset may come from a proxy's clock. Recognising our own message later must not hang on it: the earlier of the two.
    let begun_ms = platform_now_ms.min(now_ms);
    let done = sqlx::query!(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, checks = 0, next_check_ms = NULL, started_at_ms = ?, updated_at_ms = ?
         WHERE id = ? AND state IN ('scheduled', 'queued')",
        begun_ms,
        now_ms,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    follow(tx, id, "sending", None).await?;
    Ok(true)
}

/// Writes down what became of a request. No effect when something else settled it first.
///
/// # Errors
/// What the database says.
pub async fn finish(
    tx: &mut WriteTx<'_>,
    id: OutboxId,
    outcome: &Outcome,
    now_ms: i64,
) -> Result<(), StoreError> {
    let open = sqlx::query_scalar!("SELECT state FROM outbox WHERE id = ?", id.0)
        .fetch_optional(&mut **tx)
        .await?;
    if let Outcome::Sent { mid } = outcome
        && open.is_some_and(|state| state != "sent")
    {
        return claim(tx, id, mid, now_ms).await;
    }
    let (state, reason, next_check) = match outcome {
        Outcome::Sent { .. } => return Ok(()),
        Outcome::Failed { reason } => ("failed", reason, None),
        Outcome::Again { reason } => ("queued", reason, None),
        Outcome::Unknown { reason } => ("unknown", reason, Some(now_ms + LOOKS_MS[0])),
    };
    let done = sqlx::query!(
        "UPDATE outbox SET state = ?, next_check_ms = ?, updated_at_ms = ? WHERE id = ? AND state = 'sending'",
        state,
        next_check,
        now_ms,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() > 0 {
        follow(tx, id, state, Some(reason)).await?;
    }
    Ok(())
}

/// Before it left, its time was over: the text goes back to the owner (decision T19, product "re-checked before they leave").
///
/// # Errors
/// What the database says.
pub async fn back_to_draft(
    tx: &mut WriteTx<'_>,
    id: OutboxId,
    reason: &Reason,
    now_ms: i64,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "UPDATE outbox SET state = 'failed', updated_at_ms = ? WHERE id = ? AND state IN ('scheduled', 'queued')",
        now_ms,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() > 0 {
        follow(tx, id, "draft", Some(reason)).await?;
    }
    Ok(())
}

/// It waits, and for what: shown beside the message. Says nothing when nothing changed.
///
/// # Errors
/// What the database says.
pub async fn waits(tx: &mut WriteTx<'_>, id: OutboxId, reason: &Reason) -> Result<(), StoreError> {
    let known = sqlx::query_scalar!(
        "SELECT m.reason FROM outbox o JOIN messages m ON m.id = o.message_id WHERE o.id = ? AND o.state IN ('scheduled', 'queued')",
        id.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    match known {
        Some(known) if known.as_deref() != Some(to_json(reason).as_str()) => {
            follow(tx, id, "queued", Some(reason)).await
        }
        _ => Ok(()),
    }
}

/// The platform has it under `mid`: by its answer, or because an echo or a look found it.
///
/// # Errors
/// What the database says.
pub async fn claim(
    tx: &mut WriteTx<'_>,
    id: OutboxId,
    mid: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Some(row) = sqlx::query!(
        r#"SELECT o.account_id, o.message_id, o.conversation_id, o.state, o.body, m.sort_key FROM outbox o
           JOIN messages m ON m.id = o.message_id WHERE o.id = ?"#,
        id.0
    )
    .fetch_optional(&mut **tx)
    .await?
    else {
        return Ok(());
    };
    // An echo that waited its 20 s in vain may have become a row of its own. There is one message, so one row goes.
    let twin = sqlx::query_scalar!(
        r#"SELECT id AS "id!: i64" FROM messages WHERE account_id = ? AND mid = ? AND id <> ?"#,
        row.account_id,
        mid,
        row.message_id
    )
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(twin) = twin {
        super::thread::remove_message(tx, row.conversation_id, twin).await?;
    }
    sqlx::query!(
        "DELETE FROM held_echoes WHERE account_id = ? AND mid = ?",
        row.account_id,
        mid
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE messages SET mid = ? WHERE id = ? AND mid IS NULL",
        mid,
        row.message_id
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE outbox SET state = 'sent', next_check_ms = NULL, updated_at_ms = ? WHERE id = ?",
        now_ms,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    if row.state == "cancelled" {
        // Discarded while nobody was sure, and now known to have arrived: the thread shows what the customer sees.
        super::thread::restore_text(
            tx,
            ConversationId(row.conversation_id),
            row.message_id,
            &Body::parse(&row.body).text,
        )
        .await?;
    }
    follow(tx, id, "sent", None).await
}

/// Message, trouble mark and news follow a send's new state.
///
/// # Errors
/// What the database says.
pub(super) async fn follow(
    tx: &mut WriteTx<'_>,
    id: OutboxId,
    state: &str,
    reason: Option<&Reason>,
) -> Result<(), StoreError> {
    let reason = reason.map(to_json);
    let row = sqlx::query!(
        r#"UPDATE messages SET state = ?, reason = ? WHERE id = (SELECT message_id FROM outbox WHERE id = ?)
           RETURNING conversation_id AS "conversation_id!: i64""#,
        state,
        reason,
        id.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let had = sqlx::query_scalar!(
        "SELECT trouble FROM conversations WHERE id = ?",
        row.conversation_id
    )
    .fetch_one(&mut **tx)
    .await?;
    // 'failed' sorts before 'unknown': what is certain is said first.
    let trouble = sqlx::query_scalar!(
        r#"SELECT MIN(state) AS "state: String" FROM outbox WHERE conversation_id = ? AND state IN ('failed', 'unknown')"#,
        row.conversation_id
    )
    .fetch_one(&mut **tx)
    .await?;
    if had != trouble {
        sqlx::query!(
            "UPDATE conversations SET trouble = ? WHERE id = ?",
            trouble,
            row.conversation_id
        )
        .execute(&mut **tx)
        .await?;
        tx.tell(Change::Conversation {
            id: row.conversation_id,
        });
    }
    tx.tell(Change::Messages {
        conversation_id: row.conversation_id,
    });
    Ok(())
}

/// After a start: a request that was open when the program ended is unknown; it is looked for, never simply sent again.
///
/// # Errors
/// What the database says.
pub async fn after_restart(tx: &mut WriteTx<'_>, now_ms: i64) -> Result<usize, StoreError> {
    let rows = sqlx::query_scalar!(
        r#"SELECT id AS "id!: i64" FROM outbox WHERE state = 'sending' ORDER BY id"#
    )
    .fetch_all(&mut **tx)
    .await?;
    for id in &rows {
        let interrupted = Outcome::Unknown {
            reason: Reason::new("program_ended"),
        };
        finish(tx, OutboxId(*id), &interrupted, now_ms).await?;
        sqlx::query!(
            "UPDATE outbox SET next_check_ms = ? WHERE id = ?",
            now_ms,
            id
        )
        .execute(&mut **tx)
        .await?;
    }
    let held =
        sqlx::query_scalar!(r#"SELECT DISTINCT conversation_id AS "id!: i64" FROM held_echoes"#)
            .fetch_all(&mut **tx)
            .await?;
    for conversation in held {
        super::echo::release(tx, ConversationId(conversation), now_ms).await?;
    }
    Ok(rows.len())
}

fn to_json(reason: &Reason) -> String {
    // A map of strings: writing it as JSON cannot fail.
    serde_json::to_string(reason).unwrap_or_default()
}
