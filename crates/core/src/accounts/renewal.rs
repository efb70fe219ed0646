//! New tokens for old: rows of credentials, what their expiry means, and the three ways to a fresh token (decision T2).

use super::{
    Access, AccessError,
    events::{self, TokenStory},
    report, tokens,
};
use crate::{
    Profile,
    api::types::Reason,
    domain::{AccountId, CredentialId, Provider},
    platform::GraphError,
    relay_client::RelayError,
    store::{Priority, StoreError, WriteTx},
};
use shopbell_wire::{AccountKind, Grant, Secret};

/// A "long-lived" token that lives shorter than this is none (decision B32).
const LONG_LIVED_MS: i64 = 50 * 24 * 3_600_000;

/// A token as it came.
pub(super) struct Fresh<'a> {
    pub token: &'a Secret,
    pub proof: Option<&'a Secret>,
    pub expires_at_ms: Option<i64>,
    pub data_access_expires_at_ms: Option<i64>,
}

/// Whose token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    FacebookUser,
    Page,
    InstagramUser,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::FacebookUser => "facebook_user",
            Self::Page => "page",
            Self::InstagramUser => "instagram_user",
        }
    }
}

/// The row of a credential, made when there is none.
pub(super) async fn credential(
    tx: &mut WriteTx<'_>,
    kind: Kind,
    subject: &str,
    parent: Option<CredentialId>,
    now_ms: i64,
) -> Result<CredentialId, StoreError> {
    let (word, parent) = (kind.as_str(), parent.map(|p| p.0));
    let id = sqlx::query_scalar!(
        r#"INSERT INTO credentials (kind, subject_id, parent_id, created_at_ms, updated_at_ms) VALUES (?1, ?2, ?3, ?4, ?4)
           ON CONFLICT (kind, subject_id) DO UPDATE SET parent_id = coalesce(?3, parent_id), updated_at_ms = ?4
           RETURNING id AS "id!: i64""#,
        word,
        subject,
        parent,
        now_ms
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(CredentialId(id))
}

/// Stores a token with its dates. True when it is flagged as too short.
pub(super) async fn put(
    tx: &mut WriteTx<'_>,
    profile: &Profile,
    credential: CredentialId,
    kind: Kind,
    fresh: &Fresh<'_>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    tokens::store(
        tx,
        &profile.vault,
        credential,
        fresh.token,
        fresh.proof,
        now_ms,
    )
    .await?;
    let (id, expires) = (credential.0, fresh.expires_at_ms);
    let expiry = match (expires, kind) {
        (Some(_), _) => "dated",
        // A Page token of a long-lived user token has no date (facts sheet §2.2); it may still die any day.
        (None, Kind::Page) => "none",
        (None, _) => "unknown",
    };
    let short = kind != Kind::Page && expires.is_some_and(|at| at - now_ms < LONG_LIVED_MS);
    let state = if short { "short" } else { "working" };
    sqlx::query!(
        "UPDATE credentials SET expires_at_ms = ?, expiry = ?, state = ?, checked_at_ms = ?,
           data_access_expires_at_ms = coalesce(?, data_access_expires_at_ms) WHERE id = ?",
        expires,
        expiry,
        state,
        now_ms,
        fresh.data_access_expires_at_ms,
        id
    )
    .execute(&mut **tx)
    .await?;
    if short {
        let reason = Reason::new("token_short").with("at_ms", expires.unwrap_or_default());
        events::record(
            tx,
            Some(credential),
            None,
            TokenStory::FlaggedShort,
            Some(&reason),
            now_ms,
        )
        .await?;
    }
    Ok(short)
}

/// Why no fresh token came.
#[derive(Debug)]
pub(super) enum RenewError {
    /// The token that should have brought it is dead too, or does not reach the account any more.
    Dead(Reason),
    /// Nobody to ask at the moment.
    Later {
        after_ms: i64,
    },
    Store(StoreError),
}

impl From<StoreError> for RenewError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<AccessError> for RenewError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Store(error) => Self::Store(error),
            AccessError::Locked => Self::Later { after_ms: LATER_MS },
            other => Self::Dead(other.reason()),
        }
    }
}

impl From<GraphError> for RenewError {
    fn from(error: GraphError) -> Self {
        match error.retry_after_ms() {
            Some(after_ms) => Self::Later { after_ms },
            None => Self::Dead(error.reason()),
        }
    }
}

impl From<RelayError> for RenewError {
    fn from(error: RelayError) -> Self {
        if error.passes() {
            Self::Later { after_ms: LATER_MS }
        } else {
            Self::Dead(error.reason())
        }
    }
}

const LATER_MS: i64 = 60_000;

