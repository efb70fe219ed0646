//! What the platform told by id only: a post's caption, address and picture, and where somebody named us. In the lowest lane, as jobs.
//!
//! Invariant: what is fetched enters through `ingest`. A post that cannot be had says why and is not asked for again; a network that is
//! gone only delays.

use crate::{
    Profile,
    accounts::{self, Access, AccessError, Remedy},
    domain::{AccountId, Channel, Incoming, IncomingItem, Source},
    ingest,
    ingest::rows::encode,
    jobs::{self, JobOutcome},
    platform::{Call, GraphError, Lane, posts},
    store::{Priority, StoreError, WriteTx},
};
use serde::Deserialize;
use serde_json::json;

/// Offline, signed out or paused: looked at again after this.
const PAUSE_MS: i64 = 10 * 60_000;
/// Mentions of one run: other jobs wait behind it.
const AT_ONCE: i64 = 10;

/// Has a post fetched.
pub(super) async fn schedule(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    post: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let payload = json!({ "account": account.0, "post": post });
    jobs::schedule_once(tx, &format!("post:{post}:{account}"), now_ms, &payload).await
}

/// Has mentions fetched: platform ids of post and comment (`''` = the caption itself), and when they were told.
pub(super) async fn wanted(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    mentions: &[(&str, &str, i64)],
    now_ms: i64,
) -> Result<(), StoreError> {
    let rows = encode(mentions);
    let new = sqlx::query!(
        "INSERT INTO mentions (account_id, post, comment, at_ms)
         SELECT ?2, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)
         WHERE NOT EXISTS (SELECT 1 FROM comments c WHERE c.account_id = ?2 AND c.platform_id = value ->> 1 AND c.known = 1)
           AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.account_id = ?2 AND value ->> 1 = '' AND p.platform_id = value ->> 0 AND p.mention = 1)
         ON CONFLICT DO NOTHING",
        rows,
        account.0
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    if new > 0 {
        let payload = json!({ "account": account.0 });
        jobs::schedule_once(tx, &format!("mention:{account}"), now_ms, &payload).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Payload {
    account: i64,
    #[serde(default)]
    post: i64,
}

/// Job `post:{post}:{account}`.
pub(crate) async fn post(profile: &Profile, payload: &str) -> JobOutcome {
    let Ok(payload) = serde_json::from_str::<Payload>(payload) else {
        return JobOutcome::Done;
    };
    ended(profile, fetch_post(profile, &payload).await)
}

/// Job `mention:{account}`.
pub(crate) async fn mentions(profile: &Profile, payload: &str) -> JobOutcome {
    let Ok(payload) = serde_json::from_str::<Payload>(payload) else {
        return JobOutcome::Done;
    };
    ended(profile, fetch_mentions(profile, &payload).await)
}

fn ended(profile: &Profile, done: Result<JobOutcome, StoreError>) -> JobOutcome {
    done.unwrap_or_else(|error| {
        tracing::warn!(%error, "what was fetched of a post could not be stored");
        JobOutcome::Again {
            due_at_ms: profile.now_ms() + PAUSE_MS,
        }
    })
}

async fn fetch_post(profile: &Profile, ask: &Payload) -> Result<JobOutcome, StoreError> {
    let row = {
        let mut read = profile.store.read().await?;
        sqlx::query!(
            "SELECT platform_id FROM posts WHERE id = ? AND fetched_at_ms IS NULL AND removed = 0",
            ask.post
        )
        .fetch_optional(&mut *read)
        .await?
    };
    let Some(row) = row else {
        return Ok(JobOutcome::Done);
    };
    let account = AccountId(ask.account);
    let access = match access(profile, account).await? {
        Ok(access) => access,
        Err(outcome) => return Ok(outcome),
    };
    let now_ms = profile.now_ms();
    let (item, error) = match profile
        .graph
        .post(&access, &row.platform_id, Lane::Background)
        .await
    {
        Ok(raw) => {
            accounts::report_ok(profile, account, Call::Read).await;
            let told = posts::post(&access, &row.platform_id, &raw, now_ms);
            (vec![IncomingItem::Post(told)], None)
        }
        Err(error) => match again(profile, account, &error).await {
            Some(outcome) => return Ok(outcome),
            None => (Vec::new(), Some(error.reason())),
        },
    };
    let error = error.map(|reason| encode(&reason));
    let mut tx = profile.store.write(Priority::Background).await?;
    take_in(&mut tx, account, item, now_ms).await?;
    sqlx::query!(
        "UPDATE posts SET fetched_at_ms = ?, fetch_error = ? WHERE id = ?",
        now_ms,
        error,
        ask.post
    )
    .execute(&mut *tx)
    .await?;
    tx.tell(crate::api::types::Change::Comments { post_id: ask.post });
    tx.commit().await?;
    Ok(JobOutcome::Done)
}

async fn fetch_mentions(profile: &Profile, ask: &Payload) -> Result<JobOutcome, StoreError> {
    let account = AccountId(ask.account);
    let rows = {
        let mut read = profile.store.read().await?;
        sqlx::query!(
            "SELECT post, comment FROM mentions WHERE account_id = ? AND post > '' ORDER BY post, comment LIMIT ?",
            account.0,
            AT_ONCE
        )
        .fetch_all(&mut *read)
        .await?
    };
    if rows.is_empty() {
        return Ok(JobOutcome::Done);
    }
    let access = match access(profile, account).await? {
        // A Page's mentions come whole; only Instagram has this call.
        Ok(access) if access.channel != Channel::Instagram => return Ok(JobOutcome::Done),
        Ok(access) => access,
        Err(outcome) => return Ok(outcome),
    };
    for row in rows {
        let now_ms = profile.now_ms();
        let items = match mention(profile, &access, &row.post, &row.comment, now_ms).await {
            Ok(items) => {
                accounts::report_ok(profile, account, Call::Read).await;
                items
            }
            Err(error) => match again(profile, account, &error).await {
                Some(outcome) => return Ok(outcome),
                // Deleted, private or not for apps: there is nothing to show, and nobody to tell.
                None => Vec::new(),
            },
        };
        let mut tx = profile.store.write(Priority::Background).await?;
        take_in(&mut tx, account, items, now_ms).await?;
        sqlx::query!(
            "DELETE FROM mentions WHERE account_id = ? AND post = ? AND comment = ?",
            account.0,
            row.post,
            row.comment
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
    }
    // The row of the job outlives what came meanwhile; an empty table ends it.
    Ok(JobOutcome::Again {
        due_at_ms: profile.now_ms(),
    })
}

async fn mention(
    profile: &Profile,
    access: &Access,
    post: &str,
    comment: &str,
    now_ms: i64,
) -> Result<Vec<IncomingItem>, GraphError> {
    if comment.is_empty() {
        let raw = profile.graph.mentioning_post(access, post).await?;
        let mut told = posts::post(access, post, &raw, now_ms);
        told.mention = true;
        return Ok(vec![IncomingItem::Post(told)]);
    }
    let raw = profile.graph.mentioning_comment(access, comment).await?;
    Ok(posts::mention(post, comment, &raw)
        .map(IncomingItem::Comment)
        .into_iter()
        .collect())
}

async fn take_in(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    items: Vec<IncomingItem>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let incoming = Incoming {
        account,
        source: Source::Poll,
        observed_at_ms: now_ms,
        items,
    };
    ingest::apply(tx, &incoming).await?;
    Ok(())
}

/// The right to ask, or what becomes of the job without it.
async fn access(
    profile: &Profile,
    account: AccountId,
) -> Result<Result<Access, JobOutcome>, StoreError> {
    let later = || JobOutcome::Again {
        due_at_ms: profile.now_ms() + PAUSE_MS,
    };
    match accounts::access(profile, account).await {
        Ok(access) if profile.graph.throttled(&access) => Ok(Err(later())),
        Ok(access) => Ok(Ok(access)),
        Err(AccessError::Store(error)) => Err(error),
        Err(AccessError::NotFound) => Ok(Err(JobOutcome::Done)),
        Err(_) => Ok(Err(later())),
    }
}

/// When to ask again; `None` when the platform will not tell.
async fn again(profile: &Profile, account: AccountId, error: &GraphError) -> Option<JobOutcome> {
    let now_ms = profile.now_ms();
    match accounts::report(profile, account, error).await {
        Remedy::TryAgain => Some(JobOutcome::Again { due_at_ms: now_ms }),
        Remedy::Wait { after_ms } => Some(JobOutcome::Again {
            due_at_ms: now_ms + after_ms.max(1_000),
        }),
        // Signed out: its owner connects it again. A missing permission may be given then too.
        Remedy::GiveUp if error.code == Some(190) => Some(JobOutcome::Again {
            due_at_ms: now_ms + PAUSE_MS,
        }),
        Remedy::GiveUp => None,
    }
}
