#![allow(clippy::unwrap_used)]

use super::{
    account::{self, turn},
    cursors,
    plan::{self, Import},
    testing::{self, FakeRemote},
    *,
};
use crate::{
    Clock,
    domain::Channel,
    profile::testing::{Opened, offline_profile},
};
use proptest::prelude::*;

/// One Page, a platform in memory, nothing running by itself.
struct Shop {
    opened: Opened,
    remote: FakeRemote,
    account: AccountId,
    live: Live,
}

async fn shop(remote: FakeRemote) -> Shop {
    let opened = offline_profile().await;
    let account = testing::account(&opened.profile, Channel::Messenger.as_str()).await;
    Shop {
        opened,
        remote,
        account,
        live: Live::default(),
    }
}

impl Shop {
    fn now(&self) -> i64 {
        self.opened.profile.now_ms()
    }

    async fn stored(&self) -> cursors::Stored {
        account::read(&self.opened.profile, self.account)
            .await
            .unwrap()
            .unwrap()
    }

    async fn next(&self) -> Step {
        let clock = &self.opened.clock;
        let at = Moment {
            now_ms: clock.now_ms(),
            monotonic_ms: clock.monotonic_ms(),
        };
        plan::next(&self.stored().await.facts, &self.live.felt().mood, at)
    }

    async fn turn(&self) {
        assert!(turn(&self.opened.profile, &self.remote, self.account, &self.live).await);
    }

    /// Until the first sync is finished and nothing is due. Time passes while the platform wants to be left alone.
    async fn import(&self) {
        loop {
            match self.next().await {
                Step::Rest => return,
                Step::Wait { .. } if self.stored().await.facts.import == Import::Done => return,
                Step::Wait { ms } => self.opened.clock.advance(Duration::from_millis(ms as u64)),
                _ => self.turn().await,
            }
        }
    }

    /// Lets time pass, doing what becomes due.
    async fn pass(&self, ms: i64) {
        let until = self.opened.clock.monotonic_ms() + ms;
        loop {
            let left = until - self.opened.clock.monotonic_ms();
            match self.next().await {
                Step::Wait { ms } if ms <= left => {
                    self.opened.clock.advance(Duration::from_millis(ms as u64))
                }
                Step::Wait { .. } | Step::Rest => {
                    self.opened
                        .clock
                        .advance(Duration::from_millis(left as u64));
                    return;
                }
                _ => self.turn().await,
            }
        }
    }

    async fn status(&self) -> SyncStatus {
        progress::status(&self.opened.profile, self.account, &self.live)
            .await
            .unwrap()
            .unwrap()
    }

    async fn log(&self) -> Vec<(String, String, i64)> {
        let runs = log_of(&self.opened.profile, self.account).await.unwrap();
        runs.into_iter()
            .map(|run| (run.kind, run.result, run.messages))
            .collect()
    }

    fn calls(&self) -> Vec<String> {
        self.remote.with(|world| std::mem::take(&mut world.calls))
    }

    async fn holds_all(&self) {
        let (here, there) = (
            testing::held(&self.opened.profile).await,
            self.remote.holds(),
        );
        assert_eq!(here.len(), there.len());
        assert_eq!(here, there);
    }
}

#[tokio::test]
async fn the_first_sync_brings_everything_with_few_calls() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(1_025, 12, shop.now() - 90 * 86_400_000);
    shop.import().await;
    shop.holds_all().await;
    let calls = shop.calls();
    let pages = calls
        .iter()
        .filter(|call| *call == "threads 25 true" || *call == "threads 100 true")
        .count();
    assert_eq!(pages, 11, "25 at first, then hundreds: {calls:?}");
    assert!(calls.len() <= 12, "and one poll after it: {calls:?}");
    let status = shop.status().await;
    assert_eq!(
        (
            status.found,
            status.done,
            status.found_all,
            status.older_missing
        ),
        (1_025, 1_025, true, 0)
    );
    assert_eq!(status.messages, shop.remote.holds().len() as i64);
    assert_eq!(
        shop.log().await,
        [("backfill".into(), "done".into(), status.messages)]
    );
    assert!(status.imported_at_ms.is_some());
}

#[tokio::test]
async fn something_is_there_after_the_first_answer_newest_first() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(120, 5, shop.now() - 86_400_000);
    shop.turn().await;
    let here = testing::held(&shop.opened.profile).await;
    let newest = shop.remote.with(|world| world.threads["p119"].clone());
    assert!(newest.iter().all(|message| here.contains_key(&message.mid)));
    assert!(here.len() < shop.remote.holds().len());
    assert_eq!(shop.status().await.state, "importing");
}

#[tokio::test]
async fn threads_longer_than_one_answer_are_fetched_to_their_end() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(30, 290, shop.now() - 86_400_000);
    shop.import().await;
    shop.holds_all().await;
}

