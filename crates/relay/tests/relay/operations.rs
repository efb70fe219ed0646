//! What an operator relies on: figures, health, sockets that do not stay, a stop that lets open work end.

use std::time::Duration;

use reqwest::StatusCode;
use shopbell_wire::*;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{harness::*, line::*, meta};

/// A socket to the relay with these bytes sent.
async fn socket(world: &World, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(world.relay.listening).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    socket
}

/// Everything until the relay closes. A reset is a close, too.
async fn rest(mut socket: TcpStream) -> String {
    let mut all = Vec::new();
    let _ = socket.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

fn figure(world: &World, name: &str) -> f64 {
    let text = world.relay.metrics_text();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}"))
        .trim()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn figures_are_nowhere_unless_asked_for() {
    let world = World::new().await;
    assert_eq!(world.relay.metrics_listening, None);
    let url = world.device.url("/metrics");
    let answer = world.device.http.get(url).send().await.unwrap();
    assert_eq!(refused(answer).await, Refusal::NotFound);
}

#[tokio::test]
async fn figures_have_an_address_of_their_own() {
    let world = World::with(|config| {
        config.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let ask = async |path: &str| {
        let url = format!("http://{}{path}", world.relay.metrics_listening.unwrap());
        world.device.http.get(url).send().await.unwrap()
    };
    let answer = ask("/metrics").await;
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text().await.unwrap();
    assert!(text.contains(r#"shopbell_relay_webhooks_total{outcome="accepted"} 0"#));
    for owner in [
        "1001",
        meta::IG_ID,
        world.device.keys.thumbprint().as_str(),
        "127.0.0.1",
        "Bakery",
    ] {
        assert!(!text.contains(owner), "the figures name {owner}");
    }
    assert_eq!(ask("/healthz").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(ask(paths::BINDINGS).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn with_a_token_the_figures_are_on_the_main_address() {
    let world = World::with(|config| {
        config.metrics_token = Some(Secret::new("sixteen-letters-and-more"));
    })
    .await;
    let ask = async |token: Option<&str>| {
        let mut request = world.device.http.get(world.device.url("/metrics"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status()
    };
    assert_eq!(ask(None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        ask(Some("another-token-of-length")).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(ask(Some("sixteen-letters-and-more")).await, StatusCode::OK);
}

#[tokio::test]
async fn only_the_relay_with_the_key_can_answer_a_nonce() {
    let (one, other) = (World::new().await, World::new().await);
    let ask = async |world: &World, query: &str| {
        let url = world.device.url(&format!("/healthz{query}"));
        world.device.http.get(url).send().await.unwrap()
    };
    assert_eq!(ask(&one, "").await.text().await.unwrap(), "ok");
    let first = ask(&one, "?nonce=abc").await.text().await.unwrap();
    assert_eq!(first, ask(&one, "?nonce=abc").await.text().await.unwrap());
    assert_ne!(first, ask(&one, "?nonce=abd").await.text().await.unwrap());
    assert_ne!(first, ask(&other, "?nonce=abc").await.text().await.unwrap());
    let long = format!("?nonce={}", "x".repeat(65));
    assert_eq!(
        refused(ask(&one, &long).await).await,
        Refusal::InvalidRequest
    );
}

#[tokio::test]
async fn who_sends_a_head_by_drips_or_nothing_at_all_loses_the_socket() {
    let world = World::with(|config| config.limits.head_seconds = 1).await;
    let silent = socket(&world, b"").await;
    let slow = socket(&world, b"GET /healthz HTTP/1.1\r\nhost: relay\r\nx-").await;
    let idle = socket(&world, b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n").await;
    figure_when(&world, "shopbell_relay_connections_open ", 3.0).await;
    let (silent, slow, idle) = tokio::join!(rest(silent), rest(slow), rest(idle));
    assert_eq!(silent, "");
    assert!(!slow.contains("200"), "{slow}");
    assert!(
        idle.starts_with("HTTP/1.1 200") && idle.ends_with("ok"),
        "{idle}"
    );
}

#[tokio::test]
async fn who_stops_in_the_middle_of_a_body_loses_the_socket() {
    let world = World::with(|config| config.limits.head_seconds = 1).await;
    let proof = world.device.proof("POST", paths::PROOF);
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: relay\r\n{PROOF_HEADER}: {}\r\ncontent-length: 4000\r\n\r\nhalf",
        paths::PROOF,
        proof.as_str()
    );
    let stuck = socket(&world, head.as_bytes()).await;
    // Asked after it was taken in, so that the clock moves while it is being served.
    assert_eq!(
        figure_when(&world, "shopbell_relay_connections_open ", 1.0).await,
        1.0
    );
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(200)).await;
    let said = rest(stuck).await;
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 503"),
        "{said}"
    );
}

/// The figure as soon as it is this: a socket is counted by another task than the one that connects.
async fn figure_when(world: &World, name: &str, expected: f64) -> f64 {
    loop {
        let now = figure(world, name);
        if now == expected {
            return now;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let world = World::new().await;
    let head = format!(
        "GET /healthz HTTP/1.1\r\nhost: relay\r\nx-fill: {}\r\n\r\n",
        "a".repeat(20_000)
    );
    let said = rest(socket(&world, head.as_bytes()).await).await;
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");
    let many: String = (0..80).map(|n| format!("x-{n}: y\r\n")).collect();
    let head = format!("GET /healthz HTTP/1.1\r\nhost: relay\r\n{many}\r\n");
    let said = rest(socket(&world, head.as_bytes()).await).await;
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");
}

#[tokio::test]
async fn an_address_has_so_many_sockets_and_no_more() {
    let world = World::with(|config| config.limits.connections_per_address = 2).await;
    let ask = b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n";
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut socket = socket(&world, ask).await;
        let mut answer = [0u8; 12];
        socket.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        kept.push(socket);
    }
    let third = TcpStream::connect(world.relay.listening).await.unwrap();
    assert_eq!(rest(third).await, "");
    let refused = r#"shopbell_relay_connections_total{outcome="too_many_of_address"}"#;
    assert_eq!(figure(&world, refused), 1.0);
    drop(kept);
    figure_when(&world, "shopbell_relay_connections_open ", 0.0).await;
    let again = rest(socket(&world, b"GET /healthz HTTP/1.0\r\n\r\n").await).await;
    assert!(again.ends_with("ok"), "{again}");
}

#[tokio::test]
async fn behind_a_proxy_sockets_are_not_counted_per_address() {
    let world = World::with(|config| {
        config.limits.connections_per_address = 1;
        config.trust_forwarded = true;
    })
    .await;
    let ask = b"GET /healthz HTTP/1.1\r\nhost: relay\r\n\r\n";
    let mut kept = Vec::new();
    for _ in 0..4 {
        let mut socket = socket(&world, ask).await;
        let mut answer = [0u8; 12];
        socket.read_exact(&mut answer).await.unwrap();
        kept.push(socket);
    }
}

#[tokio::test]
async fn a_stop_lets_a_redemption_end_and_takes_nothing_new() {
    let world = World::new().await;
    let (signin, code) = world.code(Provider::Facebook).await;
    let held = world.meta.hold(meta::FB_TOKEN);
    let World {
        relay,
        meta: stand_in,
        device,
        ..
    } = world;
    let listening = relay.listening;
    let redeeming = tokio::spawn(async move { device.redeem(&signin, &code).await.status() });
    stand_in.until_asked(meta::FB_TOKEN, 1).await;
    let stopping = tokio::spawn(relay.shutdown());
    // The listener goes at once, the open request stays.
    while TcpStream::connect(listening).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    held.add_permits(100);
    assert_eq!(redeeming.await.unwrap(), StatusCode::OK);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_who_never_ends() {
    let world = World::new().await;
    let stuck = socket(
        &world,
        b"POST /oauth/proof HTTP/1.1\r\nhost: relay\r\ncontent-le",
    )
    .await;
    figure_when(&world, "shopbell_relay_connections_open ", 1.0).await;
    let stopping = tokio::spawn(world.relay.shutdown());
    tokio::task::yield_now().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    stopping.await.unwrap();
    assert!(!rest(stuck).await.contains("200"));
}

/// A world on a database file, with the key beside it.
async fn on_disk(dir: &std::path::Path) -> World {
    let storage = format!("sqlite:{}", dir.join("relay.db").display());
    World::with(|config| config.storage = storage).await
}

#[tokio::test]
async fn two_relays_never_share_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let first = on_disk(dir.path()).await;
    let upstream = shopbell_relay::Upstreams::below(&first.meta.base).unwrap();
    let (facebook, _) = apps();
    let mut config = shopbell_relay::Config::in_memory(upstream, Some(facebook), None);
    config.storage = format!("sqlite:{}", dir.path().join("relay.db").display());
    let start = || shopbell_relay::Relay::start(config.clone(), || NOW);
    let error = start().await.err().unwrap();
    assert!(error.to_string().contains("another relay uses"), "{error}");
    let renew = shopbell_relay::restored(&config, &shopbell_relay::SystemEntropy);
    assert!(
        renew.await.is_err(),
        "nor is it called restored while it runs"
    );
    first.relay.shutdown().await;
    start().await.unwrap().shutdown().await;
}

#[tokio::test]
async fn after_a_copy_was_brought_back_no_new_event_is_taken_for_an_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("relay.db");
    let world = on_disk(dir.path()).await;
    world.sign_in(Provider::Facebook).await;
    messages(&world, 2).await;
    world.relay.shutdown().await;
    std::fs::copy(&database, dir.path().join("copy.db")).unwrap();

    // Life goes on: the computer commits five events and is then closed.
    let world = on_disk(dir.path()).await;
    let known = epoch(&world, &world.device).await;
    messages(&world, 3).await;
    let (mut line, state) = Line::open(&world, &world.device, 0).await;
    assert_eq!(state.newest, 5);
    line.events(5).await;
    line.ack(5).await;
    line.meanwhile().await;
    drop(line);
    world.relay.shutdown().await;

    std::fs::copy(dir.path().join("copy.db"), &database).unwrap();
    let upstream = shopbell_relay::Upstreams::below(&world.meta.base).unwrap();
    let (facebook, instagram) = apps();
    let config = shopbell_relay::Config {
        storage: format!("sqlite:{}", database.display()),
        ..shopbell_relay::Config::in_memory(upstream, Some(facebook), Some(instagram))
    };
    shopbell_relay::restored(&config, &shopbell_relay::SystemEntropy)
        .await
        .unwrap();

    // The copy gives out 3 to 6 anew. By its offset alone the computer would count 3, 4 and 5 as what it has.
    let world = on_disk(dir.path()).await;
    messages(&world, 4).await;
    let mut line = Line::dial(&world).await;
    match line.greet(&world, &world.device, Some(&known), 5).await {
        RelayMessage::Gap {
            reason: GapReason::EpochChanged,
            resume_after: 0,
            ..
        } => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(offsets(&line.events(6).await), [1, 2, 3, 4, 5, 6]);
}
