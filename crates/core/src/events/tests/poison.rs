//! Events that cannot be taken in stop nothing, are kept, and are tried again.

use crate::{
    api::types::{EventState, EventsQuery},
    events::{
        self, RetryError,
        apply::{keep, savepoint, watched},
        testing::{BAKERY, CAFE, FATES, Shop, says},
    },
    jobs::JobOutcome,
    store::{Priority, StoreError},
};
use std::time::Duration;

const POISON: &str = "CREATE TRIGGER poison BEFORE INSERT ON messages WHEN new.mid LIKE 'm_poison%' BEGIN SELECT RAISE(ABORT, 'poison'); END";

async fn poisoned() -> Shop {
    let mut shop = Shop::open().await;
    shop.tamper(POISON).await;
    let mut events = Vec::new();
    for (subject, mid) in [
        (BAKERY, "m_1"),
        (BAKERY, "m_poison"),
        (CAFE, "m_2"),
        (BAKERY, "m_3"),
    ] {
        events.push(
            shop.sealing
                .meta(subject, &says(subject, "7011", mid, "Hallo")),
        );
    }
    shop.take(events).await;
    shop
}

#[tokio::test]
async fn one_bad_event_fails_alone() {
    let shop = poisoned().await;
    assert_eq!(
        shop.look(FATES).await,
        ["done -", "failed not_stored", "done -", "done -"]
    );
    assert_eq!(
        shop.look("SELECT mid FROM messages ORDER BY mid").await,
        ["m_1", "m_2", "m_3"]
    );
    assert_eq!(
        shop.look(
            "SELECT coalesce(reason ->> '$.params.why', '') FROM raw_events WHERE state = 'failed'"
        )
        .await,
        ["1811"],
        "SQLite's code, without its words"
    );
    assert_eq!(shop.place.committed, 4);
}

#[tokio::test]
async fn it_is_tried_again_after_pauses_that_grow_to_a_day_until_it_works() {
    let shop = poisoned().await;
    let profile = shop.profile();
    let mut pauses = Vec::new();
    for _ in 0..14 {
        let due: i64 = shop
            .look("SELECT CAST(retry_at_ms AS TEXT) FROM raw_events WHERE state = 'failed'")
            .await[0]
            .parse()
            .unwrap();
        pauses.push((due - profile.now_ms()) / 60_000);
        let wait = Duration::from_millis(u64::try_from(due - profile.now_ms()).unwrap());
        shop.opened.clock.advance(wait - Duration::from_millis(1));
        assert_eq!(
            events::retry_due(profile).await,
            JobOutcome::Again { due_at_ms: due },
            "not before its time"
        );
        shop.opened.clock.advance(Duration::from_millis(1));
        assert!(matches!(
            events::retry_due(profile).await,
            JobOutcome::Again { .. }
        ));
    }
    assert_eq!(
        pauses,
        [
            1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440, 1440
        ]
    );
    shop.tamper("DROP TRIGGER poison").await;
    shop.opened.clock.advance(Duration::from_secs(86_400));
    assert_eq!(events::retry_due(profile).await, JobOutcome::Done);
    assert_eq!(shop.look(FATES).await, ["done -"; 4]);
    assert_eq!(
        shop.look("SELECT mid FROM messages ORDER BY mid").await,
        ["m_1", "m_2", "m_3", "m_poison"]
    );
}

#[tokio::test]
async fn a_failed_event_puts_the_job_in_for_the_first_that_is_due() {
    let mut shop = poisoned().await;
    let due = "SELECT CAST(due_at_ms AS TEXT) FROM jobs WHERE name = 'retry-events'";
    let first = shop.look(due).await;
    shop.opened.clock.advance(Duration::from_secs(30));
    shop.hears("7012", "m_poison_too", "Hallo").await;
    assert_eq!(
        shop.look(due).await,
        first,
        "the later one does not move it"
    );
}

