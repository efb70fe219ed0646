//! Hits, newest first, in one packed row per page.

use super::{
    excerpt::excerpt,
    terms::{Term, Terms},
};
use crate::{
    api::types::SearchHit,
    domain::{Author, Channel},
    ingest::rows::decode,
    store::StoreError,
};
use serde::Deserialize;
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// Where to look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scope {
    /// Only one account.
    pub account: Option<i64>,
    /// Only one conversation.
    pub conversation: Option<i64>,
}

/// A page of hits.
#[derive(Debug, Clone, Default)]
pub struct Hits {
    /// Newest first.
    pub hits: Vec<SearchHit>,
    /// Sort key of the last one when there are more.
    pub next: Option<i64>,
}

/// Columns in the order of the statement below.
#[derive(Deserialize)]
struct Row {
    key: i64,
    message: i64,
    conversation: i64,
    account: i64,
    channel: String,
    name: Option<String>,
    username: Option<String>,
    picture: Option<String>,
    text: Option<String>,
    author: String,
    sent_at_ms: i64,
}

/// Messages that hold all terms, older than `before` (a sort key), newest first.
///
/// # Errors
/// What the database says.
pub async fn messages(
    connection: &mut SqliteConnection,
    terms: &Terms,
    scope: Scope,
    before: Option<i64>,
    limit: u32,
) -> Result<Hits, StoreError> {
    if terms.is_empty() {
        return Ok(Hits::default());
    }
    let expression = expression(connection, terms, scope).await?;
    let before = before.unwrap_or(i64::MAX);
    let asked = i64::from(limit) + 1;
    let rows = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(m.sort_key, m.id, m.conversation_id, m.account_id, a.channel, i.name, i.username,
             v.media_id, m.text, m.author, m.sent_at_ms)) AS "rows!: String"
           FROM (SELECT rowid AS key FROM message_search WHERE message_search MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC LIMIT ?3) s
           CROSS JOIN messages m ON m.sort_key = s.key
           JOIN conversations c ON c.id = m.conversation_id
           JOIN identities i ON i.id = c.identity_id
           JOIN accounts a ON a.id = m.account_id
           LEFT JOIN avatars v ON v.identity_id = i.id"#,
        expression,
        before,
        asked
    )
    .fetch_one(&mut *connection)
    .await?;
    let mut rows: Vec<Row> = decode(&rows)?;
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.key));
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().map(|row| row.key).filter(|_| more);
    Ok(Hits {
        hits: rows.into_iter().map(|row| hit(row, terms)).collect(),
        next,
    })
}

/// Word starts of up to this many letters have lists of their own in the index.
const INDEXED_STARTS: usize = 3;
/// More words than this are left to the index: each of them is rare then.
const NAMED_WORDS: i64 = 40;

async fn expression(
    connection: &mut SqliteConnection,
    terms: &Terms,
    scope: Scope,
) -> Result<String, StoreError> {
    let mut named: HashMap<&str, Vec<String>> = HashMap::new();
    for term in &terms.0 {
        let Term::Start(start) = term else { continue };
        if start.chars().count() <= INDEXED_STARTS {
            continue;
        }
        // Greater than every word that begins like this; no folded word holds it.
        let end = format!("{start}\u{10ffff}");
        let words = sqlx::query_scalar!(
            r#"WITH RECURSIVE found (word, count) AS (
                 SELECT (SELECT term FROM message_terms WHERE term >= ?1 LIMIT 1), 1
                 UNION ALL
                 SELECT (SELECT term FROM message_terms WHERE term >= found.word || char(1) LIMIT 1), count + 1
                 FROM found WHERE found.word < ?2 AND count <= ?3)
               SELECT json_group_array(word) AS "words!: String" FROM found WHERE word < ?2"#,
            start,
            end,
            NAMED_WORDS
        )
        .fetch_one(&mut *connection)
        .await?;
        let words: Vec<String> = decode(&words)?;
        if words.len() <= NAMED_WORDS as usize {
            named.insert(start, words);
        }
    }
    Ok(
        terms.expression_with(scope.account, scope.conversation, |start| {
            named.get(start).cloned()
        }),
    )
}

fn hit(row: Row, terms: &Terms) -> SearchHit {
    let text = row.text.unwrap_or_default();
    let marks = terms.marks(&text).unwrap_or_default();
    let (excerpt, marks) = excerpt(&text, &marks);
    SearchHit {
        message_id: row.message,
        sort_key: row.key.to_string(),
        conversation_id: row.conversation,
        account_id: row.account,
        channel: Channel::parse(&row.channel).unwrap_or(Channel::Messenger),
        name: row.name,
        username: row.username,
        picture: row.picture,
        excerpt,
        marks,
        author: Author::parse(&row.author).unwrap_or(Author::Customer),
        sent_at_ms: row.sent_at_ms,
    }
}

/// Conversations with people whose name or handle matches, last active first, at most `limit`.
///
/// # Errors
/// What the database says.
pub async fn people(
    connection: &mut SqliteConnection,
    terms: &Terms,
    account: Option<i64>,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    if terms.is_empty() {
        return Ok(Vec::new());
    }
    let expression = terms.expression(None, None);
    let found = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(c.last_key, c.id)) AS "rows!: String"
           FROM (SELECT rowid AS id FROM people_search WHERE people_search MATCH ?1 ORDER BY rowid DESC LIMIT 300) p
           CROSS JOIN conversations c ON c.identity_id = p.id
           WHERE c.last_key > 0 AND c.account_id = coalesce(?2, c.account_id)"#,
        expression,
        account
    )
    .fetch_one(connection)
    .await?;
    let mut found: Vec<(i64, i64)> = decode(&found)?;
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found
        .into_iter()
        .take(limit as usize)
        .map(|(_, id)| id)
        .collect())
}