#[tokio::test]
async fn when_the_platform_shows_only_the_newest_twenty_only_a_few_threads_are_asked_for_more() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.with(|world| world.reach = Some(20));
    shop.remote.fill(80, 41, shop.now() - 86_400_000);
    shop.import().await;
    shop.holds_all().await;
    let probes = shop
        .calls()
        .iter()
        .filter(|call| call.starts_with("messages"))
        .count();
    assert_eq!(probes as i64, cursors::PROBES);
    let longer = shop.remote.with(|world| {
        world
            .threads
            .values()
            .filter(|messages| messages.len() > 20)
            .count()
    });
    assert_eq!(shop.status().await.older_missing, longer as i64);
}

#[tokio::test]
async fn dead_cursors_begin_the_list_anew_and_empty_pages_go_on() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.with(|world| world.empty_pages = true);
    shop.remote.fill(250, 6, shop.now() - 86_400_000);
    shop.turn().await;
    shop.turn().await;
    shop.remote.with(|world| world.generation += 1);
    shop.import().await;
    shop.holds_all().await;
}

#[tokio::test]
async fn a_restart_in_the_middle_is_an_interruption_in_the_log() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(150, 6, shop.now() - 86_400_000);
    shop.turn().await;
    recover(&shop.opened.profile).await.unwrap();
    shop.import().await;
    let results: Vec<String> = shop
        .log()
        .await
        .into_iter()
        .map(|(_, result, _)| result)
        .collect();
    assert_eq!(results, ["done", "interrupted"]);
    shop.holds_all().await;
}

#[tokio::test]
async fn polls_fetch_what_changed_and_nothing_else() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(200, 6, shop.now() - 90 * 86_400_000);
    shop.import().await;
    shop.calls();
    // Two people in the same second, one of them after the poll that saw the other.
    let second = shop.now() / 1_000 * 1_000 + 30_000;
    shop.opened.clock.advance(Duration::from_secs(30));
    shop.remote.says("p3", second, "Haben Sie Dinkel?");
    shop.pass(120_000).await;
    shop.remote.says("p4", second, "Und Roggen?");
    shop.remote.says("p3", second, "Oder Hafer?");
    shop.pass(20_000).await;
    shop.holds_all().await;
    assert!(
        shop.calls().iter().all(|call| call == "threads 10 true"),
        "one call each"
    );
    assert_eq!(
        shop.log()
            .await
            .iter()
            .filter(|(kind, ..)| kind == "poll")
            .count(),
        2,
        "polls without news are not in the log"
    );
}

#[tokio::test]
async fn the_pace_follows_the_shop() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(5, 3, shop.now() - 90 * 86_400_000);
    shop.import().await;
    shop.turn_until_waiting().await;
    assert_eq!(shop.next().await, Step::Wait { ms: plan::QUIET_MS });
    shop.remote.says("p1", shop.now(), "Hallo?");
    shop.pass(plan::QUIET_MS).await;
    assert_eq!(
        shop.next().await,
        Step::Wait {
            ms: plan::LIVELY_MS
        }
    );
}

impl Shop {
    async fn turn_until_waiting(&self) {
        while !matches!(self.next().await, Step::Wait { .. } | Step::Rest) {
            self.turn().await;
        }
    }
}

#[tokio::test]
async fn what_changed_at_the_platform_changes_here() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(3, 2, shop.now() - 86_400_000);
    let early = shop.now() - 600_000;
    let kept = shop.remote.says("ana", early, "Bitte zwei Brote");
    let taken_back = shop.remote.says("ana", early + 60_000, "Nein, drei!");
    shop.import().await;
    shop.remote.with(|world| {
        let thread = world.threads.get_mut("ana").unwrap();
        thread.retain(|message| message.mid != taken_back);
        thread[0].text = Some("Bitte zwei Laibe".into());
    });
    shop.remote.phone("ana", shop.now(), "Gern");
    shop.pass(120_000).await;
    let here = testing::held(&shop.opened.profile).await;
    assert!(
        !here.contains_key(&taken_back),
        "deleted there, erased here"
    );
    assert_eq!(here[&kept], "Bitte zwei Laibe");
    shop.holds_all().await;
}

#[tokio::test]
async fn a_comparison_finds_what_polls_missed_and_counts_it() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(60, 4, shop.now() - 3_600_000);
    shop.import().await;
    shop.remote.says("p59", shop.now(), "neu");
    shop.pass(120_000).await;
    // Below the watermark, where no poll looks.
    let late = shop.now() - 600_000;
    shop.remote.says("p7", late, "Noch da?");
    shop.remote.says("p8", late, "Hallo?");
    shop.remote.says("p8", late + 2_000, "Hallo??");
    shop.pass(60_000).await;
    assert!(shop.status().await.recovered.is_none());
    shop.pass(plan::RECONCILE_MS).await;
    let recovered = shop.status().await.recovered.unwrap();
    assert_eq!((recovered.messages, recovered.conversations), (3, 2));
    shop.holds_all().await;
}

