//! The boundary: one documented async function per use case, typed in, typed out. Shells only unpack, call and return.
//!
//! What belongs here: argument checks, calling the rooms of the core, turning their errors into [`ApiError`]. What does not: SQL,
//! platform formats, windows.

#[macro_use]
mod macros;
mod accounts;
mod app;
mod comments;
mod error;
mod inbox;
mod outbox;
mod relay;
mod settings;
mod sign_in;
mod sync;
mod table;
pub mod types;

pub use error::ApiError;
pub use table::{NAMES, UseCases, dispatch};
