//! A text becomes a message and a row of the outbox, in one transaction.
//!
//! Invariant: a key is one send, however often the call is repeated; nothing is queued that the rules already forbid.

use super::{Body, context::Context, rules, thread, view};
use crate::{
    Profile,
    api::{
        ApiError,
        types::{Change, MessageSend, MessageView, ProfileKind, Reason},
    },
    domain::{Author, ConversationId, MessageId},
    store::{Priority, StoreError, WriteTx},
    sync,
};

/// Queues a text of the owner, held back as the settings say.
///
/// # Errors
/// `sample`, `not_found`, `text_empty`, `too_long`, `window_closed`, `needs_reconnect`, `paused`, `disconnected`, `blocked`,
/// `bad_argument` for a key that is none, or what the database says.
pub async fn send_text(profile: &Profile, ask: MessageSend) -> Result<MessageView, ApiError> {
    if profile.kind == ProfileKind::Sample {
        return Err(ApiError::new("sample", "The sample shop speaks to nobody."));
    }
    if uuid::Uuid::try_parse(&ask.key).is_err() {
        return Err(ApiError::new("bad_argument", "The key must be a UUID.").with_field("key"));
    }
    let mut tx = profile
        .store
        .write(Priority::Owner)
        .await
        .map_err(ApiError::from)?;
    let answer = enqueue(profile, &mut tx, &ask).await?;
    tx.commit().await.map_err(ApiError::from)?;
    profile.outbox.wake();
    Ok(answer)
}

async fn enqueue(
    profile: &Profile,
    tx: &mut WriteTx<'_>,
    ask: &MessageSend,
) -> Result<MessageView, ApiError> {
    if let Some(known) = by_key(tx, &ask.key).await? {
        return look_up(tx, known).await;
    }
    let conversation = ConversationId(ask.conversation_id);
    let context = Context::of(tx, conversation)
        .await?
        .ok_or_else(|| ApiError::not_found("conversation"))?;
    rules::check_text(context.channel, &ask.text)
        .map_err(|reason| refused(&reason).with_field("text"))?;
    let now_ms = profile.now_ms();
    may_leave(
        &context,
        Author::You,
        now_ms + sync::clock_offset_ms(profile),
    )?;
    let reply_to_mid = match ask.reply_to {
        None => None,
        Some(id) => sqlx::query_scalar!(
            "SELECT mid FROM messages WHERE id = ? AND conversation_id = ?",
            id,
            conversation.0
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(StoreError::from)?
        .flatten(),
    };
    let hold_back_ms = hold_back_ms(tx).await?;
    let state = if hold_back_ms > 0 {
        "scheduled"
    } else {
        "queued"
    };
    let new = thread::NewMessage {
        conversation,
        account: context.account.0,
        author: Author::You,
        state,
        text: &ask.text,
        reply_to_mid: reply_to_mid.as_deref(),
        at_ms: now_ms + sync::clock_offset_ms(profile),
    };
    let message = thread::append(tx, &new).await?;
    let body = Body {
        text: ask.text.clone(),
        reply_to_mid: reply_to_mid.clone(),
    }
    .to_json();
    let not_before_ms = now_ms + hold_back_ms;
    sqlx::query!(
        "INSERT INTO outbox (key, conversation_id, account_id, message_id, kind, author, body, state, not_before_ms, created_at_ms, updated_at_ms)
         VALUES (?, ?, ?, ?, 'message', 'you', ?, ?, ?, ?, ?)",
        ask.key,
        conversation.0,
        context.account.0,
        message.0,
        body,
        state,
        not_before_ms,
        now_ms,
        now_ms
    )
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    sqlx::query!(
        "UPDATE conversations SET draft = NULL WHERE id = ?",
        conversation.0
    )
    .execute(&mut **tx)
    .await
    .map_err(StoreError::from)?;
    tx.tell(Change::Conversation { id: conversation.0 });
    look_up(tx, message).await
}

/// Is the account able and the window open?
///
/// # Errors
/// The lock, as the boundary says it.
pub(super) fn may_leave(
    context: &Context,
    author: Author,
    platform_now_ms: i64,
) -> Result<(), ApiError> {
    if let Some(lock) = context.account_lock() {
        return Err(refused(&lock));
    }
    match context.window(author, platform_now_ms) {
        Some(_) => Ok(()),
        None => Err(refused(&Reason::new("window_closed"))),
    }
}

/// A reason as the boundary's error.
pub(super) fn refused(reason: &Reason) -> ApiError {
    match reason.code.as_str() {
        "text_empty" => ApiError::new("bad_argument", "There is no text.").with_field("text"),
        "too_long" => ApiError::new("too_long", "The text is longer than the platform takes.")
            .with_detail(format!(
                "{} {} of {}",
                reason.params["count"], reason.params["unit"], reason.params["max"]
            )),
        "window_closed" => ApiError::new("window_closed", "The reply window is closed."),
        "signed_out" => ApiError::new("needs_reconnect", "The account is signed out."),
        "paused" => ApiError::new("paused", "The account is paused."),
        "disconnected" => ApiError::new("disconnected", "The account is disconnected."),
        _ => ApiError::new("blocked", "The platform blocked this account."),
    }
}

/// A message as the boundary shows it.
pub(super) async fn look_up(tx: &mut WriteTx<'_>, id: MessageId) -> Result<MessageView, ApiError> {
    view::message(tx, id)
        .await?
        .ok_or_else(|| ApiError::not_found("message"))
}

async fn by_key(tx: &mut WriteTx<'_>, key: &str) -> Result<Option<MessageId>, StoreError> {
    Ok(
        sqlx::query_scalar!("SELECT message_id FROM outbox WHERE key = ?", key)
            .fetch_optional(&mut **tx)
            .await?
            .map(MessageId),
    )
}

/// The owner's hold-back (decision C22: 5 s unless chosen otherwise).
async fn hold_back_ms(tx: &mut WriteTx<'_>) -> Result<i64, StoreError> {
    let stored = sqlx::query_scalar!("SELECT value FROM settings WHERE key = 'hold_back_s'")
        .fetch_optional(&mut **tx)
        .await?;
    let seconds = stored
        .and_then(|json| serde_json::from_str::<u32>(&json).ok())
        .unwrap_or_else(|| crate::api::types::Settings::default().hold_back_s);
    Ok(i64::from(seconds.min(30)) * 1_000)
}
