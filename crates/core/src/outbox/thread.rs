//! Our own messages as rows of a thread: put in, taken out, and the conversation's head kept true.
//!
//! Invariant: whatever changes here changes the conversation's newest message, preview and search index in the same transaction.
//! Messages that come from outside are `ingest`'s.

use crate::{
    api::types::Change,
    domain::{Author, ConversationId, MessageId},
    ingest::preview,
    search::words_of,
    store::{StoreError, WriteTx},
};

/// A message of ours that wants to leave.
pub struct NewMessage<'a> {
    /// Conversation.
    pub conversation: ConversationId,
    /// Its account.
    pub account: i64,
    /// Who of us.
    pub author: Author,
    /// `scheduled` or `queued`.
    pub state: &'a str,
    /// Text.
    pub text: &'a str,
    /// Message it answers.
    pub reply_to_mid: Option<&'a str>,
    /// UTC ms, by the platform's clock.
    pub at_ms: i64,
}

/// Puts a message at the end of its thread.
///
/// # Errors
/// What the database says.
pub async fn append(tx: &mut WriteTx<'_>, new: &NewMessage<'_>) -> Result<MessageId, StoreError> {
    // Behind what is already there, also when this computer's clock is late.
    let newest = sqlx::query_scalar!(
        "SELECT last_at_ms FROM conversations WHERE id = ?",
        new.conversation.0
    )
    .fetch_one(&mut **tx)
    .await?;
    let at_ms = new.at_ms.max(newest);
    let (first, last) = (at_ms << 20, (at_ms + 1) << 20);
    let taken = sqlx::query_scalar!(
        r#"SELECT MAX(sort_key) AS "key: i64" FROM messages WHERE sort_key >= ? AND sort_key < ?"#,
        first,
        last
    )
    .fetch_one(&mut **tx)
    .await?;
    let key = taken.map_or(first, |key| key + 1);
    let (author, state) = (new.author.as_str(), new.state);
    let id = sqlx::query_scalar!(
        r#"INSERT INTO messages (sort_key, conversation_id, account_id, author, state, text, sent_at_ms, reply_to_mid)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id AS "id!: i64""#,
        key,
        new.conversation.0,
        new.account,
        author,
        state,
        new.text,
        at_ms,
        new.reply_to_mid
    )
    .fetch_one(&mut **tx)
    .await?;
    index(tx, key, new.text, new.account, new.conversation.0).await?;
    refresh_head(tx, new.conversation.0).await?;
    Ok(MessageId(id))
}

/// Takes a message back that never left, or that the owner gave up: its text is erased, its row stays for the outbox.
///
/// # Errors
/// What the database says.
pub async fn withdraw(tx: &mut WriteTx<'_>, id: MessageId) -> Result<(), StoreError> {
    let row = sqlx::query!(
        r#"UPDATE messages SET text = NULL, deleted = 1, reason = NULL, state = 'cancelled' WHERE id = ?
           RETURNING sort_key AS "sort_key!: i64", conversation_id AS "conversation_id!: i64""#,
        id.0
    )
    .fetch_one(&mut **tx)
    .await?;
    unindex(tx, row.sort_key).await?;
    refresh_head(tx, row.conversation_id).await
}

/// Gives a withdrawn message its text back.
///
/// # Errors
/// What the database says.
pub(super) async fn restore_text(
    tx: &mut WriteTx<'_>,
    conversation: ConversationId,
    id: i64,
    text: &str,
) -> Result<(), StoreError> {
    let row = sqlx::query!(
        r#"UPDATE messages SET text = ?, deleted = 0, state = 'sent' WHERE id = ?
           RETURNING sort_key AS "sort_key!: i64", account_id AS "account_id!: i64""#,
        text,
        id
    )
    .fetch_one(&mut **tx)
    .await?;
    index(tx, row.sort_key, text, row.account_id, conversation.0).await?;
    refresh_head(tx, conversation.0).await
}

/// Removes a row that turned out to be the same message as another.
///
/// # Errors
/// What the database says.
pub(super) async fn remove_message(
    tx: &mut WriteTx<'_>,
    conversation: i64,
    id: i64,
) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM messages WHERE id = ?", id)
        .execute(&mut **tx)
        .await?;
    refresh_head(tx, conversation).await
}

async fn index(
    tx: &mut WriteTx<'_>,
    key: i64,
    text: &str,
    account: i64,
    conversation: i64,
) -> Result<(), StoreError> {
    let words = words_of(text, account, conversation);
    sqlx::query!(
        "INSERT INTO message_words (sort_key, words) VALUES (?, ?)",
        key,
        words
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "INSERT INTO message_search (rowid, words) VALUES (?, ?)",
        key,
        words
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The index forgets with the words (schema triggers).
async fn unindex(tx: &mut WriteTx<'_>, key: i64) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM message_words WHERE sort_key = ?", key)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The conversation's head from what is in it.
async fn refresh_head(tx: &mut WriteTx<'_>, conversation: i64) -> Result<(), StoreError> {
    let newest = sqlx::query!(
        r#"SELECT id AS "id!", sort_key, sent_at_ms, author, text, deleted, unsupported, story ->> '$.kind' AS "story: String"
           FROM messages WHERE conversation_id = ? AND state <> 'cancelled' ORDER BY sort_key DESC LIMIT 1"#,
        conversation
    )
    .fetch_optional(&mut **tx)
    .await?;
    let own = sqlx::query_scalar!(
        r#"SELECT MAX(sort_key) AS "key: i64" FROM messages
           WHERE conversation_id = ? AND author IN ('you', 'phone') AND state <> 'cancelled'"#,
        conversation
    )
    .fetch_one(&mut **tx)
    .await?
    .unwrap_or(0);
    let (key, at_ms, author, preview, kind) = match newest {
        None => (0, 0, None, String::new(), None),
        Some(row) => {
            let attachment =
                sqlx::query_scalar!("SELECT kind FROM attachments WHERE message_id = ? AND position >= 0 ORDER BY position LIMIT 1", row.id)
                    .fetch_optional(&mut **tx)
                    .await?;
            let words = preview::of(
                row.text.as_deref(),
                attachment.as_deref(),
                row.story.as_deref(),
                row.deleted != 0,
                row.unsupported != 0,
            );
            (
                row.sort_key,
                row.sent_at_ms,
                Some(row.author),
                words.text,
                words.kind,
            )
        }
    };
    sqlx::query!(
        "UPDATE conversations SET last_key = ?1, last_at_ms = ?2, last_author = ?3, preview = ?4, preview_kind = ?5, own_key = ?6,
           messages = (SELECT COUNT(*) FROM messages WHERE conversation_id = ?7 AND state <> 'cancelled'),
           first_at_ms = (SELECT MIN(sent_at_ms) FROM messages WHERE conversation_id = ?7 AND state <> 'cancelled')
         WHERE id = ?7",
        key,
        at_ms,
        author,
        preview,
        kind,
        own,
        conversation
    )
    .execute(&mut **tx)
    .await?;
    tx.tell(Change::Conversation { id: conversation });
    tx.tell(Change::Messages {
        conversation_id: conversation,
    });
    Ok(())
}
