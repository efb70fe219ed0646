//! `shopbell://…` at cold and warm start. A link is hostile until the core has parsed it; here it is only carried.

use shopbell_core::{Core, api};
use tauri::{App, AppHandle, Manager, Runtime};
use tauri_plugin_deep_link::DeepLinkExt;

const SCHEME: &str = "shopbell";

/// Registers where the installer did not, and listens: links of a warm start come as events, the one of a cold start is asked for.
pub fn start(app: &App) {
    let links = app.deep_link();
    #[cfg(any(target_os = "linux", target_os = "windows"))]
    if !crate::setup::is_trial()
        && !links.is_registered(SCHEME).unwrap_or(false)
        && scheme_holder(app.handle()).1.is_none()
        && let Err(error) = links.register(SCHEME)
    {
        tracing::warn!(%error, "shopbell: could not be registered");
    }
    let handle = app.handle().clone();
    links.on_open_url(move |event| {
        for url in event.urls() {
            carry(&handle, url.to_string());
        }
    });
    if let Ok(Some(urls)) = links.get_current() {
        for url in urls {
            carry(app.handle(), url.to_string());
        }
    }
}

/// A second start hands over its arguments and ends; the deep-link plugin has read a link among them already.
pub fn second_start<R: Runtime>(app: &AppHandle<R>, _arguments: &[String]) {
    if let Some(window) = app.get_webview_window("main") {
        let _ = window.unminimize();
        let _ = window.show();
        let _ = window.set_focus();
    }
}

/// Waits until the profile is open (a cold start brings the link first), then gives the link to the core.
fn carry<R: Runtime>(app: &AppHandle<R>, url: String) {
    let core = app.state::<Core>().inner().clone();
    if let Some(window) = app.get_webview_window("main") {
        let _ = window.unminimize();
        let _ = window.set_focus();
    }
    tauri::async_runtime::spawn(async move {
        let mut changes = core.changes().listen();
        while core.profile().is_err() {
            if changes
                .recv()
                .await
                .is_err_and(|error| error == tokio::sync::broadcast::error::RecvError::Closed)
            {
                return;
            }
        }
        if let Err(error) = api::dispatch(
            &core,
            "sign_in_finish",
            serde_json::json!({ "pasted": url }),
        )
        .await
        {
            tracing::warn!(code = error.code, "a link was refused");
        }
    });
}

/// Does the scheme open this program; the name of the other program if not.
pub fn scheme_holder<R: Runtime>(app: &AppHandle<R>) -> (bool, Option<String>) {
    if crate::setup::is_trial() {
        return (false, None);
    }
    #[cfg(any(target_os = "linux", target_os = "windows"))]
    if app.deep_link().is_registered(SCHEME).unwrap_or(false) {
        return (true, None);
    }
    #[cfg(target_os = "macos")]
    {
        let _ = app;
        (true, None)
    }
    #[cfg(target_os = "linux")]
    {
        let holder = std::process::Command::new("xdg-mime")
            .args(["query", "default", "x-scheme-handler/shopbell"])
            .output()
            .ok()
            .map(|answer| {
                String::from_utf8_lossy(&answer.stdout)
                    .trim()
                    .trim_end_matches(".desktop")
                    .to_owned()
            })
            .filter(|name| !name.is_empty());
        (false, holder)
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    (false, None)
}
