//! Proof key for code exchange (RFC 7636, S256 only) and the two digits both screens show.
//!
//! The number lets a person see that the page in the browser belongs to the app in front of them (T5).
//! It is derived from the challenge, so an attacker's own challenge shows the attacker's number.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    Secret,
    encoding::{b64, unb64_array},
};

/// The text is not a verifier or challenge of RFC 7636 §4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a PKCE value of RFC 7636")]
pub struct VerifierError;

/// The secret half, kept by the app until it redeems the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier(Secret);

impl Verifier {
    /// 43 characters from 32 bytes of a cryptographic random source.
    pub fn from_random_bytes(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(b64(bytes)))
    }

    /// Takes a verifier from outside: 43 to 128 unreserved characters.
    ///
    /// # Errors
    /// [`VerifierError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, VerifierError> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Secret::new(text)))
        } else {
            Err(VerifierError)
        }
    }

    /// The characters to send as `code_verifier`.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// `BASE64URL(SHA256(verifier))`.
    pub fn challenge(&self) -> Challenge {
        Challenge(b64(Sha256::digest(self.0.expose().as_bytes())))
    }
}

/// The public half, sent first. 43 characters of base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Challenge(String);

impl Challenge {
    /// Takes a challenge from outside.
    ///
    /// # Errors
    /// [`VerifierError`] when it is not base64url of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, VerifierError> {
        unb64_array::<32>(text)
            .map(|_| Self(text.to_owned()))
            .ok_or(VerifierError)
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the verifier belongs to this challenge; constant time.
    pub fn matches(&self, verifier: &Verifier) -> bool {
        verifier
            .challenge()
            .0
            .as_bytes()
            .ct_eq(self.0.as_bytes())
            .into()
    }

    /// Short for [`match_number`].
    pub fn number(&self) -> u8 {
        match_number(&self.0)
    }
}

impl TryFrom<String> for Challenge {
    type Error = VerifierError;
    fn try_from(text: String) -> Result<Self, VerifierError> {
        Self::parse(&text)
    }
}

impl From<Challenge> for String {
    fn from(challenge: Challenge) -> Self {
        challenge.0
    }
}

/// The number both sides show: 10 to 99, so that it always has two digits and needs no leading zero.
/// From a hash of the challenge with a label of its own, every number equally likely within 1 in 10^17.
pub fn match_number(challenge: &str) -> u8 {
    let digest = Sha256::new()
        .chain_update(b"shopbell match number v1\0")
        .chain_update(challenge.as_bytes())
        .finalize();
    let mut first = [0u8; 8];
    first.copy_from_slice(&digest[..8]);
    // The remainder of 90 plus 10 always fits; the fallback is unreachable and harmless.
    u8::try_from(u64::from_be_bytes(first) % 90 + 10).unwrap_or(10)
}
