//! `/webhooks/shopify/{hook}` and `/webhooks/woocommerce/{hook}`.
//!
//! Shops count failures and give up: Shopify after eight, WooCommerce after five, both take a redirect for one. So a paused or removed
//! hook is answered 200, and 404 says that there never was one (T23). The body is not parsed; it goes to the owner's computer as it came
//! (facts sheet §12).

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use shopbell_wire::{HookEvent, HookKind, SHOP_BODY_MAX};

use super::{
    body::{self, Unread},
    hooks, posted,
    signature::{self, Keyed, only, unescape_html},
};
use crate::{
    app::{App, CallerAddress},
    metrics::{HookOutcome, Limit},
    storage::Hook,
};

/// Longest header value that is passed on.
const HEADER_MAX: usize = 256;
/// A ping says which webhook it is for and nothing else.
const PING_MAX: usize = 64;

pub(crate) async fn shopify(
    State(app): State<Arc<App>>,
    CallerAddress(_): CallerAddress,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let outcome = post(&app, HookKind::Shopify, &id, &headers, body).await;
    answer(&app, HookKind::Shopify, outcome)
}

pub(crate) async fn woocommerce(
    State(app): State<Arc<App>>,
    CallerAddress(_): CallerAddress,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let outcome = post(&app, HookKind::Woocommerce, &id, &headers, body).await;
    answer(&app, HookKind::Woocommerce, outcome)
}

fn answer(app: &App, kind: HookKind, outcome: HookOutcome) -> Response {
    app.metrics.hooks.one(kind.into(), outcome);
    match outcome {
        HookOutcome::Accepted | HookOutcome::Ping | HookOutcome::Paused | HookOutcome::Removed => {
            StatusCode::OK
        }
        HookOutcome::Unknown => StatusCode::NOT_FOUND,
        HookOutcome::Forged => StatusCode::UNAUTHORIZED,
        HookOutcome::OtherOrigin => StatusCode::FORBIDDEN,
        HookOutcome::Unparsed => StatusCode::BAD_REQUEST,
        HookOutcome::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        HookOutcome::Limited => StatusCode::TOO_MANY_REQUESTS,
        HookOutcome::NotStored => StatusCode::SERVICE_UNAVAILABLE,
    }
    .into_response()
}

/// What each shop calls its headers.
struct Names {
    signature: &'static str,
    topic: &'static str,
    delivery: &'static str,
    source: &'static str,
}

const SHOPIFY: Names = Names {
    signature: "x-shopify-hmac-sha256",
    topic: "x-shopify-topic",
    delivery: "x-shopify-webhook-id",
    source: "x-shopify-shop-domain",
};
const WOOCOMMERCE: Names = Names {
    signature: "x-wc-webhook-signature",
    topic: "x-wc-webhook-topic",
    delivery: "x-wc-webhook-delivery-id",
    source: "x-wc-webhook-source",
};

async fn post(app: &App, kind: HookKind, id: &str, headers: &HeaderMap, body: Body) -> HookOutcome {
    let names = match kind {
        HookKind::Woocommerce => &WOOCOMMERCE,
        HookKind::Shopify | HookKind::Collect => &SHOPIFY,
    };
    let hook = match posted::open_hook(app, kind, id).await {
        Ok(hook) => hook,
        Err(outcome) => return outcome,
    };
    if app.gate.by_hook(Limit::ShopHook, id).is_err() {
        return HookOutcome::Limited;
    }
    let claimed = signature::shop(headers, names.signature);
    let may_ping = kind == HookKind::Woocommerce && !headers.contains_key(names.signature);
    let max = match (claimed, may_ping) {
        (Some(_), _) => SHOP_BODY_MAX,
        (None, true) => PING_MAX,
        (None, false) => return HookOutcome::Forged,
    };
    let body = match body::read(headers, body, max).await {
        Ok(body) => body,
        Err(_) if claimed.is_none() => return HookOutcome::Forged,
        Err(Unread::TooLarge) => return HookOutcome::TooLarge,
        Err(Unread::Incomplete) => return HookOutcome::Unparsed,
    };
    let Some(claimed) = claimed else {
        return if is_ping(headers, &body) {
            HookOutcome::Ping
        } else {
            HookOutcome::Forged
        };
    };
    if !is_signed(app, &hook, &body, &claimed) {
        return HookOutcome::Forged;
    }
    let Ok(text) = std::str::from_utf8(&body) else {
        return HookOutcome::Unparsed;
    };
    let word = |name| {
        let value = only(headers, name)?.to_str().ok()?;
        (value.len() <= HEADER_MAX).then(|| value.to_owned())
    };
    let event = HookEvent {
        hook: hook.id.clone(),
        kind,
        topic: word(names.topic),
        delivery: word(names.delivery),
        source: word(names.source),
        visitor: None,
        body: text.to_owned(),
    };
    posted::pass_on(app, &hook, &event).await
}

fn is_signed(app: &App, hook: &Hook, body: &Bytes, claimed: &[u8; 32]) -> bool {
    let Some(secret) = hooks::secret_of(app, hook) else {
        return false;
    };
    let signed = |secret: &str| Keyed::new(secret).is_some_and(|key| key.signed(body, claimed));
    signed(secret.expose())
        || (hook.kind == HookKind::Woocommerce && signed(&unescape_html(secret.expose())))
}

/// WooCommerce asks once, unsigned, whether the address answers: a form with the number of its webhook.
fn is_ping(headers: &HeaderMap, body: &[u8]) -> bool {
    let form = only(headers, header::CONTENT_TYPE.as_str())
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    form && body
        .strip_prefix(b"webhook_id=")
        .is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}
