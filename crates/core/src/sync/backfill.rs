//! The first sync: the thread list newest first, each page with the newest messages of its threads, then what is older.
//!
//! Invariant: every step is one answer of the platform taken in and written down; giving a step up anywhere loses nothing and doing it
//! again doubles nothing. Calls: one per 100 threads, and one per page of older messages where the platform shows any.

use super::{
    Failure,
    cursors::{self, Backfill, Todo},
    log,
    remote::{Fault, FaultKind, FoundThread, Haste, Remote, ThreadQuery},
};
use crate::{
    Profile, accounts,
    api::types::Change,
    domain::{AccountId, Incoming, IncomingItem, Source},
    ingest::{self, BATCH},
    store::{Priority, StoreError, WriteTx},
};

/// Messages per call for what is older.
const OLDER_PAGE: u32 = 100;
/// A list that dies so often in a row is the platform's trouble, not an old cursor's.
const RESTARTS: u32 = 3;

/// Fetches one page of the list.
///
/// # Errors
/// [`Failure`]; the page counts as not fetched.
pub async fn list(
    profile: &Profile,
    remote: &dyn Remote,
    account: AccountId,
    mut backfill: Backfill,
) -> Result<(), Failure> {
    let asked = backfill.page_size();
    let query = ThreadQuery {
        after: backfill.cursor.as_deref(),
        limit: asked,
        with_messages: true,
        haste: Haste::Background,
    };
    let page = match remote.threads(account, query).await {
        Ok(page) => page,
        Err(fault) => {
            let dead = backfill.cursor.is_some()
                && matches!(fault.kind, FaultKind::Refused | FaultKind::Gone);
            let smaller = fault.kind == FaultKind::TooMuch && backfill.size > 1;
            if dead && backfill.restarts < RESTARTS {
                backfill.cursor = None;
                backfill.restarts += 1;
            } else if smaller {
                backfill.size = (backfill.size / 2).max(1);
            } else {
                return Err(fault.into());
            }
            let mut tx = profile.store.write(Priority::Background).await?;
            cursors::save(&mut tx, account, &backfill).await?;
            return Ok(tx.commit().await?);
        }
    };
    if page.next.is_some() && page.next == backfill.cursor {
        return Err(Fault::new(FaultKind::Busy, "platform_trouble").into());
    }
    let first = backfill.began_at_ms == 0;
    let newest_ms = page
        .threads
        .iter()
        .map(|found| found.thread.updated_at_ms)
        .max()
        .unwrap_or(0);
    let ids: Vec<&str> = page
        .threads
        .iter()
        .map(|found| found.thread.platform_id.as_str())
        .collect();
    let known = cursors::known(&mut *profile.store.read().await?, account, &ids).await?;
    let mut parts = parts(page.threads.into_iter().filter(|found| {
        let stands = known.get(&found.thread.platform_id);
        stands.is_none_or(|(updated_at_ms, done)| {
            !done || *updated_at_ms < found.thread.updated_at_ms
        })
    }));
    // The place in the list is written with the last part, also when there is nothing else to write.
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let mut tx = profile.store.write(Priority::Background).await?;
        take(&mut tx, profile, account, &mut backfill, part).await?;
        tx.commit().await?;
    }
    let mut tx = profile.store.write(Priority::Background).await?;
    take(&mut tx, profile, account, &mut backfill, last).await?;
    if first {
        let platform_now_ms = profile.now_ms() + remote.clock_offset_ms().unwrap_or(0);
        backfill.began_at_ms = newest_ms.min(platform_now_ms).max(1);
        cursors::raise_watermark(&mut tx, account, backfill.began_at_ms).await?;
        // What came with the first page is as fresh as a poll's.
        super::poll::note_polled(&mut tx, account, profile.now_ms()).await?;
    }
    if page.limit > 0 && page.limit < asked {
        backfill.size = page.limit;
    }
    backfill.listed = page.next.is_none();
    backfill.cursor = page.next;
    backfill.restarts = 0;
    cursors::save(&mut tx, account, &backfill).await?;
    Ok(tx.commit().await?)
}

/// Cuts threads into transactions of about [`BATCH`] messages.
pub(super) fn parts(threads: impl Iterator<Item = FoundThread>) -> Vec<Vec<FoundThread>> {
    let mut parts: Vec<Vec<FoundThread>> = Vec::new();
    let mut size = usize::MAX;
    for found in threads {
        let more = found.messages.len() + 1;
        if size.saturating_add(more) > BATCH {
            parts.push(Vec::new());
            size = 0;
        }
        size += more;
        if let Some(part) = parts.last_mut() {
            part.push(found);
        }
    }
    parts
}

/// A thread and its messages as news.
pub(super) fn news(found: FoundThread) -> impl Iterator<Item = IncomingItem> {
    std::iter::once(IncomingItem::Thread(found.thread))
        .chain(found.messages.into_iter().map(IncomingItem::Message))
}

