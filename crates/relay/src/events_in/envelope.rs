//! Meta's webhook body, taken apart as far as the relay needs: what it is about, and each entry's own bytes.
//!
//! Invariant: [`parse`] is pure, takes any bytes and never panics. An entry's text is a slice of the body: nothing is re-serialised, so
//! the app sees what Meta signed. What an entry *means* belongs to the app. Source: facts sheet §3.5.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// Largest body of a webhook.
pub(crate) const WEBHOOK_BODY_MAX: usize = 4 * 1024 * 1024;
/// Entries of one request. Meta sends up to 1000.
pub(crate) const ENTRIES_MAX: usize = 1000;
/// How deep brackets may nest. Real events reach about twelve.
pub(crate) const DEPTH_MAX: usize = 64;
/// Ids of Meta are digits; some headroom for the day they are not.
const ID_MAX: usize = 64;

/// What a webhook is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    /// A Facebook Page.
    Page,
    /// An Instagram account.
    Instagram,
    /// Something this relay has no accounts of.
    Other,
}

/// One entry.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// What it is about.
    pub(crate) object: Object,
    /// Account id, when there is one that can be read.
    pub(crate) id: Option<Cow<'a, str>>,
    /// Its bytes as Meta sent them.
    pub(crate) text: &'a str,
}

/// Signed, and not what a webhook looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Takes a body apart.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<Entry<'_>>, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable)?;
    if too_deep(text) {
        return Err(Unreadable);
    }
    // Meta's examples wrap the whole object in an array; its real bodies are bare.
    let envelopes: Vec<Envelope<'_>> = if text.trim_ascii_start().starts_with('[') {
        serde_json::from_str(text).map_err(|_| Unreadable)?
    } else {
        vec![serde_json::from_str(text).map_err(|_| Unreadable)?]
    };
    if envelopes.is_empty() || envelopes.iter().map(|e| e.entry.len()).sum::<usize>() > ENTRIES_MAX
    {
        return Err(Unreadable);
    }
    let entries = envelopes.iter().flat_map(|envelope| {
        let object = match envelope.object.0.as_deref() {
            Some("page") => Object::Page,
            Some("instagram") => Object::Instagram,
            _ => Object::Other,
        };
        envelope.entry.iter().map(move |raw| Entry {
            object,
            id: serde_json::from_str(raw.get())
                .ok()
                .and_then(|head: Head<'_>| head.id.0),
            text: raw.get(),
        })
    });
    Ok(entries.collect())
}

/// Whom an entry's first message is to. Some of Meta's samples show a customer's id as the entry's; the business is then found here.
pub(crate) fn recipient(entry: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Messages<'a> {
        #[serde(borrow, default)]
        messaging: Vec<Message<'a>>,
        #[serde(borrow, default)]
        standby: Vec<Message<'a>>,
    }
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow, default)]
        recipient: Head<'a>,
    }
    let found: Messages<'_> = serde_json::from_str(entry).ok()?;
    let mut messages = found.messaging.into_iter().chain(found.standby);
    messages.next()?.recipient.id.0
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    object: Word<'a>,
    #[serde(borrow)]
    entry: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    id: Word<'a>,
}

/// A short word: text, or a number as text. Anything else is none, so that one odd value does not spoil what lies beside it.
#[derive(Default)]
struct Word<'a>(Option<Cow<'a, str>>);

impl<'a> Word<'a> {
    fn new(word: Cow<'a, str>) -> Self {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        Self(((1..=ID_MAX).contains(&word.len()) && word.bytes().all(plain)).then_some(word))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Word<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a word")
            }
            fn visit_borrowed_str<E>(self, word: &'de str) -> Result<Word<'de>, E> {
                Ok(Word::new(Cow::Borrowed(word)))
            }
            fn visit_str<E>(self, word: &str) -> Result<Word<'de>, E> {
                Ok(Word::new(Cow::Owned(word.to_owned())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Word<'de>, E> {
                Ok(Word::new(Cow::Owned(number.to_string())))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Word<'de>, E> {
                Ok(Word(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Word<'de>, E> {
                Ok(Word(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Word<'de>, E> {
                Ok(Word(None))
            }
            fn visit_unit<E>(self) -> Result<Word<'de>, E> {
                Ok(Word(None))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Word<'de>, A::Error> {
                while seq.next_element::<de::IgnoredAny>()?.is_some() {}
                Ok(Word(None))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Word<'de>, A::Error> {
                while map
                    .next_entry::<de::IgnoredAny, de::IgnoredAny>()?
                    .is_some()
                {}
                Ok(Word(None))
            }
        }
        from.deserialize_any(Visitor)
    }
}

/// Whether brackets nest deeper than [`DEPTH_MAX`]. Whoever reads this further may parse by recursion.
fn too_deep(text: &str) -> bool {
    let mut depth = 0usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(inside) = bytes.next() {
                    match inside {
                        b'"' => break,
                        b'\\' => {
                            bytes.next();
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
