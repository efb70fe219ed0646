#![allow(clippy::unwrap_used)]

use futures_util::{FutureExt as _, future::join_all};
use shopbell_wire::Provider;

use super::*;
use crate::storage::{
    Bindings as _, Once, SignIns as _, Storage as _, Streams as _,
    conformance::{
        Lasting as _, MINUTE, NOW, all_after, append, bind, device, keys, page, record, told,
    },
    sqlite::{Sqlite, tests::File},
};

fn commits(storage: &Sqlite) -> u64 {
    storage.gauge.commits.load(Ordering::Relaxed)
}

async fn rows(storage: &Sqlite, sql: &'static str) -> i64 {
    storage
        .read_with(move |connection| {
            Box::pin(async move { Ok(sqlx::query_scalar(sql).fetch_one(connection).await?) })
        })
        .await
        .unwrap()
}

/// Runs a statement inside a group.
async fn run(storage: &Sqlite, sql: &'static str) -> Stored<()> {
    storage
        .write(move |connection| Box::pin(execute(connection, sql)))
        .await
}

/// The disk fails under the next group.
async fn let_the_disk_fail(storage: &Sqlite) -> Stored<()> {
    storage
        .write(|_| Box::pin(async { Err(StorageError::Broken) }))
        .await
}

#[tokio::test]
async fn a_hundred_appends_at_once_are_a_few_commits() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    let before = commits(&storage);
    let calls =
        (0..100u8).map(|n| storage.append(vec![record(&device(n % 7), &n.to_string(), NOW)]));
    for done in join_all(calls).await {
        done.unwrap();
    }
    let needed = commits(&storage) - before;
    assert!(needed <= 10, "{needed} commits");
    let blocks = rows(&storage, "SELECT count(*) FROM blocks").await;
    assert!(blocks <= 7 * 10, "{blocks} rows: one per device and group");
    storage.close().await;
}

#[tokio::test]
async fn orders_of_all_kinds_share_a_commit() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    let before = commits(&storage);
    let marks = join_all((0..20).map(|n| {
        let id = n.to_string();
        let storage = &storage;
        async move { storage.use_once(Once::Nonce, &id, NOW).await }
    }));
    let accounts = [page("1")];
    let keys = keys(1);
    let (marks, bound, appended) = tokio::join!(
        marks,
        storage.bind(&keys, Provider::Facebook, "u", &accounts, NOW),
        storage.append(vec![record(&device(1), "a", NOW)]),
    );
    assert!(marks.into_iter().all(|fresh| fresh.unwrap()));
    bound.unwrap();
    appended.unwrap();
    assert!(commits(&storage) - before <= 3);
    storage.close().await;
}

#[tokio::test]
async fn an_order_that_fails_takes_nobody_else_with_it() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    let half = storage.write(|connection| {
        Box::pin(async move {
            execute(connection, "INSERT INTO facts VALUES ('half', 'done')").await?;
            execute(connection, "INSERT INTO facts VALUES ('half', 'again')").await
        })
    });
    let (before, failed, after) = tokio::join!(
        storage.append(vec![record(&device(1), "a", NOW)]),
        half,
        storage.use_once(Once::State, "x", NOW),
    );
    before.unwrap();
    assert!(matches!(failed, Err(StorageError::Sqlite(_))), "{failed:?}");
    assert!(after.unwrap());
    let left = rows(&storage, "SELECT count(*) FROM facts WHERE name = 'half'").await;
    assert_eq!(left, 0, "all or nothing");
    assert_eq!(told(&all_after(&storage, &device(1), 0).await), [(1, "a")]);
    storage.close().await;
}

#[tokio::test]
async fn what_was_ordered_happens_even_if_nobody_waits_for_it() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    assert!(storage.receivers(&page("1"), NOW).await.unwrap().is_empty());
    let (keys, accounts) = (keys(1), [page("1")]);
    let given_up = storage.append(vec![record(&device(1), "a", NOW)]);
    assert!(given_up.now_or_never().is_none());
    let given_up = storage.bind(&keys, Provider::Facebook, "u", &accounts, NOW);
    assert!(given_up.now_or_never().is_none());
    append(&storage, &device(1), "b").await;
    assert_eq!(
        told(&all_after(&storage, &device(1), 0).await),
        [(1, "a"), (2, "b")]
    );
    assert_eq!(
        storage.receivers(&page("1"), NOW).await.unwrap().len(),
        1,
        "what stands in memory followed as well"
    );
    storage.close().await;
}

