//! Signed requests: every call of a device to the relay carries a proof in the manner of DPoP (RFC 9449).
//!
//! Compact JWS, `EdDSA`: header `{typ, alg, jwk, seal}`, claims `{htm, htu, iat_ms, jti}`. It binds method,
//! URL without query, time and a nonce to both public keys. Freshness is checked here against a time passed
//! in; that a nonce is used once is the relay's to remember, for twice [`PROOF_SKEW_MS`].

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    DeviceKeys, DevicePublic, Thumbprint,
    encoding::{b64, unb64, unb64_array},
};

/// Name of the request header.
pub const PROOF_HEADER: &str = "dpop";
/// How far the clocks of device and relay may differ, either way, in milliseconds.
pub const PROOF_SKEW_MS: i64 = 5 * 60 * 1000;
/// Longest header value the relay reads.
pub const MAX_PROOF_BYTES: usize = 2048;

/// Why a proof was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a proof of this kind at all.
    #[error("the device proof cannot be read")]
    Malformed,
    /// The signature is not of the key it names.
    #[error("the device proof is not signed by its key")]
    Signature,
    /// Made for another method or address.
    #[error("the device proof was made for another request")]
    OtherRequest,
    /// The clocks differ by more than [`PROOF_SKEW_MS`].
    #[error("the device proof is too old or from the future")]
    Stale,
}

#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
    seal: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    htm: String,
    htu: String,
    iat_ms: i64,
    jti: String,
}

const TYP: &str = "dpop+jwt";
const ALG: &str = "EdDSA";

/// A header value ready to send as [`PROOF_HEADER`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceProof(String);

impl DeviceProof {
    /// Signs one request. `method` is upper case, `url` the full address (query and fragment are left out),
    /// `now_ms` the device's clock, `nonce` 16 fresh random bytes.
    pub fn sign(keys: &DeviceKeys, method: &str, url: &Url, now_ms: i64, nonce: &[u8; 16]) -> Self {
        let public = keys.public();
        let header = Header {
            typ: TYP.into(),
            alg: ALG.into(),
            jwk: Jwk {
                kty: "OKP".into(),
                crv: "Ed25519".into(),
                x: b64(public.sign_key()),
            },
            seal: b64(public.seal_key()),
        };
        let claims = Claims {
            htm: method.to_owned(),
            htu: without_query(url),
            iat_ms: now_ms,
            jti: b64(nonce),
        };
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = keys.sign(signed.as_bytes());
        Self(format!("{signed}.{}", b64(signature)))
    }

    /// The header value.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks a header value against the request it came with. `url` is the address as the device must have
    /// written it (the relay's public URL plus path).
    ///
    /// # Errors
    /// [`ProofError`], one per reason. Signature before claims: an unsigned claim is not even looked at.
    pub fn verify(
        value: &str,
        method: &str,
        url: &Url,
        now_ms: i64,
        skew_ms: i64,
    ) -> Result<VerifiedProof, ProofError> {
        if value.len() > MAX_PROOF_BYTES {
            return Err(ProofError::Malformed);
        }
        let (signed, signature) = value.rsplit_once('.').ok_or(ProofError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(ProofError::Malformed)?;
        let header: Header = decode(header).ok_or(ProofError::Malformed)?;
        if header.typ != TYP
            || header.alg != ALG
            || header.jwk.kty != "OKP"
            || header.jwk.crv != "Ed25519"
        {
            return Err(ProofError::Malformed);
        }
        let sign = unb64_array(&header.jwk.x).ok_or(ProofError::Malformed)?;
        let seal = unb64_array(&header.seal).ok_or(ProofError::Malformed)?;
        let device = DevicePublic::from_bytes(seal, sign).map_err(|_| ProofError::Malformed)?;
        let signature = unb64_array(signature).ok_or(ProofError::Malformed)?;
        if !device.verify(signed.as_bytes(), &signature) {
            return Err(ProofError::Signature);
        }
        let claims: Claims = decode(claims).ok_or(ProofError::Malformed)?;
        if unb64_array::<16>(&claims.jti).is_none() {
            return Err(ProofError::Malformed);
        }
        if claims.htm != method || claims.htu != without_query(url) {
            return Err(ProofError::OtherRequest);
        }
        if now_ms.saturating_sub(claims.iat_ms).saturating_abs() > skew_ms {
            return Err(ProofError::Stale);
        }
        Ok(VerifiedProof {
            thumbprint: device.thumbprint(),
            device,
            iat_ms: claims.iat_ms,
            nonce: claims.jti,
        })
    }
}

/// What a valid proof says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    /// Both public keys of the caller.
    pub device: DevicePublic,
    /// Thumbprint of those keys.
    pub thumbprint: Thumbprint,
    /// The device's clock when it signed.
    pub iat_ms: i64,
    /// The nonce, 22 characters of base64url; to be accepted once per device.
    pub nonce: String,
}

fn without_query(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    bare.into()
}

fn encode<T: Serialize>(value: &T) -> String {
    // Strings and integers in a struct always serialise; an empty part would only fail verification.
    b64(serde_json::to_vec(value).unwrap_or_default())
}

fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&unb64(text)?).ok()
}