async fn take(
    tx: &mut WriteTx<'_>,
    profile: &Profile,
    account: AccountId,
    backfill: &mut Backfill,
    part: Vec<FoundThread>,
) -> Result<(), StoreError> {
    let now_ms = profile.now_ms();
    let threads = part.len() as i64;
    let mut items = Vec::new();
    for mut found in part {
        // A thread always holds a message; one that came without any is asked by itself.
        let empty = found.messages.is_empty();
        let older = found.older.take();
        if older.is_some() && !backfill.ask_older() {
            found.thread.older_missing = true;
        }
        let older = older.filter(|_| backfill.ask_older() && !empty);
        let (thread, updated_at_ms) =
            (found.thread.platform_id.clone(), found.thread.updated_at_ms);
        cursors::note_thread(
            tx,
            account,
            &thread,
            updated_at_ms,
            older.is_none() && !empty,
            older.as_deref(),
        )
        .await?;
        items.extend(news(found));
    }
    let report = ingest::apply(
        tx,
        &Incoming {
            account,
            source: Source::Backfill,
            observed_at_ms: now_ms,
            items,
        },
    )
    .await?;
    let new = i64::try_from(report.new_messages).unwrap_or(i64::MAX);
    backfill.messages += new;
    log::backfill_goes_on(tx, account, now_ms, threads, new).await
}

/// Fetches one page of a thread's older messages.
///
/// # Errors
/// [`Failure`]; the page counts as not fetched.
pub async fn deepen(
    profile: &Profile,
    remote: &dyn Remote,
    account: AccountId,
    mut backfill: Backfill,
    todo: &Todo,
) -> Result<(), Failure> {
    let answer = remote
        .messages(
            account,
            &todo.thread,
            todo.cursor.as_deref(),
            OLDER_PAGE,
            Haste::Background,
        )
        .await;
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    // (finished, next cursor, older ones are missing)
    let (done, next, missing) = match answer {
        Ok(page) => {
            let gave = !page.messages.is_empty();
            let (missing, next) = (
                page.older_missing,
                page.next.filter(|next| Some(next) != todo.cursor.as_ref()),
            );
            let items = page
                .messages
                .into_iter()
                .map(IncomingItem::Message)
                .collect();
            let report = ingest::apply(
                &mut tx,
                &Incoming {
                    account,
                    source: Source::Backfill,
                    observed_at_ms: now_ms,
                    items,
                },
            )
            .await?;
            let new = i64::try_from(report.new_messages).unwrap_or(i64::MAX);
            backfill.messages += new;
            if todo.cursor.is_some() {
                backfill.gave_older += i64::from(new > 0);
                backfill.refused_older += i64::from(missing && !gave);
            }
            log::backfill_goes_on(&mut tx, account, now_ms, 0, new).await?;
            // Beyond the first one that is out of reach there are only more of them.
            (next.is_none() || (missing && !gave), next, missing)
        }
        Err(fault) if fault.kind == FaultKind::Refused && todo.cursor.is_some() => {
            // Perhaps only the cursor died; from the newest on, what is here already costs nothing.
            (false, None, false)
        }
        Err(fault) if matches!(fault.kind, FaultKind::Gone | FaultKind::Refused) => {
            backfill.refused_older += 1;
            (true, None, true)
        }
        Err(fault) => return Err(fault.into()),
    };
    if missing {
        older_missing(&mut tx, account, &todo.thread).await?;
    }
    let state = if done { "done" } else { "found" };
    sqlx::query!(
        "UPDATE sync_threads SET state = ?, cursor = ? WHERE account_id = ? AND platform_id = ?",
        state,
        next,
        account.0,
        todo.thread
    )
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    if !backfill.ask_older() {
        give_up_older(&mut tx, account).await?;
    }
    cursors::save(&mut tx, account, &backfill).await?;
    Ok(tx.commit().await?)
}

async fn older_missing(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    thread: &str,
) -> Result<(), StoreError> {
    let id = sqlx::query_scalar!(
        r#"UPDATE conversations SET older_missing = 1 WHERE account_id = ? AND platform_id = ? AND older_missing = 0 RETURNING id AS "id!: i64""#,
        account.0,
        thread
    )
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(id) = id {
        tx.tell(Change::Conversation { id });
    }
    Ok(())
}

/// The rule of the newest 20 holds for this account: what is marked as having more stays as it is, and says so.
async fn give_up_older(tx: &mut WriteTx<'_>, account: AccountId) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE conversations SET older_missing = 1 WHERE account_id = ?1 AND platform_id IN
           (SELECT platform_id FROM sync_threads WHERE account_id = ?1 AND state = 'found' AND cursor IS NOT NULL)",
        account.0
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE sync_threads SET state = 'done', cursor = NULL WHERE account_id = ? AND state = 'found' AND cursor IS NOT NULL",
        account.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes down that the first sync is finished.
///
/// # Errors
/// What the database says.
pub async fn finish(
    profile: &Profile,
    account: AccountId,
    mut backfill: Backfill,
) -> Result<(), Failure> {
    let now_ms = profile.now_ms();
    let mut tx = profile.store.write(Priority::Background).await?;
    backfill.finished = true;
    backfill.cursor = None;
    cursors::save(&mut tx, account, &backfill).await?;
    sqlx::query!(
        "UPDATE sync_cursors SET imported_at_ms = ? WHERE account_id = ?",
        now_ms,
        account.0
    )
    .execute(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    log::backfill_ended(&mut tx, account, now_ms).await?;
    accounts::imported(&mut tx, account, now_ms).await?;
    tx.tell(Change::Accounts);
    Ok(tx.commit().await?)
}
