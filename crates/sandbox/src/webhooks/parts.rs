//! The `attachments` of a message event: files, stickers, links, stories and everything that is no file, each
//! in the words of its product.

use serde_json::{Value, json};

use crate::clock::{DAY, HOUR};
use crate::world::World;
use crate::world::cards::{Card, CardKind};
use crate::world::people::Platform;
use crate::world::threads::{Attachment, Message};

/// The thumb up of Messenger.
const LIKE: u64 = 369_239_263_222_822;

/// Every attachment of a message.
pub(crate) fn of(world: &World, message: &Message, platform: Platform) -> Vec<Value> {
    let instagram = platform == Platform::Instagram;
    let mut parts: Vec<Value> = message
        .attachments
        .iter()
        .map(|file| part(world, file, message.from_business))
        .collect();
    if let Some(path) = &message.sticker {
        let url = world.signed(path);
        let payload = json!({"url": url, "sticker_id": LIKE});
        if instagram {
            parts.push(json!({"type": "image", "payload": {"url": url}}));
        } else {
            if world.switches.sticker_twice {
                parts.push(json!({"type": "image", "payload": payload}));
            }
            parts.push(json!({"type": "sticker", "payload": payload}));
        }
    }
    for share in &message.shares {
        parts.push(if instagram {
            json!({"type": "share", "payload": {"url": share.link}})
        } else {
            json!({"type": "fallback", "payload": {"url": share.link, "title": share.name}})
        });
    }
    parts.extend(message.cards.iter().map(|card| card_part(world, card)));
    if let Some(story) = message.story.as_ref().filter(|story| story.mention) {
        let url = world.signed(&story.path);
        parts.push(json!({"type": "story_mention", "payload": {"url": url}}));
    }
    parts
}

fn part(world: &World, file: &Attachment, echo: bool) -> Value {
    let mut payload = json!({"url": world.signed(&file.path)});
    // A number here, text in the Send API.
    if let (true, Ok(number)) = (echo, file.id.parse::<u64>()) {
        payload["attachment_id"] = number.into();
    }
    json!({"type": file.kind.word(), "payload": payload})
}

fn card_part(world: &World, card: &Card) -> Value {
    let word = card.kind.word();
    let url = world.signed(&card.path);
    let payload = match card.kind {
        CardKind::FallbackNull => Value::Null,
        CardKind::FallbackOld => {
            return json!({"type": word, "title": card.title, "url": url});
        }
        CardKind::Reel | CardKind::IgReel => {
            json!({"url": url, "title": card.title, "reel_video_id": card.id})
        }
        CardKind::Post => json!({"url": url, "title": card.title, "id": card.id}),
        CardKind::IgPost => {
            json!({"url": url, "title": card.title, "id": card.id, "ig_post_media_id": card.id})
        }
        CardKind::Template => json!({"product": {"elements": [{
            "id": card.id, "retailer_id": "SKU-1", "image_url": url,
            "title": card.title, "subtitle": "",
        }]}}),
        CardKind::Appointment => {
            let start = (world.now_ms() + DAY) / 1_000;
            json!({"booking_id": card.id, "status": "requested", "start_time": start,
                   "end_time": start + HOUR / 1_000, "timezone": "Europe/Berlin"})
        }
        CardKind::Location => json!({"coordinates": {"lat": 47.9961, "long": 7.8494}}),
        CardKind::Media | CardKind::Share | CardKind::Story | CardKind::IgStory => {
            json!({"url": url})
        }
        CardKind::Ephemeral => return json!({"type": word}),
    };
    json!({"type": word, "payload": payload})
}
