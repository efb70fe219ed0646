//! Looking for news, and comparing with the platform.
//!
//! Both walk the thread list from the newest down. A poll stops at the watermark (one second below it: the platform's times are whole
//! seconds, and two changes may share one). A comparison goes on, without messages, to where the last one ended, and fetches what
//! differs. Invariant: the watermark moves in the transaction that takes in the last of what it covers, so a walk given up anywhere is
//! walked again.

use super::{
    Failure,
    backfill::{news, parts},
    compare::{self, Held},
    cursors::{self, Stored},
    log::{self, Brought, Kind},
    plan::{Import, Link},
    remote::{FaultKind, FoundThread, Haste, Remote, ThreadPage, ThreadQuery},
};
use crate::{
    Profile,
    domain::{AccountId, Incoming, IncomingItem, IncomingMessage, Source},
    ingest::{self, IngestReport},
    store::{Priority, StoreError, WriteTx},
};
use std::collections::{HashMap, HashSet};

/// Threads of a poll's first page: usually all that changed.
const FEW: u32 = 10;
/// Threads of its further pages, and of a comparison's.
const MORE: u32 = 50;
/// Threads per page without messages.
const BARE: u32 = 100;
/// Platform's times are whole seconds.
const OVERLAP_MS: i64 = 1_000;
/// How far below the last comparison the next one reaches.
const REACH_MS: i64 = 86_400_000;
/// A list without end is not believed.
const PAGES: usize = 500;
/// Pages of one thread's messages that a poll catches up with at once.
const CATCH_UP_PAGES: usize = 50;
/// What was said just before the last poll may have reached the list after it.
const LATE_MS: i64 = 5_000;
/// With events through the relay, what is older than this should be here.
const EVENTS_LATE_MS: i64 = 60_000;
/// Messages fetched of a thread that differs: as many as the platform shows.
const SHOWN: u32 = 20;

/// What kind of walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// News only.
    Poll,
    /// Compare. After a gap everything new counts as recovered.
    Reconcile {
        /// After a gap.
        gap: bool,
    },
}

/// A walk under way.
struct Walker<'a> {
    profile: &'a Profile,
    remote: &'a dyn Remote,
    account: AccountId,
    walk: Walk,
    ask_older: bool,
    importing: bool,
    /// Said before this moment and new = recovered.
    recovered_before_ms: i64,
    brought: Brought,
    recovered_threads: HashSet<String>,
    erased: bool,
}

/// Walks.
///
/// # Errors
/// [`Failure`]; the watermark did not move. The failure is in the log.
pub async fn walk(
    profile: &Profile,
    remote: &dyn Remote,
    account: AccountId,
    stored: &Stored,
    walk: Walk,
) -> Result<Brought, Failure> {
    let started_at_ms = profile.now_ms();
    let offset_ms = remote.clock_offset_ms().unwrap_or(0);
    let recovered_before_ms = match walk {
        Walk::Poll => i64::MIN,
        Walk::Reconcile { gap: true } => i64::MAX,
        Walk::Reconcile { gap: false } if stored.facts.link == Link::Live => {
            started_at_ms + offset_ms - EVENTS_LATE_MS
        }
        Walk::Reconcile { gap: false } => stored
            .facts
            .last_poll_at_ms
            .map_or(i64::MIN, |at_ms| at_ms + offset_ms - LATE_MS),
    };
    let mut walker = Walker {
        profile,
        remote,
        account,
        walk,
        ask_older: stored.backfill.ask_older(),
        importing: stored.facts.import != Import::Done,
        recovered_before_ms,
        brought: Brought::default(),
        recovered_threads: HashSet::new(),
        erased: false,
    };
    let done = walker.go(stored, started_at_ms).await;
    if walker.erased
        && let Err(error) = profile.store.scrub().await
    {
        tracing::warn!(target: "shopbell::sync", %error, "the log was not emptied after an erasure");
    }
    let kind = if walk == Walk::Poll {
        Kind::Poll
    } else {
        Kind::Reconcile
    };
    if let Err(Failure::Fault(fault)) = &done {
        let mut tx = profile.store.write(Priority::Background).await?;
        log::note(
            &mut tx,
            account,
            kind,
            started_at_ms,
            profile.now_ms(),
            &walker.brought,
            Some(&fault.reason),
        )
        .await?;
        tx.commit().await?;
    }
    done.map(|()| walker.brought)
}

