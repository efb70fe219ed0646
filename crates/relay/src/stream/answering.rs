//! Who answers for an account (decision T15): one computer at a time, by a lease with a term.
//!
//! The stream of a holder keeps its lease alive; when a holder was gone for longer than its lease, the bound computer that is connected
//! and was bound first takes it under the next term. The owner may move it at any time. The lease itself is in the storage, where taking
//! it is atomic over all nodes; this module decides when to ask for it.
//!
//! Invariant: nobody is told to answer under a lease the storage did not give. A computer that hears nothing stops at the end it knows.

use std::{sync::Arc, time::Duration};

use shopbell_wire::{ANSWERING_LEASE_MS, AccountRef, CloseReason, Thumbprint};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    app::App,
    metrics::StorageWork,
    storage::{AnsweringLease, StorageError, Stored},
};

/// How often leases are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A lease with less than this left is renewed: thirty seconds after the last time.
const RENEW_BELOW_MS: i64 = ANSWERING_LEASE_MS / 3 * 2;
/// Leases renewed with one call of the storage.
const RENEWED_TOGETHER: usize = 500;

/// What is to be done about a lease.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Nothing,
    /// Take or renew it for this device.
    Ask(&'a Thumbprint),
}

/// Decides. `here` are the bound devices with a stream on this node, first bound first.
fn step<'a>(lease: Option<&AnsweringLease>, here: &'a [Thumbprint], now_ms: i64) -> Step<'a> {
    let ask = |device: Option<&'a Thumbprint>| device.map_or(Step::Nothing, Step::Ask);
    let Some(lease) = lease else {
        return ask(here.first());
    };
    match here.iter().find(|device| **device == lease.device) {
        Some(holder) if lease.until_ms.saturating_sub(now_ms) < RENEW_BELOW_MS => Step::Ask(holder),
        Some(_) => Step::Nothing,
        None if lease.until_ms < now_ms => ask(here.first()),
        None => Step::Nothing,
    }
}

/// Looks at one account anew: who is bound, who answers. After a change, and when a device arrives.
pub(super) async fn look(app: &App, account: &AccountRef) -> Stored<()> {
    let now_ms = app.now_ms();
    let bound: Vec<Thumbprint> = app
        .storage
        .receivers(account, now_ms)
        .await?
        .iter()
        .map(|receiver| receiver.device.thumbprint())
        .collect();
    let here = app.streams.regroup(account, &bound);
    if here.is_empty() {
        return Ok(());
    }
    settle(app, account, &here).await
}

async fn settle(app: &App, account: &AccountRef, here: &[Thumbprint]) -> Stored<()> {
    let now_ms = app.now_ms();
    let lease = app.storage.answering(account).await?;
    let lease = match step(lease.as_ref(), here, now_ms) {
        Step::Nothing => lease,
        Step::Ask(device) => Some(
            app.storage
                .answer(account, device, false, now_ms, now_ms + ANSWERING_LEASE_MS)
                .await?,
        ),
    };
    if let Some(lease) = lease {
        app.streams.note_lease(account, lease);
    }
    Ok(())
}

/// A device that just took its seat: reads its accounts, tries to answer for them.
pub(super) async fn arrive(app: &App, device: &Thumbprint) -> Stored<()> {
    for binding in app.storage.bindings_of(device, app.now_ms()).await? {
        look(app, &binding.account).await?;
    }
    Ok(())
}

/// The owner wants this device to answer. Not bound to the account: nothing happens, because the binding may have gone a moment ago.
pub(super) async fn insist(app: &App, device: &Thumbprint, account: &AccountRef) -> Stored<()> {
    if !app.streams.is_bound(device, account) {
        return Ok(());
    }
    let now_ms = app.now_ms();
    let lease = app
        .storage
        .answer(account, device, true, now_ms, now_ms + ANSWERING_LEASE_MS)
        .await?;
    app.streams.note_lease(account, lease);
    Ok(())
}

