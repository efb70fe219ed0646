//! Who answers for an account.

use futures_util::future::join_all;
use shopbell_wire::{LEASE_MS, Provider};

use super::{MINUTE, NOW, bind, device, insta, page};
use crate::storage::{AnsweringLease, Storage};

fn lease(n: u8, term: u64, until_ms: i64) -> AnsweringLease {
    AnsweringLease {
        device: device(n),
        term,
        until_ms,
    }
}

/// Takes or renews for the page `1` until two minutes after `now_ms`.
async fn answer(s: &dyn Storage, n: u8, insist: bool, now_ms: i64) -> AnsweringLease {
    s.answer(&page("1"), &device(n), insist, now_ms, now_ms + 2 * MINUTE)
        .await
        .unwrap()
}

async fn two_bound(s: &dyn Storage) {
    bind(s, 1, &page("1"), NOW).await;
    bind(s, 2, &page("1"), NOW).await;
}

pub(in crate::storage) async fn the_holder_renews_and_keeps_its_term(s: &dyn Storage) {
    two_bound(s).await;
    assert_eq!(s.answering(&page("1")).await.unwrap(), None);
    assert_eq!(
        answer(s, 1, false, NOW).await,
        lease(1, 1, NOW + 2 * MINUTE)
    );
    let later = NOW + MINUTE;
    let renewed = lease(1, 1, later + 2 * MINUTE);
    assert_eq!(answer(s, 1, false, later).await, renewed);
    assert_eq!(
        answer(s, 1, true, later).await,
        renewed,
        "insisting on one's own"
    );
    assert_eq!(s.answering(&page("1")).await.unwrap(), Some(renewed));
    assert_eq!(s.answering(&insta("1")).await.unwrap(), None);
    let long_after = NOW + 60 * MINUTE;
    assert_eq!(
        answer(s, 1, false, long_after).await.term,
        1,
        "also when it had ended, as long as nobody else took it"
    );
}

pub(in crate::storage) async fn a_living_lease_changes_hands_only_by_insisting(s: &dyn Storage) {
    two_bound(s).await;
    let first = answer(s, 1, false, NOW).await;
    assert_eq!(answer(s, 2, false, NOW + 1).await, first, "told who has it");
    assert_eq!(
        answer(s, 2, false, NOW + 2 * MINUTE).await,
        first,
        "until its very end"
    );
    let taken = answer(s, 2, true, NOW + 1).await;
    assert_eq!(taken, lease(2, 2, NOW + 1 + 2 * MINUTE));
    assert_eq!(answer(s, 1, false, NOW + 2).await, taken);
    assert_eq!(answer(s, 1, true, NOW + 3).await.term, 3);
}

pub(in crate::storage) async fn an_ended_lease_is_anybodys(s: &dyn Storage) {
    two_bound(s).await;
    answer(s, 1, false, NOW).await;
    let later = NOW + 2 * MINUTE + 1;
    assert_eq!(
        s.answering(&page("1")).await.unwrap(),
        Some(lease(1, 1, NOW + 2 * MINUTE)),
        "shown although it has ended"
    );
    let taken = answer(s, 2, false, later).await;
    assert_eq!(taken, lease(2, 2, later + 2 * MINUTE));
    assert_eq!(answer(s, 1, false, later).await, taken);
}

pub(in crate::storage) async fn the_lease_goes_with_its_holder_and_the_term_still_grows(
    s: &dyn Storage,
) {
    two_bound(s).await;
    let held = || async { s.answering(&page("1")).await.unwrap() };
    answer(s, 1, false, NOW).await;
    s.unbind(&page("1"), &device(2)).await.unwrap();
    assert!(held().await.is_some(), "another one going changes nothing");
    s.unbind(&page("1"), &device(1)).await.unwrap();
    assert_eq!(held().await, None);

    two_bound(s).await;
    assert_eq!(answer(s, 2, false, NOW).await.term, 2);
    s.unbind_user(Provider::Facebook, "owner").await.unwrap();
    assert_eq!(held().await, None);

    two_bound(s).await;
    assert_eq!(answer(s, 1, false, NOW).await.term, 3);
    s.unbind_silent(NOW + 1).await.unwrap();
    assert_eq!(held().await, None);

    two_bound(s).await;
    let until = NOW + LEASE_MS + 2 * MINUTE;
    let taken = s.answer(&page("1"), &device(1), false, NOW, until).await;
    assert_eq!(taken.unwrap().term, 4);
    s.purge(NOW + LEASE_MS + 1).await.unwrap();
    assert_eq!(held().await, None, "its binding ran out");
}

pub(in crate::storage) async fn of_many_at_once_one_answers(s: &dyn Storage) {
    for n in 1..=8 {
        bind(s, n, &page("1"), NOW).await;
    }
    let leases = join_all((1..=8).map(|n| answer(s, n, false, NOW))).await;
    assert!(leases.iter().all(|lease| *lease == leases[0]), "{leases:?}");
    assert_eq!(leases[0].term, 1);
    let leases = join_all((1..=8).map(|n| answer(s, n, true, NOW))).await;
    let mut terms: Vec<u64> = leases.iter().map(|lease| lease.term).collect();
    terms.sort_unstable();
    let changes = terms.len() as u64;
    assert!(
        terms == (2..changes + 2).collect::<Vec<_>>() || terms == (1..=changes).collect::<Vec<_>>(),
        "every change of hands has a term of its own: {terms:?}"
    );
}

pub(in crate::storage) async fn only_a_change_of_hands_is_told(s: &dyn Storage) {
    two_bound(s).await;
    let mut changes = s.binding_changes();
    changes.mark_unchanged();
    answer(s, 1, false, NOW).await;
    changes.changed().await.unwrap();
    answer(s, 1, false, NOW + 1).await;
    answer(s, 2, false, NOW + 2).await;
    assert!(!changes.has_changed().unwrap(), "a renewal is no news");
    answer(s, 2, true, NOW + 3).await;
    changes.changed().await.unwrap();
}

pub(in crate::storage) async fn many_are_renewed_at_once(s: &dyn Storage) {
    for account in ["1", "2", "3"] {
        bind(s, 1, &page(account), NOW).await;
        bind(s, 2, &page(account), NOW).await;
    }
    let until = NOW + 2 * MINUTE;
    answer(s, 1, false, NOW).await;
    s.answer(&page("2"), &device(2), false, NOW, until)
        .await
        .unwrap();
    let held = [
        (page("1"), device(1)),
        (page("2"), device(1)),
        (page("3"), device(1)),
    ];
    let later = NOW + MINUTE;
    let leases = s.renew_answers(&held, later, until + MINUTE).await.unwrap();
    let expected = [
        lease(1, 1, until + MINUTE),
        lease(2, 1, until),
        lease(1, 1, until + MINUTE),
    ];
    assert_eq!(leases, expected, "renewed, another one's, taken");
    for (account, lease) in ["1", "2", "3"].into_iter().zip(expected) {
        assert_eq!(s.answering(&page(account)).await.unwrap(), Some(lease));
    }
    assert!(s.renew_answers(&[], later, until).await.unwrap().is_empty());
}
