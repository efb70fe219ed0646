//! Carries changes from the core to the window, gathered per frame: a replay of ten thousand messages must not be ten thousand events.

use shopbell_core::{Core, api::types::Change};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tauri::{AppHandle, Manager, Runtime, ipc::Channel};
use tokio::sync::broadcast::error::RecvError;

const FRAME: Duration = Duration::from_millis(16);
const LISTENERS: usize = 4;
/// More than this in one frame is told as "everything".
const MANY: usize = 64;

/// Channels of the window's pages.
#[derive(Default)]
pub struct Listeners(Mutex<Vec<Channel<Vec<Change>>>>);

impl Listeners {
    /// A page listens. A reloaded page leaves its old channel behind, so only the newest few are kept.
    pub fn add(&self, channel: Channel<Vec<Change>>) {
        let mut channels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if channels.len() >= LISTENERS {
            channels.remove(0);
        }
        channels.push(channel);
    }

    fn send(&self, changes: &[Change]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|channel| channel.send(changes.to_vec()).is_ok());
    }
}

/// Starts carrying.
pub fn forward<R: Runtime>(app: &AppHandle<R>, core: &Core) {
    let mut incoming = core.changes().listen();
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        loop {
            let mut gathered = HashSet::new();
            match incoming.recv().await {
                Ok(change) => gathered.insert(change),
                Err(RecvError::Lagged(_)) => gathered.insert(Change::Everything),
                Err(RecvError::Closed) => return,
            };
            tokio::time::sleep(FRAME).await;
            loop {
                match incoming.try_recv() {
                    Ok(change) => gathered.insert(change),
                    Err(tokio::sync::broadcast::error::TryRecvError::Lagged(_)) => {
                        gathered.insert(Change::Everything)
                    }
                    Err(_) => break,
                };
            }
            let changes: Vec<Change> = if gathered.len() > MANY {
                vec![Change::Status, Change::Everything]
            } else {
                gathered.into_iter().collect()
            };
            app.state::<Listeners>().send(&changes);
        }
    });
}
