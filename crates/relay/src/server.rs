//! Starting and stopping: one relay in this process, for the binary and for tests alike.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use crate::{
    Clock, Config, ConfigError, Entropy, SystemEntropy,
    app::{App, routes},
    key::{KeyError, RelayKey},
    limits::Gate,
    metrics::Metrics,
    storage::{self, StorageError},
    upstream::Upstream,
};

/// How often what has had its time is deleted.
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// How long open requests may take to end after a stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database does not open.
    #[error("the storage does not open: {0}")]
    Storage(#[from] StorageError),
    /// The address is taken or not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    Client,
}

/// A running relay. Dropping it stops it.
pub struct Relay {
    /// Its public URL: what the app is told and what device proofs name.
    pub base_url: Url,
    /// Where it listens.
    pub listening: SocketAddr,
    app: Arc<App>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    _guard: DropGuard,
}

impl Relay {
    /// Starts with the system's randomness.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(config: Config, clock: impl Clock) -> Result<Self, StartError> {
        Self::start_with(config, Arc::new(clock), Arc::new(SystemEntropy)).await
    }

    /// Starts with everything injected.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start_with(
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        config.check()?;
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|e| StartError::Listen(config.listen, e))?;
        let listening = listener
            .local_addr()
            .map_err(|e| StartError::Listen(config.listen, e))?;
        let base_url = match &config.public_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://{listening}"))
                .map_err(|_| ConfigError::Invalid("the bound address is no URL"))?,
        };
        let key = RelayKey::load(&config.key_source(), entropy.as_ref())?;
        let storage = storage::open(&config.storage).await?;
        let upstream = Upstream::new(&config).map_err(|_| StartError::Client)?;
        let stop = CancellationToken::new();
        let metrics = Metrics::new();
        let app = Arc::new(App {
            gate: Gate::new(config.limits, Arc::clone(&clock), metrics.limits.clone()),
            public_url: base_url.clone(),
            config,
            key,
            storage,
            upstream,
            clock,
            entropy,
            metrics,
            stop: stop.clone(),
        });
        let service = routes(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
        let server =
            axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
        let serving = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the server ended");
            }
        });
        tokio::spawn(purge(Arc::clone(&app), stop.clone()));
        tracing::info!(%listening, public_url = %base_url, "relay started");
        Ok(Self {
            base_url,
            listening,
            app,
            _guard: stop.clone().drop_guard(),
            stop,
            serving,
        })
    }

    /// Deletes at once what has had its time; the relay does it every minute by itself.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn purge_now(&self) -> Result<(), StartError> {
        self.app.gate.purge();
        Ok(self.app.storage.purge(self.app.now_ms()).await?)
    }

    /// The figures as text, as `/metrics` gives them.
    pub fn metrics_text(&self) -> String {
        self.app.metrics.text()
    }

    /// Takes no new request, lets open ones end (ten seconds at most), closes the database.
    pub async fn shutdown(self) {
        self.stop.cancel();
        let mut serving = self.serving;
        if tokio::time::timeout(STOP_WITHIN, &mut serving)
            .await
            .is_err()
        {
            serving.abort();
        }
        self.app.storage.close().await;
    }
}

async fn purge(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(PURGE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                app.gate.purge();
                if let Err(error) = app.storage.purge(app.now_ms()).await {
                    tracing::error!(%error, "purge");
                }
            }
        }
    }
}
