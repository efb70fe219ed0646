//! The nouns of the product as plain values, and decisions that need nothing but their arguments.
//!
//! Invariant: no I/O, no clock, no database, no platform wire format in here.

mod ids;
mod incoming;
mod state;

pub use ids::*;
pub use incoming::*;
pub use state::*;
