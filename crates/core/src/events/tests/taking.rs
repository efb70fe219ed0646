//! Events become rows with their log and the stream's place, all or nothing.

use crate::{
    events::{
        self,
        testing::{BAKERY, CAFE, EPOCH, FATES, Sealing, Shop, entry, says},
    },
    store::Priority,
};
use serde_json::json;
use shopbell_wire::{DeviceKeys, EventKind};

#[tokio::test]
async fn a_customers_message_is_here_with_its_log_and_the_place_after_it() {
    let mut shop = Shop::open().await;
    shop.tamper("INSERT INTO relay_streams (relay, epoch) SELECT 'x', '0a0a' WHERE 0")
        .await;
    let ready = shopbell_wire::StreamState {
        epoch: EPOCH.into(),
        oldest: 1,
        newest: 0,
        relay_time_ms: 0,
        outage: None,
    };
    events::ready(shop.profile(), &shop.place, &ready)
        .await
        .unwrap();
    shop.hears("7011", "m_ana", "Haben Sie morgen Brezeln?")
        .await;
    assert_eq!(shop.look(FATES).await, ["done -"]);
    assert_eq!(
        shop.look("SELECT text FROM messages").await,
        ["Haben Sie morgen Brezeln?"]
    );
    assert_eq!(
        shop.look(
            "SELECT group_concat(ref, ' ') FROM (SELECT ref FROM raw_event_refs ORDER BY ref)"
        )
        .await,
        ["7011 m_ana"]
    );
    assert_eq!(
        shop.look("SELECT committed || ' ' || last_event_at_ms FROM relay_streams")
            .await,
        ["1 1767603540000"]
    );
    assert_eq!(
        shop.look(
            "SELECT id || ' ' || webhook_at_ms FROM accounts WHERE webhook_at_ms IS NOT NULL"
        )
        .await,
        [format!("{} 1767603540000", shop.bakery)]
    );
}

#[tokio::test]
async fn what_was_delivered_twice_is_taken_in_once() {
    let mut shop = Shop::open().await;
    let event = shop
        .sealing
        .meta(BAKERY, &says(BAKERY, "7011", "m_1", "Hallo"));
    shop.take(vec![event.clone()]).await;
    // The relay did not hear the acknowledgement: the same offset again, and the next one.
    shop.place.committed = 0;
    let next = shop
        .sealing
        .meta(BAKERY, &says(BAKERY, "7011", "m_2", "Sind Sie da?"));
    let taken = shop.try_take(vec![event, next]).await.unwrap();
    assert_eq!((taken.committed, taken.new), (2, 1));
    assert_eq!(shop.look(FATES).await, ["done -", "done -"]);
    assert_eq!(
        shop.look("SELECT mid FROM messages ORDER BY mid").await,
        ["m_1", "m_2"]
    );
    assert_eq!(
        shop.look("SELECT CAST(attempts AS TEXT) FROM raw_events")
            .await,
        ["1", "1"]
    );
}

#[tokio::test]
async fn an_account_that_is_none_of_ours_leaves_nothing_but_the_count() {
    let mut shop = Shop::open().await;
    shop.tamper("UPDATE accounts SET state = 'disconnected' WHERE platform_id = '2002'")
        .await;
    let stranger = "page/9009";
    let events = vec![
        shop.sealing
            .meta(stranger, &says(stranger, "7099", "m_secret", "canary")),
        shop.sealing
            .event(EventKind::META, stranger, b"canary, not even JSON"),
        shop.sealing
            .meta(CAFE, &says(CAFE, "7012", "m_late", "canary")),
        shop.sealing
            .meta(BAKERY, &says(BAKERY, "7011", "m_1", "Hallo")),
    ];
    shop.take(events).await;
    assert_eq!(
        shop.look(FATES).await,
        [
            "ignored unknown_account empty",
            "ignored unknown_account empty",
            "ignored disconnected empty",
            "done -"
        ]
    );
    assert_eq!(
        shop.look("SELECT subject FROM raw_events ORDER BY id")
            .await,
        ["page", "page", "page", BAKERY]
    );
    assert_eq!(shop.look("SELECT mid FROM messages").await, ["m_1"]);
    assert_eq!(
        shop.look("SELECT ref FROM raw_event_refs ORDER BY ref")
            .await,
        ["7011", "m_1"]
    );
}

