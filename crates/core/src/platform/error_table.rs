//! The error table of the facts sheet §8 as data, and the pure function that reads it.
//!
//! Decided by code and subcode, never by Meta's sentence. `OAuthException` means nothing by itself (trap 1 of §15).

use super::error::{Call, RetryKind};

/// First wait after something that passes by itself.
pub(super) const TRANSIENT_MS: i64 = 2_000;
/// First wait after a per-second limit (613 and kin): those clear in seconds.
pub(super) const CUSTOM_LIMIT_MS: i64 = 2_000;
/// First wait after an hourly or daily limit without an estimate; doubles up to an hour (§7).
pub(super) const LIMIT_MS: i64 = 5 * 60_000;
/// Blocked for policy: hours to days.
pub(super) const POLICY_MS: i64 = 60 * 60_000;

/// What Meta answered.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answered {
    pub code: Option<i64>,
    pub subcode: Option<i64>,
    pub http: u16,
    pub is_transient: Option<bool>,
    /// The call named the account itself, not a customer or message.
    pub own_node: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// May pass; a send that got it is unknown.
    Transient,
    /// A limit; certain not to have happened.
    Limited(i64),
    Reconnect,
    Permission,
    Final,
    /// Final for a customer's thing, permission for the account's own.
    OwnElseFinal,
}

use Class::{Final, Limited, OwnElseFinal, Permission, Reconnect, Transient};

/// `(first code, last code, subcodes (empty = any), class)`. The first row that fits decides.
const TABLE: &[(i64, i64, &[i64], Class)] = &[
    (2, 2, &[2_018_344], Permission),
    (1, 2, &[], Transient),
    (3, 3, &[], Permission),
    (4, 4, &[], Limited(LIMIT_MS)),
    (
        10,
        10,
        &[
            2_018_278, 2_534_022, 2_018_065, 1_545_041, 2_018_108, 2_018_336,
        ],
        Final,
    ),
    (10, 10, &[1_893_063], Final),
    (10, 10, &[], Permission),
    (17, 17, &[], Limited(LIMIT_MS)),
    (32, 32, &[], Limited(LIMIT_MS)),
    (100, 100, &[33], OwnElseFinal),
    (100, 100, &[2_534_013, 2_534_029], Permission),
    (100, 100, &[], Final),
    (102, 102, &[], Reconnect),
    (104, 104, &[], Final),
    (190, 190, &[], Reconnect),
    (200, 200, &[1_545_041], Final),
    (200, 299, &[], Permission),
    (341, 341, &[], Limited(LIMIT_MS)),
    (368, 368, &[], Limited(POLICY_MS)),
    (506, 506, &[], Final),
    (551, 551, &[], Final),
    (613, 613, &[2_018_338, 1_893_016], Final),
    (613, 613, &[], Limited(CUSTOM_LIMIT_MS)),
    (803, 803, &[], Final),
    (2_022, 2_022, &[], Permission),
    (2_500, 2_500, &[], Final),
    (2_635, 2_635, &[], Final),
    (36_103, 36_103, &[], Permission),
    (80_000, 80_009, &[], Limited(LIMIT_MS)),
    (2_018_218, 2_018_218, &[], Final),
    (2_018_247, 2_018_247, &[], Final),
    (9_000_001, 9_000_001, &[], Final),
];

/// What may be done after this answer.
pub(super) fn classify(answered: Answered, call: Call) -> RetryKind {
    let class = answered
        .code
        .and_then(|code| {
            TABLE
                .iter()
                .find(|(first, last, subcodes, _)| {
                    (*first..=*last).contains(&code)
                        && (subcodes.is_empty()
                            || answered.subcode.is_some_and(|sub| subcodes.contains(&sub)))
                })
                .map(|row| row.3)
        })
        .unwrap_or_else(|| unlisted(answered));
    match class {
        Transient if call.once_only() => RetryKind::Ambiguous,
        Transient => RetryKind::Transient {
            after_ms: TRANSIENT_MS,
        },
        Limited(after_ms) => RetryKind::RateLimited { after_ms },
        Reconnect => RetryKind::Reconnect,
        Permission => RetryKind::Permission,
        OwnElseFinal if answered.own_node => RetryKind::Permission,
        Final | OwnElseFinal => RetryKind::Final,
    }
}

