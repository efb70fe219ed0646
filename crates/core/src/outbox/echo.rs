//! Is a message from our side one that we sent? (decisions T17, T18)
//!
//! An echo can overtake the answer to the send it belongs to. So while a request to that person is open, a message of our side that
//! nothing identifies waits in `held_echoes` for the answer, or [`HOLD_MS`]; only then is it called somebody else's. A send whose answer
//! never came is recognised here too, by metadata or by text and time: this is the one place that turns `unknown` into `sent`.
//! Works across restarts: what is held is in the database.

use super::settle;
use crate::{
    domain::{
        AccountId, Author, ConversationId, Incoming, IncomingItem, IncomingMessage, MessageId,
        OutboxId, Source,
    },
    ingest,
    store::{StoreError, WriteTx},
};
use unicode_normalization::UnicodeNormalization;

/// How long an echo waits for the answer of an open send.
pub const HOLD_MS: i64 = 20_000;
/// How far the platform's time of a message may lie before the begin of our request: whole seconds, and two clocks.
pub const SKEW_MS: i64 = 10_000;
/// In front of our key in the `metadata` of a Messenger send.
pub const METADATA: &str = "sb:";
/// `app_id` of Meta's own inbox in echoes (meta-platform §3.6: documented, and seen live).
const PAGE_INBOX: [&str; 2] = ["26390203743090", "263902037430900"];

/// Is this Meta's own inbox, and so a person of ours?
pub fn is_inbox(app_id: &str) -> bool {
    PAGE_INBOX.contains(&app_id)
}

/// What a message from our side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EchoVerdict {
    /// This one of ours. Its message id is stored and its state set already.
    Ours(MessageId),
    /// Cannot be told yet. It was put aside and comes back through `ingest` by itself; nothing must be stored now.
    Hold {
        /// At the latest, UTC ms.
        until_ms: i64,
    },
    /// Somebody else on our side: the phone, another program, this program on another computer.
    NotOurs(Author),
}

/// One of our sends that could be meant.
pub(super) struct Candidate {
    pub id: OutboxId,
    pub message: MessageId,
    pub text: String,
    /// Begin of the last request, platform time.
    pub started_at_ms: i64,
    /// The request is still open, and since when (this computer's time).
    pub open_since_ms: Option<i64>,
}

/// What the candidates say. Pure.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match {
    Is(usize),
    Wait { until_ms: i64 },
    None,
}

/// Matches by text and time. With several, the request begun last before the message is meant, so that two equal texts and their
/// echoes pair up one to one.
pub(super) fn match_by_text(
    candidates: &[Candidate],
    text: &str,
    sent_at_ms: i64,
    now_ms: i64,
) -> Match {
    let waiting = candidates
        .iter()
        .filter_map(|c| c.open_since_ms)
        .map(|since| since + HOLD_MS)
        .filter(|until| *until > now_ms)
        .max();
    if let Some(until_ms) = waiting {
        // A clock that was set back must not hold an echo for hours.
        return Match::Wait {
            until_ms: until_ms.min(now_ms + HOLD_MS),
        };
    }
    let wanted = folded(text);
    candidates
        .iter()
        .enumerate()
        .filter(|(_, c)| {
            !wanted.is_empty()
                && sent_at_ms >= c.started_at_ms - SKEW_MS
                && folded(&c.text) == wanted
        })
        .max_by(|(_, a), (_, b)| a.started_at_ms.cmp(&b.started_at_ms).then(b.id.cmp(&a.id)))
        .map_or(Match::None, |(at, _)| Match::Is(at))
}

