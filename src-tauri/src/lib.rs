//! The shell: a window around the core. It unpacks, calls and returns; it decides nothing about messages, accounts or tokens.

mod changes;
mod commands;
mod deep_link;
mod logging;
mod media;
mod native;
mod setup;

use std::process::ExitCode;
use tauri::Manager;

/// Runs the program until its window is closed.
pub fn run() -> ExitCode {
    let built = tauri::Builder::default()
        // First, so that a second start only hands its link over (decision "Tauri" in docs/ARCHITECTURE.md).
        .plugin(tauri_plugin_single_instance::init(
            |app, arguments, _folder| deep_link::second_start(app, &arguments),
        ))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(
            tauri_plugin_window_state::Builder::default()
                .with_state_flags(setup::remembered())
                .build(),
        )
        .register_asynchronous_uri_scheme_protocol("media", media::serve)
        .invoke_handler(commands::handler())
        .setup(|app| setup::start(app))
        .build(tauri::generate_context!());
    match built {
        Ok(app) => {
            app.run(|app, event| {
                if let tauri::RunEvent::Exit = event
                    && let Some(core) = app.try_state::<shopbell_core::Core>()
                {
                    tauri::async_runtime::block_on(core.shutdown());
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "the window could not be made");
            ExitCode::FAILURE
        }
    }
}
