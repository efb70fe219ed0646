//! `/collect/{hook}`: the owner's website tells what a visitor did, from the visitor's own browser.
//!
//! Nobody can sign there, so the order is: limit of the visitor's address, the hook, its list of origins, its limit, size, and then the
//! write (C8). An origin is a browser's word: it keeps other websites out, not a forger; what a forger can do is bounded by the limits
//! and counts for the owner's own figures only. The visitor's address and browser are inside the sealed event and nowhere else.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use shopbell_wire::{COLLECT_BODY_MAX, HookEvent, HookKind, Visitor};

use super::{
    body::{self, Unread},
    posted,
    signature::only,
};
use crate::{
    app::{App, CallerAddress},
    failure::Failure,
    metrics::{HookOutcome, Limit},
    storage::Hook,
};

/// Longest `User-Agent` that is passed on, in characters.
const AGENT_MAX: usize = 512;
/// How long a browser may remember the answer to its preflight, seconds.
const PREFLIGHT_SECONDS: &str = "600";

/// `OPTIONS`: may this page post here?
pub(crate) async fn preflight(
    State(app): State<Arc<App>>,
    CallerAddress(ip): CallerAddress,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(failure) = app.gate.by_address(Limit::CollectAddress, ip) {
        return limited(&app, &failure, None);
    }
    let (found, origin) = allowed(&app, &id, &headers).await;
    let status = match found {
        Ok(_) | Err(HookOutcome::Paused | HookOutcome::Removed) => StatusCode::NO_CONTENT,
        Err(outcome) => status(outcome),
    };
    let mut response = with_origin(status.into_response(), origin);
    if status.is_success() {
        let headers = response.headers_mut();
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
            (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// `POST`: what the visitor did.
pub(crate) async fn collect(
    State(app): State<Arc<App>>,
    CallerAddress(ip): CallerAddress,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Err(failure) = app.gate.by_address(Limit::CollectAddress, ip) {
        return limited(&app, &failure, None);
    }
    let (found, origin) = allowed(&app, &id, &headers).await;
    let outcome = match found {
        Ok(hook) => {
            if let Err(failure) = app.gate.by_hook(Limit::CollectHook, &id) {
                return limited(&app, &failure, origin);
            }
            take(&app, &hook, ip, origin.as_ref(), &headers, body).await
        }
        Err(outcome) => outcome,
    };
    app.metrics.hooks.one(HookKind::Collect.into(), outcome);
    with_origin(status(outcome).into_response(), origin)
}

fn status(outcome: HookOutcome) -> StatusCode {
    match outcome {
        HookOutcome::Accepted | HookOutcome::Ping | HookOutcome::Paused | HookOutcome::Removed => {
            StatusCode::NO_CONTENT
        }
        HookOutcome::Unknown => StatusCode::NOT_FOUND,
        HookOutcome::OtherOrigin | HookOutcome::Forged => StatusCode::FORBIDDEN,
        HookOutcome::Unparsed => StatusCode::BAD_REQUEST,
        HookOutcome::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        HookOutcome::Limited => StatusCode::TOO_MANY_REQUESTS,
        HookOutcome::NotStored => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Without a line in the log: anybody can be over a limit as often as they like.
fn limited(app: &App, failure: &Failure, origin: Option<HeaderValue>) -> Response {
    let word = HookKind::Collect.into();
    app.metrics.hooks.one(word, HookOutcome::Limited);
    let mut response = with_origin(StatusCode::TOO_MANY_REQUESTS.into_response(), origin);
    if let Failure::Refused(_, Some(wait_ms)) = failure {
        let seconds = HeaderValue::from(wait_ms.saturating_add(999) / 1000);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// The hook, and the page's origin where the page may know the answer.
async fn allowed(
    app: &App,
    id: &str,
    headers: &HeaderMap,
) -> (Result<Hook, HookOutcome>, Option<HeaderValue>) {
    match posted::open_hook(app, HookKind::Collect, id).await {
        Ok(hook) => {
            let origin = only(headers, header::ORIGIN.as_str()).filter(|origin| {
                hook.origins
                    .iter()
                    .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            });
            match origin.cloned() {
                Some(origin) => (Ok(hook), Some(origin)),
                None => (Err(HookOutcome::OtherOrigin), None),
            }
        }
        // Nothing is passed on, so any page may know; a page that asks must not see errors because of the owner's pause.
        Err(outcome @ (HookOutcome::Paused | HookOutcome::Removed)) => (
            Err(outcome),
            only(headers, header::ORIGIN.as_str()).cloned(),
        ),
        Err(outcome) => (Err(outcome), None),
    }
}

fn with_origin(mut response: Response, origin: Option<HeaderValue>) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        );
    }
    response
}

async fn take(
    app: &App,
    hook: &Hook,
    ip: IpAddr,
    origin: Option<&HeaderValue>,
    headers: &HeaderMap,
    body: Body,
) -> HookOutcome {
    let body = match body::read(headers, body, COLLECT_BODY_MAX).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => return HookOutcome::TooLarge,
        Err(Unread::Incomplete) => return HookOutcome::Unparsed,
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return HookOutcome::Unparsed;
    };
    if text.is_empty() {
        return HookOutcome::Unparsed;
    }
    let agent = only(headers, header::USER_AGENT.as_str())
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .unwrap_or_default();
    let event = HookEvent {
        hook: hook.id.clone(),
        kind: HookKind::Collect,
        topic: None,
        delivery: None,
        source: origin.and_then(|origin| Some(origin.to_str().ok()?.to_owned())),
        visitor: Some(Visitor {
            address: ip.to_canonical().to_string(),
            agent: agent.chars().take(AGENT_MAX).collect(),
        }),
        body: text.to_owned(),
    };
    posted::pass_on(app, hook, &event).await
}
