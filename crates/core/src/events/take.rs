//! A batch of deliveries in one transaction on the one writer: logged, taken in, settled, the stream's place moved.

use super::{
    apply::{self, News},
    care, cursor, deletion,
    log::{self, Entry, Outcome},
    read::{Content, Event, read},
    retry,
};
use crate::{
    Profile,
    accounts::{self, SignedOut},
    api::types::{Change, Reason},
    domain::{AccountId, Channel},
    planted,
    store::{Priority, StoreError, WriteTx},
};
use shopbell_wire::{Delivery, EventOpener};
use std::collections::{BTreeMap, HashMap};

/// Deliveries of one transaction at most: the owner's writes wait no longer than that takes.
pub(crate) const AT_ONCE: usize = 200;

/// What came of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Everything up to here is on disk.
    pub committed: u64,
    /// Events that were not here before.
    pub new: usize,
}

/// The accounts as events name them; a disconnected one has no id.
pub(super) type Known = HashMap<(Channel, String), Option<AccountId>>;

/// Takes deliveries in, in order. What is on disk when this answers may be acknowledged.
///
/// # Errors
/// What the database says; nothing was taken in then, and nothing may be acknowledged.
pub(crate) async fn take(
    profile: &Profile,
    opener: &mut EventOpener<'_>,
    place: &cursor::Place,
    deliveries: Vec<Delivery>,
) -> Result<Taken, StoreError> {
    let committed = deliveries
        .last()
        .map_or(place.committed, |last| last.offset);
    let events: Vec<(u64, Event)> = deliveries
        .into_iter()
        .map(|delivery| (delivery.offset, read(opener, delivery.event)))
        .collect();
    let now_ms = profile.now_ms();
    if planted::on("app.moves_cursor_alone") {
        let mut tx = profile.store.write(Priority::Background).await?;
        cursor::advance(&mut tx, place, committed, None).await?;
        tx.commit().await?;
    }
    let mut tx = profile.store.write(Priority::Background).await?;
    let known = known(&mut tx).await?;
    let entries: Vec<Entry<'_>> = events
        .iter()
        .map(|(offset, event)| {
            let whose = whose(&known, event);
            Entry {
                offset: *offset,
                event,
                account: match whose {
                    Whose::Ours(account) => Some(account),
                    _ => None,
                },
                keep: !matches!(whose, Whose::Foreign(_)),
            }
        })
        .collect();
    let rows = log::insert(&mut tx, &place.stream(), &entries, now_ms).await?;
    planted::pass("app.logged");
    // What is here already was taken in when it came first.
    let fresh: Vec<(i64, Event)> = events
        .into_iter()
        .filter_map(|(offset, event)| Some((*rows.get(&offset)?, event)))
        .collect();
    let new = fresh.len();
    let newest_ms = fresh
        .iter()
        .map(|(_, event)| event.received_ms.min(now_ms))
        .max();
    let signed_out = process(profile, &mut tx, &known, fresh, now_ms).await?;
    planted::pass("app.taken_in");
    cursor::advance(&mut tx, place, committed, newest_ms).await?;
    if new > 0 {
        tx.tell(Change::Events);
    }
    planted::pass("app.before_commit");
    tx.commit().await?;
    planted::pass("app.after_commit");
    signed_out.forget(profile);
    Ok(Taken { committed, new })
}

