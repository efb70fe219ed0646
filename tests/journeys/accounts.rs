//! Connected accounts: reconnecting, disconnecting, erasing, tokens that die.

use crate::world::{BAKERY, BAKERY_IG, BIKES, START_MS, World, from, working};
use serde_json::json;
use shopbell_core::api::types::{AccountState, AccountView, ErasePrepared};
use shopbell_sandbox::{Death, Size, TokenOrder};
use std::time::Duration;

#[tokio::test]
async fn reconnecting_finds_the_same_data_and_calls_an_erasure_off() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY, BAKERY_IG]).await;
    let before = world.account(BAKERY).await;
    let prepared: ErasePrepared = from(
        world
            .call("account_erase_prepare", json!({ "id": before.id }))
            .await,
    );
    let gone: AccountView = from(
        world
            .call(
                "account_disconnect",
                json!({ "id": before.id, "erase_token": prepared.token }),
            )
            .await,
    );
    assert_eq!(
        (gone.state, gone.erase_at_ms),
        (AccountState::Disconnected, Some(START_MS + 86_400_000))
    );
    let other = world.account(BAKERY_IG).await;
    assert!(
        working(&other),
        "the Instagram account of the same Page stays connected"
    );

    let started = world.start("facebook", "scheme").await;
    let chosen = world.finish(&world.link(&started).await).await;
    let known: Vec<&str> = chosen
        .found
        .iter()
        .filter(|a| a.known)
        .map(|a| a.platform_id.as_str())
        .collect();
    assert_eq!(known, [BAKERY, BAKERY_IG]);
    world.choose(chosen.id, &[BAKERY]).await;
    let back = world.account(BAKERY).await;
    assert_eq!(
        (back.id, back.erase_at_ms),
        (before.id, None),
        "the same row, nothing will be erased"
    );
    assert_ne!(back.state, AccountState::Disconnected);
    assert_eq!(world.accounts().await.len(), 2);
}

#[tokio::test]
async fn disconnecting_switches_events_off_and_forgets_the_tokens() {
    let mut world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY, BAKERY_IG]).await;
    let (page, instagram) = (world.account(BAKERY).await, world.account(BAKERY_IG).await);
    world
        .call("account_disconnect", json!({ "id": instagram.id }))
        .await;
    let page = world
        .call("account_check_subscription", json!({ "id": page.id }))
        .await;
    let page: AccountView = from(page);
    assert!(
        !page.subscribed_fields.is_empty(),
        "the Page still needs the subscription both shared"
    );
    let off: AccountView = from(
        world
            .call("account_disconnect", json!({ "id": page.id }))
            .await,
    );
    assert_eq!(
        (off.state, off.erase_at_ms),
        (AccountState::Disconnected, None)
    );
    assert!(off.subscribed_fields.is_empty());
    let deleted = world
        .meta()
        .journal()
        .iter()
        .filter(|entry| entry.method == "DELETE")
        .count();
    assert_eq!(deleted, 1, "unsubscribed once, with the last of the two");
    world.restart().await;
    let refused = world
        .try_call("account_check_subscription", json!({ "id": page.id }))
        .await
        .unwrap_err();
    assert_eq!(refused.code, "read_only");
    assert_eq!(world.accounts().await.len(), 2, "the data stays");
}

#[tokio::test]
async fn a_dead_token_does_not_hold_a_disconnect_up() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY]).await;
    world.meta().tokens(&TokenOrder {
        which: "all".into(),
        death: Some(Death::Revoked),
        ..TokenOrder::default()
    });
    let account = world.account(BAKERY).await;
    let off: AccountView = from(
        world
            .call("account_disconnect", json!({ "id": account.id }))
            .await,
    );
    assert_eq!(off.state, AccountState::Disconnected);
}

#[tokio::test]
async fn an_erasure_waits_a_day_and_can_be_called_off_until_then() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY, BIKES]).await;
    let account = world.account(BAKERY).await;
    let refused = world
        .try_call(
            "account_disconnect",
            json!({ "id": account.id, "erase_token": "guessed" }),
        )
        .await
        .unwrap_err();
    assert_eq!(refused.code, "confirm_needed");
    let prepare = async || -> String {
        let prepared: ErasePrepared = from(
            world
                .call("account_erase_prepare", json!({ "id": account.id }))
                .await,
        );
        prepared.token
    };
    let token = prepare().await;
    world
        .call(
            "account_disconnect",
            json!({ "id": account.id, "erase_token": token }),
        )
        .await;
    let kept: AccountView = from(
        world
            .call("account_erase_undo", json!({ "id": account.id }))
            .await,
    );
    assert_eq!(
        (kept.state, kept.erase_at_ms),
        (AccountState::Disconnected, None)
    );
    world.advance(Duration::from_secs(25 * 3_600));
    assert_eq!(world.accounts().await.len(), 2);

    let token = prepare().await;
    world
        .call(
            "account_disconnect",
            json!({ "id": account.id, "erase_token": token }),
        )
        .await;
    world.advance(Duration::from_secs(24 * 3_600));
    world
        .until(async |world| world.accounts().await.len() == 1)
        .await;
    assert_eq!(world.accounts().await[0].platform_id, BIKES);
}

#[tokio::test]
async fn an_expired_page_token_is_replaced_with_the_living_user_token() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY]).await;
    let account = world.account(BAKERY).await;
    world.meta().tokens(&TokenOrder {
        which: "page".into(),
        death: Some(Death::Expired),
        ..TokenOrder::default()
    });
    world
        .call("account_check_subscription", json!({ "id": account.id }))
        .await;
    assert_ne!(
        world.account(BAKERY).await.state,
        AccountState::ReconnectNow
    );
    let checked: AccountView = from(
        world
            .call("account_check_subscription", json!({ "id": account.id }))
            .await,
    );
    assert!(!checked.subscribed_fields.is_empty());
    let health = world.call("health_get", json!({})).await;
    let kinds: Vec<&str> = health["token_events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"refreshed"), "{kinds:?}");
}

#[tokio::test]
async fn a_changed_password_signs_out_and_says_so() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY]).await;
    let account = world.account(BAKERY).await;
    world.meta().tokens(&TokenOrder {
        which: "all".into(),
        death: Some(Death::PasswordChanged),
        ..TokenOrder::default()
    });
    let _ = world
        .try_call("account_check_subscription", json!({ "id": account.id }))
        .await;
    let account = world.account(BAKERY).await;
    assert_eq!(account.state, AccountState::ReconnectNow);
    assert_eq!(account.reason.unwrap().code, "password_changed");
    // Reconnecting helps.
    world.connect("facebook", &[BAKERY]).await;
    assert!(working(&world.account(BAKERY).await));
}
