//! Starting and stopping: one relay in this process, for the binary and for tests alike.

mod sockets;
mod watched;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    serve::{Listener, ListenerExt as _},
};
use sockets::Sockets;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use url::Url;
use watched::Places;

use crate::{
    Clock, Config, ConfigError, Entropy, SystemEntropy,
    app::{App, routes},
    events_in::EventsIn,
    hold::{Hold, HoldError},
    key::{KeyError, RelayKey},
    limits::Gate,
    metrics::{self, Metrics},
    storage::{self, StorageError},
    stream::OpenStreams,
    tls::{Certificates, TlsError},
    upkeep,
    upstream::Upstream,
};

/// How often what has had its time is deleted.
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// How long open requests may take to end after a stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long sockets that were cut off may take to be gone.
const CUT_WITHIN: Duration = Duration::from_secs(1);
/// How often the certificate's files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Sockets of the metrics address.
const METRICS_CONNECTIONS: u32 = 32;

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
    /// Another relay has the database.
    #[error(transparent)]
    Held(#[from] HoldError),
    /// The address is taken or not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// Certificate or key are of no use.
    #[error(transparent)]
    Tls(#[from] TlsError),
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
    /// Where `/metrics` has an address of its own.
    pub metrics_listening: Option<SocketAddr>,
    app: Arc<App>,
    certificates: Option<Arc<Certificates>>,
    stop: CancellationToken,
    cut: CancellationToken,
    sockets: TaskTracker,
    listeners: Vec<JoinHandle<()>>,
    _guard: DropGuard,
    /// Given back last.
    _hold: Option<Hold>,
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
        let listener = bind(config.listen).await?;
        Self::start_on(listener, config, clock, entropy).await
    }

    /// Starts on a listener that is already there; `listen` of the configuration is not used.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start_on(
        listener: impl Listener<Addr = SocketAddr>,
        config: Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        config.check()?;
        let listening = listener
            .local_addr()
            .map_err(|e| StartError::Listen(config.listen, e))?;
        let metrics_listener = match config.metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let metrics_listening = metrics_listener.as_ref().and_then(|l| l.local_addr().ok());
        let base_url = match &config.public_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://{listening}"))
                .map_err(|_| ConfigError::Invalid("the bound address is no URL"))?,
        };
        let certificates = match &config.tls {
            Some(files) => Some(Certificates::open(files.clone()).await?),
            None => None,
        };
        let tls = certificates.as_ref().map(Certificates::server_config);
        let tls = tls.transpose()?;
        let key = RelayKey::load(&config.key_source(), entropy.as_ref())?;
        let hold = Hold::take(&config)?;
        let storage = storage::open(&config.storage, entropy.as_ref()).await?;
        let upstream = Upstream::new(&config).map_err(|_| StartError::Client)?;
        let stop = CancellationToken::new();
        let metrics = Metrics::new();
        metrics.started.set(clock.now_ms() as f64 / 1000.0);
        let events_in = EventsIn::new(&config, Arc::clone(&entropy));
        let app = Arc::new(App {
            gate: Gate::new(config.limits, Arc::clone(&clock), metrics.limits.clone()),
            public_url: base_url.clone(),
            config,
            key,
            storage,
            upstream,
            clock,
            entropy,
            streams: Arc::new(OpenStreams::default()),
            events_in,
            metrics,
            stop: stop.clone(),
        });
        // Before anybody is told of the last one.
        upkeep::heartbeat(&app).await?;
        let mut relay = Self {
            base_url,
            listening,
            metrics_listening,
            app,
            certificates,
            cut: CancellationToken::new(),
            sockets: TaskTracker::new(),
            listeners: Vec::new(),
            _guard: stop.clone().drop_guard(),
            _hold: hold,
            stop,
        };
        let limits = relay.app.config.limits;
        // Behind a proxy all sockets are the proxy's.
        let of_address =
            (!relay.app.config.trust_forwarded).then_some(limits.connections_per_address);
        let places = Places::new(
            limits.connections,
            of_address,
            relay.app.metrics.connections_open.clone(),
        );
        relay.listen(listener, routes(Arc::clone(&relay.app)), tls, places);
        if let Some(listener) = metrics_listener {
            let places = Places::new(METRICS_CONNECTIONS, None, Default::default());
            let router = metrics::page::routes(Arc::clone(&relay.app));
            relay.listen(listener, router, None, places);
        }
        relay.begin_upkeep();
        Ok(relay)
    }

    fn listen(
        &mut self,
        listener: impl Listener<Addr = SocketAddr>,
        router: Router,
        tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
        places: Arc<Places>,
    ) {
        let sockets = Sockets {
            router,
            tls,
            places,
            counts: self.app.metrics.connections.clone(),
            head_max: Duration::from_secs(self.app.config.limits.head_seconds.into()),
            stop: self.stop.clone(),
            cut: self.cut.clone(),
            tracker: self.sockets.clone(),
        };
        let listening = tokio::spawn(sockets::listen(listener, Arc::new(sockets)));
        self.listeners.push(listening);
    }

    fn begin_upkeep(&self) {
        tokio::spawn(purge(Arc::clone(&self.app), self.stop.clone()));
        upkeep::begin(&self.app);
        if let Some(certificates) = &self.certificates {
            self.app.metrics.certificate_ends.set(certificates.ends_s());
            let (app, certificates) = (Arc::clone(&self.app), Arc::clone(certificates));
            tokio::spawn(watch_certificate(app, certificates, self.stop.clone()));
        }
        let config = &self.app.config;
        if !config.is_local() && config.tls.is_none() && !config.trust_forwarded {
            tracing::warn!(
                "a proxy does TLS and trust_forwarded is off: all callers count as one address"
            );
        }
        tracing::info!(listening = %self.listening, public_url = %self.base_url, "relay started");
    }

    /// Deletes at once what has had its time; the relay does it every minute by itself.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn purge_now(&self) -> Result<(), StartError> {
        self.app.gate.purge();
        self.app.events_in.purge(self.app.now_ms());
        Ok(self.app.storage.purge(self.app.now_ms()).await?)
    }

    /// Does at once what upkeep has to do: the note that the relay lives, retention, silent computers, leases of answering computers. The
    /// relay does it by itself.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn upkeep_now(&self) -> Result<(), StartError> {
        Ok(upkeep::now(&self.app).await?)
    }

    /// Looks at once whether certificate and key have changed; the relay does it every half minute by itself. `true`: new connections
    /// get the new one.
    ///
    /// # Errors
    /// [`TlsError`]; the pair before is served on.
    pub async fn look_at_certificate(&self) -> Result<bool, TlsError> {
        match &self.certificates {
            Some(certificates) => look(&self.app, certificates).await,
            None => Ok(false),
        }
    }

    /// The figures as text, as `/metrics` gives them.
    pub fn metrics_text(&self) -> String {
        self.app.metrics.text()
    }

    /// Takes no new request, lets open ones end (ten seconds at most) and streams say why they close, closes the storage.
    pub async fn shutdown(self) {
        self.stop.cancel();
        for listener in self.listeners {
            let _ = listener.await;
        }
        self.sockets.close();
        if tokio::time::timeout(STOP_WITHIN, self.sockets.wait())
            .await
            .is_err()
        {
            tracing::warn!(left = self.sockets.len(), "sockets are cut off");
            self.cut.cancel();
            let _ = tokio::time::timeout(CUT_WITHIN, self.sockets.wait()).await;
        }
        self.app.storage.close().await;
    }
}

