//! Writes a worked-out batch: new messages in one statement per table, stored ones row by row (they are few), heads of conversations at
//! the end, once per conversation.

use super::{
    IngestReport,
    batch::{Batch, Message},
    heads, keys, people,
    rows::encode,
};
use crate::{
    api::types::Reason,
    domain::{Author, ConversationId},
    jobs, planted, search,
    store::{StoreError, WriteTx},
    sync::announced,
};
use serde_json::json;

/// Writes everything and tells what came of it.
pub(super) async fn write(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
) -> Result<IngestReport, StoreError> {
    batch.settle_receipts();
    if planted::on("app.sorts_by_arrival") {
        let fresh = batch.messages.iter_mut().filter(|m| m.id.is_none());
        fresh.for_each(|message| message.sent_at_ms = batch.observed_at_ms);
    }
    keys::allocate(tx, batch).await?;
    let mut report = IngestReport {
        held: batch.held,
        ignored: batch.ignored,
        ..IngestReport::default()
    };
    new_messages(tx, batch, &mut report).await?;
    stored_messages(tx, batch, &mut report).await?;
    reactions(tx, batch).await?;
    waiting(tx, batch, &mut report).await?;
    people::write_names(tx, batch).await?;
    heads::write(tx, batch).await?;
    let deleted = batch.messages.iter().filter(|message| message.deleted);
    report.erased_refs = deleted
        .flat_map(|message| std::iter::once(&message.mid).chain(&message.alias))
        .chain(&batch.unsent)
        .cloned()
        .collect();
    report.erased_refs.sort_unstable();
    report.erased_refs.dedup();
    for talk in &batch.talks {
        let id = ConversationId(talk.conversation);
        if talk.touched {
            report.touched_conversations.push(id);
        }
        if talk.grown {
            report.grown_conversations.push(id);
            report.new_conversations += u64::from(talk.new);
        }
    }
    Ok(report)
}

fn story(message: &Message) -> Option<String> {
    let kind = message.story_kind.as_ref()?;
    Some(json!({ "kind": kind, "id": message.story_id, "at_ms": message.sent_at_ms }).to_string())
}

fn referral(message: &Message) -> Option<String> {
    let (code, label) = message.referral.as_ref()?;
    Some(reason_of(code, label))
}

/// Where a customer came from, as it is stored.
pub(super) fn reason_of(code: &str, label: &str) -> String {
    encode(&Reason::new(code).with("label", label))
}

