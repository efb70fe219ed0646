//! Heads of conversations after a batch: newest message, counts, window, watermarks, unread.
//!
//! Invariant: everything but "unread" is a maximum, minimum or sum over what was stored, so the order of telling does not matter. Unread is
//! counted anew: customer messages newer than what the owner opened and than the newest message a person of ours wrote.

use super::{
    batch::{Batch, Talk},
    keys::{key_ceiling, key_floor},
    rows::encode,
    write::is_own,
};
use crate::{
    domain::Source,
    store::{StoreError, WriteTx},
};
use serde_json::json;

/// Two clocks may differ this much between a message's first sight and its receipt.
const SLACK_MS: i64 = 3_600_000;

/// Works the heads out and writes those that changed.
pub(super) async fn write(tx: &mut WriteTx<'_>, batch: &mut Batch) -> Result<(), StoreError> {
    newest(batch);
    let live = batch.is_live();
    for talk in &mut batch.talks {
        if talk.grown && talk.new_from_customer && live && talk.state != "open" {
            talk.state = "open".to_owned();
        }
    }
    for talk in batch.talks.iter_mut().filter(|talk| talk.own_key_lost) {
        own_key(tx, talk).await?;
    }
    for index in 0..batch.talks.len() {
        told_unread(tx, batch, index).await?;
    }
    for talk in batch.talks.iter().filter(|talk| talk.touched) {
        receipts(tx, talk).await?;
    }
    store(tx, batch).await
}

fn newest(batch: &mut Batch) {
    let Batch {
        messages, talks, ..
    } = batch;
    for message in messages.iter() {
        let talk = &mut talks[message.talk];
        if message.id.is_none() {
            talk.messages += 1;
            talk.first_at_ms = Some(
                talk.first_at_ms
                    .map_or(message.sent_at_ms, |first| first.min(message.sent_at_ms)),
            );
            if is_own(message) {
                talk.own_key = talk.own_key.max(message.key);
            }
        } else if message.changed && talk.own_key == message.key && !is_own(message) {
            talk.own_key_lost = true;
        }
        let newer = message.id.is_none() && message.key > talk.last_key;
        let same = message.key == talk.last_key && (message.changed || message.id.is_none());
        if newer || same {
            talk.last_key = message.key;
            talk.last_at_ms = message.sent_at_ms;
            talk.last_author = Some(message.author.as_str().to_owned());
            talk.preview = message.preview();
        }
    }
}

/// The newest message that a person of ours did write, after another one turned out to be a program's.
async fn own_key(tx: &mut WriteTx<'_>, talk: &mut Talk) -> Result<(), StoreError> {
    let found = sqlx::query_scalar!(
        "SELECT sort_key FROM messages WHERE conversation_id = ? AND author IN ('you', 'phone') ORDER BY sort_key DESC LIMIT 1",
        talk.conversation
    )
    .fetch_optional(&mut **tx)
    .await?;
    talk.own_key = found.unwrap_or(0);
    talk.touched = true;
    Ok(())
}

/// The platform's own count of unread messages moves what counts as opened, when it comes with something new.
async fn told_unread(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    index: usize,
) -> Result<(), StoreError> {
    let backfill = batch.source == Source::Backfill;
    let talk = &mut batch.talks[index];
    let Some((unread, at_ms)) = talk
        .told_unread
        .filter(|_| talk.grown && (backfill || talk.new_from_customer))
    else {
        return Ok(());
    };
    let until = key_ceiling(at_ms.saturating_add(999));
    let opened = if unread <= 0 {
        until
    } else {
        sqlx::query_scalar!(
            r#"SELECT coalesce(min(sort_key), 1) - 1 AS "key!: i64" FROM (SELECT sort_key FROM messages
               WHERE conversation_id = ? AND author = 'customer' AND sort_key <= ? ORDER BY sort_key DESC LIMIT ?)"#,
            talk.conversation,
            until,
            unread
        )
        .fetch_one(&mut **tx)
        .await?
    };
    talk.opened_key = talk.opened_key.max(opened);
    Ok(())
}