/// Tells the configured storage that it was brought back from a copy. No relay may be running on it.
///
/// # Errors
/// [`StartError`]; the storage is as it was.
pub async fn restored(config: &Config, entropy: &dyn Entropy) -> Result<(), StartError> {
    config.check()?;
    let _hold = Hold::take_there(config)?;
    Ok(storage::restored(&config.storage, entropy).await?)
}

async fn bind(address: SocketAddr) -> Result<impl Listener<Addr = SocketAddr>, StartError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|e| StartError::Listen(address, e))?;
    // Answers are written whole; waiting for more to send with them only costs time.
    Ok(listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    }))
}

async fn look(app: &App, certificates: &Certificates) -> Result<bool, TlsError> {
    let changed = certificates.look_again().await?;
    if changed {
        app.metrics.certificate_ends.set(certificates.ends_s());
        tracing::info!("new certificate");
    }
    Ok(changed)
}

async fn watch_certificate(
    app: Arc<App>,
    certificates: Arc<Certificates>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => if let Err(error) = look(&app, &certificates).await {
                tracing::error!(%error, "the certificate before is served on");
            }
        }
    }
}

async fn purge(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(PURGE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                app.gate.purge();
                app.events_in.purge(app.now_ms());
                if let Err(error) = app.storage.purge(app.now_ms()).await {
                    tracing::error!(%error, "purge");
                }
            }
        }
    }
}
