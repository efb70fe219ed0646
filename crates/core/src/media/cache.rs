//! The last seen media in memory, within a number of bytes. The longest unseen goes first.

use super::MediaBytes;
use std::collections::{HashMap, VecDeque};

/// Bounded by bytes, not by count.
pub(super) struct Cache {
    limit: usize,
    used: usize,
    known: HashMap<String, MediaBytes>,
    order: VecDeque<String>,
}

impl Cache {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            known: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn get(&mut self, id: &str) -> Option<MediaBytes> {
        let found = self.known.get(id)?.clone();
        if let Some(place) = self.order.iter().position(|known| known == id) {
            self.order.remove(place);
            self.order.push_back(id.to_owned());
        }
        Some(found)
    }

    /// Nothing bigger than a quarter of the room gets in: one film must not push out every face.
    pub(super) fn put(&mut self, id: &str, media: &MediaBytes) {
        if media.bytes.len() > self.limit / 4 {
            return;
        }
        self.forget(id);
        self.used += media.bytes.len();
        self.known.insert(id.to_owned(), media.clone());
        self.order.push_back(id.to_owned());
        while self.used > self.limit {
            let Some(oldest) = self.order.front().cloned() else {
                break;
            };
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, id: &str) {
        if let Some(old) = self.known.remove(id) {
            self.used -= old.bytes.len();
            self.order.retain(|known| known != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(size: usize) -> MediaBytes {
        MediaBytes {
            mime: "image/png",
            bytes: vec![0; size].into(),
        }
    }

    #[test]
    fn the_longest_unseen_goes_first_and_the_limit_holds() {
        let mut cache = Cache::new(100);
        for id in ["ana", "bea", "cem", "dora"] {
            cache.put(id, &picture(25));
        }
        assert!(cache.get("ana").is_some());
        cache.put("emil", &picture(20));
        assert!(cache.get("bea").is_none(), "unseen longest");
        assert!(cache.get("ana").is_some());
        cache.put("film", &picture(26));
        assert!(cache.get("film").is_none());
        cache.put("ana", &picture(5));
        assert_eq!(cache.used, 75);
        assert_eq!(cache.order.len(), cache.known.len());
    }
}
