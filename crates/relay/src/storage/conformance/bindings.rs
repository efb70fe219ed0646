//! Devices and their leases on accounts.

use shopbell_wire::{LEASE_MS, Provider, Thumbprint};

use super::{DAY, MINUTE, NOW, all_after, append, bind, device, insta, keys, page, told};
use crate::storage::Storage;

async fn receivers(s: &dyn Storage, account: &str, now_ms: i64) -> Vec<Thumbprint> {
    let found = s.receivers(&page(account), now_ms).await.unwrap();
    found.iter().map(|r| r.device.thumbprint()).collect()
}

pub(in crate::storage) async fn leases_are_renewed_listed_removed_and_run_out(s: &dyn Storage) {
    let (shop, sister) = (page("1001"), insta("17841"));
    let accounts = [shop.clone(), sister.clone()];
    s.bind(&keys(1), Provider::Facebook, "u", &accounts, NOW)
        .await
        .unwrap();
    bind(s, 2, &shop, NOW + 10).await;
    bind(s, 1, &shop, NOW + 1000).await;

    let own = s.bindings_of(&device(1), NOW).await.unwrap();
    assert_eq!(
        own.iter().map(|b| &b.account).collect::<Vec<_>>(),
        [&shop, &sister]
    );
    assert!(own.iter().all(|b| b.mine && b.device == device(1)));
    assert_eq!((own[0].bound_at_ms, own[0].proved_at_ms), (NOW, NOW + 1000));
    assert_eq!(own[0].lease_until_ms, NOW + 1000 + LEASE_MS);
    assert_eq!(own[1].lease_until_ms, NOW + LEASE_MS);

    let of_shop = s.bindings_for(&shop, &device(2), NOW).await.unwrap();
    assert_eq!(
        of_shop.iter().map(|b| b.mine).collect::<Vec<_>>(),
        [false, true],
        "oldest first, the caller's own marked"
    );

    let later = NOW + LEASE_MS + 11;
    let living = s.bindings_for(&shop, &device(1), later).await.unwrap();
    assert_eq!(living.len(), 1, "the second one's lease is over");
    s.purge(later).await.unwrap();
    assert!(s.unbind(&shop, &device(1)).await.unwrap());
    assert!(!s.unbind(&shop, &device(1)).await.unwrap());
    assert!(!s.unbind(&shop, &device(2)).await.unwrap(), "purged");
    assert!(s.bindings_of(&device(1), later).await.unwrap().is_empty());
}

pub(in crate::storage) async fn receivers_are_right_after_every_change(s: &dyn Storage) {
    assert!(receivers(s, "1", NOW).await.is_empty());
    bind(s, 1, &page("1"), NOW).await;
    assert_eq!(receivers(s, "1", NOW).await, [device(1)]);
    bind(s, 2, &page("1"), NOW + 1).await;
    bind(s, 2, &page("2"), NOW + 1).await;
    assert_eq!(receivers(s, "1", NOW).await, [device(1), device(2)]);
    let found = s.receivers(&page("1"), NOW).await.unwrap();
    assert_eq!(found[0].device, keys(1));
    assert_eq!(found[0].lease_until_ms, NOW + LEASE_MS);

    assert_eq!(
        receivers(s, "1", NOW + LEASE_MS + 1).await,
        [device(2)],
        "a lease that is over counts no more, purged or not"
    );
    bind(s, 1, &page("1"), NOW + 10).await;
    assert_eq!(
        receivers(s, "1", NOW + LEASE_MS + 1).await.len(),
        2,
        "renewed"
    );
    s.unbind(&page("1"), &device(1)).await.unwrap();
    assert_eq!(receivers(s, "1", NOW).await, [device(2)]);
    s.unbind_user(Provider::Facebook, "owner").await.unwrap();
    assert!(receivers(s, "1", NOW).await.is_empty());
    assert!(receivers(s, "2", NOW).await.is_empty());
    bind(s, 1, &page("1"), NOW).await;
    s.purge(NOW + LEASE_MS + 1).await.unwrap();
    assert!(receivers(s, "1", NOW).await.is_empty());
}

pub(in crate::storage) async fn a_user_stands_for_all_accounts_bound_through_it(s: &dyn Storage) {
    bind(s, 1, &page("1"), NOW + 5).await;
    bind(s, 1, &page("2"), NOW + 7).await;
    bind(s, 2, &page("1"), NOW).await;
    let others = [page("1")];
    s.bind(&keys(3), Provider::Facebook, "else", &others, NOW)
        .await
        .unwrap();
    s.bind(&keys(4), Provider::Instagram, "owner", &others, NOW)
        .await
        .unwrap();
    let found = s
        .receivers_of_user(Provider::Facebook, "owner", NOW)
        .await
        .unwrap();
    assert_eq!(
        found.iter().map(|r| r.device).collect::<Vec<_>>(),
        [keys(2), keys(1)],
        "each once, oldest first"
    );
    assert_eq!(found[1].lease_until_ms, NOW + 7 + LEASE_MS, "the longest");
    let later = NOW + LEASE_MS + 1;
    let found = s
        .receivers_of_user(Provider::Facebook, "owner", later)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
}

