#![allow(clippy::unwrap_used)]

use std::sync::atomic::AtomicI64;

use super::*;
use crate::metrics::Metrics;

struct Door {
    gate: Gate,
    now: Arc<AtomicI64>,
    metrics: Metrics,
}

fn door(limits: Limits) -> Door {
    let now = Arc::new(AtomicI64::new(1_790_000_000_000));
    let seen = Arc::clone(&now);
    let metrics = Metrics::new();
    let clock = Arc::new(move || seen.load(Ordering::Relaxed));
    let gate = Gate::new(limits, clock, metrics.limits.clone());
    Door { gate, now, metrics }
}

fn wait_of(refused: Result<(), Failure>) -> i64 {
    match refused {
        Err(Failure::Refused(Refusal::RateLimited, Some(wait))) => wait,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_limit_holds_and_heals_with_the_clock() {
    let Door { gate, now, metrics } = door(Limits {
        address_per_minute: 3,
        ..Limits::default()
    });
    let ip: IpAddr = "2001:db8::1".parse().unwrap();
    let neighbour: IpAddr = "2001:db8::ffff".parse().unwrap();
    for _ in 0..2 {
        gate.address(ip).unwrap();
    }
    gate.address(neighbour).unwrap();
    let wait = wait_of(gate.address(ip));
    assert!(wait > 0 && wait <= 20_000, "{wait}");
    assert_eq!(metrics.limits.get(Limit::Address), 1);
    gate.address("192.0.2.1".parse().unwrap()).unwrap();
    now.fetch_add(wait, Ordering::Relaxed);
    gate.address(ip).unwrap();
    gate.purge();
    assert!(
        gate.address(ip).is_err(),
        "purging forgets nobody who is still over the limit"
    );
}

#[test]
fn every_limit_has_its_own_bucket_and_its_own_option() {
    let Door { gate, .. } = door(Limits {
        media_per_minute: 1,
        ..Limits::all(1000)
    });
    let anna = shopbell_wire::DeviceKeys::from_random_bytes(&[1; 64]).thumbprint();
    gate.by_device(Limit::Media, &anna).unwrap();
    wait_of(gate.by_device(Limit::Media, &anna));
    gate.by_device(Limit::HookChange, &anna).unwrap();
    gate.device(&anna).unwrap();

    let mut limits = Limits::all(1);
    let mut seen = std::collections::BTreeSet::new();
    for (place, field) in [
        &mut limits.address_per_minute,
        &mut limits.device_per_minute,
        &mut limits.sign_ins_per_minute,
        &mut limits.streams_per_minute,
        &mut limits.streams_per_device_minute,
        &mut limits.hook_changes_per_minute,
        &mut limits.shop_posts_per_minute,
        &mut limits.collect_posts_per_minute,
        &mut limits.collect_per_address_minute,
        &mut limits.media_per_minute,
        &mut limits.media_fetches_per_minute,
        &mut limits.unsigned_webhooks_per_minute,
    ]
    .into_iter()
    .enumerate()
    {
        *field = 100 + u32::try_from(place).unwrap();
    }
    for limit in Limit::ALL {
        assert!(seen.insert(per_minute(&limits, *limit)), "{limit:?}");
    }
    assert!(!seen.contains(&1));
}

#[test]
fn forged_webhooks_shut_their_sender_out_and_nobody_else() {
    let Door { gate, now, metrics } = door(Limits {
        unsigned_webhooks_per_minute: 5,
        ..Limits::default()
    });
    let (forger, meta): (IpAddr, IpAddr) = (
        "198.51.100.7".parse().unwrap(),
        "203.0.113.9".parse().unwrap(),
    );
    for _ in 0..5 {
        gate.webhook(forger).unwrap();
        gate.unsigned_webhook(forger);
    }
    gate.webhook(forger)
        .expect("its share is used up, not overdrawn");
    gate.unsigned_webhook(forger);
    let wait = wait_of(gate.webhook(forger));
    for _ in 0..10_000 {
        gate.webhook(meta).unwrap();
    }
    assert_eq!(metrics.limits.get(Limit::UnsignedWebhook), 1);
    now.fetch_add(wait, Ordering::Relaxed);
    gate.webhook(forger).unwrap();
    gate.purge();
    assert_eq!(gate.shut_out_count.load(Ordering::Relaxed), 0);
}

#[test]
fn a_proxy_is_never_shut_out_because_meta_would_be_with_it() {
    let Door { gate, .. } = door(Limits {
        unsigned_webhooks_per_minute: 1,
        ..Limits::default()
    });
    for near in [
        "127.0.0.1",
        "10.1.2.3",
        "172.18.0.1",
        "::1",
        "fd00::1",
        "::ffff:192.168.1.1",
    ] {
        let near: IpAddr = near.parse().unwrap();
        for _ in 0..10 {
            gate.unsigned_webhook(near);
        }
        gate.webhook(near).unwrap();
    }
}
