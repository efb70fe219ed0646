//! Who gets a stream and who is sent away, with which word.

use futures_util::SinkExt as _;
use reqwest::StatusCode;
use shopbell_relay::StreamPace;
use shopbell_wire::*;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio_tungstenite::{MaybeTlsStream, tungstenite::Message};

use super::{harness::*, line::*};

async fn bound() -> World {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    world
}

/// Sends a hello made from the challenge; gives back how the relay closes.
async fn answered(world: &World, hello: impl FnOnce(&str) -> Hello) -> Option<CloseReason> {
    let mut line = Line::dial(world).await;
    let nonce = line.challenge().await;
    line.say(&DeviceMessage::Hello(hello(&nonce))).await;
    line.closed().await
}

#[tokio::test]
async fn only_the_computers_own_signature_over_this_challenge_for_this_relay_counts() {
    let world = bound().await;
    let keys = &world.device.keys;
    let relay = world.relay.base_url.as_str();
    let unauthorised = Some(CloseReason::Unauthorised);
    let forged = |nonce: &str| Hello {
        signature: "A".repeat(86),
        ..Hello::sign(keys, relay, nonce, None, 0)
    };
    assert_eq!(answered(&world, forged).await, unauthorised);
    let no_signature = |nonce: &str| Hello {
        signature: String::new(),
        ..Hello::sign(keys, relay, nonce, None, 0)
    };
    assert_eq!(answered(&world, no_signature).await, unauthorised);
    let other_relay = |nonce: &str| Hello::sign(keys, "https://other.example", nonce, None, 0);
    assert_eq!(answered(&world, other_relay).await, unauthorised);
    let stolen_name = |nonce: &str| Hello {
        device: keys.public(),
        ..Hello::sign(&world.device(5).keys, relay, nonce, None, 0)
    };
    assert_eq!(answered(&world, stolen_name).await, unauthorised);

    let mut first = Line::dial(&world).await;
    let old = Hello::sign(keys, relay, &first.challenge().await, None, 0);
    first.say(&DeviceMessage::Hello(old.clone())).await;
    first.told_ready().await;
    assert_eq!(answered(&world, |_| old).await, unauthorised, "replayed");
    first.meanwhile().await;
}

#[tokio::test]
async fn a_computer_to_which_nothing_is_bound_is_sent_away() {
    let world = bound().await;
    let stranger = world.device(7);
    let relay = world.relay.base_url.clone();
    let hello = |nonce: &str| Hello::sign(&stranger.keys, relay.as_str(), nonce, None, 0);
    assert_eq!(
        answered(&world, hello).await,
        Some(CloseReason::Unauthorised)
    );
    world.pass(LEASE_MS + 1);
    let hello = |nonce: &str| Hello::sign(&world.device.keys, relay.as_str(), nonce, None, 0);
    assert_eq!(
        answered(&world, hello).await,
        Some(CloseReason::Unauthorised),
        "its lease has ended"
    );
}

#[tokio::test]
async fn another_version_is_told_to_upgrade_whatever_else_it_says() {
    let world = bound().await;
    for text in [
        r#"{"type":"hello","protocol":2}"#,
        r#"{"type":"hello","protocol":0,"device":17,"more":{}}"#,
    ] {
        let mut line = Line::dial(&world).await;
        line.challenge().await;
        line.socket.send(Message::text(text)).await.unwrap();
        assert_eq!(line.closed().await, Some(CloseReason::Upgrade), "{text}");
    }
}

