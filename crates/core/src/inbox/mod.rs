//! Reading: the list and its views, one conversation's head and details, the thread; and what the owner does to them without sending.
//!
//! Invariant: views are queries over what `ingest` and `outbox` keep true, never folders. Every page is a few statements with an index
//! under each, whatever its depth. Nothing here speaks to the network.

mod actions;
pub(crate) mod cursor;
pub mod facts;
mod head;
mod list;
mod thread;
pub mod window;

pub use actions::{opened, set_draft, set_state, set_unread};
pub use cursor::BadCursor;
pub use head::{conversation, counts, person};
pub use list::{PageError, page, rows_of};
pub use thread::{Place, messages};

#[cfg(test)]
mod tests;
