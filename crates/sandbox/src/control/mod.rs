//! The sandbox's own door: `/_sandbox/…`. Each endpoint is one method of [`WorldHandle`], so a script over
//! HTTP and a test in the same process give the same orders. Nothing here is part of the platform.

pub(crate) mod actions;
pub(crate) mod commands;
pub(crate) mod consent;
pub(crate) mod handle;
pub(crate) mod state;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use handle::WorldHandle;

use crate::http::Shared;
use crate::http::answer::{Answer, Content};
use crate::http::call::Call;

/// An order that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The order does not parse.
    #[error("the order does not parse: {0}")]
    Parse(String),
    /// No such conversation, message, person or account.
    #[error("there is no {kind} \"{word}\"")]
    Missing {
        /// What was looked for.
        kind: &'static str,
        /// By which word.
        word: String,
    },
    /// A callback did not do its part.
    #[error("the callback failed: {0}")]
    Callback(String),
}

/// Answers a control call. Plain JSON, not the platform's escaped form.
pub(crate) async fn answer(shared: &Arc<Shared>, call: &Call) -> Answer {
    let handle = WorldHandle::new(shared.clone());
    let result = follow(&handle, call).await;
    match result {
        Ok(value) => plain(200, &value),
        Err(error) => plain(400, &json!({"error": error.to_string()})),
    }
}

fn plain(status: u16, value: &Value) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        content: Content::Text(value.to_string(), "application/json"),
    }
}

fn order<T: DeserializeOwned>(call: &Call) -> Result<T, ControlError> {
    let body = if call.body.trim().is_empty() {
        "{}"
    } else {
        &call.body
    };
    serde_json::from_str(body).map_err(|error| ControlError::Parse(error.to_string()))
}

fn shown<T: Serialize>(value: T) -> Result<Value, ControlError> {
    serde_json::to_value(value).map_err(|error| ControlError::Parse(error.to_string()))
}

async fn follow(handle: &WorldHandle, call: &Call) -> Result<Value, ControlError> {
    let path = call.path().join("/");
    match (call.method.as_str(), path.as_str()) {
        ("GET", "health") => Ok(json!({"ok": true})),
        ("GET", "state") => shown(handle.state()),
        ("GET", "fields") => shown(std::collections::BTreeMap::from(
            crate::graph::catalog::NODES,
        )),
        ("GET", "journal") => shown(handle.journal()),
        ("DELETE", "journal") => {
            handle.clear_journal();
            Ok(json!({"ok": true}))
        }
        ("GET", "deliveries") => shown(handle.deliveries()),
        ("GET", "switches") => shown(handle.switches()),
        ("POST", "switches") => handle.patch_switches(&order(call)?).and_then(shown),
        ("GET", "clock") => Ok(json!({"now_ms": handle.now_ms()})),
        ("POST", "clock") => Ok(json!({"now_ms": handle.clock(&order(call)?)})),
        ("POST", "say") => handle.say(order(call)?).and_then(shown),
        ("POST", "page-says") => handle.page_says(order(call)?).and_then(shown),
        ("POST", "react") => done(handle.react(order(call)?)),
        ("POST", "edit") => done(handle.edit(order(call)?)),
        ("POST", "unsend") => done(handle.unsend(order(call)?)),
        ("POST", "read") => done(handle.read(order(call)?)),
        ("POST", "tap") => done(handle.tap(order(call)?)),
        ("POST", "person") => done(handle.person(order(call)?)),
        ("POST", "account") => done(handle.account(order(call)?)),
        ("POST", "tokens") => Ok(json!({"touched": handle.tokens(&order(call)?)})),
        ("POST", "consent") => {
            handle.consent(order(call)?);
            Ok(json!({"ok": true}))
        }
        ("DELETE", "consent") => {
            handle.clear_consents();
            Ok(json!({"ok": true}))
        }
        ("POST", "faults") => {
            handle.fault(order(call)?);
            Ok(json!({"ok": true}))
        }
        ("DELETE", "faults") => {
            handle.clear_faults();
            Ok(json!({"ok": true}))
        }
        ("POST", "callback") => done(handle.callback(order(call)?).await),
        ("POST", "event") => done(handle.event(order(call)?)),
        ("POST", "signed-request") => {
            let status = handle.signed_request(order(call)?).await?;
            Ok(json!({ "status": status }))
        }
        ("POST", "settle") => {
            handle.settled().await;
            Ok(json!({"ok": true}))
        }
        (method, path) => Err(ControlError::Missing {
            kind: "control",
            word: format!("{method} {path}"),
        }),
    }
}

fn done(result: Result<(), ControlError>) -> Result<Value, ControlError> {
    result.map(|()| json!({"ok": true}))
}
