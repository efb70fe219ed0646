//! How connections end, and what follows.

use super::{Scene, double::state};
use crate::{
    api::types::{RelayState, RelayStatus},
    events::testing::EPOCH,
    relay_client::stream::reconnect,
};
use shopbell_wire::{CloseReason, DEAD_MS, RelayMessage, paths};
use std::time::Duration;

fn stopped(now: &RelayStatus) -> bool {
    now.state == RelayState::Stopped
}

#[tokio::test]
async fn who_was_replaced_stays_away_until_the_owner_says_so() {
    for (reason, code) in [
        (CloseReason::Replaced, "replaced"),
        (CloseReason::Upgrade, "upgrade"),
    ] {
        let mut scene = Scene::open().await;
        scene.relay.ready().await.close(reason).await;
        let now = scene.until(stopped).await;
        assert_eq!(now.reason.unwrap().code, code);
        scene.shop.opened.clock.advance(Duration::from_secs(86_400));
        super::super::slept(scene.profile());
        assert!(scene.relay.is_left_alone());
        reconnect(scene.profile());
        let peer = scene.relay.ready().await;
        scene.until(|now| now.state == RelayState::Live).await;
        drop(peer);
        scene.close().await;
    }
}

#[tokio::test]
async fn what_came_before_the_end_is_taken_in_and_the_end_keeps_its_reason() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1", "m_2"]);
    let mut peer = scene.relay.ready().await;
    scene.until(|now| now.state == RelayState::Live).await;
    peer.deliver(&[(0, 1, &events[0]), (1, 2, &events[1])])
        .await;
    peer.close(CloseReason::Replaced).await;
    let now = scene.until(stopped).await;
    assert_eq!(now.reason.unwrap().code, "replaced");
    assert_eq!(now.committed, 2);
    assert_eq!(scene.mids().await, ["m_1", "m_2"]);
    reconnect(scene.profile());
    let (_, hello) = scene.relay.greeted().await;
    assert_eq!(hello.offset, 2, "the hello acknowledges it");
    scene.close().await;
}

#[tokio::test]
async fn a_relay_that_does_not_know_this_computer_is_shown_the_tokens_once() {
    let mut scene = Scene::open().await;
    let (peer, _) = scene.relay.greeted().await;
    peer.close(CloseReason::Unauthorised).await;
    let (peer, _) = scene.relay.greeted().await;
    let calls = scene.relay.calls.lock().unwrap().clone();
    assert_eq!(calls.len(), 2, "one for each account: {calls:?}");
    for (call, id) in calls.iter().zip(["1001", "2002"]) {
        assert!(call.starts_with(&format!("POST {} ", paths::BINDINGS_RENEW)));
        assert!(call.contains(id) && call.contains("page-token"));
    }
    peer.close(CloseReason::Unauthorised).await;
    assert_eq!(scene.until_waiting().await, "unauthorised");
    assert!(scene.relay.is_left_alone());
    // An account was connected meanwhile: no need to wait.
    scene
        .profile()
        .parts
        .changes
        .send(crate::api::types::Change::Accounts);
    let peer = scene.relay.ready().await;
    scene.until(|now| now.state == RelayState::Live).await;
    drop(peer);
    scene.close().await;
}

#[tokio::test]
async fn every_other_close_is_tried_again_after_a_pause() {
    for (reason, code) in [
        (CloseReason::GoingAway, "relay_restarts"),
        (CloseReason::TooMany, "relay_busy"),
        (CloseReason::Protocol, "relay_confused"),
    ] {
        let mut scene = Scene::open().await;
        scene.relay.ready().await.close(reason).await;
        assert_eq!(scene.until_waiting().await, code);
        assert!(scene.relay.is_left_alone());
        scene.pause_is_over().await;
        let peer = scene.relay.ready().await;
        drop(peer);
        scene.close().await;
    }
}

#[tokio::test]
async fn a_relay_that_falls_silent_is_left_after_fifteen_seconds() {
    let mut scene = Scene::open().await;
    let clock = scene.shop.opened.clock.clone();
    let mut peer = scene.relay.ready().await;
    scene.until(|now| now.state == RelayState::Live).await;
    for _ in 0..5 {
        clock.advance(Duration::from_millis(DEAD_MS - 1));
        peer.ping().await;
    }
    assert_eq!(scene.until(|_| true).await.state, RelayState::Live);
    clock.advance(Duration::from_millis(DEAD_MS));
    peer.until_left().await;
    assert_eq!(scene.until_waiting().await, "relay_silent");
    scene.close().await;
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_that_before_the_stream_is_ready_either() {
    let mut scene = Scene::open().await;
    let clock = scene.shop.opened.clock.clone();
    let socket = scene.relay.socket().await;
    clock.until_waiting(1).await;
    clock.advance(Duration::from_millis(DEAD_MS));
    assert_eq!(scene.until_waiting().await, "relay_unreachable");
    drop(socket);
    scene.pause_is_over().await;
    let (peer, _) = scene.relay.greeted().await;
    clock.until_waiting(1).await;
    clock.advance(Duration::from_millis(DEAD_MS));
    assert_eq!(scene.until_waiting().await, "relay_silent");
    drop(peer);
    scene.close().await;
}

#[tokio::test]
async fn an_owner_in_a_hurry_does_not_wait_for_the_pause() {
    let mut scene = Scene::open().await;
    drop(scene.relay.ready().await);
    scene.until_waiting().await;
    reconnect(scene.profile());
    let peer = scene.relay.ready().await;
    drop(peer);
    scene.close().await;
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_not_acknowledged_and_tried_again() {
    let mut scene = Scene::open().await;
    scene
        .shop
        .tamper("CREATE TRIGGER no_room BEFORE INSERT ON raw_events BEGIN SELECT RAISE(ABORT, 'no room'); END")
        .await;
    let events = scene.events(&["m_1"]);
    let mut peer = scene.relay.ready().await;
    peer.deliver(&[(0, 1, &events[0])]).await;
    assert_eq!(peer.hears().await, None, "not a word about it");
    assert_eq!(scene.until_waiting().await, "internal");
    scene.shop.tamper("DROP TRIGGER no_room").await;
    scene.pause_is_over().await;
    let (mut peer, hello) = scene.relay.greeted().await;
    assert_eq!(hello.offset, 0);
    peer.say(&RelayMessage::Ready(state(EPOCH, 1, 1))).await;
    peer.deliver(&[(0, 1, &events[0])]).await;
    assert_eq!(peer.ack().await, 1);
    assert_eq!(scene.mids().await, ["m_1"]);
    scene.close().await;
}
