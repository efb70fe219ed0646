//! Every use case of the table as a Tauri command: one handler, no list of its own.
//!
//! Tauri checks the capability before it calls this handler, so a name outside the table and outside `native.rs` never arrives here.

use shopbell_core::{Core, api};
use tauri::{
    Manager, Runtime,
    ipc::{Invoke, InvokeBody},
};

/// The program's command handler.
pub fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    let native = crate::native::handler::<R>();
    move |invoke| {
        if api::NAMES.contains(&invoke.message.command()) {
            use_case(invoke)
        } else {
            native(invoke)
        }
    }
}

/// Unpacks `{ argument }`, calls, returns.
fn use_case<R: Runtime>(invoke: Invoke<R>) -> bool {
    let core = invoke.message.webview().state::<Core>().inner().clone();
    let name = invoke.message.command().to_owned();
    let argument = match invoke.message.payload() {
        InvokeBody::Json(body) => body.get("argument").cloned().unwrap_or_default(),
        InvokeBody::Raw(_) => serde_json::Value::Null,
    };
    invoke.resolver.respond_async(async move {
        api::dispatch(&core, &name, argument)
            .await
            .map_err(tauri::ipc::InvokeError::from)
    });
    true
}
