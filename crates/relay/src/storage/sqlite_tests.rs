#![allow(clippy::unwrap_used)]

use super::{super::*, *};
use shopbell_wire::{AccountKind, AccountRef, DeviceKeys, LEASE_MS, Provider};

const NOW: i64 = 1_790_000_000_000;

fn account(kind: AccountKind, id: &str) -> AccountRef {
    AccountRef {
        kind,
        platform_id: id.into(),
    }
}

#[tokio::test]
async fn a_thing_is_used_once_and_only_within_its_kind() {
    let storage = Sqlite::open("sqlite::memory:").await.unwrap();
    assert!(storage.use_once(Once::Nonce, "a", NOW).await.unwrap());
    assert!(!storage.use_once(Once::Nonce, "a", NOW + 5).await.unwrap());
    assert!(storage.use_once(Once::State, "a", NOW).await.unwrap());
    storage.purge(NOW).await.unwrap();
    assert!(
        !storage.use_once(Once::Nonce, "a", NOW).await.unwrap(),
        "kept until its time is over"
    );
    storage.purge(NOW + 1).await.unwrap();
    assert!(storage.use_once(Once::Nonce, "a", NOW).await.unwrap());
}

#[tokio::test]
async fn a_code_goes_through_its_states() {
    let storage = Sqlite::open("sqlite::memory:").await.unwrap();
    let claim = async |device: &str, at: i64| {
        storage
            .claim_code("j", device, at, NOW + 300_000)
            .await
            .unwrap()
    };
    assert_eq!(claim("d", NOW).await, Claim::Fresh);
    assert_eq!(claim("d", NOW + 1).await, Claim::InUse);
    assert_eq!(
        claim("e", NOW + 1).await,
        Claim::Used,
        "another device learns nothing"
    );
    storage.release_code("j").await.unwrap();
    assert_eq!(claim("d", NOW + 2).await, Claim::Fresh);
    assert_eq!(
        claim("d", NOW + 2 + 120_000).await,
        Claim::Used,
        "a lost redemption is not in use for ever"
    );
    storage
        .answer_code("j", b"sealed", NOW + 200_000)
        .await
        .unwrap();
    assert_eq!(
        claim("d", NOW + 200_000).await,
        Claim::Answered(b"sealed".to_vec())
    );
    assert_eq!(claim("d", NOW + 200_001).await, Claim::Used);
    storage.release_code("j").await.unwrap();
    assert_eq!(
        claim("d", NOW + 200_001).await,
        Claim::Used,
        "an answered code is never given back"
    );
    storage.purge(NOW + 200_001).await.unwrap();
    assert_eq!(
        claim("d", NOW + 10).await,
        Claim::Used,
        "the answer is gone, the code stays spent"
    );
    storage.purge(NOW + 300_001).await.unwrap();
    assert_eq!(
        claim("d", NOW).await,
        Claim::Fresh,
        "after the code's own expiry nothing is kept"
    );
    storage.spend_code("j").await.unwrap();
    assert_eq!(claim("d", NOW).await, Claim::Used);
}

#[tokio::test]
async fn leases_are_renewed_listed_removed_and_run_out() {
    let storage = Sqlite::open("sqlite::memory:").await.unwrap();
    let home = DeviceKeys::from_random_bytes(&[1; 64]).public();
    let shop = DeviceKeys::from_random_bytes(&[2; 64]).public();
    let page = account(AccountKind::Page, "1001");
    let insta = account(AccountKind::Instagram, "17841");
    storage
        .bind(
            &home,
            Provider::Facebook,
            "u",
            &[page.clone(), insta.clone()],
            NOW,
        )
        .await
        .unwrap();
    storage
        .bind(
            &shop,
            Provider::Facebook,
            "u",
            std::slice::from_ref(&page),
            NOW + 10,
        )
        .await
        .unwrap();
    storage
        .bind(
            &home,
            Provider::Facebook,
            "u",
            std::slice::from_ref(&page),
            NOW + 1000,
        )
        .await
        .unwrap();

    let of_home = storage.bindings_of(&home.thumbprint(), NOW).await.unwrap();
    assert_eq!(
        of_home.iter().map(|b| &b.account).collect::<Vec<_>>(),
        [&page, &insta]
    );
    assert_eq!(
        (of_home[0].bound_at_ms, of_home[0].proved_at_ms),
        (NOW, NOW + 1000)
    );
    assert_eq!(of_home[0].lease_until_ms, NOW + 1000 + LEASE_MS);

    let of_page = storage
        .bindings_for(&page, &shop.thumbprint(), NOW)
        .await
        .unwrap();
    assert_eq!(
        of_page.iter().map(|b| b.mine).collect::<Vec<_>>(),
        [false, true]
    );

    let later = NOW + LEASE_MS + 11;
    assert_eq!(
        storage
            .bindings_for(&page, &home.thumbprint(), later)
            .await
            .unwrap()
            .len(),
        1,
        "shop's lease is over"
    );
    storage.purge(later).await.unwrap();
    assert!(storage.unbind(&page, &home.thumbprint()).await.unwrap());
    assert!(!storage.unbind(&page, &home.thumbprint()).await.unwrap());
    assert!(
        !storage.unbind(&page, &shop.thumbprint()).await.unwrap(),
        "purged"
    );
    let devices: i64 = sqlx::query_scalar("SELECT count(*) FROM devices")
        .fetch_one(&storage.pool)
        .await
        .unwrap();
    assert_eq!(devices, 1, "home had a lease when purged, shop had none");
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", dir.path().join("relay.db").display());
    let storage = Sqlite::open(&address).await.unwrap();
    storage.use_once(Once::State, "x", NOW).await.unwrap();
    storage.close().await;
    let storage = Sqlite::open(&address).await.unwrap();
    assert!(storage.ready().await);
    assert!(!storage.use_once(Once::State, "x", NOW).await.unwrap());
}
