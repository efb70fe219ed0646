//! The thread: a stretch of messages with everything they show, in one packed row.

use super::window::STANDARD_MS;
use crate::{
    api::types::{
        AttachmentView, MessagePage, MessageView, QuotedMessage, ReactionView, Reason, StoryRef,
    },
    domain::{Author, MessageState},
    ingest::{preview, rows::decode},
    store::StoreError,
};
use serde::Deserialize;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The newest.
    Newest,
    /// Older than a sort key.
    Before(i64),
    /// Newer than a sort key.
    After(i64),
    /// Half before, half from a sort key on.
    Around(i64),
}

const COLUMNS: &str = "SELECT json_group_array(json_array(m.sort_key, m.id, m.author, m.state, m.text, m.sent_at_ms, m.reason, \
     iif(m.state = 'scheduled', (SELECT o.not_before_ms FROM outbox o WHERE o.message_id = m.id), NULL), m.edited_at_ms, m.deleted, \
     m.unsupported, m.reply_to_mid, iif(m.reply_to_mid IS NULL, NULL, (SELECT json_array(q.id, q.sort_key, q.author, q.text, q.deleted, \
       (SELECT a.kind FROM attachments a WHERE a.message_id = q.id AND a.position = 0)) \
       FROM messages q WHERE q.account_id = m.account_id AND q.mid = m.reply_to_mid)), m.story, m.referral, \
     (SELECT json_group_array(json_array(a.position, a.kind, a.media_id, a.name, a.mime, a.size, a.width, a.height, a.link)) \
       FROM attachments a WHERE a.message_id = m.id), \
     (SELECT json_group_array(json_array(r.by_customer, r.emoji, r.at_ms)) FROM reactions r WHERE r.message_id = m.id AND r.emoji <> '')))";

/// Columns in the order of [`COLUMNS`].
#[derive(Deserialize)]
struct Row {
    key: i64,
    id: i64,
    author: String,
    state: String,
    text: Option<String>,
    sent_at_ms: i64,
    reason: Option<String>,
    leaves_at_ms: Option<i64>,
    edited_at_ms: Option<i64>,
    deleted: i64,
    unsupported: i64,
    reply_to_mid: Option<String>,
    quoted: Option<Quoted>,
    story: Option<String>,
    referral: Option<String>,
    attachments: Vec<Attachment>,
    reactions: Vec<(i64, String, Option<i64>)>,
}

/// As `ingest` writes it.
#[derive(Deserialize)]
struct Story {
    kind: String,
}

type Attachment = (
    i64,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);
type Quoted = (i64, i64, String, Option<String>, i64, Option<String>);

/// The statement of one stretch: `older` walks down from below `key`, else up from `key`. Its second column tells whether there is
/// anything on the other side of `key`: a statement of its own for that doubled the time of a page (1.0 to 2.4 ms on a busy computer).
pub(super) fn statement(
    conversation: i64,
    key: i64,
    older: bool,
    limit: u32,
) -> QueryBuilder<Sqlite> {
    let (this, other) = if older {
        (" AND sort_key < ", " AND sort_key >= ")
    } else {
        (" AND sort_key >= ", " AND sort_key < ")
    };
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(", EXISTS (SELECT 1 FROM messages WHERE conversation_id = ")
        .push_bind(conversation)
        .push(other)
        .push_bind(key);
    sql.push(" AND state <> 'cancelled') FROM (SELECT * FROM messages WHERE conversation_id = ")
        .push_bind(conversation)
        .push(this)
        .push_bind(key);
    // What was withdrawn before it left was never part of the talk.
    sql.push(" AND state <> 'cancelled' ORDER BY sort_key")
        .push(if older { " DESC" } else { "" });
    sql.push(" LIMIT ")
        .push_bind(i64::from(limit) + 1)
        .push(") m");
    sql
}

/// Messages of one side of a key.
struct Stretch {
    rows: Vec<Row>,
    /// More of them on this side.
    more: bool,
    /// Any on the other side.
    other: bool,
}

async fn stretch(
    connection: &mut SqliteConnection,
    conversation: i64,
    key: i64,
    older: bool,
    limit: u32,
) -> Result<Stretch, StoreError> {
    let mut sql = statement(conversation, key, older, limit);
    let (packed, other): (String, bool) = sql.build_query_as().fetch_one(connection).await?;
    let mut rows: Vec<Row> = decode(&packed)?;
    rows.sort_unstable_by_key(|row| row.key);
    let more = rows.len() > limit as usize;
    if more {
        // The one too many lies at the far end.
        let at = if older { 0 } else { rows.len() - 1 };
        rows.remove(at);
    }
    Ok(Stretch { rows, more, other })
}

