//! What happens to streams as days pass: retention, silent computers, outages.

use shopbell_wire::*;

use super::{harness::*, line::*};

const DAY_MS: i64 = 24 * 3600 * 1000;

async fn bindings(device: &Device) -> usize {
    let list: BindingList = ok(device.get(paths::BINDINGS).await).await;
    list.bindings.len()
}

#[tokio::test]
async fn events_wait_for_their_time_and_their_end_shows_as_a_gap() {
    let world = World::with(|config| config.retention_days = 7).await;
    world.sign_in(Provider::Facebook).await;
    let known = epoch(&world, &world.device).await;
    messages(&world, 2).await;
    world.pass(4 * DAY_MS);
    bind(&world.device).await;
    messages(&world, 3).await;
    world.pass(3 * DAY_MS);
    world.relay.upkeep_now().await.unwrap();
    let (line, state) = Line::open(&world, &world.device, 0).await;
    assert_eq!(
        (state.oldest, state.newest),
        (1, 5),
        "seven days are not over"
    );
    drop(line);
    world.pass(1);
    world.relay.upkeep_now().await.unwrap();
    let mut line = Line::dial(&world).await;
    match line.greet(&world, &world.device, Some(&known), 0).await {
        RelayMessage::Gap {
            reason: GapReason::Expired,
            resume_after: 2,
            state,
        } => assert_eq!((state.oldest, state.newest), (3, 5)),
        other => panic!("{other:?}"),
    }
    assert_eq!(offsets(&line.events(3).await), [3, 4, 5]);
    line.ack(5).await;
    line.meanwhile().await;
    let figures = world.relay.metrics_text();
    for line in [
        "shopbell_relay_expired_records_total 2",
        r#"shopbell_relay_gaps_total{reason="expired"} 1"#,
    ] {
        assert!(figures.contains(line), "{line} in {figures}");
    }
}

#[tokio::test]
async fn a_computer_that_was_silent_for_so_long_is_unbound_and_one_that_came_is_not() {
    let world = World::with(|config| config.retention_days = 20).await;
    world.sign_in(Provider::Facebook).await;
    let shop = world.device(2);
    bind(&shop).await;
    world.pass(10 * DAY_MS);
    drop(Line::new(&world, &shop).await);
    world.pass(10 * DAY_MS + 1);
    world.relay.upkeep_now().await.unwrap();
    assert_eq!(bindings(&world.device).await, 0);
    assert_eq!(bindings(&shop).await, 1);
    let figures = world.relay.metrics_text();
    assert!(
        figures.contains("shopbell_relay_silent_devices_total 1"),
        "{figures}"
    );
}

#[tokio::test]
async fn a_computer_that_stays_connected_is_not_silent() {
    let world = World::with(|config| {
        config.retention_days = 20;
        config.stream_pace.ping = std::time::Duration::from_millis(5);
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let mut line = Line::new(&world, &world.device).await;
    world.pass(15 * DAY_MS);
    line.some_pings().await;
    world.pass(10 * DAY_MS);
    world.relay.upkeep_now().await.unwrap();
    assert_eq!(bindings(&world.device).await, 3);
}

#[tokio::test]
async fn an_outage_of_more_than_a_minute_is_told_and_a_restart_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let storage = format!("sqlite:{}", folder.path().join("relay.db").display());
    let start = async |at: i64| {
        let meta = super::meta::Meta::start().await;
        let upstream = shopbell_relay::Upstreams::below(&meta.base).unwrap();
        let (facebook, instagram) = apps();
        let mut config =
            shopbell_relay::Config::in_memory(upstream, Some(facebook), Some(instagram));
        config.storage = storage.clone();
        World::over_at(meta, config, at).await
    };
    let world = start(NOW).await;
    world.sign_in(Provider::Facebook).await;
    assert_eq!(Line::open(&world, &world.device, 0).await.1.outage, None);
    world.relay.shutdown().await;
    let world = start(NOW + 60_000).await;
    assert_eq!(Line::open(&world, &world.device, 0).await.1.outage, None);
    world.relay.shutdown().await;
    let world = start(NOW + 60_000 + 60_001).await;
    let state = Line::open(&world, &world.device, 0).await.1;
    assert_eq!(state.outage, Some((NOW + 60_000, NOW + 120_001)));
    assert_eq!(state.relay_time_ms, NOW + 120_001);
}
