//! A computer's stream as the app holds it, and customers who write.

use std::collections::BTreeMap;

use futures_util::{SinkExt as _, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::StatusCode;
use serde_json::json;
use sha2::Sha256;
use shopbell_wire::*;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_with_config, connect_async,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use super::{
    harness::{Device, World, ok},
    meta::{APP_SECRET, IG_ID, PAGE_TOKEN},
};

/// What came from the relay.
#[derive(Debug)]
pub enum Said {
    Message(RelayMessage),
    Events(Vec<Delivery>),
    Closed(Option<CloseReason>),
}

/// One connection.
pub struct Line {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Who answers, as last told.
    pub answering: BTreeMap<AccountRef, Answering>,
}

/// The page of the scripted Meta.
pub fn page() -> AccountRef {
    AccountRef {
        kind: AccountKind::Page,
        platform_id: "1001".into(),
    }
}

/// Its Instagram account.
pub fn instagram() -> AccountRef {
    AccountRef {
        kind: AccountKind::Instagram,
        platform_id: IG_ID.into(),
    }
}

/// Binds another computer to the page alone.
pub async fn bind(device: &Device) {
    let shown = ShowToken {
        account: page(),
        provider: Provider::Facebook,
        token: Secret::new(PAGE_TOKEN),
    };
    ok::<BindingList>(device.post_json(paths::BINDINGS_RENEW, &shown).await).await;
}

/// `X-Hub-Signature-256` of a body.
pub fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// One entry per text, for the page, in one delivery of Meta.
pub async fn customers_write(world: &World, texts: impl IntoIterator<Item = String>) {
    let entries: Vec<_> = texts
        .into_iter()
        .enumerate()
        .map(|(n, text)| {
            json!({"id": "1001", "time": super::harness::NOW, "messaging": [{
                "sender": {"id": "7700"}, "recipient": {"id": "1001"},
                "message": {"mid": format!("m_{n}"), "text": text}}]})
        })
        .collect();
    deliver(
        world,
        json!({"object": "page", "entry": entries}).to_string(),
    )
    .await;
}

/// A signed delivery of Meta that is taken.
pub async fn deliver(world: &World, body: String) {
    let answer = world
        .device
        .http
        .post(world.device.url(paths::WEBHOOKS_META))
        .header("x-hub-signature-256", signature(&body))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

/// Meta passes on that the owner wants everything deleted.
pub async fn delete_owner(world: &World) {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let payload = BASE64.encode(
        json!({"algorithm": "HMAC-SHA256", "user_id": "1207", "issued_at": super::harness::NOW / 1000})
            .to_string(),
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    let signed = format!("{}.{payload}", BASE64.encode(mac.finalize().into_bytes()));
    let answer = world
        .device
        .http
        .post(world.device.url(paths::DATA_DELETION))
        .form(&[("signed_request", signed)])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

/// That many short messages, numbered from 1.
pub async fn messages(world: &World, count: usize) {
    let texts: Vec<_> = (1..=count).map(|n| format!("message {n}")).collect();
    for some in texts.chunks(1000) {
        customers_write(world, some.to_vec()).await;
    }
}

/// What the customer wrote, opened with the computer's keys.
pub fn text_of(opener: &mut EventOpener<'_>, delivery: &Delivery) -> String {
    let sealed = SealedEvent::from_bytes(&delivery.event).unwrap();
    assert_eq!(sealed.kind, EventKind::META);
    assert_eq!(sealed.subject, "page/1001");
    let plain = opener.open(&sealed).unwrap();
    let event: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    event["entry"]["messaging"][0]["message"]["text"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub fn offsets(events: &[Delivery]) -> Vec<u64> {
    events.iter().map(|event| event.offset).collect()
}

impl Line {
    /// Connects; nothing was said yet.
    pub async fn dial(world: &World) -> Self {
        let (socket, _) = connect_async(address(world)).await.unwrap();
        Self {
            socket,
            answering: BTreeMap::new(),
        }
    }

    /// Connects with a receive buffer of the operating system so small that a relay notices who does not read.
    pub async fn dial_narrow(world: &World) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(world.relay.listening).await.unwrap();
        let config = WebSocketConfig::default().read_buffer_size(1024);
        let stream = MaybeTlsStream::Plain(stream);
        let (socket, _) = client_async_with_config(address(world), stream, Some(config))
            .await
            .unwrap();
        Self {
            socket,
            answering: BTreeMap::new(),
        }
    }

    /// Connects, or the status it is refused with.
    pub async fn try_dial(world: &World) -> Result<Self, u16> {
        match connect_async(address(world)).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                answering: BTreeMap::new(),
            }),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// The challenge's nonce.
    pub async fn challenge(&mut self) -> String {
        match self.next().await {
            Said::Message(RelayMessage::Challenge { nonce }) => nonce,
            other => panic!("{other:?}"),
        }
    }

    /// Answers the challenge as the app does; gives back `ready` or `gap`.
    pub async fn greet(
        &mut self,
        world: &World,
        device: &Device,
        epoch: Option<&str>,
        offset: u64,
    ) -> RelayMessage {
        let nonce = self.challenge().await;
        let relay = world.relay.base_url.as_str();
        let hello = Hello::sign(&device.keys, relay, &nonce, epoch.map(Into::into), offset);
        self.say(&DeviceMessage::Hello(hello)).await;
        match self.next().await {
            Said::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    /// A stream that goes on after an offset without a gap.
    pub async fn open(world: &World, device: &Device, after: u64) -> (Self, StreamState) {
        let mut line = Self::dial(world).await;
        let epoch = match after {
            0 => None,
            _ => Some(epoch(world, device).await),
        };
        match line.greet(world, device, epoch.as_deref(), after).await {
            RelayMessage::Ready(state) => (line, state),
            other => panic!("{other:?}"),
        }
    }

    /// A new computer's stream.
    pub async fn new(world: &World, device: &Device) -> Self {
        Self::open(world, device, 0).await.0
    }

    pub async fn say(&mut self, message: &DeviceMessage) {
        let text = serde_json::to_string(message).unwrap();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub async fn ack(&mut self, offset: u64) {
        self.say(&DeviceMessage::Ack { offset }).await;
    }

    /// The next thing the relay says, pings aside.
    pub async fn next(&mut self) -> Said {
        loop {
            return match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(&text).unwrap();
                    if let RelayMessage::Answering { accounts } = &message {
                        self.answering = accounts
                            .iter()
                            .map(|one| (one.account.clone(), one.clone()))
                            .collect();
                    }
                    Said::Message(message)
                }
                Some(Ok(Message::Binary(frame))) => {
                    Said::Events(Delivery::read_all(&frame).unwrap())
                }
                Some(Ok(Message::Close(frame))) => {
                    Said::Closed(frame.and_then(|f| CloseReason::from_code(f.code.into())))
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(tungstenite::Error::Io(_) | tungstenite::Error::Protocol(_))) | None => {
                    Said::Closed(None)
                }
                Some(Err(other)) => panic!("{other}"),
            };
        }
    }

    /// The next that many events; who answers may change between them.
    pub async fn events(&mut self, count: usize) -> Vec<Delivery> {
        let mut out = Vec::new();
        while out.len() < count {
            match self.next().await {
                Said::Events(events) => out.extend(events),
                Said::Message(RelayMessage::Answering { .. }) => {}
                other => panic!("{other:?} after {} events", out.len()),
            }
        }
        assert_eq!(out.len(), count, "more than there should be");
        out
    }

    /// `ready`.
    pub async fn told_ready(&mut self) {
        match self.next().await {
            Said::Message(RelayMessage::Ready(_)) => {}
            other => panic!("{other:?}"),
        }
    }

    /// Two pings of the relay: whatever it does between them was done.
    pub async fn some_pings(&mut self) {
        let mut pings = 0;
        while pings < 2 {
            if let Message::Ping(_) = self.socket.next().await.unwrap().unwrap() {
                pings += 1;
            }
        }
    }

    /// How the relay closes it.
    pub async fn closed(&mut self) -> Option<CloseReason> {
        loop {
            if let Said::Closed(reason) = self.next().await {
                return reason;
            }
        }
    }

    /// Who answers, when that is told the next time.
    pub async fn told(&mut self) -> &BTreeMap<AccountRef, Answering> {
        match self.next().await {
            Said::Message(RelayMessage::Answering { .. }) => &self.answering,
            other => panic!("{other:?}"),
        }
    }

    /// Until somebody is told to answer for the page under this term; answers whether it is this computer.
    pub async fn until_term(&mut self, term: u64) -> bool {
        loop {
            if let Some(one) = self.told().await.get(&page())
                && one.term == term
            {
                return one.mine;
            }
        }
    }

    /// Goes there and back twice and gives what came meanwhile. The relay does one thing after the other, so what it would have sent by
    /// itself is among it.
    pub async fn meanwhile(&mut self) -> Vec<Said> {
        let mut out = Vec::new();
        for round in 0..2u8 {
            self.socket
                .send(Message::Ping(vec![round].into()))
                .await
                .unwrap();
            loop {
                match self.socket.next().await.unwrap().unwrap() {
                    Message::Pong(payload) if *payload == [round] => break,
                    Message::Text(text) => {
                        out.push(Said::Message(serde_json::from_str(&text).unwrap()));
                    }
                    Message::Binary(frame) => {
                        out.push(Said::Events(Delivery::read_all(&frame).unwrap()));
                    }
                    Message::Ping(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        out
    }
}

fn address(world: &World) -> String {
    let mut url = world.relay.base_url.join(paths::STREAM).unwrap();
    url.set_scheme("ws").unwrap();
    url.into()
}

/// The epoch of the relay's storage, as any connection is told.
pub async fn epoch(world: &World, device: &Device) -> String {
    match Line::dial(world).await.greet(world, device, None, 0).await {
        RelayMessage::Ready(state) | RelayMessage::Gap { state, .. } => state.epoch,
        other => panic!("{other:?}"),
    }
}