#[tokio::test]
async fn the_owner_tries_again_or_leaves_it() {
    let mut shop = poisoned().await;
    shop.hears("7012", "m_poison_too", "Hallo").await;
    let profile = shop.profile();
    events::try_again(profile, 2).await.unwrap();
    events::leave(profile, 5).await.unwrap();
    assert_eq!(
        shop.look(FATES).await[1..],
        ["failed not_stored", "done -", "done -", "ignored left"]
    );
    assert!(matches!(
        events::leave(profile, 5).await,
        Err(RetryError::Settled)
    ));
    assert!(matches!(
        events::try_again(profile, 1).await,
        Err(RetryError::Settled)
    ));
    assert!(matches!(
        events::try_again(profile, 99).await,
        Err(RetryError::NotFound)
    ));
    shop.tamper("DROP TRIGGER poison").await;
    events::try_again(profile, 2).await.unwrap();
    events::try_again(profile, 5).await.unwrap();
    assert_eq!(shop.look(FATES).await, ["done -"; 5]);

    let mut read = profile.store.read().await.unwrap();
    let failed = EventsQuery {
        state: Some(EventState::Failed),
        ..EventsQuery::default()
    };
    assert!(
        events::page(&mut read, &failed)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let view = events::one(&mut read, 2).await.unwrap().unwrap();
    assert_eq!(
        (view.kind.as_str(), view.attempts, view.retry_at_ms),
        ("meta", 3, None)
    );
}

#[tokio::test]
async fn an_event_that_did_not_open_is_opened_when_the_keys_are_there() {
    let mut shop = Shop::open().await;
    let event = shop
        .sealing
        .meta(BAKERY, &says(BAKERY, "7011", "m_1", "Hallo"));
    // As if the seal had been broken on the way: the last byte is another one.
    let mut broken = event.clone();
    *broken.last_mut().unwrap() ^= 1;
    shop.take(vec![broken]).await;
    assert_eq!(shop.look(FATES).await, ["failed not_opened"]);
    let mut tx = shop.profile().store.write(Priority::Owner).await.unwrap();
    sqlx::query("UPDATE raw_events SET body = ?")
        .bind(&event)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    events::try_again(shop.profile(), 1).await.unwrap();
    assert_eq!(shop.look(FATES).await, ["done -"]);
    assert_eq!(
        shop.look("SELECT sealed || CAST(body AS TEXT) FROM raw_events")
            .await,
        [format!("0{}", says(BAKERY, "7011", "m_1", "Hallo"))]
    );
}

#[tokio::test]
async fn a_panic_behind_a_savepoint_takes_back_only_what_came_after_it() {
    let shop = Shop::open().await;
    let profile = shop.profile();
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    savepoint(&mut tx).await.unwrap();
    let done = watched(async {
        sqlx::raw_sql("UPDATE accounts SET name = 'kept'")
            .execute(&mut *tx)
            .await?;
        Ok(1)
    })
    .await;
    assert_eq!(keep(&mut tx, done).await.unwrap().unwrap(), 1);
    savepoint(&mut tx).await.unwrap();
    let done = watched::<()>(async {
        sqlx::raw_sql("UPDATE accounts SET name = 'gone'")
            .execute(&mut *tx)
            .await?;
        panic!("a fault of ours")
    })
    .await;
    assert_eq!(
        keep(&mut tx, done).await.unwrap().unwrap_err().code,
        "panic"
    );
    tx.commit().await.unwrap();
    assert_eq!(
        shop.look("SELECT DISTINCT name FROM accounts").await,
        ["kept"]
    );
}

#[tokio::test]
async fn a_fault_of_the_disk_is_nobodys_own() {
    let shop = Shop::open().await;
    let mut tx = shop.profile().store.write(Priority::Owner).await.unwrap();
    savepoint(&mut tx).await.unwrap();
    let full: Option<Result<(), StoreError>> = Some(Err(StoreError::Full));
    assert!(matches!(keep(&mut tx, full).await, Err(StoreError::Full)));
}
