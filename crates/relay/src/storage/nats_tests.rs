#![allow(clippy::unwrap_used)]

use std::{any::Any, sync::Arc};

use async_trait::async_trait;

use super::{test_server::Server, *};
use crate::storage::{
    self,
    conformance::{Fresh, Lasting},
};

async fn fresh() -> Fresh {
    let server = Server::start().await;
    Fresh {
        storage: server.storage().await,
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
        let storage = self.server.storage().await;
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
