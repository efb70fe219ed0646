//! The platform's word on a whole account, told by webhook: a warning, sending stopped, sending free again.
//!
//! Invariant: the newest word counts, in whatever order they come. A stop ends with the platform's word or with a send that works.

use super::{report, rows, state};
use crate::{
    api::types::{AccountState, Reason},
    domain::{AccountId, PolicyAction},
    platform::Call,
    store::{StoreError, WriteTx},
};

/// Notes it. False when a newer word is known.
///
/// # Errors
/// What SQLite says.
pub(crate) async fn take(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    action: PolicyAction,
    why: Option<&str>,
    at_ms: i64,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let newer = sqlx::query!(
        "UPDATE accounts SET policy_at_ms = ?1 WHERE id = ?2 AND (policy_at_ms IS NULL OR policy_at_ms < ?1)",
        at_ms,
        account.0
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    let Some(row) = rows::load(tx, account).await?.filter(|_| newer > 0) else {
        return Ok(false);
    };
    let said = |code| {
        let reason = Reason::new(code).with("call", Call::Send.as_str());
        match why {
            Some(why) => reason.with("why", why),
            None => reason,
        }
    };
    let worse = matches!(
        state::parse(&row.state),
        AccountState::ReconnectNow | AccountState::Paused | AccountState::Disconnected
    );
    let by_policy = row.reason.as_ref().is_some_and(|reason| {
        matches!(
            reason.code.as_str(),
            "blocked_for_policy" | "policy_warning"
        )
    });
    match action {
        _ if worse => {}
        PolicyAction::Block => {
            let reason = said("blocked_for_policy");
            state::set(tx, account, AccountState::Blocked, Some(&reason), now_ms).await?;
        }
        PolicyAction::Warning => {
            let reason = said("policy_warning");
            state::set(tx, account, AccountState::Limited, Some(&reason), now_ms).await?;
        }
        PolicyAction::Unblock if by_policy => report::rest(tx, account, now_ms).await?,
        PolicyAction::Unblock => {}
    }
    Ok(true)
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
