//! Which stored message a new one is the same as although their ids differ.
//!
//! Some reports show one message under different ids in webhooks and in the conversations API (meta-platform, appendix C). Polls know
//! whole seconds, webhooks milliseconds: of a pair, exactly one time is a whole second. That also keeps two messages with equal text, told
//! by one way, apart. A stored message takes at most one second id, so three equal texts in one second stay three.

use super::{
    batch::Batch,
    rows::{decode, encode},
};
use crate::{
    domain::{Author, Incoming, IncomingItem, IncomingMessage},
    store::{StoreError, WriteTx},
};

/// How far apart the two times of one message may be told, ms: the second that polls cut off.
pub const SAME_MESSAGE_MS: i64 = 1000;

/// Text as it is stored: a NUL would end it early inside SQLite.
pub(super) fn clean(text: &str) -> String {
    if text.contains('\0') {
        text.replace('\0', "")
    } else {
        text.to_owned()
    }
}

fn is_whole_second(at_ms: i64) -> bool {
    at_ms % 1000 == 0
}

fn wanted(message: &IncomingMessage) -> (i64, i64) {
    let at_ms = super::keys::sane(message.sent_at_ms);
    if is_whole_second(at_ms) {
        (at_ms, at_ms + SAME_MESSAGE_MS - 1)
    } else {
        (at_ms - SAME_MESSAGE_MS + 1, at_ms)
    }
}

/// Looks for stored twins of the messages whose ids are new. Fills [`Batch::twins`].
pub(super) async fn find_twins(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    incoming: &Incoming,
) -> Result<(), StoreError> {
    let mut asked = Vec::new();
    for item in &incoming.items {
        let IncomingItem::Message(message) = item else {
            continue;
        };
        if message.deleted || message.mid.is_empty() || batch.find(&message.mid).is_some() {
            continue;
        }
        let Some(talk) = batch
            .talk(&message.person.platform_id)
            .map(|index| &batch.talks[index])
            .filter(|talk| !talk.new)
        else {
            continue;
        };
        let (from, to) = wanted(message);
        let text = message
            .text
            .as_deref()
            .map(clean)
            .filter(|text| !text.is_empty());
        asked.push((
            &message.mid,
            talk.conversation,
            super::keys::key_floor(from),
            super::keys::key_ceiling(to),
            text,
            message.author == Author::Customer,
            message.attachments.len(),
        ));
    }
    if asked.is_empty() {
        return Ok(());
    }
    let asked = encode(&asked);
    let found = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(j.value ->> 0, m.mid)) AS "found!: String"
           FROM json_each(?1) j CROSS JOIN messages m
             ON m.conversation_id = j.value ->> 1 AND m.sort_key BETWEEN j.value ->> 2 AND j.value ->> 3
           WHERE m.mid IS NOT NULL AND m.alias_mid IS NULL AND m.text IS j.value ->> 4 AND (m.author = 'customer') = j.value ->> 5
             AND (SELECT count(*) FROM attachments a WHERE a.message_id = m.id AND a.position >= 0) = j.value ->> 6
           ORDER BY m.sort_key"#,
        asked
    )
    .fetch_one(&mut **tx)
    .await?;
    let found: Vec<(String, String)> = decode(&found)?;
    if found.is_empty() {
        return Ok(());
    }
    let stored: Vec<&str> = found.iter().map(|(_, mid)| mid.as_str()).collect();
    super::load::messages(tx, batch, &stored).await?;
    for (new, stored) in found {
        if let Some(index) = batch.find(&stored) {
            batch.twins.entry(new).or_default().push(index);
        }
    }
    Ok(())
}

impl Batch {
    /// The stored message that `message` is, when there is one. It is taken: nothing else can be it.
    pub fn take_twin(&mut self, message: &IncomingMessage) -> Option<usize> {
        let at_ms = super::keys::sane(message.sent_at_ms);
        let index = self
            .twins
            .get(&message.mid)?
            .iter()
            .copied()
            .find(|index| {
                let stored = &self.messages[*index];
                stored.alias.is_none()
                    && is_whole_second(stored.sent_at_ms) != is_whole_second(at_ms)
            })?;
        let stored = &mut self.messages[index];
        stored.alias = Some(message.mid.clone());
        stored.changed = true;
        self.name(&message.mid, index);
        Some(index)
    }
}
