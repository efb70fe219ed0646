//! What fetching is doing, as the owner sees it. Figures from the database, moods from memory.

use super::{
    Live,
    plan::{Import, Permitted, Step},
    remote::FaultKind,
};
use crate::{
    Profile,
    api::types::{Reason, Recovered, SyncStatus},
    domain::AccountId,
    store::StoreError,
};

/// No progress for this long: say what is awaited (products §5).
pub const STUCK_MS: i64 = 60_000;

/// What was measured of a first sync since this program started.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Monotonic ms.
    pub since: i64,
    /// Threads done then.
    pub done_then: i64,
}

/// Time left, once the list is complete and something was done. Pure.
pub fn left_ms(pace: Option<Pace>, done: i64, found: i64, monotonic_ms: i64) -> Option<i64> {
    let pace = pace?;
    let (did, took) = (done - pace.done_then, monotonic_ms - pace.since);
    if did <= 0 || took <= 0 || found < done {
        return None;
    }
    Some((found - done).saturating_mul(took) / did)
}

/// What is awaited. Pure.
pub fn awaited(fault: Option<FaultKind>) -> Reason {
    Reason::new(match fault {
        Some(FaultKind::Offline) => "network",
        Some(FaultKind::RateLimited) => "rate_limited",
        _ => "platform_slow",
    })
}

/// The status of one account. `None` when it is gone.
///
/// # Errors
/// What the database says.
pub async fn status(
    profile: &Profile,
    account: AccountId,
    live: &Live,
) -> Result<Option<SyncStatus>, StoreError> {
    let mut reader = profile.store.read().await?;
    let Some(stored) = super::cursors::read(&mut reader, account).await? else {
        return Ok(None);
    };
    let row = sqlx::query!(
        r#"SELECT a.paused, s.imported_at_ms AS "imported_at_ms?: i64",
             (SELECT COUNT(*) FROM sync_threads t WHERE t.account_id = a.id) AS "found!: i64",
             (SELECT COUNT(*) FROM sync_threads t WHERE t.account_id = a.id AND t.state = 'done') AS "done!: i64",
             (SELECT COUNT(*) FROM conversations c WHERE c.account_id = a.id AND c.older_missing = 1) AS "older_missing!: i64"
           FROM accounts a LEFT JOIN sync_cursors s ON s.account_id = a.id WHERE a.id = ?"#,
        account.0
    )
    .fetch_one(&mut *reader)
    .await?;
    let recovered = sqlx::query!(
        "SELECT recovered_messages, recovered_conversations, finished_at_ms FROM sync_runs
         WHERE account_id = ? AND recovered_messages > 0 ORDER BY id DESC LIMIT 1",
        account.0
    )
    .fetch_optional(&mut *reader)
    .await?;
    let now_ms = profile.now_ms();
    let monotonic_ms = profile.parts.clock.monotonic_ms();
    let felt = live.felt();
    let importing = stored.facts.import != Import::Done;
    let held = felt.fault.filter(|_| {
        felt.mood
            .hold_until
            .is_some_and(|until| until > monotonic_ms)
    });
    let stuck = importing
        && felt
            .progress_at
            .is_some_and(|at| monotonic_ms - at >= STUCK_MS);
    let state = match stored.facts.permitted {
        Permitted::No if row.paused != 0 => "paused",
        Permitted::No => "stopped",
        _ if held == Some(FaultKind::Offline) => "offline",
        _ if held.is_some() => "waiting",
        Permitted::OnAsk if !felt.mood.asked => "idle",
        _ if importing => "importing",
        _ if matches!(felt.step, Some(Step::Poll | Step::Reconcile { .. })) => "polling",
        _ => "idle",
    };
    let next_poll_at_ms = match felt.step {
        Some(Step::Wait { .. }) => felt
            .step_ends_at
            .map(|ends| now_ms + (ends - monotonic_ms).max(0)),
        _ => None,
    };
    Ok(Some(SyncStatus {
        account_id: account.0,
        state: state.into(),
        found: row.found,
        done: row.done,
        found_all: stored.backfill.listed,
        left_ms: if importing && stored.backfill.listed {
            left_ms(felt.pace, row.done, row.found, monotonic_ms)
        } else {
            None
        },
        messages: stored.backfill.messages,
        older_missing: row.older_missing,
        awaiting: (held.is_some() || (stuck && state == "importing")).then(|| awaited(felt.fault)),
        last_poll_at_ms: stored.facts.last_poll_at_ms,
        next_poll_at_ms,
        recovered: recovered.map(|row| Recovered {
            messages: row.recovered_messages,
            conversations: row.recovered_conversations,
            at_ms: row.finished_at_ms.unwrap_or(now_ms),
        }),
        imported_at_ms: row.imported_at_ms,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_measured_not_guessed() {
        let pace = Some(Pace {
            since: 10_000,
            done_then: 100,
        });
        assert_eq!(
            left_ms(pace, 300, 1_100, 30_000),
            Some(80_000),
            "200 in 20 s, 800 left"
        );
        assert_eq!(left_ms(pace, 1_100, 1_100, 30_000), Some(0));
        assert_eq!(left_ms(pace, 100, 1_100, 30_000), None, "nothing done yet");
        assert_eq!(left_ms(None, 300, 1_100, 30_000), None);
    }

    #[test]
    fn what_is_awaited_has_a_name() {
        for (fault, code) in [
            (Some(FaultKind::Offline), "network"),
            (Some(FaultKind::RateLimited), "rate_limited"),
            (Some(FaultKind::Busy), "platform_slow"),
            (None, "platform_slow"),
        ] {
            assert_eq!(awaited(fault).code, code);
        }
    }
}
