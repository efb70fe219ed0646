//! Meta passes on that the owner wants their data deleted (decision C1): the owner is asked, for thirty days; without an answer the data
//! is kept. What happened is told to the relay's status page.
//!
//! Invariant: nothing is deleted by a request from outside. "Erase" is the owner's own disconnect-and-erase of each account, with its
//! one-time permits and its grace time; "erased" is said only when the accounts are gone.

use crate::{
    Profile,
    accounts::{
        self,
        disconnect::{self, DisconnectError, GRACE_MS},
    },
    api::types::{Change, DeletionAnswer, DeletionRequest, DeletionState},
    domain::{AccountId, Provider},
    ingest::rows::encode,
    jobs::{self, JobOutcome},
    relay_client::RelayError,
    store::{Priority, StoreError, WriteTx},
};
use serde_json::json;
use shopbell_wire::{DeletionOutcome, OwnerNotice};

/// Time for an answer.
const ASKED_MS: i64 = 30 * 24 * 3_600_000;
/// An erasure under way is looked at again after this.
const LOOK_MS: i64 = 60_000;

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// No such request.
    #[error("there is no such request")]
    NotFound,
    /// It was answered.
    #[error("the request was answered")]
    Answered,
    /// A permit is missing or an erasure has begun.
    #[error(transparent)]
    Erase(#[from] DisconnectError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Notes a request and asks the owner.
pub(super) async fn asked(
    tx: &mut WriteTx<'_>,
    notice: &OwnerNotice,
    received_ms: i64,
) -> Result<(), StoreError> {
    let provider = accounts::provider(notice.provider);
    let of_user = encode(&accounts::of_user(tx, provider, &notice.user_id).await?);
    let due_at_ms = received_ms + ASKED_MS;
    let provider = provider.as_str();
    let id = sqlx::query_scalar!(
        r#"INSERT INTO deletion_requests (code, provider, user_id, accounts, asked_at_ms, due_at_ms) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (code) DO NOTHING RETURNING id AS "id!: i64""#,
        notice.code,
        provider,
        notice.user_id,
        of_user,
        received_ms,
        due_at_ms
    )
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(id) = id {
        schedule(tx, id, due_at_ms).await?;
        tx.tell(Change::Relay);
    }
    Ok(())
}

async fn schedule(tx: &mut WriteTx<'_>, id: i64, due_at_ms: i64) -> Result<(), StoreError> {
    jobs::schedule(
        tx,
        &format!("deletion:{id}"),
        due_at_ms,
        &json!({ "id": id }),
    )
    .await
}

struct Row {
    state: DeletionState,
    accounts: Vec<i64>,
    code: Option<String>,
    due_at_ms: i64,
    reported: bool,
}

async fn load(connection: &mut sqlx::SqliteConnection, id: i64) -> Result<Option<Row>, StoreError> {
    let row = sqlx::query!(
        "SELECT state, accounts, code, due_at_ms, reported_at_ms FROM deletion_requests WHERE id = ?",
        id
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        Some(Row {
            state: DeletionState::parse(&row.state)?,
            accounts: serde_json::from_str(&row.accounts).unwrap_or_default(),
            code: row.code,
            due_at_ms: row.due_at_ms,
            reported: row.reported_at_ms.is_some(),
        })
    }))
}

/// Requests that wait for the owner or for an erasure, oldest first.
///
/// # Errors
/// What the database says.
pub(crate) async fn open(profile: &Profile) -> Result<Vec<DeletionRequest>, StoreError> {
    let mut read = profile.store.read().await?;
    let rows = sqlx::query!(
        "SELECT id, provider, accounts, asked_at_ms, due_at_ms, state FROM deletion_requests WHERE state IN ('asked', 'erasing') ORDER BY id"
    )
    .fetch_all(&mut *read)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(DeletionRequest {
                id: row.id,
                provider: Provider::parse(&row.provider)?,
                account_ids: serde_json::from_str(&row.accounts).unwrap_or_default(),
                asked_at_ms: row.asked_at_ms,
                due_at_ms: row.due_at_ms,
                state: DeletionState::parse(&row.state)?,
            })
        })
        .collect())
}

