//! Starting and stopping a sandbox. Dropping it ends the server, its open connections and the postman.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::control::WorldHandle;
use crate::generate;
use crate::http::line::{Door, Line};
use crate::http::{Shared, router};
use crate::webhooks::deliver;
use crate::world::World;

/// A sandbox that could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or may not be used.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// Why not.
        source: std::io::Error,
    },
    /// The built-in conversations do not parse.
    #[error("the built-in conversations: {0}")]
    Scripts(String),
}

/// A running sandbox on 127.0.0.1.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
    ended: Arc<AtomicBool>,
}

impl Sandbox {
    /// Builds the world of this configuration and serves it.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let port = config.port;
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(|source| StartError::Listen { port, source })?;
        let ended = Arc::new(AtomicBool::new(false));
        let door = Door::new(listener, ended.clone());
        let address = door
            .address()
            .map_err(|source| StartError::Listen { port, source })?;
        let mut world = World::new(config);
        world.origin = format!("http://{address}");
        generate::fill(&mut world).map_err(StartError::Scripts)?;
        let shared = Arc::new(Shared::new(world));
        let service = router(shared.clone()).into_make_service_with_connect_info::<Line>();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(door, service).await {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        });
        let postman = tokio::spawn(deliver::run(shared.clone()));
        Ok(Sandbox {
            address,
            shared,
            tasks: vec![server, postman],
            ended,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:{port}`, without a trailing slash. Bare version paths below it are
    /// graph.facebook.com.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of one simulated host by path prefix, for example `host("graph.instagram.com")`.
    pub fn host(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// The world, to give orders to and to look at.
    pub fn world(&self) -> WorldHandle {
        WorldHandle::new(self.shared.clone())
    }

    /// Serves until the process ends.
    pub async fn serve_on(mut self) {
        if let Some(server) = self.tasks.first_mut()
            && let Err(error) = server.await
        {
            tracing::error!(%error, "the sandbox's server ended");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        for task in &self.tasks {
            task.abort();
        }
    }
}
