//! How fast we may ask: two conversation calls a second per account, less when Meta's usage figures are high, nothing when used up.
//!
//! Invariant: whoever is in a higher lane goes first; a call that would be refused is not made (calls made while throttled still
//! count, facts sheet §7). Waiting is never hidden for long: a stopped account answers at once with when to come back.

use super::{error_table, usage::Reported};
use crate::{Clock, domain::AccountId};
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Who goes first when calls compete for one account's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Sending, and looking whether a send arrived.
    Send,
    /// Somebody waits in front of the screen.
    Interactive,
    /// First sync, polling, profiles.
    Background,
}

/// Meta's limit for the Conversations API: calls …
const CALLS: usize = 2;
/// … per this time. A twentieth more than a second, because requests arrive less evenly than they leave.
const PER_MS: i64 = 1_050;
/// Time between calls once an account is slowed down.
const SLOW_MS: i64 = 2_000;
const SLOW_PERCENT: u32 = 75;
const STOP_PERCENT: u32 = 95;
const LONGEST_STOP_MS: i64 = 60 * 60_000;

pub(super) struct Budget {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    turn: Notify,
}

#[derive(Default)]
struct State {
    limits: HashMap<String, Limit>,
    queues: HashMap<AccountId, Queue>,
    next: u64,
}

#[derive(Default)]
struct Limit {
    percent: u32,
    stopped_until: i64,
    stops: u32,
}

#[derive(Default)]
struct Queue {
    waiting: BTreeSet<(Lane, u64)>,
    granted: VecDeque<i64>,
}

impl Queue {
    /// When the next call may start, given the pace.
    fn free_at(&self, slow: bool) -> i64 {
        if slow {
            return self.granted.back().map_or(i64::MIN, |last| last + SLOW_MS);
        }
        match self.granted.len().checked_sub(CALLS) {
            Some(nth) => self.granted[nth] + PER_MS,
            None => i64::MIN,
        }
    }
}

/// Takes a waiter out of the queue, also when its call is given up.
struct Place<'a> {
    budget: &'a Budget,
    account: AccountId,
    ticket: (Lane, u64),
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(queue) = self.budget.lock().queues.get_mut(&self.account) {
            queue.waiting.remove(&self.ticket);
        }
        self.budget.turn.notify_waiters();
    }
}

impl Budget {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            turn: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long everything about these objects must rest, if it must.
    pub(super) fn stopped_for_ms(&self, keys: &[String]) -> Option<i64> {
        let now = self.clock.monotonic_ms();
        let state = self.lock();
        keys.iter()
            .filter_map(|key| state.limits.get(key))
            .map(|limit| limit.stopped_until - now)
            .filter(|left| *left > 0)
            .max()
    }

    /// Slowed down or stopped: whatever can wait should.
    pub(super) fn throttled(&self, keys: &[String]) -> bool {
        self.stopped_for_ms(keys).is_some() || self.slow(keys)
    }

    fn slow(&self, keys: &[String]) -> bool {
        let state = self.lock();
        keys.iter().any(|key| {
            state
                .limits
                .get(key)
                .is_some_and(|limit| limit.percent >= SLOW_PERCENT)
        })
    }