/// Our messages up to a watermark that rose. States only move forward.
async fn receipts(tx: &mut WriteTx<'_>, talk: &Talk) -> Result<(), StoreError> {
    let range = |before: Option<i64>, now: Option<i64>| {
        let now = now?;
        let from = if talk.recheck_receipts {
            0
        } else {
            before.unwrap_or(0)
        };
        (talk.recheck_receipts || before.is_none_or(|before| before < now))
            .then(|| (key_floor(from - SLACK_MS), key_ceiling(now + SLACK_MS), now))
    };
    if let Some((from, to, until)) = range(talk.read_before_ms, talk.read_until_ms) {
        sqlx::query!(
            "UPDATE messages SET state = 'read' WHERE conversation_id = ? AND sort_key BETWEEN ? AND ? AND author <> 'customer'
               AND state IN ('sent', 'delivered') AND sent_at_ms <= ?",
            talk.conversation,
            from,
            to,
            until
        )
        .execute(&mut **tx)
        .await?;
    }
    if let Some((from, to, until)) = range(talk.delivered_before_ms, talk.delivered_until_ms) {
        sqlx::query!(
            "UPDATE messages SET state = 'delivered' WHERE conversation_id = ? AND sort_key BETWEEN ? AND ? AND author <> 'customer'
               AND state = 'sent' AND sent_at_ms <= ?",
            talk.conversation,
            from,
            to,
            until
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

async fn store(tx: &mut WriteTx<'_>, batch: &Batch) -> Result<(), StoreError> {
    let rows: Vec<serde_json::Value> = batch
        .talks
        .iter()
        .filter(|talk| talk.touched)
        .map(|talk| {
            let head = talk.last_author.is_some();
            json!([
                talk.conversation,
                talk.thread,
                talk.state,
                talk.last_key,
                head.then_some(talk.last_at_ms),
                talk.last_author,
                head.then_some(&talk.preview.text),
                talk.preview.kind,
                talk.customer_at_ms,
                i64::from(talk.older_missing),
                talk.delivered_until_ms,
                talk.read_until_ms,
                talk.messages,
                talk.first_at_ms,
                talk.opened_key,
                talk.own_key,
                talk.standby_at_ms,
                talk.control_at_ms,
                talk.referral.as_ref().map(|(_, reason)| reason),
                talk.referral.as_ref().map(|(at_ms, _)| at_ms),
            ])
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let rows = encode(&rows);
    // A head without an author in the list stayed the same message with the same words.
    sqlx::query!(
        "UPDATE conversations SET
           platform_id = j.value ->> 1, state = j.value ->> 2, last_key = j.value ->> 3,
           last_at_ms = coalesce(j.value ->> 4, last_at_ms),
           last_author = coalesce(j.value ->> 5, last_author),
           preview = coalesce(j.value ->> 6, preview),
           preview_kind = iif(j.value ->> 5 IS NULL, preview_kind, j.value ->> 7),
           customer_at_ms = j.value ->> 8, older_missing = j.value ->> 9,
           delivered_until_ms = j.value ->> 10, read_until_ms = j.value ->> 11,
           messages = j.value ->> 12, first_at_ms = j.value ->> 13, opened_key = j.value ->> 14, own_key = j.value ->> 15,
           standby_at_ms = j.value ->> 16, control_at_ms = j.value ->> 17, referral = j.value ->> 18, referral_at_ms = j.value ->> 19,
           unread = (SELECT count(*) FROM (SELECT 1 FROM messages m WHERE m.conversation_id = conversations.id
             AND m.sort_key > max(j.value ->> 14, j.value ->> 15) AND m.author = 'customer' AND m.deleted = 0 LIMIT 100))
         FROM json_each(?1) j WHERE conversations.id = j.value ->> 0",
        rows
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
