//! A line between a node and a server that a test can break: silent towards the node, or cut and dead for a while.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Ends with its handle.
pub(super) struct Line {
    /// Where the node connects.
    pub(super) address: SocketAddr,
    silent: Arc<AtomicBool>,
    dead: Arc<AtomicBool>,
    cuts: watch::Sender<u64>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Line {
    /// A line to a port of this computer.
    pub(super) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (silent, dead) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let cuts = watch::Sender::new(0);
        let accepting = tokio::spawn({
            let (silent, dead, cuts) = (Arc::clone(&silent), Arc::clone(&dead), cuts.clone());
            async move {
                while let Ok((node, _)) = listener.accept().await {
                    if dead.load(Ordering::SeqCst) {
                        continue;
                    }
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                        let (silent, cuts) = (Arc::clone(&silent), cuts.subscribe());
                        tokio::spawn(carry(node, server, silent, cuts));
                    }
                }
            }
        });
        Self {
            address,
            silent,
            dead,
            cuts,
            accepting,
        }
    }

    /// From now on what the server says is lost.
    pub(super) fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// Breaks every connection; new ones are not accepted either.
    pub(super) fn cut(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.cuts.send_modify(|n| *n += 1);
    }

    /// Works again.
    pub(super) fn mend(&self) {
        self.silent.store(false, Ordering::SeqCst);
        self.dead.store(false, Ordering::SeqCst);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cuts.send_modify(|n| *n += 1);
    }
}

async fn carry(
    node: TcpStream,
    server: TcpStream,
    silent: Arc<AtomicBool>,
    mut cuts: watch::Receiver<u64>,
) {
    cuts.borrow_and_update();
    let (mut from_node, mut to_node) = node.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async { tokio::io::copy(&mut from_node, &mut to_server).await };
    let down = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            if !silent.load(Ordering::SeqCst) && to_node.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = up => {}
        () = down => {}
        _ = cuts.changed() => {}
    }
}
