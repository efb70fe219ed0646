//! `shopbell-relay`: reads the configuration, starts one relay, waits for the signal to stop.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use shopbell_relay::{Config, ConfigError, Relay, SystemClock};

/// The server between Meta and Shopbell.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// TOML file; `SHOPBELL_RELAY_*` variables override it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Listen on this port of the configured address; 0 takes a free one.
    #[arg(long)]
    port: Option<u16>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SHOPBELL_RELAY_LOG")
                .unwrap_or_else(|_| "info".into()),
        )
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let text = match &arguments.config {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|e| ConfigError::Unreadable(path.clone(), e))?
        }
        None => String::new(),
    };
    let mut config = Config::read(&text, |name| std::env::var(name).ok())?;
    if let Some(port) = arguments.port {
        config.listen = SocketAddr::new(config.listen.ip(), port);
    }
    let relay = Relay::start(config, SystemClock).await?;
    say_where(&relay);
    stop_signal().await;
    tracing::info!("stopping");
    relay.shutdown().await;
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the one line that scripts read")]
fn say_where(relay: &Relay) {
    println!(r#"{{"listening":"http://{}"}}"#, relay.listening);
}

async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