#[tokio::test]
async fn frames_of_garbage_end_the_connection_before_and_after_the_hello() {
    let world = bound().await;
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let large = format!(
        r#"{{"type":"ack","offset":{}}}"#,
        " ".repeat(TEXT_MAX_BYTES)
    );
    let garbage = || {
        [
            Message::text(""),
            Message::text("{"),
            Message::text(deep.clone()),
            Message::text(large.clone()),
            Message::text(r#"{"type":"ack"}"#),
            Message::text(r#"{"type":"ack","offset":-1}"#),
            Message::text(r#"{"type":"something"}"#),
            Message::binary(vec![0u8; 100]),
        ]
    };
    for early in [true, false] {
        for message in garbage() {
            let mut line = Line::dial(&world).await;
            if early {
                line.challenge().await;
            } else {
                line.greet(&world, &world.device, None, 0).await;
            }
            line.socket.send(message.clone()).await.unwrap();
            assert_eq!(
                line.closed().await,
                Some(CloseReason::Protocol),
                "{early} {}",
                message.len()
            );
        }
    }
    let mut line = Line::dial(&world).await;
    line.challenge().await;
    line.ack(0).await;
    assert_eq!(line.closed().await, Some(CloseReason::Protocol), "no hello");
}

#[tokio::test]
async fn a_second_hello_and_an_acknowledgement_of_what_was_never_sent_break_the_protocol() {
    let world = bound().await;
    messages(&world, 3).await;
    let mut line = Line::new(&world, &world.device).await;
    line.events(3).await;
    line.ack(4).await;
    assert_eq!(line.closed().await, Some(CloseReason::Protocol));
    let (mut line, state) = Line::open(&world, &world.device, 0).await;
    assert_eq!(state.oldest, 1, "it deleted nothing");
    let hello = Hello::sign(&world.device.keys, "x", "y", None, 0);
    line.say(&DeviceMessage::Hello(hello)).await;
    assert_eq!(line.closed().await, Some(CloseReason::Protocol));
}

#[tokio::test]
async fn whoever_does_not_say_hello_is_sent_away() {
    let world = World::with(|config| {
        config.stream_pace.hello = Duration::from_millis(50);
    })
    .await;
    let mut line = Line::dial(&world).await;
    line.challenge().await;
    assert_eq!(line.closed().await, Some(CloseReason::Unauthorised));
}

#[tokio::test]
async fn a_computer_that_gives_no_sign_of_life_is_taken_for_dead() {
    let world = World::with(|config| {
        config.stream_pace = StreamPace {
            ping: Duration::from_millis(20),
            dead: Duration::from_millis(100),
            ..StreamPace::default()
        };
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let line = Line::new(&world, &world.device).await;
    // Read below the WebSocket: nothing answers the pings.
    let MaybeTlsStream::Plain(mut raw) = line.socket.into_inner() else {
        panic!("no TLS here")
    };
    let mut rest = Vec::new();
    let _ = raw.read_to_end(&mut rest).await;
    let figures = world.relay.metrics_text();
    assert!(
        figures.contains(r#"shopbell_relay_stream_ends_total{reason="dead"} 1"#),
        "{figures}"
    );
}

#[tokio::test]
async fn pings_of_the_relay_are_answered_and_keep_a_quiet_stream_open() {
    let world = World::with(|config| {
        config.stream_pace.ping = Duration::from_millis(5);
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let mut line = Line::new(&world, &world.device).await;
    for _ in 0..5 {
        line.some_pings().await;
    }
    messages(&world, 1).await;
    assert_eq!(line.events(1).await.len(), 1);
}

#[tokio::test]
async fn a_request_that_is_no_websocket_is_refused_as_such() {
    let world = bound().await;
    let answer = world.device.get(paths::STREAM).await;
    assert_eq!(refused(answer).await, Refusal::InvalidRequest);
    let answer = world
        .device
        .http
        .head(world.device.url(paths::STREAM))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_address_has_so_many_streams_and_no_more() {
    let world = World::with(|config| config.limits.streams_per_address = 2).await;
    let first = Line::dial(&world).await;
    let mut second = Line::dial(&world).await;
    second.challenge().await;
    assert!(
        Line::try_dial(&world)
            .await
            .is_err_and(|status| status == 429)
    );
    drop(first);
    // The relay notices when it reads the end of the connection.
    while Line::try_dial(&world).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_computer_that_comes_too_often_is_asked_to_wait() {
    let world = World::with(|config| config.limits.streams_per_device_minute = 2).await;
    world.sign_in(Provider::Facebook).await;
    let relay = world.relay.base_url.clone();
    for _ in 0..2 {
        Line::new(&world, &world.device).await;
    }
    let hello = |nonce: &str| Hello::sign(&world.device.keys, relay.as_str(), nonce, None, 0);
    assert_eq!(answered(&world, hello).await, Some(CloseReason::TooMany));
    world.pass(60_000);
    Line::new(&world, &world.device).await;
}
