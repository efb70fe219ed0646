//! Posts and their comments: what stands in public under the shop's name.
//!
//! Invariants: a comment is one by (account, comment id) and stays for ever, without its words once it was removed; whoever comments is
//! no contact and has no conversation until they write a message; a comment opens no reply window. Rows are written through `ingest`
//! only ([`write`]). A post is fetched once, when somebody comments on it.
//!
//! What does not belong here: what a webhook means (`platform::webhook`), answering, hiding and deleting (the one door out).

pub(crate) mod fetch;
mod read;
pub(crate) mod write;

pub use read::{comments_page, posts_page, thread_of};

#[cfg(test)]
mod tests;