pub(in crate::storage) async fn forgetting_a_user_leaves_others_and_the_streams(s: &dyn Storage) {
    bind(s, 1, &page("1"), NOW).await;
    let shared = [page("1")];
    s.bind(&keys(2), Provider::Facebook, "else", &shared, NOW)
        .await
        .unwrap();
    append(s, &device(1), "before").await;
    s.unbind_user(Provider::Facebook, "owner").await.unwrap();
    assert!(s.bindings_of(&device(1), NOW).await.unwrap().is_empty());
    assert_eq!(receivers(s, "1", NOW).await, [device(2)]);
    append(s, &device(1), "the notice").await;
    s.purge(NOW + MINUTE).await.unwrap();
    s.expire(NOW - DAY).await.unwrap();
    assert_eq!(
        told(&all_after(s, &device(1), 0).await),
        [(1, "before"), (2, "the notice")],
        "what it was told before it was forgotten it still gets"
    );
}

pub(in crate::storage) async fn silent_devices_are_unbound(s: &dyn Storage) {
    bind(s, 1, &page("1"), NOW).await;
    bind(s, 1, &page("2"), NOW).await;
    bind(s, 2, &page("1"), NOW + DAY).await;
    assert_eq!(s.unbind_silent(NOW).await.unwrap(), 0, "not before");
    assert_eq!(
        s.unbind_silent(NOW + 1).await.unwrap(),
        1,
        "one device, two accounts"
    );
    assert_eq!(receivers(s, "1", NOW).await, [device(2)]);
    assert!(receivers(s, "2", NOW).await.is_empty());
    assert_eq!(s.unbind_silent(NOW + 1).await.unwrap(), 0, "once");
}

pub(in crate::storage) async fn a_sign_of_life_counts(s: &dyn Storage) {
    bind(s, 1, &page("1"), NOW).await;
    s.seen(&device(1), NOW + 2 * DAY).await.unwrap();
    s.seen(&device(1), NOW + 2 * DAY + MINUTE).await.unwrap();
    s.seen(&device(9), NOW).await.unwrap();
    assert_eq!(s.unbind_silent(NOW + 2 * DAY).await.unwrap(), 0);
    s.seen(&device(1), NOW + 3 * DAY).await.unwrap();
    assert_eq!(s.unbind_silent(NOW + 3 * DAY).await.unwrap(), 0);
    s.seen(&device(1), NOW + DAY).await.unwrap();
    assert_eq!(
        s.unbind_silent(NOW + 3 * DAY).await.unwrap(),
        0,
        "an earlier sign takes nothing back"
    );
    assert_eq!(s.unbind_silent(NOW + 3 * DAY + 1).await.unwrap(), 1);
    assert!(
        s.bindings_of(&device(9), NOW).await.unwrap().is_empty(),
        "a sign of life binds nobody"
    );
}

pub(in crate::storage) async fn changes_are_told(s: &dyn Storage) {
    let mut changes = s.binding_changes();
    changes.mark_unchanged();
    bind(s, 1, &page("1"), NOW).await;
    changes.changed().await.unwrap();
    s.unbind(&page("1"), &device(1)).await.unwrap();
    changes.changed().await.unwrap();
    bind(s, 1, &page("1"), NOW).await;
    changes.changed().await.unwrap();
    s.unbind_user(Provider::Facebook, "owner").await.unwrap();
    changes.changed().await.unwrap();
    bind(s, 1, &page("1"), NOW).await;
    changes.changed().await.unwrap();
    s.unbind_silent(NOW + 1).await.unwrap();
    changes.changed().await.unwrap();
    bind(s, 1, &page("1"), NOW).await;
    changes.changed().await.unwrap();
    s.purge(NOW + LEASE_MS + 1).await.unwrap();
    changes.changed().await.unwrap();
}

pub(in crate::storage) async fn devices_without_a_binding_are_forgotten_in_the_end(
    s: &dyn Storage,
) {
    bind(s, 1, &page("1"), NOW).await;
    append(s, &device(1), "kept").await;
    s.unbind(&page("1"), &device(1)).await.unwrap();
    s.purge(NOW + LEASE_MS).await.unwrap();
    assert_eq!(s.expire(NOW - DAY).await.unwrap(), 0, "it may still fetch");
    s.purge(NOW + LEASE_MS + 1).await.unwrap();
    assert_eq!(s.expire(NOW - DAY).await.unwrap(), 1, "now it is gone");
    assert!(all_after(s, &device(1), 0).await.is_empty());
}

pub(in crate::storage) async fn changes_are_told_by_name_where_names_are_told(s: &dyn Storage) {
    let seen = *s.binding_changes().borrow();
    bind(s, 1, &page("1"), NOW).await;
    bind(s, 1, &page("2"), NOW).await;
    if let Some(accounts) = s.changed_accounts(seen) {
        assert_eq!(accounts, [page("1"), page("2")]);
    }
    let seen = *s.binding_changes().borrow();
    s.unbind(&page("2"), &device(1)).await.unwrap();
    if let Some(accounts) = s.changed_accounts(seen) {
        assert_eq!(accounts, [page("2")]);
    }
    let seen = *s.binding_changes().borrow();
    if let Some(accounts) = s.changed_accounts(seen) {
        assert!(accounts.is_empty());
    }
}
