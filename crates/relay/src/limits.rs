//! Rate limits per address and per device, in memory, before anything is written (E59, C8).

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use governor::{
    Quota, RateLimiter, clock as limiter, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};
use shopbell_wire::{Refusal, Thumbprint};

use crate::{Clock, Limits, failure::Failure};

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

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, Time, NoOpMiddleware<Nanos>>;

/// Both limits.
pub(crate) struct Gate {
    addresses: Keyed<IpAddr>,
    devices: Keyed<Thumbprint>,
    time: Time,
}

impl Gate {
    pub(crate) fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        let quota = |per_minute: u32| {
            let burst = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
            Quota::per_minute(burst)
        };
        let time = Time(clock);
        Self {
            addresses: Keyed::dashmap_with_clock(quota(limits.address_per_minute), time.clone()),
            devices: Keyed::dashmap_with_clock(quota(limits.device_per_minute), time.clone()),
            time,
        }
    }

    pub(crate) fn address(&self, ip: IpAddr) -> Result<(), Failure> {
        self.addresses
            .check_key(&network(ip))
            .map_err(|not_until| self.refusal(&not_until))
    }

    pub(crate) fn device(&self, device: &Thumbprint) -> Result<(), Failure> {
        self.devices
            .check_key(device)
            .map_err(|not_until| self.refusal(&not_until))
    }

    /// Forgets callers that have been quiet.
    pub(crate) fn purge(&self) {
        self.addresses.retain_recent();
        self.devices.retain_recent();
    }

    fn refusal(&self, not_until: &governor::NotUntil<Nanos>) -> Failure {
        let wait = not_until.wait_time_from(limiter::Clock::now(&self.time));
        Failure::Refused(
            Refusal::RateLimited,
            Some(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).max(1)),
        )
    }
}

/// An IPv6 customer has at least a 64-bit network; limiting single addresses would limit nobody.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    #[test]
    fn a_limit_holds_and_heals_with_the_clock() {
        let now = Arc::new(AtomicI64::new(1_790_000_000_000));
        let seen = Arc::clone(&now);
        let gate = Gate::new(
            Limits {
                address_per_minute: 3,
                device_per_minute: 1,
            },
            Arc::new(move || seen.load(Ordering::Relaxed)),
        );
        let ip: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::ffff".parse().unwrap();
        for _ in 0..2 {
            gate.address(ip).unwrap();
        }
        gate.address(neighbour).unwrap();
        let Err(Failure::Refused(Refusal::RateLimited, Some(wait))) = gate.address(ip) else {
            panic!("not refused")
        };
        assert!(wait > 0 && wait <= 20_000, "{wait}");
        gate.address("192.0.2.1".parse().unwrap()).unwrap();
        now.fetch_add(wait, Ordering::Relaxed);
        gate.address(ip).unwrap();
        gate.purge();
        assert!(
            gate.address(ip).is_err(),
            "purging forgets nobody who is still over the limit"
        );
    }
}