/// Renews what is held here and takes what nobody holds any more.
pub(crate) async fn keep(app: &App) -> Stored<()> {
    let now_ms = app.now_ms();
    let mut renewals = Vec::new();
    for (account, here, lease) in app.streams.leases() {
        match step(lease.as_ref(), &here, now_ms) {
            Step::Nothing => {}
            Step::Ask(device) if lease.as_ref().is_some_and(|lease| lease.device == *device) => {
                renewals.push((account, device.clone()));
            }
            // What is known here may be old: another node may have renewed it.
            Step::Ask(_) => settle(app, &account, &here).await?,
        }
    }
    for some in renewals.chunks(RENEWED_TOGETHER) {
        let until_ms = now_ms + ANSWERING_LEASE_MS;
        let leases = app.storage.renew_answers(some, now_ms, until_ms).await?;
        for ((account, _), lease) in some.iter().zip(leases) {
            app.streams.note_lease(account, lease);
        }
    }
    Ok(())
}

/// Follows the storage's changes and the time until the relay stops.
pub(crate) async fn follow(app: Arc<App>) {
    let mut changes = app.storage.binding_changes();
    let mut seen = *changes.borrow();
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.stop.cancelled() => {
                app.streams.close_all(CloseReason::GoingAway);
                return;
            }
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            _ = ticks.tick() => {
                if let Err(error) = keep(&app).await {
                    fault(&app, &error);
                }
            }
        }
        // After a fault the same changes are gone through again with the next tick.
        let now = *changes.borrow_and_update();
        if now != seen {
            match after_changes(&app, seen).await {
                Ok(()) => seen = now,
                Err(error) => fault(&app, &error),
            }
        }
    }
}

async fn after_changes(app: &App, seen: u64) -> Stored<()> {
    let accounts = match app.storage.changed_accounts(seen) {
        Some(accounts) => accounts,
        None => {
            let mut all = app.streams.accounts();
            for device in app.streams.devices() {
                let bindings = app.storage.bindings_of(&device, app.now_ms()).await?;
                all.extend(bindings.into_iter().map(|binding| binding.account));
            }
            all.sort();
            all.dedup();
            all
        }
    };
    for account in accounts {
        look(app, &account).await?;
    }
    Ok(())
}

/// What the storage did not do is tried again with the next look.
pub(super) fn fault(app: &App, error: &StorageError) {
    app.metrics.storage_errors.one(StorageWork::Bindings);
    tracing::error!(%error, "answering");
}

#[cfg(test)]
mod tests {
    use shopbell_wire::DeviceKeys;

    use super::*;

    const NOW: i64 = 1_790_000_000_000;

    fn device(byte: u8) -> Thumbprint {
        DeviceKeys::from_random_bytes(&[byte; 64]).thumbprint()
    }

    fn lease(device: &Thumbprint, left_ms: i64) -> AnsweringLease {
        AnsweringLease {
            device: device.clone(),
            term: 3,
            until_ms: NOW + left_ms,
        }
    }

    #[test]
    fn nobody_answers_so_the_first_bound_asks() {
        let (shop, home) = (device(1), device(2));
        let here = [shop.clone(), home.clone()];
        assert_eq!(step(None, &here, NOW), Step::Ask(&shop));
        assert_eq!(step(None, &[], NOW), Step::Nothing);
        assert_eq!(
            step(Some(&lease(&device(3), -1)), &here, NOW),
            Step::Ask(&shop)
        );
    }

    #[test]
    fn a_holder_elsewhere_is_left_alone_to_the_last_millisecond() {
        let here = [device(1)];
        for left_ms in [0, 1, ANSWERING_LEASE_MS] {
            assert_eq!(
                step(Some(&lease(&device(3), left_ms)), &here, NOW),
                Step::Nothing
            );
        }
    }

    #[test]
    fn a_holder_here_renews_after_thirty_seconds_and_also_too_late() {
        let (shop, home) = (device(1), device(2));
        let here = [shop, home.clone()];
        let left = |ms| step(Some(&lease(&home, ms)), &here, NOW) == Step::Ask(&home);
        assert!(!left(ANSWERING_LEASE_MS));
        assert!(!left(60_000));
        assert!(left(59_999));
        assert!(left(-10));
    }
}
