//! `shopbell-relay`: reads the configuration, starts one relay, waits for the signal to stop.

#[path = "main_operator.rs"]
mod operator;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use shopbell_relay::{Config, ConfigError, Relay, SystemClock, SystemEntropy, check, restored};

/// The server between Meta and Shopbell.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// TOML file; `SHOPBELL_RELAY_*` variables override it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Listen on this port of the configured address; 0 takes a free one.
    #[arg(long)]
    port: Option<u16>,
    #[command(subcommand)]
    work: Option<Work>,
}

#[derive(Subcommand)]
enum Work {
    /// Look at everything that has to be right before owners can sign in and events arrive. Ends with 1 when something is not.
    Check {
        /// Have Meta send the apps' events here.
        #[arg(long)]
        fix: bool,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Ask the relay that runs with this configuration on this computer whether it is well. Ends with 1 when not; for watchdogs.
    Health,
    /// After the database was brought back from a copy, before the relay starts on it: computers will compare with Meta what the copy
    /// does not know.
    Restored,
    /// Make a key pair for `operator_key`.
    OperatorKey,
    /// Open webhooks that could not be read and were kept for the operator; the secret half comes on standard input.
    Unreadable {
        /// The relay's `operator_file`.
        file: PathBuf,
    },
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
    let arguments = Arguments::parse();
    let done = match &arguments.work {
        Some(Work::Check { fix, json }) => return look(&arguments, *fix, *json).await,
        Some(Work::Health) => return well(&arguments).await,
        Some(Work::Restored) => again(&arguments).await,
        Some(Work::OperatorKey) => operator::make(&mut std::io::stdout().lock()),
        Some(Work::Unreadable { file }) => operator::read(file),
        None => run(arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn read(arguments: &Arguments) -> Result<Config, ConfigError> {
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
    Ok(config)
}

#[allow(clippy::print_stdout, reason = "what the operator asked for")]
async fn look(arguments: &Arguments, fix: bool, json: bool) -> ExitCode {
    let report = match read(arguments) {
        Ok(config) => {
            check::check(config, Arc::new(SystemClock), Arc::new(SystemEntropy), fix).await
        }
        Err(error) => check::refused(&error),
    };
    if json {
        println!("{:#}", report.json());
    } else {
        print!("{report}");
    }
    if report.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn well(arguments: &Arguments) -> ExitCode {
    match read(arguments) {
        Ok(config) if check::is_well(&config).await => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn again(arguments: &Arguments) -> anyhow::Result<()> {
    restored(&read(arguments)?, &SystemEntropy).await?;
    tracing::info!("the storage has a new epoch");
    Ok(())
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = read(&arguments)?;
    raise_descriptors(config.limits.connections);
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let relay = Relay::start(config, SystemClock).await?;
    say_where(scheme, &relay);
    tokio::select! {
        () = stop_signal() => {}
        () = look_at_certificate_on_signal(&relay) => {}
    }
    tracing::info!("stopping");
    relay.shutdown().await;
    Ok(())
}

/// Every stream is a file descriptor, and the usual limit is a thousand.
fn raise_descriptors(connections: u32) {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < u64::from(connections) => {
            tracing::warn!(
                limit,
                connections,
                "fewer file descriptors than connections"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of file descriptors stays as it is"),
    }
}

#[allow(clippy::print_stdout, reason = "the one line that scripts read")]
fn say_where(scheme: &str, relay: &Relay) {
    println!(r#"{{"listening":"{scheme}://{}"}}"#, relay.listening);
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

/// SIGHUP, which renewals of certificates send: look at the files now. Never ends.
async fn look_at_certificate_on_signal(relay: &Relay) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut asked) = signal(SignalKind::hangup()) {
            while asked.recv().await.is_some() {
                if let Err(error) = relay.look_at_certificate().await {
                    tracing::error!(%error, "the certificate before is served on");
                }
            }
        }
    }
    #[cfg(not(unix))]
    let _ = relay;
    std::future::pending().await
}
