//! Tokens over time: lost answers, renewals by themselves, expiry, what never stands in an address.

use crate::world::{BAKERY, BIKES, World, from};
use serde_json::json;
use shopbell_core::api::types::{AccountState, AccountView, SignInStep};
use shopbell_sandbox::{Config, Death, Size, Switches, TokenOrder};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// How often the platform was asked to exchange a code.
fn exchanges(world: &World) -> usize {
    let journal = world.meta().journal();
    journal
        .iter()
        .filter(|entry| {
            entry.params.iter().any(|(name, _)| name == "code")
                && entry.path.contains("access_token")
        })
        .count()
}

async fn story(world: &World) -> Vec<String> {
    let health = world.call("health_get", json!({})).await;
    let events = health["token_events"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_answer_lost_once_is_not_even_noticed() {
    let world = World::new(Size::Empty).await;
    let started = world.start("facebook", "scheme").await;
    let link = world.link(&started).await;
    world.line.lose(1);
    let chosen = world.finish(&link).await;
    assert_eq!(chosen.step, SignInStep::Choosing, "{:?}", chosen.refusal);
    assert_eq!(
        exchanges(&world),
        1,
        "the relay repeats its answer, it does not exchange again"
    );
}

#[tokio::test]
async fn an_answer_lost_for_good_is_fetched_after_a_restart() {
    let mut world = World::new(Size::Empty).await;
    let started = world.start("facebook", "scheme").await;
    let link = world.link(&started).await;
    world.line.lose(2);
    let told = world.finish(&link).await;
    assert_eq!(told.step, SignInStep::Exchanging);
    assert_eq!(told.refusal.unwrap().code, "relay_unreachable");
    world.restart().await;
    world
        .until(async |world| world.current().await.unwrap().step != SignInStep::Exchanging)
        .await;
    let chosen = world.current().await.unwrap();
    assert_eq!(chosen.step, SignInStep::Choosing, "{:?}", chosen.refusal);
    assert_eq!(exchanges(&world), 1);
}

#[tokio::test]
async fn a_relay_that_is_gone_is_waited_for_and_then_named() {
    let world = World::new(Size::Empty).await;
    for comes_back in [true, false] {
        let started = world.start("instagram", "scheme").await;
        let link = world.link(&started).await;
        world.line.cut(true);
        let told = world.finish(&link).await;
        assert_eq!(
            (told.step, told.refusal.unwrap().code.as_str()),
            (SignInStep::Exchanging, "relay_unreachable")
        );
        world.line.cut(!comes_back);
        world.advance(if comes_back {
            Duration::from_secs(20)
        } else {
            Duration::from_secs(330)
        });
        world
            .until(async |world| world.current().await.unwrap().step != SignInStep::Exchanging)
            .await;
        let end = world.current().await.unwrap();
        if comes_back {
            assert_eq!(end.step, SignInStep::Choosing, "{:?}", end.refusal);
        } else {
            assert_eq!(
                (end.step, end.refusal.unwrap().code.as_str()),
                (SignInStep::Refused, "relay_unreachable")
            );
        }
        world.line.cut(false);
    }
}

#[tokio::test]
async fn an_instagram_token_renews_itself_long_before_it_ends() {
    let mut world = World::new(Size::Empty).await;
    let started = world.start("instagram", "scheme").await;
    let chosen = world.finish(&world.link(&started).await).await;
    let id = chosen.found[0].platform_id.clone();
    world.choose(chosen.id, &[&id]).await;
    let first = world.account(&id).await.token_expires_at_ms.unwrap();
    world.advance(20 * DAY);
    world.restart().await;
    world
        .until(async |world| world.account(&id).await.token_expires_at_ms != Some(first))
        .await;
    let account = world.account(&id).await;
    assert_eq!(
        account.token_expires_at_ms.unwrap() - first,
        20 * 86_400_000
    );
    assert_eq!(story(&world).await[0], "refreshed");
    // The new one works, with its own proof.
    world
        .meta()
        .set_switches(|switches| switches.require_appsecret_proof = true);
    let checked: AccountView = from(
        world
            .call("account_check_subscription", json!({ "id": account.id }))
            .await,
    );
    assert!(!checked.subscribed_fields.is_empty());
    // Sixty days without the program: the owner has to sign in again, and reads so.
    world.advance(61 * DAY);
    world.restart().await;
    world
        .until(async |world| world.account(&id).await.state == AccountState::ReconnectNow)
        .await;
    assert_eq!(
        world.account(&id).await.reason.unwrap().code,
        "token_expired"
    );
}

#[tokio::test]
async fn a_facebook_sign_in_is_exchanged_in_its_last_month_and_a_refused_extension_is_no_success() {
    for (renews, expected) in [(true, "refreshed"), (false, "refresh_failed")] {
        let switches = Switches {
            fb_exchange_renews: renews,
            ..Switches::default()
        };
        let mut world = World::with(Config {
            size: Size::Empty,
            switches,
            ..Config::default()
        })
        .await;
        world.connect("facebook", &[BIKES]).await;
        world.advance(35 * DAY);
        world.restart().await;
        world
            .until(async |world| story(world).await.iter().any(|kind| kind == "refreshed"))
            .await;
        assert_eq!(story(&world).await[0], expected);
    }
}

#[tokio::test]
async fn when_the_user_token_is_dead_too_the_owner_is_asked() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY]).await;
    let account = world.account(BAKERY).await;
    world.meta().tokens(&TokenOrder {
        which: "all".into(),
        death: Some(Death::Expired),
        ..TokenOrder::default()
    });
    let _ = world
        .try_call("account_check_subscription", json!({ "id": account.id }))
        .await;
    let account = world.account(BAKERY).await;
    assert_eq!(account.state, AccountState::ReconnectNow);
    assert_eq!(account.reason.unwrap().code, "token_expired");
    let story = story(&world).await;
    assert!(
        story.contains(&"expired".to_owned()) && story.contains(&"refresh_failed".to_owned()),
        "{story:?}"
    );
}

#[tokio::test]
async fn a_page_role_taken_away_is_named() {
    let world = World::new(Size::Empty).await;
    world.connect("facebook", &[BAKERY]).await;
    let account = world.account(BAKERY).await;
    world.meta().tokens(&TokenOrder {
        which: "page".into(),
        death: Some(Death::RoleLost),
        ..TokenOrder::default()
    });
    let _ = world
        .try_call("account_check_subscription", json!({ "id": account.id }))
        .await;
    let account = world.account(BAKERY).await;
    assert_eq!(
        (account.state, account.reason.unwrap().code.as_str()),
        (AccountState::ReconnectNow, "role_lost")
    );
}

#[tokio::test]
async fn no_token_ever_stands_in_an_address() {
    let world = World::new(Size::Small).await;
    world.connect("facebook", &[BAKERY]).await;
    world
        .until(async |world| world.account(BAKERY).await.picture.is_some())
        .await;
    let journal = world.meta().journal();
    let ours: Vec<_> = journal
        .iter()
        .filter(|entry| {
            ["subscribed_apps", "conversations", "messages"]
                .iter()
                .any(|edge| entry.path.ends_with(edge))
        })
        .collect();
    assert!(ours.len() >= 3);
    for entry in ours {
        assert!(entry.bearer, "{} {}", entry.method, entry.path);
        assert!(
            entry.params.iter().all(|(name, _)| name != "access_token"),
            "{}",
            entry.path
        );
        assert!(
            entry
                .params
                .iter()
                .any(|(name, _)| name == "appsecret_proof"),
            "{}",
            entry.path
        );
    }
}
