//! What happens once before the window is used: folders, log, core, deep links.

use shopbell_core::{Core, CoreConfig, OsEntropy, SystemClock, endpoints, vault::Keychain};
use std::{path::PathBuf, sync::Arc};
use tauri::{App, Manager};
use tauri_plugin_window_state::StateFlags;

/// The window's place is remembered; whether it is visible is not, because it appears with its first picture.
pub fn remembered() -> StateFlags {
    StateFlags::all() & !StateFlags::VISIBLE & !StateFlags::DECORATIONS
}

/// Where the profiles live: `SHOPBELL_PROFILE_DIR`, else the system's folder for application data.
fn profile_folder(app: &App) -> Result<PathBuf, tauri::Error> {
    match std::env::var_os("SHOPBELL_PROFILE_DIR") {
        Some(folder) => Ok(folder.into()),
        None => app.path().app_data_dir(),
    }
}

/// `SHOPBELL_TRIAL`: the demo on somebody's own desktop, which must leave nothing behind. No entry in the keychain (for a sandbox's
/// profile only), no handler for `shopbell:`; the browser then comes back through the loopback address.
pub fn is_trial() -> bool {
    std::env::var_os("SHOPBELL_TRIAL").is_some()
}

/// Makes the core, opens the profile in the background, shows the window.
pub fn start(app: &mut App) -> Result<(), Box<dyn std::error::Error>> {
    let folder = profile_folder(app)?;
    std::fs::create_dir_all(&folder)?;
    crate::logging::start(&folder);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "start");

    let endpoints = endpoints::load(&folder)?;
    let keychain = if endpoints.sandbox && is_trial() {
        Keychain::in_memory()
    } else {
        Keychain::os()
    };
    let core = Core::new(CoreConfig {
        endpoints,
        dir: folder,
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(OsEntropy),
        keychain,
    });
    app.manage(core.clone());
    app.manage(crate::changes::Listeners::default());
    crate::changes::forward(app.handle(), &core);
    let opening = core.clone();
    tauri::async_runtime::spawn(async move { opening.open().await });

    crate::deep_link::start(app);
    crate::native::show_soon(app.handle());
    Ok(())
}
