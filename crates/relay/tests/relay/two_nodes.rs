//! Two relay processes on one NATS server behind one address, and a computer that notices nothing of it when either of them is killed.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use serde_json::json;
use shopbell_relay::{Clock as _, SystemClock};
use shopbell_wire::*;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use url::Url;

use super::{harness::*, line::*, meta::*, nats_server::Server};

/// Messages customers write.
const MESSAGES: usize = 240;

/// What stands in front of the nodes and gives each connection to the next one that lives.
struct Balancer {
    address: SocketAddr,
    nodes: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let nodes = Arc::new(Mutex::new(Vec::new()));
        let (known, next) = (Arc::clone(&nodes), AtomicUsize::new(0));
        tokio::spawn(async move {
            while let Ok((mut caller, _)) = listener.accept().await {
                let nodes: Vec<SocketAddr> = known.lock().unwrap().clone();
                let first = next.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    for n in 0..nodes.len() {
                        let node = nodes[(first + n) % nodes.len()];
                        if let Ok(mut node) = TcpStream::connect(node).await {
                            let _ = tokio::io::copy_bidirectional(&mut caller, &mut node).await;
                            return;
                        }
                    }
                });
            }
        });
        Self { address, nodes }
    }

    fn url(&self) -> Url {
        Url::parse(&format!("http://{}/", self.address)).unwrap()
    }
}

/// A relay process.
struct Node {
    child: Child,
    address: SocketAddr,
}

