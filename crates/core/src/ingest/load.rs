//! What a batch needs to know before it is worked out: its account, people, conversations, known messages and waiting news.
//! One statement each, one packed row per answer.

use super::{
    batch::{Batch, Message, Talk, Waiting, newest_first},
    people,
    preview::Preview,
    rows::{decode, encode},
    waiting,
};
use crate::{
    Entropy,
    domain::{AccountId, Author, Channel, Incoming, IncomingItem, MessageId, MessageState},
    store::{StoreError, WriteTx},
};
use serde::Deserialize;
use std::collections::HashMap;

/// Loads a batch. `None` when the account is gone: its news has no home any more.
pub(super) async fn load(
    tx: &mut WriteTx<'_>,
    incoming: &Incoming,
    entropy: &dyn Entropy,
) -> Result<Option<Batch>, StoreError> {
    let account = incoming.account;
    let channel = sqlx::query_scalar!("SELECT channel FROM accounts WHERE id = ?", account.0)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(channel) = channel.as_deref().and_then(Channel::parse) else {
        return Ok(None);
    };
    let mut batch = Batch {
        account,
        channel,
        source: incoming.source,
        observed_at_ms: incoming.observed_at_ms,
        newest_first: newest_first(incoming.source, &incoming.items),
        talks: Vec::new(),
        talk_of_person: HashMap::new(),
        talk_of_conversation: HashMap::new(),
        messages: Vec::new(),
        message_of_mid: HashMap::new(),
        twins: HashMap::new(),
        reactions: Vec::new(),
        waiting: Vec::new(),
        waited: HashMap::new(),
        applied: Vec::new(),
        unsent: Vec::new(),
        held: 0,
        ignored: 0,
    };
    let mids = mids(incoming);
    let stored = fetch_messages(tx, account, &mids).await?;
    let told = people::told(incoming);
    let mut conversations: Vec<i64> = stored.iter().map(|message| message.conversation).collect();
    conversations.sort_unstable();
    conversations.dedup();
    talks(tx, &mut batch, &told, &conversations).await?;
    people::meet(tx, &mut batch, told, entropy).await?;
    batch.add_stored(stored);
    waited(tx, &mut batch, &mids).await?;
    super::merge::find_twins(tx, &mut batch, incoming).await?;
    Ok(Some(batch))
}

/// Loads stored messages by their ids into the batch.
pub(super) async fn messages(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    mids: &[&str],
) -> Result<(), StoreError> {
    let unknown: Vec<&str> = mids
        .iter()
        .copied()
        .filter(|mid| batch.find(mid).is_none())
        .collect();
    let stored = fetch_messages(tx, batch.account, &unknown).await?;
    batch.add_stored(stored);
    Ok(())
}

/// Loads one message by its row, known under `mid`; answers its place in the batch.
pub(super) async fn message(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    talk: usize,
    id: MessageId,
    mid: &str,
) -> Result<usize, StoreError> {
    let row = sqlx::query_scalar!(
        r#"SELECT json_array(id, sort_key, conversation_id, mid, alias_mid, author, state, text, sent_at_ms, edited_at_ms, num_edit,
             deleted, unsupported, NULL, NULL, seen, referral IS NOT NULL, tap IS NOT NULL) AS "row!: String"
           FROM messages WHERE id = ?"#,
        id.0
    )
    .fetch_one(&mut **tx)
    .await?;
    let stored: Stored = decode(&row)?;
    let index = batch.messages.len();
    batch.messages.push(stored.into_message(talk));
    batch.name(mid, index);
    Ok(index)
}

fn mids(incoming: &Incoming) -> Vec<&str> {
    let mut mids: Vec<&str> = incoming
        .items
        .iter()
        .filter_map(|item| match item {
            IncomingItem::Message(message) => Some(message.mid.as_str()),
            IncomingItem::Reaction(reaction) => Some(reaction.mid.as_str()),
            IncomingItem::Edit { mid, .. }
            | IncomingItem::Unsend { mid, .. }
            | IncomingItem::Announced { mid, .. } => Some(mid.as_str()),
            IncomingItem::Read { mid, .. } => mid.as_deref(),
            _ => None,
        })
        .filter(|mid| !mid.is_empty())
        .collect();
    mids.sort_unstable();
    mids.dedup();
    mids
}

