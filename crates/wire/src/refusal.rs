//! Every way the relay says no, as one machine code each, in the error shape of RFC 6749 §5.2.
//!
//! The app has a sentence and a next step for each; the relay's own texts are for logs and other clients.
//! Invariant: an error answer carries no token, code, name or upstream message text.

use serde::{Deserialize, Serialize};

macro_rules! refusals {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $status:literal, $error:literal, $text:literal;)*) => {
        /// Why the relay refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Refusal {
            $($(#[doc = $doc])* #[serde(rename = $code)] $name,)*
            /// A code newer than this build.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl Refusal {
            /// Every refusal this build knows.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)*];

            /// Machine code, as on the wire.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* Self::Unknown => "unknown" }
            }

            /// Reads [`Self::code`]; anything else is [`Refusal::Unknown`].
            pub fn parse(code: &str) -> Self {
                match code { $($code => Self::$name,)* _ => Self::Unknown }
            }

            /// HTTP status it is answered with.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* Self::Unknown => 500 }
            }

            /// `error` of RFC 6749 (or RFC 9449 for proofs).
            pub fn error(self) -> &'static str {
                match self { $(Self::$name => $error,)* Self::Unknown => "server_error" }
            }

            /// One English sentence for logs and other clients.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::Unknown => "The relay refused for a reason this version does not know." }
            }
        }
    };
}

refusals! {
    /// A parameter is missing or malformed.
    InvalidRequest = "invalid_request", 400, "invalid_request", "A parameter is missing or malformed.";
    /// Not our client id.
    UnknownClient = "unknown_client", 401, "invalid_client", "The client is not known here.";
    /// Neither the scheme nor the loopback address.
    RedirectNotAllowed = "redirect_not_allowed", 400, "invalid_request", "The redirect address is not allowed.";
    /// The provider is not configured on this relay.
    ProviderNotConfigured = "provider_not_configured", 400, "invalid_request", "This relay is not set up for that login.";
    /// No PKCE, or a method other than S256.
    PkceRequired = "pkce_required", 400, "invalid_request", "PKCE with S256 is required.";
    /// The state is not ours, was changed, or is another sign-in's.
    StateWrong = "state_wrong", 400, "invalid_request", "The state does not belong to this sign-in.";
    /// Started more than ten minutes ago.
    StateExpired = "state_expired", 400, "invalid_request", "The sign-in took longer than ten minutes.";
    /// The callback was loaded before.
    StateReplayed = "state_replayed", 400, "invalid_request", "This answer was used before.";
    /// Another browser started it: the cookie is missing or differs.
    BrowserMismatch = "browser_mismatch", 400, "invalid_request", "The sign-in was started in another browser.";
    /// The person pressed Cancel at the platform.
    ConsentDenied = "consent_denied", 400, "access_denied", "Access was denied at the platform.";
    /// A permission without which nothing works was not given.
    ConsentPartial = "consent_partial", 400, "invalid_scope", "A necessary permission was not given.";
    /// The platform answered the dialog with an error of its own.
    DialogFailed = "dialog_failed", 400, "server_error", "The platform's dialog ended with an error.";
    /// Not a code of this relay, or changed.
    CodeInvalid = "code_invalid", 400, "invalid_grant", "The code is not valid.";
    /// Older than five minutes, or the platform says its own has expired.
    CodeExpired = "code_expired", 400, "invalid_grant", "The code has expired.";
    /// Redeemed before, here or at the platform.
    CodeReused = "code_reused", 400, "invalid_grant", "The code was used before.";
    /// The same code is being redeemed at this moment; ask again.
    CodeInUse = "code_in_use", 503, "temporarily_unavailable", "The code is being redeemed right now.";
    /// The verifier does not belong to the challenge.
    VerifierMismatch = "verifier_mismatch", 400, "invalid_grant", "The verifier does not belong to the code.";
    /// The code was made for another device.
    DeviceMismatch = "device_mismatch", 400, "invalid_grant", "The code was made for another device.";
    /// No device proof.
    ProofMissing = "proof_missing", 401, "invalid_dpop_proof", "The device proof is missing.";
    /// Malformed, wrongly signed, or for another request.
    ProofInvalid = "proof_invalid", 401, "invalid_dpop_proof", "The device proof is not valid.";
    /// Clocks differ by more than five minutes; `relay_time_ms` says by how much.
    ProofStale = "proof_stale", 401, "invalid_dpop_proof", "The device's clock and the relay's differ too much.";
    /// This proof was used before.
    ProofReplayed = "proof_replayed", 401, "invalid_dpop_proof", "The device proof was used before.";
    /// The person has no Page, or ticked none.
    NoPage = "no_page", 400, "invalid_grant", "No Page was found or chosen.";
    /// Pages, but not one with a linked Instagram account. Answered as a notice on the grant, never as an error.
    PageWithoutInstagram = "page_without_instagram", 400, "invalid_grant", "No Page has a linked Instagram account.";
    /// A personal Instagram account.
    NotProfessional = "not_professional", 400, "invalid_grant", "The Instagram account is not a professional account.";
    /// The token has expired and cannot be exchanged (T2).
    TokenExpired = "token_expired", 400, "invalid_grant", "The token has expired; a new sign-in is needed.";
    /// The token is not valid, was revoked, or is another app's.
    TokenInvalid = "token_invalid", 400, "invalid_grant", "The token is not valid.";
    /// The token works but does not belong to that account.
    TokenOtherAccount = "token_other_account", 403, "access_denied", "The token belongs to another account.";
    /// The platform refuses the relay itself: wrong secret, app in development mode, redirect not registered.
    RelayMisconfigured = "relay_misconfigured", 502, "server_error", "The platform refuses this relay; its operator must look.";
    /// The platform throttles.
    PlatformThrottled = "platform_throttled", 503, "temporarily_unavailable", "The platform asks for patience.";
    /// The platform did not answer or had an error of its own; try again.
    PlatformUnavailable = "platform_unavailable", 503, "temporarily_unavailable", "The platform did not answer.";
    /// Too many calls by this device or address.
    RateLimited = "rate_limited", 429, "temporarily_unavailable", "Too many requests.";
    /// The body is too large.
    TooLarge = "too_large", 413, "invalid_request", "The request is too large.";
    /// No such binding.
    NotBound = "not_bound", 404, "invalid_request", "There is no such binding.";
    /// No such address on this relay.
    NotFound = "not_found", 404, "invalid_request", "There is nothing at this address.";
    /// A fault of the relay.
    Internal = "internal", 500, "server_error", "The relay had a fault.";
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Refusal {}

/// JSON body of every refusal outside the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorAnswer {
    /// RFC 6749 error.
    pub error: String,
    /// Sentence for logs.
    pub error_description: String,
    /// Machine code.
    pub refusal: Refusal,
    /// The relay's clock, so that the app can tell how far its own is off.
    pub relay_time_ms: i64,
    /// When trying again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<i64>,
}

impl ErrorAnswer {
    /// The answer for a refusal.
    pub fn new(refusal: Refusal, relay_time_ms: i64, retry_after_ms: Option<i64>) -> Self {
        Self {
            error: refusal.error().into(),
            error_description: refusal.text().into(),
            refusal,
            relay_time_ms,
            retry_after_ms,
        }
    }
}
