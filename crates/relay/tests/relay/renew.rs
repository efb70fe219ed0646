//! `grant_type=refresh_token`: only a living Facebook user token, and only a later end is a success (T2).

use serde_json::json;
use shopbell_wire::*;

use super::{harness::*, meta::*};

fn form(token: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT_ID),
        ("refresh_token", token),
    ]
}

async fn renew(world: &World, token: &str) -> Grant {
    let answer: TokenAnswer = ok(world.device.post_form(&form(token)).await).await;
    answer.envelope().unwrap().open(&world.device.keys).unwrap()
}

#[tokio::test]
async fn a_living_token_gets_a_later_end_and_fresh_page_tokens() {
    let world = World::new().await;
    let grant = renew(&world, LONG).await;
    assert_eq!(grant.user_token.as_ref().unwrap().token.expose(), LONGER);
    let ends = |days: i64| Some((NOW / 1000 + days * DAY) * 1000);
    let renewal = Renewal {
        old_expires_at_ms: ends(60),
        new_expires_at_ms: ends(75),
        extended: true,
    };
    assert_eq!(grant.renewal, Some(renewal));
    assert_eq!(grant.accounts[0].token.expose(), PAGE_TOKEN);
    let bound: BindingList = ok(world.device.get(paths::BINDINGS).await).await;
    assert_eq!(bound.bindings.len(), 3, "a working token renews the leases");
}

#[tokio::test]
async fn the_same_end_is_not_a_success() {
    let world = World::new().await;
    world.meta.fixed(
        FB_TOKEN,
        200,
        json!({"access_token": LONG, "expires_in": 60 * DAY}),
    );
    let renewal = renew(&world, LONG).await.renewal.unwrap();
    assert!(!renewal.extended);
    assert_eq!(renewal.old_expires_at_ms, renewal.new_expires_at_ms);
}

#[tokio::test]
async fn a_token_without_an_end_is_left_alone() {
    let world = World::new().await;
    world.meta.fixed(FB_DEBUG, 200, json!({"data": {"app_id": "138", "is_valid": true, "type": "USER", "user_id": "1", "expires_at": 0}}));
    let grant = renew(&world, LONG).await;
    assert_eq!(
        grant.renewal,
        Some(Renewal {
            old_expires_at_ms: None,
            new_expires_at_ms: None,
            extended: true
        })
    );
    assert_eq!(world.meta.asked(FB_TOKEN).len(), 0);
}

#[tokio::test]
async fn dead_foreign_and_other_tokens_are_refused_without_an_exchange() {
    let world = World::new().await;
    let debug = |data: serde_json::Value| (200, json!({ "data": data }));
    let dead = |sub: i64| {
        debug(
            json!({"is_valid": false, "app_id": "138", "error": {"code": 190, "subcode": sub, "message": "m"}}),
        )
    };
    let over = NOW / 1000 - 5;
    for ((status, body), refusal) in [
        (dead(463), Refusal::TokenExpired),
        (dead(460), Refusal::TokenInvalid),
        (
            debug(json!({"is_valid": false, "app_id": "138", "expires_at": over})),
            Refusal::TokenExpired,
        ),
        (
            debug(json!({"is_valid": true, "app_id": "999", "type": "USER"})),
            Refusal::TokenInvalid,
        ),
        (
            debug(json!({"is_valid": true, "app_id": "138", "type": "PAGE", "profile_id": "1"})),
            Refusal::TokenInvalid,
        ),
    ] {
        world.meta.once(FB_DEBUG, status, body);
        assert_eq!(
            refused(world.device.post_form(&form(LONG)).await).await,
            refusal
        );
    }
    let calls = world.meta.calls();
    assert_eq!(
        refused(world.device.post_form(&form("{\"object\":\"page\"}")).await).await,
        Refusal::TokenInvalid
    );
    assert_eq!(world.meta.calls(), calls, "not even shown to Meta");
    assert_eq!(world.meta.asked(FB_TOKEN).len(), 0);
    let bound: BindingList = ok(world.device.get(paths::BINDINGS).await).await;
    assert_eq!(bound.bindings, []);
}
