//! One WebSocket to the relay, over the same HTTP client as every other call: the same certificates, the same proxy.
//!
//! Invariant: buffers are small, what is read has a limit that is checked before it is read, and nothing is waited for longer than
//! [`DEAD_MS`] of the injected clock.

use super::{
    after::End,
    frames::{Heard, read},
};
use crate::{Clock, platform::http};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use reqwest::{StatusCode, header};
use shopbell_wire::{CloseReason, DEAD_MS, DeviceMessage, FRAME_MAX_BYTES, paths};
use std::{sync::Arc, time::Duration};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};
use url::Url;

/// What is read from the connection at a time.
const READ_BUFFER: usize = 16 * 1024;
/// What we say is short.
const WRITE_BUFFER_MAX: usize = 64 * 1024;

/// An open connection.
pub(super) struct Socket {
    inner: WebSocketStream<reqwest::Upgraded>,
    clock: Arc<dyn Clock>,
}

impl Socket {
    /// Connects.
    ///
    /// # Errors
    /// Why not.
    pub(super) async fn open(
        client: &reqwest::Client,
        relay: &Url,
        random: [u8; 16],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, End> {
        let late = clock.sleep(Duration::from_millis(DEAD_MS));
        let inner = tokio::select! {
            inner = connect(client, relay, random) => inner?,
            () = late => return Err(End::Unreachable),
        };
        Ok(Self { inner, clock })
    }

    /// The next frame. May be given up and asked again.
    pub(super) async fn heard(&mut self) -> Result<Heard, End> {
        read(self.inner.next().await)
    }

    /// Says something.
    pub(super) async fn say(&mut self, message: &DeviceMessage) -> Result<(), End> {
        // Plain data of our own always encodes; the relay closes on what it cannot read.
        let text = serde_json::to_string(message).unwrap_or_default();
        let late = self.clock.sleep(Duration::from_millis(DEAD_MS));
        tokio::select! {
            said = self.inner.send(Message::text(text)) => said.map_err(|_| End::Broke),
            () = late => Err(End::Silent),
        }
    }
}

async fn connect(
    client: &reqwest::Client,
    relay: &Url,
    random: [u8; 16],
) -> Result<WebSocketStream<reqwest::Upgraded>, End> {
    let mut address = relay.clone();
    address.set_path(paths::STREAM);
    let key = STANDARD.encode(random);
    let accepted = derive_accept_key(key.as_bytes());
    let answer = client
        .get(address)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, key)
        .send()
        .await
        .map_err(|error| {
            if http::looks_offline(&error) {
                End::Offline
            } else {
                End::Unreachable
            }
        })?;
    match answer.status() {
        StatusCode::SWITCHING_PROTOCOLS => {}
        StatusCode::TOO_MANY_REQUESTS => return Err(End::Closed(CloseReason::TooMany)),
        _ => return Err(End::Unreachable),
    }
    let says = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let upgraded = says(header::UPGRADE).is_some_and(|to| to.eq_ignore_ascii_case("websocket"));
    if !upgraded || says(header::SEC_WEBSOCKET_ACCEPT) != Some(accepted.as_str()) {
        return Err(End::Unreachable);
    }
    let upgraded = answer.upgrade().await.map_err(|_| End::Unreachable)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .max_message_size(Some(FRAME_MAX_BYTES))
        .max_frame_size(Some(FRAME_MAX_BYTES));
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}
