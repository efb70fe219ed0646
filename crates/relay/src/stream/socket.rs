//! One WebSocket: frames in and out, with deadlines.
//!
//! Invariant: an idle socket holds about a kilobyte, whatever went through it before. So the buffers are small (decision T36) and a
//! large message is written in fragments: the writing half never holds more than one of them. Between fragments go pings, so that a slow
//! line is heard on both ends. What the messages mean does not belong here.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use shopbell_wire::{CloseReason, TEXT_MAX_BYTES};
use tokio::{io::AsyncReadExt as _, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        handshake::server::create_response_with_body,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

/// Acknowledgements have thirty bytes, a hello five hundred.
const READ_BUFFER: usize = 1024;
/// Longest fragment of a binary message.
const FRAGMENT: usize = 16 * 1024;
/// A ping after so many fragments of one message: 64 KiB, which a line of 5 KB/s carries before anybody is taken for dead.
const PING_EVERY: usize = 4;
/// How long the other side has to answer a close.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What came in.
pub(super) enum Heard {
    /// A text message.
    Text(Utf8Bytes),
    /// A ping or pong: a sign of life.
    Life,
    /// What no device of ours sends: a binary message, text that is not UTF-8, a frame that is too large or against RFC 6455.
    Odd,
    /// The other side closed, or the connection broke.
    Gone,
}

/// Nothing can be written any more.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection is gone.
    Lost,
    /// The other side takes nothing off.
    Stalled,
}

/// The server's end of a WebSocket.
pub(super) struct Socket {
    inner: WebSocketStream<TokioIo<Upgraded>>,
    write_within: Duration,
}

/// The answer to a request for a WebSocket and what becomes one; nothing when it is not such a request.
pub(super) fn upgrade<B>(
    request: &mut axum::http::Request<B>,
) -> Option<(axum::response::Response, OnUpgrade)> {
    let answer = create_response_with_body(request, Body::empty).ok()?;
    Some((answer, hyper::upgrade::on(request)))
}

impl Socket {
    /// Takes the connection over.
    pub(super) async fn open(upgrade: OnUpgrade, write_within: Duration) -> Option<Self> {
        let io = TokioIo::new(upgrade.await.ok()?);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(TEXT_MAX_BYTES))
            .max_frame_size(Some(TEXT_MAX_BYTES));
        Some(Self {
            inner: WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await,
            write_within,
        })
    }

    /// The next thing heard. Safe to drop half-way.
    pub(super) async fn heard(&mut self) -> Heard {
        match self.inner.next().await {
            Some(Ok(Message::Text(text))) => Heard::Text(text),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Life,
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => Heard::Odd,
            Some(Ok(Message::Close(_))) => {
                // The answer to a close is queued by the library and goes with the next flush.
                let _ = timeout(CLOSE_WITHIN, self.inner.flush()).await;
                Heard::Gone
            }
            Some(Err(tungstenite::Error::Io(_))) | None => Heard::Gone,
            Some(Err(tungstenite::Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            ))) => Heard::Gone,
            Some(Err(_)) => Heard::Odd,
        }
    }

    /// Sends a control message of ours.
    pub(super) async fn say(&mut self, message: &impl Serialize) -> Result<(), Broken> {
        let text = serde_json::to_string(message).map_err(|_| Broken::Lost)?;
        self.write(Message::text(text)).await
    }

    /// Sends a binary message, in fragments when it is long.
    pub(super) async fn deliver(&mut self, message: Bytes) -> Result<(), Broken> {
        let mut rest = message;
        let mut sent = 0;
        loop {
            let fragment = rest.split_to(rest.len().min(FRAGMENT));
            let opcode = OpCode::Data(if sent == 0 {
                Data::Binary
            } else {
                Data::Continue
            });
            let last = rest.is_empty();
            self.write(Message::Frame(Frame::message(fragment, opcode, last)))
                .await?;
            if last {
                return Ok(());
            }
            sent += 1;
            if sent % PING_EVERY == 0 {
                self.ping().await?;
            }
        }
    }

    /// Asks for a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), Broken> {
        self.write(Message::Ping(Bytes::new())).await
    }

    /// Closes with a reason. What the device said before it heard of that goes to `last_words`.
    pub(super) async fn close(&mut self, reason: CloseReason, mut last_words: impl FnMut(&str)) {
        let frame = CloseFrame {
            code: CloseCode::from(reason.code()),
            reason: Utf8Bytes::from_static(reason.word()),
        };
        if self.write(Message::Close(Some(frame))).await.is_err() {
            return;
        }
        // Dropping a connection with unread bytes resets it, and the reason may be lost on the way.
        let drained = async {
            loop {
                match self.heard().await {
                    Heard::Text(text) => last_words(&text),
                    Heard::Life => {}
                    Heard::Gone => return,
                    Heard::Odd => break,
                }
            }
            let mut sink = [0u8; 1024];
            while let Ok(1..) = self.inner.get_mut().read(&mut sink).await {}
        };
        let _ = timeout(CLOSE_WITHIN, drained).await;
    }

    async fn write(&mut self, message: Message) -> Result<(), Broken> {
        match timeout(self.write_within, self.inner.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Broken::Lost),
            Err(_) => Err(Broken::Stalled),
        }
    }
}
