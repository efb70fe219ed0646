//! Things that may be used once, codes and their answers.

use futures_util::future::join_all;

use super::NOW;
use crate::storage::{Claim, Once, Storage};

pub(in crate::storage) async fn a_thing_is_used_once_and_only_within_its_kind(s: &dyn Storage) {
    assert!(s.use_once(Once::Nonce, "a", NOW).await.unwrap());
    assert!(!s.use_once(Once::Nonce, "a", NOW + 5).await.unwrap());
    assert!(s.use_once(Once::State, "a", NOW).await.unwrap());
    s.purge(NOW).await.unwrap();
    assert!(
        !s.use_once(Once::Nonce, "a", NOW).await.unwrap(),
        "kept until its time is over"
    );
    s.purge(NOW + 1).await.unwrap();
    assert!(s.use_once(Once::Nonce, "a", NOW).await.unwrap());
}

pub(in crate::storage) async fn a_code_goes_through_its_states(s: &dyn Storage) {
    let claim =
        async |device: &str, at: i64| s.claim_code("j", device, at, NOW + 300_000).await.unwrap();
    assert_eq!(claim("d", NOW).await, Claim::Fresh);
    assert_eq!(claim("d", NOW + 1).await, Claim::InUse);
    assert_eq!(
        claim("e", NOW + 1).await,
        Claim::Used,
        "another device learns nothing"
    );
    s.release_code("j").await.unwrap();
    assert_eq!(claim("d", NOW + 2).await, Claim::Fresh);
    assert_eq!(
        claim("d", NOW + 2 + 120_000).await,
        Claim::Used,
        "a lost redemption is not in use for ever"
    );
    s.answer_code("j", b"sealed", NOW + 200_000).await.unwrap();
    assert_eq!(
        claim("d", NOW + 200_000).await,
        Claim::Answered(b"sealed".to_vec())
    );
    assert_eq!(
        claim("e", NOW + 200_000).await,
        Claim::Used,
        "the answer is for the device that asked"
    );
    assert_eq!(claim("d", NOW + 200_001).await, Claim::Used);
    s.release_code("j").await.unwrap();
    assert_eq!(
        claim("d", NOW + 200_001).await,
        Claim::Used,
        "an answered code is never given back"
    );
    s.purge(NOW + 200_001).await.unwrap();
    assert_eq!(
        claim("d", NOW + 10).await,
        Claim::Used,
        "the answer is gone, the code stays spent"
    );
    s.purge(NOW + 300_001).await.unwrap();
    assert_eq!(
        claim("d", NOW).await,
        Claim::Fresh,
        "after the code's own expiry nothing is kept"
    );
    s.spend_code("j").await.unwrap();
    assert_eq!(claim("d", NOW).await, Claim::Used);
}

pub(in crate::storage) async fn of_many_at_once_one_gets_it(s: &dyn Storage) {
    let used = join_all((0..16).map(|_| s.use_once(Once::State, "x", NOW))).await;
    assert_eq!(
        used.into_iter()
            .filter(|won| *won.as_ref().unwrap())
            .count(),
        1
    );
    let claims = join_all((0..16).map(|_| s.claim_code("c", "d", NOW, NOW + 1000))).await;
    let fresh = claims
        .into_iter()
        .filter(|claim| *claim.as_ref().unwrap() == Claim::Fresh);
    assert_eq!(fresh.count(), 1);
}
