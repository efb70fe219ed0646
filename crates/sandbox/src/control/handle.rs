//! The handle of a test or of the HTTP controls: give orders to the world, look at it, wait for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::ControlError;
use super::commands::{
    AccountChange, Callback, CallbackAnswer, ClockOrder, OneMessage, PageSays, Person, RawEvent,
    React, Receipt, Said, Say, SignedRequest, Tap, TokenOrder,
};
use super::consent::Consent;
use crate::clock::{Clock, HOUR};
use crate::faults::Fault;
use crate::http::Shared;
use crate::journal::Entry;
use crate::switches::Switches;
use crate::webhooks::{sign, verify};

/// The world of one running sandbox.
#[derive(Clone, Debug)]
pub struct WorldHandle {
    pub(super) shared: Arc<Shared>,
}

impl WorldHandle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        WorldHandle { shared }
    }

    pub(super) fn ring(&self) {
        self.shared.bell.notify_one();
    }

    /// A customer writes.
    pub fn say(&self, say: Say) -> Result<Said, ControlError> {
        let said = self.shared.world().say(say);
        self.ring();
        said
    }

    /// The owner answers from the phone or another app.
    pub fn page_says(&self, says: PageSays) -> Result<Said, ControlError> {
        let said = self.shared.world().page_says(says);
        self.ring();
        said
    }

    /// A customer reacts, or takes a reaction back.
    pub fn react(&self, react: React) -> Result<(), ControlError> {
        let result = self.shared.world().react(react);
        self.ring();
        result
    }

    /// A customer edits a message.
    pub fn edit(&self, edit: OneMessage) -> Result<(), ControlError> {
        let result = self.shared.world().edit(edit);
        self.ring();
        result
    }

    /// A message is unsent.
    pub fn unsend(&self, unsend: OneMessage) -> Result<(), ControlError> {
        let result = self.shared.world().unsend(&unsend.message);
        self.ring();
        result
    }

    /// A customer reads (or only receives), now or later.
    pub fn read(&self, receipt: Receipt) -> Result<(), ControlError> {
        let result = self.shared.world().receipt(receipt);
        self.ring();
        result
    }

    /// A customer taps a button.
    pub fn tap(&self, tap: Tap) -> Result<(), ControlError> {
        let result = self.shared.world().tap(tap);
        self.ring();
        result
    }

    /// Something about a person changes.
    pub fn person(&self, person: Person) -> Result<(), ControlError> {
        self.shared.world().change_person(person)
    }

    /// Something about an account changes.
    pub fn account(&self, change: AccountChange) -> Result<(), ControlError> {
        self.shared.world().change_account(change)
    }

    /// Something happens to tokens; answers how many were touched.
    pub fn tokens(&self, order: &TokenOrder) -> usize {
        self.shared.world().change_tokens(order)
    }

    /// Scripts the next dialog.
    pub fn consent(&self, consent: Consent) {
        self.shared.world().consents.push_back(consent);
    }

    /// Forgets scripted dialogs.
    pub fn clear_consents(&self) {
        self.shared.world().consents.clear();
    }

    /// Orders trouble.
    pub fn fault(&self, fault: Fault) {
        self.shared.world().faults.order(fault);
    }

    /// Takes all orders for trouble back.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// The open behaviours as they are.
    pub fn switches(&self) -> Switches {
        self.shared.world().switches.clone()
    }

    /// Changes open behaviours; the limits' counters start anew.
    pub fn set_switches(&self, change: impl FnOnce(&mut Switches)) {
        let mut world = self.shared.world();
        change(&mut world.switches);
        world.counters.clear();
    }

    /// The same from a JSON object with only the changed names.
    pub fn patch_switches(&self, patch: &Value) -> Result<Switches, ControlError> {
        let mut all = serde_json::to_value(self.switches())
            .map_err(|error| ControlError::Parse(error.to_string()))?;
        if let (Value::Object(all), Value::Object(patch)) = (&mut all, patch) {
            all.extend(patch.clone());
        }
        let switches: Switches =
            serde_json::from_value(all).map_err(|error| ControlError::Parse(error.to_string()))?;
        self.set_switches(|present| *present = switches.clone());
        Ok(switches)
    }

    /// The sandbox's time, UTC milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.shared.world().now_ms()
    }

    /// Moves the clock; what was planned until then happens.
    pub fn advance_ms(&self, by_ms: i64) -> i64 {
        self.clock(&ClockOrder {
            advance_ms: by_ms,
            standing: None,
        })
    }

    /// Moves, stops or starts the clock; answers the time it then shows.
    pub fn clock(&self, order: &ClockOrder) -> i64 {
        let mut world = self.shared.world();
        let now = world.now_ms();
        match order.standing {
            Some(true) => world.clock = Clock::Standing { now_ms: now },
            Some(false) => {
                let offset_ms = now - Clock::starting(None).now_ms();
                world.clock = Clock::Running { offset_ms };
            }
            None => {}
        }
        world.clock.advance(order.advance_ms);
        world.catch_up();
        let now = world.now_ms();
        drop(world);
        self.ring();
        now
    }

    /// Points webhooks and redirects somewhere, with the GET verification if asked.
    pub async fn callback(&self, callback: Callback) -> Result<(), ControlError> {
        let (url, token, challenge) = {
            let mut world = self.shared.world();
            world.config.redirect_uris.extend(callback.redirect_uris);
            let Some(url) = callback.webhook_url else {
                return Ok(());
            };
            let challenge = world.chance.digits("1", 10);
            (url, world.config.verify_token.clone(), challenge)
        };
        if callback.verify {
            verify::ask(&self.shared.client, &url, &token, &challenge)
                .await
                .map_err(ControlError::Callback)?;
        }
        self.shared.world().mailbox.point_at(&url);
        Ok(())
    }

    /// Sends a hand-written event through both subscription layers.
    pub fn event(&self, event: RawEvent) -> Result<(), ControlError> {
        let result = self.shared.world().raw_event(event);
        self.ring();
        result
    }

    /// Posts a deauthorize or data-deletion callback; answers what it said.
    pub async fn signed_request(
        &self,
        order: SignedRequest,
    ) -> Result<CallbackAnswer, ControlError> {
        let (secret, issued_ms) = {
            let world = self.shared.world();
            let keys = if order.instagram {
                &world.config.instagram
            } else {
                &world.config.facebook
            };
            let secret = if order.forged {
                format!("{}?", keys.secret)
            } else {
                keys.secret.clone()
            };
            (secret, world.now_ms() - order.age_ms.max(0))
        };
        let expires = (issued_ms + HOUR) / 1_000;
        let word = sign::signed_request(&secret, &order.user_id, issued_ms / 1_000, expires);
        let answer = self
            .shared
            .client
            .post(&order.url)
            .form(&[("signed_request", word)])
            .timeout(Duration::from_secs(5))
            .send()
            .await;
        let Ok(answer) = answer else {
            return Ok(CallbackAnswer {
                status: 0,
                body: String::new(),
            });
        };
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap_or_default();
        Ok(CallbackAnswer { status, body })
    }

    /// Waits until every event that is due was posted (or put off).
    pub async fn settled(&self) {
        loop {
            let sent = self.shared.sent.notified();
            tokio::pin!(sent);
            sent.as_mut().enable();
            {
                let mut world = self.shared.world();
                world.catch_up();
                let now = world.now_ms();
                if world.mailbox.settled(now) && world.shops.settled(now) {
                    return;
                }
            }
            self.ring();
            sent.await;
        }
    }

    /// Forgets what was delivered and dropped so far.
    pub fn clear_deliveries(&self) {
        let mut world = self.shared.world();
        world.mailbox.delivered.clear();
        world.mailbox.dropped.clear();
    }

    /// Everything the sandbox holds, as JSON (see the README for its shape).
    pub fn state(&self) -> Value {
        self.shared.world().state()
    }

    /// Every call received and what was answered.
    pub fn journal(&self) -> Vec<Entry> {
        self.shared.world().journal.entries()
    }

    /// Forgets the calls so far.
    pub fn clear_journal(&self) {
        self.shared.world().journal.clear();
    }

    /// Webhooks that were posted and events that were dropped.
    pub fn deliveries(&self) -> Value {
        let world = self.shared.world();
        serde_json::json!({"delivered": world.mailbox.delivered, "dropped": world.mailbox.dropped})
    }
}
