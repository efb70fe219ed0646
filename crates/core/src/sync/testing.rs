//! A platform in memory for tests: threads, messages, cursors that die, faults by seed, sends that arrive with and without an answer.
#![allow(clippy::unwrap_used)]

use super::remote::{
    Fault, FaultKind, FoundThread, Haste, Letter, MessagePage, Remote, ThreadPage, ThreadQuery,
};
use crate::{
    Profile,
    domain::{AccountId, Author, ConversationId, IncomingMessage, IncomingPerson, IncomingThread},
    store::Priority,
};
use async_trait::async_trait;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

/// A thread of the list.
pub fn thread(id: &str, person: &str, updated_at_ms: i64) -> IncomingThread {
    IncomingThread {
        platform_id: id.into(),
        person: customer(person),
        updated_at_ms,
        older_missing: false,
        unread: None,
    }
}

fn customer(person: &str) -> IncomingPerson {
    IncomingPerson {
        platform_id: person.into(),
        name: Some(format!("{person} Müller")),
        username: None,
    }
}

/// A message.
pub fn message(
    mid: &str,
    person: &str,
    sent_at_ms: i64,
    from_customer: bool,
    text: &str,
) -> IncomingMessage {
    IncomingMessage {
        mid: mid.into(),
        person: customer(person),
        thread: Some(format!("t_{person}")),
        author: if from_customer {
            Author::Customer
        } else {
            Author::Phone
        },
        metadata: None,
        app_id: None,
        sent_at_ms,
        text: Some(text.into()),
        attachments: vec![],
        reply_to_mid: None,
        story: None,
        reactions: vec![],
        unsupported: false,
        deleted: false,
        referral: None,
        opens_window: from_customer,
        tap: None,
        standby: false,
    }
}

/// What a send meets.
#[derive(Debug, Clone)]
pub enum Fate {
    /// Arrives; the answer says so.
    Arrives,
    /// Arrives; the answer is lost.
    ArrivesUnsaid,
    /// Neither arrives nor is answered.
    Lost,
    /// Answered with this.
    Says(Fault),
    /// Arrives, and the answer never comes.
    Hangs,
    /// Arrives, and the answer comes when told.
    Waits(Arc<tokio::sync::Notify>),
}

/// The platform's side.
#[derive(Default)]
pub struct World {
    /// Person → messages, oldest first.
    pub threads: BTreeMap<String, Vec<IncomingMessage>>,
    /// Messages of a thread that can be had, from the newest.
    pub reach: Option<usize>,
    /// Per call: chance of a fault in percent.
    pub trouble: u32,
    /// Every page but the first may be empty and still go on.
    pub empty_pages: bool,
    /// Answers before any other.
    pub next_faults: VecDeque<Fault>,
    /// Fates of the next sends; then they arrive.
    pub fates: VecDeque<Fate>,
    /// What was asked for.
    pub calls: Vec<String>,
    /// Texts that arrived, in order.
    pub arrived: Vec<(String, String)>,
    /// Cursors given before this generation are dead.
    pub generation: u32,
    /// Time at the platform.
    pub now_ms: i64,
    rng: Option<StdRng>,
    next_mid: u64,
}

/// The platform.
#[derive(Clone, Default)]
pub struct FakeRemote {
    /// Its side.
    pub world: Arc<Mutex<World>>,
}

impl FakeRemote {
    /// With faults by `seed`.
    pub fn seeded(seed: u64, trouble: u32) -> Self {
        let remote = Self::default();
        remote.with(|world| {
            world.rng = Some(StdRng::seed_from_u64(seed));
            world.trouble = trouble;
        });
        remote
    }

    /// Looks at or changes its side.
    pub fn with<T>(&self, what: impl FnOnce(&mut World) -> T) -> T {
        what(&mut self.world.lock().unwrap())
    }

    /// The customer writes; answers the message id.
    pub fn says(&self, person: &str, at_ms: i64, text: &str) -> String {
        self.with(|world| world.add(person, at_ms, true, text))
    }

    /// The shop writes from the phone.
    pub fn phone(&self, person: &str, at_ms: i64, text: &str) -> String {
        self.with(|world| world.add(person, at_ms, false, text))
    }

    /// A shop of `people`, each with a few to `most` messages.
    pub fn fill(&self, people: usize, most: usize, from_ms: i64) {
        for n in 0..people {
            for m in 0..=(n * 7) % most {
                let at_ms = from_ms + (n as i64 * 61 + m as i64 * 7) * 1_000;
                self.with(|world| {
                    world.add(
                        &format!("p{n}"),
                        at_ms,
                        m % 3 != 1,
                        &format!("Nachricht {m} von {n}"),
                    )
                });
            }
        }
    }

    /// Every message id that can be had, with its text.
    pub fn holds(&self) -> BTreeMap<String, String> {
        self.with(|world| {
            let reach = world.reach.unwrap_or(usize::MAX);
            let all = world
                .threads
                .values()
                .flat_map(|messages| messages.iter().rev().take(reach));
            all.map(|message| (message.mid.clone(), message.text.clone().unwrap()))
                .collect()
        })
    }
}

