//! Meta's shapes → [`crate::domain`] values. Pure: no clock, no network, no guesses that a later look cannot correct.
//!
//! Our side's author is `Phone` here: only `ingest` knows what this program sent. What has no id cannot be stored once, so it is left
//! out (`None`), never given an invented one.

use super::raw::{RawAttachment, RawMessage, RawPerson, RawShare, RawThread};
use crate::{
    accounts::Access,
    domain::{
        Author, Channel, IncomingAttachment, IncomingItem, IncomingMessage, IncomingPerson,
        IncomingReaction, IncomingStory, IncomingThread,
    },
};
use serde_json::Value;

/// Longest text that is taken; far above what either platform allows.
pub(super) const MAX_TEXT: usize = 64 * 1024;
/// Longest address that is taken.
pub(super) const MAX_URL: usize = 8 * 1024;

/// A time as Meta writes it: ISO 8601 with or without a colon in the offset, or a number of seconds or milliseconds.
pub fn time_ms(told: &Value) -> Option<i64> {
    match told {
        Value::String(text) if text.len() <= 64 => {
            if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
                return Some(stamp.as_millisecond());
            }
            if let Ok(time) = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%z", text)
                .and_then(|t| t.to_timestamp())
            {
                return Some(time.as_millisecond());
            }
            text.parse().ok().and_then(magnitude)
        }
        Value::Number(number) => number.as_i64().and_then(magnitude),
        _ => None,
    }
}

/// Seconds or milliseconds by size: 10^11 seconds is the year 5138, 10^11 milliseconds is 1973.
fn magnitude(number: i64) -> Option<i64> {
    match number {
        1..100_000_000_000 => Some(number * 1_000),
        100_000_000_000..=100_000_000_000_000 => Some(number),
        _ => None,
    }
}

/// Whether this is our own account.
fn is_us(access: &Access, person: &RawPerson) -> bool {
    let by_id = person
        .id
        .as_deref()
        .is_some_and(|id| id == access.platform_id || access.page_id.as_deref() == Some(id));
    // Instagram has more than one id for the same account; the handle is the same in all places.
    let by_name = access.channel == Channel::Instagram
        && matches!((&person.username, &access.username), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b));
    by_id || by_name
}

fn person(raw: &RawPerson) -> Option<IncomingPerson> {
    Some(IncomingPerson {
        platform_id: raw.id.clone()?,
        name: filled(&raw.name),
        username: filled(&raw.username),
    })
}

fn filled(text: &Option<String>) -> Option<String> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

pub(super) fn address(text: &Option<String>) -> Option<String> {
    text.clone().filter(|url| {
        url.len() <= MAX_URL && (url.starts_with("https://") || url.starts_with("http://"))
    })
}

/// A thread. `None` without an id or without a customer among its participants.
///
/// `older_missing` says that Meta counts more messages than it gave and offers no further page; the caller decides whether it
/// asked for all of them.
pub fn thread(access: &Access, raw: &RawThread) -> Option<IncomingThread> {
    let customer = raw
        .participants
        .iter()
        .find(|p| !is_us(access, p))
        .and_then(person)
        .or_else(|| {
            raw.messages
                .items
                .iter()
                .find_map(|m| other_side(access, m))
        })?;
    let given = i64::try_from(raw.messages.items.iter().filter(|m| !is_bare(m)).count())
        .unwrap_or(i64::MAX);
    let counted_more = raw.message_count.is_some_and(|count| count > given);
    Some(IncomingThread {
        platform_id: raw.id.clone()?,
        person: customer,
        updated_at_ms: time_ms(&raw.updated_time).unwrap_or(0),
        older_missing: given > 0 && counted_more && raw.messages.after.is_none(),
        unread: raw.unread_count.filter(|n| *n >= 0),
    })
}

