//! Cursor paging. Items carry a sort key that rises in the order of the list; a cursor is an opaque
//! word around such a key, so that a list that changes between two pages neither repeats nor skips.
//! `next` embeds the access token, as the platform's does.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::http::call::Call;

/// What was asked of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) limit: usize,
    pub(crate) after: Option<String>,
    pub(crate) before: Option<String>,
    /// A fault wants an empty page that goes on.
    pub(crate) empty: bool,
}

/// Default and greatest page sizes.
const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 100;

impl Ask {
    /// From the parameters of a call.
    pub(crate) fn of(call: &Call, empty: bool) -> Self {
        Ask {
            limit: limit(call.param("limit")),
            after: call.param("after").map(str::to_owned),
            before: call.param("before").map(str::to_owned),
            empty,
        }
    }

    /// From the arguments of a nested edge.
    pub(crate) fn nested(field: &super::fields::Field) -> Self {
        Ask {
            limit: limit(field.arg("limit")),
            after: field.arg("after").map(str::to_owned),
            before: None,
            empty: false,
        }
    }
}

fn limit(text: Option<&str>) -> usize {
    text.and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(DEFAULT_LIMIT)
        .clamp(1, MAX_LIMIT)
}

/// An opaque cursor around a key.
pub(crate) fn cursor(key: &str) -> String {
    format!("QVFI{}", URL_SAFE_NO_PAD.encode(key))
}

fn key_of(cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.strip_prefix("QVFI")?).ok()?;
    String::from_utf8(bytes).ok()
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) range: std::ops::Range<usize>,
    paging: Option<Cursors>,
}

#[derive(Debug)]
struct Cursors {
    before: String,
    after: String,
    has_next: bool,
    has_previous: bool,
}

/// Finds the page in a list of rising keys.
pub(crate) fn cut(keys: &[String], ask: &Ask) -> Cut {
    let start = match ask.after.as_deref().and_then(key_of) {
        Some(key) => keys.partition_point(|other| *other <= key),
        None => 0,
    };
    let (start, end) = match ask.before.as_deref().and_then(key_of) {
        Some(key) => {
            let end = keys.partition_point(|other| *other < key);
            (end.saturating_sub(ask.limit), end)
        }
        None => (start, (start + ask.limit).min(keys.len())),
    };
    if ask.empty {
        // The same place again: whoever follows `next` misses nothing.
        let here = match start.checked_sub(1).and_then(|last| keys.get(last)) {
            Some(key) => cursor(key),
            None => cursor(""),
        };
        let paging = Cursors {
            before: here.clone(),
            after: here,
            has_next: true,
            has_previous: false,
        };
        return Cut {
            range: start..start,
            paging: Some(paging),
        };
    }
    let paging = match (
        keys.get(start),
        end.checked_sub(1).and_then(|last| keys.get(last)),
    ) {
        (Some(first), Some(last)) if start < end => Some(Cursors {
            before: cursor(first),
            after: cursor(last),
            has_next: end < keys.len(),
            has_previous: start > 0,
        }),
        _ => None,
    };
    Cut {
        range: start..end.max(start),
        paging,
    }
}

impl Cut {
    /// `{"data":[…],"paging":{…}}`; an empty list has no `paging`.
    pub(crate) fn list(
        &self,
        data: Vec<Value>,
        call: &Call,
        path: &str,
        extra: &[(&str, String)],
    ) -> Value {
        let mut list = Map::new();
        list.insert("data".into(), Value::Array(data));
        if let Some(cursors) = &self.paging {
            let mut paging =
                json!({ "cursors": { "before": cursors.before, "after": cursors.after } });
            if cursors.has_next {
                paging["next"] = link(call, path, extra, "after", &cursors.after).into();
            }
            if cursors.has_previous {
                paging["previous"] = link(call, path, extra, "before", &cursors.before).into();
            }
            list.insert("paging".into(), paging);
        }
        Value::Object(list)
    }
}

fn link(call: &Call, path: &str, extra: &[(&str, String)], way: &str, cursor: &str) -> String {
    let version = call.version.as_deref().unwrap_or(super::CURRENT_VERSION);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("access_token", call.token().unwrap_or_default());
    query.append_pair("pretty", "0");
    for (key, value) in extra {
        query.append_pair(key, value);
    }
    query.append_pair(way, cursor);
    format!("{}/{version}/{path}?{}", call.base, query.finish())
}

/// The parameters of an edge that its `next` link repeats.
pub(crate) fn repeated<'a>(call: &Call, names: &[&'a str]) -> Vec<(&'a str, String)> {
    names
        .iter()
        .filter_map(|name| call.param(name).map(|value| (*name, value.to_owned())))
        .collect()
}

/// A key that rises as `ms` falls, ties broken by a word.
pub(crate) fn newest_first(ms: i64, tie: &str) -> String {
    format!("{:014}/{tie}", 99_999_999_999_999_i64.saturating_sub(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("{n:04}")).collect()
    }

    fn ask(limit: usize, after: Option<&str>) -> Ask {
        Ask {
            limit,
            after: after.map(cursor),
            before: None,
            empty: false,
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let keys = keys(7);
        assert_eq!(cut(&keys, &ask(3, None)).range, 0..3);
        assert_eq!(cut(&keys, &ask(3, Some("0002"))).range, 3..6);
        let last = cut(&keys, &ask(3, Some("0005")));
        assert_eq!(last.range, 6..7);
        assert!(last.paging.is_some_and(|paging| !paging.has_next));
        assert!(cut(&keys, &ask(3, Some("0006"))).paging.is_none());
    }

    #[test]
    fn a_vanished_item_does_not_shift_the_next_page() {
        let mut keys = keys(6);
        keys.remove(2);
        assert_eq!(keys[cut(&keys, &ask(2, Some("0002"))).range][0], "0003");
    }

    #[test]
    fn an_empty_page_leads_on_to_the_same_place() {
        let keys = keys(4);
        for start in [None, Some("0001")] {
            let mut wish = ask(2, start);
            wish.empty = true;
            let page = cut(&keys, &wish);
            assert!(page.range.is_empty());
            let paging = page.paging.expect("an empty page has paging");
            assert!(paging.has_next);
            let again = Ask {
                limit: 2,
                after: Some(paging.after),
                before: None,
                empty: false,
            };
            assert_eq!(cut(&keys, &again).range, cut(&keys, &ask(2, start)).range);
        }
    }

    #[test]
    fn newer_sorts_before_older() {
        assert!(newest_first(2_000, "a") < newest_first(1_000, "a"));
    }
}
