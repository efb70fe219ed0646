//! What the owner may still change about a message of theirs: undo, try again, give up, look.
//!
//! Invariant: the sender and the owner meet on the row's state inside one transaction; whoever is first wins, and the other is told.

use super::{Body, Work, context::Context, enqueue, sender, settle, thread};
use crate::{
    Profile,
    api::{
        ApiError,
        types::{Change, MessageView},
    },
    domain::{Author, ConversationId, MessageId, OutboxId},
    store::{Priority, StoreError, WriteTx},
    sync::{self, remote::Remote},
};

struct Row {
    id: OutboxId,
    conversation: ConversationId,
    account: crate::domain::AccountId,
    author: Author,
    state: String,
    body: Body,
}

/// Takes a message back before it leaves. Its text becomes the draft again when there is none.
///
/// # Errors
/// `too_late` once its request began; `not_found`.
pub async fn undo(profile: &Profile, id: MessageId) -> Result<MessageView, ApiError> {
    let mut tx = profile.store.write(Priority::Owner).await?;
    let row = row(&mut tx, id).await?;
    let now_ms = profile.now_ms();
    let taken = sqlx::query!(
        "UPDATE outbox SET state = 'cancelled', body = '{}', started_at_ms = NULL, updated_at_ms = ? WHERE id = ? AND state IN ('scheduled', 'queued')",
        now_ms,
        row.id.0
    )
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    if taken.rows_affected() == 0 {
        return Err(ApiError::new("too_late", "The message is on its way."));
    }
    sqlx::query!(
        "UPDATE conversations SET draft = ? WHERE id = ? AND (draft IS NULL OR draft = '')",
        row.body.text,
        row.conversation.0
    )
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    withdraw(&mut tx, &row, id).await?;
    let mut answer = enqueue::look_up(&mut tx, id).await?;
    tx.commit().await?;
    profile.outbox.wake();
    answer.text = Some(row.body.text);
    Ok(answer)
}

/// Sends again what failed, came back as a draft, or is unknown. For an unknown one this is the owner's "send again": it may arrive twice,
/// and only a person may decide that.
///
/// # Errors
/// `not_allowed` for an unknown send of an automation, `bad_argument` in any other state, and whatever forbids a new send.
pub async fn retry(profile: &Profile, id: MessageId) -> Result<MessageView, ApiError> {
    let mut tx = profile.store.write(Priority::Owner).await?;
    let row = row(&mut tx, id).await?;
    match row.state.as_str() {
        "failed" => {}
        "unknown" if row.author == Author::You => {}
        "unknown" => {
            return Err(ApiError::new(
                "not_allowed",
                "What an automation said is never said twice.",
            ));
        }
        _ => {
            return Err(ApiError::new(
                "bad_argument",
                "Only a failed or unknown message can be sent again.",
            ));
        }
    }
    let context = Context::of(&mut tx, row.conversation)
        .await?
        .ok_or_else(|| ApiError::not_found("conversation"))?;
    let now_ms = profile.now_ms();
    enqueue::may_leave(
        &context,
        row.author,
        now_ms + sync::clock_offset_ms(profile),
    )?;
    sqlx::query!(
        "UPDATE outbox SET state = 'queued', checks = 0, next_check_ms = NULL, not_before_ms = ?, updated_at_ms = ? WHERE id = ?",
        now_ms,
        now_ms,
        row.id.0
    )
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    settle::follow(&mut tx, row.id, "queued", None).await?;
    let answer = enqueue::look_up(&mut tx, id).await?;
    tx.commit().await?;
    profile.outbox.lift_hold(row.account);
    Ok(answer)
}

/// Gives a message up that did not arrive or is not known to have arrived. An unknown one that turns up later is shown again.
///
/// # Errors
/// `too_late` while its request is open or after it arrived; `not_found`.
pub async fn discard(profile: &Profile, id: MessageId) -> Result<(), ApiError> {
    let mut tx = profile.store.write(Priority::Owner).await?;
    let row = row(&mut tx, id).await?;
    let now_ms = profile.now_ms();
    // An unknown one keeps its words in the outbox, so that it is recognised when it did arrive.
    let taken = sqlx::query!(
        "UPDATE outbox SET body = CASE state WHEN 'unknown' THEN body ELSE '{}' END,
           started_at_ms = CASE state WHEN 'unknown' THEN started_at_ms END,
           state = 'cancelled', next_check_ms = NULL, updated_at_ms = ?
         WHERE id = ? AND state IN ('scheduled', 'queued', 'failed', 'unknown')",
        now_ms,
        row.id.0
    )
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    if taken.rows_affected() == 0 {
        return Err(ApiError::new(
            "too_late",
            "The message is on its way or has arrived.",
        ));
    }
    withdraw(&mut tx, &row, id).await?;
    tx.commit().await?;
    profile.outbox.wake();
    Ok(())
}

/// Looks now whether an unknown message arrived.
///
/// # Errors
/// `not_found`; `offline`, `rate_limited` or `needs_reconnect` when the platform could not be asked.
pub async fn check(
    profile: &Profile,
    remote: &dyn Remote,
    id: MessageId,
) -> Result<MessageView, ApiError> {
    let row = {
        let mut tx = profile.store.write(Priority::Owner).await?;
        row(&mut tx, id).await?
    };
    if row.state == "unknown" {
        let work = Work::Look {
            id: row.id,
            conversation: row.conversation,
            account: row.account,
        };
        if let Some(fault) = sender::look(profile, remote, &work).await?.fault() {
            return Err(sync::as_api_error(fault));
        }
    }
    let mut reader = profile.store.read().await?;
    super::view::message(&mut reader, id)
        .await?
        .ok_or_else(|| ApiError::not_found("message"))
}

async fn withdraw(tx: &mut WriteTx<'_>, row: &Row, id: MessageId) -> Result<(), ApiError> {
    thread::withdraw(tx, id).await?;
    settle::follow(tx, row.id, "cancelled", None).await?;
    tx.tell(Change::Conversation {
        id: row.conversation.0,
    });
    Ok(())
}

async fn row(tx: &mut WriteTx<'_>, id: MessageId) -> Result<Row, ApiError> {
    let row = sqlx::query!(
        r#"SELECT id AS "id!: i64", conversation_id, account_id, author, state, body FROM outbox WHERE message_id = ?"#,
        id.0
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| ApiError::not_found("message"))?;
    Ok(Row {
        id: OutboxId(row.id),
        conversation: ConversationId(row.conversation_id),
        account: crate::domain::AccountId(row.account_id),
        author: Author::parse(&row.author).unwrap_or(Author::Automation),
        state: row.state,
        body: Body::parse(&row.body),
    })
}
