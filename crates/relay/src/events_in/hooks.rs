//! `/v1/hooks`: a device makes, lists, changes and removes the addresses its shop and website post to.
//!
//! Invariant: a device sees and changes its own hooks only, and makes one only while something is bound to it. A shop's secret lies in
//! the storage sealed under the relay's key, tied to its hook's id; it is never given out again.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde::{Deserialize, Serialize};
use shopbell_wire::{
    HOOKS_PER_DEVICE, HookChange, HookCreate, HookKind, HookList, HookView, Refusal, Secret,
    VerifiedProof,
};
use url::Url;

use super::posted::{HOOK_ID_BYTES, is_hook_id};
use crate::{
    app::App,
    caller::{self, Caller},
    clock::random,
    config::is_loopback,
    failure::Failure,
    key::Purpose,
    metrics::Limit,
    storage::Hook,
};

/// Longest signing secret.
const SECRET_MAX: usize = 512;
/// Origins of one website hook.
const ORIGINS_MAX: usize = 20;

/// A signing secret as it is sealed: another hook's does not open here.
#[derive(Serialize, Deserialize)]
struct Kept {
    hook: String,
    secret: Secret,
}

/// The signing secret of a hook.
pub(crate) fn secret_of(app: &App, hook: &Hook) -> Option<Secret> {
    let sealed = std::str::from_utf8(hook.secret.as_deref()?).ok()?;
    let kept: Kept = app.key.open(Purpose::HookSecret, sealed)?;
    (kept.hook == hook.id).then_some(kept.secret)
}

pub(crate) async fn list(State(app): State<Arc<App>>, Caller(proof): Caller) -> Response {
    let outcome = async {
        let hooks = app.storage.hooks_of(&proof.thumbprint).await?;
        let hooks = hooks.into_iter().map(|hook| view(&app, hook)).collect();
        Ok(Json(HookList { hooks }).into_response())
    };
    app.respond(outcome.await)
}

pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Caller(proof): Caller,
    body: Body,
) -> Response {
    let outcome = async {
        app.gate.by_device(Limit::HookChange, &proof.thumbprint)?;
        let asked: HookCreate = caller::json(body).await?;
        let hook = make(&app, &proof, asked).await?;
        Ok(Json(view(&app, hook)).into_response())
    };
    app.respond(outcome.await)
}

async fn make(app: &App, proof: &VerifiedProof, asked: HookCreate) -> Result<Hook, Failure> {
    let now_ms = app.now_ms();
    let id = B64.encode(random::<HOOK_ID_BYTES>(app.entropy.as_ref()));
    let (secret, origins) = match asked.kind {
        HookKind::Shopify | HookKind::Woocommerce => {
            let (Some(secret), true) = (asked.secret, asked.origins.is_empty()) else {
                return Err(Refusal::InvalidRequest.into());
            };
            (Some(seal(app, &id, secret)?), Vec::new())
        }
        HookKind::Collect if asked.secret.is_none() => (None, origins(&asked.origins)?),
        HookKind::Collect => return Err(Refusal::InvalidRequest.into()),
    };
    let device = &proof.thumbprint;
    if app.storage.bindings_of(device, now_ms).await?.is_empty() {
        return Err(Refusal::NotBound.into());
    }
    if app.storage.hooks_of(device).await?.len() >= HOOKS_PER_DEVICE {
        return Err(Refusal::RateLimited.into());
    }
    let hook = Hook {
        id,
        kind: asked.kind,
        device: device.clone(),
        secret,
        origins,
        paused: false,
        removed: false,
        created_at_ms: now_ms,
        last_ms: None,
    };
    app.storage.put_hook(&hook).await?;
    Ok(hook)
}

pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Caller(proof): Caller,
    body: Body,
) -> Response {
    let outcome = async {
        app.gate.by_device(Limit::HookChange, &proof.thumbprint)?;
        let asked: HookChange = caller::json(body).await?;
        let mut hook = own(&app, &proof, &id).await?;
        match hook.kind {
            HookKind::Collect if asked.secret.is_some() => {
                return Err(Refusal::InvalidRequest.into());
            }
            HookKind::Shopify | HookKind::Woocommerce if asked.origins.is_some() => {
                return Err(Refusal::InvalidRequest.into());
            }
            _ => {}
        }
        if let Some(secret) = asked.secret {
            hook.secret = Some(seal(&app, &id, secret)?);
        }
        if let Some(list) = &asked.origins {
            hook.origins = origins(list)?;
        }
        hook.paused = asked.paused.unwrap_or(hook.paused);
        app.storage.put_hook(&hook).await?;
        Ok(Json(view(&app, hook)).into_response())
    };
    app.respond(outcome.await)
}

pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Caller(proof): Caller,
) -> Response {
    let outcome = async {
        app.gate.by_device(Limit::HookChange, &proof.thumbprint)?;
        let hook = own(&app, &proof, &id).await?;
        app.storage.put_hook(&tombstone(hook)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    app.respond(outcome.await)
}

/// What stays of a removed hook: that it existed, because shops go on posting (T23).
pub(crate) fn tombstone(hook: Hook) -> Hook {
    Hook {
        secret: None,
        origins: Vec::new(),
        removed: true,
        last_ms: None,
        ..hook
    }
}

/// The caller's own hook. Somebody else's is not there, and neither is a removed one.
async fn own(app: &App, proof: &VerifiedProof, id: &str) -> Result<Hook, Failure> {
    if !is_hook_id(id) {
        return Err(Refusal::NotFound.into());
    }
    let found = app.storage.hook(id).await?;
    found
        .filter(|hook| hook.device == proof.thumbprint && !hook.removed)
        .ok_or_else(|| Refusal::NotFound.into())
}

fn seal(app: &App, id: &str, secret: Secret) -> Result<Vec<u8>, Failure> {
    if secret.is_empty() || secret.expose().len() > SECRET_MAX {
        return Err(Refusal::InvalidRequest.into());
    }
    let kept = Kept {
        hook: id.to_owned(),
        secret,
    };
    app.key
        .seal(Purpose::HookSecret, &kept, app.entropy.as_ref())
        .map(String::into_bytes)
        .ok_or(Failure::Fault("seal"))
}

/// Origins as browsers write them. Plain http only on this computer, for who builds the website there.
fn origins(asked: &[String]) -> Result<Vec<String>, Failure> {
    if asked.is_empty() || asked.len() > ORIGINS_MAX {
        return Err(Refusal::InvalidRequest.into());
    }
    let origin = |text: &String| {
        let url = Url::parse(text).ok()?;
        let mut bare = url.clone();
        bare.set_path("/");
        bare.set_query(None);
        bare.set_fragment(None);
        let nobody = url.username().is_empty() && url.password().is_none();
        // A star is a letter like others to the URL's grammar; no browser would ever send it.
        let exact = nobody && bare == url && !text.contains('*');
        (exact && (url.scheme() == "https" || is_loopback(&url)))
            .then(|| url.origin().ascii_serialization())
    };
    asked
        .iter()
        .map(|text| origin(text).ok_or_else(|| Refusal::InvalidRequest.into()))
        .collect()
}

fn view(app: &App, hook: Hook) -> HookView {
    let path = match hook.kind {
        HookKind::Shopify | HookKind::Woocommerce => {
            format!("/webhooks/{}/{}", hook.kind.as_str(), hook.id)
        }
        HookKind::Collect => format!("/collect/{}", hook.id),
    };
    HookView {
        url: app.url(&path).into(),
        id: hook.id,
        kind: hook.kind,
        paused: hook.paused,
        origins: hook.origins,
        created_at_ms: hook.created_at_ms,
        last_ms: hook.last_ms,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn origins_are_those_a_browser_writes() {
        for (asked, kept) in [
            ("https://shop.example", Some("https://shop.example")),
            ("https://Shop.Example/", Some("https://shop.example")),
            (
                "https://shop.example:8443",
                Some("https://shop.example:8443"),
            ),
            ("https://shop.example:443", Some("https://shop.example")),
            (
                "https://bäcker.example",
                Some("https://xn--bcker-gra.example"),
            ),
            ("http://localhost:5173", Some("http://localhost:5173")),
            ("http://shop.example", None),
            ("https://shop.example/page", None),
            ("https://shop.example?x=1", None),
            ("https://user@shop.example", None),
            ("https://*.example", None),
            ("null", None),
            ("*", None),
            ("", None),
            ("file:///x", None),
        ] {
            let list = origins(&[asked.to_owned()]).ok();
            let first = list.as_ref().map(|list| list[0].as_str());
            assert_eq!(first, kept, "{asked}");
        }
        assert!(origins(&[]).is_err());
        assert!(origins(&vec!["https://a.example".to_owned(); ORIGINS_MAX + 1]).is_err());
    }
}
