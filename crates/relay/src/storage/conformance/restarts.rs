//! What a storage on a disk or on another server still knows after the relay was started anew.

use std::collections::BTreeMap;

use shopbell_wire::{DeletionOutcome, LEASE_MS};

use super::{
    DAY, Lasting, MINUTE, NOW, all_after, append, bind, device,
    extras::{hook, picture},
    page, record, told,
};
use crate::storage::{Claim, Deletion, Extent, Hook, Once};

pub(in crate::storage) async fn offsets_and_events_outlive_a_restart(lasting: &impl Lasting) {
    let mut epochs = Vec::new();
    for start in 0..4u64 {
        let s = lasting.open().await;
        assert!(s.ready().await);
        epochs.push(s.epoch().to_owned());
        let before = all_after(&*s, &device(1), 0).await;
        assert_eq!(before.len() as u64, start * 2);
        append(&*s, &device(1), &format!("{start} a")).await;
        append(&*s, &device(1), &format!("{start} b")).await;
        let now = all_after(&*s, &device(1), 0).await;
        assert!(
            now.starts_with(&before),
            "the same events at the same places"
        );
        for (n, record) in (1..).zip(&now) {
            assert_eq!((record.offset, record.prev), (n, n - 1));
        }
    }
    epochs.dedup();
    assert_eq!(epochs.len(), 1, "a restart is no new epoch");
}

pub(in crate::storage) async fn deletions_of_events_outlive_a_restart(lasting: &impl Lasting) {
    let s = lasting.open().await;
    bind(&*s, 1, &page("1"), NOW).await;
    bind(&*s, 2, &page("1"), NOW).await;
    for n in [1, 2] {
        s.append(vec![
            record(&device(n), "old", NOW - DAY),
            record(&device(n), "young", NOW),
        ])
        .await
        .unwrap();
    }
    assert_eq!(s.expire(NOW - MINUTE).await.unwrap(), 2);
    s.drop_stream(&device(2)).await.unwrap();

    let s = lasting.open().await;
    assert_eq!(told(&all_after(&*s, &device(1), 0).await), [(2, "young")]);
    let extent = s.extent(&device(2)).await.unwrap();
    assert_eq!(
        extent,
        Extent {
            oldest: 3,
            newest: 2
        }
    );
    append(&*s, &device(2), "next").await;
    assert_eq!(told(&all_after(&*s, &device(2), 0).await), [(3, "next")]);
}

pub(in crate::storage) async fn acknowledgements_outlive_an_orderly_restart(
    lasting: &impl Lasting,
) {
    let s = lasting.open().await;
    let call = ["a", "b", "c"].map(|content| record(&device(1), content, NOW));
    s.append(call.to_vec()).await.unwrap();
    s.acknowledge(&device(1), 2).await.unwrap();

    let s = lasting.open().await;
    assert_eq!(told(&all_after(&*s, &device(1), 0).await), [(3, "c")]);
    s.acknowledge(&device(1), 3).await.unwrap();

    let s = lasting.open().await;
    let extent = s.extent(&device(1)).await.unwrap();
    assert_eq!(
        extent,
        Extent {
            oldest: 4,
            newest: 3
        }
    );
    append(&*s, &device(1), "d").await;
    assert_eq!(told(&all_after(&*s, &device(1), 0).await), [(4, "d")]);
}

pub(in crate::storage) async fn used_things_and_codes_outlive_a_restart(lasting: &impl Lasting) {
    let s = lasting.open().await;
    assert!(s.use_once(Once::State, "x", NOW).await.unwrap());
    let claim = s.claim_code("j", "d", NOW, NOW + MINUTE).await.unwrap();
    assert_eq!(claim, Claim::Fresh);
    s.answer_code("j", b"sealed", NOW + MINUTE).await.unwrap();

    let s = lasting.open().await;
    assert!(!s.use_once(Once::State, "x", NOW).await.unwrap());
    let claim = s.claim_code("j", "d", NOW, NOW + MINUTE).await.unwrap();
    assert_eq!(claim, Claim::Answered(b"sealed".to_vec()));
}

pub(in crate::storage) async fn bindings_and_answering_outlive_a_restart(lasting: &impl Lasting) {
    let s = lasting.open().await;
    bind(&*s, 1, &page("1"), NOW).await;
    bind(&*s, 2, &page("1"), NOW + 1).await;
    let answer = async |s: &dyn crate::storage::Storage, n: u8| {
        s.answer(&page("1"), &device(n), true, NOW, NOW + MINUTE)
            .await
            .unwrap()
    };
    answer(&*s, 1).await;
    let held = answer(&*s, 2).await;
    let bindings = s.bindings_for(&page("1"), &device(1), NOW).await.unwrap();
    let receivers = s.receivers(&page("1"), NOW).await.unwrap();
    assert_eq!((bindings.len(), receivers.len()), (2, 2));

    let s = lasting.open().await;
    assert_eq!(
        s.bindings_for(&page("1"), &device(1), NOW).await.unwrap(),
        bindings
    );
    assert_eq!(s.receivers(&page("1"), NOW).await.unwrap(), receivers);
    assert_eq!(s.answering(&page("1")).await.unwrap(), Some(held));
    s.unbind(&page("1"), &device(2)).await.unwrap();

    let s = lasting.open().await;
    assert_eq!(s.answering(&page("1")).await.unwrap(), None);
    assert_eq!(answer(&*s, 1).await.term, 3, "the term goes on");
    s.purge(NOW + LEASE_MS).await.unwrap();
    assert_eq!(s.receivers(&page("1"), NOW).await.unwrap().len(), 1);
}

pub(in crate::storage) async fn extras_outlive_a_restart(lasting: &impl Lasting) {
    let s = lasting.open().await;
    let removed = Hook {
        removed: true,
        ..hook("gone", NOW)
    };
    s.put_hook(&hook("h", NOW)).await.unwrap();
    s.put_hook(&removed).await.unwrap();
    s.put_media("m", &device(1), &picture(b"one"), NOW)
        .await
        .unwrap();
    s.put_media("taken", &device(1), &picture(b"two"), NOW)
        .await
        .unwrap();
    s.take_media("taken", NOW).await.unwrap().unwrap();
    let deletion = Deletion {
        asked_at_ms: NOW,
        told: vec![device(1)],
        outcomes: BTreeMap::from([(device(1).to_string(), DeletionOutcome::Erased)]),
    };
    s.put_deletion("code", &deletion).await.unwrap();
    s.heartbeat(NOW).await.unwrap();
    s.put_outage((NOW - 2, NOW - 1)).await.unwrap();

    let s = lasting.open().await;
    assert_eq!(s.hook("h").await.unwrap(), Some(hook("h", NOW)));
    assert_eq!(s.hook("gone").await.unwrap(), Some(removed));
    assert_eq!(s.hooks_of(&device(1)).await.unwrap(), [hook("h", NOW)]);
    assert_eq!(s.take_media("m", NOW).await.unwrap(), Some(picture(b"one")));
    assert_eq!(s.take_media("taken", NOW).await.unwrap(), None);
    assert_eq!(s.deletion("code").await.unwrap(), Some(deletion));
    assert_eq!(s.heartbeat(NOW + 1).await.unwrap(), Some(NOW));
    assert_eq!(s.outage().await.unwrap(), Some((NOW - 2, NOW - 1)));
}