#[tokio::test]
async fn what_nobody_uses_yet_is_kept_and_said_to_be_ignored() {
    let mut shop = Shop::open().await;
    let events = vec![
        shop.sealing.event(EventKind::SHOP, "hook/a1", b"{}"),
        shop.sealing.event(EventKind::COLLECT, "hook/b2", b"{}"),
        shop.sealing.event(EventKind(77), "weather/sun", b"shine"),
        shop.sealing.meta(BAKERY, &entry(BAKERY, &[])),
        shop.sealing.meta(
            BAKERY,
            &entry(
                BAKERY,
                &[json!({ "sender": { "id": "7011" }, "wonder": {} })],
            ),
        ),
    ];
    shop.take(events).await;
    let fates = shop.look(FATES).await;
    assert_eq!(
        &fates[..3],
        [
            "ignored not_used_yet",
            "ignored not_used_yet",
            "ignored unknown_kind"
        ]
    );
    assert!(
        fates[3..].iter().all(|fate| fate.starts_with("ignored ")),
        "{fates:?}"
    );
    assert_eq!(
        shop.look("SELECT CAST(body AS TEXT) FROM raw_events WHERE kind = 77")
            .await,
        ["shine"]
    );
}

#[tokio::test]
async fn what_does_not_open_or_is_no_event_fails_alone_with_its_bytes() {
    let mut shop = Shop::open().await;
    let other = DeviceKeys::from_random_bytes(&[9; 64]);
    let events = vec![
        Sealing::to(&other).meta(BAKERY, &says(BAKERY, "7011", "m_other", "canary")),
        b"garbage".to_vec(),
        Vec::new(),
        shop.sealing.event(EventKind::META, BAKERY, b"{\"object\":"),
        shop.sealing.event(EventKind::META, "nobody", b"{}"),
        shop.sealing
            .event(EventKind::DEAUTHORIZED, "user/facebook", b"[]"),
        shop.sealing
            .meta(BAKERY, &says(BAKERY, "7011", "m_1", "Hallo")),
    ];
    let lengths: Vec<_> = events[..3].iter().map(Vec::len).collect();
    shop.take(events).await;
    assert_eq!(
        shop.look(FATES).await,
        [
            "failed not_opened",
            "failed not_an_event",
            "failed not_an_event",
            "failed not_json",
            "failed no_account",
            "failed not_understood",
            "done -"
        ]
    );
    assert_eq!(
        shop.look("SELECT octet_length(body) || '' FROM raw_events WHERE sealed = 1 ORDER BY id")
            .await,
        lengths.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    assert_eq!(shop.place.committed, 7);
}

#[tokio::test]
async fn a_commit_that_fails_takes_nothing_in() {
    let mut shop = Shop::open().await;
    shop.tamper(
        "CREATE TRIGGER no_room BEFORE INSERT ON raw_events BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    .await;
    let event = shop
        .sealing
        .meta(BAKERY, &says(BAKERY, "7011", "m_1", "Hallo"));
    assert!(shop.try_take(vec![event.clone()]).await.is_err());
    assert!(shop.look(FATES).await.is_empty());
    assert!(shop.look("SELECT mid FROM messages").await.is_empty());
    shop.tamper("DROP TRIGGER no_room").await;
    shop.take(vec![event]).await;
    assert_eq!(shop.look(FATES).await, ["done -"]);
}

#[tokio::test]
async fn messages_of_one_batch_keep_their_order_and_their_accounts() {
    let mut shop = Shop::open().await;
    let mut events = Vec::new();
    for n in 0..30 {
        let subject = if n % 3 == 0 { CAFE } else { BAKERY };
        let (who, mid) = (format!("70{n:02}"), format!("m_{n:02}"));
        events.push(
            shop.sealing
                .meta(subject, &says(subject, &who, &mid, "Hallo")),
        );
    }
    shop.take(events).await;
    assert_eq!(
        shop.look("SELECT account_id || ' ' || count(*) FROM messages GROUP BY account_id")
            .await,
        [format!("{} 20", shop.bakery), format!("{} 10", shop.cafe)]
    );
    let mut tx = shop.profile().store.write(Priority::Owner).await.unwrap();
    let page = events::page(
        &mut tx,
        &crate::api::types::EventsQuery {
            limit: Some(20),
            ..Default::default()
        },
    )
    .await
    .unwrap();
    assert_eq!((page.rows.len(), page.rows[0].id), (20, 30), "newest first");
    let rest = crate::api::types::EventsQuery {
        before: page.next,
        ..Default::default()
    };
    let rest = events::page(&mut tx, &rest).await.unwrap();
    assert_eq!((rest.rows.len(), rest.next), (10, None));
}
