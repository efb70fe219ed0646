//! Which devices an account's events go to, and the proof of a new token string.
//!
//! A binding is a lease of 30 days (T8), renewed by showing a working token. It outlives a dead token for
//! that time. Listing and removing *other* devices takes a working token too, so that a lost or former
//! computer with nothing but a lease cannot push the owner out.

use serde::{Deserialize, Serialize};

use crate::{AccountKind, Provider, Secret, Thumbprint};

/// Length of a lease in milliseconds.
pub const LEASE_MS: i64 = 30 * 24 * 3600 * 1000;
/// Most tokens in one [`ProofRequest`].
pub const PROOF_REQUEST_MAX_TOKENS: usize = 50;

/// An account by kind and platform id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountRef {
    /// Page or Instagram account.
    pub kind: AccountKind,
    /// Its platform id.
    pub platform_id: String,
}

/// One device bound to one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The account.
    #[serde(flatten)]
    pub account: AccountRef,
    /// Through which login the token was shown.
    pub provider: Provider,
    /// The device.
    pub device: Thumbprint,
    /// Whether that is the device asking.
    pub mine: bool,
    /// When it was first bound.
    pub bound_at_ms: i64,
    /// When a working token was last shown.
    pub proved_at_ms: i64,
    /// When the lease ends.
    pub lease_until_ms: i64,
}

/// Answer with bindings: the caller's own, or every device of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingList {
    /// Oldest first.
    pub bindings: Vec<Binding>,
}

/// `POST /v1/bindings/renew`: show a working token of the account. Renews the caller's lease, or binds the
/// caller anew after it ran out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShowToken {
    /// The account.
    pub account: AccountRef,
    /// Through which login the token came.
    pub provider: Provider,
    /// Page token or Instagram token; in the relay's memory only.
    pub token: Secret,
}

/// `POST /v1/bindings/remove`: take another device off the account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveBinding {
    /// The account, the login and a working token.
    #[serde(flatten)]
    pub shown: ShowToken,
    /// The device to remove.
    pub device: Thumbprint,
}

/// `POST /oauth/proof`: `appsecret_proof` for token strings the relay has not seen (T8b). The relay answers only
/// for tokens that Meta says are valid and its own app's: a proof over any other text would be a signature
/// somebody could use as a webhook's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProofRequest {
    /// Whose secret: the Meta app's or the Instagram app's.
    pub provider: Provider,
    /// At most [`PROOF_REQUEST_MAX_TOKENS`].
    pub tokens: Vec<Secret>,
}

/// Answer of `POST /oauth/proof`, same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofAnswer {
    /// Lower-case hex of HMAC-SHA256(app secret, token); nothing for a token that does not work.
    pub proofs: Vec<Option<Secret>>,
}