/// Columns in the order of the statements below.
#[derive(Deserialize)]
struct Stored {
    id: i64,
    key: i64,
    conversation: i64,
    mid: Option<String>,
    alias: Option<String>,
    author: String,
    state: String,
    text: Option<String>,
    sent_at_ms: i64,
    edited_at_ms: Option<i64>,
    num_edit: i64,
    deleted: i64,
    unsupported: i64,
    story_kind: Option<String>,
    first_attachment: Option<String>,
    seen: i64,
    has_referral: i64,
    has_tap: i64,
}

impl Stored {
    fn into_message(self, talk: usize) -> Message {
        Message {
            id: Some(self.id),
            key: self.key,
            talk,
            mid: self.mid.unwrap_or_default(),
            alias: self.alias,
            author: Author::parse(&self.author).unwrap_or(Author::Customer),
            state: MessageState::parse(&self.state).unwrap_or(MessageState::Received),
            text: self.text,
            sent_at_ms: self.sent_at_ms,
            edited_at_ms: self.edited_at_ms,
            num_edit: self.num_edit,
            deleted: self.deleted != 0,
            unsupported: self.unsupported != 0,
            reply_to: None,
            story_kind: self.story_kind,
            story_id: None,
            story_url: None,
            first_attachment: self.first_attachment,
            attachments: Vec::new(),
            referral: None,
            tap: None,
            has_referral: self.has_referral != 0,
            has_tap: self.has_tap != 0,
            seen: self.seen != 0,
            refined: false,
            changed: false,
            reworded: false,
            erased: false,
        }
    }
}

async fn fetch_messages(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    mids: &[&str],
) -> Result<Vec<Stored>, StoreError> {
    if mids.is_empty() {
        return Ok(Vec::new());
    }
    let mids = encode(mids);
    let rows = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(m.id, m.sort_key, m.conversation_id, m.mid, m.alias_mid, m.author, m.state, m.text,
             m.sent_at_ms, m.edited_at_ms, m.num_edit, m.deleted, m.unsupported, m.story ->> '$.kind',
             (SELECT a.kind FROM attachments a WHERE a.message_id = m.id AND a.position = 0),
             m.seen, m.referral IS NOT NULL, m.tap IS NOT NULL)) AS "rows!: String"
           FROM messages m WHERE m.id IN (
             SELECT a.id FROM json_each(?1) j CROSS JOIN messages a ON a.account_id = ?2 AND a.mid = j.value
             UNION SELECT b.id FROM json_each(?1) j CROSS JOIN messages b ON b.account_id = ?2 AND b.alias_mid = j.value)"#,
        mids,
        account.0
    )
    .fetch_one(&mut **tx)
    .await?;
    decode(&rows)
}

/// Columns in the order of the statement below.
#[derive(Deserialize)]
struct TalkRow {
    person: String,
    identity: i64,
    name: Option<String>,
    username: Option<String>,
    source: String,
    conversation: Option<i64>,
    thread: Option<String>,
    state: Option<String>,
    last_key: Option<i64>,
    customer_at_ms: Option<i64>,
    older_missing: Option<i64>,
    delivered_until_ms: Option<i64>,
    read_until_ms: Option<i64>,
    messages: Option<i64>,
    first_at_ms: Option<i64>,
    opened_key: Option<i64>,
    own_key: Option<i64>,
    standby_at_ms: Option<i64>,
    control_at_ms: Option<i64>,
    referral: Option<String>,
    referral_at_ms: Option<i64>,
    open_sends: i64,
}

