//! Counters that are addressed by a word instead of a string.
//!
//! Invariant: all of a family's counters are made when the registry is, so a count is an index and an atomic addition.

use std::{marker::PhantomData, sync::Arc};

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::Word;

/// One counter per word. Cheap to clone; clones count together.
pub(crate) struct Counts<W> {
    counters: Arc<[Counter]>,
    words: PhantomData<fn(W)>,
}

impl<W> Clone for Counts<W> {
    fn clone(&self) -> Self {
        Self {
            counters: Arc::clone(&self.counters),
            words: PhantomData,
        }
    }
}

impl<W: Word> Counts<W> {
    pub(super) fn new(registry: &mut Registry, name: &str, help: &str) -> Self {
        let family = Family::<[(&'static str, &'static str); 1], Counter>::default();
        let counters = W::ALL
            .iter()
            .map(|word| family.get_or_create(&[(W::LABEL, word.word())]).clone())
            .collect();
        registry.register(name, help, family);
        Self {
            counters,
            words: PhantomData,
        }
    }

    /// It happened once.
    pub(crate) fn one(&self, word: W) {
        self.many(word, 1);
    }

    /// It happened so many times.
    pub(crate) fn many(&self, word: W, times: u64) {
        self.counters[word.place()].inc_by(times);
    }

    /// How often so far.
    #[cfg(test)]
    pub(crate) fn get(&self, word: W) -> u64 {
        self.counters[word.place()].get()
    }
}

/// One counter per pair of words.
pub(crate) struct Grid<A, B> {
    counters: Vec<Counter>,
    words: PhantomData<fn(A, B)>,
}

impl<A: Word, B: Word> Grid<A, B> {
    pub(super) fn new(registry: &mut Registry, name: &str, help: &str) -> Self {
        let family = Family::<[(&'static str, &'static str); 2], Counter>::default();
        let pairs = A::ALL
            .iter()
            .flat_map(|a| B::ALL.iter().map(move |b| (a, b)));
        let counters = pairs
            .map(|(a, b)| {
                let labels = [(A::LABEL, a.word()), (B::LABEL, b.word())];
                family.get_or_create(&labels).clone()
            })
            .collect();
        registry.register(name, help, family);
        Self {
            counters,
            words: PhantomData,
        }
    }

    /// It happened once.
    pub(crate) fn one(&self, a: A, b: B) {
        self.counters[a.place() * B::ALL.len() + b.place()].inc();
    }

    /// How often so far.
    #[cfg(test)]
    pub(crate) fn get(&self, a: A, b: B) -> u64 {
        self.counters[a.place() * B::ALL.len() + b.place()].get()
    }
}
