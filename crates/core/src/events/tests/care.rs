//! The log is kept for its time, and what is erased elsewhere is erased in it.

use crate::{
    domain::{Incoming, IncomingItem, Source},
    events::{
        self,
        testing::{BAKERY, CAFE, FATES, Shop, customer, entry, says, unsays},
    },
    ingest,
    jobs::JobOutcome,
    store::Priority,
};
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn done_and_ignored_go_after_ninety_days_and_failed_stays() {
    let mut shop = Shop::open().await;
    shop.hears("7011", "m_1", "Hallo").await;
    shop.take(vec![b"garbage".to_vec()]).await;
    let stranger = shop
        .sealing
        .meta("page/9009", &says("page/9009", "7", "m", "x"));
    shop.take(vec![stranger]).await;
    shop.opened.clock.advance(DAY * 45);
    shop.hears("7011", "m_2", "Noch da?").await;
    shop.opened.clock.advance(DAY * 45);
    let tomorrow = shop.profile().now_ms() + 86_400_000;
    assert_eq!(
        events::clean(shop.profile()).await,
        JobOutcome::Again {
            due_at_ms: tomorrow
        }
    );
    assert_eq!(shop.look(FATES).await.len(), 4, "ninety days are not over");
    shop.opened.clock.advance(Duration::from_millis(1));
    events::clean(shop.profile()).await;
    assert_eq!(shop.look(FATES).await, ["failed not_an_event", "done -"]);
    events::leave(shop.profile(), 2).await.unwrap();
    events::clean(shop.profile()).await;
    assert_eq!(shop.look(FATES).await, ["done -"], "resolved, and old");
    assert_eq!(
        shop.look("SELECT DISTINCT CAST(raw_event_id AS TEXT) FROM raw_event_refs")
            .await,
        ["4"]
    );
}

#[tokio::test]
async fn what_failed_is_found_without_walking_the_log() {
    let shop = Shop::open().await;
    for question in [
        "SELECT min(retry_at_ms) FROM raw_events WHERE state = 'failed' AND state <> 'done'",
        "SELECT id FROM raw_events WHERE state = ? AND state <> 'done' AND id < ? ORDER BY id DESC LIMIT ?",
        "UPDATE raw_events SET state = t.value ->> 1 FROM json_each(?) t WHERE raw_events.id = t.value ->> 0",
        "UPDATE raw_events SET body = NULL WHERE account_id = ? AND id IN (SELECT raw_event_id FROM raw_event_refs WHERE ref IN (SELECT value FROM json_each(?)))",
        "SELECT id FROM raw_events WHERE logged_at_ms < ? AND state IN ('done', 'ignored') ORDER BY logged_at_ms LIMIT ?",
    ] {
        let mut read = shop.profile().store.read().await.unwrap();
        let question = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}"));
        let steps = sqlx::query(question).fetch_all(&mut *read).await.unwrap();
        for step in steps {
            let step: String = sqlx::Row::get(&step, "detail");
            assert!(!step.starts_with("SCAN raw_event"), "{step}");
        }
    }
}

#[tokio::test]
async fn a_message_taken_back_is_gone_from_every_event_about_it() {
    let mut shop = Shop::open().await;
    shop.hears("7011", "m_1", "canary").await;
    shop.hears("7011", "m_2", "bleibt").await;
    let unsend = shop.sealing.meta(BAKERY, &unsays(BAKERY, "7011", "m_1"));
    shop.take(vec![unsend]).await;
    assert_eq!(
        shop.look(FATES).await,
        ["done - empty", "done -", "done - empty"]
    );
    assert_eq!(
        shop.look("SELECT name FROM jobs WHERE name = 'scrub'")
            .await,
        ["scrub"],
        "and out of the database's own log"
    );
    assert_eq!(events::scrub(shop.profile()).await, JobOutcome::Done);
    // Meta delivers it once more, late; and once more in a way that fails.
    shop.hears("7011", "m_1", "canary").await;
    shop.tamper("CREATE TRIGGER poison BEFORE INSERT ON messages WHEN new.mid = 'm_3' BEGIN SELECT RAISE(ABORT, 'poison'); END").await;
    let mixed = entry(
        BAKERY,
        &[
            customer(BAKERY, "7011", json!({ "mid": "m_1", "text": "canary" })),
            customer(BAKERY, "7011", json!({ "mid": "m_3", "text": "canary" })),
        ],
    );
    let mixed = shop.sealing.meta(BAKERY, &mixed);
    shop.take(vec![mixed]).await;
    assert_eq!(shop.look(FATES).await[4], "ignored erased empty");
    assert_eq!(
        shop.look("SELECT count(*) || '' FROM raw_events WHERE instr(body, 'canary')")
            .await,
        ["0"]
    );
    assert_eq!(
        shop.look("SELECT mid FROM messages WHERE deleted = 1")
            .await,
        ["m_1"]
    );
}

#[tokio::test]
async fn taken_back_before_it_came_and_in_the_same_batch_is_the_same() {
    let mut shop = Shop::open().await;
    let unsend = shop.sealing.meta(BAKERY, &unsays(BAKERY, "7011", "m_1"));
    shop.take(vec![unsend]).await;
    shop.hears("7011", "m_1", "canary").await;
    let both = vec![
        shop.sealing
            .meta(CAFE, &says(CAFE, "7012", "m_2", "canary")),
        shop.sealing.meta(CAFE, &unsays(CAFE, "7012", "m_2")),
    ];
    shop.take(both).await;
    assert_eq!(shop.look(FATES).await, ["done - empty"; 4]);
}

#[tokio::test]
async fn what_a_comparison_finds_taken_back_is_emptied_too_and_a_failed_one_is_resolved_by_it() {
    let mut shop = Shop::open().await;
    shop.tamper("CREATE TRIGGER poison BEFORE INSERT ON messages WHEN new.mid = 'm_2' BEGIN SELECT RAISE(ABORT, 'poison'); END").await;
    shop.hears("7011", "m_1", "canary").await;
    shop.hears("7011", "m_2", "canary").await;
    let poll = Incoming {
        account: shop.bakery,
        source: Source::Poll,
        observed_at_ms: shop.profile().now_ms(),
        items: vec![IncomingItem::Unsend {
            mid: "m_1".into(),
            at_ms: 0,
        }],
    };
    ingest::take_in(shop.profile(), poll, Priority::Background)
        .await
        .unwrap();
    assert_eq!(
        shop.look(FATES).await,
        ["done - empty", "failed not_stored"]
    );

    let profile = shop.profile();
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    events::forget(&mut tx, shop.cafe, &["7011"], profile.now_ms())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        shop.look(FATES).await,
        ["done - empty", "failed not_stored"],
        "another account's person of that number is somebody else"
    );
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    events::forget(&mut tx, shop.bakery, &["7011"], profile.now_ms())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        shop.look(FATES).await,
        ["done - empty", "ignored erased empty"]
    );
}
