//! Named, deduplicated, persisted work that is due later.
/// Runs until stopped.
pub async fn run(_profile: std::sync::Arc<crate::Profile>, stop: tokio_util::sync::CancellationToken) { stop.cancelled().await; }
