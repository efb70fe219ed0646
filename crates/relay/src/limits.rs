//! Rate limits per address, device and hook, in memory, before anything is written (E59, C8).
//!
//! Invariant: a limit is one word of [`Limit`] with one kind of caller; who is over it is told when to come back, and counted under the
//! word alone. Deciding which endpoint asks for which limit belongs to the endpoint; sockets are counted in `server`.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use governor::{
    Quota, RateLimiter, clock as limiter, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use shopbell_wire::{Refusal, Thumbprint};

use crate::{
    Clock, Limits,
    failure::Failure,
    metrics::{Counts, Limit, Word as _},
};

/// The relay's clock in the shape the limiter wants, so that tests move both.
#[derive(Clone)]
struct Time(Arc<dyn Clock>);

impl limiter::Clock for Time {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        Nanos::new(
            u64::try_from(self.0.now_ms())
                .unwrap_or(0)
                .saturating_mul(1_000_000),
        )
    }
}

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    Network(IpAddr),
    Device(Thumbprint),
    Hook(String),
}

type Keyed = RateLimiter<Who, DashMapStateStore<Who>, Time, NoOpMiddleware<Nanos>>;

/// All limits on calls.
pub(crate) struct Gate {
    buckets: Vec<Keyed>,
    time: Time,
    limited: Counts<Limit>,
    /// Networks over their share of webhooks without a good signature, and until when, UTC ms.
    shut_out: Mutex<HashMap<IpAddr, i64>>,
    /// How many those are: webhooks ask without taking the lock.
    shut_out_count: AtomicUsize,
}

impl Gate {
    pub(crate) fn new(limits: Limits, clock: Arc<dyn Clock>, limited: Counts<Limit>) -> Self {
        let time = Time(clock);
        let bucket = |limit: &Limit| {
            let burst = NonZeroU32::new(per_minute(&limits, *limit)).unwrap_or(NonZeroU32::MIN);
            Keyed::dashmap_with_clock(Quota::per_minute(burst), time.clone())
        };
        Self {
            buckets: Limit::ALL.iter().map(bucket).collect(),
            time,
            limited,
            shut_out: Mutex::default(),
            shut_out_count: AtomicUsize::new(0),
        }
    }

    /// One more call of an address.
    pub(crate) fn by_address(&self, limit: Limit, ip: IpAddr) -> Result<(), Failure> {
        self.count(limit, &Who::Network(network(ip)))
    }

    /// One more call of a device whose proof was checked.
    pub(crate) fn by_device(&self, limit: Limit, device: &Thumbprint) -> Result<(), Failure> {
        self.count(limit, &Who::Device(device.clone()))
    }

    /// One more post to a hook that exists.
    pub(crate) fn by_hook(&self, limit: Limit, hook: &str) -> Result<(), Failure> {
        self.count(limit, &Who::Hook(hook.to_owned()))
    }

    /// [`Limit::Address`].
    pub(crate) fn address(&self, ip: IpAddr) -> Result<(), Failure> {
        self.by_address(Limit::Address, ip)
    }

    /// [`Limit::Device`].
    pub(crate) fn device(&self, device: &Thumbprint) -> Result<(), Failure> {
        self.by_device(Limit::Device, device)
    }

    /// Asked before a webhook's body is read. Only callers that sent too many without a good signature are refused.
    pub(crate) fn webhook(&self, ip: IpAddr) -> Result<(), Failure> {
        if self.shut_out_count.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let now_ms = self.time.0.now_ms();
        let until_ms = self.shut_out().get(&network(ip)).copied().unwrap_or(0);
        if until_ms <= now_ms {
            return Ok(());
        }
        self.limited.one(Limit::UnsignedWebhook);
        Err(limited(until_ms.saturating_sub(now_ms)))
    }

    /// Notes a webhook without a good signature.
    pub(crate) fn unsigned_webhook(&self, ip: IpAddr) {
        // Behind a proxy whose addresses are not trusted everybody is this one address: Meta, too.
        if is_near(ip) {
            return;
        }
        let network = network(ip);
        let bucket = &self.buckets[Limit::UnsignedWebhook.place()];
        if let Err(not_until) = bucket.check_key(&Who::Network(network)) {
            let until_ms = self.time.0.now_ms().saturating_add(self.wait(&not_until));
            let mut shut_out = self.shut_out();
            shut_out.insert(network, until_ms);
            self.shut_out_count.store(shut_out.len(), Ordering::Relaxed);
        }
    }

    /// Forgets callers that have been quiet.
    pub(crate) fn purge(&self) {
        for bucket in &self.buckets {
            bucket.retain_recent();
        }
        let now_ms = self.time.0.now_ms();
        let mut shut_out = self.shut_out();
        shut_out.retain(|_, until_ms| *until_ms > now_ms);
        self.shut_out_count.store(shut_out.len(), Ordering::Relaxed);
    }

    fn count(&self, limit: Limit, who: &Who) -> Result<(), Failure> {
        self.buckets[limit.place()]
            .check_key(who)
            .map_err(|not_until| {
                self.limited.one(limit);
                limited(self.wait(&not_until))
            })
    }

    fn wait(&self, not_until: &governor::NotUntil<Nanos>) -> i64 {
        let wait = not_until.wait_time_from(limiter::Clock::now(&self.time));
        i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).max(1)
    }

    fn shut_out(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, i64>> {
        self.shut_out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn limited(wait_ms: i64) -> Failure {
    Failure::Refused(Refusal::RateLimited, Some(wait_ms))
}

fn per_minute(limits: &Limits, limit: Limit) -> u32 {
    match limit {
        Limit::Address => limits.address_per_minute,
        Limit::Device => limits.device_per_minute,
        Limit::SignIn => limits.sign_ins_per_minute,
        Limit::StreamAddress => limits.streams_per_minute,
        Limit::StreamDevice => limits.streams_per_device_minute,
        Limit::HookChange => limits.hook_changes_per_minute,
        Limit::ShopHook => limits.shop_posts_per_minute,
        Limit::CollectHook => limits.collect_posts_per_minute,
        Limit::CollectAddress => limits.collect_per_address_minute,
        Limit::Media => limits.media_per_minute,
        Limit::MediaFetch => limits.media_fetches_per_minute,
        Limit::UnsignedWebhook => limits.unsigned_webhooks_per_minute,
    }
}

/// An IPv6 customer has at least a 64-bit network; limiting single addresses would limit nobody.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// On this computer or in a private network: where proxies are and Meta is not.
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