async fn new_messages(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    report: &mut IngestReport,
) -> Result<(), StoreError> {
    let (mut rows, mut words, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let Batch {
        messages,
        talks,
        account,
        ..
    } = batch;
    for message in messages.iter().filter(|message| message.id.is_none()) {
        let talk = &mut talks[message.talk];
        talk.grown = true;
        talk.touched = true;
        report.new_messages += 1;
        report.new_mids.push(message.mid.clone());
        rows.push(json!([
            message.key,
            talk.conversation,
            planted::name(&message.mid, message.key),
            message.author.as_str(),
            message.state.as_str(),
            message.text,
            message.sent_at_ms,
            message.edited_at_ms,
            message.num_edit,
            i64::from(message.deleted),
            i64::from(message.unsupported),
            message.reply_to,
            story(message),
            referral(message),
            message.tap,
            i64::from(message.seen),
        ]));
        if let Some(text) = &message.text {
            words.push((
                message.key,
                search::words_of(text, account.0, talk.conversation),
            ));
        }
        attachment_rows(message, &mut files);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let rows = encode(&rows);
    sqlx::query!(
        "INSERT INTO messages (sort_key, conversation_id, account_id, mid, author, state, text, sent_at_ms, edited_at_ms, num_edit,
           deleted, unsupported, reply_to_mid, story, referral, tap, seen)
         SELECT value ->> 0, value ->> 1, ?2, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8,
           value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15 FROM json_each(?1)",
        rows,
        account.0
    )
    .execute(&mut **tx)
    .await?;
    if !words.is_empty() {
        search::index_messages(tx, &words).await?;
    }
    if !files.is_empty() {
        let files = encode(&files);
        // Only a file with an address can be loaded, so only it gets a media id. The id is opaque; SQLite's own randomness is enough.
        sqlx::query!(
            "INSERT INTO attachments (message_id, position, kind, media_id, url, name, mime, size, width, height, link)
             SELECT (SELECT id FROM messages WHERE sort_key = value ->> 0), value ->> 1, value ->> 2,
               iif(value ->> 3 IS NULL, NULL, lower(hex(randomblob(16)))), value ->> 3, value ->> 4, value ->> 5, value ->> 6,
               value ->> 7, value ->> 8, value ->> 9 FROM json_each(?1)",
            files
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

fn attachment_rows(message: &Message, files: &mut Vec<serde_json::Value>) {
    for (position, file) in (0_i64..).zip(&message.attachments) {
        files.push(json!([
            message.key,
            position,
            file.kind,
            file.url,
            file.name,
            file.mime,
            file.size,
            file.width,
            file.height,
            file.link
        ]));
    }
    if let Some(url) = &message.story_url {
        files.push(json!([message.key, -1, "story_ref", url]));
    }
}

async fn stored_messages(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    report: &mut IngestReport,
) -> Result<(), StoreError> {
    let Batch {
        messages,
        talks,
        account,
        ..
    } = batch;
    for message in messages.iter().filter(|message| message.changed) {
        let Some(id) = message.id else { continue };
        let talk = &mut talks[message.talk];
        talk.touched = true;
        if message.erased {
            report.erased += 1;
            erase(tx, account.0, id, message).await?;
        }
        if message.reworded {
            let words = message
                .text
                .as_deref()
                .map(|text| search::words_of(text, account.0, talk.conversation));
            search::reindex_message(tx, message.key, words.as_deref()).await?;
        }
        let (author, state, referral) = (
            message.author.as_str(),
            message.state.as_str(),
            referral(message),
        );
        sqlx::query!(
            "UPDATE messages SET alias_mid = ?, author = ?, state = ?, text = ?, sent_at_ms = ?, edited_at_ms = ?, num_edit = ?, deleted = ?,
               unsupported = ?, seen = ?, referral = coalesce(referral, ?), tap = coalesce(tap, ?) WHERE id = ?",
            message.alias,
            author,
            state,
            message.text,
            message.sent_at_ms,
            message.edited_at_ms,
            message.num_edit,
            message.deleted,
            message.unsupported,
            message.seen,
            referral,
            message.tap,
            id
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Every place that holds the content of a message that was taken back (decision T24). Its words go with [`search::reindex_message`].
async fn erase(
    tx: &mut WriteTx<'_>,
    account: i64,
    id: i64,
    message: &Message,
) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM attachments WHERE message_id = ?", id)
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        "UPDATE messages SET story = NULL, referral = NULL, tap = NULL WHERE id = ?",
        id
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("UPDATE outbox SET body = '{}' WHERE message_id = ? AND state IN ('sent', 'failed', 'cancelled')", id)
        .execute(&mut **tx)
        .await?;
    for mid in std::iter::once(&message.mid).chain(&message.alias) {
        sqlx::query!(
            "DELETE FROM held_echoes WHERE account_id = ? AND mid = ?",
            account,
            mid
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

async fn reactions(tx: &mut WriteTx<'_>, batch: &mut Batch) -> Result<(), StoreError> {
    if batch.reactions.is_empty() {
        return Ok(());
    }
    let rows: Vec<(i64, i64, &str, i64)> = batch
        .reactions
        .iter()
        .map(|reaction| {
            let key = batch.messages[reaction.message].key;
            (
                key,
                i64::from(reaction.by_customer),
                reaction.emoji.as_str(),
                reaction.at_ms,
            )
        })
        .collect();
    let rows = encode(&rows);
    // Later wins; at one moment, taking back wins, then the greater emoji: any order of telling ends the same.
    let changed = sqlx::query_scalar!(
        r#"INSERT INTO reactions (message_id, by_customer, emoji, at_ms)
           SELECT (SELECT id FROM messages WHERE sort_key = value ->> 0), value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1) WHERE true
           ON CONFLICT (message_id, by_customer) DO UPDATE SET emoji = excluded.emoji, at_ms = excluded.at_ms
           WHERE excluded.at_ms > at_ms OR (excluded.at_ms = at_ms AND excluded.emoji <> emoji
             AND (excluded.emoji = '' OR (emoji <> '' AND excluded.emoji > emoji)))
           RETURNING message_id AS "message!: i64""#,
        rows
    )
    .fetch_all(&mut **tx)
    .await?;
    let Batch {
        messages, talks, ..
    } = batch;
    for message in messages
        .iter()
        .filter(|message| message.id.is_some_and(|id| changed.contains(&id)))
    {
        talks[message.talk].touched = true;
    }
    Ok(())
}

async fn waiting(
    tx: &mut WriteTx<'_>,
    batch: &mut Batch,
    report: &mut IngestReport,
) -> Result<(), StoreError> {
    let early = |_: &&super::batch::Waiting| !planted::on("app.drops_early_news");
    for waiting in batch.waiting.iter().filter(early) {
        let body = encode(&waiting.body);
        if waiting.kind == "unsend" {
            sqlx::query!(
                "DELETE FROM waiting_news WHERE account_id = ? AND mid = ? AND kind = 'edit'",
                batch.account.0,
                waiting.mid
            )
            .execute(&mut **tx)
            .await?;
        }
        // Words of a message that was taken back are not kept, not even waiting.
        let done = sqlx::query!(
            "INSERT INTO waiting_news (account_id, mid, kind, body, at_ms) SELECT ?1, ?2, ?3, ?4, ?5
             WHERE ?3 <> 'edit' OR NOT EXISTS (SELECT 1 FROM waiting_news WHERE account_id = ?1 AND mid = ?2 AND kind = 'unsend')
             ON CONFLICT DO NOTHING",
            batch.account.0,
            waiting.mid,
            waiting.kind,
            body,
            waiting.at_ms
        )
        .execute(&mut **tx)
        .await?;
        report.waiting += done.rows_affected();
    }
    let announced = batch
        .waiting
        .iter()
        .filter(|waiting| waiting.kind == "announced");
    if let Some(first) = announced.map(|waiting| waiting.at_ms).min() {
        let (name, due_at_ms) = (
            format!("announced:{}", batch.account),
            announced::due_ms(first),
        );
        let payload = json!({ "account": batch.account.0 });
        jobs::schedule_once(tx, &name, due_at_ms, &payload).await?;
    }
    if !batch.applied.is_empty() {
        let applied = encode(&batch.applied);
        sqlx::query!("DELETE FROM waiting_news WHERE account_id = ?1 AND mid IN (SELECT value FROM json_each(?2))", batch.account.0, applied)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Our own words: what a person of ours wrote says that everything before it was read.
pub(super) fn is_own(message: &Message) -> bool {
    matches!(message.author, Author::You | Author::Phone)
}
