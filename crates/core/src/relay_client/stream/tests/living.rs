//! A connection that works: taken in, then acknowledged; gone on with where it ended.

use super::{
    Scene,
    double::{RELAY_NOW, answering, state},
};
use crate::{
    accounts::{disconnect, testing},
    api::types::RelayState,
    events::testing::{EPOCH, FATES},
    relay_client::stream::{AnswerHere, answer_here, network_back, slept},
    sync::{self, Link, testing::FakeRemote},
};
use shopbell_wire::{
    AccountKind, AccountRef, DeviceMessage, EventKind, GapReason, RelayMessage, WINDOW_EVENTS,
};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn a_message_is_committed_before_it_is_acknowledged() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1", "m_2", "m_3"]);
    let (mut peer, hello) = scene.relay.greeted().await;
    assert_eq!((hello.epoch, hello.offset), (None, 0));
    peer.say(&RelayMessage::Ready(state(EPOCH, 1, 3))).await;
    let behind = scene.until(|now| now.behind == 3).await;
    assert_eq!(behind.state, RelayState::CatchingUp);
    assert_eq!(scene.profile().sync.link(), Link::Settling);
    peer.deliver(&[(0, 1, &events[0]), (1, 2, &events[1]), (2, 3, &events[2])])
        .await;
    assert_eq!(peer.ack().await, 3);
    assert_eq!(scene.mids().await, ["m_1", "m_2", "m_3"]);
    let now = scene.until(|now| now.state == RelayState::Live).await;
    assert_eq!((now.committed, now.behind), (3, 0));
    assert_eq!(now.epoch.as_deref(), Some(EPOCH));
    assert_eq!(
        now.clock_offset_ms,
        Some(RELAY_NOW - scene.profile().now_ms())
    );
    assert_eq!(scene.profile().sync.link(), Link::Live);
    scene.close().await;
}

#[tokio::test]
async fn acknowledgements_keep_their_distance_until_the_window_fills() {
    let mut scene = Scene::open().await;
    let clock = scene.shop.opened.clock.clone();
    let mut peer = scene.relay.ready().await;
    let events = scene.events(&["m_1", "m_2", "m_3"]);
    peer.deliver(&[(0, 1, &events[0])]).await;
    assert_eq!(peer.ack().await, 1, "the first at once");
    peer.deliver(&[(1, 2, &events[1])]).await;
    scene.until(|now| now.committed == 2).await;
    peer.deliver(&[(2, 3, &events[2])]).await;
    scene.until(|now| now.committed == 3).await;
    clock.advance(Duration::from_millis(199));
    // Its answer comes in the order of what it says: no acknowledgement was on the way.
    let mut heard = Box::pin(peer.ack());
    assert!(futures_util::poll!(&mut heard).is_pending());
    clock.advance(Duration::from_millis(1));
    assert_eq!(heard.await, 3, "one for both");

    // A relay that keeps to its window sends no more until it hears: then time must not matter.
    let events: Vec<Vec<u8>> = (0..2 * WINDOW_EVENTS)
        .map(|_| {
            scene
                .shop
                .sealing
                .event(EventKind(77), "weather/sun", b"shine")
        })
        .collect();
    let (mut sent, mut acked) = (3, 3);
    while acked < 3 + events.len() as u64 - WINDOW_EVENTS as u64 / 4 {
        while sent - acked < WINDOW_EVENTS as u64 && sent - 3 < events.len() as u64 {
            let event = &events[usize::try_from(sent - 3).unwrap()];
            peer.deliver(&[(sent, sent + 1, event)]).await;
            sent += 1;
        }
        acked = peer.ack().await;
    }
    scene.close().await;
}

#[tokio::test]
async fn after_a_break_it_goes_on_where_it_was_and_takes_nothing_in_twice() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1", "m_2", "m_3"]);
    let mut peer = scene.relay.ready().await;
    peer.deliver(&[(0, 1, &events[0]), (1, 2, &events[1])])
        .await;
    assert_eq!(peer.ack().await, 2);
    drop(peer);
    assert_eq!(scene.until_waiting().await, "relay_closed");
    assert_eq!(scene.profile().sync.link(), Link::Off);
    scene.pause_is_over().await;
    let (mut peer, hello) = scene.relay.greeted().await;
    assert_eq!((hello.epoch.as_deref(), hello.offset), (Some(EPOCH), 2));
    peer.say(&RelayMessage::Ready(state(EPOCH, 1, 3))).await;
    // It did not hear the last acknowledgement.
    peer.deliver(&[(0, 1, &events[0]), (1, 2, &events[1]), (2, 3, &events[2])])
        .await;
    assert_eq!(peer.ack().await, 3);
    assert_eq!(scene.mids().await, ["m_1", "m_2", "m_3"]);
    assert_eq!(scene.shop.look(FATES).await, ["done -"; 3]);
    scene.close().await;
}

