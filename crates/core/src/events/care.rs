//! Care of the log: what had its time goes, and what is erased elsewhere is erased here (decisions E26 and T24).

use crate::{
    Profile,
    domain::AccountId,
    ingest::rows::encode,
    jobs::{self, JobOutcome},
    store::{Priority, StoreError, WriteTx},
};
use serde_json::json;

const DAY_MS: i64 = 24 * 3_600_000;
/// Life of what is done or ignored.
const KEPT_MS: i64 = 90 * DAY_MS;
/// Rows of one transaction.
const BATCH: i64 = 500;
/// Several erasures in a row share one emptying of the database's log.
const SCRUB_AFTER_MS: i64 = 2_000;

/// Has the log looked after, from now on daily.
pub(crate) async fn start(profile: &Profile) -> Result<(), StoreError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    jobs::schedule(&mut tx, "clean-events", now_ms, &json!({})).await?;
    tx.commit().await
}

/// Job `clean-events`: what was done or ignored 90 days ago goes; what failed stays until it is resolved.
pub(crate) async fn clean(profile: &Profile) -> JobOutcome {
    let now_ms = profile.now_ms();
    loop {
        match clean_some(profile, now_ms - KEPT_MS).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(target: "shopbell::events", %error, "the log could not be cleaned");
                return JobOutcome::Failed;
            }
        }
    }
    JobOutcome::Again {
        due_at_ms: now_ms + DAY_MS,
    }
}

async fn clean_some(profile: &Profile, before_ms: i64) -> Result<u64, StoreError> {
    let mut tx = profile.store.write(Priority::Background).await?;
    let gone = sqlx::query!(
        "DELETE FROM raw_events WHERE id IN
           (SELECT id FROM raw_events WHERE logged_at_ms < ? AND state IN ('done', 'ignored') ORDER BY logged_at_ms LIMIT ?)",
        before_ms,
        BATCH
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(gone)
}

/// Empties every event of an account that speaks of one of these messages, comments or people. One that had failed is resolved by it:
/// there is nothing left to try.
///
/// # Errors
/// What the database says.
pub async fn forget(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    names: &[&str],
    now_ms: i64,
) -> Result<(), StoreError> {
    if names.is_empty() {
        return Ok(());
    }
    let names = encode(names);
    let emptied = sqlx::query!(
        r#"UPDATE raw_events SET body = NULL, retry_at_ms = NULL,
             reason = CASE WHEN state = 'failed' THEN '{"code":"erased"}' ELSE reason END,
             state = CASE WHEN state = 'failed' THEN 'ignored' ELSE state END
           WHERE body IS NOT NULL AND account_id = ?1
             AND id IN (SELECT raw_event_id FROM raw_event_refs WHERE ref IN (SELECT value FROM json_each(?2)))"#,
        account.0,
        names
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    if emptied > 0 {
        jobs::schedule(tx, "scrub", now_ms + SCRUB_AFTER_MS, &json!({})).await?;
    }
    Ok(())
}

/// Ingest empties what its news says is erased, now or long since. Of events that failed it was told nothing: they are looked at here, so
/// that a late duplicate of something erased keeps no words of it.
pub(super) async fn forget_erased(
    tx: &mut WriteTx<'_>,
    failed: &[i64],
    now_ms: i64,
) -> Result<(), StoreError> {
    let failed = encode(failed);
    let erased = sqlx::query!(
        r#"SELECT e.account_id AS "account!: i64", r.ref AS name FROM raw_events e JOIN raw_event_refs r ON r.raw_event_id = e.id
           WHERE e.id IN (SELECT value FROM json_each(?)) AND e.account_id IS NOT NULL AND
             (EXISTS (SELECT 1 FROM messages m WHERE m.account_id = e.account_id AND m.mid = r.ref AND m.deleted = 1)
              OR EXISTS (SELECT 1 FROM messages m WHERE m.account_id = e.account_id AND m.alias_mid = r.ref AND m.deleted = 1)
              OR EXISTS (SELECT 1 FROM waiting_news w WHERE w.account_id = e.account_id AND w.mid = r.ref AND w.kind = 'unsend')
              OR EXISTS (SELECT 1 FROM comments c WHERE c.account_id = e.account_id AND c.platform_id = r.ref AND c.removed = 1))"#,
        failed
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in erased {
        forget(tx, AccountId(row.account), &[&row.name], now_ms).await?;
    }
    Ok(())
}

/// Job `scrub`: nothing of what was erased is left in any file.
pub(crate) async fn scrub(profile: &Profile) -> JobOutcome {
    match profile.store.scrub().await {
        Ok(()) => JobOutcome::Done,
        Err(error) => {
            tracing::warn!(target: "shopbell::events", %error, "the database's log was not emptied after an erasure");
            JobOutcome::Failed
        }
    }
}
