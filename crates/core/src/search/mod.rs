//! Finding: folding, the words that are indexed, and queries over them.
//!
//! Invariant: a message's words are written in the message's own transaction, by the same folding that queries use; so every committed
//! message is found at once, and a message that was taken back is not. Full-text rowid = sort key: newest first needs no sort, and nothing
//! is ever ranked (decision T9).

mod excerpt;
mod fold;
mod index;
mod query;
mod suggest;
mod terms;
mod words;

pub use index::{index_messages, index_person, reindex_message};
pub use query::{Hits, Scope, messages, people};
pub use suggest::suggest;
pub use terms::{Term, Terms};
pub use words::{name_words, words_of};

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
