//! The two sealed values of a sign-in: the started one (in Meta's `state`) and the code the app redeems.
//!
//! Any relay node with the same key can finish what another began. Field names are short because both ride
//! in addresses.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use shopbell_wire::{AuthorizeParams, Challenge, Provider, Secret, Thumbprint};

/// A sign-in between the app's browser window and Meta's answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Started {
    #[serde(rename = "i")]
    pub(crate) jti: String,
    #[serde(rename = "x")]
    pub(crate) expires_at_ms: i64,
    #[serde(rename = "p")]
    pub(crate) provider: Provider,
    #[serde(rename = "r")]
    pub(crate) redirect_uri: String,
    #[serde(rename = "s")]
    pub(crate) state: String,
    #[serde(rename = "c")]
    pub(crate) challenge: Challenge,
    #[serde(rename = "d")]
    pub(crate) device: Thumbprint,
    /// Hash of the cookie that ties the sign-in to the browser it began in.
    #[serde(rename = "b")]
    pub(crate) cookie_hash: String,
}

impl Started {
    /// The authorize request again, asking for what was declined.
    pub(crate) fn again(&self) -> AuthorizeParams {
        let mut params = AuthorizeParams::new(
            self.provider,
            &self.redirect_uri,
            &self.state,
            self.challenge.clone(),
            self.device.clone(),
        );
        params.rerequest = true;
        params
    }
}

/// What a code says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    #[serde(rename = "i")]
    pub(crate) jti: String,
    #[serde(rename = "x")]
    pub(crate) expires_at_ms: i64,
    #[serde(rename = "p")]
    pub(crate) provider: Provider,
    #[serde(rename = "m")]
    pub(crate) meta_code: Secret,
    #[serde(rename = "r")]
    pub(crate) redirect_uri: String,
    #[serde(rename = "c")]
    pub(crate) challenge: Challenge,
    #[serde(rename = "s")]
    pub(crate) state_hash: String,
    #[serde(rename = "d")]
    pub(crate) device: Thumbprint,
}

/// Base64url SHA-256, for comparing without keeping.
pub(crate) fn hash(text: &str) -> String {
    B64.encode(Sha256::digest(text.as_bytes()))
}
