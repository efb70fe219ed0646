//! Meta's errors, read by code and subcode, never by message (facts sheet §8).

use serde::Deserialize;
use shopbell_wire::Refusal;

use super::shapes::{number_or_text, opt_number_or_text};
use crate::failure::Failure;

/// Codes that ask for patience: app, user, Page, BUC and custom limits.
const THROTTLED: &[i64] = &[4, 17, 32, 341, 368, 613, 80001, 80002, 80006];

/// Why a call gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// Not connected: Meta has not seen the request.
    #[error("not connected")]
    NotSent,
    /// No answer, or half of one: Meta may have acted.
    #[error("no answer")]
    NoAnswer,
    /// An answer that is none: 5xx without an error object, HTML, too long.
    #[error("unreadable answer")]
    Malformed,
    /// Meta said no.
    #[error("refused with code {code}, subcode {subcode:?}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// `code`.
        code: i64,
        /// `error_subcode`.
        subcode: Option<i64>,
        /// `is_transient`.
        transient: bool,
        /// The Instagram OAuth host's own shape.
        oauth_shape: bool,
    },
}

#[derive(Deserialize)]
struct GraphError {
    error: GraphErrorBody,
}

#[derive(Deserialize)]
struct GraphErrorBody {
    #[serde(deserialize_with = "number_or_text")]
    code: i64,
    #[serde(default, deserialize_with = "opt_number_or_text")]
    error_subcode: Option<i64>,
    #[serde(default)]
    is_transient: Option<bool>,
}

#[derive(Deserialize)]
struct OAuthHostError {
    #[serde(deserialize_with = "number_or_text")]
    code: i64,
    #[allow(dead_code, reason = "its presence tells this shape from every other")]
    error_type: String,
}

impl UpstreamError {
    pub(super) fn from_send(error: &reqwest::Error) -> Self {
        // The error itself is dropped: it holds the address with tokens in it.
        if error.is_connect() || error.is_builder() {
            Self::NotSent
        } else {
            Self::NoAnswer
        }
    }

    pub(super) fn from_answer(status: u16, body: &[u8]) -> Self {
        if let Ok(GraphError { error }) = serde_json::from_slice(body) {
            return Self::Refused {
                status,
                code: error.code,
                subcode: error.error_subcode,
                transient: error.is_transient.unwrap_or(false),
                oauth_shape: false,
            };
        }
        match serde_json::from_slice::<OAuthHostError>(body) {
            Ok(error) => Self::Refused {
                status,
                code: error.code,
                subcode: None,
                transient: false,
                oauth_shape: true,
            },
            Err(_) => Self::Malformed,
        }
    }

    /// Whether asking the same again soon makes sense, for calls that only read.
    pub(super) fn may_pass(self) -> bool {
        match self {
            Self::NotSent | Self::NoAnswer | Self::Malformed => true,
            Self::Refused {
                status,
                code,
                transient,
                ..
            } => transient || status >= 500 || code == 2,
        }
    }

    /// Whether the code of a failed exchange may still be good. A lost answer is worth a second try: Meta's own
    /// single use decides (T3).
    pub(crate) fn may_be_tried_again(self) -> bool {
        self.may_pass() || self.throttled()
    }

    fn throttled(self) -> bool {
        matches!(self, Self::Refused { code, .. } if THROTTLED.contains(&code))
    }

    fn passing(self) -> Option<Failure> {
        if self.throttled() {
            Some(Failure::Refused(Refusal::PlatformThrottled, Some(60_000)))
        } else if self.may_pass() {
            Some(Failure::Refused(Refusal::PlatformUnavailable, Some(2_000)))
        } else {
            None
        }
    }

    /// What a failed code exchange means.
    pub(crate) fn at_code(self) -> Failure {
        tracing::warn!(error = %self, "code exchange");
        if let Some(passing) = self.passing() {
            return passing;
        }
        let Self::Refused {
            code,
            subcode,
            oauth_shape,
            ..
        } = self
        else {
            return Refusal::PlatformUnavailable.into();
        };
        match (oauth_shape, code, subcode) {
            (false, 100, Some(36009)) | (true, 400, _) => Refusal::CodeReused,
            (false, 100, Some(36007)) => Refusal::CodeExpired,
            // 36008 redirect differs, 101 unknown app, 1 "Error validating client secret".
            (false, 100, Some(36008)) | (false, 101 | 1, _) | (true, _, _) => {
                Refusal::RelayMisconfigured
            }
            _ => Refusal::CodeInvalid,
        }
        .into()
    }

    /// What a failed call with a token means.
    pub(crate) fn at_token(self) -> Failure {
        tracing::warn!(error = %self, "platform call");
        if let Some(passing) = self.passing() {
            return passing;
        }
        let Self::Refused { code, subcode, .. } = self else {
            return Refusal::PlatformUnavailable.into();
        };
        match (code, subcode) {
            (190, Some(463)) => Refusal::TokenExpired,
            (190 | 102, _) => Refusal::TokenInvalid,
            (10 | 200..=299, _) => Refusal::ConsentPartial,
            (3 | 101 | 1, _) => Refusal::RelayMisconfigured,
            _ => Refusal::TokenInvalid,
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> UpstreamError {
        UpstreamError::from_answer(status, body.as_bytes())
    }

    #[test]
    fn every_shape_of_no_is_understood() {
        let fb = |code: i64, sub: i64| {
            read(
                400,
                &format!(
                    r#"{{"error":{{"message":"m","type":"OAuthException","code":{code},"error_subcode":{sub}}}}}"#
                ),
            )
        };
        assert_eq!(fb(100, 36009).at_code().refusal(), Refusal::CodeReused);
        assert_eq!(fb(100, 36007).at_code().refusal(), Refusal::CodeExpired);
        assert_eq!(
            fb(100, 36008).at_code().refusal(),
            Refusal::RelayMisconfigured
        );
        assert_eq!(fb(1, 0).at_code().refusal(), Refusal::RelayMisconfigured);
        assert_eq!(fb(100, 0).at_code().refusal(), Refusal::CodeInvalid);
        assert_eq!(fb(190, 463).at_token().refusal(), Refusal::TokenExpired);
        assert_eq!(fb(190, 460).at_token().refusal(), Refusal::TokenInvalid);
        assert_eq!(
            fb(80002, 0).at_token().refusal(),
            Refusal::PlatformThrottled
        );
        assert!(fb(4, 0).may_be_tried_again());
        let instagram = read(
            400,
            r#"{"error_type":"OAuthException","code":400,"error_message":"Matching code was not found or was already used"}"#,
        );
        assert_eq!(instagram.at_code().refusal(), Refusal::CodeReused);
        assert!(!instagram.may_be_tried_again());
        let passing = read(
            500,
            r#"{"error":{"message":"m","code":"1","is_transient":true}}"#,
        );
        assert_eq!(passing.at_code().refusal(), Refusal::PlatformUnavailable);
        assert!(passing.may_be_tried_again());
        assert_eq!(
            read(502, "<html>").at_token().refusal(),
            Refusal::PlatformUnavailable
        );
        assert_eq!(read(200, "[]"), UpstreamError::Malformed);
    }
}
