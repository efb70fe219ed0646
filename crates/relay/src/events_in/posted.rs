//! What shops and websites posted: found by its hook, sealed to the hook's device, durable before the answer.
//!
//! Invariant: whoever posts learns nothing about the owner but that the address exists. A hook whose device is bound to nothing is
//! answered like a paused one. Checking signatures and origins is done before, by `shops` and `collect`.

use shopbell_wire::{EventKind, HookEvent, HookKind};

use super::{
    routing::{self, NotStored},
    sealing::Event,
};
use crate::{
    app::App,
    clock::random,
    metrics::HookOutcome,
    storage::{Hook, Stored},
};

/// Random bytes of a hook's id; 32 characters of base64url.
pub(crate) const HOOK_ID_BYTES: usize = 24;
/// `last_ms` of a hook is written at most this often, milliseconds.
const NOTE_EVERY_MS: i64 = 60_000;

/// Whether a text can be an id of a hook at all; others are not asked of the storage.
pub(crate) fn is_hook_id(text: &str) -> bool {
    text.len() == HOOK_ID_BYTES * 4 / 3
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A hook that takes posts, or why not.
pub(crate) async fn open_hook(app: &App, kind: HookKind, id: &str) -> Result<Hook, HookOutcome> {
    if !is_hook_id(id) {
        return Err(HookOutcome::Unknown);
    }
    let found = routing::in_time(app, app.storage.hook(id)).await;
    match found {
        Err(NotStored) => Err(HookOutcome::NotStored),
        Ok(Some(hook)) if hook.kind == kind => match (hook.removed, hook.paused) {
            (true, _) => Err(HookOutcome::Removed),
            (_, true) => Err(HookOutcome::Paused),
            _ => Ok(hook),
        },
        Ok(_) => Err(HookOutcome::Unknown),
    }
}

/// Seals what was posted and makes it durable.
pub(crate) async fn pass_on(app: &App, hook: &Hook, event: &HookEvent) -> HookOutcome {
    match routing::in_time(app, store(app, hook, event)).await {
        Ok(outcome) => outcome,
        Err(NotStored) => HookOutcome::NotStored,
    }
}

async fn store(app: &App, hook: &Hook, event: &HookEvent) -> Stored<HookOutcome> {
    let now_ms = app.now_ms();
    let Some(device) = routing::keys_of(app, &hook.device, now_ms).await? else {
        return Ok(HookOutcome::Paused);
    };
    let Ok(plain) = serde_json::to_vec(event) else {
        return Ok(HookOutcome::Unparsed);
    };
    let sealed = app.events_in.sealers.seal(
        &device,
        &Event {
            kind: match hook.kind {
                HookKind::Collect => EventKind::COLLECT,
                HookKind::Shopify | HookKind::Woocommerce => EventKind::SHOP,
            },
            id: random(app.entropy.as_ref()),
            subject: &format!("hook/{}", hook.id),
            received_ms: now_ms,
            plain: &plain,
        },
    );
    let Ok(record) = sealed else {
        return Ok(HookOutcome::TooLarge);
    };
    routing::append(app, vec![record]).await?;
    if hook
        .last_ms
        .is_none_or(|last_ms| now_ms.saturating_sub(last_ms) >= NOTE_EVERY_MS)
    {
        app.storage.touch_hook(&hook.id, now_ms).await?;
    }
    Ok(HookOutcome::Accepted)
}
