//! Tokens at rest: sealed in the database in the transaction that got them, mirrored to the keychain by a job, forgotten everywhere.
//!
//! Every token of a credential has a generation. Readers take the newest there is; whichever step a crash falls between, the newest
//! is in the database or in the keychain (decision C6).

use super::events::{self, TokenStory};
use crate::{
    Profile,
    accounts::AccessError,
    domain::CredentialId,
    jobs::{self, JobOutcome},
    store::{Priority, StoreError, WriteTx},
    vault::Vault,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shopbell_wire::Secret;
use zeroize::Zeroizing;

const PURPOSE: &str = "token";

/// A token with what belongs to it. Prints nothing.
#[derive(Clone)]
pub(super) struct Token {
    pub token: Secret,
    pub proof: Option<Secret>,
    pub generation: i64,
}

#[derive(Serialize, Deserialize)]
struct Plain {
    token: Secret,
    proof: Option<Secret>,
}

/// Binds the sealed token to profile, credential and generation: an old one cannot be passed off as a newer one.
fn aad(vault: &Vault, credential: CredentialId, generation: i64) -> Vec<u8> {
    format!("{}\0{credential}\0{generation}", vault.profile_id()).into_bytes()
}

fn entry(credential: CredentialId) -> String {
    format!("token-{credential}")
}

/// Puts a new token in: the newest generation from the commit on.
pub(super) async fn store(
    tx: &mut WriteTx<'_>,
    vault: &Vault,
    credential: CredentialId,
    token: &Secret,
    proof: Option<&Secret>,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let id = credential.0;
    let generation = sqlx::query_scalar!(
        r#"UPDATE credentials SET generation = generation + 1, state = 'working', updated_at_ms = ? WHERE id = ?
           RETURNING generation AS "generation!: i64""#,
        now_ms,
        id
    )
    .fetch_one(&mut **tx)
    .await?;
    let plain = Plain {
        token: token.clone(),
        proof: proof.cloned(),
    };
    // Two texts always serialise.
    let plain = Zeroizing::new(serde_json::to_vec(&plain).unwrap_or_default());
    let sealed = vault.seal(PURPOSE, &aad(vault, credential, generation), &plain);
    sqlx::query!(
        "INSERT INTO pending_secrets (credential_id, generation, sealed, created_at_ms) VALUES (?, ?, ?, ?)",
        id,
        generation,
        sealed,
        now_ms
    )
    .execute(&mut **tx)
    .await?;
    schedule_mirror(tx, credential, generation, now_ms).await?;
    Ok(generation)
}

/// Forgets the token: no reader finds it from the commit on, the keychain's copy goes with the job.
pub(super) async fn forget(
    tx: &mut WriteTx<'_>,
    credential: CredentialId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let id = credential.0;
    let generation = sqlx::query_scalar!(
        r#"UPDATE credentials SET generation = generation + 1, state = 'none', expires_at_ms = NULL, expiry = 'unknown',
             data_access_expires_at_ms = NULL, updated_at_ms = ? WHERE id = ? RETURNING generation AS "generation!: i64""#,
        now_ms,
        id
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(generation) = generation else {
        return Ok(());
    };
    sqlx::query!("DELETE FROM pending_secrets WHERE credential_id = ?", id)
        .execute(&mut **tx)
        .await?;
    events::record(
        tx,
        Some(credential),
        None,
        TokenStory::Forgotten,
        None,
        now_ms,
    )
    .await?;
    schedule_mirror(tx, credential, generation, now_ms).await
}

async fn schedule_mirror(
    tx: &mut WriteTx<'_>,
    credential: CredentialId,
    generation: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let name = format!("mirror-secret:{credential}:{generation}");
    let payload = json!({ "credential": credential.0, "generation": generation });
    jobs::schedule(tx, &name, now_ms, &payload).await
}

/// The newest token; `None` when there is none any more.
pub(super) async fn load(
    profile: &Profile,
    credential: CredentialId,
) -> Result<Option<Token>, AccessError> {
    let id = credential.0;
    let row = {
        let mut read = profile.store.read().await?;
        sqlx::query!(
            r#"SELECT c.generation, c.state, p.sealed AS "sealed?: Vec<u8>" FROM credentials c
               LEFT JOIN pending_secrets p ON p.credential_id = c.id AND p.generation = c.generation WHERE c.id = ?"#,
            id
        )
        .fetch_optional(&mut *read)
        .await
        .map_err(StoreError::from)?
    };
    let Some(row) = row.filter(|row| row.state != "none") else {
        return Ok(None);
    };
    if let Some(known) = profile.accounts.lock().tokens.get(&credential)
        && known.generation >= row.generation
    {
        return Ok(Some(known.clone()));
    }
    let found = match row.sealed {
        Some(sealed) => opened(&profile.vault, credential, row.generation, &sealed),
        None => from_keychain(profile, credential, row.generation).await?,
    };
    if let Some(token) = &found {
        profile
            .accounts
            .lock()
            .tokens
            .insert(credential, token.clone());
    } else {
        tracing::warn!(
            credential = credential.0,
            "no token of the newest generation"
        );
    }
    Ok(found)
}

async fn from_keychain(
    profile: &Profile,
    credential: CredentialId,
    least: i64,
) -> Result<Option<Token>, AccessError> {
    let bytes = profile
        .vault
        .get_secret(&entry(credential))
        .await
        .map_err(|error| {
            tracing::warn!(credential = credential.0, %error, "the keychain does not give a token");
            AccessError::Locked
        })?;
    let Some((generation, sealed)) = bytes.as_deref().and_then(|bytes| split(bytes)) else {
        return Ok(None);
    };
    // An older one was replaced or forgotten: it must not come back.
    Ok(if generation >= least {
        opened(&profile.vault, credential, generation, sealed)
    } else {
        None
    })
}

fn split(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (head, sealed) = bytes.split_first_chunk::<8>()?;
    Some((i64::from_be_bytes(*head), sealed))
}

fn opened(
    vault: &Vault,
    credential: CredentialId,
    generation: i64,
    sealed: &[u8],
) -> Option<Token> {
    let plain = vault
        .open(PURPOSE, &aad(vault, credential, generation), sealed)
        .ok()?;
    let Plain { token, proof } = serde_json::from_slice(&plain).ok()?;
    Some(Token {
        token,
        proof,
        generation,
    })
}

#[derive(Deserialize)]
struct Payload {
    credential: i64,
    generation: i64,
}

/// Job `mirror-secret:{credential}:{generation}`: brings the keychain to the state of the database.
pub(crate) async fn mirror(profile: &Profile, payload: &str) -> JobOutcome {
    let Ok(Payload {
        credential,
        generation,
    }) = serde_json::from_str(payload)
    else {
        return JobOutcome::Done;
    };
    match bring(profile, CredentialId(credential), generation).await {
        Ok(()) => JobOutcome::Done,
        Err(_) => JobOutcome::Failed,
    }
}

async fn bring(
    profile: &Profile,
    credential: CredentialId,
    generation: i64,
) -> Result<(), AccessError> {
    let id = credential.0;
    let row = {
        let mut read = profile.store.read().await?;
        sqlx::query!(
            r#"SELECT c.generation, c.state, p.sealed AS "sealed?: Vec<u8>" FROM credentials c
               LEFT JOIN pending_secrets p ON p.credential_id = c.id AND p.generation = c.generation WHERE c.id = ?"#,
            id
        )
        .fetch_optional(&mut *read)
        .await
        .map_err(StoreError::from)?
    };
    let locked = |error: crate::vault::VaultError| {
        tracing::warn!(credential = credential.0, %error, "the keychain does not take a token");
        AccessError::Locked
    };
    match row {
        // A newer token has a job of its own.
        Some(row) if row.generation > generation => return Ok(()),
        Some(row) if row.state != "none" => {
            let Some(sealed) = row.sealed else {
                return Ok(());
            };
            let mut value = row.generation.to_be_bytes().to_vec();
            value.extend_from_slice(&sealed);
            profile
                .vault
                .put_secret(&entry(credential), &value)
                .await
                .map_err(locked)?;
            // Read back before the copy in the database goes: some keychains accept and keep nothing.
            let kept = profile
                .vault
                .get_secret(&entry(credential))
                .await
                .map_err(locked)?;
            if kept.as_deref().map(|bytes| bytes.as_slice()) != Some(value.as_slice()) {
                return Err(AccessError::Locked);
            }
        }
        _ => profile
            .vault
            .delete_secret(&entry(credential))
            .await
            .map_err(locked)?,
    }
    let mut tx = profile.store.write(Priority::Background).await?;
    sqlx::query!(
        "DELETE FROM pending_secrets WHERE credential_id = ? AND generation <= ?",
        id,
        generation
    )
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    tx.commit().await?;
    Ok(())
}

/// Drops what is in memory of a forgotten token. After the commit of [`forget`].
pub(super) fn drop_cached(profile: &Profile, credential: CredentialId) {
    profile.accounts.lock().tokens.remove(&credential);
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
