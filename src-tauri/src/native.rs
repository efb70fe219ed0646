//! What only a window can do: show itself, open the system's browser, tell who holds `shopbell:`, quit.

use crate::changes::Listeners;
use serde::Serialize;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tauri::{AppHandle, Manager, Runtime, State, Webview, ipc::Channel};
use tauri_plugin_opener::OpenerExt;

/// Shown at the latest after this time, also when the page never says that it painted.
const SHOW_AT_LATEST: Duration = Duration::from_secs(3);

/// The window's own commands.
pub fn handler<R: Runtime>() -> impl Fn(tauri::ipc::Invoke<R>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        listen_changes,
        open_browser,
        scheme_state,
        first_paint,
        quit
    ]
}

/// Changes go to this channel from now on, at most once per frame.
#[tauri::command]
fn listen_changes(
    listeners: State<'_, Listeners>,
    channel: Channel<Vec<shopbell_core::api::types::Change>>,
) {
    listeners.add(channel);
}

/// Opens a web address in the system's browser; anything but http and https is refused.
#[tauri::command]
fn open_browser<R: Runtime>(app: AppHandle<R>, url: String) -> Result<(), String> {
    let address = tauri::Url::parse(&url).map_err(|_| "bad_address")?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err("bad_address".into());
    }
    app.opener()
        .open_url(address.as_str(), None::<&str>)
        .map_err(|_| "no_browser".into())
}

/// Does `shopbell:` open this program, and if not, which one.
#[derive(Serialize)]
struct SchemeState {
    ours: bool,
    holder: Option<String>,
}

#[tauri::command]
async fn scheme_state<R: Runtime>(app: AppHandle<R>) -> SchemeState {
    let (ours, holder) = crate::deep_link::scheme_holder(&app);
    SchemeState { ours, holder }
}

/// The page has painted: show the window. With `SHOPBELL_TIMINGS` the moment is written to standard output.
#[tauri::command]
fn first_paint<R: Runtime>(view: Webview<R>) {
    show(view.app_handle());
}

#[tauri::command]
fn quit<R: Runtime>(app: AppHandle<R>) {
    app.exit(0);
}

static SHOWN: AtomicBool = AtomicBool::new(false);

fn show<R: Runtime>(app: &AppHandle<R>) {
    if SHOWN.swap(true, Ordering::AcqRel) {
        return;
    }
    if let Some(window) = app.get_webview_window("main") {
        let _ = window.show();
        let _ = window.set_focus();
    }
    if std::env::var_os("SHOPBELL_TIMINGS").is_some() {
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), "{{\"first_paint\":true}}");
    }
}

/// Shows the window also when the page is slow or broken: an owner must never wonder whether the program runs.
pub fn show_soon<R: Runtime>(app: &AppHandle<R>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(SHOW_AT_LATEST).await;
        show(&app);
    });
}