#[tokio::test]
async fn a_group_larger_than_one_statement_is_still_one_transaction() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    for round in 0..2u64 {
        let before = commits(&storage);
        let records = (0..=255u8)
            .flat_map(|n| [(n, "a"), (n, "b")])
            .map(|(n, part)| record(&device(n), &format!("{n} {part} {round}"), NOW))
            .chain((0..100).map(|n| record(&device(1), &format!("{n} {round}"), NOW + n * MINUTE)))
            .collect();
        storage.append(records).await.unwrap();
        assert_eq!(commits(&storage) - before, 1);
        for n in 0..=255u8 {
            let newest = storage.extent(&device(n)).await.unwrap().newest;
            let more = if n == 1 { 100 } else { 0 };
            assert_eq!(newest, (2 + more) * (round + 1));
            let read = all_after(&storage, &device(n), 0).await;
            assert_eq!(read.len() as u64, newest);
        }
    }
    storage.close().await;
}

#[tokio::test]
async fn what_was_answered_is_on_disk() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    let calls = (0..50u8).map(|n| storage.append(vec![record(&device(n % 3), "x", NOW)]));
    for done in join_all(calls).await {
        done.unwrap();
    }
    for content in ["one", "two"] {
        append(&storage, &device(1), content).await;
        bind(&storage, 1, &page(content), NOW).await;
    }
    // The files as a process that ends here leaves them.
    let left = file.copy();
    let after = Sqlite::open(&left.address()).await.unwrap();
    assert_eq!(after.epoch(), storage.epoch());
    for n in 0..3 {
        assert_eq!(
            all_after(&after, &device(n), 0).await,
            all_after(&storage, &device(n), 0).await
        );
    }
    assert_eq!(after.bindings_of(&device(1), NOW).await.unwrap().len(), 2);
    after.close().await;
    storage.close().await;
}

#[tokio::test]
async fn a_full_disk_refuses_and_works_again_when_there_is_space() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    append(&storage, &device(1), "before").await;
    let mut arrivals = storage.arrivals(&device(1)).await.unwrap();
    arrivals.mark_unchanged();
    run(&storage, "PRAGMA max_page_count = 10").await.unwrap();
    let large = "x".repeat(100_000);
    let (refused, other) = tokio::join!(
        storage.append(vec![record(&device(1), &large, NOW)]),
        storage.use_once(Once::State, "x", NOW),
    );
    assert!(matches!(refused, Err(StorageError::Full)), "{refused:?}");
    assert!(
        matches!(other, Err(StorageError::Full)),
        "nothing of the group was kept: {other:?}"
    );
    assert!(!arrivals.has_changed().unwrap());
    assert!(storage.ready().await, "a full disk is no broken one");
    run(&storage, "PRAGMA max_page_count = 1000000")
        .await
        .unwrap();
    assert!(storage.use_once(Once::State, "x", NOW).await.unwrap());
    storage
        .append(vec![record(&device(1), &large, NOW)])
        .await
        .unwrap();
    assert_eq!(
        told(&all_after(&storage, &device(1), 0).await),
        [(1, "before"), (2, large.as_str())],
        "the repeated event is the first one of its id that was kept"
    );
    storage.close().await;
}

#[tokio::test]
async fn after_the_disk_failed_nothing_is_accepted_until_a_restart() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    append(&storage, &device(1), "before").await;
    let mut arrivals = storage.arrivals(&device(1)).await.unwrap();
    arrivals.mark_unchanged();
    let (lost, failed) = tokio::join!(
        storage.append(vec![record(&device(1), "lost", NOW)]),
        let_the_disk_fail(&storage),
    );
    assert!(matches!(lost, Err(StorageError::Broken)), "{lost:?}");
    assert!(matches!(failed, Err(StorageError::Broken)), "{failed:?}");
    let refused = storage.append(vec![record(&device(1), "after", NOW)]).await;
    assert!(matches!(refused, Err(StorageError::Broken)), "{refused:?}");
    let refused = storage.use_once(Once::State, "x", NOW).await;
    assert!(matches!(refused, Err(StorageError::Broken)), "{refused:?}");
    let refused = storage.flush().await;
    assert!(matches!(refused, Err(StorageError::Broken)), "{refused:?}");
    assert!(!storage.ready().await);
    assert!(!arrivals.has_changed().unwrap());
    assert_eq!(
        told(&all_after(&storage, &device(1), 0).await),
        [(1, "before")],
        "what was durable is still given out, and no more"
    );
    storage.close().await;
    let storage = Sqlite::open(&file.address()).await.unwrap();
    assert!(storage.ready().await);
    append(&storage, &device(1), "next").await;
    assert_eq!(
        told(&all_after(&storage, &device(1), 0).await),
        [(1, "before"), (2, "next")]
    );
    storage.close().await;
}