/// A stretch of a thread, oldest first.
///
/// # Errors
/// What the database says.
pub async fn messages(
    connection: &mut SqliteConnection,
    conversation: i64,
    place: Place,
    limit: u32,
    now_ms: i64,
) -> Result<MessagePage, StoreError> {
    let (rows, more_before, more_after) = match place {
        Place::Newest => {
            let newest = stretch(connection, conversation, i64::MAX, true, limit).await?;
            (newest.rows, newest.more, false)
        }
        Place::Before(key) => {
            let before = stretch(connection, conversation, key, true, limit).await?;
            (before.rows, before.more, before.other)
        }
        Place::After(key) => {
            let from = key.saturating_add(1);
            let after = stretch(connection, conversation, from, false, limit).await?;
            (after.rows, after.other, after.more)
        }
        Place::Around(key) => {
            let half = limit / 2;
            let mut before = stretch(connection, conversation, key, true, half).await?;
            let after = stretch(connection, conversation, key, false, limit - half).await?;
            before.rows.extend(after.rows);
            (before.rows, before.more, after.more)
        }
    };
    let messages = rows
        .into_iter()
        .map(|row| view(row, conversation, now_ms))
        .collect();
    Ok(MessagePage {
        messages,
        more_before,
        more_after,
    })
}

fn view(row: Row, conversation: i64, now_ms: i64) -> MessageView {
    let mut files = row.attachments;
    files.sort_by_key(|file| file.0);
    let reactions = row.reactions;
    let story_media = files
        .iter()
        .find(|file| file.0 < 0)
        .and_then(|file| file.2.clone());
    let ours = row.author != "customer";
    MessageView {
        id: row.id,
        sort_key: row.key.to_string(),
        conversation_id: conversation,
        author: Author::parse(&row.author).unwrap_or(Author::Customer),
        text: row.text,
        sent_at_ms: row.sent_at_ms,
        state: MessageState::parse(&row.state).unwrap_or(if ours {
            MessageState::Unknown
        } else {
            MessageState::Received
        }),
        reason: reason(row.reason.as_deref()),
        leaves_at_ms: row.leaves_at_ms,
        edited_at_ms: row.edited_at_ms,
        deleted: row.deleted != 0,
        unsupported: row.unsupported != 0,
        reply_to: row.reply_to_mid.map(|_| quoted(row.quoted)),
        story: row
            .story
            .as_deref()
            .and_then(|json| story(json, story_media, row.sent_at_ms, now_ms)),
        attachments: files
            .into_iter()
            .filter(|file| file.0 >= 0)
            .map(attachment)
            .collect(),
        reactions: reactions.into_iter().map(reaction).collect(),
        referral: reason(row.referral.as_deref()),
    }
}

fn reason(json: Option<&str>) -> Option<Reason> {
    serde_json::from_str(json?).ok()
}

fn quoted(found: Option<Quoted>) -> QuotedMessage {
    let Some((id, key, author, text, deleted, attachment)) = found else {
        return QuotedMessage {
            id: None,
            sort_key: None,
            author: None,
            preview: None,
        };
    };
    let words = preview::of(
        text.as_deref(),
        attachment.as_deref(),
        None,
        deleted != 0,
        false,
    );
    QuotedMessage {
        id: Some(id),
        sort_key: Some(key.to_string()),
        author: Author::parse(&author),
        preview: Some(words.text).filter(|text| !text.is_empty()),
    }
}

/// A story lives 24 hours. When it was posted is known for a mention only; an answer can be no later than its end, so neither is shown
/// longer than 24 hours after the message.
fn story(json: &str, media: Option<String>, sent_at_ms: i64, now_ms: i64) -> Option<StoryRef> {
    let story: Story = serde_json::from_str(json).ok()?;
    let ends_ms = sent_at_ms.saturating_add(STANDARD_MS);
    let expires_at_ms = (story.kind == "mention").then_some(ends_ms);
    Some(StoryRef {
        kind: story.kind,
        media: media.filter(|_| now_ms < ends_ms),
        expires_at_ms,
    })
}

fn attachment(
    (_, kind, media, name, mime, size, width, height, link): Attachment,
) -> AttachmentView {
    AttachmentView {
        kind,
        media,
        name,
        mime,
        size,
        width,
        height,
        link,
    }
}

fn reaction((by_customer, emoji, at_ms): (i64, String, Option<i64>)) -> ReactionView {
    ReactionView {
        by: if by_customer != 0 { "customer" } else { "us" }.to_owned(),
        emoji,
        at_ms,
    }
}
