//! One entry of a Meta webhook → news for [`crate::ingest`]. Pure: no clock, no database, no network.
//!
//! Invariants: no bytes make it panic, and depth, size and count are bounded; one bad event never costs its siblings, it becomes a word
//! in [`EntryNews::ignored`]; an event is known by the key of its payload before the field or list that it came in (facts sheet §3.1,
//! §3.8), so a slip in Meta's naming changes nothing. What has no id cannot be stored once; it is left out, never given an invented one.
//! The one exception is a tap without an id: who, when and what is its identity (§3.4).
//!
//! What does not belong here: whether news is new, who on our side sent an echo, what waits for what. `ingest` decides that; also what
//! has to be asked for later ([`IncomingItem::Announced`], [`IncomingItem::Mention`], posts of comments) follows from the items alone.

mod attachment;
mod content;
mod event;
mod message;
mod surrogates;
mod value;

pub(super) use content::{product, status_kind};

use crate::domain::{Channel, IncomingItem, IncomingPerson};
use serde_json::{Map, Value};

/// Most bytes that are read: what one sealed event can hold.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most events of one entry; Meta promises at most a thousand updates in a whole request.
const MAX_EVENTS: usize = 2_000;
/// Most words about what was left out: enough to see a pattern.
const MAX_IGNORED: usize = 100;

/// What one entry says.
#[derive(Default)]
pub struct EntryNews {
    /// News in the order told.
    pub items: Vec<IncomingItem>,
    /// Platform ids of the messages, comments, posts and people it speaks of, each once: by these an erasure finds the entry again.
    pub refs: Vec<String>,
    /// Why parts of it are not among `items`: one stable word per part (`echo_of_nobody`, `comment_reaction`, …).
    pub ignored: Vec<&'static str>,
}

/// Why an entry is none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// More than [`MAX_BYTES`].
    #[error("the entry is too large")]
    TooLarge,
    /// Not JSON, or nested deeper than 128 levels.
    #[error("the entry is not JSON")]
    NotJson,
    /// JSON without `object` and `entry`.
    #[error("this is not an entry of a webhook")]
    NotAnEntry,
    /// Of another product than the account's channel.
    #[error("the entry belongs to another product")]
    OtherProduct,
}

impl WebhookError {
    /// As a reason's code.
    pub fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::NotAnEntry => "not_an_entry",
            Self::OtherProduct => "other_product",
        }
    }
}

/// Reads `{"object":…,"entry":{…one entry…}}` of the account `platform_id` on `channel`.
///
/// # Errors
/// [`WebhookError`] when it is no entry; a part that cannot be read is only left out.
pub fn entry(channel: Channel, platform_id: &str, bytes: &[u8]) -> Result<EntryNews, WebhookError> {
    if bytes.len() > MAX_BYTES {
        return Err(WebhookError::TooLarge);
    }
    let told: Value = serde_json::from_slice(bytes)
        .or_else(|_| serde_json::from_slice(&surrogates::mended(bytes)))
        .map_err(|_| WebhookError::NotJson)?;
    let (Some(object), Some(entry)) = (
        told.get("object").and_then(Value::as_str),
        told.get("entry").and_then(Value::as_object),
    ) else {
        return Err(WebhookError::NotAnEntry);
    };
    let wanted = match channel {
        Channel::Messenger => "page",
        Channel::Instagram => "instagram",
    };
    if object != wanted {
        return Err(WebhookError::OtherProduct);
    }
    let mut reading = Reading {
        channel,
        us: platform_id,
        sent_at_ms: entry.get("time").and_then(super::adapter::time_ms),
        news: EntryNews::default(),
        left: MAX_EVENTS,
    };
    reading.lists(entry);
    Ok(reading.finish())
}

/// One entry while it is read.
struct Reading<'a> {
    channel: Channel,
    /// Our account's platform id.
    us: &'a str,
    /// When Meta sent it: the time of what has none of its own.
    sent_at_ms: Option<i64>,
    news: EntryNews,
    /// Events that may still be read.
    left: usize,
}

impl Reading<'_> {
    /// All four forms; an entry has one of them, but nothing is lost when it has more.
    fn lists(&mut self, entry: &Map<String, Value>) {
        let mut found = false;
        for (list, standby) in [("messaging", false), ("standby", true)] {
            if let Some(events) = entry.get(list) {
                found = true;
                self.each(events, |reading, event| reading.event(event, standby));
            }
        }
        if let Some(changes) = entry.get("changes") {
            found = true;
            self.each(changes, |reading, change| {
                let field = change.get("field").and_then(Value::as_str);
                match (field, change.get("value").and_then(Value::as_object)) {
                    (Some(field), Some(value)) => reading.change(field, value),
                    _ => reading.ignore("not_an_event"),
                }
            });
        }
        if let Some(field) = entry.get("field") {
            found = true;
            match (
                field.as_str(),
                entry.get("value").and_then(Value::as_object),
            ) {
                (Some(field), Some(value)) => self.change(field, value),
                _ => self.ignore("not_an_event"),
            }
        }
        if !found {
            self.ignore("nothing_told");
        }
    }

    fn each(&mut self, list: &Value, mut read: impl FnMut(&mut Self, &Map<String, Value>)) {
        let Some(list) = list.as_array() else {
            return self.ignore("not_a_list");
        };
        for one in list {
            if self.left == 0 {
                return self.ignore("too_many");
            }
            self.left -= 1;
            match one.as_object() {
                Some(one) => read(self, one),
                None => self.ignore("not_an_event"),
            }
        }
    }

    fn ignore(&mut self, why: &'static str) {
        if self.news.ignored.len() < MAX_IGNORED {
            self.news.ignored.push(why);
        }
    }

    /// The entry speaks of this message, comment, post or person.
    fn speaks_of(&mut self, id: &str) {
        self.news.refs.push(id.to_owned());
    }

    fn tell(&mut self, item: IncomingItem) {
        self.news.items.push(item);
    }

    fn finish(mut self) -> EntryNews {
        let us = self.us;
        self.news.refs.retain(|id| id != us);
        self.news.refs.sort_unstable();
        self.news.refs.dedup();
        self.news
    }
}

/// A customer known by id only.
fn person(id: &str) -> IncomingPerson {
    IncomingPerson {
        platform_id: id.to_owned(),
        ..IncomingPerson::default()
    }
}

#[cfg(test)]
mod tests;