#[tokio::test]
async fn another_storage_begins_its_offsets_anew_and_the_gap_is_shown() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1", "m_2", "m_3", "m_4"]);
    let mut peer = scene.relay.ready().await;
    peer.deliver(&[(0, 1, &events[0]), (1, 2, &events[1])])
        .await;
    assert_eq!(peer.ack().await, 2);
    drop(peer);
    scene.pause_is_over().await;
    let (mut peer, _) = scene.relay.greeted().await;
    peer.say(&RelayMessage::Gap {
        reason: GapReason::EpochChanged,
        resume_after: 0,
        state: state("0b0b", 1, 1),
    })
    .await;
    peer.deliver(&[(0, 1, &events[2])]).await;
    assert_eq!(peer.ack().await, 1);
    let now = scene.until(|now| now.state == RelayState::Live).await;
    assert_eq!(now.gap.unwrap().reason.code, "epoch_changed");
    assert_eq!(
        scene
            .shop
            .look("SELECT name FROM jobs WHERE name LIKE 'check-subscription%' ORDER BY name")
            .await
            .len(),
        2,
        "Meta may have switched events off"
    );
    // The same storage, which lost its newest event in a power cut and gives the offset out again.
    drop(peer);
    scene.pause_is_over().await;
    let (mut peer, hello) = scene.relay.greeted().await;
    assert_eq!((hello.epoch.as_deref(), hello.offset), (Some("0b0b"), 1));
    peer.say(&RelayMessage::Gap {
        reason: GapReason::EpochChanged,
        resume_after: 0,
        state: state("0b0b", 1, 1),
    })
    .await;
    peer.deliver(&[(0, 1, &events[3])]).await;
    assert_eq!(peer.ack().await, 1);
    assert_eq!(scene.mids().await, ["m_1", "m_2", "m_3", "m_4"]);
    assert_eq!(
        scene
            .shop
            .look("SELECT stream || ' ' || stream_offset FROM raw_events ORDER BY id")
            .await,
        ["0a0a 1", "0a0a 2", "0b0b 1", "0b0b/1 1"]
    );
    scene.close().await;
}

#[tokio::test]
async fn a_gap_in_the_middle_is_taken_in_its_place() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1", "m_9"]);
    let mut peer = scene.relay.ready().await;
    peer.deliver(&[(0, 1, &events[0])]).await;
    peer.say(&RelayMessage::Gap {
        reason: GapReason::Expired,
        resume_after: 8,
        state: state(EPOCH, 9, 9),
    })
    .await;
    peer.deliver(&[(8, 9, &events[1])]).await;
    scene.acknowledged(&mut peer, 9).await;
    assert_eq!(scene.mids().await, ["m_1", "m_9"]);
    let now = scene.until(|now| now.committed == 9).await;
    assert_eq!(now.gap.unwrap().reason.code, "expired");
    scene.close().await;
}

#[tokio::test]
async fn a_relay_that_was_away_has_subscriptions_read_back_once() {
    let mut scene = Scene::open().await;
    let (mut peer, _) = scene.relay.greeted().await;
    let mut away = state(EPOCH, 1, 0);
    away.outage = Some((1_000, 9_000));
    peer.say(&RelayMessage::Ready(away.clone())).await;
    let now = scene.until(|now| now.outage.is_some()).await;
    assert_eq!(
        now.outage.map(|away| (away.from_ms, away.to_ms)),
        Some((1_000, 9_000))
    );
    scene.shop.tamper("DELETE FROM jobs").await;
    drop(peer);
    scene.pause_is_over().await;
    let (mut peer, _) = scene.relay.greeted().await;
    peer.say(&RelayMessage::Ready(away)).await;
    scene.until(|now| now.state == RelayState::Live).await;
    assert!(
        scene
            .shop
            .look("SELECT name FROM jobs WHERE name LIKE 'check-subscription%'")
            .await
            .is_empty(),
        "the same outage is old news"
    );
    scene.close().await;
}

