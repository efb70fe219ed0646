//! Meta's Graph API: typed calls, errors with their retry kind, budgets, and the adapter from Meta's shapes to [`crate::domain`].
//!
//! Invariants: a token travels only in `Authorization: Bearer`, never in an address, a log line or an error; a `next` address of
//! paging is never followed (it holds a token), only its cursor is taken; nothing Meta sends can make this panic. No SQL in here.
//! Source of every rule: the Meta facts sheet, sections 1, 4, 5, 6, 7 and 8.

pub mod adapter;
mod budget;
mod calls;
mod client;
mod error;
mod error_table;
pub(crate) mod http;
mod page;
pub mod posts;
mod raw;
mod usage;
pub mod webhook;

pub use budget::Lane;
pub use calls::{SendAnswer, SendRequest};
pub use client::GraphClient;
pub use error::{Call, Fault, GraphError, RetryKind};
pub use page::{CursorGuard, Page};
pub use posts::{RawMention, RawPost};
pub use raw::{
    PageToken, RawAttachment, RawMe, RawMessage, RawPerson, RawPicture, RawProfile, RawReaction,
    RawShare, RawStory, RawThread, RenewedToken,
};

#[cfg(test)]
#[path = "client_tests.rs"]
mod client_tests;
