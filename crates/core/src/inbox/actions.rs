//! What the owner does to a conversation without sending: opening, unread, done, drafts. Each answers whether the conversation is there.

use crate::{
    api::types::Change,
    domain::{ConversationId, ConversationState},
    store::{Priority, Store, StoreError},
};

/// The owner sees everything in it up to now.
///
/// # Errors
/// What the database says.
pub async fn opened(store: &Store, id: ConversationId) -> Result<bool, StoreError> {
    let mut tx = store.write(Priority::Owner).await?;
    let done = sqlx::query!(
        "UPDATE conversations SET opened_key = last_key, unread = 0 WHERE id = ? AND (unread > 0 OR opened_key < last_key)",
        id.0
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() > 0 {
        tx.tell(Change::Conversation { id: id.0 });
        tx.commit().await?;
        return Ok(true);
    }
    let there = sqlx::query_scalar!(
        r#"SELECT count(*) AS "there!: i64" FROM conversations WHERE id = ?"#,
        id.0
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(there > 0)
}

/// Unread again from the customer's last message on, or read.
///
/// # Errors
/// What the database says.
pub async fn set_unread(
    store: &Store,
    id: ConversationId,
    unread: bool,
) -> Result<bool, StoreError> {
    if !unread {
        return opened(store, id).await;
    }
    let mut tx = store.write(Priority::Owner).await?;
    // The newest message of ours is lowered too: by hand beats "we answered, so it was read".
    let done = sqlx::query!(
        "UPDATE conversations SET opened_key = min(opened_key, k.key - 1), own_key = min(own_key, k.key - 1), unread = 1
         FROM (SELECT sort_key AS key FROM messages WHERE conversation_id = ?1 AND author = 'customer' ORDER BY sort_key DESC LIMIT 1) k
         WHERE conversations.id = ?1",
        id.0
    )
    .execute(&mut *tx)
    .await?;
    finish(tx, id, done.rows_affected()).await
}

/// Open or done.
///
/// # Errors
/// What the database says.
pub async fn set_state(
    store: &Store,
    id: ConversationId,
    state: ConversationState,
) -> Result<bool, StoreError> {
    let mut tx = store.write(Priority::Owner).await?;
    let word = state.as_str();
    let done = sqlx::query!(
        "UPDATE conversations SET state = ? WHERE id = ?",
        word,
        id.0
    )
    .execute(&mut *tx)
    .await?;
    finish(tx, id, done.rows_affected()).await
}

/// Keeps what the owner began to write; empty removes it.
///
/// # Errors
/// What the database says.
pub async fn set_draft(store: &Store, id: ConversationId, text: &str) -> Result<bool, StoreError> {
    let text = Some(text).filter(|text| !text.trim().is_empty());
    let mut tx = store.write(Priority::Owner).await?;
    let done = sqlx::query!(
        "UPDATE conversations SET draft = ? WHERE id = ?",
        text,
        id.0
    )
    .execute(&mut *tx)
    .await?;
    finish(tx, id, done.rows_affected()).await
}

async fn finish(
    mut tx: crate::store::WriteTx<'_>,
    id: ConversationId,
    rows: u64,
) -> Result<bool, StoreError> {
    if rows == 0 {
        return Ok(false);
    }
    tx.tell(Change::Conversation { id: id.0 });
    tx.commit().await?;
    Ok(true)
}
