//! The ladder of decision T2 for a token that Meta refuses: fresh Page tokens with a living user token; else an exchange while it is
//! not yet expired; else the owner connects again.

use super::{
    Remedy,
    events::{self, TokenStory},
    renewal,
    renewal::RenewError,
    report, rows,
};
use crate::{
    Profile,
    api::types::Reason,
    domain::{AccountId, CredentialId},
    platform::GraphError,
    store::{Priority, StoreError},
};

/// A token that was repaired this recently and is refused again is not repaired a second time.
const REPAIRED_MS: i64 = 60_000;

/// Deaths that a fresh token of the same person cures: expired, invalidated, no subcode. The others (password, app removed,
/// checkpoint, role) ended the person's own right.
fn curable(error: &GraphError) -> bool {
    error.code == Some(190) && matches!(error.subcode, None | Some(463 | 467))
}

pub(super) async fn climb(
    profile: &Profile,
    account: AccountId,
    error: &GraphError,
) -> Result<Remedy, StoreError> {
    let before = row(profile, account).await?;
    let Some(before) = before.filter(|row| row.state != "disconnected") else {
        return Ok(Remedy::GiveUp);
    };
    let _one = profile.accounts.ladder.lock().await;
    let Some(row) = row(profile, account).await? else {
        return Ok(Remedy::GiveUp);
    };
    if row.generation != before.generation {
        return Ok(Remedy::TryAgain);
    }
    let Some(credential) = row.credential.filter(|_| !row.signed_out()) else {
        return Ok(Remedy::GiveUp);
    };
    let now = profile.parts.clock.monotonic_ms();
    let just_repaired = profile
        .accounts
        .lock()
        .repaired
        .get(&credential)
        .is_some_and(|at| now - at < REPAIRED_MS);
    if !curable(error) || just_repaired {
        return give_up(profile, credential, &error.reason()).await;
    }
    match repair(profile, &row).await {
        Ok(()) => {
            profile.accounts.lock().repaired.insert(credential, now);
            Ok(Remedy::TryAgain)
        }
        Err(RenewError::Later { after_ms }) => Ok(Remedy::Wait { after_ms }),
        // The cause the owner hears is why the token died; why the repair failed is in the token's story.
        Err(RenewError::Dead(why)) => {
            let now_ms = profile.now_ms();
            let mut tx = profile.store.write(Priority::Owner).await?;
            events::record(
                &mut tx,
                Some(credential),
                Some(account),
                TokenStory::RefreshFailed,
                Some(&why),
                now_ms,
            )
            .await?;
            tx.commit().await?;
            give_up(profile, credential, &error.reason()).await
        }
        Err(RenewError::Store(error)) => Err(error),
    }
}

async fn row(
    profile: &Profile,
    account: AccountId,
) -> Result<Option<rows::AccountRow>, StoreError> {
    let mut read = profile.store.read().await?;
    rows::load(&mut read, account).await
}

async fn repair(profile: &Profile, row: &rows::AccountRow) -> Result<(), RenewError> {
    let now_ms = profile.graph.platform_now_ms();
    if row.credential_kind == renewal::Kind::InstagramUser.as_str() {
        // Only a living token can be renewed, and this one was refused: worth one call while its date has not come.
        if row.expires_at_ms.is_some_and(|at| at <= now_ms) {
            return Err(RenewError::Dead(Reason::new("token_expired")));
        }
        let access = rows::with_token(profile, row).await?;
        return renewal::instagram(profile, &access).await;
    }
    let Some(user) = row.parent else {
        return Err(RenewError::Dead(Reason::new("token_missing")));
    };
    let page = row.page_id.as_ref().unwrap_or(&row.platform_id);
    match renewal::pages(profile, user).await {
        Ok(pages) if pages.contains(page) => return Ok(()),
        Ok(_) => return Err(RenewError::Dead(Reason::new("role_lost"))),
        Err(RenewError::Dead(_)) => {}
        Err(other) => return Err(other),
    }
    if expired(profile, user, now_ms).await? {
        return Err(RenewError::Dead(Reason::new("token_expired")));
    }
    let grant = renewal::user(profile, user).await?;
    if grant
        .accounts
        .iter()
        .any(|account| account.platform_id == *page)
    {
        Ok(())
    } else {
        Err(RenewError::Dead(Reason::new("role_lost")))
    }
}

/// An expired token cannot be exchanged (facts sheet §2.2); asking would only be refused.
async fn expired(
    profile: &Profile,
    credential: CredentialId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let id = credential.0;
    let mut read = profile.store.read().await?;
    let at = sqlx::query_scalar!("SELECT expires_at_ms FROM credentials WHERE id = ?", id)
        .fetch_optional(&mut *read)
        .await?;
    Ok(at.flatten().is_some_and(|at| at <= now_ms))
}

async fn give_up(
    profile: &Profile,
    credential: CredentialId,
    reason: &Reason,
) -> Result<Remedy, StoreError> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Owner).await?;
    report::sign_out(&mut tx, credential, reason, now_ms).await?;
    tx.commit().await?;
    profile.accounts.lock().calm.clear();
    Ok(Remedy::GiveUp)
}
