//! A relay that says what a test tells it to say, frame by frame, and answers the few calls that belong to a stream.

use crate::events::testing::EPOCH;
use futures_util::{SinkExt, StreamExt};
use shopbell_wire::{
    AccountRef, Answering, BindingList, CloseReason, Delivery, DeviceMessage, Hello, RelayMessage,
    StreamState, paths,
};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{Message, protocol::CloseFrame},
};
use url::Url;

/// Its clock: five seconds before the app's.
pub(super) const RELAY_NOW: i64 = 1_767_603_595_000;

/// The relay.
pub(super) struct Double {
    pub(super) base: Url,
    sockets: mpsc::UnboundedReceiver<TcpStream>,
    /// Calls other than the stream, as "METHOD path body".
    pub(super) calls: Arc<Mutex<Vec<String>>>,
}

impl Double {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (found, sockets) = mpsc::unbounded_channel();
        let calls: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let mut head = [0_u8; 64];
                let stream = format!("GET {} ", paths::STREAM);
                let count = socket.peek(&mut head).await.unwrap_or(0);
                if head[..count].starts_with(stream.as_bytes()) {
                    let _ = found.send(socket);
                } else {
                    let heard = Arc::clone(&heard);
                    tokio::spawn(async move { answer(socket, &heard).await });
                }
            }
        });
        Self {
            base,
            sockets,
            calls,
        }
    }

    /// The next connection, before anything was said on it.
    pub(super) async fn socket(&mut self) -> TcpStream {
        self.sockets.recv().await.unwrap()
    }

    /// The next connection as a WebSocket.
    pub(super) async fn peer(&mut self) -> Peer {
        let socket = self.socket().await;
        Peer {
            socket: accept_async(socket).await.unwrap(),
            base: self.base.clone(),
        }
    }

    /// The next connection, challenged; with its hello.
    pub(super) async fn greeted(&mut self) -> (Peer, Hello) {
        let mut peer = self.peer().await;
        let hello = peer.challenge().await;
        (peer, hello)
    }

    /// The next connection, with nothing new for it.
    pub(super) async fn ready(&mut self) -> Peer {
        let (mut peer, hello) = self.greeted().await;
        peer.say(&RelayMessage::Ready(state(EPOCH, 1, hello.offset)))
            .await;
        peer
    }

    /// Whether nobody knocks.
    pub(super) fn is_left_alone(&mut self) -> bool {
        self.sockets.try_recv().is_err()
    }
}

async fn answer(mut socket: TcpStream, calls: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let body_at = loop {
        let mut some = [0_u8; 4096];
        let count = socket.read(&mut some).await.unwrap_or(0);
        request.extend_from_slice(&some[..count]);
        let found = request.windows(4).position(|end| end == b"\r\n\r\n");
        match found {
            Some(at) => break at + 4,
            None if count == 0 => return,
            None => {}
        }
    };
    let head = String::from_utf8_lossy(&request[..body_at]).to_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    while request.len() < body_at + length {
        let mut some = [0_u8; 4096];
        let count = socket.read(&mut some).await.unwrap();
        request.extend_from_slice(&some[..count]);
    }
    let line = String::from_utf8_lossy(&request)
        .lines()
        .next()
        .unwrap()
        .to_owned();
    let line = line.trim_end_matches(" HTTP/1.1");
    let body = String::from_utf8_lossy(&request[body_at..]).into_owned();
    calls.lock().unwrap().push(format!("{line} {body}"));
    let body = serde_json::to_string(&BindingList { bindings: vec![] }).unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = socket.write_all(answer.as_bytes()).await;
}

/// State of a storage.
pub(super) fn state(epoch: &str, oldest: u64, newest: u64) -> StreamState {
    StreamState {
        epoch: epoch.into(),
        oldest,
        newest,
        relay_time_ms: RELAY_NOW,
        outage: None,
    }
}

/// The relay's end of a connection.
pub(super) struct Peer {
    socket: WebSocketStream<TcpStream>,
    base: Url,
}

impl Peer {
    /// Challenges and hears the hello; its signature must hold.
    pub(super) async fn challenge(&mut self) -> Hello {
        let nonce = "bm9uY2U".to_owned();
        self.say(&RelayMessage::Challenge {
            nonce: nonce.clone(),
        })
        .await;
        match self.hears().await {
            Some(DeviceMessage::Hello(hello)) => {
                assert!(hello.is_signed(self.base.as_str(), &nonce));
                hello
            }
            other => panic!("no hello: {other:?}"),
        }
    }

    pub(super) async fn say(&mut self, message: &RelayMessage) {
        self.frame(Message::text(serde_json::to_string(message).unwrap()))
            .await;
    }

    pub(super) async fn frame(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends events with the offset before each.
    pub(super) async fn deliver(&mut self, events: &[(u64, u64, &[u8])]) {
        let mut frame = Vec::new();
        for (prev, offset, event) in events {
            Delivery::write(*offset, *prev, event, &mut frame);
        }
        self.frame(Message::binary(frame)).await;
    }

    /// What the app says next; nothing when it is gone.
    pub(super) async fn hears(&mut self) -> Option<DeviceMessage> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(text.as_str()).unwrap());
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next acknowledgement.
    pub(super) async fn ack(&mut self) -> u64 {
        match self.hears().await {
            Some(DeviceMessage::Ack { offset }) => offset,
            other => panic!("no acknowledgement: {other:?}"),
        }
    }

    /// Pings and waits for the answer: everything sent before was heard.
    pub(super) async fn ping(&mut self) {
        self.frame(Message::Ping(vec![7].into())).await;
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Pong(_))) => return,
                Some(Ok(_)) => {}
                other => panic!("no pong: {other:?}"),
            }
        }
    }

    /// The bare connection: for bytes that are no frames.
    pub(super) fn into_socket(self) -> TcpStream {
        self.socket.into_inner()
    }

    /// Ends when the app has left.
    pub(super) async fn until_left(mut self) {
        while self.hears().await.is_some() {}
    }

    pub(super) async fn close(mut self, reason: CloseReason) {
        let frame = CloseFrame {
            code: reason.code().into(),
            reason: reason.word().into(),
        };
        let _ = self.socket.close(Some(frame)).await;
        // Until the app answered: what it does next follows on the close.
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

/// Who answers for an account of ours.
pub(super) fn answering(account: AccountRef, hello: &Hello, mine: bool, term: u64) -> RelayMessage {
    RelayMessage::Answering {
        accounts: vec![Answering {
            account,
            device: hello.device.thumbprint(),
            mine,
            term,
            until_ms: RELAY_NOW + 90_000,
        }],
    }
}
