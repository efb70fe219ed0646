//! What the app and the relay say to each other.
//!
//! Only serde types and the crypto that binds them: device keys, signed requests, PKCE, sealed answers, sealed events and the
//! protocol of the stream that carries them.
//! Invariant: no I/O, no clock and no randomness of its own. Times (UTC, integer milliseconds) and random
//! bytes are passed in, so both sides and every test decide them. Nothing about windows, databases or HTTP
//! servers belongs here. The sign-in it serves is described in `docs/relay.md`.

mod bindings;
mod device;
mod encoding;
mod envelope;
mod event;
mod grant;
mod hooks;
mod pkce;
mod proof;
mod refusal;
mod secret;
mod signin;
mod stream;

pub use bindings::{
    AccountRef, Binding, BindingList, LEASE_MS, PROOF_REQUEST_MAX_TOKENS, ProofAnswer,
    ProofRequest, RemoveBinding, ShowToken,
};
pub use device::{DeviceKeys, DevicePublic, KeyError, Thumbprint};
pub use envelope::{ENVELOPE_VERSION, Envelope, EnvelopeError, EnvelopeKind};
pub use event::{
    EVENT_MAX_BYTES, EVENT_VERSION, EventError, EventKind, EventOpener, EventSealer,
    SEALER_LIFE_MS, SUBJECT_MAX_BYTES, SealedEvent, account_of, subject_of,
};
pub use grant::{AccountKind, Grant, GrantedAccount, GrantedUser, Notice, Renewal, UserToken};
pub use hooks::{
    COLLECT_BODY_MAX, DeletionOutcome, DeletionReport, HOOKS_PER_DEVICE, HookChange, HookCreate,
    HookEvent, HookKind, HookList, HookView, MEDIA_LIFE_MS, MEDIA_MAX_BYTES, MEDIA_PER_DEVICE,
    MediaView, OwnerNotice, SHOP_BODY_MAX, Visitor,
};
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
pub use stream::{
    ACK_BYTES, ACK_EVENTS, ACK_MS, ANSWERING_LEASE_MS, Answering, CloseReason, DEAD_MS, Delivery,
    DeviceMessage, FRAME_MAX_BYTES, GapReason, HELLO_MS, Hello, PING_MS, RelayMessage,
    STREAM_PROTOCOL, StreamState, TEXT_MAX_BYTES, WINDOW_BYTES, WINDOW_EVENTS, challenge_bytes,
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
    /// WebSocket: the device's stream ([`crate::RelayMessage`], [`crate::DeviceMessage`], [`crate::Delivery`]).
    pub const STREAM: &str = "/v1/stream";
    /// Device-signed: `GET` [`crate::HookList`], `POST` [`crate::HookCreate`].
    /// `POST {HOOKS}/{id}` [`crate::HookChange`]; `DELETE {HOOKS}/{id}`, 204.
    pub const HOOKS: &str = "/v1/hooks";
    /// `PUT {MEDIA}/{random}`, device-signed, the body is the picture; answers [`crate::MediaView`].
    pub const MEDIA: &str = "/v1/media";
    /// `POST {DELETIONS}/{code}`, device-signed, [`crate::DeletionReport`]; 204.
    pub const DELETIONS: &str = "/v1/deletions";
    /// Meta's webhooks, both products.
    pub const WEBHOOKS_META: &str = "/webhooks/meta";
    /// Meta's deauthorize callback.
    pub const DEAUTHORIZE: &str = "/meta/deauthorize";
    /// Meta's data-deletion callback.
    pub const DATA_DELETION: &str = "/meta/data-deletion";
}