impl Walker<'_> {
    async fn go(&mut self, stored: &Stored, started_at_ms: i64) -> Result<(), Failure> {
        let floor_ms = stored.facts.watermark_ms - OVERLAP_MS;
        let end_ms = match self.walk {
            Walk::Poll => floor_ms,
            Walk::Reconcile { .. } => {
                floor_ms.min(stored.facts.last_reconcile_at_ms.unwrap_or(started_at_ms) - REACH_MS)
            }
        };
        let mut newest_ms = 0;
        let mut after: Option<String> = None;
        let mut with_messages = true;
        let mut limit = if self.walk == Walk::Poll { FEW } else { MORE };
        for _ in 0..PAGES {
            let page = self.page(after.as_deref(), limit, with_messages).await?;
            let next = page.next.filter(|next| Some(next) != after.as_ref());
            let oldest_ms = page
                .threads
                .iter()
                .map(|found| found.thread.updated_at_ms)
                .min();
            newest_ms = page
                .threads
                .iter()
                .map(|found| found.thread.updated_at_ms)
                .fold(newest_ms, i64::max);
            if with_messages {
                let wanted = page.threads.into_iter().filter(|found| {
                    self.walk != Walk::Poll || found.thread.updated_at_ms >= floor_ms
                });
                self.take_in(wanted.collect()).await?;
            } else {
                self.fetch_differing(page.threads).await?;
            }
            let below = |line_ms: i64| oldest_ms.is_some_and(|oldest| oldest < line_ms);
            if next.is_none() || below(end_ms) {
                break;
            }
            if below(floor_ms) {
                (with_messages, limit) = (false, BARE);
            } else {
                limit = MORE;
            }
            after = next;
        }
        self.finish(newest_ms, started_at_ms).await
    }

    async fn page(
        &self,
        after: Option<&str>,
        limit: u32,
        with_messages: bool,
    ) -> Result<ThreadPage, Failure> {
        let mut limit = limit;
        loop {
            let query = ThreadQuery {
                after,
                limit,
                with_messages,
                haste: Haste::Background,
            };
            match self.remote.threads(self.account, query).await {
                Err(fault) if fault.kind == FaultKind::TooMuch && limit > 1 => limit /= 2,
                Err(fault) => return Err(fault.into()),
                Ok(page) => return Ok(page),
            }
        }
    }

    /// Threads with their newest messages.
    async fn take_in(&mut self, threads: Vec<FoundThread>) -> Result<(), Failure> {
        let suspects = self.suspects(&threads).await?;
        for part in parts(threads.into_iter()) {
            self.brought.conversations += part.len() as i64;
            let catch_up: Vec<FoundThread> = part
                .iter()
                .filter(|found| found.older.is_some() && self.ask_older)
                .cloned()
                .collect();
            let mut tx = self.profile.store.write(Priority::Background).await?;
            for found in &part {
                let rest = found
                    .older
                    .as_deref()
                    .filter(|_| self.importing && self.ask_older);
                cursors::touch_thread(
                    &mut tx,
                    self.account,
                    &found.thread.platform_id,
                    found.thread.updated_at_ms,
                    rest,
                )
                .await?;
            }
            let told: Vec<(String, String, i64)> = part.iter().flat_map(told).collect();
            let report = self
                .apply(&mut tx, part.into_iter().flat_map(news).collect())
                .await?;
            tx.commit().await?;
            self.count(&report, &told);
            if !self.importing {
                for found in catch_up {
                    self.catch_up(found, &report).await?;
                }
            }
        }
        self.clear_up(suspects).await
    }

    /// More news than one answer holds: older pages until something known comes.
    async fn catch_up(&mut self, found: FoundThread, report: &IngestReport) -> Result<(), Failure> {
        let thread = found.thread.platform_id;
        let mut oldest = found.messages.last().map(|message| message.mid.clone());
        let mut cursor = found.older;
        let mut new: HashSet<String> = report.new_mids.iter().cloned().collect();
        for _ in 0..CATCH_UP_PAGES {
            if cursor.is_none() || oldest.as_ref().is_none_or(|mid| !new.contains(mid)) {
                return Ok(());
            }
            let answer = self
                .remote
                .messages(
                    self.account,
                    &thread,
                    cursor.as_deref(),
                    BARE,
                    Haste::Background,
                )
                .await;
            let page = match answer {
                Ok(page) => page,
                Err(fault) if matches!(fault.kind, FaultKind::Gone | FaultKind::Refused) => {
                    return Ok(());
                }
                Err(fault) => return Err(fault.into()),
            };
            oldest = page
                .messages
                .last()
                .map(|message| message.mid.clone())
                .or(oldest);
            cursor = page.next.filter(|next| Some(next) != cursor.as_ref());
            let report = self.take_messages(&thread, page.messages).await?;
            new.extend(report.new_mids);
        }
        Ok(())
    }

    /// Threads without messages: those that stand differently here are fetched.
    async fn fetch_differing(&mut self, threads: Vec<FoundThread>) -> Result<(), Failure> {
        let ids: Vec<&str> = threads
            .iter()
            .map(|found| found.thread.platform_id.as_str())
            .collect();
        let known =
            cursors::known(&mut *self.profile.store.read().await?, self.account, &ids).await?;
        for mut found in threads {
            self.brought.conversations += 1;
            let stands = known.get(&found.thread.platform_id);
            if stands.is_some_and(|(updated_at_ms, _)| *updated_at_ms >= found.thread.updated_at_ms)
            {
                continue;
            }
            let answer = self
                .remote
                .messages(
                    self.account,
                    &found.thread.platform_id,
                    None,
                    SHOWN,
                    Haste::Background,
                )
                .await;
            match answer {
                Ok(page) => {
                    found.messages = page.messages;
                    found.older = page.next;
                    self.brought.conversations -= 1;
                    self.take_in(vec![found]).await?;
                }
                Err(fault) if matches!(fault.kind, FaultKind::Gone | FaultKind::Refused) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    async fn take_messages(
        &mut self,
        thread: &str,
        messages: Vec<IncomingMessage>,
    ) -> Result<IngestReport, Failure> {
        let told: Vec<(String, String, i64)> = messages
            .iter()
            .map(|message| (message.mid.clone(), thread.to_owned(), message.sent_at_ms))
            .collect();
        let mut tx = self.profile.store.write(Priority::Background).await?;
        let report = self
            .apply(
                &mut tx,
                messages.into_iter().map(IncomingItem::Message).collect(),
            )
            .await?;
        tx.commit().await?;
        self.count(&report, &told);
        Ok(report)
    }

    async fn apply(
        &mut self,
        tx: &mut WriteTx<'_>,
        items: Vec<IncomingItem>,
    ) -> Result<IngestReport, StoreError> {
        let observed_at_ms = self.profile.now_ms();
        let report = ingest::apply(
            tx,
            &Incoming {
                account: self.account,
                source: Source::Poll,
                observed_at_ms,
                items,
            },
        )
        .await?;
        self.erased |= report.erased > 0;
        Ok(report)
    }

    fn count(&mut self, report: &IngestReport, told: &[(String, String, i64)]) {
        self.brought.messages += i64::try_from(report.new_messages).unwrap_or(i64::MAX);
        let told: HashMap<&str, (&str, i64)> = told
            .iter()
            .map(|(mid, thread, at_ms)| (mid.as_str(), (thread.as_str(), *at_ms)))
            .collect();
        for mid in &report.new_mids {
            let Some((thread, at_ms)) = told.get(mid.as_str()) else {
                continue;
            };
            if *at_ms < self.recovered_before_ms {
                self.brought.recovered_messages += 1;
                self.recovered_threads.insert((*thread).to_owned());
            }
        }
        self.brought.recovered_conversations = self.recovered_threads.len() as i64;
    }

    /// Messages held here that these listings should show and do not.
    async fn suspects(&self, threads: &[FoundThread]) -> Result<Vec<String>, Failure> {
        let mut suspects = Vec::new();
        let mut reader = self.profile.store.read().await?;
        for found in threads {
            let Some(from_ms) = compare::complete_from(found) else {
                continue;
            };
            let from_key = ingest::key_floor(from_ms);
            let held = sqlx::query!(
                r#"SELECT m.mid AS "mid!", m.alias_mid, m.sent_at_ms FROM messages m JOIN conversations c ON c.id = m.conversation_id
                   WHERE c.account_id = ? AND c.platform_id = ? AND m.sort_key >= ? AND m.mid IS NOT NULL AND m.deleted = 0
                   ORDER BY m.sort_key DESC LIMIT 100"#,
                self.account.0,
                found.thread.platform_id,
                from_key
            )
            .fetch_all(&mut *reader)
            .await
            .map_err(StoreError::from)?;
            let held: Vec<Held> = held
                .into_iter()
                .map(|row| Held {
                    mid: row.mid,
                    alias: row.alias_mid,
                    sent_at_ms: row.sent_at_ms,
                })
                .collect();
            suspects.extend(
                compare::missing(&held, found, self.profile.now_ms())
                    .into_iter()
                    .map(|held| held.mid.clone()),
            );
            if suspects.len() >= compare::AT_MOST {
                break;
            }
        }
        Ok(suspects)
    }

    /// Asks about suspicious messages by their ids; what the platform says is deleted is erased here too.
    async fn clear_up(&mut self, suspects: Vec<String>) -> Result<(), Failure> {
        for mid in suspects.into_iter().take(compare::AT_MOST) {
            match self.remote.message(self.account, &mid).await {
                Err(fault) if fault.kind == FaultKind::Gone => {
                    let at_ms = self.profile.now_ms();
                    let mut tx = self.profile.store.write(Priority::Background).await?;
                    self.apply(&mut tx, vec![IncomingItem::Unsend { mid, at_ms }])
                        .await?;
                    tx.commit().await?;
                }
                Err(fault) if matches!(fault.kind, FaultKind::Refused | FaultKind::Permission) => {}
                Err(fault) => return Err(fault.into()),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    async fn finish(&mut self, newest_ms: i64, started_at_ms: i64) -> Result<(), Failure> {
        let now_ms = self.profile.now_ms();
        // A time of tomorrow would make us blind until then.
        let sane_ms = newest_ms.min(now_ms + self.remote.clock_offset_ms().unwrap_or(0) + 60_000);
        let mut tx = self.profile.store.write(Priority::Background).await?;
        cursors::raise_watermark(&mut tx, self.account, sane_ms).await?;
        note_polled(&mut tx, self.account, now_ms).await?;
        let kind = if self.walk == Walk::Poll {
            Kind::Poll
        } else {
            Kind::Reconcile
        };
        if kind == Kind::Reconcile {
            sqlx::query!(
                "UPDATE sync_cursors SET last_reconcile_at_ms = ? WHERE account_id = ?",
                now_ms,
                self.account.0
            )
            .execute(&mut *tx)
            .await
            .map_err(StoreError::from)?;
        }
        if kind == Kind::Reconcile || self.brought.messages > 0 {
            log::note(
                &mut tx,
                self.account,
                kind,
                started_at_ms,
                now_ms,
                &self.brought,
                None,
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }
}

/// What a thread's messages are: (message id, thread, sent).
fn told(found: &FoundThread) -> Vec<(String, String, i64)> {
    let thread = &found.thread.platform_id;
    found
        .messages
        .iter()
        .map(|message| (message.mid.clone(), thread.clone(), message.sent_at_ms))
        .collect()
}

/// The platform was asked, and answered.
///
/// # Errors
/// What the database says.
pub(super) async fn note_polled(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO sync_cursors (account_id, last_poll_at_ms) VALUES (?, ?)
         ON CONFLICT (account_id) DO UPDATE SET last_poll_at_ms = excluded.last_poll_at_ms",
        account.0,
        now_ms
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
