#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn counted_things_are_in_the_text_and_uncounted_ones_are_0() {
    let metrics = Metrics::new();
    metrics.webhooks.one(WebhookOutcome::Accepted);
    metrics.entries.many(EntryOutcome::Routed, 5);
    metrics
        .hooks
        .one(HookWord::Woocommerce, HookOutcome::Removed);
    metrics.appended(3, Duration::from_millis(3));
    metrics.streams_open.inc();
    assert_eq!(metrics.webhooks.get(WebhookOutcome::Accepted), 1);
    assert_eq!(
        metrics
            .hooks
            .get(HookWord::Woocommerce, HookOutcome::Removed),
        1
    );
    let text = metrics.text();
    for line in [
        r#"shopbell_relay_webhooks_total{outcome="accepted"} 1"#,
        r#"shopbell_relay_webhooks_total{outcome="forged"} 0"#,
        r#"shopbell_relay_entries_total{outcome="routed"} 5"#,
        r#"shopbell_relay_hooks_total{kind="woocommerce",outcome="removed"} 1"#,
        r#"shopbell_relay_hooks_total{kind="collect",outcome="removed"} 0"#,
        "shopbell_relay_appends_total 1",
        "shopbell_relay_appended_records_total 3",
        r#"shopbell_relay_append_seconds_bucket{le="0.002"} 0"#,
        r#"shopbell_relay_append_seconds_bucket{le="0.004"} 1"#,
        "shopbell_relay_streams_open 1",
    ] {
        assert!(
            text.lines().any(|have| have == line),
            "{line} is missing in\n{text}"
        );
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn every_word_stands_at_its_own_place_and_is_plain() {
    fn check<W: Word + std::fmt::Debug>() {
        for (place, word) in W::ALL.iter().enumerate() {
            assert_eq!(word.place(), place, "{word:?}");
            assert!(
                word.word()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{word:?}"
            );
        }
    }
    check::<WebhookOutcome>();
    check::<EntryOutcome>();
    check::<SecretWord>();
    check::<NoticeKind>();
    check::<HookWord>();
    check::<HookOutcome>();
    check::<MediaOutcome>();
    check::<StreamEnd>();
    check::<GapKind>();
    check::<Limit>();
    check::<StorageWork>();
    check::<ConnectionOutcome>();
}
