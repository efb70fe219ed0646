#![allow(clippy::unwrap_used)]

use super::*;
use crate::storage::conformance::{NOW, device, record, told};

fn append(places: &mut Places, n: u8, contents: &[&str]) {
    let records: Vec<_> = contents
        .iter()
        .map(|content| record(&device(n), content, NOW))
        .collect();
    let plan = places.plan(records.iter());
    places.done(plan);
}

/// What a read finds in memory; `None` when it has to go to the rows.
fn in_memory(places: &Places, n: u8, after: u64) -> Option<Vec<Record>> {
    match places.source(&device(n), after, usize::MAX, usize::MAX) {
        Source::Memory(records) => Some(records),
        Source::Nothing => Some(Vec::new()),
        Source::Rows { .. } => None,
    }
}

#[test]
fn a_plan_that_failed_leaves_no_trace() {
    let mut places = Places::default();
    append(&mut places, 1, &["a"]);
    let records = [
        record(&device(1), "b", NOW),
        record(&device(2), "c", NOW),
        record(&device(1), "b", NOW),
    ];
    let failed = places.plan(records.iter());
    assert_eq!(failed.blocks.len(), 2);
    assert_eq!(failed.made.len(), 1);
    drop(failed);
    assert_eq!(places.extent(&device(1)).newest, 1);
    assert_eq!(places.extent(&device(2)).newest, 0);
    let again = places.plan(records.iter());
    let placed: Vec<_> = again.blocks.iter().map(|b| (b.first, b.last)).collect();
    assert_eq!(placed, [(2, 2), (1, 1)], "the same offsets, and once");
    places.done(again);
    assert!(places.plan(records.iter()).blocks.is_empty(), "known now");
}

#[test]
fn who_listens_reads_the_latest_from_memory() {
    let mut places = Places::default();
    append(&mut places, 1, &["before"]);
    assert!(in_memory(&places, 1, 0).is_none());
    let listens = places.listen(&device(1));
    append(&mut places, 1, &["a", "b", "c"]);
    assert_eq!(*listens.borrow(), 4);
    assert!(
        in_memory(&places, 1, 0).is_none(),
        "that far back are the rows"
    );
    let read = in_memory(&places, 1, 2).unwrap();
    assert_eq!(told(&read), [(3, "b"), (4, "c")]);
    assert_eq!(read[0].prev, 2);
    places.delete(&device(1), 3);
    assert_eq!(told(&in_memory(&places, 1, 0).unwrap()), [(4, "c")]);
    places.delete(&device(1), 99);
    assert!(in_memory(&places, 1, 0).unwrap().is_empty());
    append(&mut places, 1, &["d"]);
    assert_eq!(told(&in_memory(&places, 1, 0).unwrap()), [(5, "d")]);
    drop(listens);
    append(&mut places, 1, &["e"]);
    assert!(
        in_memory(&places, 1, 0).is_none(),
        "nobody listens any more"
    );
    assert_eq!(places.tail_bytes, 0);
}

#[test]
fn what_is_remembered_for_listeners_has_a_limit() {
    let mut places = Places::default();
    let _first = places.listen(&device(1));
    let _second = places.listen(&device(2));
    let large = "x".repeat(TAIL_BYTES / 4);
    for n in 0..6 {
        append(&mut places, 1, &[&format!("{n}{large}")]);
    }
    assert!(places.tail_bytes <= TAIL_BYTES);
    assert!(in_memory(&places, 1, 0).is_none());
    let kept = in_memory(&places, 1, 3).unwrap();
    assert_eq!(kept.iter().map(|r| r.offset).collect::<Vec<_>>(), [4, 5, 6]);
    places.delete(&device(1), 6);
    assert_eq!(places.tail_bytes, 0);
    append(&mut places, 2, &["small"]);
    assert_eq!(told(&in_memory(&places, 2, 0).unwrap()), [(1, "small")]);
}

#[test]
fn event_ids_are_forgotten_in_the_end() {
    let mut places = Places::default();
    append(&mut places, 1, &["first"]);
    for n in 0..REMEMBERED {
        let mut other = record(&device(1), "x", NOW);
        other.event_id[..8].copy_from_slice(&(n as u64).to_be_bytes());
        let plan = places.plan([other].iter());
        places.done(plan);
    }
    assert_eq!(places.ids.len(), REMEMBERED);
    append(&mut places, 1, &["first"]);
    assert_eq!(places.extent(&device(1)).newest, REMEMBERED as u64 + 2);
}
