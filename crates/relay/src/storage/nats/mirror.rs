//! The rows of a table in memory, as its feed tells them.
//!
//! Invariant: a row only gives way to a newer revision of itself. So this node's own change counts at once, and an older report that
//! comes later changes nothing.

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    hash::Hash,
};

/// Rows by key.
#[derive(Debug)]
pub(super) struct Mirror<K, V> {
    rows: HashMap<K, (u64, Option<V>)>,
    /// Told since the feed began; what is not among them when it is complete is gone.
    told: HashSet<K>,
}

impl<K, V> Default for Mirror<K, V> {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            told: HashSet::new(),
        }
    }
}

impl<K: Clone + Eq + Hash, V> Mirror<K, V> {
    /// The row is this now. Answers the row before it; nothing when this is no news.
    pub(super) fn apply(&mut self, key: &K, revision: u64, row: Option<V>) -> Option<Option<V>> {
        self.told.insert(key.clone());
        match self.rows.get_mut(key) {
            Some((seen, _)) if *seen >= revision => None,
            Some(known) => Some(std::mem::replace(known, (revision, row)).1),
            None => {
                self.rows.insert(key.clone(), (revision, row));
                Some(None)
            }
        }
    }

    /// Every row was told that there was up to a revision. Answers the keys that are gone, after having removed them.
    pub(super) fn complete(&mut self, revision: u64) -> Vec<(K, V)> {
        let told = std::mem::take(&mut self.told);
        let gone: Vec<K> = self
            .rows
            .iter()
            .filter(|(key, (seen, _))| *seen <= revision && !told.contains(*key))
            .map(|(key, _)| key.clone())
            .collect();
        gone.into_iter()
            .filter_map(|key| {
                let (_, row) = self.rows.remove(&key)?;
                Some((key, row?))
            })
            .collect()
    }

    /// One row.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.rows.get(key)?.1.as_ref()
    }

    /// All rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows
            .iter()
            .filter_map(|(key, (_, row))| Some((key, row.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_report_that_comes_later_changes_nothing() {
        let mut mirror = Mirror::default();
        assert_eq!(mirror.apply(&"a", 7, Some(1)), Some(None));
        assert_eq!(mirror.apply(&"a", 9, None), Some(Some(1)));
        assert_eq!(mirror.apply(&"a", 8, Some(2)), None);
        assert_eq!(mirror.get("a"), None);
    }

    #[test]
    fn after_a_complete_report_what_was_not_in_it_is_gone() {
        let mut mirror = Mirror::default();
        mirror.apply(&"told", 3, Some(1));
        assert!(mirror.complete(3).is_empty());
        mirror.apply(&"newer", 12, Some(2));
        mirror.told.clear();
        assert_eq!(mirror.complete(10), [("told", 1)]);
        assert_eq!(mirror.get("newer"), Some(&2));
    }
}
