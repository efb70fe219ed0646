//! Messages and taps, from either side.

use super::{
    Reading, attachment,
    event::{Sides, referral_of},
    person,
    value::{Object, address, id, is, object, text, word},
};
use crate::domain::{Author, IncomingItem, IncomingMessage, IncomingStory};
use sha2::{Digest, Sha256};

impl Reading<'_> {
    pub(super) fn message(&mut self, message: &Object, sides: &Sides) {
        let Some(mid) = id(message, "mid") else {
            return self.ignore("no_id");
        };
        self.speaks_of(&mid);
        if is(message, "is_deleted") {
            return self.tell(IncomingItem::Unsend {
                mid,
                at_ms: sides.at_ms.unwrap_or(0),
            });
        }
        let Some(mut told) = self.either_side(mid, sides) else {
            return;
        };
        let files = attachment::read(message, self.channel);
        told.text = text(message, "text");
        told.attachments = files.files;
        told.story = story_answered(message).or(files.mentioned_in);
        told.reply_to_mid = object(message, "reply_to").and_then(|reply| id(reply, "mid"));
        told.metadata = word(message, "metadata");
        told.app_id = id(message, "app_id");
        told.referral = object(message, "referral").map(origin);
        told.tap = object(message, "quick_reply")
            .filter(|_| !sides.from_us)
            .map(|tap| word(tap, "payload").unwrap_or_default());
        let nothing = told.text.is_none() && told.attachments.is_empty() && told.story.is_none();
        told.unsupported = nothing || is(message, "is_unsupported");
        self.tell(IncomingItem::Message(told));
    }

    /// A tapped button is a message of the customer: its title is what they see of it in their own thread.
    pub(super) fn postback(&mut self, tap: &Object, sides: &Sides) {
        if sides.from_us {
            return self.ignore("nobody");
        }
        let title = text(tap, "title").or_else(|| text(tap, "payload"));
        let Some(mid) = id(tap, "mid").or_else(|| tap_id(sides, title.as_deref())) else {
            return self.ignore("no_id");
        };
        self.speaks_of(&mid);
        let Some(mut told) = self.either_side(mid, sides) else {
            return;
        };
        told.unsupported = title.is_none();
        told.text = title;
        told.tap = Some(word(tap, "payload").unwrap_or_default());
        told.referral = object(tap, "referral").map(origin);
        self.tell(IncomingItem::Message(told));
    }

    /// What every message has. `None`, with the reason noted, when a part that must be there is not.
    fn either_side(&mut self, mid: String, sides: &Sides) -> Option<IncomingMessage> {
        let Some(customer) = &sides.customer else {
            self.ignore("nobody");
            return None;
        };
        let Some(sent_at_ms) = sides.at_ms else {
            self.ignore("no_time");
            return None;
        };
        Some(IncomingMessage {
            mid,
            person: person(customer),
            thread: None,
            author: if sides.from_us {
                Author::Phone
            } else {
                Author::Customer
            },
            metadata: None,
            app_id: None,
            sent_at_ms,
            text: None,
            attachments: Vec::new(),
            reply_to_mid: None,
            story: None,
            reactions: Vec::new(),
            unsupported: false,
            deleted: false,
            referral: None,
            opens_window: !sides.from_us,
            tap: None,
            standby: sides.standby,
        })
    }
}

fn origin(referral: &Object) -> (String, String) {
    let (kind, label) = referral_of(referral);
    (kind.to_owned(), label)
}

fn story_answered(message: &Object) -> Option<IncomingStory> {
    let story = object(object(message, "reply_to")?, "story")?;
    Some(IncomingStory {
        kind: "reply".to_owned(),
        id: id(story, "id"),
        url: address(story, "url"),
    })
}

/// Ice breakers may come without an id. Who tapped what and when is one (facts sheet §3.4); the payload is left out of it, because a
/// bystander is not told it.
fn tap_id(sides: &Sides, title: Option<&str>) -> Option<String> {
    let (customer, at_ms) = (sides.customer.as_ref()?, sides.at_ms?);
    let mut hash = Sha256::new();
    for part in [
        customer.as_bytes(),
        &at_ms.to_be_bytes(),
        title.unwrap_or_default().as_bytes(),
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Some(format!("tap:{}", hex::encode(&hash.finalize()[..16])))
}
