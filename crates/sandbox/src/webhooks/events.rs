//! Events in the platform's words: messages and echoes, receipts, reactions, edits, unsends. Each function
//! reads the world as it is after the change and hands one event to the mailbox.

use serde_json::{Value, json};

use super::{Between, parts, shown_mid};
use crate::world::World;
use crate::world::people::Platform;
use crate::world::threads::Message;

/// Announces a stored message: `messages` from the customer, an echo from the business.
pub(crate) fn message(world: &mut World, conversation: &str, id: &str) {
    let Some((between, message)) = found(world, conversation, id) else {
        return;
    };
    let instagram = between.account.platform == Platform::Instagram;
    if instagram && !message.from_business && world.switches.ig_bare_edit_first {
        bare_edit(world, conversation, id);
    }
    let field = match (message.from_business, instagram) {
        (true, false) => "message_echoes",
        _ => "messages",
    };
    let body = body(world, conversation, &between, &message);
    let event = envelope(
        &between,
        !message.from_business,
        message.created_ms,
        "message",
        body,
    );
    world.tell(&between, field, event);
}

/// The bare `message_edit` that Instagram sends for a new message: no people, no text.
pub(crate) fn bare_edit(world: &mut World, conversation: &str, id: &str) {
    let Some((between, message)) = found(world, conversation, id) else {
        return;
    };
    let mut edit = json!({"mid": shown_mid(world, id), "num_edit": 0});
    if world.switches.num_edit_as_text {
        edit["num_edit"] = "0".into();
    }
    let bare = json!({"timestamp": message.created_ms, "message_edit": edit});
    world.tell(&between, "message_edit", bare);
}

fn found(world: &World, conversation: &str, id: &str) -> Option<(Between, Message)> {
    let between = world.between(conversation)?;
    let message = world.conversations.get(conversation)?.message(id)?.clone();
    Some((between, message))
}

/// One event between two people.
pub(crate) fn envelope(
    between: &Between,
    from_customer: bool,
    at_ms: i64,
    key: &str,
    value: Value,
) -> Value {
    let (sender, recipient) = if from_customer {
        (&between.customer, &between.account.id)
    } else {
        (&between.account.id, &between.customer)
    };
    json!({
        "sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at_ms, key: value,
    })
}

fn body(world: &World, conversation: &str, between: &Between, message: &Message) -> Value {
    let platform = between.account.platform;
    let instagram = platform == Platform::Instagram;
    let mut body = json!({"mid": shown_mid(world, &message.id)});
    if !message.text.is_empty() {
        body["text"] = message.text.clone().into();
    }
    if message.unsupported {
        body["is_unsupported"] = true.into();
    }
    if message.from_business {
        body["is_echo"] = true.into();
        if let Some(app) = message
            .app_id
            .as_ref()
            .and_then(|id| id.parse::<u64>().ok())
        {
            body["app_id"] = app.into();
        }
        if let (Some(metadata), false) = (&message.metadata, instagram) {
            body["metadata"] = metadata.clone().into();
        }
    }
    if let Some(payload) = &message.quick_reply {
        body["quick_reply"] = json!({"payload": payload});
    }
    if let Some(mid) = &message.reply_to {
        let own = world
            .conversations
            .get(conversation)
            .and_then(|thread| thread.message(mid))
            .is_some_and(|other| other.from_business == message.from_business);
        body["reply_to"] = if instagram {
            json!({"mid": shown_mid(world, mid)})
        } else {
            json!({"mid": mid, "is_self_reply": own})
        };
    }
    if let Some(story) = message.story.as_ref().filter(|story| !story.mention) {
        let url = world.signed(&story.path);
        body["reply_to"] = json!({"story": {"id": story.id, "url": url}});
    }
    // On a Page the message alone does not bring it: the referrals field must be subscribed too.
    let told = instagram || world.page_wants(&between.account.id, "messaging_referrals");
    if let Some(referral) = message.referral.as_ref().filter(|_| told) {
        body["referral"] = super::thread_events::referral_value(world, referral, &between.account);
    }
    let parts = parts::of(world, message, platform);
    if !parts.is_empty() {
        body["attachments"] = parts.into();
    }
    body
}

/// A reaction of the customer, given or taken back.
pub(crate) fn reaction(
    world: &mut World,
    conversation: &str,
    mid: &str,
    given: Option<(&str, &str)>,
) {
    let Some(between) = world.between(conversation) else {
        return;
    };
    let shown = shown_mid(world, mid);
    let value = match given {
        Some((word, emoji)) => {
            json!({"mid": shown, "action": "react", "reaction": word, "emoji": emoji})
        }
        None => json!({"mid": shown, "action": "unreact"}),
    };
    let event = envelope(&between, true, world.now_ms(), "reaction", value);
    world.tell(&between, "message_reactions", event);
}

/// An edited message of the customer.
pub(crate) fn edited(world: &mut World, conversation: &str, mid: &str) {
    let Some((between, message)) = found(world, conversation, mid) else {
        return;
    };
    let mut value =
        json!({"mid": shown_mid(world, mid), "text": message.text, "num_edit": message.edits});
    if world.switches.num_edit_as_text {
        value["num_edit"] = message.edits.to_string().into();
    }
    let event = envelope(&between, true, world.now_ms(), "message_edit", value);
    let field = match between.account.platform {
        Platform::Messenger => "message_edits",
        Platform::Instagram => "message_edit",
    };
    world.tell(&between, field, event);
}

/// An unsent message. Only Instagram tells; on Messenger the message is just gone.
pub(crate) fn unsent(world: &mut World, between: &Between, message: &Message) {
    if between.account.platform == Platform::Messenger {
        return;
    }
    let value = json!({"mid": shown_mid(world, &message.id), "is_deleted": true});
    let event = envelope(
        between,
        !message.from_business,
        world.now_ms(),
        "message",
        value,
    );
    world.tell(between, "messages", event);
}

impl World {
    /// The customer's phone received a message: a delivery receipt, on Messenger only.
    pub(crate) fn customer_received(&mut self, conversation: &str, message: &str, at_ms: i64) {
        let Some((between, found)) = found(self, conversation, message) else {
            return;
        };
        if between.account.platform == Platform::Messenger {
            let mut value = json!({"mids": [found.id], "watermark": found.created_ms});
            if !self.switches.delivery_mids
                && let Some(value) = value.as_object_mut()
            {
                value.remove("mids");
            }
            let event = envelope(&between, true, at_ms, "delivery", value);
            self.tell(&between, "message_deliveries", event);
        }
    }

    /// The customer read up to a message: a watermark on Messenger, one id on Instagram.
    pub(crate) fn customer_read(&mut self, conversation: &str, message: &str, at_ms: i64) {
        let Some((between, found)) = found(self, conversation, message) else {
            return;
        };
        let up_to = found.created_ms;
        if let Some(thread) = self.conversations.get_mut(conversation) {
            thread.read_ms = thread.read_ms.max(up_to);
        }
        let (field, value) = match between.account.platform {
            Platform::Messenger => ("message_reads", json!({"watermark": up_to})),
            Platform::Instagram => ("messaging_seen", json!({"mid": shown_mid(self, message)})),
        };
        let event = envelope(&between, true, at_ms, "read", value);
        self.tell(&between, field, event);
    }
}