impl World {
    fn add(&mut self, person: &str, at_ms: i64, from_customer: bool, text: &str) -> String {
        self.next_mid += 1;
        let mid = format!("m_{}", self.next_mid);
        let thread = self.threads.entry(person.into()).or_default();
        // Polls know whole seconds.
        thread.push(message(
            &mid,
            person,
            at_ms / 1_000 * 1_000,
            from_customer,
            text,
        ));
        thread.sort_by_key(|message| message.sent_at_ms);
        mid
    }

    fn fault(&mut self, call: String, cursor: bool) -> Option<Fault> {
        self.calls.push(call);
        if let Some(fault) = self.next_faults.pop_front() {
            return Some(fault);
        }
        let trouble = self.trouble;
        let rng = self.rng.as_mut()?;
        if rng.random_range(0..100) >= trouble {
            return None;
        }
        Some(match rng.random_range(0..5) {
            0 => Fault::new(FaultKind::Busy, "platform_trouble"),
            1 => Fault::new(FaultKind::Offline, "offline"),
            2 => Fault::new(FaultKind::RateLimited, "rate_limited").after(2_000),
            3 if cursor => Fault::new(FaultKind::Refused, "refused"),
            _ => Fault::new(FaultKind::TooMuch, "platform_trouble"),
        })
    }

    fn found(&self, person: &str, with_messages: bool) -> FoundThread {
        let messages = &self.threads[person];
        let updated_at_ms = messages
            .iter()
            .map(|message| message.sent_at_ms)
            .max()
            .unwrap_or(0);
        let mut found = FoundThread {
            thread: thread(&format!("t_{person}"), person, updated_at_ms),
            messages: vec![],
            older: None,
        };
        if with_messages {
            let page = self.page(person, 0, 20);
            found.messages = page.messages;
            found.older = page.next;
        }
        found
    }

    fn page(&self, person: &str, from: usize, limit: usize) -> MessagePage {
        let all = &self.threads[person];
        let reach = self.reach.unwrap_or(usize::MAX);
        let messages: Vec<IncomingMessage> = all
            .iter()
            .rev()
            .enumerate()
            .filter(|(n, _)| *n >= from && *n < reach)
            .take(limit)
            .map(|(_, m)| m.clone())
            .collect();
        let end = from + limit;
        MessagePage {
            older_missing: all.len() > reach && end > reach,
            next: (end < all.len()).then(|| format!("{}:{end}", self.generation)),
            messages,
        }
    }

    fn cursor<'a>(&self, after: Option<&'a str>) -> Result<Option<&'a str>, Fault> {
        let Some(after) = after else { return Ok(None) };
        let (generation, place) = after.split_once(':').unwrap();
        if generation.parse::<u32>().unwrap() < self.generation {
            return Err(Fault::new(FaultKind::Refused, "refused"));
        }
        Ok(Some(place))
    }
}

#[async_trait]
impl Remote for FakeRemote {
    async fn threads(
        &self,
        _account: AccountId,
        query: ThreadQuery<'_>,
    ) -> Result<ThreadPage, Fault> {
        tokio::task::yield_now().await;
        self.with(|world| {
            if let Some(fault) = world.fault(
                format!("threads {} {}", query.limit, query.with_messages),
                query.after.is_some(),
            ) {
                return Err(fault);
            }
            let after = world.cursor(query.after)?;
            if world.empty_pages && after.is_some_and(|place| !place.starts_with('!')) {
                let place = after.unwrap();
                return Ok(ThreadPage {
                    threads: vec![],
                    next: Some(format!("{}:!{place}", world.generation)),
                    limit: query.limit,
                });
            }
            // The place is (time, person) of the last one given, so that news above do not move it.
            let place = after.map(|place| {
                let (at_ms, person) = place.trim_start_matches('!').split_once('/').unwrap();
                (at_ms.parse::<i64>().unwrap(), person.to_owned())
            });
            let mut all: Vec<(i64, String)> = world
                .threads
                .iter()
                .filter(|(_, messages)| !messages.is_empty())
                .map(|(person, messages)| {
                    (
                        messages.iter().map(|m| m.sent_at_ms).max().unwrap(),
                        person.clone(),
                    )
                })
                .collect();
            all.sort_by(|a, b| b.cmp(a));
            let rest: Vec<_> = all
                .into_iter()
                .filter(|key| place.as_ref().is_none_or(|place| key < place))
                .collect();
            let page: Vec<_> = rest.iter().take(query.limit as usize).cloned().collect();
            let next = (rest.len() > page.len())
                .then(|| {
                    page.last()
                        .map(|(at_ms, person)| format!("{}:{at_ms}/{person}", world.generation))
                })
                .flatten();
            let threads = page
                .iter()
                .map(|(_, person)| world.found(person, query.with_messages))
                .collect();
            Ok(ThreadPage {
                threads,
                next,
                limit: query.limit,
            })
        })
    }

