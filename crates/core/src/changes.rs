//! "Something changed": how the rooms of the core tell every shell, without saying what the new content is.

use crate::api::types::Change;
use tokio::sync::broadcast;

/// Sends changes to whoever listens. Cheap to clone; sending never waits.
#[derive(Debug, Clone)]
pub struct Changes(broadcast::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::channel(4096).0)
    }
}

impl Changes {
    /// Tells everybody. Call it after the commit, never before.
    pub fn send(&self, change: Change) {
        let _ = self.0.send(change);
    }

    /// Listens from now on. A listener that falls behind gets `Lagged` and must treat it as [`Change::Everything`].
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}
