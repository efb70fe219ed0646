//! Time, injected. Tests own a [`ManualClock`] and move it; nothing in the core reads the computer's clock by itself.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// A future that ends when a moment has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Wall time and waiting.
pub trait Clock: Send + Sync + 'static {
    /// UTC milliseconds.
    fn now_ms(&self) -> i64;
    /// Milliseconds that never run backwards and stand still while the computer sleeps, where the system can tell.
    fn monotonic_ms(&self) -> i64;
    /// Ends after `duration` of this clock. Dropping it cancels.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The computer's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// The computer's clock.
    pub fn new() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the computer's clock"
    )]
    fn now_ms(&self) -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that stands still until told to move.
#[derive(Clone, Default)]
pub struct ManualClock {
    inner: Arc<Mutex<Manual>>,
    registered: Arc<tokio::sync::Notify>,
}

#[derive(Default)]
struct Manual {
    now_ms: i64,
    monotonic_ms: i64,
    next: u64,
    sleepers: BTreeMap<(i64, u64), oneshot::Sender<()>>,
}

impl ManualClock {
    /// Starts at `now_ms` (UTC ms).
    pub fn at(now_ms: i64) -> Self {
        let clock = Self::default();
        clock.lock().now_ms = now_ms;
        clock
    }

    /// Moves on and wakes whoever waited for a moment that has come.
    pub fn advance(&self, duration: Duration) {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let due = {
            let mut inner = self.lock();
            inner.now_ms += ms;
            inner.monotonic_ms += ms;
            let next = (inner.monotonic_ms + 1, 0);
            let later = inner.sleepers.split_off(&next);
            std::mem::replace(&mut inner.sleepers, later)
        };
        for (_, wake) in due {
            let _ = wake.send(());
        }
    }

    /// Sets the wall clock without passing time: somebody changed the computer's clock.
    pub fn jump_to(&self, now_ms: i64) {
        self.lock().now_ms = now_ms;
    }

    /// How many waits are registered. With [`ManualClock::until_waiting`] a test knows that a task went to sleep.
    pub fn waiting(&self) -> usize {
        let mut inner = self.lock();
        inner.sleepers.retain(|_, wake| !wake.is_closed());
        inner.sleepers.len()
    }

    /// When the next registered wait is due, in ms from now.
    pub fn next_due_in_ms(&self) -> Option<i64> {
        let mut inner = self.lock();
        inner.sleepers.retain(|_, wake| !wake.is_closed());
        let now = inner.monotonic_ms;
        inner.sleepers.keys().next().map(|(at, _)| at - now)
    }

    /// Ends once at least `count` waits are registered.
    pub async fn until_waiting(&self, count: usize) {
        loop {
            let notified = self.registered.notified();
            if self.waiting() >= count {
                return;
            }
            notified.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Manual> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.lock().now_ms
    }

    fn monotonic_ms(&self) -> i64 {
        self.lock().monotonic_ms
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let (wake, woken) = oneshot::channel();
        {
            let mut inner = self.lock();
            let at = inner.monotonic_ms.saturating_add(ms);
            let n = inner.next;
            inner.next += 1;
            if ms == 0 {
                let _ = wake.send(());
            } else {
                inner.sleepers.insert((at, n), wake);
            }
        }
        self.registered.notify_waiters();
        Box::pin(async move {
            let _ = woken.await;
        })
    }
}