    async fn messages(
        &self,
        _account: AccountId,
        thread: &str,
        after: Option<&str>,
        limit: u32,
        _haste: Haste,
    ) -> Result<MessagePage, Fault> {
        tokio::task::yield_now().await;
        self.with(|world| {
            if let Some(fault) =
                world.fault(format!("messages {thread} {after:?}"), after.is_some())
            {
                return Err(fault);
            }
            let from = world
                .cursor(after)?
                .map_or(0, |place| place.parse().unwrap());
            Ok(world.page(thread.trim_start_matches("t_"), from, limit as usize))
        })
    }

    async fn message(&self, _account: AccountId, mid: &str) -> Result<IncomingMessage, Fault> {
        self.with(|world| {
            world.calls.push(format!("message {mid}"));
            if let Some(fault) = world.next_faults.pop_front() {
                return Err(fault);
            }
            let found = world
                .threads
                .values()
                .flatten()
                .find(|message| message.mid == mid)
                .cloned();
            found.ok_or_else(|| Fault::new(FaultKind::Gone, "deleted_or_older"))
        })
    }

    async fn recent(
        &self,
        _account: AccountId,
        person: &str,
    ) -> Result<Vec<IncomingMessage>, Fault> {
        self.with(|world| {
            if let Some(fault) = world.fault(format!("recent {person}"), false) {
                return Err(fault);
            }
            Ok(world.page(person, 0, 20).messages)
        })
    }

    async fn send(&self, _account: AccountId, letter: &Letter) -> Result<String, Fault> {
        let (fate, mid) = self.with(|world| {
            world.calls.push(format!(
                "send {}{}",
                if letter.human_agent { "by hand: " } else { "" },
                letter.text
            ));
            let fate = world.fates.pop_front().unwrap_or(Fate::Arrives);
            let arrives = matches!(
                fate,
                Fate::Arrives | Fate::ArrivesUnsaid | Fate::Hangs | Fate::Waits(_)
            );
            let mid = arrives.then(|| {
                let now_ms = world.now_ms;
                world
                    .arrived
                    .push((letter.person.clone(), letter.text.clone()));
                world.add(&letter.person, now_ms, false, &letter.text)
            });
            (fate, mid)
        });
        match fate {
            Fate::Arrives => Ok(mid.unwrap()),
            Fate::ArrivesUnsaid | Fate::Lost => Err(Fault::new(FaultKind::Unknown, "no_answer")),
            Fate::Says(fault) => Err(fault),
            Fate::Hangs => std::future::pending().await,
            Fate::Waits(told) => {
                told.notified().await;
                Ok(mid.unwrap())
            }
        }
    }

    fn clock_offset_ms(&self) -> Option<i64> {
        Some(0)
    }
}

/// An account with a token, as the accounts room would leave it.
pub async fn account(profile: &Profile, channel: &str) -> AccountId {
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    let kind = if channel == "messenger" {
        "page"
    } else {
        "instagram_user"
    };
    let provider = if channel == "messenger" {
        "facebook"
    } else {
        "instagram"
    };
    let credential = sqlx::query_scalar!(
        r#"INSERT INTO credentials (kind, subject_id, generation, state, created_at_ms, updated_at_ms) VALUES (?, '1001', 1, 'working', 0, 0)
           RETURNING id AS "id!: i64""#,
        kind
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    let id = sqlx::query_scalar!(
        r#"INSERT INTO accounts (id, uuid, channel, provider, platform_id, credential_id, name, state_since_ms, created_at_ms)
           VALUES (700 + ?1, 'account-' || ?1, ?2, ?3, '1001', ?1, 'Bäckerei Krume', 0, 0) RETURNING id AS "id!: i64""#,
        credential,
        channel,
        provider
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    AccountId(id)
}

/// The conversation with a person.
pub async fn conversation(profile: &Profile, account: AccountId, person: &str) -> ConversationId {
    let mut reader = profile.store.read().await.unwrap();
    let id = sqlx::query_scalar!(
        r#"SELECT c.id AS "id!: i64" FROM conversations c JOIN identities i ON i.id = c.identity_id
           WHERE c.account_id = ? AND i.platform_id = ?"#,
        account.0,
        person
    )
    .fetch_one(&mut *reader)
    .await
    .unwrap();
    ConversationId(id)
}

/// Every message held, by id, with its text.
pub async fn held(profile: &Profile) -> BTreeMap<String, String> {
    let mut reader = profile.store.read().await.unwrap();
    let rows = sqlx::query!(
        r#"SELECT mid AS "mid!", text FROM messages WHERE mid IS NOT NULL AND deleted = 0"#
    )
    .fetch_all(&mut *reader)
    .await
    .unwrap();
    rows.into_iter()
        .map(|row| (row.mid, row.text.unwrap_or_default()))
        .collect()
}