/// Works out events that are logged already, in the caller's transaction.
pub(super) async fn process(
    profile: &Profile,
    tx: &mut WriteTx<'_>,
    known: &Known,
    events: Vec<(i64, Event)>,
    now_ms: i64,
) -> Result<SignedOut, StoreError> {
    let mut outcomes: Vec<(i64, Outcome)> = Vec::with_capacity(events.len());
    let mut signed_out = SignedOut::default();
    // Accounts have nothing to do with one another; within one the order stays.
    let mut accounts: BTreeMap<AccountId, (i64, Vec<News>)> = BTreeMap::new();
    for (row, event) in events {
        let received_ms = event.received_ms.min(now_ms);
        let whose = whose(known, &event);
        let outcome = match (event.content, whose) {
            (_, Whose::Foreign(why)) => Outcome::Foreign(why),
            (Content::Webhook(news), Whose::Ours(account)) => {
                let (newest_ms, of_account) = accounts.entry(account).or_default();
                *newest_ms = (*newest_ms).max(received_ms);
                of_account.push(News { row, news });
                continue;
            }
            (Content::Webhook(_), Whose::Nobodys) => Outcome::Failed(Reason::new("no_account")),
            (Content::Deauthorized(notice), _) => {
                apply::savepoint(tx).await?;
                let done = apply::watched(accounts::deauthorized(
                    tx,
                    profile,
                    &notice,
                    received_ms,
                    now_ms,
                ))
                .await;
                match apply::keep(tx, done).await? {
                    Ok(Ok(more)) => {
                        signed_out.add(more);
                        Outcome::Done(None)
                    }
                    Ok(Err("unknown_user")) => Outcome::Foreign("unknown_user"),
                    Ok(Err(why)) => Outcome::Ignored(Reason::new(why)),
                    Err(reason) => Outcome::Failed(reason),
                }
            }
            (Content::Deletion(notice), _) => {
                apply::savepoint(tx).await?;
                let done = apply::watched(deletion::asked(tx, &notice, received_ms)).await;
                match apply::keep(tx, done).await? {
                    Ok(()) => Outcome::Done(None),
                    Err(reason) => Outcome::Failed(reason),
                }
            }
            (Content::NotUsedYet, _) => Outcome::Ignored(Reason::new("not_used_yet")),
            (Content::UnknownKind, _) => Outcome::Ignored(Reason::new("unknown_kind")),
            (Content::Spoilt(reason), _) => Outcome::Failed(reason),
        };
        outcomes.push((row, outcome));
    }
    for (account, (newest_ms, events)) in accounts {
        outcomes.extend(of_account(tx, account, events, newest_ms, now_ms).await?);
    }
    if planted::on("app.swallows_failures") {
        for (_, outcome) in &mut outcomes {
            if matches!(outcome, Outcome::Failed(_)) {
                *outcome = Outcome::Done(None);
            }
        }
    }
    log::settle(tx, &outcomes, now_ms).await?;
    let failed: Vec<i64> = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
        .map(|(row, _)| *row)
        .collect();
    if !failed.is_empty() {
        care::forget_erased(tx, &failed, now_ms).await?;
        retry::schedule(tx).await?;
    }
    Ok(signed_out)
}

async fn of_account(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    events: Vec<News>,
    newest_ms: i64,
    now_ms: i64,
) -> Result<Vec<(i64, Outcome)>, StoreError> {
    let refs: Vec<(i64, String)> = events
        .iter()
        .flat_map(|event| event.news.refs.iter().map(|name| (event.row, name.clone())))
        .collect();
    log::refer(tx, &refs).await?;
    let outcomes = apply::account(tx, account, events, now_ms).await?;
    sqlx::query!(
        "UPDATE accounts SET webhook_at_ms = max(coalesce(webhook_at_ms, 0), ?) WHERE id = ?",
        newest_ms,
        account.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(outcomes)
}

/// Whose an event is.
enum Whose {
    Ours(AccountId),
    /// About an account that is none of ours, and why.
    Foreign(&'static str),
    /// About no account.
    Nobodys,
}

fn whose(known: &Known, event: &Event) -> Whose {
    match event.account().map(|account| known.get(&account)) {
        None => Whose::Nobodys,
        Some(Some(Some(account))) => Whose::Ours(*account),
        Some(Some(None)) => Whose::Foreign("disconnected"),
        Some(None) => Whose::Foreign("unknown_account"),
    }
}

/// Reads the accounts.
pub(super) async fn known(tx: &mut WriteTx<'_>) -> Result<Known, StoreError> {
    let rows = sqlx::query!("SELECT id, channel, platform_id, state FROM accounts")
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let id = (row.state != "disconnected").then_some(AccountId(row.id));
            Some(((Channel::parse(&row.channel)?, row.platform_id), id))
        })
        .collect())
}
