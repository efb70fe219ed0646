//! The picture of an own account: fetched after connecting and with the daily look, kept small and encrypted like a face.

use super::checks::account_of;
use crate::{
    Profile,
    api::types::Change,
    contacts::avatar,
    jobs::{self, JobOutcome},
    media::MediaError,
    store::{Priority, StoreError, WriteTx},
};
use serde_json::json;

/// Has the picture fetched. Twice is once.
pub(super) async fn schedule(
    tx: &mut WriteTx<'_>,
    account: i64,
    due_at_ms: i64,
) -> Result<(), StoreError> {
    jobs::schedule(
        tx,
        &format!("account-picture:{account}"),
        due_at_ms,
        &json!({ "account": account }),
    )
    .await
}

/// Stores the address that Meta gives now, and has the picture fetched when it is a new one.
pub(super) async fn renew(
    profile: &Profile,
    account: i64,
    address: &str,
) -> Result<(), StoreError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    let changed = sqlx::query!(
        "UPDATE accounts SET picture_url = ?1 WHERE id = ?2 AND picture_url IS NOT ?1",
        address,
        account
    )
    .execute(&mut *tx)
    .await?
    .rows_affected()
        > 0;
    if changed {
        schedule(&mut tx, account, now_ms).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Job `account-picture:{account}`. An address that is dead waits for the next one; only the network is tried again.
pub(crate) async fn fetch(profile: &Profile, payload: &str) -> JobOutcome {
    let Some(account) = account_of(payload) else {
        return JobOutcome::Done;
    };
    match try_fetch(profile, account.0).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::warn!(account = account.0, %error, "the account's picture could not be stored");
            JobOutcome::Failed
        }
    }
}

async fn try_fetch(profile: &Profile, account: i64) -> Result<JobOutcome, StoreError> {
    let address = {
        let mut read = profile.store.read().await?;
        sqlx::query_scalar!(
            "SELECT picture_url FROM accounts WHERE id = ? AND state <> 'disconnected'",
            account
        )
        .fetch_optional(&mut *read)
        .await?
        .flatten()
    };
    let Some(address) = address else {
        return Ok(JobOutcome::Done);
    };
    let fetched = match profile.media.fetch(&address).await {
        Ok(fetched) => fetched,
        Err(MediaError::Unreachable) => return Ok(JobOutcome::Failed),
        Err(_) => return Ok(JobOutcome::Done),
    };
    let small = tokio::task::spawn_blocking(move || avatar::shrink(&fetched))
        .await
        .ok()
        .flatten();
    let Some((mime, bytes)) = small else {
        return Ok(JobOutcome::Done);
    };
    let mut random = [0_u8; 16];
    profile.parts.entropy.fill(&mut random);
    let (media_id, now_ms) = (hex::encode(random), profile.now_ms());
    let mut tx = profile.store.write(Priority::Background).await?;
    sqlx::query!(
        "INSERT INTO account_pictures (account_id, media_id, mime, bytes, fetched_at_ms)
         SELECT id, ?2, ?3, ?4, ?5 FROM accounts WHERE id = ?1
         ON CONFLICT (account_id) DO UPDATE SET media_id = iif(bytes = excluded.bytes, media_id, excluded.media_id),
           mime = excluded.mime, bytes = excluded.bytes, fetched_at_ms = excluded.fetched_at_ms",
        account,
        media_id,
        mime,
        bytes,
        now_ms
    )
    .execute(&mut *tx)
    .await?;
    tx.tell(Change::Accounts);
    tx.commit().await?;
    Ok(JobOutcome::Done)
}