async fn talks(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    told: &[people::Told],
    conversations: &[i64],
) -> Result<(), StoreError> {
    let persons = encode(
        &told
            .iter()
            .map(|person| person.platform_id.as_str())
            .collect::<Vec<_>>(),
    );
    let conversations = encode(conversations);
    let rows = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(i.platform_id, i.id, i.name, i.username, i.profile_source, c.id, c.platform_id, c.state,
             c.last_key, c.customer_at_ms, c.older_missing, c.delivered_until_ms, c.read_until_ms, c.messages, c.first_at_ms,
             c.opened_key, c.own_key, c.standby_at_ms, c.control_at_ms, c.referral, c.referral_at_ms,
             EXISTS (SELECT 1 FROM outbox o WHERE o.conversation_id = c.id AND o.state IN ('sending', 'unknown', 'cancelled'))))
             AS "rows!: String"
           FROM identities i LEFT JOIN conversations c ON c.account_id = i.account_id AND c.identity_id = i.id
           WHERE i.id IN (
             SELECT p.id FROM json_each(?1) j CROSS JOIN identities p ON p.account_id = ?2 AND p.platform_id = j.value
             UNION SELECT k.identity_id FROM json_each(?3) j CROSS JOIN conversations k ON k.id = j.value)"#,
        persons,
        batch.account.0,
        conversations
    )
    .fetch_one(&mut **tx)
    .await?;
    let rows: Vec<TalkRow> = decode(&rows)?;
    for row in rows {
        let index = batch.talks.len();
        let conversation = row.conversation.unwrap_or(0);
        batch.talk_of_person.insert(row.person, index);
        if conversation != 0 {
            batch.talk_of_conversation.insert(conversation, index);
        }
        batch.talks.push(Talk {
            identity: row.identity,
            conversation,
            unfetched: matches!(row.source.as_str(), "none" | "conversation"),
            name: row.name,
            username: row.username,
            thread: row.thread,
            state: row.state.unwrap_or_else(|| "open".to_owned()),
            last_key: row.last_key.unwrap_or(0),
            preview: Preview::default(),
            customer_at_ms: row.customer_at_ms,
            older_missing: row.older_missing.unwrap_or(0) != 0,
            delivered_until_ms: row.delivered_until_ms,
            read_until_ms: row.read_until_ms,
            delivered_before_ms: row.delivered_until_ms,
            read_before_ms: row.read_until_ms,
            messages: row.messages.unwrap_or(0),
            first_at_ms: row.first_at_ms,
            opened_key: row.opened_key.unwrap_or(0),
            own_key: row.own_key.unwrap_or(0),
            standby_at_ms: row.standby_at_ms,
            control_at_ms: row.control_at_ms,
            referral: row.referral_at_ms.zip(row.referral),
            open_sends: row.open_sends != 0,
            ..Talk::default()
        });
    }
    Ok(())
}

async fn waited(tx: &mut WriteTx<'_>, batch: &mut Batch, mids: &[&str]) -> Result<(), StoreError> {
    let mids = encode(mids);
    let rows = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(w.mid, w.kind, w.body, w.at_ms)) AS "rows!: String"
           FROM json_each(?1) j CROSS JOIN waiting_news w ON w.account_id = ?2 AND w.mid = j.value"#,
        mids,
        batch.account.0
    )
    .fetch_one(&mut **tx)
    .await?;
    let rows: Vec<(String, String, String, i64)> = decode(&rows)?;
    for (mid, kind, body, at_ms) in rows {
        let (Some(kind), Ok(body)) = (waiting::kind(&kind), serde_json::from_str(&body)) else {
            continue;
        };
        batch.waited.entry(mid.clone()).or_default().push(Waiting {
            mid,
            kind,
            body,
            at_ms,
        });
    }
    Ok(())
}

impl Batch {
    fn add_stored(&mut self, stored: Vec<Stored>) {
        for row in stored {
            let Some(talk) = self.talk_of_conversation.get(&row.conversation).copied() else {
                continue;
            };
            let message = row.into_message(talk);
            let index = self.messages.len();
            self.name(&message.mid, index);
            if let Some(alias) = message.alias.clone() {
                self.name(&alias, index);
            }
            self.messages.push(message);
        }
    }
}
