//! Hooks, pictures, deletion requests, the relay's sign of life.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::join_all;
use shopbell_wire::{DeletionOutcome, HookKind, MEDIA_PER_DEVICE};

use super::{MINUTE, NOW, device};
use crate::storage::{Deletion, Hook, Media, Storage};

/// A shop's hook of the first computer.
pub(in crate::storage) fn hook(id: &str, created_at_ms: i64) -> Hook {
    Hook {
        id: id.into(),
        kind: HookKind::Shopify,
        device: device(1),
        secret: Some(vec![0, 1, 2, 255]),
        origins: vec![
            "https://shop.example".into(),
            "https://laden.example".into(),
        ],
        paused: false,
        removed: false,
        created_at_ms,
        last_ms: None,
    }
}

pub(in crate::storage) fn picture(content: &'static [u8]) -> Media {
    Media {
        mime: "image/png".into(),
        bytes: Bytes::from_static(content),
    }
}

pub(in crate::storage) async fn hooks_are_kept_changed_and_listed(s: &dyn Storage) {
    assert_eq!(s.hook("h").await.unwrap(), None);
    let second = hook("a", NOW + 1);
    let first = hook("b", NOW);
    let other = Hook {
        device: device(2),
        kind: HookKind::Collect,
        secret: None,
        ..hook("c", NOW)
    };
    for hook in [&second, &first, &other] {
        s.put_hook(hook).await.unwrap();
    }
    assert_eq!(s.hook("a").await.unwrap().as_ref(), Some(&second));
    assert_eq!(s.hook("c").await.unwrap().as_ref(), Some(&other));
    assert_eq!(
        s.hooks_of(&device(1)).await.unwrap(),
        [first.clone(), second.clone()],
        "oldest first, one's own"
    );
    let changed = Hook {
        paused: true,
        secret: Some(vec![9]),
        origins: vec![],
        last_ms: Some(NOW + MINUTE),
        ..first
    };
    s.put_hook(&changed).await.unwrap();
    assert_eq!(s.hook("b").await.unwrap(), Some(changed.clone()));
    assert_eq!(s.hooks_of(&device(1)).await.unwrap(), [changed, second]);
    assert!(s.hooks_of(&device(3)).await.unwrap().is_empty());
}

pub(in crate::storage) async fn a_removed_hook_is_remembered_as_one(s: &dyn Storage) {
    s.put_hook(&hook("h", NOW)).await.unwrap();
    let removed = Hook {
        removed: true,
        secret: None,
        origins: vec![],
        ..hook("h", NOW)
    };
    s.put_hook(&removed).await.unwrap();
    assert!(s.hooks_of(&device(1)).await.unwrap().is_empty());
    assert_eq!(s.hook("h").await.unwrap(), Some(removed));
    assert_eq!(
        s.hook("never").await.unwrap(),
        None,
        "and others never existed"
    );
}

pub(in crate::storage) async fn a_picture_is_given_out_once(s: &dyn Storage) {
    let until = NOW + 10 * MINUTE;
    let kept = s.put_media("m", &device(1), &picture(b"one"), until).await;
    assert!(kept.unwrap());
    let again = s.put_media("m", &device(2), &picture(b"two"), until).await;
    assert!(!again.unwrap(), "the id is taken");
    assert_eq!(
        s.take_media("m", until).await.unwrap(),
        Some(picture(b"one"))
    );
    assert_eq!(s.take_media("m", NOW).await.unwrap(), None);
    assert_eq!(s.take_media("n", NOW).await.unwrap(), None);
}

pub(in crate::storage) async fn pictures_have_limits_and_an_end(s: &dyn Storage) {
    let put = async |id: &str, n: u8| {
        s.put_media(id, &device(n), &picture(b"x"), NOW)
            .await
            .unwrap()
    };
    for n in 0..MEDIA_PER_DEVICE {
        assert!(put(&n.to_string(), 1).await);
    }
    assert!(!put("more", 1).await, "too many wait");
    assert!(
        put("other", 2).await,
        "which is no concern of another device"
    );
    s.take_media("0", NOW).await.unwrap().unwrap();
    assert!(put("more", 1).await, "one was fetched");
    assert_eq!(s.take_media("1", NOW + 1).await.unwrap(), None, "too late");
    s.purge(NOW).await.unwrap();
    assert!(s.take_media("2", NOW).await.unwrap().is_some());
    s.purge(NOW + 1).await.unwrap();
    assert_eq!(s.take_media("3", NOW).await.unwrap(), None);
    assert!(put("3", 1).await, "its place is free");
}

