//! Connected accounts: signing in, their tokens, their states, disconnecting, erasing.
//!
//! Invariants: the newest token of a credential is never lost (database first, keychain after, decision C6); a token leaves this room
//! only inside an [`Access`]; `accounts.state` changes only here; nothing of an account is erased without its owner's one-time token
//! and the grace time. Reconnecting the same platform account finds its data again.

mod access;
pub(crate) mod checks;
mod deauthorized;
pub mod disconnect;
pub(crate) mod erase;
mod events;
mod ladder;
pub mod list;
pub(crate) mod picture;
pub(crate) mod policy;
mod renewal;
mod report;
mod rows;
pub mod sign_in;
mod state;
mod subscription;
#[cfg(test)]
pub(crate) mod testing;
mod tokens;

pub use access::{Access, AccessError};
pub(crate) use checks::bind_all;
pub use checks::run;
pub(crate) use deauthorized::{SignedOut, deauthorized, of_user, provider};
pub use events::recent as token_events;
pub use report::{Remedy, imported, report, report_ok};
pub use rows::access;
pub use subscription::{SubscriptionError, check as check_subscription, check_all_soon};
pub(crate) use tokens::mirror;

use crate::{
    Parts,
    domain::{AccountId, CredentialId},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Tokens in memory and what is going on with them.
pub struct Accounts {
    inner: Mutex<Inner>,
    /// One token repair at a time.
    ladder: tokio::sync::Mutex<()>,
    /// One redeeming of a code at a time.
    redeeming: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Inner {
    tokens: HashMap<CredentialId, tokens::Token>,
    /// Accounts known to be well, and since when (monotonic ms): a good call costs no write then.
    calm: HashMap<AccountId, i64>,
    /// When a credential was last repaired (monotonic ms).
    repaired: HashMap<CredentialId, i64>,
    /// Sign-ins that ended while this program ran: still shown, not after a restart.
    ended: Vec<i64>,
    /// One-time tokens that permit an erasure: account, token, end (UTC ms).
    permits: Vec<(AccountId, String, i64)>,
}

impl Accounts {
    /// From the profile's parts.
    pub fn new(_parts: &Parts) -> Self {
        Self {
            inner: Mutex::default(),
            ladder: tokio::sync::Mutex::new(()),
            redeeming: tokio::sync::Mutex::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
