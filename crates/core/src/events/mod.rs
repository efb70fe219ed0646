//! The raw log: every event that came through the relay, as it came, and what became of it.
//!
//! Invariants: an event is logged in the transaction that takes it in and moves the stream's offset, so that after a commit it is here
//! with its effect or here as failed, never neither. One that cannot be taken in stops nothing: its part is rolled back, it stays with
//! its bytes, is shown, and is tried again. Nothing of an account that is not ours stays, and what is erased elsewhere is erased here.
//!
//! What does not belong here: the connection (`relay_client::stream`), what a webhook means (`platform::webhook`), rows of messages
//! (`ingest`).

mod apply;
mod care;
mod cursor;
mod deletion;
mod list;
mod log;
mod read;
mod retry;
mod take;

pub use care::forget;
pub(crate) use care::{clean, scrub, start};
pub(crate) use cursor::{Place, gap, load, ready, standing};
pub use deletion::{AnswerError, answer as answer_deletion};
pub(crate) use deletion::{due as deletion_due, open as open_deletions};
pub use list::{one, page};
pub(crate) use retry::due as retry_due;
pub use retry::{RetryError, leave, try_again};
pub(crate) use take::{AT_ONCE, Taken, take};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
