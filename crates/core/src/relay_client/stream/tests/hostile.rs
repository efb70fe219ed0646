//! A relay that lies, stutters or forgets: nothing is taken for granted, nothing is lost in silence.

use super::{Scene, double::state};
use crate::{
    api::types::RelayState,
    events::testing::{BAKERY, EPOCH, FATES, Sealing, says},
};
use shopbell_wire::{DeviceKeys, EventKind, GapReason, RelayMessage};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_hole_is_asked_about_once_and_then_told() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1", "m_2", "m_3"]);
    let mut peer = scene.relay.ready().await;
    peer.deliver(&[(0, 1, &events[0]), (2, 3, &events[2])])
        .await;
    let (mut peer, hello) = scene.relay.greeted().await;
    assert_eq!(hello.offset, 1, "what came before the hole is on disk");
    peer.say(&RelayMessage::Ready(state(EPOCH, 1, 3))).await;
    peer.deliver(&[(2, 3, &events[2])]).await;
    scene.acknowledged(&mut peer, 3).await;
    assert_eq!(scene.mids().await, ["m_1", "m_3"]);
    let now = scene.until(|now| now.state == RelayState::Live).await;
    assert_eq!(now.gap.unwrap().reason.code, "hole");
    scene.close().await;
}

#[tokio::test]
async fn a_hole_that_closes_was_none() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1", "m_2", "m_3"]);
    let mut peer = scene.relay.ready().await;
    peer.deliver(&[(0, 1, &events[0]), (2, 3, &events[2])])
        .await;
    let (mut peer, _) = scene.relay.greeted().await;
    peer.say(&RelayMessage::Ready(state(EPOCH, 1, 3))).await;
    peer.deliver(&[(1, 2, &events[1]), (2, 3, &events[2])])
        .await;
    scene.acknowledged(&mut peer, 3).await;
    assert_eq!(scene.mids().await, ["m_1", "m_2", "m_3"]);
    assert_eq!(scene.until(|_| true).await.gap, None);
    scene.close().await;
}

#[tokio::test]
async fn a_storage_that_changed_without_a_word_is_not_believed() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1", "m_2"]);
    let mut peer = scene.relay.ready().await;
    peer.deliver(&[(0, 1, &events[0])]).await;
    assert_eq!(peer.ack().await, 1);
    drop(peer);
    for lie in [state("0b0b", 1, 5), state(EPOCH, 1, 0)] {
        scene.pause_is_over().await;
        let (mut peer, _) = scene.relay.greeted().await;
        peer.say(&RelayMessage::Ready(lie)).await;
        peer.until_left().await;
        assert_eq!(scene.until_waiting().await, "relay_confused");
    }
    let now = scene.until(|_| true).await;
    assert_eq!((now.epoch.as_deref(), now.committed), (Some(EPOCH), 1));
    scene.close().await;
}

