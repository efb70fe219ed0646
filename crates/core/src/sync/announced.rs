//! Messages that the platform announced by id and did not send: asked for one by one, in the lowest lane.
//!
//! Instagram names new messages before it tells them ("edit 0", facts sheet §3.8), mostly seconds before. So they get a minute to come by
//! themselves; whatever came by then, by any way, is not asked for.

use super::{
    graph::GraphRemote,
    remote::{FaultKind, Remote},
};
use crate::{
    Profile,
    domain::{AccountId, Incoming, IncomingItem, Source},
    ingest,
    jobs::JobOutcome,
    store::{Priority, StoreError},
};
use serde::Deserialize;
use std::sync::Arc;

/// How long a message may take to come by itself.
const PATIENCE_MS: i64 = 60_000;
/// Messages of one run: other jobs wait behind it.
const AT_ONCE: i64 = 10;
/// Not to be had at the moment: offline, signed out, slowed down.
const PAUSE_MS: i64 = 5 * 60_000;
/// After this the comparison with the platform has found it, or nobody will.
const GIVE_UP_MS: i64 = 24 * 3_600_000;

#[derive(Deserialize)]
struct Payload {
    account: i64,
}

/// When the first look at what was announced at `at_ms` is due.
pub(crate) fn due_ms(at_ms: i64) -> i64 {
    at_ms + PATIENCE_MS
}

/// Job `announced:{account}`.
pub(crate) async fn run(profile: &Arc<Profile>, payload: &str) -> JobOutcome {
    let Ok(payload) = serde_json::from_str::<Payload>(payload) else {
        return JobOutcome::Done;
    };
    let remote = GraphRemote::new(Arc::clone(profile));
    fetch(profile, &remote, AccountId(payload.account))
        .await
        .unwrap_or_else(|error| {
            tracing::warn!(account = payload.account, %error, "an announced message could not be taken in");
            JobOutcome::Failed
        })
}

/// Asks for what is due; answers when to look again.
pub(super) async fn fetch(
    profile: &Profile,
    remote: &dyn Remote,
    account: AccountId,
) -> Result<JobOutcome, StoreError> {
    let now_ms = profile.now_ms();
    let rows = {
        let mut read = profile.store.read().await?;
        sqlx::query!(
            "SELECT mid, at_ms FROM waiting_news WHERE account_id = ? AND kind = 'announced' ORDER BY at_ms, id LIMIT ?",
            account.0,
            AT_ONCE
        )
        .fetch_all(&mut *read)
        .await?
    };
    for row in &rows {
        if due_ms(row.at_ms) > now_ms {
            return Ok(JobOutcome::Again {
                due_at_ms: due_ms(row.at_ms),
            });
        }
        let items = match remote.message(account, &row.mid).await {
            Ok(message) => vec![IncomingItem::Message(message)],
            // Taken back, or not for apps.
            Err(fault) if matches!(fault.kind, FaultKind::Gone | FaultKind::Refused) => Vec::new(),
            Err(_) if now_ms - row.at_ms > GIVE_UP_MS => Vec::new(),
            Err(fault) => {
                let after_ms = fault.retry_after_ms.unwrap_or(PAUSE_MS).max(1_000);
                return Ok(JobOutcome::Again {
                    due_at_ms: now_ms + after_ms,
                });
            }
        };
        let mut tx = profile.store.write(Priority::Background).await?;
        let incoming = Incoming {
            account,
            source: Source::Poll,
            observed_at_ms: now_ms,
            items,
        };
        ingest::apply(&mut tx, &incoming).await?;
        // The message may carry another encoding of its id; what was asked for is answered either way.
        sqlx::query!(
            "DELETE FROM waiting_news WHERE account_id = ? AND mid = ? AND kind = 'announced'",
            account.0,
            row.mid
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
    }
    Ok(if rows.is_empty() {
        JobOutcome::Done
    } else {
        JobOutcome::Again { due_at_ms: now_ms }
    })
}

#[cfg(test)]
#[path = "announced_tests.rs"]
mod tests;
