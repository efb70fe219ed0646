//! Files, shares and stories beside a message, in the words that polls use too.

use super::value::{Object, address, id, id_of, object, word};
use crate::domain::{Channel, IncomingAttachment, IncomingStory};
use serde_json::Value;

/// Most attachments of one message; Meta sends ten pictures at most.
const MAX_FILES: usize = 30;

/// What lies beside a message.
#[derive(Default)]
pub(super) struct Files {
    pub files: Vec<IncomingAttachment>,
    /// The customer named us in their story.
    pub mentioned_in: Option<IncomingStory>,
}

/// Reads `attachments`: a list, or one alone.
pub(super) fn read(message: &Object, channel: Channel) -> Files {
    let told: &[Value] = match message.get("attachments") {
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    let told: Vec<&Object> = told
        .iter()
        .filter_map(Value::as_object)
        .take(MAX_FILES)
        .collect();
    // For a time a sticker was told twice: as a picture with its number, and as itself (facts sheet §3.6).
    let stickers: Vec<String> = told
        .iter()
        .filter(|file| kind_of(file) == Some("sticker"))
        .filter_map(|file| sticker(file))
        .collect();
    let mut files = Files::default();
    for file in told {
        let again = kind_of(file) == Some("image")
            && sticker(file).is_some_and(|number| stickers.contains(&number));
        if again {
            continue;
        }
        match kind_of(file) {
            Some("story_mention") => {
                let payload = object(file, "payload");
                files.mentioned_in = Some(IncomingStory {
                    kind: "mention".to_owned(),
                    id: payload.and_then(|payload| id(payload, "id")),
                    url: payload.and_then(|payload| address(payload, "url")),
                });
            }
            kind => files.files.push(one(kind, file, channel)),
        }
    }
    files
}

fn kind_of(file: &Object) -> Option<&str> {
    file.get("type").and_then(Value::as_str)
}

fn sticker(file: &Object) -> Option<String> {
    object(file, "payload")?.get("sticker_id").and_then(id_of)
}

fn one(told: Option<&str>, file: &Object, channel: Channel) -> IncomingAttachment {
    let empty = Object::new();
    let payload = object(file, "payload").unwrap_or(&empty);
    let url = address(payload, "url").or_else(|| address(file, "url"));
    let title = word(payload, "title").or_else(|| word(file, "title"));
    let kind = match told {
        Some("image") if payload.contains_key("sticker_id") => "sticker",
        Some("image") => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        Some("file") => "file",
        Some("sticker" | "like_heart") => "sticker",
        Some("share" | "media" | "post" | "ig_post") => "share",
        Some("reel" | "ig_reel") => "reel",
        Some("story" | "ig_story") => "story",
        Some("fallback") if url.is_some() => "share",
        Some("fallback") => "fallback",
        Some("template" | "appointment_booking") => "template",
        Some("location") => "location",
        _ => "unsupported",
    };
    let mut out = IncomingAttachment {
        kind: kind.to_owned(),
        name: title,
        ..IncomingAttachment::default()
    };
    match kind {
        "image" | "video" | "audio" | "file" | "sticker" | "story" => out.url = url,
        // Instagram's address is that of the picture or film itself, Facebook's is a page to open.
        "share" | "reel" => {
            out.url = url.clone().filter(|_| channel == Channel::Instagram);
            out.link = url;
        }
        "location" => {
            out.name = out.name.or_else(|| place(payload));
            out.link = url;
        }
        "template" => {
            if let Some(card) = first_card(payload) {
                out.name = out.name.or_else(|| word(card, "title"));
                out.url = address(card, "image_url");
            }
        }
        "fallback" => out.link = url,
        _ => {}
    }
    out
}

fn place(payload: &Object) -> Option<String> {
    let at = object(payload, "coordinates")?;
    let (lat, long) = (at.get("lat")?.as_f64()?, at.get("long")?.as_f64()?);
    Some(format!("{lat:.5}, {long:.5}"))
}

/// Of a catalogue message (`product.elements`) or a card (`elements`, `generic.elements`).
fn first_card(payload: &Object) -> Option<&Object> {
    [
        Some(payload),
        object(payload, "product"),
        object(payload, "generic"),
    ]
    .into_iter()
    .flatten()
    .find_map(|holder| holder.get("elements")?.as_array()?.first()?.as_object())
}
