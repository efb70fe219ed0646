#![allow(clippy::unwrap_used)]

use std::{any::Any, sync::Arc};

use async_trait::async_trait;

use super::{test_server::Server, *};
use crate::{
    SystemEntropy,
    storage::{
        self,
        conformance::{Fresh, Lasting},
    },
};

impl Server {
    /// A node on it.
    pub(super) async fn node(&self) -> Arc<Nats> {
        Arc::new(Nats::open(&self.address(), &SystemEntropy).await.unwrap())
    }

    /// A node on it through another address of this computer.
    pub(super) async fn node_through(&self, address: std::net::SocketAddr) -> Arc<Nats> {
        let monitor = self.monitor();
        let address = format!("nats://{address}?monitor=http://127.0.0.1:{monitor}");
        Arc::new(Nats::open(&address, &SystemEntropy).await.unwrap())
    }
}

async fn fresh() -> Fresh {
    let server = Server::start().await;
    Fresh {
        storage: server.node().await,
        _keep: Box::new(server) as Box<dyn Any + Send>,
    }
}

storage::conformance::conformance!(fresh);

/// A relay that is started anew on a server that runs on.
struct OnOneServer {
    server: Server,
    before: tokio::sync::Mutex<Option<Arc<dyn Storage>>>,
}

#[async_trait]
impl Lasting for OnOneServer {
    async fn open(&self) -> Arc<dyn Storage> {
        let mut before = self.before.lock().await;
        if let Some(storage) = before.take() {
            storage.close().await;
        }
        let storage: Arc<dyn Storage> = self.server.node().await;
        *before = Some(Arc::clone(&storage));
        storage
    }
}

async fn lasting() -> OnOneServer {
    OnOneServer {
        server: Server::start().await,
        before: tokio::sync::Mutex::default(),
    }
}

storage::conformance::conformance_of_restarts!(lasting);
