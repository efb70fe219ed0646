//! What calls to Meta say about an account: only an authorization error signs it out (products sheet §2.1), everything else is a
//! limit, a missing permission or a delay, and goes away by itself when the same kind of call works again.

use super::{ladder, rows, state};
use crate::{
    Profile,
    api::types::{AccountState, Reason},
    contacts,
    domain::AccountId,
    platform::{Call, Fault, GraphError, RetryKind},
    store::{Priority, StoreError, WriteTx},
};

/// What the caller should do with the call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The token was renewed: take a new [`super::Access`] and make the same call once more.
    TryAgain,
    /// Come back after this time.
    Wait {
        /// Milliseconds.
        after_ms: i64,
    },
    /// Nothing to do here; the account's state tells the owner.
    GiveUp,
}

/// How long a well account needs no further note in the database.
const CALM_MS: i64 = 10 * 60_000;

/// Takes in a failed call: repairs the token where that is possible, else notes why the account does not work.
pub async fn report(profile: &Profile, account: AccountId, error: &GraphError) -> Remedy {
    match try_report(profile, account, error).await {
        Ok(remedy) => remedy,
        Err(error) => {
            tracing::warn!(account = account.0, %error, "an account's trouble could not be noted");
            Remedy::GiveUp
        }
    }
}

async fn try_report(
    profile: &Profile,
    account: AccountId,
    error: &GraphError,
) -> Result<Remedy, StoreError> {
    // Held back by our own budget: nothing new was learned.
    if error.fault == Fault::HeldBack {
        return Ok(wait(error));
    }
    if error.kind == RetryKind::Reconnect {
        return ladder::climb(profile, account, error).await;
    }
    if let Some(trouble) = trouble_of(error) {
        note(profile, account, trouble, error).await?;
    }
    Ok(wait(error))
}

fn wait(error: &GraphError) -> Remedy {
    error
        .retry_after_ms()
        .map_or(Remedy::GiveUp, |after_ms| Remedy::Wait { after_ms })
}

/// Which state a failure means, if it says anything about the account. Pure.
fn trouble_of(error: &GraphError) -> Option<AccountState> {
    let person_only = error.call == Call::Profile || error.code == Some(230);
    match (error.kind, error.code, error.subcode) {
        (_, Some(368), _) | (_, Some(10), Some(1_893_063)) | (_, Some(100), Some(2_534_029)) => {
            Some(AccountState::Blocked)
        }
        (RetryKind::Permission, ..) if !person_only => Some(AccountState::Limited),
        (RetryKind::RateLimited { .. }, ..) => Some(AccountState::Delayed),
        (RetryKind::Transient { .. }, ..) if error.call != Call::Profile => {
            Some(AccountState::Delayed)
        }
        _ => None,
    }
}

async fn note(
    profile: &Profile,
    account: AccountId,
    trouble: AccountState,
    error: &GraphError,
) -> Result<(), StoreError> {
    let now_ms = profile.now_ms();
    let reason = error.reason().with("call", error.call.as_str());
    let row = {
        let mut read = profile.store.read().await?;
        rows::load(&mut read, account).await?
    };
    let Some(row) = row else { return Ok(()) };
    let now = state::parse(&row.state);
    let may = match now {
        // A delay is no news while something worse is known, and an import says its own progress.
        AccountState::Live | AccountState::Delayed => true,
        AccountState::Importing | AccountState::ReconnectSoon => trouble != AccountState::Delayed,
        AccountState::Limited => {
            trouble == AccountState::Blocked || trouble == AccountState::Limited
        }
        AccountState::Blocked => trouble == AccountState::Blocked,
        AccountState::ReconnectNow | AccountState::Paused | AccountState::Disconnected => false,
    };
    if !may {
        return Ok(());
    }
    profile.accounts.lock().calm.remove(&account);
    let mut tx = profile.store.write(Priority::Background).await?;
    if state::set(&mut tx, account, trouble, Some(&reason), now_ms).await? {
        tx.commit().await?;
    }
    Ok(())
}

