//! One element of `messaging` or `standby`: everything but the messages themselves.

use super::{
    Reading,
    value::{Object, id, id_in, is, number, object, text, time, word},
};
use crate::{
    domain::{IncomingItem, IncomingReaction, IncomingReferral, PolicyAction},
    outbox::echo,
    platform::adapter,
};

/// Longest reaction that is one: joined emoji with skin tones stay below.
const MAX_EMOJI: usize = 64;
/// A reaction whose character Meta does not tell.
const SOME_REACTION: &str = "❔";
/// Longest reason of the platform that is kept.
const MAX_REASON: usize = 500;

/// Payloads that are known and of no use here, with the word that says so.
const OF_NO_USE: [(&str, &str); 8] = [
    ("optin", "opt_in"),
    ("account_linking", "account_linking"),
    ("response_feedback", "feedback"),
    ("messaging_feedback", "feedback"),
    ("order", "cart"),
    ("request_thread_control", "thread_control_requested"),
    ("app_roles", "app_roles"),
    ("game_play", "game"),
];

/// The two sides of an event.
pub(super) struct Sides {
    /// The one that is not us.
    pub customer: Option<String>,
    /// It came from our side.
    pub from_us: bool,
    /// When, UTC ms.
    pub at_ms: Option<i64>,
    /// Told as to a bystander.
    pub standby: bool,
}

