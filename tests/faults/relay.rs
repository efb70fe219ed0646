//! The relay as a process of its own: the library with the configuration of the trial.

use serde::{Deserialize, Serialize};
use shopbell_relay::{Config, Limits, MetaApp, Relay, SystemClock, Upstreams};
use shopbell_wire::Secret;
use std::{net::SocketAddr, process::ExitCode};
use url::Url;

/// What the relay of a trial is told.
#[derive(Clone, Serialize, Deserialize)]
pub struct Setup {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What computers call it.
    pub public_url: Url,
    /// `sqlite:PATH`.
    pub storage: String,
    /// The platform.
    pub sandbox: Url,
    /// Id and secret of the two apps there.
    pub apps: [(String, String); 2],
}

impl Setup {
    /// As the relay's library takes it.
    pub fn config(&self) -> Config {
        let [facebook, instagram] = self
            .apps
            .clone()
            .map(|(id, secret)| Some(MetaApp::new(id, Secret::new(secret))));
        let many = 1_000_000;
        Config {
            listen: self.listen,
            public_url: Some(self.public_url.clone()),
            storage: self.storage.clone(),
            key: Some(Secret::new("7".repeat(64))),
            // Processes that come and go many times a minute are what is tried here.
            limits: Limits {
                address_per_minute: many,
                device_per_minute: many,
                streams_per_minute: many,
                streams_per_device_minute: many,
                ..Limits::default()
            },
            ..Config::in_memory(
                Upstreams::below(&self.sandbox).unwrap(),
                facebook,
                instagram,
            )
        }
    }
}

/// Runs until it is asked to stop.
pub async fn run(setup: &str) -> ExitCode {
    let setup: Setup = serde_json::from_str(setup).unwrap();
    let relay = match Relay::start(setup.config(), SystemClock).await {
        Ok(relay) => relay,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("listening");
    let mut stop =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
    stop.recv().await;
    relay.shutdown().await;
    ExitCode::SUCCESS
}
