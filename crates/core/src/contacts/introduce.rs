//! After an account's first sync: the people of its newest conversations get their names and faces without being opened.
//!
//! A list of initials is a poor first impression, and a face that was fetched once is there offline. It stays small (the newest
//! [`NEWEST`] conversations, once), goes in the lowest lane, and stops while the platform slows us down; everybody else is fetched
//! when the conversation is opened.

use super::refresh;
use crate::{
    Profile,
    domain::{AccountId, IdentityId},
    jobs::JobOutcome,
    store::{StoreError, WriteTx},
};
use serde_json::json;

/// Conversations of one account.
const NEWEST: i64 = 60;
/// People per run: other jobs wait behind a run.
const AT_ONCE: i64 = 12;
/// Nothing could be fetched: offline, signed out or slowed down.
const PAUSE_MS: i64 = 10 * 60_000;

/// Asks for it, in the transaction that ends the first sync.
///
/// # Errors
/// What the database says.
pub async fn schedule(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let name = format!("introduce:{account}");
    crate::jobs::schedule(tx, &name, now_ms, &json!({ "account": account.0 })).await
}

/// The job.
pub async fn run(profile: &Profile, payload: &str) -> JobOutcome {
    let account = serde_json::from_str::<serde_json::Value>(payload)
        .ok()
        .and_then(|payload| payload["account"].as_i64());
    let Some(account) = account else {
        return JobOutcome::Done;
    };
    match portion(profile, account).await {
        Ok(Portion::Finished) => JobOutcome::Done,
        Ok(Portion::More) => JobOutcome::Again {
            due_at_ms: profile.now_ms(),
        },
        Ok(Portion::Stuck) | Err(_) => JobOutcome::Again {
            due_at_ms: profile.now_ms() + PAUSE_MS,
        },
    }
}

enum Portion {
    Finished,
    More,
    Stuck,
}

async fn portion(profile: &Profile, account: i64) -> Result<Portion, StoreError> {
    let strangers = strangers(profile, account).await?;
    if strangers.is_empty() {
        return Ok(Portion::Finished);
    }
    for identity in &strangers {
        if profile.stopping().is_cancelled() {
            return Ok(Portion::Stuck);
        }
        refresh(profile, IdentityId(*identity), false).await?;
    }
    // A person who was asked for counts, also when the platform said no: it would say no again.
    let left = self::strangers(profile, account).await?;
    Ok(if left.first() == strangers.first() {
        Portion::Stuck
    } else {
        Portion::More
    })
}

/// People nobody asked the platform about yet.
async fn strangers(profile: &Profile, account: i64) -> Result<Vec<i64>, StoreError> {
    let mut connection = profile.store.read().await?;
    let found = sqlx::query_scalar!(
        r#"SELECT i.id AS "id!: i64"
           FROM (SELECT identity_id, last_key FROM conversations WHERE account_id = ?1 AND last_key > 0 ORDER BY last_key DESC, id DESC LIMIT ?2) c
           CROSS JOIN identities i ON i.id = c.identity_id
           WHERE i.profile_tried_at_ms IS NULL ORDER BY c.last_key DESC LIMIT ?3"#,
        account,
        NEWEST,
        AT_ONCE
    )
    .fetch_all(&mut *connection)
    .await?;
    Ok(found)
}
