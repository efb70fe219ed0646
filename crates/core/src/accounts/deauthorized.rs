//! The owner removed the app at Meta (decision C1): tokens are forgotten, the accounts say "signed out by Meta", nothing is erased.

use super::{
    events::{self, TokenStory},
    renewal, rows, state, tokens,
};
use crate::{
    Profile,
    api::types::{AccountState, Reason},
    domain::{AccountId, CredentialId, Provider},
    store::{StoreError, WriteTx},
};
use shopbell_wire::OwnerNotice;

/// Says that Meta, and nobody here, signed an account out.
pub(super) const BY_META: &str = "signed_out_by_meta";

/// Credentials whose tokens were forgotten in a transaction.
#[derive(Debug, Default)]
pub(crate) struct SignedOut(Vec<CredentialId>);

impl SignedOut {
    /// Both.
    pub(crate) fn add(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Forgets them in memory too. After the commit.
    pub(crate) fn forget(&self, profile: &Profile) {
        for credential in &self.0 {
            tokens::drop_cached(profile, *credential);
        }
    }
}

/// Signs out what came through this user. The inner error is why the notice means nothing here.
pub(crate) async fn deauthorized(
    tx: &mut WriteTx<'_>,
    profile: &Profile,
    notice: &OwnerNotice,
    received_ms: i64,
    now_ms: i64,
) -> Result<Result<SignedOut, &'static str>, StoreError> {
    let credentials = credentials(tx, provider(notice.provider), &notice.user_id).await?;
    if credentials.is_empty() {
        return Ok(Err("unknown_user"));
    }
    let living: Vec<_> = credentials.iter().filter(|found| found.living).collect();
    if living.is_empty() {
        return Ok(Err("signed_out_already"));
    }
    // It may have waited at the relay while the owner connected again: that sign-in is not meant.
    let offset_ms = profile.graph.clock_offset_ms().unwrap_or(0);
    // Meta dates by whole seconds.
    let said_at_ms = notice.issued_at_ms.unwrap_or(received_ms);
    let later = |found: &&Found| (found.since_ms + offset_ms) / 1_000 > said_at_ms / 1_000;
    if living.iter().any(|found| found.working && later(found)) {
        return Ok(Err("signed_in_since"));
    }
    let reason = Reason::new(BY_META);
    let mut signed_out = SignedOut::default();
    for credential in living.into_iter().map(|found| found.id) {
        tokens::forget(tx, credential, now_ms).await?;
        signed_out.0.push(credential);
        for account in renewal::of_credential(tx, credential).await? {
            events::record(
                tx,
                Some(credential),
                Some(account),
                TokenStory::Revoked,
                Some(&reason),
                now_ms,
            )
            .await?;
            let paused = rows::load(tx, account).await?.is_some_and(|row| row.paused);
            if !paused {
                state::set(
                    tx,
                    account,
                    AccountState::ReconnectNow,
                    Some(&reason),
                    now_ms,
                )
                .await?;
            }
            profile.accounts.lock().calm.remove(&account);
        }
    }
    Ok(Ok(signed_out))
}

/// Accounts that came through a user and are not disconnected.
pub(crate) async fn of_user(
    tx: &mut WriteTx<'_>,
    provider: Provider,
    user_id: &str,
) -> Result<Vec<AccountId>, StoreError> {
    let mut accounts = Vec::new();
    for credential in credentials(tx, provider, user_id).await? {
        accounts.extend(renewal::of_credential(tx, credential.id).await?);
    }
    accounts.sort_unstable();
    Ok(accounts)
}

struct Found {
    id: CredentialId,
    /// There is a token.
    living: bool,
    /// As far as we know it works.
    working: bool,
    since_ms: i64,
}

/// A user's own credential with the Page tokens that came with it, or the one of an Instagram login.
async fn credentials(
    tx: &mut WriteTx<'_>,
    provider: Provider,
    user_id: &str,
) -> Result<Vec<Found>, StoreError> {
    let facebook = provider == Provider::Facebook;
    let rows = sqlx::query!(
        r#"SELECT id AS "id!: i64", state, updated_at_ms FROM credentials
           WHERE (?1 AND kind = 'facebook_user' AND subject_id = ?2)
              OR (?1 AND parent_id IN (SELECT id FROM credentials WHERE kind = 'facebook_user' AND subject_id = ?2))
              OR (NOT ?1 AND kind = 'instagram_user' AND app_user_id = ?2)
           ORDER BY id"#,
        facebook,
        user_id
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Found {
            id: CredentialId(row.id),
            living: row.state != "none",
            working: matches!(row.state.as_str(), "working" | "short"),
            since_ms: row.updated_at_ms,
        })
        .collect())
}

/// The wire's word.
pub(crate) fn provider(provider: shopbell_wire::Provider) -> Provider {
    match provider {
        shopbell_wire::Provider::Facebook => Provider::Facebook,
        shopbell_wire::Provider::Instagram => Provider::Instagram,
    }
}
