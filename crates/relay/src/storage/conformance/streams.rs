//! Each device's stream: offsets, order, windows, deletion, arrivals.

use futures_util::future::join_all;

use super::{DAY, MINUTE, NOW, all_after, append, bind, device, page, record, told};
use crate::storage::{Extent, Storage};

async fn extent(s: &dyn Storage, n: u8) -> (u64, u64) {
    let Extent { oldest, newest } = s.extent(&device(n)).await.unwrap();
    (oldest, newest)
}

pub(in crate::storage) async fn offsets_are_dense_for_each_device(s: &dyn Storage) {
    assert_eq!(extent(s, 1).await, (1, 0), "nothing ever");
    for content in ["a", "b", "c"] {
        append(s, &device(1), content).await;
        append(s, &device(2), content).await;
    }
    for n in [1, 2] {
        let records = all_after(s, &device(n), 0).await;
        assert_eq!(told(&records), [(1, "a"), (2, "b"), (3, "c")]);
        assert_eq!(
            records.iter().map(|r| r.prev).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        assert_eq!(extent(s, n).await, (1, 3));
    }
    let records = all_after(s, &device(1), 2).await;
    assert_eq!(told(&records), [(3, "c")]);
    assert!(all_after(s, &device(1), 3).await.is_empty());
    assert!(all_after(s, &device(1), u64::MAX).await.is_empty());
}

pub(in crate::storage) async fn the_order_of_a_call_is_kept_for_each_device(s: &dyn Storage) {
    let records = (0..300u16)
        .map(|n| record(&device((n % 3) as u8), &format!("{n:03}"), NOW))
        .collect();
    s.append(records).await.unwrap();
    append(s, &device(0), "last").await;
    for n in 0..3u8 {
        let records = all_after(s, &device(n), 0).await;
        let contents: Vec<String> = told(&records)
            .into_iter()
            .map(|(_, content)| content.to_owned())
            .collect();
        let mut expected: Vec<String> = (0..100u16)
            .map(|k| format!("{:03}", k * 3 + u16::from(n)))
            .collect();
        if n == 0 {
            expected.push("last".into());
        }
        assert_eq!(contents, expected);
    }
}

pub(in crate::storage) async fn many_at_once_leave_no_hole(s: &dyn Storage) {
    let calls = (0..60u8).map(|call| {
        let records = (0..5u8)
            .map(|n| record(&device(n % 2), &format!("{call}/{n}"), NOW))
            .collect();
        s.append(records)
    });
    for done in join_all(calls).await {
        done.unwrap();
    }
    for (n, each) in [(0u8, ["0", "2", "4"].as_slice()), (1, &["1", "3"])] {
        let records = all_after(s, &device(n), 0).await;
        let offsets: Vec<u64> = records.iter().map(|r| r.offset).collect();
        let count = 60 * each.len() as u64;
        assert_eq!(offsets, (1..=count).collect::<Vec<_>>());
        assert!(records.iter().all(|r| r.prev + 1 == r.offset));
        let contents = told(&records);
        for call in 0..60 {
            let of_call: Vec<&str> = contents
                .iter()
                .filter_map(|(_, content)| content.strip_prefix(&format!("{call}/")))
                .collect();
            assert_eq!(of_call, each, "all of a call, in its order");
        }
    }
}

pub(in crate::storage) async fn devices_see_their_own_events_only(s: &dyn Storage) {
    s.append(vec![
        record(&device(1), "for one", NOW),
        record(&device(2), "for two", NOW),
    ])
    .await
    .unwrap();
    s.acknowledge(&device(1), 1).await.unwrap();
    s.drop_stream(&device(3)).await.unwrap();
    assert!(all_after(s, &device(1), 0).await.is_empty());
    assert!(all_after(s, &device(3), 0).await.is_empty());
    assert_eq!(
        told(&all_after(s, &device(2), 0).await),
        [(1, "for two")],
        "another one's acknowledgement deletes nothing"
    );
    assert_eq!(extent(s, 3).await, (1, 0));
}

pub(in crate::storage) async fn a_repeated_append_is_one(s: &dyn Storage) {
    let call = || {
        vec![
            record(&device(1), "a", NOW),
            record(&device(2), "a", NOW),
            record(&device(1), "b", NOW),
        ]
    };
    s.append(call()).await.unwrap();
    s.append(call()).await.unwrap();
    append(s, &device(1), "c").await;
    let records = all_after(s, &device(1), 0).await;
    assert_eq!(told(&records), [(1, "a"), (2, "b"), (3, "c")]);
    let records = all_after(s, &device(2), 0).await;
    assert_eq!(told(&records), [(1, "a")], "the same event for two is two");
}

pub(in crate::storage) async fn a_read_keeps_to_its_window(s: &dyn Storage) {
    for content in ["1234567890", "12345", "1234567", "1"] {
        append(s, &device(1), content).await;
    }
    let read = async |after: u64, events: usize, bytes: usize| -> Vec<u64> {
        let records = s.read(&device(1), after, events, bytes).await.unwrap();
        records.iter().map(|r| r.offset).collect()
    };
    assert_eq!(read(0, 2, 1000).await, [1, 2]);
    assert_eq!(read(0, 9, 15).await, [1, 2], "up to the very byte");
    assert_eq!(read(0, 9, 14).await, [1]);
    assert_eq!(read(0, 9, 3).await, [1], "one, however large");
    assert_eq!(read(1, 9, 12).await, [2, 3]);
    assert_eq!(read(2, 9, 8).await, [3, 4]);
    assert_eq!(read(3, 1, 0).await, [4]);
}

pub(in crate::storage) async fn a_backlog_is_read_piece_by_piece(s: &dyn Storage) {
    for call in 0..20 {
        let records = (0..100)
            .map(|n| {
                record(
                    &device(1),
                    &format!("{call} {n} {}", "x".repeat(997)),
                    NOW + n,
                )
            })
            .collect();
        s.append(records).await.unwrap();
    }
    let (mut after, mut read) = (0, 0);
    loop {
        let piece = s.read(&device(1), after, 64, 50_000).await.unwrap();
        let Some(last) = piece.last() else { break };
        assert!(piece.len() <= 64);
        assert!(piece.iter().map(|r| r.event.len()).sum::<usize>() <= 50_000);
        for record in &piece {
            assert_eq!((record.prev, record.offset), (after, after + 1));
            let expected = format!("{} {} ", after / 100, after % 100);
            assert!(record.event.starts_with(expected.as_bytes()));
            after += 1;
        }
        read += piece.len();
        s.acknowledge(&device(1), last.offset / 2).await.unwrap();
    }
    assert_eq!(read, 2000);
    s.acknowledge(&device(1), 2000).await.unwrap();
    s.flush().await.unwrap();
    assert_eq!(extent(s, 1).await, (2001, 2000));
}

pub(in crate::storage) async fn acknowledged_events_are_gone_and_offsets_go_on(s: &dyn Storage) {
    let call = ["a", "b", "c", "d"].map(|content| record(&device(1), content, NOW));
    s.append(call.to_vec()).await.unwrap();
    s.acknowledge(&device(1), 2).await.unwrap();
    s.acknowledge(&device(1), 1).await.unwrap();
    s.flush().await.unwrap();
    assert_eq!(
        extent(s, 1).await,
        (3, 4),
        "a higher one covers a lower one"
    );
    let records = all_after(s, &device(1), 0).await;
    assert_eq!(told(&records), [(3, "c"), (4, "d")]);
    assert_eq!(records[0].prev, 2);
    s.acknowledge(&device(1), 4).await.unwrap();
    s.flush().await.unwrap();
    assert_eq!(extent(s, 1).await, (5, 4), "nothing is kept");
    assert!(all_after(s, &device(1), 0).await.is_empty());
    append(s, &device(1), "e").await;
    let records = all_after(s, &device(1), 4).await;
    assert_eq!((records[0].offset, records[0].prev), (5, 4));
    assert_eq!(extent(s, 1).await, (5, 5));
}

pub(in crate::storage) async fn an_acknowledgement_beyond_the_end_deletes_nothing_that_comes(
    s: &dyn Storage,
) {
    append(s, &device(1), "a").await;
    s.acknowledge(&device(1), 99).await.unwrap();
    s.acknowledge(&device(2), 99).await.unwrap();
    s.flush().await.unwrap();
    append(s, &device(1), "b").await;
    append(s, &device(2), "c").await;
    assert_eq!(told(&all_after(s, &device(1), 0).await), [(2, "b")]);
    assert_eq!(told(&all_after(s, &device(2), 0).await), [(1, "c")]);
}

pub(in crate::storage) async fn old_events_expire_and_the_gap_shows(s: &dyn Storage) {
    bind(s, 1, &page("1"), NOW).await;
    bind(s, 2, &page("1"), NOW).await;
    s.append(vec![
        record(&device(1), "old", NOW - DAY),
        record(&device(2), "all old", NOW - DAY),
        record(&device(1), "old too", NOW - 2 * MINUTE),
        record(&device(1), "young", NOW),
    ])
    .await
    .unwrap();
    assert_eq!(s.expire(NOW - DAY).await.unwrap(), 0, "not before");
    assert_eq!(s.expire(NOW - MINUTE).await.unwrap(), 3);
    assert_eq!(extent(s, 1).await, (3, 3));
    assert_eq!(told(&all_after(s, &device(1), 0).await), [(3, "young")]);
    assert_eq!(extent(s, 2).await, (2, 1));
    assert_eq!(s.expire(NOW - MINUTE).await.unwrap(), 0, "once");
    append(s, &device(2), "next").await;
    assert_eq!(told(&all_after(s, &device(2), 0).await), [(2, "next")]);
    s.acknowledge(&device(2), 2).await.unwrap();
    assert_eq!(
        s.expire(NOW + DAY).await.unwrap(),
        1,
        "what was acknowledged does not expire"
    );
}

pub(in crate::storage) async fn nothing_young_expires_behind_something_old(s: &dyn Storage) {
    bind(s, 1, &page("1"), NOW).await;
    s.append(vec![
        record(&device(1), "old", NOW - DAY),
        record(&device(1), "young", NOW),
        record(&device(1), "the clock went back", NOW - DAY),
    ])
    .await
    .unwrap();
    s.expire(NOW - MINUTE).await.unwrap();
    let records = all_after(s, &device(1), 0).await;
    assert!(told(&records).contains(&(2, "young")));
    assert!(!told(&records).contains(&(1, "old")));
}

pub(in crate::storage) async fn streams_of_devices_that_are_gone_expire(s: &dyn Storage) {
    bind(s, 1, &page("1"), NOW).await;
    s.append(vec![
        record(&device(1), "kept", NOW),
        record(&device(2), "for nobody", NOW),
        record(&device(2), "for nobody either", NOW),
    ])
    .await
    .unwrap();
    assert_eq!(s.expire(NOW - DAY).await.unwrap(), 2);
    assert_eq!(told(&all_after(s, &device(1), 0).await), [(1, "kept")]);
    assert!(all_after(s, &device(2), 0).await.is_empty());
    append(s, &device(2), "it came back").await;
    assert_eq!(
        told(&all_after(s, &device(2), 0).await),
        [(3, "it came back")],
        "offsets go on"
    );
}

pub(in crate::storage) async fn a_dropped_stream_goes_on_with_its_offsets(s: &dyn Storage) {
    for call in 0..7 {
        let records = (0..100).map(|n| record(&device(1), &format!("{call} {n}"), NOW));
        s.append(records.collect()).await.unwrap();
    }
    append(s, &device(2), "other").await;
    s.drop_stream(&device(1)).await.unwrap();
    assert_eq!(extent(s, 1).await, (701, 700));
    assert!(all_after(s, &device(1), 0).await.is_empty());
    append(s, &device(1), "next").await;
    let records = all_after(s, &device(1), 0).await;
    assert_eq!(told(&records), [(701, "next")]);
    assert_eq!(records[0].prev, 700);
    assert_eq!(told(&all_after(s, &device(2), 0).await), [(1, "other")]);
}

pub(in crate::storage) async fn arrivals_are_told_once_they_can_be_read(s: &dyn Storage) {
    let mut arrivals = s.arrivals(&device(1)).await.unwrap();
    arrivals.mark_unchanged();
    let reader = async {
        let mut seen = 0;
        while seen < 50 {
            arrivals.changed().await.unwrap();
            let newest = *arrivals.borrow_and_update();
            // May be none: a read may have found them before they were told.
            for record in all_after(s, &device(1), seen).await {
                assert_eq!((record.prev, record.offset), (seen, seen + 1));
                seen += 1;
            }
            assert!(seen >= newest, "told of something that is not there");
        }
    };
    let writer = async {
        for n in 0..50 {
            append(s, &device(1), &n.to_string()).await;
        }
    };
    tokio::join!(reader, writer);
    let mut late = s.arrivals(&device(1)).await.unwrap();
    late.mark_unchanged();
    append(s, &device(1), "more").await;
    late.changed().await.unwrap();
    assert_eq!(told(&all_after(s, &device(1), 50).await), [(51, "more")]);
}

pub(in crate::storage) async fn arrivals_are_told_to_their_device(s: &dyn Storage) {
    let mut first = s.arrivals(&device(1)).await.unwrap();
    let mut second = s.arrivals(&device(2)).await.unwrap();
    first.mark_unchanged();
    second.mark_unchanged();
    append(s, &device(1), "a").await;
    first.changed().await.unwrap();
    assert!(!second.has_changed().unwrap());
    drop(first);
    append(s, &device(1), "b").await;
    append(s, &device(2), "c").await;
    second.changed().await.unwrap();
    assert_eq!(all_after(s, &device(1), 0).await.len(), 2);
}

pub(in crate::storage) async fn nothing_is_a_valid_append(s: &dyn Storage) {
    s.append(Vec::new()).await.unwrap();
    s.append(vec![record(&device(1), "", NOW)]).await.unwrap();
    assert_eq!(told(&all_after(s, &device(1), 0).await), [(1, "")]);
}

pub(in crate::storage) async fn the_epoch_is_a_random_name(s: &dyn Storage) {
    assert!(s.ready().await);
    assert!(s.epoch().len() >= 16, "{}", s.epoch());
    assert_eq!(s.epoch(), s.epoch());
}