impl Reading<'_> {
    /// Whose event it is, told by its payload.
    pub(super) fn event(&mut self, event: &Object, standby: bool) {
        let (sender, recipient) = (id_in(event, "sender"), id_in(event, "recipient"));
        let us = self.us;
        let echo = object(event, "message").is_some_and(|message| is(message, "is_echo"));
        let from_us = echo || sender.as_deref() == Some(us);
        let customer = if from_us { recipient } else { sender }.filter(|id| id != us);
        if let Some(customer) = &customer {
            self.speaks_of(customer);
        }
        let sides = Sides {
            customer,
            from_us,
            at_ms: time(event, "timestamp").or(self.sent_at_ms),
            standby,
        };
        let self_message = is(event, "is_self")
            || object(event, "message").is_some_and(|message| is(message, "is_self"));
        if self_message {
            return self.ignore("self_message");
        }
        if let Some(message) = object(event, "message") {
            self.message(message, &sides);
        } else if let Some(edit) = object(event, "message_edit") {
            self.edit(edit, &sides);
        } else if let Some(reaction) = object(event, "reaction") {
            self.reaction(reaction, &sides);
        } else if let Some(tap) = object(event, "postback") {
            self.postback(tap, &sides);
        } else if let Some(referral) = object(event, "referral") {
            self.referral(referral, &sides);
        } else if let Some(read) = object(event, "read") {
            self.read(read, &sides);
        } else if let Some(delivery) = object(event, "delivery") {
            self.delivery(delivery, &sides);
        } else if let Some(change) = object(event, "pass_thread_control") {
            let new_owner = id(change, "new_owner_app_id");
            // Told to the program that gets the thread; Meta's inbox is a person and not us.
            let ours = !standby && !new_owner.is_some_and(|app| echo::is_inbox(&app));
            self.control(ours, &sides);
        } else if object(event, "take_thread_control").is_some() {
            // Told to the program that loses it.
            self.control(false, &sides);
        } else if let Some(policy) =
            object(event, "policy_enforcement").or_else(|| object(event, "policy-enforcement"))
        {
            self.policy(policy, &sides);
        } else {
            let known = OF_NO_USE.iter().find(|(key, _)| event.contains_key(*key));
            self.ignore(known.map_or("unknown_event", |(_, why)| why));
        }
    }

    fn edit(&mut self, edit: &Object, sides: &Sides) {
        let Some(mid) = id(edit, "mid") else {
            return self.ignore("no_id");
        };
        self.speaks_of(&mid);
        let num_edit = number(edit, "num_edit").unwrap_or(1);
        let at_ms = sides.at_ms.unwrap_or(0);
        if num_edit <= 0 {
            return self.tell(IncomingItem::Announced { mid, at_ms });
        }
        match (text(edit, "text"), sides.at_ms) {
            (Some(text), Some(at_ms)) => self.tell(IncomingItem::Edit {
                mid,
                text,
                num_edit,
                at_ms,
            }),
            (None, _) => self.ignore("edit_without_text"),
            (_, None) => self.ignore("no_time"),
        }
    }

    fn reaction(&mut self, reaction: &Object, sides: &Sides) {
        let Some(mid) = id(reaction, "mid") else {
            return self.ignore("no_id");
        };
        self.speaks_of(&mid);
        let (Some(person), Some(at_ms)) = (sides.customer.clone(), sides.at_ms) else {
            return self.ignore("nobody");
        };
        let told = word(reaction, "emoji").filter(|emoji| emoji.len() <= MAX_EMOJI);
        let named = || {
            let name = word(reaction, "reaction")?;
            Some(adapter::emoji_of(&name).unwrap_or_else(|| SOME_REACTION.to_owned()))
        };
        let emoji = match reaction.get("action").and_then(|action| action.as_str()) {
            Some("react") => told.or_else(named).or(Some(SOME_REACTION.to_owned())),
            Some("unreact") => None,
            _ => return self.ignore("unknown_reaction"),
        };
        self.tell(IncomingItem::Reaction(IncomingReaction {
            mid,
            by_customer: !sides.from_us,
            person,
            emoji,
            at_ms,
        }));
    }

    fn referral(&mut self, referral: &Object, sides: &Sides) {
        let (Some(person), Some(at_ms), false) =
            (sides.customer.clone(), sides.at_ms, sides.from_us)
        else {
            return self.ignore("nobody");
        };
        let (kind, label) = referral_of(referral);
        self.tell(IncomingItem::Referral(IncomingReferral {
            person,
            // An ad counts with the message that follows it (facts sheet §5.3); a link into the thread counts by itself.
            opens_window: kind == "link",
            kind: kind.to_owned(),
            label,
            at_ms,
        }));
    }

    fn read(&mut self, read: &Object, sides: &Sides) {
        if sides.from_us {
            return self.ignore("read_by_us");
        }
        let (watermark_ms, mid) = (time(read, "watermark"), id(read, "mid"));
        if let Some(mid) = &mid {
            self.speaks_of(mid);
        }
        match &sides.customer {
            Some(person) if watermark_ms.is_some() || mid.is_some() => {
                self.tell(IncomingItem::Read {
                    person: person.clone(),
                    watermark_ms,
                    mid,
                    at_ms: sides.at_ms.or(watermark_ms).unwrap_or(0),
                });
            }
            Some(_) => self.ignore("receipt_without_mark"),
            None => self.ignore("nobody"),
        }
    }

    fn delivery(&mut self, delivery: &Object, sides: &Sides) {
        match (&sides.customer, time(delivery, "watermark")) {
            (Some(person), Some(watermark_ms)) if !sides.from_us => {
                self.tell(IncomingItem::Delivered {
                    person: person.clone(),
                    watermark_ms,
                });
            }
            (_, None) => self.ignore("receipt_without_mark"),
            _ => self.ignore("nobody"),
        }
    }

    fn control(&mut self, ours: bool, sides: &Sides) {
        match (&sides.customer, sides.at_ms) {
            (Some(person), Some(at_ms)) => self.tell(IncomingItem::Control {
                person: person.clone(),
                ours,
                at_ms,
            }),
            _ => self.ignore("nobody"),
        }
    }

    fn policy(&mut self, policy: &Object, sides: &Sides) {
        let action = match policy.get("action").and_then(|action| action.as_str()) {
            Some("warning") => PolicyAction::Warning,
            Some("block") => PolicyAction::Block,
            Some("unblock") => PolicyAction::Unblock,
            _ => return self.ignore("unknown_policy"),
        };
        let Some(at_ms) = sides.at_ms else {
            return self.ignore("no_time");
        };
        let reason = word(policy, "reason")
            .map(|reason| reason[..reason.floor_char_boundary(MAX_REASON)].to_owned());
        self.tell(IncomingItem::Policy {
            action,
            reason,
            at_ms,
        });
    }
}

/// Where somebody came from: `ad` or `link`, and what the owner called it.
pub(super) fn referral_of(referral: &Object) -> (&'static str, String) {
    let ad = object(referral, "ads_context_data");
    let from_ad = ad.is_some()
        || referral.contains_key("ad_id")
        || word(referral, "source").is_some_and(|source| source.eq_ignore_ascii_case("ads"));
    let own_word = || word(referral, "ref");
    let product = || id_in(referral, "product");
    if from_ad {
        let title = ad.and_then(|ad| word(ad, "ad_title"));
        let label = title
            .or_else(own_word)
            .or_else(|| id(referral, "ad_id"))
            .or_else(product);
        ("ad", label.unwrap_or_default())
    } else {
        ("link", own_word().or_else(product).unwrap_or_default())
    }
}
