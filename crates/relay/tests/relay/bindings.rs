//! Leases: renewed by a working token, removed by their own device or by anybody with a working token.

use reqwest::StatusCode;
use serde_json::json;
use shopbell_wire::*;

use super::{harness::*, meta::*};

fn page(token: &str) -> ShowToken {
    ShowToken {
        account: AccountRef {
            kind: AccountKind::Page,
            platform_id: "1001".into(),
        },
        provider: Provider::Facebook,
        token: Secret::new(token),
    }
}

async fn own(device: &Device) -> Vec<Binding> {
    ok::<BindingList>(device.get(paths::BINDINGS).await)
        .await
        .bindings
}

#[tokio::test]
async fn a_lease_runs_thirty_days_and_is_renewed_by_a_token() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    world.pass(LEASE_MS - 1000);
    let list: BindingList = ok(world
        .device
        .post_json(paths::BINDINGS_RENEW, &page(PAGE_TOKEN))
        .await)
    .await;
    assert_eq!(list.bindings.len(), 1);
    assert_eq!(
        (list.bindings[0].bound_at_ms, list.bindings[0].proved_at_ms),
        (NOW, NOW + LEASE_MS - 1000)
    );
    world.pass(1001);
    world.relay.purge_now().await.unwrap();
    let left = own(&world.device).await;
    assert_eq!(left.len(), 1, "the renewed one lives, the others ran out");
    assert_eq!(left[0].account.platform_id, "1001");
    world.pass(2 * LEASE_MS);
    assert_eq!(own(&world.device).await, []);
    ok::<BindingList>(
        world
            .device
            .post_json(paths::BINDINGS_RENEW, &page(PAGE_TOKEN))
            .await,
    )
    .await;
    assert_eq!(own(&world.device).await.len(), 1, "bound anew");
}

#[tokio::test]
async fn instagram_accounts_are_shown_through_either_login() {
    let world = World::new().await;
    let account = AccountRef {
        kind: AccountKind::Instagram,
        platform_id: IG_ID.into(),
    };
    for (provider, token) in [
        (Provider::Facebook, PAGE_TOKEN),
        (Provider::Instagram, IG_LONG),
    ] {
        let shown = ShowToken {
            account: account.clone(),
            provider,
            token: Secret::new(token),
        };
        let list: BindingList =
            ok(world.device.post_json(paths::BINDINGS_RENEW, &shown).await).await;
        assert_eq!(list.bindings[0].provider, provider);
    }
    assert_eq!(own(&world.device).await.len(), 1);
}

#[tokio::test]
async fn a_token_opens_its_own_account_only() {
    let world = World::new().await;
    let show = async |shown: &ShowToken| {
        refused(world.device.post_json(paths::BINDINGS_RENEW, shown).await).await
    };
    let mut other = page(PAGE_TOKEN);
    other.account.platform_id = "9999".into();
    assert_eq!(show(&other).await, Refusal::TokenOtherAccount);
    other.account.kind = AccountKind::Instagram;
    assert_eq!(show(&other).await, Refusal::TokenOtherAccount);
    assert_eq!(
        show(&page(LONG)).await,
        Refusal::TokenOtherAccount,
        "a user token names no account"
    );
    assert_eq!(
        show(&page("EAAdeadTokenOfSomebody")).await,
        Refusal::TokenInvalid
    );
    let insta = ShowToken {
        provider: Provider::Instagram,
        ..page(IG_LONG)
    };
    assert_eq!(show(&insta).await, Refusal::TokenOtherAccount);
    world.meta.once(
        FB_DEBUG,
        200,
        json!({"data": {"is_valid": false, "error": {"code": 190, "subcode": 463}}}),
    );
    assert_eq!(show(&page(PAGE_TOKEN)).await, Refusal::TokenExpired);
    assert_eq!(own(&world.device).await, []);
}

#[tokio::test]
async fn a_device_without_a_token_sees_and_removes_only_itself() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    let shop = world.device(2);
    ok::<BindingList>(
        shop.post_json(paths::BINDINGS_RENEW, &page(PAGE_TOKEN))
            .await,
    )
    .await;
    let seen = own(&shop).await;
    assert_eq!(seen.len(), 1);
    assert!(seen[0].mine);
    let path = format!("{}/page/1001", paths::BINDINGS);
    assert_eq!(
        refused(world.device(3).delete(&path).await).await,
        Refusal::NotBound
    );
    assert_eq!(shop.delete(&path).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(refused(shop.delete(&path).await).await, Refusal::NotBound);
    assert_eq!(
        refused(
            shop.delete(&format!("{}/telegram/1", paths::BINDINGS))
                .await
        )
        .await,
        Refusal::NotFound
    );
    assert_eq!(own(&world.device).await.len(), 3, "nobody else was touched");
}

#[tokio::test]
async fn with_a_working_token_another_device_is_removed() {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    world.pass(1);
    let shop = world.device(2);
    let list: BindingList = ok(shop
        .post_json(paths::BINDINGS_RENEW, &page(PAGE_TOKEN))
        .await)
    .await;
    assert_eq!(
        list.bindings.iter().map(|b| b.mine).collect::<Vec<_>>(),
        [false, true]
    );

    let remove = |token: &str| RemoveBinding {
        shown: page(token),
        device: world.device.keys.thumbprint(),
    };
    let answer = shop
        .post_json(paths::BINDINGS_REMOVE, &remove("EAAdeadTokenOfSomebody"))
        .await;
    assert_eq!(refused(answer).await, Refusal::TokenInvalid);
    assert_eq!(own(&world.device).await.len(), 3);
    let list: BindingList = ok(shop
        .post_json(paths::BINDINGS_REMOVE, &remove(PAGE_TOKEN))
        .await)
    .await;
    assert_eq!(list.bindings.len(), 1);
    assert_eq!(own(&world.device).await.len(), 2);
    assert_eq!(
        refused(
            shop.post_json(paths::BINDINGS_REMOVE, &remove(PAGE_TOKEN))
                .await
        )
        .await,
        Refusal::NotBound
    );
}
