//! Events in the platform's words: messages and echoes, receipts, reactions, edits, unsends. Each function
//! reads the world as it is after the change and hands one event to the mailbox.

use serde_json::{Value, json};

use super::shown_mid;
use crate::world::World;
use crate::world::people::Platform;
use crate::world::threads::{Conversation, Message};

/// Announces a stored message: `messages` from the customer, an echo from the business.
pub(crate) fn message(world: &mut World, conversation: &str, id: &str) {
    let Some(thread) = world.conversations.get(conversation).cloned() else {
        return;
    };
    let Some(message) = thread.message(id).cloned() else {
        return;
    };
    let instagram = thread.account.platform == Platform::Instagram;
    if instagram && !message.from_business && world.switches.ig_bare_edit_first {
        let mid = shown_mid(world, id);
        let bare =
            json!({"timestamp": message.created_ms, "message_edit": {"mid": mid, "num_edit": 0}});
        world.emit(&thread.account, "message_edit", bare);
    }
    let field = match (message.from_business, instagram) {
        (true, false) => "message_echoes",
        _ => "messages",
    };
    let body = body(world, &thread, &message);
    let event = envelope(
        &thread,
        !message.from_business,
        message.created_ms,
        "message",
        body,
    );
    world.emit(&thread.account, field, event);
}

fn envelope(
    thread: &Conversation,
    from_customer: bool,
    at_ms: i64,
    key: &str,
    value: Value,
) -> Value {
    let (sender, recipient) = if from_customer {
        (&thread.customer, &thread.account.id)
    } else {
        (&thread.account.id, &thread.customer)
    };
    json!({
        "sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at_ms, key: value,
    })
}

fn body(world: &World, thread: &Conversation, message: &Message) -> Value {
    let instagram = thread.account.platform == Platform::Instagram;
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
        let own = thread
            .message(mid)
            .is_some_and(|other| other.from_business == message.from_business);
        body["reply_to"] = if instagram {
            json!({"mid": shown_mid(world, mid)})
        } else {
            json!({"mid": mid, "is_self_reply": own})
        };
    }
    let mut files: Vec<Value> = message
        .attachments
        .iter()
        .map(|file| {
            let mut payload = json!({"url": world.signed(&file.path)});
            if let (true, Ok(number)) = (message.from_business, file.id.parse::<u64>()) {
                payload["attachment_id"] = number.into();
            }
            json!({"type": file.kind.word(), "payload": payload})
        })
        .collect();
    if let Some(path) = &message.sticker {
        let url = world.signed(path);
        files.push(if instagram {
            json!({"type": "image", "payload": {"url": url}})
        } else {
            json!({"type": "sticker", "payload": {"url": url, "sticker_id": 369_239_263_222_822_u64}})
        });
    }
    for share in &message.shares {
        files.push(if instagram {
            json!({"type": "share", "payload": {"url": share.link}})
        } else {
            json!({"type": "fallback", "payload": {"url": share.link, "title": share.name}})
        });
    }
    if let Some(story) = &message.story {
        let url = world.signed(&story.path);
        if story.mention {
            files.push(json!({"type": "story_mention", "payload": {"url": url}}));
        } else {
            body["reply_to"] = json!({"story": {"id": story.id, "url": url}});
        }
    }
    if !files.is_empty() {
        body["attachments"] = files.into();
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
    let Some(thread) = world.conversations.get(conversation).cloned() else {
        return;
    };
    let shown = shown_mid(world, mid);
    let value = match given {
        Some((word, emoji)) => {
            json!({"mid": shown, "action": "react", "reaction": word, "emoji": emoji})
        }
        None => json!({"mid": shown, "action": "unreact"}),
    };
    let event = envelope(&thread, true, world.now_ms(), "reaction", value);
    world.emit(&thread.account, "message_reactions", event);
}

/// An edited message of the customer.
pub(crate) fn edited(world: &mut World, conversation: &str, mid: &str) {
    let Some(thread) = world.conversations.get(conversation).cloned() else {
        return;
    };
    let Some(message) = thread.message(mid) else {
        return;
    };
    let value =
        json!({"mid": shown_mid(world, mid), "text": message.text, "num_edit": message.edits});
    let event = envelope(&thread, true, world.now_ms(), "message_edit", value);
    let field = match thread.account.platform {
        Platform::Messenger => "message_edits",
        Platform::Instagram => "message_edit",
    };
    world.emit(&thread.account, field, event);
}

/// An unsent message. Only Instagram tells; on Messenger the message is just gone.
pub(crate) fn unsent(world: &mut World, thread: &Conversation, message: &Message) {
    if thread.account.platform == Platform::Messenger {
        return;
    }
    let value = json!({"mid": shown_mid(world, &message.id), "is_deleted": true});
    let event = envelope(
        thread,
        !message.from_business,
        world.now_ms(),
        "message",
        value,
    );
    world.emit(&thread.account, "messages", event);
}

/// A tapped button.
pub(crate) fn postback(
    world: &mut World,
    conversation: &str,
    mid: &str,
    title: &str,
    payload: &str,
) {
    let Some(thread) = world.conversations.get(conversation).cloned() else {
        return;
    };
    let value = json!({"mid": mid, "title": title, "payload": payload});
    let event = envelope(&thread, true, world.now_ms(), "postback", value);
    world.emit(&thread.account, "messaging_postbacks", event);
}

impl World {
    /// The customer's phone received a message: a delivery receipt, on Messenger only.
    pub(crate) fn customer_received(&mut self, conversation: &str, message: &str, at_ms: i64) {
        let Some(thread) = self.conversations.get(conversation).cloned() else {
            return;
        };
        let Some(found) = thread.message(message) else {
            return;
        };
        if thread.account.platform == Platform::Messenger {
            let value = json!({"mids": [found.id], "watermark": found.created_ms});
            let event = envelope(&thread, true, at_ms, "delivery", value);
            self.emit(&thread.account, "message_deliveries", event);
        }
    }

    /// The customer read up to a message: a watermark on Messenger, one id on Instagram.
    pub(crate) fn customer_read(&mut self, conversation: &str, message: &str, at_ms: i64) {
        let Some(thread) = self.conversations.get_mut(conversation) else {
            return;
        };
        let Some(up_to) = thread.message(message).map(|found| found.created_ms) else {
            return;
        };
        thread.read_ms = thread.read_ms.max(up_to);
        let thread = thread.clone();
        let (field, value) = match thread.account.platform {
            Platform::Messenger => ("message_reads", json!({"watermark": up_to})),
            Platform::Instagram => ("messaging_seen", json!({"mid": shown_mid(self, message)})),
        };
        let event = envelope(&thread, true, at_ms, "read", value);
        self.emit(&thread.account, field, event);
    }
}
