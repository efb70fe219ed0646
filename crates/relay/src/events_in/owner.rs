//! `/meta/deauthorize` and `/meta/data-deletion`: Meta passes on what an owner did or asks for. They name the owner, never a customer.
//!
//! Deauthorize: the relay holds no token, so it has nothing to forget; it tells the owner's computers, which mark the login as signed
//! out by Meta. Deletion: what the relay holds is erased at once, then the computers are told. Invariant: no request from outside
//! deletes anything on the owner's disk; what the owner decided there comes back through `deletion` (C1).

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use shopbell_wire::{DevicePublic, EventKind, OwnerNotice};

use super::{
    body,
    deletion::page_of,
    hooks,
    routing::{self, in_time},
    sealing::Event,
    signed_request::{self, NotTaken, SIGNED_REQUEST_MAX, SignedRequest},
};
use crate::{
    app::{App, CallerAddress},
    metrics::NoticeKind,
    storage::{Deletion, Stored},
};

/// A deletion that was asked for and broke off is taken up again by a repeated request within this time. Later the same request does
/// nothing: the owner may have connected again since.
const RESUME_WITHIN_MS: i64 = 60 * 60 * 1000;

/// `POST /meta/deauthorize`.
pub(crate) async fn deauthorize(
    State(app): State<Arc<App>>,
    CallerAddress(ip): CallerAddress,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let request = match signed(&app, ip, &headers, body).await {
        Ok(request) => request,
        Err(status) => return status.into_response(),
    };
    app.metrics.notices.one(NoticeKind::Deauthorized);
    let work = async {
        let now_ms = app.now_ms();
        let devices = app
            .storage
            .receivers_of_user(request.provider, &request.user_id, now_ms)
            .await?;
        let devices: Vec<_> = devices.iter().map(|receiver| receiver.device).collect();
        tell(&app, EventKind::DEAUTHORIZED, &request, None, &devices).await
    };
    match in_time(&app, work).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// `POST /meta/data-deletion`.
pub(crate) async fn data_deletion(
    State(app): State<Arc<App>>,
    CallerAddress(ip): CallerAddress,
    headers: HeaderMap,
    body: Body,
) -> Response {
    /// The answer Meta documents.
    #[derive(Serialize)]
    struct Confirmation {
        url: String,
        confirmation_code: String,
    }
    let request = match signed(&app, ip, &headers, body).await {
        Ok(request) => request,
        Err(status) => return status.into_response(),
    };
    app.metrics.notices.one(NoticeKind::Deletion);
    let code = request.code();
    // Its own task: Meta hanging up must not leave half a deletion.
    let work = tokio::spawn({
        let (app, code) = (Arc::clone(&app), code.clone());
        async move { in_time(&app, erase(&app, &request, &code)).await }
    });
    match work.await {
        Ok(Ok(())) => Json(Confirmation {
            url: app.url(&page_of(&code)).into(),
            confirmation_code: code,
        })
        .into_response(),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The request behind a form with exactly one `signed_request`. Meta's own are never limited: a lost wish for deletion is worse than a
/// thousand that are refused. Who shows too many without a good signature is, as at the webhooks.
async fn signed(
    app: &App,
    ip: IpAddr,
    headers: &HeaderMap,
    body: Body,
) -> Result<SignedRequest, StatusCode> {
    if app.gate.webhook(ip).is_err() {
        return Err(StatusCode::TOO_MANY_REQUESTS);
    }
    let outcome = async {
        // Three times: the form may escape every character.
        let body = body::read(headers, body, 3 * SIGNED_REQUEST_MAX)
            .await
            .map_err(|_| NotTaken::Malformed)?;
        let mut found =
            url::form_urlencoded::parse(&body).filter(|(name, _)| name == "signed_request");
        let (_, text) = found.next().ok_or(NotTaken::Malformed)?;
        if found.next().is_some() {
            return Err(NotTaken::Malformed);
        }
        signed_request::read(&text, &app.events_in.secrets, app.now_ms())
    };
    outcome.await.map_err(|not_taken| {
        app.metrics.notices.one(NoticeKind::Refused);
        app.gate.unsigned_webhook(ip);
        match not_taken {
            NotTaken::Malformed => StatusCode::BAD_REQUEST,
            NotTaken::Forged => StatusCode::FORBIDDEN,
        }
    })
}

/// Erases and tells. First the code, so that the status page knows of it whatever breaks off afterwards; the notice last, because
/// dropping a stream would take it along.
async fn erase(app: &App, request: &SignedRequest, code: &str) -> Stored<()> {
    let now_ms = app.now_ms();
    let (provider, user_id) = (request.provider, request.user_id.as_str());
    let known = app.storage.deletion(code).await?;
    if let Some(known) = &known
        && now_ms.saturating_sub(known.asked_at_ms) > RESUME_WITHIN_MS
    {
        return Ok(());
    }
    let receivers = app
        .storage
        .receivers_of_user(provider, user_id, now_ms)
        .await?;
    if known.is_some() && receivers.is_empty() {
        return Ok(());
    }
    let mut deletion = known.unwrap_or(Deletion {
        asked_at_ms: now_ms,
        told: Vec::new(),
        outcomes: std::collections::BTreeMap::new(),
    });
    let devices: Vec<DevicePublic> = receivers.iter().map(|receiver| receiver.device).collect();
    for device in devices.iter().map(DevicePublic::thumbprint) {
        if !deletion.told.contains(&device) {
            deletion.told.push(device);
        }
    }
    app.storage.put_deletion(code, &deletion).await?;
    app.storage.unbind_user(provider, user_id).await?;
    for device in devices.iter().map(DevicePublic::thumbprint) {
        app.storage.drop_stream(&device).await?;
        // A computer that serves another owner's accounts too keeps its hooks; one that is bound to nothing more has none.
        if app.storage.bindings_of(&device, now_ms).await?.is_empty() {
            for hook in app.storage.hooks_of(&device).await? {
                app.storage.put_hook(&hooks::tombstone(hook)).await?;
            }
        }
    }
    tell(app, EventKind::DELETION, request, Some(code), &devices).await
}

/// Puts the notice into the computers' streams.
async fn tell(
    app: &App,
    kind: EventKind,
    request: &SignedRequest,
    code: Option<&str>,
    devices: &[DevicePublic],
) -> Stored<()> {
    let notice = OwnerNotice {
        provider: request.provider,
        user_id: request.user_id.clone(),
        issued_at_ms: request.issued_at_ms,
        code: code.map(str::to_owned),
    };
    let Ok(plain) = serde_json::to_vec(&notice) else {
        return Ok(());
    };
    let event = Event {
        kind,
        id: request.event_id(),
        subject: &format!("user/{}", request.provider),
        received_ms: app.now_ms(),
        plain: &plain,
    };
    let sealed = devices
        .iter()
        .map(|device| app.events_in.sealers.seal(device, &event));
    let records = sealed.flatten().collect();
    tracing::info!(provider = %request.provider, devices = devices.len(), kind = kind.0, "a notice of Meta about an owner");
    routing::append(app, records).await
}
