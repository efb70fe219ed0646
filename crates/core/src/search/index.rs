//! Writes the words of messages and people. Called inside the transaction that writes what they belong to.

use super::words::name_words;
use crate::{
    ingest::rows::encode,
    store::{StoreError, WriteTx},
};

/// Words of new messages, by sort key.
///
/// # Errors
/// What the database says.
pub async fn index_messages(
    tx: &mut WriteTx<'_>,
    words: &[(i64, String)],
) -> Result<(), StoreError> {
    let words = encode(words);
    sqlx::query!("INSERT INTO message_words (sort_key, words) SELECT value ->> 0, value ->> 1 FROM json_each(?)", words)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("INSERT INTO message_search (rowid, words) SELECT value ->> 0, value ->> 1 FROM json_each(?)", words)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Other words for a message, or none any more.
///
/// # Errors
/// What the database says.
pub async fn reindex_message(
    tx: &mut WriteTx<'_>,
    key: i64,
    words: Option<&str>,
) -> Result<(), StoreError> {
    // The index is told the old words before they go: it has no copy of its own.
    sqlx::query!(
        "INSERT INTO message_search (message_search, rowid, words) SELECT 'delete', sort_key, words FROM message_words WHERE sort_key = ?",
        key
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("DELETE FROM message_words WHERE sort_key = ?", key)
        .execute(&mut **tx)
        .await?;
    match words {
        Some(words) => index_messages(tx, &[(key, words.to_owned())]).await,
        None => Ok(()),
    }
}

/// Words of a person's name and handle, instead of the ones before.
///
/// # Errors
/// What the database says.
pub async fn index_person(
    tx: &mut WriteTx<'_>,
    identity: i64,
    name: Option<&str>,
    username: Option<&str>,
) -> Result<(), StoreError> {
    // A trigger takes the old words out of the index.
    sqlx::query!("DELETE FROM people_words WHERE identity_id = ?", identity)
        .execute(&mut **tx)
        .await?;
    let words = name_words(name, username);
    if words.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO people_words (identity_id, words) VALUES (?, ?)",
        identity,
        words
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "INSERT INTO people_search (rowid, words) VALUES (?, ?)",
        identity,
        words
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
