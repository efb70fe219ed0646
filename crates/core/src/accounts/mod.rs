//! Connected accounts: signing in, their tokens, their states, disconnecting, erasing.
//!
//! Invariants: the newest token of a credential is never lost (database first, keychain after, decision C6); a token leaves this room
//! only inside an [`Access`]; `accounts.state` changes only here; nothing of an account is erased without its owner's one-time token
//! and the grace time. Reconnecting the same platform account finds its data again.

mod access;

pub use access::{Access, AccessError};

use crate::Parts;

/// Tokens in memory and what is going on with them.
pub struct Accounts {}

impl Accounts {
    /// From the profile's parts.
    pub fn new(_parts: &Parts) -> Self {
        Self {}
    }
}