/// Fresh Page tokens with a living user token; answers the Pages it brought.
pub(super) async fn pages(
    profile: &Profile,
    user: CredentialId,
) -> Result<Vec<String>, RenewError> {
    let dead = || RenewError::Dead(Reason::new("token_missing"));
    let user_token = tokens::load(profile, user).await?.ok_or_else(dead)?;
    let found = profile
        .graph
        .page_tokens(&user_token.token, user_token.proof.as_ref())
        .await?;
    let found: Vec<(String, Secret)> = found
        .into_iter()
        .filter_map(|page| Some((page.id?, page.access_token?)))
        .collect();
    let strings: Vec<Secret> = found.iter().map(|(_, token)| token.clone()).collect();
    let proofs = profile
        .relay
        .proofs(&profile.vault, Provider::Facebook, &strings)
        .await?;
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    for ((page, token), proof) in found.iter().zip(&proofs) {
        let fresh = Fresh {
            token,
            proof: proof.as_ref(),
            expires_at_ms: None,
            data_access_expires_at_ms: None,
        };
        replace(&mut tx, profile, Kind::Page, page, &fresh, now_ms).await?;
    }
    tx.commit().await?;
    Ok(found.into_iter().map(|(page, _)| page).collect())
}

/// Exchanges a living user token at the relay; brings its Page tokens as well.
pub(super) async fn user(profile: &Profile, user: CredentialId) -> Result<Grant, RenewError> {
    let dead = || RenewError::Dead(Reason::new("token_missing"));
    let token = tokens::load(profile, user).await?.ok_or_else(dead)?;
    let grant = profile.relay.refresh(&profile.vault, &token.token).await?;
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    if let Some(fresh) = &grant.user_token {
        let fresh = Fresh {
            token: &fresh.token,
            proof: fresh.appsecret_proof.as_ref(),
            expires_at_ms: fresh.expires_at_ms,
            data_access_expires_at_ms: fresh.data_access_expires_at_ms,
        };
        replace(
            &mut tx,
            profile,
            Kind::FacebookUser,
            &grant.user.id,
            &fresh,
            now_ms,
        )
        .await?;
    }
    for page in grant
        .accounts
        .iter()
        .filter(|account| account.kind == AccountKind::Page)
    {
        let fresh = Fresh {
            token: &page.token,
            proof: page.appsecret_proof.as_ref(),
            expires_at_ms: page.expires_at_ms,
            data_access_expires_at_ms: None,
        };
        replace(
            &mut tx,
            profile,
            Kind::Page,
            &page.platform_id,
            &fresh,
            now_ms,
        )
        .await?;
    }
    // Not later than before is "reconnect soon", not a success (decision T2).
    if grant.renewal.is_some_and(|renewal| !renewal.extended) {
        let reason = Reason::new("not_extended");
        events::record(
            &mut tx,
            Some(user),
            None,
            TokenStory::RefreshFailed,
            Some(&reason),
            now_ms,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(grant)
}

/// Renews an Instagram token at Instagram itself; the proof comes from the relay.
pub(super) async fn instagram(profile: &Profile, access: &Access) -> Result<(), RenewError> {
    let renewed = profile.graph.renew_instagram(access).await?;
    let strings = [renewed.access_token.clone()];
    let proof = profile
        .relay
        .proofs(&profile.vault, Provider::Instagram, &strings)
        .await;
    // The new token counts from now on, proof or not: Meta may have ended the old one.
    let proof = proof
        .ok()
        .and_then(|proofs| proofs.into_iter().next().flatten());
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    let fresh = Fresh {
        token: &renewed.access_token,
        proof: proof.as_ref(),
        expires_at_ms: renewed
            .expires_in
            .filter(|s| *s > 0)
            .map(|s| now_ms.saturating_add(s.saturating_mul(1_000))),
        data_access_expires_at_ms: None,
    };
    put(
        &mut tx,
        profile,
        access.credential,
        Kind::InstagramUser,
        &fresh,
        now_ms,
    )
    .await?;
    events::record(
        &mut tx,
        Some(access.credential),
        Some(access.account),
        TokenStory::Refreshed,
        None,
        now_ms,
    )
    .await?;
    report::rest(&mut tx, access.account, now_ms).await?;
    tx.commit().await?;
    Ok(())
}

/// Replaces the token of a credential that exists; other people's Pages are no business of ours.
async fn replace(
    tx: &mut WriteTx<'_>,
    profile: &Profile,
    kind: Kind,
    subject: &str,
    fresh: &Fresh<'_>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let word = kind.as_str();
    let id = sqlx::query_scalar!(
        "SELECT id FROM credentials WHERE kind = ? AND subject_id = ? AND state <> 'none'",
        word,
        subject
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(credential) = id.map(CredentialId) else {
        return Ok(());
    };
    put(tx, profile, credential, kind, fresh, now_ms).await?;
    events::record(
        tx,
        Some(credential),
        None,
        TokenStory::Refreshed,
        None,
        now_ms,
    )
    .await?;
    for account in of_credential(tx, credential).await? {
        report::rest(tx, account, now_ms).await?;
    }
    Ok(())
}

/// Accounts that use a credential and are not disconnected.
pub(super) async fn of_credential(
    tx: &mut WriteTx<'_>,
    credential: CredentialId,
) -> Result<Vec<AccountId>, StoreError> {
    let id = credential.0;
    let ids = sqlx::query_scalar!(
        "SELECT id FROM accounts WHERE credential_id = ? AND state <> 'disconnected'",
        id
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(AccountId).collect())
}