/// The thread and its nested messages, oldest first: what one poll of a thread says.
pub fn thread_news(access: &Access, raw: &RawThread) -> Vec<IncomingItem> {
    let Some(thread) = thread(access, raw) else {
        return Vec::new();
    };
    let mut items = Vec::with_capacity(raw.messages.items.len() + 1);
    let (id, person) = (thread.platform_id.clone(), thread.person.clone());
    items.push(IncomingItem::Thread(thread));
    items.extend(
        raw.messages
            .items
            .iter()
            .rev()
            .filter_map(|m| message_in(access, m, Some(&person), Some(&id)))
            .map(IncomingItem::Message),
    );
    items
}

/// Only an id and perhaps a time: Meta lists messages beyond the newest 20 without their content.
pub fn is_bare(raw: &RawMessage) -> bool {
    raw.from.is_none()
        && raw.message.is_none()
        && raw.attachments.is_empty()
        && raw.shares.is_empty()
        && raw.is_unsupported.is_none()
}

fn other_side(access: &Access, raw: &RawMessage) -> Option<IncomingPerson> {
    raw.from
        .iter()
        .chain(&raw.to)
        .find(|p| p.id.is_some() && !is_us(access, p))
        .and_then(person)
}

/// A message. `None` without an id, a time or a customer, and for a bare one (see [`is_bare`]).
pub fn message(access: &Access, raw: &RawMessage) -> Option<IncomingMessage> {
    message_in(access, raw, None, None)
}

/// A message of a known thread: its customer is known even where the message does not name them.
pub fn message_in(
    access: &Access,
    raw: &RawMessage,
    customer: Option<&IncomingPerson>,
    thread: Option<&str>,
) -> Option<IncomingMessage> {
    if is_bare(raw) {
        return None;
    }
    let mid = raw.id.clone()?;
    let sent_at_ms = time_ms(&raw.created_time)?;
    let told = other_side(access, raw);
    let person = match (customer, told) {
        // Names beside the message are newer than the thread's; the id is the thread's.
        (Some(known), Some(told)) if told.platform_id == known.platform_id => IncomingPerson {
            platform_id: told.platform_id,
            name: told.name.or_else(|| known.name.clone()),
            username: told.username.or_else(|| known.username.clone()),
        },
        (Some(known), _) => known.clone(),
        (None, told) => told?,
    };
    let ours = match &raw.from {
        Some(from) if from.id.is_some() || from.username.is_some() => {
            is_us(access, from)
                || from
                    .id
                    .as_deref()
                    .is_some_and(|id| customer.is_some_and(|c| c.platform_id != id))
        }
        // No author: whoever it was not addressed to wrote it.
        _ => !raw.to.is_empty() && !raw.to.iter().any(|to| is_us(access, to)),
    };
    let reactions = reactions(access, raw, &mid, &person.platform_id, sent_at_ms);
    Some(IncomingMessage {
        thread: thread.map(str::to_owned),
        author: if ours {
            Author::Phone
        } else {
            Author::Customer
        },
        metadata: None,
        app_id: None,
        sent_at_ms,
        text: filled_text(&raw.message),
        attachments: attachments(access.channel, raw),
        reply_to_mid: raw.reply_to.as_ref().and_then(|reply| reply.mid.clone()),
        story: story(raw),
        reactions,
        unsupported: raw.is_unsupported == Some(true),
        deleted: false,
        referral: None,
        opens_window: !ours,
        tap: None,
        standby: false,
        mid,
        person,
    })
}

pub(super) fn filled_text(text: &Option<String>) -> Option<String> {
    let text = text.as_deref().filter(|text| !text.trim().is_empty())?;
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(text[..end].to_owned())
}

fn story(raw: &RawMessage) -> Option<IncomingStory> {
    let story = raw.story.as_ref()?;
    let (kind, told) = match (&story.reply_to, &story.mention) {
        (Some(told), _) => ("reply", told),
        (None, Some(told)) => ("mention", told),
        (None, None) => return None,
    };
    Some(IncomingStory {
        kind: kind.into(),
        id: told.id.clone(),
        url: address(&told.link),
    })
}

