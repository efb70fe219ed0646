//! What the app and the relay say to each other.
//!
//! Only serde types and the crypto that binds them: device keys, signed requests, PKCE, sealed answers.
//! Invariant: no I/O, no clock and no randomness of its own. Times (UTC, integer milliseconds) and random
//! bytes are passed in, so both sides and every test decide them. Nothing about windows, databases or HTTP
//! servers belongs here. The sign-in it serves is described in `docs/relay.md`.

mod bindings;
mod device;
mod encoding;
mod envelope;
mod grant;
mod pkce;
mod proof;
mod refusal;
mod secret;
mod signin;

pub use bindings::{
    AccountRef, Binding, BindingList, LEASE_MS, PROOF_REQUEST_MAX_TOKENS, ProofAnswer,
    ProofRequest, RemoveBinding, ShowToken,
};
pub use device::{DeviceKeys, DevicePublic, KeyError, Thumbprint};
pub use envelope::{ENVELOPE_VERSION, Envelope, EnvelopeError, EnvelopeKind};
pub use grant::{AccountKind, Grant, GrantedAccount, GrantedUser, Notice, Renewal, UserToken};
pub use pkce::{Challenge, Verifier, VerifierError, match_number};
pub use proof::{
    DeviceProof, MAX_PROOF_BYTES, PROOF_HEADER, PROOF_SKEW_MS, ProofError, VerifiedProof,
};
pub use refusal::{ErrorAnswer, Refusal};
pub use secret::Secret;
pub use signin::{
    AuthorizeParams, CLIENT_ID, CODE_LIFE_MS, CODE_PREFIX, Callback, CallbackError, Provider,
    SCHEME_REDIRECT, SEALED_TOKEN_TYPE, STATE_LIFE_MS, TokenAnswer, TokenRequest, UnknownProvider,
    is_allowed_redirect,
};

/// Paths of the relay, below its public URL. Both sides use these and nothing else.
pub mod paths {
    /// `GET`, in the browser: start of a sign-in, query = [`crate::AuthorizeParams`].
    pub const AUTHORIZE: &str = "/oauth/authorize";
    /// `POST` form [`crate::TokenRequest`], device-signed; answers [`crate::TokenAnswer`].
    pub const TOKEN: &str = "/oauth/token";
    /// `POST` JSON [`crate::ProofRequest`], device-signed; answers [`crate::ProofAnswer`].
    pub const PROOF: &str = "/oauth/proof";
    /// `GET`, device-signed: the bindings of the calling device, [`crate::BindingList`].
    /// `DELETE {BINDINGS}/{page|instagram}/{platform_id}`, device-signed: remove the caller's own; 204.
    pub const BINDINGS: &str = "/v1/bindings";
    /// `POST` JSON [`crate::ShowToken`], device-signed: renew the lease, list every device of the account.
    pub const BINDINGS_RENEW: &str = "/v1/bindings/renew";
    /// `POST` JSON [`crate::RemoveBinding`], device-signed: remove another device from the account.
    pub const BINDINGS_REMOVE: &str = "/v1/bindings/remove";
}