#[tokio::test]
async fn events_sealed_to_another_computer_fail_and_the_stream_goes_on() {
    let mut scene = Scene::open().await;
    let other = DeviceKeys::from_random_bytes(&[9; 64]);
    let foreign = Sealing::to(&other).meta(BAKERY, &says(BAKERY, "7011", "m_x", "canary"));
    let own = scene.events(&["m_1"]);
    let mut peer = scene.relay.ready().await;
    peer.deliver(&[(0, 1, &foreign), (1, 2, b"garbage"), (2, 3, &own[0])])
        .await;
    scene.acknowledged(&mut peer, 3).await;
    assert_eq!(
        scene.shop.look(FATES).await,
        ["failed not_opened", "failed not_an_event", "done -"]
    );
    scene.close().await;
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection_and_what_came_before_it_stays() {
    let long = format!(r#"{{"type":"x","y":"{}"}}"#, "z".repeat(70_000));
    let garbage = [
        Message::text("garbage"),
        Message::text(long),
        Message::binary(vec![1, 2, 3]),
        Message::binary(vec![255; 64]),
        Message::text(r#"{"type":"challenge","nonce":"again"}"#),
        Message::text(r#"{"type":"ready","epoch":"0a0a","oldest":1,"newest":1,"relay_time_ms":0}"#),
    ];
    for frame in garbage {
        let mut scene = Scene::open().await;
        let events = scene.events(&["m_1"]);
        let mut peer = scene.relay.ready().await;
        peer.deliver(&[(0, 1, &events[0])]).await;
        peer.frame(frame).await;
        peer.until_left().await;
        assert_eq!(scene.until_waiting().await, "relay_confused");
        assert_eq!(scene.mids().await, ["m_1"]);
        scene.close().await;
    }
}

#[tokio::test]
async fn a_frame_that_claims_to_be_huge_is_not_waited_for() {
    let mut scene = Scene::open().await;
    let peer = scene.relay.ready().await;
    let mut socket = peer.into_socket();
    // A binary frame of four gibibytes begins.
    let mut head = vec![0x82, 127];
    head.extend_from_slice(&(4_u64 << 30).to_be_bytes());
    socket.write_all(&head).await.unwrap();
    assert_eq!(scene.until_waiting().await, "relay_confused");
    scene.close().await;
}

#[tokio::test]
async fn whoever_speaks_out_of_turn_before_the_stream_is_ready_is_left() {
    let mut scene = Scene::open().await;
    let events = scene.events(&["m_1"]);
    let mut peer = scene.relay.peer().await;
    peer.deliver(&[(0, 1, &events[0])]).await;
    peer.until_left().await;
    assert_eq!(scene.until_waiting().await, "relay_confused");
    for first in [
        RelayMessage::Answering { accounts: vec![] },
        RelayMessage::Gap {
            reason: GapReason::Expired,
            resume_after: u64::MAX,
            state: state(EPOCH, 1, 0),
        },
    ] {
        scene.pause_is_over().await;
        let (mut peer, _) = scene.relay.greeted().await;
        peer.say(&first).await;
        peer.until_left().await;
        assert_eq!(scene.until_waiting().await, "relay_confused");
    }
    assert!(scene.shop.look(FATES).await.is_empty());
    scene.close().await;
}

#[tokio::test]
async fn who_is_no_relay_at_all_is_unreachable() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
    ] {
        let mut scene = Scene::open().await;
        let mut socket = scene.relay.socket().await;
        socket.write_all(answer.as_bytes()).await.unwrap();
        assert_eq!(scene.until_waiting().await, "relay_unreachable");
        scene.close().await;
    }
    let mut scene = Scene::open().await;
    let mut socket = scene.relay.socket().await;
    let busy = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n";
    socket.write_all(busy.as_bytes()).await.unwrap();
    assert_eq!(scene.until_waiting().await, "relay_busy");
    scene.close().await;
}

#[tokio::test]
async fn a_relay_that_ignores_its_window_is_not_listened_to_faster_than_the_disk() {
    let mut scene = Scene::open().await;
    let mut peer = scene.relay.ready().await;
    // Five windows at once; every event is of a kind this program does not know.
    let events: Vec<Vec<u8>> = (0..2_560)
        .map(|_| {
            scene
                .shop
                .sealing
                .event(EventKind(77), "weather/sun", &[0; 64])
        })
        .collect();
    let chunks: Vec<(u64, u64, &[u8])> = (0_u64..)
        .zip(&events)
        .map(|(prev, event)| (prev, prev + 1, event.as_slice()))
        .collect();
    let (mut sent, mut acked) = (0, 0);
    for chunk in chunks.chunks(256) {
        peer.deliver(chunk).await;
        sent += chunk.len() as u64;
    }
    while acked < sent - 128 {
        acked = peer.ack().await;
    }
    scene.until(|now| now.committed == 2_560).await;
    scene.close().await;
}
