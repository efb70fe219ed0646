//! What only many nodes, or a server that fails, can show.
#![allow(clippy::unwrap_used)]

use std::{collections::HashSet, sync::Arc};

use futures_util::future::join_all;
use shopbell_wire::{HookKind, Thumbprint};

use super::{Nats, test_line::Line, test_server::Server};
use crate::{
    SystemEntropy,
    storage::{
        Bindings as _, Extent, Extras as _, Hook, NewRecord, Storage, Streams as _,
        conformance::{NOW, all_after, bind, device, page, record, told},
    },
};

/// A record whose content names it.
fn named(device: &Thumbprint, name: String) -> NewRecord {
    record(device, &name, NOW)
}

/// The contents of a stream, after a look that its offsets are dense.
async fn contents(storage: &dyn Storage, device: &Thumbprint) -> Vec<String> {
    let records = all_after(storage, device, 0).await;
    for (offset, record) in (1..).zip(&records) {
        assert_eq!((record.prev, record.offset), (offset - 1, offset));
    }
    told(&records)
        .into_iter()
        .map(|(_, content)| content.to_owned())
        .collect()
}

async fn refusal(address: &str) -> String {
    match Nats::open(address, &SystemEntropy).await {
        Ok(_) => panic!("a relay started on {address}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_write_to_one_device_and_nothing_is_lost_or_doubled() {
    let server = Server::start().await;
    let nodes = [server.node().await, server.node().await];
    let writers = nodes.iter().enumerate().flat_map(|(n, node)| {
        (0..8).map(move |writer| async move {
            for call in 0..20 {
                let records = (0..3)
                    .map(|k| named(&device(1), format!("{n}/{writer}/{call}/{k}")))
                    .collect();
                node.append(records).await.unwrap();
            }
        })
    });
    join_all(writers).await;
    for node in &nodes {
        let written = contents(&**node, &device(1)).await;
        assert_eq!(written.len(), 2 * 8 * 20 * 3);
        assert_eq!(written.iter().collect::<HashSet<_>>().len(), written.len());
        for (n, writer) in (0..2).flat_map(|n| (0..8).map(move |writer| (n, writer))) {
            let own: Vec<&String> = written
                .iter()
                .filter(|name| name.starts_with(&format!("{n}/{writer}/")))
                .collect();
            let expected: Vec<String> = (0..20)
                .flat_map(|call| (0..3).map(move |k| format!("{n}/{writer}/{call}/{k}")))
                .collect();
            assert!(own.into_iter().eq(&expected), "a writer's order is kept");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_reported_as_written_outlives_kills_of_the_server() {
    let mut server = Server::start().await;
    let node = server.node().await;
    let written = Arc::new(tokio::sync::Mutex::new(Vec::new()));
    let (count, mut counted) = tokio::sync::watch::channel(0);
    let count = Arc::new(count);
    let writers: Vec<_> = (0..6u8)
        .map(|writer| {
            let (node, written, count) =
                (Arc::clone(&node), Arc::clone(&written), Arc::clone(&count));
            tokio::spawn(async move {
                for call in 0..60 {
                    let name = format!("{writer}/{call}");
                    let to = device(writer % 2);
                    node.append(vec![named(&to, name.clone())]).await.unwrap();
                    written.lock().await.push((writer % 2, name));
                    count.send_modify(|count| *count += 1);
                }
            })
        })
        .collect();
    for kill in 1..=3 {
        counted.wait_for(|count| *count >= kill * 60).await.unwrap();
        server.kill();
        server.restart().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    server.kill();
    server.restart().await;
    let later = server.node().await;
    let written = written.lock().await;
    for n in 0..2 {
        let there = contents(&*later, &device(n)).await;
        let reported: HashSet<&str> = written
            .iter()
            .filter(|(to, _)| *to == n)
            .map(|(_, name)| name.as_str())
            .collect();
        assert_eq!(there.len(), reported.len(), "each once");
        assert!(there.iter().all(|name| reported.contains(name.as_str())));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_whose_answer_was_lost_is_not_written_again_even_when_it_was_fetched_meanwhile() {
    let mut server = Server::start().await;
    let line = Line::to(server.port()).await;
    let behind = server.node_through(line.address).await;
    let other = server.node().await;
    behind
        .append(vec![named(&device(1), "before".into())])
        .await
        .unwrap();

    line.fall_silent();
    let mut arrivals = other.arrivals(&device(1)).await.unwrap();
    arrivals.mark_unchanged();
    let append = tokio::spawn({
        let node = Arc::clone(&behind);
        async move { node.append(vec![named(&device(1), "once".into())]).await }
    });
    arrivals.wait_for(|newest| *newest == 2).await.unwrap();
    other.acknowledge(&device(1), 2).await.unwrap();
    other.flush().await.unwrap();
    // The server forgets the names of messages that are gone when it starts anew.
    server.kill();
    line.mend();
    server.restart().await;

    append.await.unwrap().unwrap();
    assert!(all_after(&*other, &device(1), 0).await.is_empty());
    let extent = other.extent(&device(1)).await.unwrap();
    assert_eq!(
        extent,
        Extent {
            oldest: 3,
            newest: 2
        }
    );
    behind
        .append(vec![named(&device(1), "after".into())])
        .await
        .unwrap();
    assert_eq!(
        told(&all_after(&*other, &device(1), 0).await),
        [(3, "after")]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_cut_off_hears_afterwards_of_what_came_meanwhile() {
    let server = Server::start().await;
    let line = Line::to(server.port()).await;
    let behind = server.node_through(line.address).await;
    let other = server.node().await;
    let mut arrivals = behind.arrivals(&device(1)).await.unwrap();
    let mut changes = behind.binding_changes();
    arrivals.mark_unchanged();
    changes.mark_unchanged();
    line.cut();
    other
        .append(vec![named(&device(1), "meanwhile".into())])
        .await
        .unwrap();
    bind(&*other, 1, &page("1"), NOW).await;
    line.mend();
    arrivals.changed().await.unwrap();
    assert_eq!(contents(&*behind, &device(1)).await, ["meanwhile"]);
    changes.changed().await.unwrap();
    assert_eq!(behind.receivers(&page("1"), NOW).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_on_one_node_reaches_the_others() {
    let server = Server::start().await;
    let (here, there) = (server.node().await, server.node().await);
    let mut arrivals = there.arrivals(&device(1)).await.unwrap();
    let mut changes = there.binding_changes();
    arrivals.mark_unchanged();
    here.append(vec![named(&device(1), "a".into())])
        .await
        .unwrap();
    arrivals.changed().await.unwrap();
    assert_eq!(*arrivals.borrow(), 1);
    assert_eq!(contents(&*there, &device(1)).await, ["a"]);

    bind(&*here, 1, &page("1"), NOW).await;
    changes.wait_for(|version| *version == 1).await.unwrap();
    assert_eq!(there.receivers(&page("1"), NOW).await.unwrap().len(), 1);
    assert_eq!(there.changed_accounts(0), Some(vec![page("1")]));
    let until = NOW + 90_000;
    here.answer(&page("1"), &device(1), false, NOW, until)
        .await
        .unwrap();
    changes.wait_for(|version| *version == 2).await.unwrap();
    assert_eq!(
        there.answering(&page("1")).await.unwrap().unwrap().device,
        device(1)
    );

    let hook = Hook {
        id: "h".into(),
        kind: HookKind::Collect,
        device: device(1),
        secret: None,
        origins: vec!["https://shop.example".into()],
        paused: false,
        removed: false,
        created_at_ms: NOW,
        last_ms: None,
    };
    here.put_hook(&hook).await.unwrap();
    there
        .hooks
        .changes()
        .wait_for(|count| *count > 0)
        .await
        .unwrap();
    assert_eq!(there.hook("h").await.unwrap(), Some(hook));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_nodes_one_answers_and_the_term_counts_the_changes_of_hands() {
    let server = Server::start().await;
    let nodes = join_all((0..3).map(|_| server.node())).await;
    let ask = |insist: bool, now_ms: i64| {
        let nodes = &nodes;
        join_all((0..9u8).map(move |n| async move {
            let node = &nodes[usize::from(n) % 3];
            node.answer(&page("1"), &device(n), insist, now_ms, now_ms + 90_000)
                .await
                .unwrap()
        }))
    };
    let leases = ask(false, NOW).await;
    assert!(
        leases.iter().all(|lease| *lease == leases[0]),
        "one holder for all"
    );
    assert_eq!(leases[0].term, 1);
    let leases = ask(true, NOW).await;
    let last = nodes[0].answering(&page("1")).await.unwrap().unwrap();
    let terms: HashSet<u64> = leases.iter().map(|lease| lease.term).collect();
    assert!(leases.contains(&last));
    assert_eq!(Some(&last.term), terms.iter().max());
    assert!(
        terms.len() >= 8,
        "whoever takes it from another gets a term of its own: {terms:?}"
    );
}

#[tokio::test]
async fn what_was_fetched_is_gone_from_the_server() {
    let server = Server::start().await;
    let node = server.node().await;
    for n in 0..50 {
        node.append(vec![named(&device(1), format!("{n}"))])
            .await
            .unwrap();
    }
    let messages = async || node.events.stream.get_info().await.unwrap().state.messages;
    assert_eq!(messages().await, 50);
    assert_eq!(
        node.read(&device(1), 0, 40, 1 << 20).await.unwrap().len(),
        40
    );
    node.acknowledge(&device(1), 39).await.unwrap();
    node.flush().await.unwrap();
    assert_eq!(messages().await, 11, "what is not fetched stays");
    node.acknowledge(&device(1), 50).await.unwrap();
    node.flush().await.unwrap();
    assert_eq!(messages().await, 1, "the counter");
    let left = node.events.stream.get_info().await.unwrap().state;
    let left = node
        .events
        .stream
        .get_raw_message(left.last_sequence)
        .await
        .unwrap();
    assert!(
        super::block::Block::decode(&left.payload)
            .unwrap()
            .is_counter()
    );
}

#[tokio::test]
async fn the_largest_events_go_through_alone_and_among_small_ones() {
    let server = Server::start().await;
    let node = server.node().await;
    let large = |n: u8| NewRecord {
        event: vec![n; shopbell_wire::EVENT_MAX_BYTES].into(),
        event_id: [n; 16],
        ..named(&device(1), String::new())
    };
    let small = |n: u8| named(&device(1), format!("{n}"));
    node.append(vec![small(1), large(2), small(3), large(4)])
        .await
        .unwrap();
    // Another node has to read the newest block, which is a large one, before it writes.
    let other = server.node().await;
    other.append(vec![small(5)]).await.unwrap();
    let sizes = |records: &[crate::storage::Record]| -> Vec<usize> {
        records.iter().map(|record| record.event.len()).collect()
    };
    let max = shopbell_wire::EVENT_MAX_BYTES;
    let all = all_after(&*other, &device(1), 0).await;
    assert_eq!(sizes(&all), [1, max, 1, max, 1]);
    let page = other.read(&device(1), 1, 100, 1000).await.unwrap();
    assert_eq!(sizes(&page), [max], "one, however large");
    let page = other.read(&device(1), 2, 100, 1000).await.unwrap();
    assert_eq!(sizes(&page), [1]);
}

#[tokio::test]
async fn a_server_may_ask_for_a_password_and_speak_tls_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let certificate = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(file("cert.pem"), certificate.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
    let others = format!(
        "max_payload: 8MB\nauthorization {{ user: relay, password: secret }}\ntls {{ cert_file: {:?}, key_file: {:?} }}",
        file("cert.pem"),
        file("key.pem"),
    );
    let server = Server::start_with("sync_interval: always", &others).await;
    let address = |user: &str, options: &str| {
        format!(
            "nats://{user}127.0.0.1:{}?monitor=http://127.0.0.1:{}{options}",
            server.port(),
            server.monitor()
        )
    };
    let trusted = format!("&tls=on&ca={}", file("cert.pem").display());
    let node = Nats::open(&address("relay:secret@", &trusted), &SystemEntropy)
        .await
        .unwrap();
    node.append(vec![named(&device(1), "a".into())])
        .await
        .unwrap();
    assert_eq!(contents(&node, &device(1)).await, ["a"]);
    for (user, options) in [
        ("relay:wrong@", trusted.as_str()),
        ("", &trusted),
        ("relay:secret@", "&tls=on"),
    ] {
        let why = refusal(&address(user, options)).await;
        assert!(why.contains("no NATS server can be reached"), "{why}");
        assert!(!why.contains("wrong") && !why.contains("secret"), "{why}");
    }
}

#[tokio::test]
async fn a_relay_starts_only_on_servers_that_sync_before_they_answer() {
    let lax = Server::start_with("sync_interval: 10s", "max_payload: 8MB").await;
    let why = refusal(&lax.address()).await;
    assert!(why.contains("sync_interval: always"), "{why}");
    let small = Server::start_with("sync_interval: always", "max_payload: 1MB").await;
    let why = refusal(&small.address()).await;
    assert!(why.contains("max_payload"), "{why}");

    let fine = Server::start().await;
    let why = refusal(&format!("nats://127.0.0.1:{}", fine.port())).await;
    assert!(why.contains("monitor="), "{why}");
    let other = Server::start().await;
    let why = refusal(&format!(
        "nats://127.0.0.1:{}?monitor=http://127.0.0.1:{}",
        lax.port(),
        other.monitor()
    ))
    .await;
    assert!(
        why.contains("none of those at the monitoring addresses"),
        "{why}"
    );
}

#[tokio::test]
async fn a_stream_that_somebody_made_otherwise_is_refused() {
    let server = Server::start().await;
    let client = async_nats::connect(format!("127.0.0.1:{}", server.port()))
        .await
        .unwrap();
    async_nats::jetstream::new(client)
        .create_stream(async_nats::jetstream::stream::Config {
            name: "shopbell_events".into(),
            subjects: vec!["shopbell.ev.*".into()],
            storage: async_nats::jetstream::stream::StorageType::Memory,
            ..Default::default()
        })
        .await
        .unwrap();
    let why = refusal(&server.address()).await;
    assert!(why.contains("another storage"), "{why}");
}

#[tokio::test]
async fn relays_with_another_prefix_share_a_server_and_nothing_else() {
    let server = Server::start().await;
    let one = server.node().await;
    let other = Nats::open(
        &format!("{}&prefix=other", server.address()),
        &SystemEntropy,
    )
    .await
    .unwrap();
    one.append(vec![named(&device(1), "a".into())])
        .await
        .unwrap();
    bind(&*one, 1, &page("1"), NOW).await;
    assert!(contents(&other, &device(1)).await.is_empty());
    assert!(other.bindings_of(&device(1), NOW).await.unwrap().is_empty());
    assert_ne!(one.epoch(), other.epoch());
}
