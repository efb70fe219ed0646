//! Fetching conversations.
use crate::Parts;
/// Fetching conversations.
pub struct Sync {}
impl Sync { /// From the profile's parts.
 pub fn new(_parts: &Parts) -> Self { Self {} } }
/// Runs until stopped.
pub async fn run(_profile: std::sync::Arc<crate::Profile>, stop: tokio_util::sync::CancellationToken) { stop.cancelled().await; }
