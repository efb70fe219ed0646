//! `GET /v1/stream`: the stream of one device, a WebSocket (protocol: `shopbell_wire::stream`, T13, T36).
//!
//! The walk of a connection: counted per address, upgraded, challenged (`greeting`), seated (`open`), told where it goes on (`resume`),
//! then events go out and acknowledgements come in until it ends (`live`), within a window (`window`). Who answers for an account is
//! agreed on beside it (`answering`).
//!
//! Invariant: one connection is one task with a few kilobytes. It reads from the storage only what fits into its window, and every write
//! has a deadline, so a device that stalls costs that and delays nobody. What is not acknowledged stays in the storage; nothing about
//! what a device has is kept here after its connection ended.
//!
//! Two connections with the same keys: on one node the first is closed with `replaced`. On two nodes that share a storage both get the
//! same events in order; the app drops what it knows by offset, and when one acknowledges what the other has not been sent yet, the
//! other tells a gap. No event is lost without a word.

pub(crate) mod answering;
mod greeting;
mod live;
mod open;
mod resume;
mod socket;
mod window;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use hyper::upgrade::OnUpgrade;
pub(crate) use open::OpenStreams;
use shopbell_wire::{CloseReason, DEAD_MS, DeviceMessage, HELLO_MS, PING_MS, Refusal};
use tokio::time::timeout;

use self::{
    live::Live,
    open::Counted,
    socket::{Broken, Socket},
};
use crate::{
    app::App,
    failure::Failure,
    limits::network,
    metrics::{Limit, StorageWork, StreamEnd},
    storage::Stored,
};

/// How long a stream waits for what. Not an operator's choice: the app counts with the same times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPace {
    /// From the challenge to the hello.
    pub hello: Duration,
    /// Between pings.
    pub ping: Duration,
    /// Without a sign of life, or until something written was taken off.
    pub dead: Duration,
}

impl Default for StreamPace {
    fn default() -> Self {
        Self {
            hello: Duration::from_millis(HELLO_MS),
            ping: Duration::from_millis(PING_MS),
            dead: Duration::from_millis(DEAD_MS),
        }
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// We close it and say why.
    Close(CloseReason),
    /// The device left, or the connection broke.
    Left,
    /// Nothing was heard, or nothing taken off, for too long.
    Dead,
    /// The storage failed.
    Fault,
}

impl From<CloseReason> for End {
    fn from(reason: CloseReason) -> Self {
        Self::Close(reason)
    }
}

impl From<Broken> for End {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Lost => Self::Left,
            Broken::Stalled => Self::Dead,
        }
    }
}

impl From<End> for StreamEnd {
    fn from(end: End) -> Self {
        match end {
            End::Close(reason) => reason.into(),
            End::Left => Self::Left,
            End::Dead => Self::Dead,
            End::Fault => Self::Fault,
        }
    }
}

/// What the storage did, or the end of this connection.
fn stored<T>(app: &App, work: StorageWork, outcome: Stored<T>) -> Result<T, End> {
    outcome.map_err(|error| {
        app.metrics.storage_errors.one(work);
        tracing::error!(%error, "stream");
        End::Fault
    })
}

/// The route.
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    if app.stop.is_cancelled() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let address = app.address(peer, request.headers());
    if let Err(failure) = app.gate.by_address(Limit::StreamAddress, address) {
        return failure.answer(app.now_ms());
    }
    let Some((answer, upgrade)) = socket::upgrade(&mut request) else {
        return Failure::from(Refusal::InvalidRequest).answer(app.now_ms());
    };
    let at_most = app.config.limits.streams_per_address;
    let Some(counted) = app.streams.count(network(address), at_most) else {
        app.metrics.limits.one(Limit::StreamAddress);
        return Failure::from(Refusal::RateLimited).answer(app.now_ms());
    };
    let task = serve(Arc::clone(&app), upgrade, counted);
    tokio::spawn(task);
    answer
}

async fn serve(app: Arc<App>, upgrade: OnUpgrade, _counted: Counted) {
    let pace = app.config.stream_pace;
    let Ok(Some(mut socket)) = timeout(pace.hello, Socket::open(upgrade, pace.dead)).await else {
        return;
    };
    app.metrics.streams_open.inc();
    let (end, last_ack) = connection(&app, &mut socket).await;
    app.metrics.stream_ends.one(end.into());
    tracing::debug!(?end, "stream ended");
    let reason = match end {
        End::Close(reason) => Some(reason),
        // The device comes back and is told where it goes on.
        End::Fault => Some(CloseReason::GoingAway),
        End::Left | End::Dead => None,
    };
    // The socket is dropped last: a stop waits for it.
    if let Some(reason) = reason {
        let mut offset = None;
        let hear = |text: &str| {
            if let Ok(DeviceMessage::Ack { offset: acked }) = serde_json::from_str(text) {
                offset = offset.max(Some(acked));
            }
        };
        socket.close(reason, hear).await;
        // What the device committed before it heard of a stop counts; after a broken protocol nothing it says does.
        if let (End::Close(CloseReason::GoingAway), Some(offset), Some(finish)) =
            (end, offset, last_ack)
        {
            finish.acknowledged(&app, offset).await;
        }
    }
    app.metrics.streams_open.dec();
}

/// One connection from the challenge to its end.
async fn connection(app: &App, socket: &mut Socket) -> (End, Option<live::Finish>) {
    let greeted = tokio::select! {
        () = app.stop.cancelled() => Err(CloseReason::GoingAway.into()),
        greeted = timeout(app.config.stream_pace.hello, greeting::greet(app, socket)) =>
            greeted.unwrap_or(Err(CloseReason::Unauthorised.into())),
    };
    let greeted = match greeted {
        Ok(greeted) => greeted,
        Err(end) => return (end, None),
    };
    let seated = app.streams.sit(&greeted.device);
    // A stop closes the seats it finds; this one may have come later.
    if app.stop.is_cancelled() {
        return (CloseReason::GoingAway.into(), None);
    }
    match Live::begin(app, socket, &seated.seat, greeted).await {
        Ok(mut live) => {
            let end = live.run().await;
            (end, Some(live.finish()))
        }
        Err(end) => (end, None),
    }
}