impl Node {
    fn start(configuration: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shopbell-relay"))
            .args(["--port", "0", "--config"])
            .arg(configuration)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut said).unwrap();
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let url = Url::parse(said["listening"].as_str().unwrap()).unwrap();
        let address = url.socket_addrs(|| None).unwrap()[0];
        Self { child, address }
    }

    /// kill -9.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, server: &Server, meta: &Meta, public: &Url) -> PathBuf {
    let hosts: Vec<String> = [
        "graph.facebook.com",
        "graph.instagram.com",
        "api.instagram.com",
        "www.facebook.com",
        "www.instagram.com",
    ]
    .iter()
    .map(|host| {
        let name = host.trim_end_matches(".com").replace('.', "_");
        format!("{name} = \"{}{host}\"\n", meta.base)
    })
    .collect();
    let text = format!(
        "storage = \"{}\"\npublic_url = \"{public}\"\nkey = \"{}\"\n\
         [facebook]\napp_id = \"138\"\napp_secret = \"{APP_SECRET}\"\n\
         [limits]\nstreams_per_device_minute = 10000\n[upstream]\n{}",
        server.address(),
        "07".repeat(32),
        hosts.concat(),
    );
    let file = folder.join("relay.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// Meta as it is: what gets no 200 is sent again. Answers how often.
async fn customer_writes(http: &reqwest::Client, public: &Url, text: &str) -> usize {
    let entry = json!({"id": "1001", "time": 1, "messaging": [{"sender": {"id": "7700"}, "recipient": {"id": "1001"},
        "message": {"mid": format!("m_{text}"), "text": text}}]});
    let body = json!({"object": "page", "entry": [entry]}).to_string();
    for sent in 1.. {
        let answer = http
            .post(public.join(paths::WEBHOOKS_META).unwrap())
            .header("x-hub-signature-256", signature(&body))
            .body(body.clone())
            .send()
            .await;
        if answer.is_ok_and(|answer| answer.status() == 200) {
            return sent;
        }
    }
    unreachable!()
}

/// The app: whatever connection breaks, the next one goes on after the last event. Tells how many events it has.
async fn computer(public: Url, device: Device, events: watch::Sender<Vec<String>>) {
    let mut address = public.join(paths::STREAM).unwrap();
    address.set_scheme("ws").unwrap();
    let mut opener = EventOpener::new(&device.keys);
    let (mut epoch, mut last) = (None, 0);
    loop {
        let Ok((socket, _)) = tokio_tungstenite::connect_async(address.as_str()).await else {
            continue;
        };
        let mut line = Line {
            socket,
            answering: BTreeMap::new(),
        };
        loop {
            match line.next().await {
                Said::Message(RelayMessage::Challenge { nonce }) => {
                    let keys = &device.keys;
                    let hello = Hello::sign(keys, public.as_str(), &nonce, epoch.clone(), last);
                    line.say(&DeviceMessage::Hello(hello)).await;
                }
                Said::Message(RelayMessage::Ready(state)) => {
                    let known = epoch.get_or_insert_with(|| state.epoch.clone());
                    assert_eq!(*known, state.epoch, "both nodes are one relay");
                }
                Said::Message(RelayMessage::Answering { .. }) => {}
                Said::Events(deliveries) => {
                    for delivery in deliveries {
                        assert_eq!((delivery.prev, delivery.offset), (last, last + 1));
                        last = delivery.offset;
                        let text = text_of(&mut opener, &delivery);
                        events.send_modify(|events| events.push(text));
                    }
                    let ack = serde_json::to_string(&DeviceMessage::Ack { offset: last }).unwrap();
                    let _ = futures_util::SinkExt::send(&mut line.socket, ack.into()).await;
                }
                Said::Closed(_) => break,
                Said::Message(other) => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_computer_is_served_by_two_nodes_while_either_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let meta = Meta::start().await;
    let balancer = Balancer::start().await;
    let public = balancer.url();
    let file = configuration(folder.path(), &server, &meta, &public);
    let now = Arc::new(AtomicI64::new(SystemClock.now_ms()));
    let device = Device::new(1, &public, &now);

    let first = Node::start(&file);
    *balancer.nodes.lock().unwrap() = vec![first.address];
    bind(&device).await;
    // Started after the binding, so that it knows of it whatever the first one's word for it takes.
    let mut nodes = [first, Node::start(&file)];
    *balancer.nodes.lock().unwrap() = nodes.iter().map(|node| node.address).collect();

    let (events, mut fetched) = watch::channel(Vec::new());
    let app = tokio::spawn(computer(public.clone(), device, events));
    let sent = Arc::new(Mutex::new(Vec::new()));
    let (count, mut counted) = watch::channel(0);
    let customers: Vec<_> = (0..4)
        .map(|customer| {
            let (public, sent, count) = (public.clone(), Arc::clone(&sent), count.clone());
            tokio::spawn(async move {
                // One connection each time, so that it meets either node.
                let http = reqwest::Client::builder()
                    .pool_max_idle_per_host(0)
                    .build()
                    .unwrap();
                for n in 0..MESSAGES / 4 {
                    let text = format!("{customer}/{n}");
                    let times = customer_writes(&http, &public, &text).await;
                    sent.lock().unwrap().push((text, times));
                    count.send_modify(|count| *count += 1);
                }
            })
        })
        .collect();
    for kill in 1..=4 {
        counted
            .wait_for(|count| *count >= kill * MESSAGES / 6)
            .await
            .unwrap();
        let node = &mut nodes[kill % 2];
        node.kill();
        *node = Node::start(&file);
        *balancer.nodes.lock().unwrap() = nodes.iter().map(|node| node.address).collect();
    }
    for customer in customers {
        customer.await.unwrap();
    }
    let sent = sent.lock().unwrap().clone();
    assert_eq!(sent.len(), MESSAGES);
    let all = |events: &Vec<String>| sent.iter().all(|(text, _)| events.contains(text));
    tokio::select! {
        found = fetched.wait_for(all) => drop(found.unwrap()),
        ended = app => panic!("the app ended: {ended:?}"),
    }
    let fetched = fetched.borrow().clone();
    for (text, times) in &sent {
        let fetched = fetched.iter().filter(|fetched| *fetched == text).count();
        assert!(
            (1..=*times).contains(&fetched),
            "{text} was sent {times} times and fetched {fetched}"
        );
    }
    for customer in 0..4 {
        let mut numbers: Vec<usize> = fetched
            .iter()
            .filter_map(|text| text.strip_prefix(&format!("{customer}/"))?.parse().ok())
            .collect();
        numbers.dedup();
        assert!(numbers.is_sorted(), "in the order in which they were taken");
    }
}