#[tokio::test]
async fn after_a_night_fetching_goes_first_and_counts() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(40, 4, shop.now() - 86_400_000);
    shop.import().await;
    shop.turn_until_waiting().await;
    // The lid was closed: the wall clock went on, the monotonic one stood still.
    let morning = shop.now() + 9 * 3_600_000;
    for person in ["p1", "p2", "neue"] {
        shop.remote
            .says(person, morning - 3_600_000, "Guten Morgen");
    }
    shop.opened.clock.jump_to(morning);
    shop.live.slept();
    assert_eq!(shop.next().await, Step::Reconcile { gap: true });
    shop.turn().await;
    let recovered = shop.status().await.recovered.unwrap();
    assert_eq!((recovered.messages, recovered.conversations), (3, 3));
    assert!(matches!(shop.next().await, Step::Wait { .. }));
    shop.holds_all().await;
}

#[tokio::test]
async fn events_end_the_polling_until_one_is_missed() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(20, 4, shop.now() - 86_400_000);
    shop.import().await;
    let event = async |at_ms: i64| {
        let mut tx = shop
            .opened
            .profile
            .store
            .write(Priority::Owner)
            .await
            .unwrap();
        sqlx::query("UPDATE accounts SET subscribed_at_ms = 1, webhook_at_ms = ?")
            .bind(at_ms)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    shop.opened.profile.sync.set_link(Link::Live);
    shop.pass(plan::QUIET_MS).await;
    assert!(
        matches!(shop.next().await, Step::Wait { ms } if ms <= plan::QUIET_MS)
            || shop.next().await == Step::Poll,
        "connected, but nothing ever came that way: polled"
    );
    event(shop.now()).await;
    let Step::Wait { ms } = shop.next().await else {
        panic!("an event came: only the comparison is left");
    };
    assert!(ms > plan::QUIET_MS);

    // Meta told nobody about this one.
    shop.remote.says("p3", shop.now(), "Hallo?");
    shop.pass(plan::RECONCILE_MS).await;
    let recovered = shop.status().await.recovered.unwrap();
    assert_eq!((recovered.messages, recovered.conversations), (1, 1));
    shop.pass(plan::LIVELY_MS).await;
    assert!(
        matches!(shop.next().await, Step::Wait { ms } if ms <= plan::QUIET_MS),
        "one was missed: polled again"
    );
    event(shop.now()).await;
    assert!(matches!(shop.next().await, Step::Wait { ms } if ms > plan::QUIET_MS));
    shop.holds_all().await;
}

#[tokio::test]
async fn what_the_owner_chose_is_kept_to() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(40, 4, shop.now() - 86_400_000);
    let set = async |sql: &'static str| {
        let mut tx = shop
            .opened
            .profile
            .store
            .write(Priority::Owner)
            .await
            .unwrap();
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    set("UPDATE accounts SET auto_sync = 0").await;
    assert_eq!(shop.next().await, Step::Rest);
    shop.live.ask();
    shop.import().await;
    assert_eq!(shop.next().await, Step::Rest, "asked once, done once");
    shop.holds_all().await;
    set("UPDATE accounts SET auto_sync = 1, paused = 1").await;
    shop.live.ask();
    assert_eq!(shop.next().await, Step::Rest);
    assert_eq!(shop.status().await.state, "paused");
    set("UPDATE accounts SET paused = 0, state = 'reconnect_now'").await;
    assert_eq!(shop.next().await, Step::Rest);
    assert_eq!(shop.status().await.state, "stopped");
}

#[tokio::test]
async fn trouble_is_waited_out_and_named() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(30, 4, shop.now() - 86_400_000);
    shop.remote.with(|world| {
        world
            .next_faults
            .push_back(Fault::new(FaultKind::Offline, "offline"))
    });
    shop.turn().await;
    let status = shop.status().await;
    assert_eq!(
        (
            status.state.as_str(),
            status.awaiting.unwrap().code.as_str()
        ),
        ("offline", "network")
    );
    assert_eq!(shop.next().await, Step::Wait { ms: 5_000 });
    shop.live.ask();
    assert_eq!(shop.next().await, Step::List, "the owner may try at once");
    shop.remote.with(|world| {
        world
            .next_faults
            .push_back(Fault::new(FaultKind::RateLimited, "rate_limited").after(240_000))
    });
    shop.turn().await;
    shop.live.ask();
    assert_eq!(
        shop.next().await,
        Step::Wait { ms: 240_000 },
        "the platform's wish stands"
    );
    assert_eq!(shop.status().await.state, "waiting");
    shop.import().await;
    shop.holds_all().await;
}

