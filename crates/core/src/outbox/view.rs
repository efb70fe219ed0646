//! One of our own messages as the boundary shows it.

use crate::{
    api::types::{MessageView, QuotedMessage, Reason},
    domain::{Author, MessageId, MessageState},
    store::StoreError,
};
use sqlx::SqliteConnection;

/// Reads a message of ours. `None` when there is none with this id, or it is a customer's.
///
/// # Errors
/// What the database says.
pub async fn message(
    connection: &mut SqliteConnection,
    id: MessageId,
) -> Result<Option<MessageView>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT m.id AS "id!", m.sort_key, m.conversation_id, m.author, m.state, m.text, m.sent_at_ms, m.edited_at_ms, m.deleted,
             m.reply_to_mid, m.reason, o.not_before_ms AS "not_before_ms?: i64",
             q.id AS "quoted_id?: i64", q.sort_key AS "quoted_key?: i64", q.author AS "quoted_author?: String", q.text AS quoted_text
           FROM messages m LEFT JOIN outbox o ON o.message_id = m.id
           LEFT JOIN messages q ON q.account_id = m.account_id AND q.mid = m.reply_to_mid
           WHERE m.id = ? AND m.author <> 'customer'"#,
        id.0
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| {
        let state = MessageState::parse(&row.state).unwrap_or(MessageState::Unknown);
        MessageView {
            id: row.id,
            sort_key: row.sort_key.to_string(),
            conversation_id: row.conversation_id,
            author: Author::parse(&row.author).unwrap_or(Author::You),
            text: row.text,
            sent_at_ms: row.sent_at_ms,
            state,
            reason: row
                .reason
                .and_then(|json| serde_json::from_str::<Reason>(&json).ok()),
            leaves_at_ms: row
                .not_before_ms
                .filter(|_| state == MessageState::Scheduled),
            edited_at_ms: row.edited_at_ms,
            deleted: row.deleted != 0,
            unsupported: false,
            reply_to: row.reply_to_mid.map(|_| QuotedMessage {
                id: row.quoted_id,
                sort_key: row.quoted_key.map(|key| key.to_string()),
                author: row.quoted_author.as_deref().and_then(Author::parse),
                preview: row.quoted_text.map(|text| text.chars().take(160).collect()),
            }),
            story: None,
            attachments: Vec::new(),
            reactions: Vec::new(),
            referral: None,
        }
    }))
}
