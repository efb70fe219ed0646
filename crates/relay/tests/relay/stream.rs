//! Events out: in order, once, within the window, from where the computer left off.

use std::time::Duration;

use shopbell_wire::*;

use super::{harness::*, line::*};

async fn bound() -> World {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    world
}

#[tokio::test]
async fn what_a_customer_writes_reaches_the_open_stream_and_opens_there_only() {
    let world = bound().await;
    let mut line = Line::new(&world, &world.device).await;
    customers_write(&world, ["Do you have size 38?".to_owned()]).await;
    let events = line.events(1).await;
    assert_eq!((events[0].offset, events[0].prev), (1, 0));
    let mut opener = EventOpener::new(&world.device.keys);
    assert_eq!(text_of(&mut opener, &events[0]), "Do you have size 38?");
    let stranger = world.device(9);
    let sealed = SealedEvent::from_bytes(&events[0].event).unwrap();
    assert_eq!(
        EventOpener::new(&stranger.keys).open(&sealed),
        Err(EventError::Seal)
    );
}

#[tokio::test]
async fn a_thousand_events_of_a_closed_lid_are_replayed_in_order_and_once() {
    let world = bound().await;
    messages(&world, 1000).await;
    let (mut line, state) = Line::open(&world, &world.device, 0).await;
    assert_eq!((state.oldest, state.newest), (1, 1000));
    let mut opener = EventOpener::new(&world.device.keys);
    let mut last = 0;
    while last < 1000 {
        let events = match line.next().await {
            Said::Events(events) => events,
            Said::Message(RelayMessage::Answering { .. }) => continue,
            other => panic!("{other:?}"),
        };
        for event in &events {
            assert_eq!(event.prev, last, "the chain holds");
            last += 1;
            assert_eq!(event.offset, last);
            assert_eq!(text_of(&mut opener, event), format!("message {last}"));
        }
        line.ack(last).await;
    }
    assert!(line.meanwhile().await.is_empty());
}

#[tokio::test]
async fn the_stream_goes_on_at_every_offset_and_what_was_acknowledged_is_gone() {
    let world = bound().await;
    messages(&world, 5).await;
    let known = epoch(&world, &world.device).await;
    for after in 0..=5u64 {
        let mut line = Line::dial(&world).await;
        match line.greet(&world, &world.device, Some(&known), after).await {
            RelayMessage::Ready(state) => assert_eq!(state.newest, 5),
            other => panic!("{other:?}"),
        }
        let rest = line.events(usize::try_from(5 - after).unwrap()).await;
        assert_eq!(offsets(&rest), (after + 1..=5).collect::<Vec<_>>());
        assert_eq!(rest.first().map_or(after, |event| event.prev), after);
        assert!(
            !line
                .meanwhile()
                .await
                .iter()
                .any(|said| matches!(said, Said::Events(_)))
        );
    }
    let mut line = Line::dial(&world).await;
    match line.greet(&world, &world.device, Some(&known), 4).await {
        RelayMessage::Gap {
            reason: GapReason::Expired,
            resume_after: 5,
            ..
        } => {}
        other => panic!("a computer whose data are older than its word: {other:?}"),
    }
    messages(&world, 1).await;
    let events = line.events(1).await;
    assert_eq!(
        (events[0].offset, events[0].prev),
        (6, 5),
        "it goes on after the gap"
    );
}

#[tokio::test]
async fn an_acknowledgement_counts_although_the_connection_ends() {
    let world = bound().await;
    messages(&world, 7).await;
    let mut line = Line::new(&world, &world.device).await;
    line.events(7).await;
    line.ack(4).await;
    line.meanwhile().await;
    drop(line);
    let (mut line, _) = Line::open(&world, &world.device, 4).await;
    assert_eq!(offsets(&line.events(3).await), [5, 6, 7]);
}

#[tokio::test]
async fn a_full_window_waits_for_its_first_acknowledgement() {
    let world = bound().await;
    messages(&world, 700).await;
    let mut line = Line::new(&world, &world.device).await;
    let first = line.events(WINDOW_EVENTS).await;
    assert_eq!(first.last().unwrap().offset, 512);
    assert!(line.meanwhile().await.is_empty(), "512 and not one more");
    line.ack(1).await;
    assert_eq!(offsets(&line.events(1).await), [513]);
    assert!(line.meanwhile().await.is_empty());
    line.ack(101).await;
    assert_eq!(
        offsets(&line.events(100).await),
        (514..=613).collect::<Vec<_>>()
    );
    line.ack(101).await;
    line.ack(3).await;
    assert!(
        line.meanwhile().await.is_empty(),
        "repeated and older ones open nothing"
    );
    line.ack(613).await;
    assert_eq!(line.events(87).await.last().unwrap().offset, 700);
}

#[tokio::test]
async fn the_window_has_four_mebibytes_however_few_events_those_are() {
    let world = bound().await;
    for _ in 0..54 {
        customers_write(&world, ["x".repeat(80_000)]).await;
    }
    let mut line = Line::new(&world, &world.device).await;
    let first = line.events(52).await;
    let bytes: usize = first.iter().map(|event| event.event.len()).sum();
    assert!(
        bytes <= WINDOW_BYTES && bytes + 80_000 > WINDOW_BYTES,
        "{bytes}"
    );
    let text = text_of(&mut EventOpener::new(&world.device.keys), &first[51]);
    assert_eq!(text.len(), 80_000, "whole, although it came in pieces");
    assert!(line.meanwhile().await.is_empty(), "the next one waits");
    line.ack(1).await;
    assert_eq!(offsets(&line.events(1).await), [53]);
    assert!(line.meanwhile().await.is_empty());
    line.ack(53).await;
    assert_eq!(offsets(&line.events(1).await), [54]);
}

