//! What orders around conversations do to the world: referrals, handovers, opt-ins, policy, feedback, the
//! owner's messages to the own account.

use serde_json::json;

use super::ControlError;
use super::actions::missing;
use super::thread_commands::{Feedback, Handover, HandoverStep, Optin, Policy, Refer, ToSelf};
use crate::webhooks::{events, thread_events};
use crate::world::World;
use crate::world::people::{Account, Platform};
use crate::world::threads::{Message, Referral, ReferralKind};

/// Some other app that talks to customers too.
const OTHER_APP: &str = "731000000000009";

impl World {
    pub(crate) fn refer(&mut self, order: Refer) -> Result<String, ControlError> {
        let conversation = self.meant(
            order.conversation.as_deref(),
            order.account.as_deref(),
            order.customer.as_deref(),
            false,
        )?;
        let between = self
            .between(&conversation)
            .ok_or_else(|| missing("conversation", &conversation))?;
        let referral = Referral {
            from: order.from,
            word: order.word,
            ad_id: match order.ad_id {
                Some(id) => id,
                None => self.chance.digits("120", 17),
            },
            ad_title: order.ad_title,
            path: "product/cake-3.jpg".into(),
            product: order.product,
        };
        // An ad opens the reply window only when a message follows; a link does by itself.
        if order.from == ReferralKind::Link || order.started {
            self.touched(&between.customer);
        }
        if order.started {
            let mid = self.new_message_id(between.account.platform);
            let came_from = Some(&referral);
            let title = "Get Started";
            thread_events::postback(self, &between, Some(&mid), title, "GET_STARTED", came_from);
        } else if order.from == ReferralKind::Link || order.text.is_none() {
            thread_events::referral(self, &between, &referral);
        }
        if let Some(text) = order.text {
            let inside = order.from != ReferralKind::Link && !order.started;
            let message = Message {
                id: self.new_message_id(between.account.platform),
                created_ms: self.now_ms(),
                text,
                referral: inside.then_some(referral),
                ..Message::default()
            };
            let id = message.id.clone();
            self.put_message(&conversation, message);
            events::message(self, &conversation, &id);
        }
        Ok(conversation)
    }

    /// What opens the reply window without a message.
    pub(crate) fn touched(&mut self, customer: &str) {
        let now = self.now_ms();
        if let Some(person) = self.customers.get_mut(customer) {
            person.consented = true;
            person.last_contact_ms = now;
        }
    }

    pub(crate) fn hand_over(&mut self, order: &Handover) -> Result<(), ControlError> {
        let between = self
            .between(&order.conversation)
            .ok_or_else(|| missing("conversation", &order.conversation))?;
        let own = match between.account.platform {
            Platform::Instagram if self.mailbox.subscription(&between.account.id).is_some() => {
                self.config.instagram.id.clone()
            }
            _ => self.config.facebook.id.clone(),
        };
        let app = order.app.clone().unwrap_or_else(|| match order.step {
            HandoverStep::Pass | HandoverStep::Roles => own.clone(),
            HandoverStep::Take | HandoverStep::Request => OTHER_APP.to_owned(),
        });
        let previous = match (order.idle, between.standby) {
            (true, _) => None,
            (false, true) => Some(OTHER_APP.to_owned()),
            (false, false) => Some(own.clone()),
        };
        let control = json!({"previous_owner_app_id": previous, "new_owner_app_id": app,
            "metadata": order.metadata});
        let (key, value) = match order.step {
            HandoverStep::Pass => ("pass_thread_control", control),
            HandoverStep::Take => ("take_thread_control", control),
            HandoverStep::Request => (
                "request_thread_control",
                json!({"requested_owner_app_id": app, "metadata": order.metadata}),
            ),
            HandoverStep::Roles => {
                let roles = ["primary_receiver"];
                (
                    "app_roles",
                    serde_json::Value::from_iter([(app.clone(), roles.as_slice())]),
                )
            }
        };
        if matches!(order.step, HandoverStep::Pass | HandoverStep::Take)
            && let Some(thread) = self.conversations.get_mut(&order.conversation)
        {
            thread.owned_by_other = app != own;
        }
        thread_events::handover(self, &between, key, value);
        Ok(())
    }

    pub(crate) fn opt_in(&mut self, order: &Optin) -> Result<(), ControlError> {
        if let Some(conversation) = &order.conversation {
            let between = self
                .between(conversation)
                .ok_or_else(|| missing("conversation", conversation))?;
            let (payload, title) = (&order.payload, &order.title);
            thread_events::optin(self, &between, payload, title, order.stop);
            return Ok(());
        }
        let account = self.named(order.account.as_deref().unwrap_or_default())?;
        let user_ref = self.chance.word(24);
        thread_events::plugin_optin(self, &account, &order.payload, &user_ref);
        Ok(())
    }

    pub(super) fn named(&self, word: &str) -> Result<Account, ControlError> {
        self.account_named(word)
            .ok_or_else(|| missing("account", word))
    }

    pub(crate) fn enforce(&mut self, order: &Policy) -> Result<(), ControlError> {
        let account = self.named(&order.account)?;
        if !matches!(order.action.as_str(), "warning" | "block" | "unblock") {
            return Err(missing("action", &order.action));
        }
        thread_events::policy(self, &account, &order.action, &order.reason);
        Ok(())
    }

    pub(crate) fn rate(&mut self, order: &Feedback) -> Result<(), ControlError> {
        let found = self
            .home_of(&order.message)
            .map(|(thread, mid)| (thread.id.clone(), mid));
        let Some((home, mid)) = found else {
            return Err(missing("message", &order.message));
        };
        if let Some(between) = self.between(&home) {
            thread_events::feedback(self, &between, &mid, order.good);
        }
        Ok(())
    }

    pub(crate) fn write_to_self(&mut self, order: &ToSelf) -> Result<String, ControlError> {
        let account = self.named(&order.account)?;
        let mid = self.new_message_id(account.platform);
        thread_events::to_self(self, &account, &mid, &order.text, order.tapped);
        Ok(mid)
    }
}
