//! Members of a JSON object, each taken only when it fits. Ids may be texts or numbers of any size.

use crate::platform::adapter::{self, MAX_TEXT, MAX_URL};
use serde_json::{Map, Value};

/// Longest id: Instagram's message ids are some two hundred bytes.
const MAX_ID: usize = 512;
/// Longest name, title, label or payload.
const MAX_WORD: usize = 2_000;

pub(super) type Object = Map<String, Value>;

/// An id. Too long, empty or with control characters it is none.
pub(super) fn id(from: &Object, key: &str) -> Option<String> {
    id_of(from.get(key)?)
}

/// As [`id`], of a bare value.
pub(super) fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()
            && text.len() <= MAX_ID
            && !text.chars().any(|letter| letter.is_control()))
        .then(|| text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// The id inside `{"id":…}`.
pub(super) fn id_in(from: &Object, key: &str) -> Option<String> {
    id(object(from, key)?, "id")
}

pub(super) fn object<'a>(from: &'a Object, key: &str) -> Option<&'a Object> {
    from.get(key)?.as_object()
}

/// A short text in one piece; what is longer is cut at a character.
pub(super) fn word(from: &Object, key: &str) -> Option<String> {
    let text = from.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| cut(text, MAX_WORD))
}

/// What a person wrote.
pub(super) fn text(from: &Object, key: &str) -> Option<String> {
    let text = from.get(key)?.as_str()?;
    (!text.trim().is_empty()).then(|| cut(text, MAX_TEXT))
}

fn cut(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}

/// A web address.
pub(super) fn address(from: &Object, key: &str) -> Option<String> {
    let text = from.get(key)?.as_str()?;
    let fits =
        text.len() <= MAX_URL && (text.starts_with("https://") || text.starts_with("http://"));
    fits.then(|| text.to_owned())
}

/// A whole number, also written as a text.
pub(super) fn number(from: &Object, key: &str) -> Option<i64> {
    match from.get(key)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) if text.len() <= 20 => text.parse().ok(),
        _ => None,
    }
}

/// A moment: seconds or milliseconds by magnitude, or ISO 8601.
pub(super) fn time(from: &Object, key: &str) -> Option<i64> {
    adapter::time_ms(from.get(key)?)
}

pub(super) fn is(from: &Object, key: &str) -> bool {
    from.get(key) == Some(&Value::Bool(true))
}