    /// Waits for this account's turn to make a conversation call.
    ///
    /// # Errors
    /// Milliseconds to stay away, when the account is stopped.
    pub(super) async fn turn(
        &self,
        account: AccountId,
        keys: &[String],
        lane: Lane,
    ) -> Result<(), i64> {
        let ticket = {
            let mut state = self.lock();
            state.next += 1;
            let ticket = (lane, state.next);
            state
                .queues
                .entry(account)
                .or_default()
                .waiting
                .insert(ticket);
            ticket
        };
        let place = Place {
            budget: self,
            account,
            ticket,
        };
        loop {
            if let Some(left) = self.stopped_for_ms(keys) {
                return Err(left);
            }
            let slow = self.slow(keys);
            let changed = self.turn.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wait = {
                let now = self.clock.monotonic_ms();
                let mut state = self.lock();
                let queue = state.queues.entry(account).or_default();
                if queue.waiting.first() == Some(&place.ticket) {
                    let free_at = queue.free_at(slow);
                    if free_at <= now {
                        queue.granted.push_back(now);
                        if queue.granted.len() > CALLS {
                            queue.granted.pop_front();
                        }
                        return Ok(());
                    }
                    Some(u64::try_from(free_at - now).unwrap_or(0))
                } else {
                    None
                }
            };
            match wait {
                Some(ms) => {
                    tokio::select! {
                        () = self.clock.sleep(Duration::from_millis(ms)) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// Takes in the usage figures of an answer.
    pub(super) fn report(&self, app_key: &str, told: &Reported) {
        if let Some(app) = told.app {
            self.usage(app_key, app.percent, app.regain_minutes);
        }
        for (key, usage) in &told.objects {
            self.usage(key, usage.percent, usage.regain_minutes);
        }
    }

    fn usage(&self, key: &str, percent: u32, regain_minutes: u32) {
        let now = self.clock.monotonic_ms();
        let mut state = self.lock();
        let limit = state.limits.entry(key.to_owned()).or_default();
        limit.percent = percent;
        if percent >= STOP_PERCENT {
            let ms = limit.next_stop_ms(error_table::LIMIT_MS, regain_minutes);
            limit.stopped_until = limit.stopped_until.max(now + ms);
        } else if percent < SLOW_PERCENT && limit.stopped_until <= now {
            limit.stops = 0;
        }
    }

    /// Meta refused for a limit. Answers how long to stay away.
    pub(super) fn refused(&self, key: &str, first_ms: i64) -> i64 {
        let now = self.clock.monotonic_ms();
        let mut state = self.lock();
        let limit = state.limits.entry(key.to_owned()).or_default();
        // The figures of the same answer may have stopped the object already, for as long as Meta asked.
        if limit.stopped_until <= now {
            let ms = limit.next_stop_ms(first_ms, 0);
            limit.stopped_until = now + ms;
        }
        limit.stopped_until - now
    }

    /// A call worked: short limits start from the beginning again.
    pub(super) fn worked(&self, keys: &[String]) {
        let now = self.clock.monotonic_ms();
        let mut state = self.lock();
        for key in keys {
            if let Some(limit) = state.limits.get_mut(key)
                && limit.percent < SLOW_PERCENT
                && limit.stopped_until <= now
            {
                limit.stops = 0;
            }
        }
    }
}

impl Limit {
    /// Meta's estimate, else `first_ms` doubling up to an hour.
    fn next_stop_ms(&mut self, first_ms: i64, regain_minutes: u32) -> i64 {
        if regain_minutes > 0 {
            return i64::from(regain_minutes) * 60_000;
        }
        let ms = first_ms
            .saturating_mul(1 << self.stops.min(16))
            .min(LONGEST_STOP_MS.max(first_ms));
        self.stops += 1;
        ms
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{ManualClock, platform::usage::Usage};

    fn budget() -> (ManualClock, Arc<Budget>) {
        let clock = ManualClock::at(1_000_000);
        (clock.clone(), Arc::new(Budget::new(Arc::new(clock))))
    }

    fn told(key: &str, percent: u32, regain_minutes: u32) -> Reported {
        Reported {
            app: None,
            objects: vec![(
                key.into(),
                Usage {
                    percent,
                    regain_minutes,
                },
            )],
        }
    }

    #[tokio::test]
    async fn never_more_than_two_a_second_and_sends_first() {
        let (clock, budget) = budget();
        let account = AccountId(1);
        budget.turn(account, &[], Lane::Background).await.unwrap();
        budget.turn(account, &[], Lane::Background).await.unwrap();
        let (told, mut order) = tokio::sync::mpsc::unbounded_channel();
        let spawn = |lane: Lane| {
            let (budget, told) = (Arc::clone(&budget), told.clone());
            tokio::spawn(async move {
                budget.turn(account, &[], lane).await.unwrap();
                told.send(lane).unwrap();
            })
        };
        spawn(Lane::Background);
        clock.until_waiting(1).await;
        spawn(Lane::Interactive);
        spawn(Lane::Send);
        while budget.lock().queues[&account].waiting.len() < 3 {
            tokio::task::yield_now().await;
        }
        assert!(order.try_recv().is_err());
        clock.advance(Duration::from_millis(1_050));
        assert_eq!(order.recv().await, Some(Lane::Send));
        assert_eq!(order.recv().await, Some(Lane::Interactive));
        clock.until_waiting(1).await;
        assert!(order.try_recv().is_err());
        clock.advance(Duration::from_millis(1_050));
        assert_eq!(order.recv().await, Some(Lane::Background));
        // Another account has its own.
        budget
            .turn(AccountId(2), &[], Lane::Background)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_waiter_that_gives_up_does_not_block_the_queue() {
        let (clock, budget) = budget();
        let account = AccountId(1);
        for _ in 0..2 {
            budget.turn(account, &[], Lane::Background).await.unwrap();
        }
        let gone = {
            let budget = Arc::clone(&budget);
            tokio::spawn(async move { budget.turn(account, &[], Lane::Send).await })
        };
        clock.until_waiting(1).await;
        gone.abort();
        let _ = gone.await;
        clock.advance(Duration::from_millis(1_050));
        budget.turn(account, &[], Lane::Background).await.unwrap();
    }

    #[test]
    fn slows_at_75_and_stops_at_95_for_as_long_as_told() {
        let (clock, budget) = budget();
        let keys = ["1001".to_owned()];
        budget.report("app:facebook", &told("1001", 74, 0));
        assert!(!budget.throttled(&keys));
        budget.report("app:facebook", &told("1001", 75, 0));
        assert!(budget.throttled(&keys) && budget.stopped_for_ms(&keys).is_none());
        budget.report("app:facebook", &told("1001", 95, 12));
        assert_eq!(budget.stopped_for_ms(&keys), Some(12 * 60_000));
        clock.advance(Duration::from_secs(12 * 60));
        assert_eq!(budget.stopped_for_ms(&keys), None);
    }

    #[test]
    fn without_an_estimate_the_stop_doubles_to_an_hour_and_starts_again_after_a_success() {
        let (clock, budget) = budget();
        let keys = ["1001".to_owned()];
        let mut waits = Vec::new();
        for _ in 0..6 {
            let ms = budget.refused("1001", error_table::LIMIT_MS);
            waits.push(ms / 60_000);
            clock.advance(Duration::from_millis(u64::try_from(ms).unwrap()));
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
        budget.worked(&keys);
        assert_eq!(
            budget.refused("1001", error_table::LIMIT_MS),
            error_table::LIMIT_MS
        );
        // While stopped, another refusal does not double.
        assert_eq!(
            budget.refused("1001", error_table::LIMIT_MS),
            error_table::LIMIT_MS
        );
    }
}
