//! Erasing an account's data after the grace time: every row, word, picture and raw event of it, in batches, then the log behind it.
//!
//! May be interrupted anywhere and goes on; the account's own row goes last, so a half-erased account is never called finished.

use super::checks::account_of;
use crate::{
    Profile,
    api::types::Change,
    domain::AccountId,
    jobs::JobOutcome,
    store::{Priority, StoreError},
};

/// Rows of one transaction: the owner's writes wait no longer than this takes.
const BATCH: i64 = 200;

/// Job `erase:{account}`.
pub(crate) async fn run(profile: &Profile, payload: &str) -> JobOutcome {
    let Some(account) = account_of(payload) else {
        return JobOutcome::Done;
    };
    match erase(profile, account).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::warn!(account = account.0, %error, "the erasure is interrupted");
            JobOutcome::Failed
        }
    }
}

async fn erase(profile: &Profile, account: AccountId) -> Result<JobOutcome, StoreError> {
    let id = account.0;
    let row = {
        let mut read = profile.store.read().await?;
        sqlx::query!("SELECT state, erase_at_ms FROM accounts WHERE id = ?", id)
            .fetch_optional(&mut *read)
            .await?
    };
    // Reconnected or called off: the permission is gone.
    let Some(at) = row
        .filter(|row| row.state == "disconnected")
        .and_then(|row| row.erase_at_ms)
    else {
        return Ok(JobOutcome::Done);
    };
    if at > profile.now_ms() {
        return Ok(JobOutcome::Again { due_at_ms: at });
    }
    while messages(profile, id).await? || people(profile, id).await? || rest(profile, id).await? {}
    let mut tx = profile.store.write(Priority::Background).await?;
    sqlx::query!("DELETE FROM token_events WHERE account_id = ?", id)
        .execute(&mut *tx)
        .await?;
    let own_jobs = format!("*:{id}");
    let myself = format!("erase:{id}");
    sqlx::query!(
        "DELETE FROM jobs WHERE name GLOB ? AND name <> ? AND name NOT GLOB 'mirror-secret:*' AND name NOT GLOB 'sign-in:*'
           AND name NOT GLOB 'unbind:*'",
        own_jobs,
        myself
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "DELETE FROM accounts WHERE id = ? AND state = 'disconnected'",
        id
    )
    .execute(&mut *tx)
    .await?;
    // Credentials of nobody: their secrets went when the account was disconnected.
    sqlx::query!(
        "DELETE FROM credentials WHERE state = 'none' AND kind <> 'facebook_user'
           AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.credential_id = credentials.id)"
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "DELETE FROM credentials WHERE state = 'none' AND kind = 'facebook_user'
           AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.parent_id = credentials.id)"
    )
    .execute(&mut *tx)
    .await?;
    // Ended sign-ins name accounts; they are not needed any more.
    sqlx::query!("DELETE FROM sign_ins WHERE step IN ('done', 'refused')")
        .execute(&mut *tx)
        .await?;
    tx.tell(Change::Everything);
    tx.commit().await?;
    profile.store.scrub().await?;
    Ok(JobOutcome::Done)
}

/// A batch of messages; words, files and reactions go with them by the schema. True when there was one.
async fn messages(profile: &Profile, account: i64) -> Result<bool, StoreError> {
    let mut tx = profile.store.write(Priority::Background).await?;
    let gone = sqlx::query!(
        "DELETE FROM messages WHERE id IN
           (SELECT m.id FROM conversations c JOIN messages m ON m.conversation_id = c.id WHERE c.account_id = ? LIMIT ?)",
        account,
        BATCH
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(gone > 0)
}

/// A batch of people with their conversations, names and faces. Somebody who also writes to another account stays there.
async fn people(profile: &Profile, account: i64) -> Result<bool, StoreError> {
    let mut tx = profile.store.write(Priority::Background).await?;
    let contacts = sqlx::query_scalar!(
        "SELECT contact_id FROM identities WHERE account_id = ? LIMIT ?",
        account,
        BATCH
    )
    .fetch_all(&mut *tx)
    .await?;
    for contact in &contacts {
        sqlx::query!(
            "DELETE FROM identities WHERE account_id = ? AND contact_id = ?",
            account,
            contact
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!("DELETE FROM contacts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM identities WHERE contact_id = ?1)", contact)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(!contacts.is_empty())
}

/// A batch of what hangs on the account alone.
async fn rest(profile: &Profile, account: i64) -> Result<bool, StoreError> {
    let mut tx = profile.store.write(Priority::Background).await?;
    let mut gone = sqlx::query!(
        "DELETE FROM raw_events WHERE id IN (SELECT id FROM raw_events WHERE account_id = ? LIMIT ?)",
        account,
        BATCH
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    gone += sqlx::query!(
        "DELETE FROM waiting_news WHERE id IN (SELECT id FROM waiting_news WHERE account_id = ? LIMIT ?)",
        account,
        BATCH
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    gone += sqlx::query!(
        "DELETE FROM comments WHERE id IN (SELECT id FROM comments WHERE account_id = ? LIMIT ?)",
        account,
        BATCH
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(gone > 0)
}

#[cfg(test)]
#[path = "erase_tests.rs"]
mod tests;
