//! The line between app and relay: it can be cut, it can lose answers after the relay has given them, and it can fall silent so that
//! neither end notices.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is wrong with the line.
#[derive(Clone, Default)]
pub struct Line {
    lose: Arc<AtomicUsize>,
    cut: Arc<AtomicBool>,
    silences: Arc<AtomicUsize>,
}

impl Line {
    #[allow(dead_code, reason = "not every test loses answers")]
    /// The next answers never arrive, though the relay did its work.
    pub fn lose(&self, answers: usize) {
        self.lose.store(answers, Ordering::SeqCst);
    }

    /// Nothing comes through, or everything again.
    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }

    /// Connections that are open now carry nothing any more and stay open; new ones are fine.
    #[allow(
        dead_code,
        reason = "not every test waits until a silent line is noticed"
    )]
    pub fn fall_silent(&self) {
        self.silences.fetch_add(1, Ordering::SeqCst);
    }

    fn loses_this(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.cut.load(Ordering::SeqCst)
            || self
                .lose
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
                .is_ok()
    }

    /// Carries every connection of `listener` to `target`.
    pub fn serve(&self, listener: TcpListener, target: SocketAddr) {
        let line = self.clone();
        tokio::spawn(async move {
            while let Ok((app, _)) = listener.accept().await {
                if line.cut.load(Ordering::SeqCst) {
                    continue;
                }
                tokio::spawn(line.clone().carry(app, target));
            }
        });
    }

    async fn carry(self, app: TcpStream, target: SocketAddr) {
        let Ok(relay) = TcpStream::connect(target).await else {
            return;
        };
        let (mut from_app, mut to_app) = app.into_split();
        let (mut from_relay, mut to_relay) = relay.into_split();
        let before = self.silences.load(Ordering::SeqCst);
        let is_silent = || self.silences.load(Ordering::SeqCst) != before;
        let up = async {
            let mut bytes = vec![0; 16 * 1024];
            while let Ok(n @ 1..) = from_app.read(&mut bytes).await {
                if !is_silent() && to_relay.write_all(&bytes[..n]).await.is_err() {
                    break;
                }
            }
        };
        let down = async {
            let mut bytes = vec![0; 16 * 1024];
            while let Ok(n @ 1..) = from_relay.read(&mut bytes).await {
                if is_silent() {
                    continue;
                }
                if self.loses_this() || to_app.write_all(&bytes[..n]).await.is_err() {
                    break;
                }
            }
            if is_silent() {
                // Not even the end is told.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! { () = up => {}, () = down => {} }
    }
}
