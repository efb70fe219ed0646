//! A socket that tells whether it moves, and gives its place back when it is dropped.
//!
//! Invariant: the place is tied to the socket and not to the task that serves it, because a stream outlives that task: after the
//! upgrade the socket goes to whoever speaks WebSocket.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// What happens on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    moves: AtomicU64,
    begun: AtomicU64,
    open: AtomicU32,
}

/// A glance at an [`Activity`]; two of them tell what happened between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glance {
    /// Reads and writes that moved something.
    pub(super) moves: u64,
    /// Requests that began.
    pub(super) begun: u64,
    /// Requests that are being answered.
    pub(super) open: u32,
}

impl Activity {
    pub(super) fn glance(&self) -> Glance {
        Glance {
            moves: self.moves.load(Ordering::Relaxed),
            begun: self.begun.load(Ordering::Relaxed),
            open: self.open.load(Ordering::Relaxed),
        }
    }

    /// A request is being answered as long as the result lives.
    pub(super) fn begin(self: &Arc<Self>) -> Answering {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }
}

pub(super) struct Answering(Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Places for sockets: so many in all, so many per address.
pub(super) struct Places {
    most: u32,
    most_of_address: Option<u32>,
    taken: Mutex<Taken>,
    open: Gauge,
}

#[derive(Default)]
struct Taken {
    all: u32,
    of: HashMap<IpAddr, u32>,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    All,
    Address,
}

impl Places {
    pub(super) fn new(most: u32, most_of_address: Option<u32>, open: Gauge) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_of_address,
            taken: Mutex::default(),
            open,
        })
    }

    pub(super) fn take(
        self: &Arc<Self>,
        ip: IpAddr,
        tracked: TaskTrackerToken,
    ) -> Result<Place, Full> {
        let ip = crate::limits::network(ip);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.most {
            return Err(Full::All);
        }
        let of_address = taken.of.get(&ip).copied().unwrap_or(0);
        if self.most_of_address.is_some_and(|most| of_address >= most) {
            return Err(Full::Address);
        }
        taken.of.insert(ip, of_address + 1);
        taken.all += 1;
        self.open.inc();
        Ok(Place {
            places: Arc::clone(self),
            ip,
            _tracked: tracked,
        })
    }
}

/// A place; given back when dropped.
pub(super) struct Place {
    places: Arc<Places>,
    ip: IpAddr,
    _tracked: TaskTrackerToken,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self
            .places
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(count) = taken.of.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                taken.of.remove(&self.ip);
            }
        }
        self.places.open.dec();
    }
}

/// The socket.
pub(super) struct Watched<S> {
    pub(super) io: S,
    pub(super) activity: Arc<Activity>,
    pub(super) _place: Place,
}

impl<S> Watched<S> {
    fn moved(&self, done: bool) {
        if done {
            self.activity.moves.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.moved(buffer.filled().len() > before);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.moved(matches!(written, Poll::Ready(Ok(1..))));
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.moved(matches!(written, Poll::Ready(Ok(1..))));
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio_util::task::TaskTracker;

    #[test]
    fn a_place_is_free_again_when_its_socket_is_gone() {
        let (tracker, open) = (TaskTracker::new(), Gauge::default());
        let places = Places::new(3, Some(2), open.clone());
        let take = |ip: &str| places.take(ip.parse().unwrap(), tracker.token());
        let first = take("198.51.100.1").unwrap();
        let _second = take("198.51.100.1").unwrap();
        assert_eq!(take("198.51.100.1").err(), Some(Full::Address));
        let _third = take("198.51.100.2").unwrap();
        assert_eq!(take("198.51.100.3").err(), Some(Full::All));
        assert_eq!(open.get(), 3);
        drop(first);
        assert_eq!(open.get(), 2);
        let _again = take("198.51.100.1").unwrap();
        assert!(
            !places
                .taken
                .lock()
                .unwrap()
                .of
                .contains_key(&"198.51.100.3".parse::<IpAddr>().unwrap()),
            "the table holds nobody who has no socket"
        );
    }
}