/// Takes in a call that worked: the token lives, and a trouble of the same kind of call is over.
pub async fn report_ok(profile: &Profile, account: AccountId, call: Call) {
    let now = profile.parts.clock.monotonic_ms();
    let calm = profile
        .accounts
        .lock()
        .calm
        .get(&account)
        .is_some_and(|since| now - since < CALM_MS);
    if calm {
        return;
    }
    match settle(profile, account, Some(call)).await {
        Ok(true) => {
            profile.accounts.lock().calm.insert(account, now);
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(account = account.0, %error, "a good call could not be noted"),
    }
}

/// Notes the check and clears what it disproves. True when the account is well now.
async fn settle(
    profile: &Profile,
    account: AccountId,
    call: Option<Call>,
) -> Result<bool, StoreError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    let Some(row) = rows::load(&mut tx, account).await? else {
        return Ok(false);
    };
    if let Some(credential) = row.credential.filter(|_| !row.signed_out()) {
        let id = credential.0;
        sqlx::query!(
            "UPDATE credentials SET checked_at_ms = ? WHERE id = ?",
            now_ms,
            id
        )
        .execute(&mut *tx)
        .await?;
    }
    let well = clear(&mut tx, &row, call, now_ms).await?;
    tx.commit().await?;
    Ok(well)
}

async fn clear(
    tx: &mut WriteTx<'_>,
    row: &rows::AccountRow,
    call: Option<Call>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let now = state::parse(&row.state);
    let disproved = match now {
        AccountState::Disconnected | AccountState::Paused => return Ok(false),
        // The call that was refused must work itself; another kind that works says nothing about it.
        AccountState::Limited | AccountState::Blocked => {
            let refused = row
                .reason
                .as_ref()
                .and_then(|reason| reason.params.get("call"));
            call.is_none()
                || refused.is_none_or(|word| call.is_some_and(|call| call.as_str() == word))
        }
        // A late answer to an old token must not sign the account in again.
        AccountState::ReconnectNow => !row.signed_out(),
        _ => true,
    };
    if !disproved {
        return Ok(false);
    }
    let (resting, reason) = state::resting(row, now_ms);
    state::set(tx, row.id, resting, reason.as_ref(), now_ms).await?;
    Ok(matches!(
        resting,
        AccountState::Live | AccountState::ReconnectSoon
    ))
}

/// The first sync is finished: call it in the transaction that wrote `sync_cursors.imported_at_ms`.
///
/// # Errors
/// What SQLite says.
pub async fn imported(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    now_ms: i64,
) -> Result<(), StoreError> {
    if let Some(row) = rows::load(tx, account).await?
        && row.state == "importing"
    {
        let (resting, reason) = state::resting(&row, now_ms);
        state::set(tx, account, resting, reason.as_ref(), now_ms).await?;
        contacts::introduce::schedule(tx, account, now_ms).await?;
    }
    Ok(())
}

/// Brings the state to what the row says after the owner changed something.
pub(super) async fn rest(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    now_ms: i64,
) -> Result<(), StoreError> {
    if let Some(row) = rows::load(tx, account).await?
        && row.state != "disconnected"
    {
        let (resting, reason) = state::resting(&row, now_ms);
        state::set(tx, account, resting, reason.as_ref(), now_ms).await?;
    }
    Ok(())
}

/// Signs out every account that used this credential.
pub(super) async fn sign_out(
    tx: &mut WriteTx<'_>,
    credential: crate::domain::CredentialId,
    reason: &Reason,
    now_ms: i64,
) -> Result<(), StoreError> {
    let id = credential.0;
    let expired = reason.code == "token_expired";
    let word = if expired { "expired" } else { "revoked" };
    sqlx::query!(
        "UPDATE credentials SET state = ?, updated_at_ms = ? WHERE id = ? AND state <> 'none'",
        word,
        now_ms,
        id
    )
    .execute(&mut **tx)
    .await?;
    let story = if expired {
        super::events::TokenStory::Expired
    } else {
        super::events::TokenStory::Revoked
    };
    let accounts = sqlx::query_scalar!(
        "SELECT id FROM accounts WHERE credential_id = ? AND state <> 'disconnected'",
        id
    )
    .fetch_all(&mut **tx)
    .await?;
    for account in accounts.into_iter().map(AccountId) {
        super::events::record(
            tx,
            Some(credential),
            Some(account),
            story,
            Some(reason),
            now_ms,
        )
        .await?;
        let paused = rows::load(tx, account).await?.is_some_and(|row| row.paused);
        if !paused {
            state::set(
                tx,
                account,
                AccountState::ReconnectNow,
                Some(reason),
                now_ms,
            )
            .await?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
