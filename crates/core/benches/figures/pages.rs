//! A page of fifty, of the list and of a thread, at any depth, through the boundary and back.

use crate::rows::{Bar, On, Rows, quantile_ms};
use serde_json::{Value, json};
use shopbell_core::{
    Core, Entropy, Profile, SeededEntropy,
    api::dispatch,
    domain::{AccountId, Incoming, IncomingItem, IncomingMessage, Source},
    ingest,
    store::Priority,
};
use std::time::{Duration, Instant};

const REPEATS: usize = 400;

async fn list(core: &Core, cursor: &Value) -> Value {
    let ask = json!({ "view": "all", "account_id": null, "cursor": cursor, "limit": 50 });
    dispatch(core, "conversations_list", ask).await.unwrap()
}

async fn thread(core: &Core, conversation: i64, before: &Value, limit: u32) -> Value {
    let ask = json!({ "conversation_id": conversation, "before": before, "after": null, "around": null, "limit": limit });
    dispatch(core, "messages_list", ask).await.unwrap()
}

/// Measures list and thread, first page and deep.
pub async fn measure(rows: &Rows, core: &Core) {
    let wanted = if rows.quick { 10_000 } else { 100_000 };
    let profile = core.profile().unwrap();
    long_list(&profile, wanted).await;
    let (mut deep, mut depth) = (Value::Null, 0);
    while depth < wanted {
        let page = list(core, &deep).await;
        depth += page["rows"].as_array().unwrap().len();
        deep = page["next"].clone();
        assert!(deep.is_string(), "the list is shorter than {wanted}");
    }
    let (mut first, mut far) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        first.push(timed(list(core, &Value::Null)).await);
        far.push(timed(list(core, &deep)).await);
    }
    say(rows, "page_conversations", &mut first, &mut far);

    let conversation = long_thread(&profile, wanted + 1_000).await;
    let (mut deep, mut depth) = (Value::Null, 0);
    while depth < wanted {
        let page = thread(core, conversation, &deep, 200).await;
        let messages = page["messages"].as_array().unwrap();
        depth += messages.len();
        deep = messages[0]["sort_key"].clone();
        assert!(
            page["more_before"] == true,
            "the thread is shorter than {wanted}"
        );
    }
    let (mut first, mut far) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        first.push(timed(thread(core, conversation, &Value::Null, 50)).await);
        far.push(timed(thread(core, conversation, &deep, 50)).await);
    }
    say(rows, "page_messages", &mut first, &mut far);
}

fn say(rows: &Rows, name: &str, first: &mut [Duration], far: &mut [Duration]) {
    let (first_median, far_median) = (quantile_ms(first, 0.5), quantile_ms(far, 0.5));
    rows.say(
        &format!("{name}_p99"),
        quantile_ms(first, 0.99),
        "ms",
        None,
        Bar::AtMost(5.0, On::Value),
    );
    rows.say(
        &format!("{name}_deep_p99"),
        quantile_ms(far, 0.99),
        "ms",
        None,
        Bar::AtMost(5.0, On::Value),
    );
    rows.say(
        &format!("{name}_deep_against_first"),
        far_median,
        "ms",
        Some(first_median),
        Bar::AtMost(1.2, On::Ratio),
    );
}

async fn timed<T>(call: impl Future<Output = T>) -> Duration {
    let start = Instant::now();
    std::hint::black_box(call.await);
    start.elapsed()
}

/// So many conversations of one message more, older than the others.
async fn long_list(profile: &Profile, conversations: usize) {
    take_in(profile, conversations, |entropy, n| {
        let sent_at_ms =
            crate::fixture::NEWEST_MS - 10_000_000_000 - i64::try_from(n).unwrap() * 60_000;
        let mut message = crate::fixture::message(entropy, n, 1_000_000 + n, sent_at_ms);
        message.mid.insert_str(0, "list_");
        message
    })
    .await;
}

/// One conversation with very many messages.
async fn long_thread(profile: &Profile, messages: usize) -> i64 {
    take_in(profile, messages, |entropy, n| {
        let sent_at_ms = crate::fixture::NEWEST_MS - i64::try_from(n).unwrap() * 9_000 + 3;
        let mut message = crate::fixture::message(entropy, n, 999_999, sent_at_ms);
        message.mid.insert_str(0, "long_");
        message
    })
    .await;
    let mut reader = profile.store.read().await.unwrap();
    sqlx::query_scalar("SELECT c.id FROM conversations c JOIN identities i ON i.id = c.identity_id WHERE i.platform_id = '900999999'")
        .fetch_one(&mut *reader)
        .await
        .unwrap()
}

async fn take_in(
    profile: &Profile,
    count: usize,
    make: impl Fn(&dyn Entropy, u64) -> IncomingMessage,
) {
    let entropy = SeededEntropy::new(11);
    let mut n = 0;
    while n < count as u64 {
        let items = (n..n + 1_000)
            .map(|n| IncomingItem::Message(make(&entropy, n)))
            .collect();
        let news = Incoming {
            account: AccountId(1),
            source: Source::Backfill,
            observed_at_ms: crate::fixture::NEWEST_MS,
            items,
        };
        ingest::take_in(profile, news, Priority::Background)
            .await
            .unwrap();
        n += 1_000;
    }
}
