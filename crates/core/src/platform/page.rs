//! One page of a list, and the guard against lists that never end.
//!
//! A page may be short or empty and still have a next one (facts sheet §1.5). The address of the next page holds the token, so only
//! the cursor is taken out of it.

use std::collections::HashSet;

/// One page.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What it holds; may be empty although there is a next page.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` on the last one.
    pub after: Option<String>,
    /// The limit that worked; smaller than asked for when Meta wanted less data at once.
    pub limit: u32,
}

/// Remembers the cursors of one walk. Meta has been seen to hand out the same cursor again: that ends the walk.
#[derive(Debug, Default)]
pub struct CursorGuard {
    seen: HashSet<String>,
}

impl CursorGuard {
    /// Longest cursor that is taken.
    const MAX_CURSOR: usize = 4_096;

    /// Whether the walk may go on with this cursor.
    pub fn admit(&mut self, cursor: &str) -> bool {
        cursor.len() <= Self::MAX_CURSOR && self.seen.insert(cursor.to_owned())
    }
}

/// The `paging` member of a list.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct RawPaging {
    cursors: Option<RawCursors>,
    next: Option<String>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct RawCursors {
    after: Option<String>,
}

impl RawPaging {
    /// The cursor of the next page. Without `next` there is none, even if cursors are there.
    pub(super) fn after(self) -> Option<String> {
        let next = self.next?;
        self.cursors
            .and_then(|c| c.after)
            .or_else(|| {
                let url = url::Url::parse(&next).ok()?;
                url.query_pairs()
                    .find(|(key, _)| key == "after")
                    .map(|(_, value)| value.into_owned())
            })
            .filter(|cursor| !cursor.is_empty() && cursor.len() <= CursorGuard::MAX_CURSOR)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn after(json: &str) -> Option<String> {
        serde_json::from_str::<RawPaging>(json).unwrap().after()
    }

    #[test]
    fn only_a_next_page_has_a_cursor_and_its_address_is_never_kept() {
        assert_eq!(after("{}"), None);
        assert_eq!(after(r#"{"cursors":{"before":"a","after":"b"}}"#), None);
        assert_eq!(
            after(r#"{"cursors":{"after":"b"},"next":"https://x/?access_token=SECRET&after=b"}"#)
                .unwrap(),
            "b"
        );
        assert_eq!(
            after(r#"{"next":"https://x/?access_token=SECRET&after=c%3D"}"#).unwrap(),
            "c="
        );
        assert_eq!(after(r#"{"next":"not an address"}"#), None);
    }

    #[test]
    fn a_repeated_cursor_ends_the_walk() {
        let mut guard = CursorGuard::default();
        assert!(guard.admit("a") && guard.admit("b"));
        assert!(!guard.admit("a"));
        assert!(!guard.admit(&"x".repeat(5_000)));
    }
}