/// Platforms trim and join white space.
fn folded(text: &str) -> String {
    let text: String = text.nfc().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Decides about a message from our side whose id is not known. Called by `ingest` only, inside its transaction.
///
/// # Errors
/// What the database says.
pub async fn classify(
    tx: &mut WriteTx<'_>,
    conversation: ConversationId,
    message: &IncomingMessage,
    now_ms: i64,
) -> Result<EchoVerdict, StoreError> {
    if let Some(key) = message
        .metadata
        .as_deref()
        .and_then(|text| text.strip_prefix(METADATA))
    {
        let row = sqlx::query!(
            r#"SELECT o.id AS "id!", o.message_id AS "message_id!" FROM outbox o JOIN messages m ON m.id = o.message_id
               WHERE o.key = ? AND o.conversation_id = ? AND m.mid IS NULL"#,
            key,
            conversation.0
        )
        .fetch_optional(&mut **tx)
        .await?;
        return Ok(match row {
            Some(row) => {
                settle::claim(tx, OutboxId(row.id), &message.mid, now_ms).await?;
                EchoVerdict::Ours(MessageId(row.message_id))
            }
            // Our mark, not our row: the same program on another computer, or before a restore.
            None => EchoVerdict::NotOurs(Author::You),
        });
    }
    let candidates = candidates(tx, conversation).await?;
    let foreign = message.app_id.as_deref().is_some_and(is_inbox);
    if foreign || message.metadata.is_some() || candidates.is_empty() {
        return Ok(EchoVerdict::NotOurs(somebody(message)));
    }
    let text = message.text.as_deref().unwrap_or_default();
    match match_by_text(&candidates, text, message.sent_at_ms, now_ms) {
        Match::Is(at) => {
            settle::claim(tx, candidates[at].id, &message.mid, now_ms).await?;
            Ok(EchoVerdict::Ours(candidates[at].message))
        }
        Match::Wait { until_ms } => {
            hold(tx, conversation, message, until_ms).await?;
            Ok(EchoVerdict::Hold { until_ms })
        }
        Match::None => Ok(EchoVerdict::NotOurs(somebody(message))),
    }
}

/// Who on our side wrote, when the message itself says so; a poll's does not.
pub fn told_author(message: &IncomingMessage) -> Option<Author> {
    let marked = message
        .metadata
        .as_deref()
        .is_some_and(|text| text.starts_with(METADATA));
    if marked {
        return Some(Author::You);
    }
    message.app_id.as_ref().map(|_| somebody(message))
}

/// Who on our side, when it was not us.
fn somebody(message: &IncomingMessage) -> Author {
    match message.app_id.as_deref() {
        Some(app) if is_inbox(app) => Author::Phone,
        Some(_) => Author::OtherApp,
        None if message.author == Author::Customer => Author::Phone,
        None => message.author,
    }
}

/// Sends of this conversation whose request was written and whose message id is not known. A send that the owner discarded while
/// nobody was sure about it stays among them: when it did arrive, it is ours and not the phone's.
async fn candidates(
    tx: &mut WriteTx<'_>,
    conversation: ConversationId,
) -> Result<Vec<Candidate>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT o.id AS "id!", o.message_id AS "message_id!", o.body, o.state, o.started_at_ms AS "started_at_ms!: i64", o.updated_at_ms
           FROM outbox o JOIN messages m ON m.id = o.message_id
           WHERE o.conversation_id = ? AND m.mid IS NULL AND o.started_at_ms IS NOT NULL
             AND o.state IN ('sending', 'unknown', 'cancelled')
           ORDER BY o.id"#,
        conversation.0
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Candidate {
            id: OutboxId(row.id),
            message: MessageId(row.message_id),
            text: super::Body::parse(&row.body).text,
            started_at_ms: row.started_at_ms,
            open_since_ms: (row.state == "sending").then_some(row.updated_at_ms),
        })
        .collect())
}

async fn hold(
    tx: &mut WriteTx<'_>,
    conversation: ConversationId,
    message: &IncomingMessage,
    until_ms: i64,
) -> Result<(), StoreError> {
    // Plain data of our own types: writing it as JSON cannot fail; an empty body would be dropped at its release.
    let body = serde_json::to_string(message).unwrap_or_default();
    sqlx::query!(
        "INSERT INTO held_echoes (account_id, conversation_id, mid, body, until_ms)
         SELECT account_id, id, ?, ?, ? FROM conversations WHERE id = ?
         ON CONFLICT (account_id, mid) DO NOTHING",
        message.mid,
        body,
        until_ms,
        conversation.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts the held echoes of a conversation back through `ingest`: all of them when no request is open there any more, else those whose
/// time is over.
///
/// # Errors
/// What the database says.
pub async fn release(
    tx: &mut WriteTx<'_>,
    conversation: ConversationId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let open = sqlx::query_scalar!(
        r#"SELECT COUNT(*) AS "open!: i64" FROM outbox WHERE conversation_id = ? AND state = 'sending'"#,
        conversation.0
    )
    .fetch_one(&mut **tx)
    .await?;
    let due_until = if open == 0 { i64::MAX } else { now_ms };
    let held = sqlx::query!(
        r#"SELECT id AS "id!", account_id AS "account_id!", body FROM held_echoes WHERE conversation_id = ? AND until_ms <= ? ORDER BY id"#,
        conversation.0,
        due_until
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in held {
        sqlx::query!("DELETE FROM held_echoes WHERE id = ?", row.id)
            .execute(&mut **tx)
            .await?;
        let Ok(message) = serde_json::from_str::<IncomingMessage>(&row.body) else {
            continue;
        };
        let news = Incoming {
            account: AccountId(row.account_id),
            source: Source::Webhook,
            observed_at_ms: now_ms,
            items: vec![IncomingItem::Message(message)],
        };
        ingest::apply(tx, &news).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "echo_tests.rs"]
mod tests;