#[tokio::test]
async fn no_progress_for_a_minute_says_what_is_awaited() {
    let shop = shop(FakeRemote::default()).await;
    shop.remote.fill(60, 4, shop.now() - 86_400_000);
    shop.turn().await;
    shop.live
        .begins(Step::List, shop.opened.clock.monotonic_ms(), true);
    shop.opened
        .clock
        .advance(Duration::from_millis(progress::STUCK_MS as u64 - 1));
    assert!(shop.status().await.awaiting.is_none());
    shop.opened.clock.advance(Duration::from_millis(1));
    assert_eq!(shop.status().await.awaiting.unwrap().code, "platform_slow");
}

#[tokio::test]
async fn one_accounts_trouble_is_not_the_others() {
    /// Only the second account is served.
    struct Half(FakeRemote, AccountId);
    #[async_trait::async_trait]
    impl Remote for Half {
        async fn threads(
            &self,
            account: AccountId,
            query: remote::ThreadQuery<'_>,
        ) -> Result<remote::ThreadPage, Fault> {
            if account == self.1 {
                self.0.threads(account, query).await
            } else {
                Err(Fault::new(FaultKind::Permission, "permission_missing"))
            }
        }
        async fn messages(
            &self,
            account: AccountId,
            thread: &str,
            after: Option<&str>,
            limit: u32,
            haste: remote::Haste,
        ) -> Result<remote::MessagePage, Fault> {
            self.0.messages(account, thread, after, limit, haste).await
        }
        async fn message(
            &self,
            account: AccountId,
            mid: &str,
        ) -> Result<crate::domain::IncomingMessage, Fault> {
            self.0.message(account, mid).await
        }
        async fn recent(
            &self,
            account: AccountId,
            person: &str,
        ) -> Result<Vec<crate::domain::IncomingMessage>, Fault> {
            self.0.recent(account, person).await
        }
        async fn send(&self, account: AccountId, letter: &remote::Letter) -> Result<String, Fault> {
            self.0.send(account, letter).await
        }
        fn clock_offset_ms(&self) -> Option<i64> {
            None
        }
    }
    let shop = shop(FakeRemote::default()).await;
    let profile = Arc::clone(&shop.opened.profile);
    let second = testing::account(&profile, "instagram").await;
    shop.remote.fill(70, 4, shop.now() - 86_400_000);
    let remote: Arc<dyn Remote> = Arc::new(Half(shop.remote.clone(), second));
    let stop = CancellationToken::new();
    let mut changes = profile.parts.changes.listen();
    let running = tokio::spawn(run_with(Arc::clone(&profile), remote, stop.clone()));
    while status_of(&profile, second)
        .await
        .unwrap()
        .unwrap()
        .imported_at_ms
        .is_none()
    {
        changes.recv().await.ok();
    }
    shop.holds_all().await;
    let mut first = status_of(&profile, shop.account).await.unwrap().unwrap();
    while first.state != "waiting" {
        changes.recv().await.ok();
        first = status_of(&profile, shop.account).await.unwrap().unwrap();
    }
    assert_eq!(first.found, 0);
    stop.cancel();
    running.await.unwrap();
}

/// Drops the future after so many polls: the program ends in the middle of anything.
async fn killed<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever fails, wherever the program ends, whatever is said meanwhile: at the end here is what is there.
    #[test]
    fn ends_holding_exactly_what_the_platform_holds(
        seed in any::<u64>(),
        kills in prop::collection::vec(1_u32..220, 1..6),
        people in 1_usize..130,
        most in 1_usize..45,
        trouble in 0_u32..25,
        empty_pages in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut shop = shop(FakeRemote::seeded(seed, trouble)).await;
            shop.remote.with(|world| world.empty_pages = empty_pages);
            shop.remote.fill(people, most, shop.now() - 30 * 86_400_000);
            for (n, polls) in kills.into_iter().enumerate() {
                let finished = killed(polls, shop.import()).await;
                shop.live = Live::default();
                recover(&shop.opened.profile).await.unwrap();
                shop.remote.with(|world| world.generation += u32::from(n % 2 == 1));
                shop.remote.says(&format!("p{}", n * 3), shop.now(), "zwischendurch");
                shop.opened.clock.advance(Duration::from_secs(3));
                if finished.is_some() {
                    break;
                }
            }
            shop.import().await;
            // What was said meanwhile comes with the next poll that works.
            shop.remote.with(|world| world.trouble = 0);
            shop.pass(plan::QUIET_MS).await;
            let (here, there) = (testing::held(&shop.opened.profile).await, shop.remote.holds());
            prop_assert_eq!(here.len(), there.len());
            prop_assert_eq!(here, there);
            Ok(())
        })?;
    }
}