#[tokio::test]
async fn a_computer_that_reads_nothing_delays_nobody_and_loses_nothing() {
    let world = World::with(|config| {
        // It is taken for dead after that, and how long the others take is not the question here.
        config.stream_pace.dead = Duration::from_secs(3600);
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let shop = world.device(2);
    bind(&shop).await;
    let mut stalled = Line::dial_narrow(&world).await;
    stalled.greet(&world, &shop, None, 0).await;
    let mut line = Line::new(&world, &world.device).await;
    for _ in 0..100 {
        customers_write(&world, vec!["y".repeat(30_000); 2]).await;
        let events = line.events(2).await;
        line.ack(events.last().unwrap().offset).await;
    }
    let mut last = 0;
    while last < 200 {
        let events = match stalled.next().await {
            Said::Events(events) => events,
            Said::Message(_) => continue,
            Said::Closed(reason) => panic!("{reason:?} after {last}"),
        };
        for event in events {
            assert_eq!((event.prev, event.offset), (last, last + 1));
            last = event.offset;
        }
        stalled.ack(last).await;
    }
}

#[tokio::test]
async fn a_second_connection_with_the_same_keys_takes_the_streams_place() {
    let world = bound().await;
    messages(&world, 3).await;
    let mut first = Line::new(&world, &world.device).await;
    first.events(3).await;
    let mut second = Line::new(&world, &world.device).await;
    assert_eq!(first.closed().await, Some(CloseReason::Replaced));
    assert_eq!(offsets(&second.events(3).await), [1, 2, 3]);
    second.ack(3).await;
    messages(&world, 1).await;
    assert_eq!(offsets(&second.events(1).await), [4]);
}

#[tokio::test]
async fn another_epoch_and_an_offset_that_never_was_are_a_gap() {
    let world = bound().await;
    messages(&world, 3).await;
    let known = epoch(&world, &world.device).await;
    for (epoch, offset) in [("00ff", 2), (known.as_str(), 4)] {
        let mut line = Line::dial(&world).await;
        match line.greet(&world, &world.device, Some(epoch), offset).await {
            RelayMessage::Gap {
                reason: GapReason::EpochChanged,
                resume_after: 0,
                state,
            } => assert_eq!((state.epoch.as_str(), state.newest), (known.as_str(), 3)),
            other => panic!("{other:?}"),
        }
        assert_eq!(
            offsets(&line.events(3).await),
            [1, 2, 3],
            "nothing was acknowledged"
        );
    }
}

#[tokio::test]
async fn a_deletion_on_the_owners_wish_shows_as_a_gap_and_its_notice_still_comes() {
    let world = bound().await;
    messages(&world, 600).await;
    let mut line = Line::new(&world, &world.device).await;
    line.events(WINDOW_EVENTS).await;
    delete_owner(&world).await;
    line.ack(512).await;
    let mut gap = None;
    let notice = loop {
        match line.next().await {
            Said::Message(RelayMessage::Gap {
                reason,
                resume_after,
                ..
            }) => gap = Some((reason, resume_after)),
            Said::Events(events) => break events,
            Said::Message(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(gap, Some((GapReason::Expired, 600)));
    assert_eq!((notice[0].prev, notice[0].offset), (600, 601));
    assert_eq!(EventKind::of(&notice[0].event), Some(EventKind::DELETION));
    line.ack(601).await;
    assert_eq!(
        line.closed().await,
        Some(CloseReason::Unauthorised),
        "then there is nothing more for it here"
    );
}

#[tokio::test]
async fn a_stop_is_told_and_an_acknowledgement_on_its_way_counts() {
    let folder = tempfile::tempdir().unwrap();
    let storage = format!("sqlite:{}", folder.path().join("relay.db").display());
    let world = World::with(|config| config.storage = storage.clone()).await;
    world.sign_in(Provider::Facebook).await;
    messages(&world, 3).await;
    let mut line = Line::new(&world, &world.device).await;
    line.events(3).await;
    let stopping = tokio::spawn(world.relay.shutdown());
    line.ack(2).await;
    assert_eq!(line.closed().await, Some(CloseReason::GoingAway));
    stopping.await.unwrap();
    let again = World::with(|config| config.storage = storage).await;
    match Line::dial(&again)
        .await
        .greet(&again, &again.device, None, 0)
        .await
    {
        RelayMessage::Gap { state, .. } => assert_eq!((state.oldest, state.newest), (3, 3)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_goes_out_is_counted() {
    let world = bound().await;
    messages(&world, 3).await;
    let mut line = Line::new(&world, &world.device).await;
    line.events(3).await;
    line.ack(2).await;
    line.meanwhile().await;
    let figures = world.relay.metrics_text();
    for line in [
        "shopbell_relay_delivered_records_total 3",
        "shopbell_relay_acknowledged_records_total 2",
        "shopbell_relay_streams_open 1",
    ] {
        assert!(figures.contains(line), "{line} in {figures}");
    }
}