#[tokio::test]
async fn acknowledgements_and_signs_of_life_wait_for_each_other() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    bind(&storage, 1, &page("1"), NOW).await;
    for n in 0..50 {
        append(&storage, &device(1), &n.to_string()).await;
    }
    let before = commits(&storage);
    for n in 1..=50 {
        storage.acknowledge(&device(1), n).await.unwrap();
        storage
            .seen(&device(1), NOW + 2 * 60 * MINUTE + 1)
            .await
            .unwrap();
    }
    assert_eq!(storage.extent(&device(1)).await.unwrap().oldest, 51);
    assert!(commits(&storage) - before <= 1);
    storage.flush().await.unwrap();
    assert!(commits(&storage) - before <= 2);
    assert_eq!(rows(&storage, "SELECT count(*) FROM blocks").await, 0);
    storage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_may_wait_a_second_is_written_after_it() {
    let storage = Sqlite::open("sqlite::memory:").await.unwrap();
    append(&storage, &device(1), "a").await;
    storage.acknowledge(&device(1), 1).await.unwrap();
    // The writer has heard of it when it answered what came after.
    storage.use_once(Once::State, "x", NOW).await.unwrap();
    tokio::time::advance(LATER).await;
    storage.use_once(Once::State, "y", NOW).await.unwrap();
    assert_eq!(rows(&storage, "SELECT count(*) FROM blocks").await, 0);
    storage.close().await;
}

#[tokio::test]
async fn a_large_acknowledgement_is_carried_out_in_pieces_even_over_a_restart() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    let records = (0..1800).map(|n| record(&device(1), &n.to_string(), NOW + n * MINUTE));
    storage.append(records.collect()).await.unwrap();
    let blocks = rows(&storage, "SELECT count(*) FROM blocks").await;
    assert_eq!(blocks, 1800, "too far apart to share a row");
    storage.acknowledge(&device(1), 1800).await.unwrap();
    storage.flush().await.unwrap();
    let left = rows(&storage, "SELECT count(*) FROM blocks").await;
    assert!(left > 0, "events wait for a part of it only");
    let left = file.copy();
    storage.close().await;

    let storage = Sqlite::open(&left.address()).await.unwrap();
    let extent = storage.extent(&device(1)).await.unwrap();
    assert_eq!((extent.oldest, extent.newest), (1801, 1800));
    assert!(all_after(&storage, &device(1), 0).await.is_empty());
    for _ in 0..4 {
        storage.flush().await.unwrap();
    }
    assert_eq!(rows(&storage, "SELECT count(*) FROM blocks").await, 0);
    append(&storage, &device(1), "next").await;
    assert_eq!(
        told(&all_after(&storage, &device(1), 0).await),
        [(1801, "next")]
    );
    storage.close().await;
}

#[tokio::test]
async fn deleted_events_leave_no_trace_in_the_files() {
    let file = File::new();
    let storage = Sqlite::open(&file.address()).await.unwrap();
    append(&storage, &device(1), "a canary that sings").await;
    append(&storage, &device(2), "another one").await;
    assert!(file.holds(b"a canary that sings"));
    storage.acknowledge(&device(1), 1).await.unwrap();
    storage.close().await;
    assert!(!file.holds(b"a canary that sings"));
    assert!(file.holds(b"another one"));
    let storage = file.open().await;
    storage.drop_stream(&device(2)).await.unwrap();
    storage.close().await;
    assert!(!file.holds(b"another one"));
}
