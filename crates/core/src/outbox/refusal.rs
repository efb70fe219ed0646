//! What the platform's refusals of a send mean (meta-platform §8), in the codes the owner's sentences hang on.
//!
//! By code and subcode, never by message: messages are localised and change.

use crate::sync::remote::{Fault, FaultKind};

/// A refused send. `code` 0 = the answer named none.
pub fn of_send(code: i64, subcode: i64) -> Fault {
    use FaultKind::{Permission, RateLimited, Refused, SignedOut, Unknown};
    let (kind, word) = match (code, subcode) {
        (2, 2_018_344) => (Permission, "contact_terms_not_accepted"),
        // "Unknown" and "service down" are also answered after the message was taken (decision T17).
        (1 | 2, _) => (Unknown, "platform_trouble"),
        (4 | 17 | 32 | 341 | 80_001 | 80_002 | 80_006, _) => (RateLimited, "rate_limited"),
        (613, 2_018_338 | 1_893_016) => (Refused, "blocked_by_platform"),
        (613, _) => (RateLimited, "rate_limited"),
        (102 | 190, _) => (SignedOut, "signed_out"),
        (10, 2_018_278 | 2_534_022 | 2_018_065) => (Refused, "window_closed"),
        (10, 2_018_108) | (551, _) | (200, 1_545_041) | (_, 1_545_041) => {
            (Refused, "person_unavailable")
        }
        (10, 1_893_063) | (368, _) => (Refused, "blocked_by_platform"),
        (10, 2_018_336) => (Refused, "privacy_rules"),
        (10, 2_534_077) => (Permission, "instagram_link_broken"),
        (100, 2_018_001 | 2_534_014) => (Refused, "person_unavailable"),
        (100, 2_534_037 | 2_018_300) => (Refused, "not_thread_owner"),
        (100, 2_534_029) => (Refused, "blocked_by_platform"),
        (100, 2_534_013) => (Permission, "instagram_link_broken"),
        (100, 2_018_109) => (Refused, "too_long"),
        (200, 2_018_028) => (Permission, "app_in_development"),
        (200, 2_534_041) => (Permission, "messages_not_allowed"),
        (3 | 10 | 200..=299, _) => (Permission, "permission_missing"),
        _ => (Refused, "refused"),
    };
    let mut fault = Fault::new(kind, word);
    if word == "refused" {
        fault.reason = fault.reason.with("code", code).with("subcode", subcode);
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_what_they_mean() {
        use FaultKind::{Permission, RateLimited, Refused, SignedOut, Unknown};
        for (code, subcode, kind, word) in [
            (1, 0, Unknown, "platform_trouble"),
            (2, 1_545_133, Unknown, "platform_trouble"),
            (2, 2_018_344, Permission, "contact_terms_not_accepted"),
            (4, 0, RateLimited, "rate_limited"),
            (613, 2_534_040, RateLimited, "rate_limited"),
            (80_006, 0, RateLimited, "rate_limited"),
            (190, 463, SignedOut, "signed_out"),
            (10, 2_018_278, Refused, "window_closed"),
            (10, 2_534_022, Refused, "window_closed"),
            (10, 0, Permission, "permission_missing"),
            (10, 1_893_063, Refused, "blocked_by_platform"),
            (200, 1_545_041, Refused, "person_unavailable"),
            (551, 1_545_041, Refused, "person_unavailable"),
            (100, 2_534_014, Refused, "person_unavailable"),
            (100, 2_534_037, Refused, "not_thread_owner"),
            (200, 2_018_028, Permission, "app_in_development"),
            (200, 2_534_041, Permission, "messages_not_allowed"),
            (230, 0, Permission, "permission_missing"),
            (368, 1_390_008, Refused, "blocked_by_platform"),
            (100, 0, Refused, "refused"),
        ] {
            let fault = of_send(code, subcode);
            assert_eq!(
                (fault.kind, fault.reason.code.as_str()),
                (kind, word),
                "{code}/{subcode}"
            );
        }
    }
}
