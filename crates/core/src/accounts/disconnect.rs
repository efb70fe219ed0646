//! Disconnecting: events off at Meta, off the relay, tokens forgotten everywhere; then the data is kept, or goes after a day.
//!
//! What Meta or the relay answer cannot hold it up: a dead token is no reason to stay connected. Only a one-time token of the owner's
//! own confirmation makes it an erasure.

use super::{checks, events, rows, state, tokens};
use crate::{
    Profile,
    api::types::{AccountState, Change, ErasePrepared},
    domain::{AccountId, Channel, CredentialId},
    jobs::{self, JobOutcome},
    store::{Priority, StoreError, WriteTx},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use shopbell_wire::AccountKind;
use std::time::Duration;

/// Life of a permit to erase.
const PERMIT_MS: i64 = 5 * 60_000;
/// From the owner's word to the erasure.
pub const GRACE_MS: i64 = 24 * 3_600_000;
/// Longest wait for Meta and the relay together.
const GOODBYE: Duration = Duration::from_secs(15);

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum DisconnectError {
    /// No such account.
    #[error("there is no such account")]
    NotFound,
    /// The erase token is unknown, used or too old.
    #[error("the confirmation is missing or too old")]
    NotConfirmed,
    /// The erasure has begun.
    #[error("the erasure has begun")]
    TooLate,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What would go, and the permit for it: one time, five minutes.
///
/// # Errors
/// [`DisconnectError`].
pub async fn prepare(
    profile: &Profile,
    account: AccountId,
) -> Result<ErasePrepared, DisconnectError> {
    let (id, now_ms) = (account.0, profile.now_ms());
    let counts = {
        let mut read = profile.store.read().await?;
        rows::load(&mut read, account)
            .await?
            .ok_or(DisconnectError::NotFound)?;
        sqlx::query!(
            r#"SELECT count(*) AS "conversations!: i64", coalesce(sum(messages), 0) AS "messages!: i64",
                 (SELECT count(*) FROM identities WHERE account_id = ?1) AS "contacts!: i64"
               FROM conversations WHERE account_id = ?1"#,
            id
        )
        .fetch_one(&mut *read)
        .await
        .map_err(StoreError::from)?
    };
    let token = URL_SAFE_NO_PAD.encode(profile.parts.entropy.key());
    let mut inner = profile.accounts.lock();
    inner
        .permits
        .retain(|(other, _, until)| *other != account && *until > now_ms);
    inner
        .permits
        .push((account, token.clone(), now_ms + PERMIT_MS));
    Ok(ErasePrepared {
        token,
        conversations: counts.conversations,
        messages: counts.messages,
        contacts: counts.contacts,
        erase_at_ms: now_ms + GRACE_MS,
    })
}

fn take_permit(profile: &Profile, account: AccountId, token: &str, now_ms: i64) -> bool {
    use subtle::ConstantTimeEq;
    let mut inner = profile.accounts.lock();
    let before = inner.permits.len();
    inner.permits.retain(|(other, known, until)| {
        !(*other == account
            && *until > now_ms
            && bool::from(known.as_bytes().ct_eq(token.as_bytes())))
    });
    inner.permits.len() < before
}

/// Disconnects; with a permit the data goes after [`GRACE_MS`].
///
/// # Errors
/// [`DisconnectError`]; nothing was changed here then.
pub async fn disconnect(
    profile: &Profile,
    account: AccountId,
    erase_token: Option<&str>,
) -> Result<(), DisconnectError> {
    let now_ms = profile.now_ms();
    let row = {
        let mut read = profile.store.read().await?;
        rows::load(&mut read, account)
            .await?
            .ok_or(DisconnectError::NotFound)?
    };
    if let Some(token) = erase_token
        && !take_permit(profile, account, token, now_ms)
    {
        return Err(DisconnectError::NotConfirmed);
    }
    let erase_at_ms = erase_token.map(|_| now_ms + GRACE_MS);
    let connected = row.state != "disconnected";
    let unbound = if connected {
        tokio::select! {
            unbound = say_goodbye(profile, &row) => unbound,
            () = profile.parts.clock.sleep(GOODBYE) => false,
        }
    } else {
        true
    };
    let mut tx = profile.store.write(Priority::Owner).await?;
    if connected {
        leave(&mut tx, &row, unbound, now_ms).await?;
    }
    if let Some(at) = erase_at_ms {
        let id = account.0;
        sqlx::query!("UPDATE accounts SET erase_at_ms = ? WHERE id = ?", at, id)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        jobs::schedule(
            &mut tx,
            &format!("erase:{account}"),
            at,
            &json!({ "account": id }),
        )
        .await?;
    }
    tx.tell(Change::Accounts);
    tx.commit().await?;
    for credential in [row.credential, row.parent].into_iter().flatten() {
        tokens::drop_cached(profile, credential);
    }
    profile.accounts.lock().calm.remove(&account);
    Ok(())
}

/// Events off, binding off. True when the relay need not be asked again.
async fn say_goodbye(profile: &Profile, row: &rows::AccountRow) -> bool {
    if let Ok(access) = rows::with_token(profile, row).await {
        // A Page and its Instagram account share one subscription: it goes with the last of them.
        if !shares_subscription(profile, row).await
            && let Err(error) = profile.graph.unsubscribe(&access).await
        {
            tracing::info!(account = row.id.0, %error, "events could not be switched off");
        }
    }
    match profile
        .relay
        .unbind(&profile.vault, kind(row.channel), &row.platform_id)
        .await
    {
        Ok(()) => true,
        Err(error) => !error.passes(),
    }
}

fn kind(channel: Channel) -> AccountKind {
    match channel {
        Channel::Messenger => AccountKind::Page,
        Channel::Instagram => AccountKind::Instagram,
    }
}

async fn shares_subscription(profile: &Profile, row: &rows::AccountRow) -> bool {
    let id = row.id.0;
    let page = row.page_id.as_ref().unwrap_or(&row.platform_id);
    let Ok(mut read) = profile.store.read().await else {
        return false;
    };
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!: i64" FROM accounts
           WHERE id <> ?1 AND state <> 'disconnected' AND provider = 'facebook' AND (page_id = ?2 OR platform_id = ?2)"#,
        id,
        page
    )
    .fetch_one(&mut *read)
    .await
    .is_ok_and(|n| n > 0)
}

/// The database's part: state, tokens nobody uses any more, jobs.
async fn leave(
    tx: &mut WriteTx<'_>,
    row: &rows::AccountRow,
    unbound: bool,
    now_ms: i64,
) -> Result<(), StoreError> {
    let id = row.id.0;
    state::set(tx, row.id, AccountState::Disconnected, None, now_ms).await?;
    sqlx::query!("UPDATE accounts SET subscribed_fields = '[]', subscribed_at_ms = NULL, credential_id = NULL WHERE id = ?", id)
        .execute(&mut **tx)
        .await?;
    if let Some(credential) = row.credential
        && unused(tx, credential).await?
    {
        tokens::forget(tx, credential, now_ms).await?;
        events::record(
            tx,
            Some(credential),
            Some(row.id),
            events::TokenStory::Forgotten,
            None,
            now_ms,
        )
        .await?;
    }
    if let Some(user) = row.parent
        && childless(tx, user).await?
    {
        tokens::forget(tx, user, now_ms).await?;
    }
    checks::cancel(tx, row.id).await?;
    if !unbound {
        let payload = json!({ "kind": kind(row.channel).as_str(), "platform_id": row.platform_id });
        jobs::schedule(tx, &format!("unbind:{}", row.id), now_ms, &payload).await?;
    }
    Ok(())
}

async fn unused(tx: &mut WriteTx<'_>, credential: CredentialId) -> Result<bool, StoreError> {
    let id = credential.0;
    let n = sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!: i64" FROM accounts WHERE credential_id = ?"#,
        id
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(n == 0)
}

/// No account uses a Page token that came with this user token.
async fn childless(tx: &mut WriteTx<'_>, user: CredentialId) -> Result<bool, StoreError> {
    let id = user.0;
    let n = sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!: i64" FROM accounts a JOIN credentials c ON c.id = a.credential_id WHERE c.parent_id = ?"#,
        id
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(n == 0)
}

/// Calls an erasure off.
///
/// # Errors
/// [`DisconnectError::TooLate`] once it has begun.
pub async fn undo_erase(profile: &Profile, account: AccountId) -> Result<(), DisconnectError> {
    let (id, now_ms) = (account.0, profile.now_ms());
    let mut tx = profile.store.write(Priority::Owner).await?;
    let row = rows::load(&mut tx, account)
        .await?
        .ok_or(DisconnectError::NotFound)?;
    if row.erase_at_ms.is_some_and(|at| at <= now_ms) {
        return Err(DisconnectError::TooLate);
    }
    sqlx::query!("UPDATE accounts SET erase_at_ms = NULL WHERE id = ?", id)
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
    jobs::cancel(&mut tx, &format!("erase:{account}")).await?;
    tx.tell(Change::Accounts);
    tx.commit().await?;
    Ok(())
}

/// Job `unbind:{account}`: the relay was not there when the account was disconnected.
pub(crate) async fn unbind(profile: &Profile, payload: &str) -> JobOutcome {
    #[derive(serde::Deserialize)]
    struct Payload {
        kind: String,
        platform_id: String,
    }
    let Ok(Payload { kind, platform_id }) = serde_json::from_str(payload) else {
        return JobOutcome::Done;
    };
    let Some(kind) = AccountKind::parse(&kind) else {
        return JobOutcome::Done;
    };
    match profile
        .relay
        .unbind(&profile.vault, kind, &platform_id)
        .await
    {
        Err(error) if error.passes() => JobOutcome::Failed,
        _ => JobOutcome::Done,
    }
}
