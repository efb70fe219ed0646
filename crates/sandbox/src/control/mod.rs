//! The sandbox's own door: `/_sandbox/…`. Each endpoint is one method of [`WorldHandle`], so a script over
//! HTTP and a test in the same process give the same orders. Nothing here is part of the platform.

pub(crate) mod actions;
pub(crate) mod burst;
pub(crate) mod commands;
pub(crate) mod consent;
pub(crate) mod content_actions;
pub(crate) mod content_commands;
pub(crate) mod handle;
pub(crate) mod handle_content;
pub(crate) mod state;
pub(crate) mod thread_actions;
pub(crate) mod thread_commands;

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
    /// The platform has no such thing.
    #[error("{0}")]
    Refused(String),
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
        ("DELETE", "deliveries") => {
            handle.clear_deliveries();
            Ok(json!({"ok": true}))
        }
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
        ("POST", "signed-request") => shown(handle.signed_request(order(call)?).await?),
        ("POST", "settle") => {
            handle.settled().await;
            Ok(json!({"ok": true}))
        }
        ("POST", path) => follow_content(handle, path, call).await,
        ("GET", "shops") => shown(handle.shops()),
        (method, path) => Err(unknown(method, path)),
    }
}

fn unknown(method: &str, path: &str) -> ControlError {
    ControlError::Missing {
        kind: "control",
        word: format!("{method} {path}"),
    }
}

/// Posts and comments, what happens around conversations, shops.
async fn follow_content(
    handle: &WorldHandle,
    path: &str,
    call: &Call,
) -> Result<Value, ControlError> {
    match path {
        "post" => handle.publish(order(call)?).and_then(shown),
        "post-change" => done(handle.change_post(order(call)?)),
        "post-remove" => done(handle.remove_post(order(call)?)),
        "post-react" => done(handle.react_to_post(order(call)?)),
        "comment" => handle.comment(order(call)?).and_then(shown),
        "comment-edit" => done(handle.edit_comment(order(call)?)),
        "comment-hide" => done(handle.hide_comment(order(call)?)),
        "comment-remove" => done(handle.remove_comment(order(call)?)),
        "live" => handle.live(order(call)?).and_then(shown),
        "mention" => handle.mention(order(call)?).and_then(shown),
        "story-insights" => done(handle.story_insights(order(call)?)),
        "refer" => {
            let conversation = handle.refer(order(call)?)?;
            Ok(json!({ "conversation_id": conversation }))
        }
        "handover" => done(handle.hand_over(order(call)?)),
        "optin" => done(handle.opt_in(order(call)?)),
        "policy" => done(handle.policy(order(call)?)),
        "feedback" => done(handle.feedback(order(call)?)),
        "to-self" => {
            let mid = handle.to_self(order(call)?)?;
            Ok(json!({ "message_id": mid }))
        }
        "burst" => handle.burst(order(call)?).and_then(shown),
        "shop" => handle.shop(order(call)?).await.and_then(shown),
        path => Err(unknown("POST", path)),
    }
}

fn done(result: Result<(), ControlError>) -> Result<Value, ControlError> {
    result.map(|()| json!({"ok": true}))
}
