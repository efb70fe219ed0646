//! Sockets: taking them in, TLS, HTTP/1 and HTTP/2 on them, and when they have to go.
//!
//! Invariant: whoever sends nothing, sends slowly or takes nothing holds a socket for a bounded time and one of a bounded number of
//! places; nobody is served slower for it. What is asked for and who asks belong to the handlers.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;

use super::watched::{Activity, Full, Place, Places, Watched};
use crate::{
    app::REQUEST_MAX,
    metrics::{ConnectionOutcome, Counts},
    tls,
};

/// A handshake takes two round trips.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// A head with all its fields. Ours are below 4 KiB; Meta's `code` and our `state` come back in the first line.
const HEAD_MAX: usize = 16 * 1024;
/// Fields of a head.
const FIELDS_MAX: usize = 64;
/// Requests at once on one HTTP/2 connection.
const H2_REQUESTS: u32 = 64;
/// What one HTTP/2 connection may have waiting to be read by us or by its client.
const H2_BUFFER: u32 = 256 * 1024;

/// What all sockets of one listener share.
pub(super) struct Sockets {
    pub(super) router: Router,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) places: Arc<Places>,
    pub(super) counts: Counts<ConnectionOutcome>,
    pub(super) head_max: Duration,
    /// Take no more; end what is open after its request.
    pub(super) stop: CancellationToken,
    /// End what is open now.
    pub(super) cut: CancellationToken,
    /// Lives as long as any socket.
    pub(super) tracker: TaskTracker,
}

/// Takes sockets in until it is stopped.
pub(super) async fn listen<L: Listener<Addr = SocketAddr>>(mut listener: L, sockets: Arc<Sockets>) {
    loop {
        let (io, peer) = tokio::select! {
            () = sockets.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        // Who is over a limit is not even answered: an answer costs more than the socket.
        let place = match sockets.places.take(peer.ip(), sockets.tracker.token()) {
            Ok(place) => place,
            Err(Full::All) => {
                sockets.counts.one(ConnectionOutcome::TooMany);
                continue;
            }
            Err(Full::Address) => {
                sockets.counts.one(ConnectionOutcome::TooManyOfAddress);
                continue;
            }
        };
        let here = Arc::clone(&sockets);
        tokio::spawn(async move {
            let outcome = tokio::select! {
                () = here.cut.cancelled() => ConnectionOutcome::Broken,
                outcome = here.open(io, peer, place) => outcome,
            };
            here.counts.one(outcome);
        });
    }
}

impl Sockets {
    async fn open<S>(&self, io: S, peer: SocketAddr, place: Place) -> ConnectionOutcome
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(config) = &self.tls else {
            return self.serve(io, peer, place, false).await;
        };
        let handshake = TlsAcceptor::from(Arc::clone(config)).accept(io);
        match tokio::time::timeout(HANDSHAKE_MAX, handshake).await {
            Ok(Ok(stream)) => {
                let h2 = stream.get_ref().1.alpn_protocol() == Some(tls::H2);
                self.serve(stream, peer, place, h2).await
            }
            Ok(Err(_)) | Err(_) => ConnectionOutcome::NoHandshake,
        }
    }

    /// Without TLS it is HTTP/1: looking for HTTP/2's first bytes would be one more place to wait in.
    async fn serve<S>(&self, io: S, peer: SocketAddr, place: Place, h2: bool) -> ConnectionOutcome
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::default());
        let io = TokioIo::new(Watched {
            io,
            activity: Arc::clone(&activity),
            _place: place,
        });
        let (router, seen) = (self.router.clone(), Arc::clone(&activity));
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let answering = seen.begin();
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().call(request);
            async move {
                let answer = answer.await;
                drop(answering);
                answer
            }
        });
        if h2 {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(H2_REQUESTS)
                .max_header_list_size(HEAD_MAX as u32)
                .initial_connection_window_size(H2_BUFFER)
                .max_send_buf_size(H2_BUFFER as usize)
                .serve_connection(io, service);
            self.drive(connection, &activity).await
        } else {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.head_max)
                .max_header_size(HEAD_MAX)
                .max_headers(FIELDS_MAX)
                .serve_connection(io, service)
                .with_upgrades();
            self.drive(connection, &activity).await
        }
    }

    /// Runs a connection to its end, and ends it when nothing has happened on it for too long: a client that stops in the middle of a
    /// body or takes no more of an answer is not seen by the limit on heads.
    async fn drive<C: Connection>(&self, connection: C, activity: &Activity) -> ConnectionOutcome {
        let mut connection = std::pin::pin!(connection);
        let patience = REQUEST_MAX.as_secs() / self.head_max.as_secs().max(1) + 2;
        let mut ticks = tokio::time::interval(self.head_max);
        ticks.reset();
        let (mut before, mut quiet, mut leaving) = (activity.glance(), 0u64, false);
        loop {
            tokio::select! {
                ended = connection.as_mut() => return match ended {
                    Ok(()) => ConnectionOutcome::Served,
                    Err(_) => ConnectionOutcome::Broken,
                },
                () = self.stop.cancelled(), if !leaving => {
                    leaving = true;
                    connection.as_mut().leave();
                }
                _ = ticks.tick() => {
                    let now = activity.glance();
                    quiet = if now.moves == before.moves { quiet + 1 } else { 0 };
                    if now.open == 0 && now.begun == before.begun && !leaving {
                        leaving = true;
                        connection.as_mut().leave();
                    } else if quiet > if now.open == 0 { 1 } else { patience } {
                        return ConnectionOutcome::Broken;
                    }
                    before = now;
                }
            }
        }
    }
}

/// A connection that can be asked to end after what it is doing.
trait Connection: Future<Output = hyper::Result<()>> {
    fn leave(self: Pin<&mut Self>);
}

macro_rules! connection {
    ($name:ty, $($bound:tt)*) => {
        impl<I, B, S> Connection for $name
        where
            S: hyper::service::HttpService<Incoming, ResBody = B>,
            S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
            I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
            B: hyper::body::Body + 'static,
            B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
            $($bound)*
        {
            fn leave(self: Pin<&mut Self>) {
                self.graceful_shutdown();
            }
        }
    };
}

connection!(http1::UpgradeableConnection<I, S>,);
connection!(
    http2::Connection<I, S, TokioExecutor>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
);