/// Codes the sheet does not list: by HTTP status and Meta's own `is_transient`.
fn unlisted(answered: Answered) -> Class {
    match answered.http {
        429 => Limited(LIMIT_MS),
        500.. => Transient,
        _ if answered.is_transient == Some(true) => Transient,
        // No code at all on a refusal: not Meta speaking. Worth another try, and never a reason to sign the owner out.
        _ if answered.code.is_none() => Transient,
        _ => Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: i64, sub: i64, call: Call) -> RetryKind {
        let subcode = (sub != 0).then_some(sub);
        classify(
            Answered {
                code: Some(code),
                subcode,
                http: 400,
                ..Answered::default()
            },
            call,
        )
    }

    #[test]
    fn every_row_of_the_facts_sheet() {
        let wait = RetryKind::Transient {
            after_ms: TRANSIENT_MS,
        };
        let limit = RetryKind::RateLimited { after_ms: LIMIT_MS };
        let (p, f, r) = (
            RetryKind::Permission,
            RetryKind::Final,
            RetryKind::Reconnect,
        );
        let rows = [
            (1, &[0, 99, 1_357_046][..], wait),
            (2, &[0, 1_545_133], wait),
            (2, &[2_018_344], p),
            (3, &[0], p),
            (4, &[0, 2_018_354], limit),
            (10, &[0, 2_534_077], p),
            (
                10,
                &[
                    2_018_278, 2_534_022, 2_018_065, 2_018_108, 1_893_063, 2_018_336,
                ],
                f,
            ),
            (17, &[0], limit),
            (32, &[0], limit),
            (
                100,
                &[
                    0, 33, 2_018_001, 2_534_014, 2_534_015, 2_534_025, 2_534_037, 2_018_300,
                    2_534_068, 2_018_008, 2_018_047, 2_018_294, 2_018_109, 2_018_074, 2_018_014,
                    2_018_034, 1_772_111,
                ],
                f,
            ),
            (100, &[2_534_013, 2_534_029], p),
            (102, &[0], r),
            (104, &[0], f),
            (2_500, &[0], f),
            (190, &[0, 467, 458, 459, 460, 463, 464, 483, 492], r),
            (200, &[0, 2_018_028, 2_534_041], p),
            (200, &[1_545_041], f),
            (230, &[0], p),
            (294, &[0], p),
            (341, &[0], limit),
            (
                368,
                &[0, 1_390_008],
                RetryKind::RateLimited {
                    after_ms: POLICY_MS,
                },
            ),
            (506, &[0], f),
            (551, &[0, 1_545_041], f),
            (
                613,
                &[0, 2_534_040, 1_996],
                RetryKind::RateLimited {
                    after_ms: CUSTOM_LIMIT_MS,
                },
            ),
            (613, &[2_018_338, 1_893_016], f),
            (803, &[0], f),
            (2_022, &[0], p),
            (2_018_218, &[0], f),
            (2_018_247, &[0], f),
            (36_103, &[0], p),
            (80_001, &[0], limit),
            (80_002, &[0], limit),
            (80_006, &[0], limit),
            (9_000_001, &[0], f),
            (2_635, &[0], f),
        ];
        for (code, subs, expected) in rows {
            for sub in subs {
                assert_eq!(kind(code, *sub, Call::Read), expected, "{code}/{sub}");
            }
        }
    }

    #[test]
    fn a_send_without_a_certain_answer_is_ambiguous() {
        assert_eq!(kind(1, 0, Call::Send), RetryKind::Ambiguous);
        assert_eq!(kind(2, 0, Call::Send), RetryKind::Ambiguous);
        let five_hundred = Answered {
            http: 503,
            ..Answered::default()
        };
        assert_eq!(classify(five_hundred, Call::Send), RetryKind::Ambiguous);
        // A limit is a certain refusal, also for a send.
        assert!(matches!(
            kind(613, 0, Call::Send),
            RetryKind::RateLimited { .. }
        ));
        assert_eq!(kind(10, 2_018_278, Call::Send), RetryKind::Final);
    }

    #[test]
    fn a_missing_own_page_is_a_permission_and_unlisted_codes_go_by_status() {
        let own = Answered {
            code: Some(100),
            subcode: Some(33),
            http: 400,
            own_node: true,
            ..Answered::default()
        };
        assert_eq!(classify(own, Call::Read), RetryKind::Permission);
        let odd = |code, http, is_transient| {
            classify(
                Answered {
                    code,
                    http,
                    is_transient,
                    ..Answered::default()
                },
                Call::Read,
            )
        };
        assert_eq!(odd(Some(777), 400, None), RetryKind::Final);
        assert!(matches!(
            odd(Some(777), 400, Some(true)),
            RetryKind::Transient { .. }
        ));
        assert!(matches!(
            odd(Some(777), 500, None),
            RetryKind::Transient { .. }
        ));
        assert!(matches!(
            odd(None, 429, None),
            RetryKind::RateLimited { .. }
        ));
        // A captive portal's 401 must not sign anybody out.
        assert!(matches!(odd(None, 401, None), RetryKind::Transient { .. }));
    }
}