#[tokio::test]
async fn the_relays_word_on_who_answers_is_kept_and_the_owners_wish_is_passed_on() {
    let mut scene = Scene::open().await;
    let account = AccountRef {
        kind: AccountKind::Page,
        platform_id: "1001".into(),
    };
    assert_eq!(
        answer_here(scene.profile(), scene.shop.bakery)
            .await
            .unwrap(),
        AnswerHere::NotConnected
    );
    let (mut peer, hello) = scene.relay.greeted().await;
    peer.say(&RelayMessage::Ready(state(EPOCH, 1, 0))).await;
    peer.say(&answering(account.clone(), &hello, false, 3))
        .await;
    let view = async || {
        testing::view(scene.profile(), scene.shop.bakery)
            .await
            .answering
    };
    let mut changes = scene.profile().parts.changes.listen();
    while view().await.is_none() {
        let _ = changes.recv().await;
    }
    assert!(!view().await.unwrap().here);
    scene.until(|now| now.state == RelayState::Live).await;
    assert_eq!(
        answer_here(scene.profile(), scene.shop.bakery)
            .await
            .unwrap(),
        AnswerHere::Asked
    );
    assert_eq!(
        peer.hears().await,
        Some(DeviceMessage::AnswerHere {
            account: account.clone()
        })
    );
    peer.say(&answering(account, &hello, true, 4)).await;
    while !view().await.is_some_and(|view| view.here) {
        let _ = changes.recv().await;
    }
    peer.say(&RelayMessage::Answering { accounts: vec![] })
        .await;
    while view().await.is_some() {
        let _ = changes.recv().await;
    }
    scene.close().await;
}

#[tokio::test]
async fn a_computer_that_slept_connects_anew_at_once() {
    let mut scene = Scene::open().await;
    let mut peer = scene.relay.ready().await;
    peer.ping().await;
    slept(scene.profile());
    assert_eq!(
        scene.profile().sync.link(),
        Link::Settling,
        "nothing counts as missed before the relay had its chance"
    );
    let next = scene.relay.ready().await;
    peer.until_left().await;
    scene.until(|now| now.state == RelayState::Live).await;
    drop(next);
    scene.close().await;
}

#[tokio::test]
async fn fetching_notices_the_sleep_and_the_stream_goes_first() {
    let mut scene = Scene::open().await;
    let clock = scene.shop.opened.clock.clone();
    let mut peer = scene.relay.ready().await;
    peer.ping().await;
    let fetching = tokio::spawn(sync::run_with(
        Arc::clone(scene.profile()),
        Arc::new(FakeRemote::default()),
        scene.stop.clone(),
    ));
    clock.until_waiting(4).await;
    clock.jump_to(scene.profile().now_ms() + 8 * 3_600_000);
    clock.advance(Duration::from_millis(5_000));
    let next = scene.relay.ready().await;
    peer.until_left().await;
    drop(next);
    scene.stop.cancel();
    fetching.await.unwrap();
    scene.close().await;
}

#[tokio::test]
async fn a_network_that_is_back_is_not_waited_for() {
    let mut scene = Scene::open().await;
    drop(scene.relay.ready().await);
    assert_eq!(scene.until_waiting().await, "relay_closed");
    network_back(scene.profile());
    let peer = scene.relay.ready().await;
    scene.until(|now| now.state == RelayState::Live).await;
    network_back(scene.profile());
    scene.until(|now| now.state == RelayState::Live).await;
    drop(peer);
    scene.close().await;
}

#[tokio::test]
async fn without_an_account_there_is_no_connection() {
    let mut scene = Scene::open().await;
    let mut peer = scene.relay.ready().await;
    peer.ping().await;
    for account in [scene.shop.bakery, scene.shop.cafe] {
        disconnect::disconnect(scene.profile(), account, None)
            .await
            .unwrap();
    }
    peer.until_left().await;
    scene.until(|now| now.state == RelayState::Off).await;
    assert_eq!(
        answer_here(scene.profile(), scene.shop.bakery)
            .await
            .unwrap(),
        AnswerHere::NoAccount
    );
    let _again = testing::page(scene.profile(), "3003").await;
    scene
        .profile()
        .parts
        .changes
        .send(crate::api::types::Change::Accounts);
    let peer = scene.relay.ready().await;
    drop(peer);
    scene.close().await;
}