/// The owner's answer.
///
/// # Errors
/// [`AnswerError`]; accounts whose permit was good are being erased then, the request is still open.
pub async fn answer(profile: &Profile, answer: &DeletionAnswer) -> Result<(), AnswerError> {
    let row = {
        let mut read = profile.store.read().await?;
        load(&mut read, answer.id)
            .await?
            .ok_or(AnswerError::NotFound)?
    };
    if row.state != DeletionState::Asked {
        return Err(AnswerError::Answered);
    }
    if answer.erase {
        for account in still_here(profile, &row.accounts).await? {
            if account.erase_at_ms.is_some() {
                continue;
            }
            let permit = answer
                .permits
                .iter()
                .find(|permit| permit.id == account.id)
                .and_then(|permit| permit.erase_token.as_deref())
                .ok_or(DisconnectError::NotConfirmed)?;
            disconnect::disconnect(profile, AccountId(account.id), Some(permit)).await?;
        }
    }
    let (state, due_at_ms) = if answer.erase {
        (DeletionState::Erasing, profile.now_ms() + GRACE_MS)
    } else {
        (DeletionState::Kept, profile.now_ms())
    };
    let mut tx = profile.store.write(Priority::Owner).await?;
    let now = load(&mut tx, answer.id).await?;
    if now.is_none_or(|now| now.state != DeletionState::Asked) {
        return Err(AnswerError::Answered);
    }
    put(&mut tx, answer.id, state).await?;
    let due_at_ms = if row.accounts.is_empty() {
        profile.now_ms()
    } else {
        due_at_ms
    };
    schedule(&mut tx, answer.id, due_at_ms).await?;
    tx.commit().await?;
    Ok(())
}

async fn put(tx: &mut WriteTx<'_>, id: i64, state: DeletionState) -> Result<(), StoreError> {
    let state = state.as_str();
    sqlx::query!(
        "UPDATE deletion_requests SET state = ? WHERE id = ?",
        state,
        id
    )
    .execute(&mut **tx)
    .await?;
    tx.tell(Change::Relay);
    Ok(())
}

struct Account {
    id: i64,
    erase_at_ms: Option<i64>,
}

async fn still_here(profile: &Profile, accounts: &[i64]) -> Result<Vec<Account>, StoreError> {
    let accounts = encode(accounts);
    let mut read = profile.store.read().await?;
    let rows = sqlx::query_as!(
        Account,
        r#"SELECT id AS "id!: i64", erase_at_ms FROM accounts WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"#,
        accounts
    )
    .fetch_all(&mut *read)
    .await?;
    Ok(rows)
}

/// Job `deletion:{id}`: nobody answered, an erasure ended, or the relay has to be told.
pub(crate) async fn due(profile: &Profile, payload: &str) -> JobOutcome {
    #[derive(serde::Deserialize)]
    struct Payload {
        id: i64,
    }
    let Ok(Payload { id }) = serde_json::from_str(payload) else {
        return JobOutcome::Done;
    };
    match step(profile, id).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::warn!(target: "shopbell::events", %error, "a deletion request could not be looked at");
            JobOutcome::Failed
        }
    }
}

async fn step(profile: &Profile, id: i64) -> Result<JobOutcome, StoreError> {
    let now_ms = profile.now_ms();
    let row = {
        let mut read = profile.store.read().await?;
        load(&mut read, id).await?
    };
    let Some(row) = row else {
        return Ok(JobOutcome::Done);
    };
    let state = match row.state {
        DeletionState::Asked if row.due_at_ms > now_ms => {
            return Ok(JobOutcome::Again {
                due_at_ms: row.due_at_ms,
            });
        }
        DeletionState::Asked => DeletionState::Kept,
        DeletionState::Erasing => {
            let here = still_here(profile, &row.accounts).await?;
            if here.is_empty() {
                DeletionState::Erased
            } else if let Some(at) = here
                .iter()
                .map(|account| account.erase_at_ms)
                .min()
                .flatten()
            {
                let due_at_ms = at.max(now_ms) + LOOK_MS;
                return Ok(JobOutcome::Again { due_at_ms });
            } else {
                // The owner called an erasure off: asked again, and kept if that was long ago.
                let mut tx = profile.store.write(Priority::Background).await?;
                put(&mut tx, id, DeletionState::Asked).await?;
                tx.commit().await?;
                let due_at_ms = row.due_at_ms.max(now_ms + ASKED_MS / 30);
                return Ok(JobOutcome::Again { due_at_ms });
            }
        }
        answered => answered,
    };
    if state != row.state {
        let mut tx = profile.store.write(Priority::Background).await?;
        put(&mut tx, id, state).await?;
        tx.commit().await?;
    }
    report(profile, id, &row, state).await
}

async fn report(
    profile: &Profile,
    id: i64,
    row: &Row,
    state: DeletionState,
) -> Result<JobOutcome, StoreError> {
    if row.reported {
        return Ok(JobOutcome::Done);
    }
    if let Some(code) = &row.code {
        let outcome = match state {
            DeletionState::Erased => DeletionOutcome::Erased,
            _ => DeletionOutcome::Kept,
        };
        match profile
            .relay
            .report_deletion(&profile.vault, code, outcome)
            .await
        {
            Ok(()) => {}
            Err(error) if error.passes() => return Ok(JobOutcome::Failed),
            // It knows no such code any more: there is no page left to tell.
            Err(RelayError::Refused { refusal, .. }) => {
                tracing::info!(target: "shopbell::events", refusal = refusal.code(), "the relay does not take the answer to a deletion request");
            }
            Err(_) => return Ok(JobOutcome::Failed),
        }
    }
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    sqlx::query!(
        "UPDATE deletion_requests SET reported_at_ms = ? WHERE id = ?",
        now_ms,
        id
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(JobOutcome::Done)
}
