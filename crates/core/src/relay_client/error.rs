//! Why the relay did not do what was asked, in the words of a sign-in's refusals.

use crate::{api::types::Reason, vault::VaultError};
use shopbell_wire::Refusal;

/// A failed call to the relay.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// This computer has no network.
    #[error("no network")]
    Offline,
    /// The relay did not answer, or something in between answered in its place.
    #[error("the relay did not answer")]
    Unreachable,
    /// The relay said no.
    #[error("the relay refused: {}", refusal.code())]
    Refused {
        /// Why.
        refusal: Refusal,
        /// When trying again makes sense.
        retry_after_ms: Option<i64>,
    },
    /// It answered something that cannot be used.
    #[error("the relay's answer cannot be used")]
    Answer,
    /// This computer's keys cannot be read or kept.
    #[error("the device keys are not available")]
    Keys(#[from] VaultError),
}

impl RelayError {
    /// Whether the same call may work in a moment.
    pub fn passes(&self) -> bool {
        use Refusal::{
            CodeInUse, Internal, PlatformThrottled, PlatformUnavailable, ProofReplayed, ProofStale,
            RateLimited,
        };
        match self {
            Self::Offline | Self::Unreachable | Self::Keys(_) => true,
            Self::Refused { refusal, .. } => matches!(
                refusal,
                CodeInUse
                    | Internal
                    | PlatformThrottled
                    | PlatformUnavailable
                    | ProofReplayed
                    | ProofStale
                    | RateLimited
            ),
            Self::Answer => false,
        }
    }

    /// As a sign-in's refusal; see `api::types::SignIn::refusal`.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Offline => Reason::new("offline"),
            Self::Unreachable | Self::Answer => Reason::new("relay_unreachable"),
            Self::Keys(_) => Reason::new("keychain_locked"),
            Self::Refused { refusal, .. } => refusal_reason(*refusal),
        }
    }
}

/// The code of the app for every refusal of the relay. What has no sentence of its own says `why`.
pub fn refusal_reason(refusal: Refusal) -> Reason {
    use Refusal as R;
    let code = match refusal {
        R::StateWrong | R::BrowserMismatch => "state_wrong",
        R::StateReplayed => "state_replayed",
        R::StateExpired | R::CodeExpired => "expired",
        R::CodeReused => "code_reused",
        R::CodeInvalid => "not_a_code",
        R::VerifierMismatch => "code_wrong_verifier",
        R::DeviceMismatch => "code_other_device",
        R::ConsentDenied => "denied",
        R::ConsentPartial => "partial",
        R::NoPage => "no_page",
        R::PageWithoutInstagram => "page_without_instagram",
        R::NotProfessional => "not_professional",
        R::Internal | R::RateLimited | R::CodeInUse | R::ProofStale | R::ProofReplayed => {
            "relay_unreachable"
        }
        R::InvalidRequest
        | R::UnknownClient
        | R::RedirectNotAllowed
        | R::ProviderNotConfigured
        | R::PkceRequired
        | R::DialogFailed
        | R::ProofMissing
        | R::ProofInvalid
        | R::TokenExpired
        | R::TokenInvalid
        | R::TokenOtherAccount
        | R::RelayMisconfigured
        | R::PlatformThrottled
        | R::PlatformUnavailable
        | R::TooLarge
        | R::NotBound
        | R::NotFound
        | R::Unknown => "platform_refused",
    };
    let reason = Reason::new(code);
    if matches!(
        code,
        "platform_refused" | "relay_unreachable" | "state_wrong" | "expired"
    ) {
        reason.with("why", refusal.code())
    } else {
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_code_of_the_contract() {
        const CODES: &[&str] = &[
            "state_wrong",
            "state_replayed",
            "expired",
            "code_reused",
            "code_wrong_verifier",
            "code_other_device",
            "denied",
            "partial",
            "no_page",
            "page_without_instagram",
            "not_professional",
            "relay_unreachable",
            "offline",
            "platform_refused",
            "cancelled",
            "not_a_code",
        ];
        let expected = |refusal: Refusal| match refusal {
            Refusal::StateWrong => "state_wrong",
            Refusal::StateReplayed => "state_replayed",
            Refusal::StateExpired | Refusal::CodeExpired => "expired",
            Refusal::CodeReused => "code_reused",
            Refusal::VerifierMismatch => "code_wrong_verifier",
            Refusal::DeviceMismatch => "code_other_device",
            Refusal::ConsentDenied => "denied",
            Refusal::ConsentPartial => "partial",
            Refusal::NoPage => "no_page",
            Refusal::PageWithoutInstagram => "page_without_instagram",
            _ => "",
        };
        for refusal in Refusal::ALL {
            let code = refusal_reason(*refusal).code;
            assert!(CODES.contains(&code.as_str()), "{refusal:?}: {code}");
            if !expected(*refusal).is_empty() {
                assert_eq!(code, expected(*refusal));
            }
        }
    }
}
