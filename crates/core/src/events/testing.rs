//! A shop whose events come through a relay: entries as Meta writes them, sealed as the relay seals them, taken in without a network.
#![allow(clippy::unwrap_used)]

use super::{Place, Taken, take};
use crate::{
    Profile,
    accounts::testing,
    domain::AccountId,
    profile::testing::{Opened, offline_profile},
    store::{Priority, StoreError},
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use shopbell_wire::{
    Delivery, DeviceKeys, EventKind, EventOpener, EventSealer, OwnerNotice, Provider,
};
use std::sync::Arc;

/// 2026-01-05 08:59 UTC, a minute before the clock of tests.
pub(crate) const BEFORE: i64 = 1_767_603_540_000;
/// The bakery's Page.
pub(crate) const BAKERY: &str = "page/1001";
/// Another Page of the same owner.
pub(crate) const CAFE: &str = "page/2002";
/// The relay's storage.
pub(crate) const EPOCH: &str = "0a0a";

/// What a relay has that seals to one computer.
pub(crate) struct Sealing {
    sealer: EventSealer,
    next: u8,
}

impl Sealing {
    /// For a computer.
    pub(crate) fn to(keys: &DeviceKeys) -> Self {
        let mut rng = StdRng::seed_from_u64(20_260_105);
        Self {
            sealer: EventSealer::new(&keys.public(), &mut rng).unwrap(),
            next: 0,
        }
    }

    /// One event as bytes. Received a minute before the clock of tests.
    pub(crate) fn event(&mut self, kind: EventKind, subject: &str, plain: &[u8]) -> Vec<u8> {
        self.next = self.next.wrapping_add(1);
        let id = [self.next; 16];
        let sealed = self.sealer.seal(kind, id, subject, BEFORE, plain);
        sealed.unwrap().to_bytes()
    }

    /// An entry of a webhook.
    pub(crate) fn meta(&mut self, subject: &str, entry: &Value) -> Vec<u8> {
        self.event(EventKind::META, subject, entry.to_string().as_bytes())
    }
}

/// Wraps events of one account as Meta does.
pub(crate) fn entry(subject: &str, events: &[Value]) -> Value {
    let id = subject.split_once('/').unwrap().1;
    json!({ "object": "page", "entry": { "id": id, "time": BEFORE, "messaging": events } })
}

/// A customer writes.
pub(crate) fn says(subject: &str, who: &str, mid: &str, text: &str) -> Value {
    entry(
        subject,
        &[customer(subject, who, json!({ "mid": mid, "text": text }))],
    )
}

/// A customer takes a message back.
pub(crate) fn unsays(subject: &str, who: &str, mid: &str) -> Value {
    entry(
        subject,
        &[customer(
            subject,
            who,
            json!({ "mid": mid, "is_deleted": true }),
        )],
    )
}

/// Something a customer did.
pub(crate) fn customer(subject: &str, who: &str, message: Value) -> Value {
    let id = subject.split_once('/').unwrap().1;
    json!({ "sender": { "id": who }, "recipient": { "id": id }, "timestamp": BEFORE, "message": message })
}

/// What Meta says about the owner `user-1` of the fixtures.
pub(crate) fn notice(code: Option<&str>) -> Vec<u8> {
    let notice = OwnerNotice {
        provider: Provider::Facebook,
        user_id: "user-1".into(),
        issued_at_ms: None,
        code: code.map(Into::into),
    };
    serde_json::to_vec(&notice).unwrap()
}

/// A profile with the bakery and the café, and a relay's sealing to it.
pub(crate) struct Shop {
    pub(crate) opened: Opened,
    pub(crate) bakery: AccountId,
    pub(crate) cafe: AccountId,
    pub(crate) sealing: Sealing,
    pub(crate) keys: Arc<DeviceKeys>,
    pub(crate) place: Place,
}

impl Shop {
    /// Opens it; the relay is ready and has sent nothing yet.
    pub(crate) async fn open() -> Self {
        Self::in_profile(offline_profile().await).await
    }

    /// In a profile that is open.
    pub(crate) async fn in_profile(opened: Opened) -> Self {
        let profile = &*opened.profile;
        let bakery = testing::page(profile, "1001").await;
        let cafe = testing::page(profile, "2002").await;
        let keys = profile.relay.keys(&profile.vault).await.unwrap();
        let place = Place {
            relay: profile.parts.endpoints.relay.to_string(),
            epoch: EPOCH.into(),
            rewinds: 0,
            committed: 0,
        };
        Self {
            bakery,
            cafe,
            sealing: Sealing::to(&keys),
            keys,
            place,
            opened,
        }
    }

    /// The open profile.
    pub(crate) fn profile(&self) -> &Profile {
        &self.opened.profile
    }

    /// Events that follow on what was taken in so far.
    pub(crate) fn deliveries(&self, events: Vec<Vec<u8>>) -> Vec<Delivery> {
        let first = self.place.committed + 1;
        (first..)
            .zip(events)
            .map(|(offset, event)| Delivery {
                offset,
                prev: offset - 1,
                event,
            })
            .collect()
    }

    /// Takes events in, in one batch.
    pub(crate) async fn try_take(&mut self, events: Vec<Vec<u8>>) -> Result<Taken, StoreError> {
        let deliveries = self.deliveries(events);
        let mut opener = EventOpener::new(&self.keys);
        let taken = take(&self.opened.profile, &mut opener, &self.place, deliveries).await?;
        self.place.committed = taken.committed;
        Ok(taken)
    }

    /// Takes events in, in one batch.
    pub(crate) async fn take(&mut self, events: Vec<Vec<u8>>) {
        self.try_take(events).await.unwrap();
    }

    /// The bakery's customer writes, and it is taken in.
    pub(crate) async fn hears(&mut self, who: &str, mid: &str, text: &str) {
        let event = self.sealing.meta(BAKERY, &says(BAKERY, who, mid, text));
        self.take(vec![event]).await;
    }

    /// One text per row of a question.
    pub(crate) async fn look(&self, sql: &'static str) -> Vec<String> {
        look(self.profile(), sql).await
    }

    /// Changes the database behind everybody's back.
    pub(crate) async fn tamper(&self, sql: &'static str) {
        let mut tx = self.profile().store.write(Priority::Owner).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// One text per row of a question.
pub(crate) async fn look(profile: &Profile, sql: &'static str) -> Vec<String> {
    let mut read = profile.store.read().await.unwrap();
    let rows: Vec<Option<String>> = sqlx::query_scalar(sql).fetch_all(&mut *read).await.unwrap();
    rows.into_iter().map(Option::unwrap_or_default).collect()
}

/// What became of every event, oldest first: state, reason's code, whether its bytes are here.
pub(crate) const FATES: &str = "SELECT state || ' ' || coalesce(reason ->> '$.code', '-') || iif(body IS NULL, ' empty', '') FROM raw_events ORDER BY id";