fn reactions(
    access: &Access,
    raw: &RawMessage,
    mid: &str,
    customer: &str,
    at_ms: i64,
) -> Vec<IncomingReaction> {
    let mut out: Vec<IncomingReaction> = Vec::new();
    for reaction in &raw.reactions {
        let Some(emoji) =
            filled(&reaction.emoji).or_else(|| reaction.reaction.as_deref().and_then(emoji_of))
        else {
            continue;
        };
        // Polls do not say when; the message's own time is the earliest it can be.
        let mut add = |by_customer| {
            if !out.iter().any(|r| r.by_customer == by_customer) {
                out.push(IncomingReaction {
                    mid: mid.into(),
                    by_customer,
                    person: customer.into(),
                    emoji: Some(emoji.clone()),
                    at_ms,
                });
            }
        };
        if reaction.users.is_empty() {
            add(true);
        }
        for user in &reaction.users {
            add(!is_us(access, user));
        }
    }
    out
}

/// Meta's names for reactions where no character comes with them.
pub(super) fn emoji_of(name: &str) -> Option<String> {
    let emoji = match name {
        "love" => "❤",
        "smile" | "haha" => "😆",
        "wow" => "😮",
        "sad" => "😢",
        "angry" => "😠",
        "yes" | "like" => "👍",
        "no" | "dislike" => "👎",
        _ => return None,
    };
    Some(emoji.to_owned())
}

fn attachments(channel: Channel, raw: &RawMessage) -> Vec<IncomingAttachment> {
    let mut out: Vec<IncomingAttachment> = raw.attachments.iter().map(attachment).collect();
    if let Some(url) = address(&raw.sticker) {
        // A sticker is told twice: as a picture and as itself.
        out.retain(|a| a.url.as_deref() != Some(&url));
        out.push(IncomingAttachment {
            kind: "sticker".into(),
            url: Some(url),
            ..IncomingAttachment::default()
        });
    }
    out.extend(raw.shares.iter().map(|s| share(channel, s)));
    out
}

fn attachment(raw: &RawAttachment) -> IncomingAttachment {
    let mime = filled(&raw.mime_type);
    let of_mime = |prefix: &str| mime.as_deref().is_some_and(|m| m.starts_with(prefix));
    let (kind, media) = if let Some(image) = &raw.image_data {
        ("image", Some(image))
    } else if let Some(video) = &raw.video_data {
        (
            if of_mime("audio/") { "audio" } else { "video" },
            Some(video),
        )
    } else if !raw.generic_template.is_null() {
        ("template", None)
    } else if of_mime("image/") {
        ("image", None)
    } else if of_mime("video/") {
        ("video", None)
    } else if of_mime("audio/") {
        ("audio", None)
    } else if raw.file_url.is_some() || raw.name.is_some() || mime.is_some() {
        ("file", None)
    } else {
        ("unsupported", None)
    };
    let title = raw
        .generic_template
        .get("title")
        .and_then(Value::as_str)
        .map(str::to_owned);
    IncomingAttachment {
        kind: kind.into(),
        url: media
            .and_then(|m| address(&m.url))
            .or_else(|| address(&raw.file_url)),
        name: filled(&raw.name).or(title),
        mime,
        size: raw.size.filter(|n| *n >= 0),
        width: media.and_then(|m| m.width).filter(|n| *n > 0),
        height: media.and_then(|m| m.height).filter(|n| *n > 0),
        link: None,
    }
}

fn share(channel: Channel, raw: &RawShare) -> IncomingAttachment {
    let link = address(&raw.link);
    IncomingAttachment {
        kind: if raw.template.is_null() {
            "share"
        } else {
            "template"
        }
        .into(),
        // Instagram's link is the picture or film itself, Facebook's is a page to open.
        url: if channel == Channel::Instagram {
            link.clone()
        } else {
            None
        },
        name: filled(&raw.name),
        link,
        ..IncomingAttachment::default()
    }
}

#[cfg(test)]
#[path = "adapter_tests.rs"]
mod tests;
