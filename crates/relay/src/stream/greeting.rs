//! The beginning of a stream: challenge, hello, who it is, whether there is anything for it here.
//!
//! Invariant: nothing of a device is looked up before its signature over this connection's own challenge holds. The challenge is random
//! and the signature names this relay, so a hello is good for one connection of one relay.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use shopbell_wire::{CloseReason, DeviceMessage, Hello, RelayMessage, STREAM_PROTOCOL, Thumbprint};

use super::{
    End,
    live::is_notice,
    resume::resume,
    socket::{Heard, Socket},
    stored,
};
use crate::{
    app::App,
    clock::random,
    metrics::{Limit, StorageWork},
};

/// Only this is sure to be in the hello of another version.
#[derive(Deserialize)]
struct AnyHello {
    #[serde(rename = "type")]
    kind: String,
    protocol: u32,
}

/// A device that proved who it is.
pub(super) struct Greeted {
    pub(super) device: Thumbprint,
    /// Whether anything is bound to it.
    pub(super) bound: bool,
    /// The epoch it knows.
    pub(super) epoch: Option<String>,
    /// The last offset it committed in that.
    pub(super) offset: u64,
}

/// From the challenge to the device.
pub(super) async fn greet(app: &App, socket: &mut Socket) -> Result<Greeted, End> {
    let nonce = BASE64_URL_SAFE_NO_PAD.encode(random::<32>(app.entropy.as_ref()));
    let challenge = RelayMessage::Challenge {
        nonce: nonce.clone(),
    };
    socket.say(&challenge).await?;
    let hello = loop {
        match socket.heard().await {
            Heard::Text(text) => break read(&text)?,
            Heard::Life => {}
            Heard::Odd => return Err(CloseReason::Protocol.into()),
            Heard::Gone => return Err(End::Left),
        }
    };
    if !hello.is_signed(app.public_url.as_str(), &nonce) {
        return Err(CloseReason::Unauthorised.into());
    }
    let device = hello.device.thumbprint();
    if app.gate.by_device(Limit::StreamDevice, &device).is_err() {
        return Err(CloseReason::TooMany.into());
    }
    let now_ms = app.now_ms();
    let bound = app.storage.bindings_of(&device, now_ms).await;
    let greeted = Greeted {
        bound: !stored(app, StorageWork::Bindings, bound)?.is_empty(),
        device,
        epoch: hello.epoch,
        offset: hello.offset,
    };
    if !greeted.bound && !notice_waits(app, &greeted).await? {
        return Err(CloseReason::Unauthorised.into());
    }
    Ok(greeted)
}

async fn notice_waits(app: &App, greeted: &Greeted) -> Result<bool, End> {
    let there = app.storage.extent(&greeted.device).await;
    let there = stored(app, StorageWork::Read, there)?;
    let epoch = greeted.epoch.as_deref();
    let found = resume(epoch, greeted.offset, app.storage.epoch(), there);
    let next = app.storage.read(&greeted.device, found.after, 1, 1).await;
    Ok(stored(app, StorageWork::Read, next)?
        .first()
        .is_some_and(is_notice))
}

fn read(text: &str) -> Result<Hello, CloseReason> {
    match serde_json::from_str(text) {
        Ok(DeviceMessage::Hello(hello)) if hello.protocol == STREAM_PROTOCOL => Ok(hello),
        _ => Err(match serde_json::from_str::<AnyHello>(text) {
            Ok(other) if other.kind == "hello" && other.protocol != STREAM_PROTOCOL => {
                CloseReason::Upgrade
            }
            _ => CloseReason::Protocol,
        }),
    }
}
