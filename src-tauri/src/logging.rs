//! The program's log: a file per day in the profile's `logs` folder, seven kept. No token, name or message text is ever logged.

use std::path::Path;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts the log. Without a writable folder the program runs without one.
pub fn start(folder: &Path) {
    let filter = EnvFilter::try_from_env("SHOPBELL_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,shopbell=info,shopbell_core=info"));
    let file = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("shopbell")
        .filename_suffix("log")
        .max_log_files(7)
        .build(folder.join("logs"));
    if let Ok(file) = file {
        let layer = fmt::layer()
            .with_ansi(false)
            .with_writer(std::sync::Mutex::new(file));
        let _ = tracing_subscriber::registry()
            .with(filter)
            .with(layer)
            .try_init();
    }
}
