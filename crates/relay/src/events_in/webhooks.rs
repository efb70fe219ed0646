//! `/webhooks/meta`: what Meta delivers, for both products.
//!
//! Order is the security and the cost: signature header, declared length, body, HMAC, and only then a parse. Nothing unsigned is
//! parsed, logged or written. 200 means that every entry with somebody bound is durable; anything else makes Meta deliver again, and
//! an hour of that makes it unsubscribe everybody, so what is signed and cannot be read is answered 200 too (facts sheet §3.4, C3).

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{ConnectInfo, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use subtle::ConstantTimeEq as _;

use super::{
    body::{self, Unread},
    envelope::{self, Unreadable, WEBHOOK_BODY_MAX},
    routing::{self, NotStored},
    signature,
};
use crate::{app::App, metrics::WebhookOutcome};

/// Longest challenge that is sent back.
const CHALLENGE_MAX: usize = 256;

/// `GET`: Meta asks whether this address is ours. Answers the challenge as it came.
pub(crate) async fn verify(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let one = |name: &str| {
        let mut found = url::form_urlencoded::parse(query.as_bytes()).filter(|(n, _)| n == name);
        let first = found.next()?.1;
        found.next().is_none().then_some(first)
    };
    let expected = app.config.verify_token.as_ref().map(|token| token.expose());
    let good = one("hub.mode").as_deref() == Some("subscribe")
        && one("hub.verify_token").is_some_and(|shown| {
            expected.is_some_and(|token| {
                !token.is_empty() && bool::from(shown.as_bytes().ct_eq(token.as_bytes()))
            })
        });
    match one("hub.challenge").filter(|challenge| challenge.len() <= CHALLENGE_MAX) {
        Some(challenge) if good => {
            app.metrics.webhooks.one(WebhookOutcome::Verified);
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, challenge.into_owned()).into_response()
        }
        _ => {
            app.metrics.webhooks.one(WebhookOutcome::VerifyRefused);
            StatusCode::FORBIDDEN.into_response()
        }
    }
}

/// `POST`: events.
pub(crate) async fn receive(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let outcome = match peer.map(|ConnectInfo(peer)| app.address(*peer, &parts.headers)) {
        Some(address) if app.gate.webhook(address).is_err() => WebhookOutcome::Limited,
        address => {
            let outcome = accept(&app, &parts.headers, body).await;
            if let (Some(address), WebhookOutcome::Unsigned | WebhookOutcome::Forged) =
                (address, outcome)
            {
                app.gate.unsigned_webhook(address);
            }
            outcome
        }
    };
    app.metrics.webhooks.one(outcome);
    match outcome {
        WebhookOutcome::Accepted | WebhookOutcome::Unparsed => StatusCode::OK,
        WebhookOutcome::Unsigned => StatusCode::UNAUTHORIZED,
        WebhookOutcome::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        WebhookOutcome::Incomplete => StatusCode::REQUEST_TIMEOUT,
        WebhookOutcome::Limited => StatusCode::TOO_MANY_REQUESTS,
        WebhookOutcome::NotStored => StatusCode::SERVICE_UNAVAILABLE,
        WebhookOutcome::Forged | WebhookOutcome::Verified | WebhookOutcome::VerifyRefused => {
            StatusCode::FORBIDDEN
        }
    }
    .into_response()
}

async fn accept(app: &App, headers: &HeaderMap, body: Body) -> WebhookOutcome {
    let Some(claimed) = signature::hub(headers) else {
        return WebhookOutcome::Unsigned;
    };
    let body = match body::read(headers, body, WEBHOOK_BODY_MAX).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => return WebhookOutcome::TooLarge,
        Err(Unread::Incomplete) => return WebhookOutcome::Incomplete,
    };
    let rendered = crate::planted::on("relay.checks_own_rendering")
        .then(|| serde_json::from_slice::<serde_json::Value>(&body).ok())
        .flatten()
        .map(|told| told.to_string().into_bytes());
    let checked = rendered.as_deref().unwrap_or(&body);
    let Some(secret) = app.events_in.secrets.who_signed(checked, &claimed) else {
        return WebhookOutcome::Forged;
    };
    crate::planted::pass("relay.signature_held");
    app.metrics.signed_by.one(secret.word);
    let entries = match envelope::parse(&body) {
        Ok(entries) => entries,
        Err(Unreadable) => {
            app.events_in.keep_for_operator(app, &[&body]).await;
            return WebhookOutcome::Unparsed;
        }
    };
    let work = async {
        let routed = routing::route(app, &entries, app.now_ms()).await?;
        routing::append(app, routed.records).await?;
        Ok(routed.no_account)
    };
    match routing::in_time(app, work).await {
        Ok(no_account) => {
            let texts: Vec<&[u8]> = no_account.iter().map(|text| text.as_bytes()).collect();
            app.events_in.keep_for_operator(app, &texts).await;
            WebhookOutcome::Accepted
        }
        Err(NotStored) => WebhookOutcome::NotStored,
    }
}