pub(in crate::storage) async fn large_pictures_come_back_whole(s: &dyn Storage) {
    for length in [0, 1, 512 * 1024, 3 * 1024 * 1024 + 17] {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let media = Media {
            mime: "image/jpeg".into(),
            bytes: bytes.into(),
        };
        let kept = s.put_media("large", &device(1), &media, NOW).await.unwrap();
        assert!(kept);
        assert!(s.take_media("large", NOW).await.unwrap() == Some(media));
    }
}

pub(in crate::storage) async fn of_many_at_once_one_gets_the_picture(s: &dyn Storage) {
    s.put_media("m", &device(1), &picture(b"one"), NOW)
        .await
        .unwrap();
    let taken = join_all((0..8).map(|_| s.take_media("m", NOW))).await;
    assert_eq!(
        taken
            .into_iter()
            .filter_map(Result::unwrap)
            .collect::<Vec<_>>(),
        [picture(b"one")]
    );
}

pub(in crate::storage) async fn deletions_know_who_was_told_and_what_became_of_it(s: &dyn Storage) {
    assert_eq!(s.deletion("code").await.unwrap(), None);
    let asked = Deletion {
        asked_at_ms: NOW,
        told: vec![device(2), device(1)],
        outcomes: BTreeMap::new(),
    };
    s.put_deletion("code", &asked).await.unwrap();
    assert_eq!(s.deletion("code").await.unwrap(), Some(asked.clone()));
    let nobody = Deletion {
        told: vec![],
        ..asked.clone()
    };
    s.put_deletion("nobody", &nobody).await.unwrap();
    assert_eq!(s.deletion("nobody").await.unwrap(), Some(nobody));
    let settled = Deletion {
        outcomes: [(device(1).to_string(), DeletionOutcome::Kept)].into(),
        ..asked
    };
    s.put_deletion("code", &settled).await.unwrap();
    assert_eq!(s.deletion("code").await.unwrap(), Some(settled));
}

pub(in crate::storage) async fn a_deletion_is_settled_by_those_who_were_told(s: &dyn Storage) {
    let asked = Deletion {
        asked_at_ms: NOW,
        told: vec![device(1), device(2)],
        outcomes: BTreeMap::new(),
    };
    s.put_deletion("code", &asked).await.unwrap();
    let settle = async |code: &str, n: u8, outcome| {
        s.settle_deletion(code, &device(n), outcome).await.unwrap()
    };
    assert!(!settle("other", 1, DeletionOutcome::Erased).await);
    assert!(!settle("code", 3, DeletionOutcome::Erased).await);
    assert!(settle("code", 1, DeletionOutcome::Kept).await);
    assert!(settle("code", 2, DeletionOutcome::Kept).await);
    assert!(
        settle("code", 2, DeletionOutcome::Erased).await,
        "a change of mind"
    );
    let outcomes = s.deletion("code").await.unwrap().unwrap().outcomes;
    assert_eq!(
        outcomes,
        [
            (device(1).to_string(), DeletionOutcome::Kept),
            (device(2).to_string(), DeletionOutcome::Erased)
        ]
        .into()
    );
}

pub(in crate::storage) async fn the_relay_knows_when_it_last_lived(s: &dyn Storage) {
    assert_eq!(s.heartbeat(NOW).await.unwrap(), None);
    assert_eq!(s.heartbeat(NOW + 5).await.unwrap(), Some(NOW));
    assert_eq!(s.heartbeat(NOW + 9).await.unwrap(), Some(NOW + 5));
    assert_eq!(s.outage().await.unwrap(), None);
    s.put_outage((NOW, NOW + 7)).await.unwrap();
    s.put_outage((NOW + 1, NOW + 8)).await.unwrap();
    assert_eq!(s.outage().await.unwrap(), Some((NOW + 1, NOW + 8)));
}

pub(in crate::storage) async fn a_hook_notes_when_it_was_used(s: &dyn Storage) {
    s.put_hook(&hook("h", NOW)).await.unwrap();
    let removed = Hook {
        removed: true,
        ..hook("gone", NOW)
    };
    s.put_hook(&removed).await.unwrap();
    for id in ["h", "gone", "never"] {
        s.touch_hook(id, NOW + MINUTE).await.unwrap();
    }
    let touched = Hook {
        last_ms: Some(NOW + MINUTE),
        ..hook("h", NOW)
    };
    assert_eq!(s.hook("h").await.unwrap(), Some(touched.clone()));
    assert_eq!(s.hooks_of(&device(1)).await.unwrap(), [touched]);
    assert_eq!(s.hook("gone").await.unwrap(), Some(removed));
    s.touch_hook("h", NOW + 3 * MINUTE).await.unwrap();
    let last = s.hook("h").await.unwrap().unwrap().last_ms;
    assert_eq!(last, Some(NOW + 3 * MINUTE));
}
