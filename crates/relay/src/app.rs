//! What every handler needs, and the routes.
//!
//! Order of the layers matters: panic catch, span (route only: paths and queries carry codes), security headers, time
//! limit, address limit, then the handlers.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Query, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{delete, get, post},
};
use serde::Deserialize;
use shopbell_wire::{Refusal, paths};
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer, trace::TraceLayer};
use url::Url;

use crate::{
    Clock, Config, Entropy, authorize, bindings, callback, config,
    events_in::{self, EventsIn},
    failure::Failure,
    key::RelayKey,
    limits::Gate,
    metrics::{self, Limit, Metrics},
    pages, proof,
    storage::Storage,
    stream::{self, OpenStreams},
    token,
    upstream::Upstream,
};

/// Largest body of any endpoint of this part.
pub(crate) const BODY_MAX: usize = 64 * 1024;
/// A redemption is several calls to the platform.
pub(crate) const REQUEST_MAX: Duration = Duration::from_secs(90);

/// Shared by all handlers.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) public_url: Url,
    pub(crate) key: RelayKey,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) upstream: Upstream,
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Streams of devices on this node.
    pub(crate) streams: Arc<OpenStreams>,
    /// What the part that takes events keeps in memory.
    pub(crate) events_in: EventsIn,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// Cancelled when the relay stops: whatever waits for longer than a request ends then.
    pub(crate) stop: CancellationToken,
}

impl App {
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The address of one of our own paths as callers write it.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.public_url.clone();
        url.set_path(path);
        url
    }

    pub(crate) fn is_plain_loopback(&self) -> bool {
        config::is_loopback(&self.public_url)
    }

    pub(crate) fn respond(&self, outcome: Result<Response, Failure>) -> Response {
        outcome.unwrap_or_else(|failure| failure.answer(self.now_ms()))
    }

    /// Who calls, as far as addresses tell: see `trust_forwarded`.
    pub(crate) fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let forwarded = || {
            let last = headers
                .get_all("x-forwarded-for")
                .iter()
                .next_back()?
                .to_str()
                .ok()?;
            last.rsplit(',').next()?.trim().parse().ok()
        };
        if self.config.trust_forwarded {
            forwarded().unwrap_or_else(|| peer.ip())
        } else {
            peer.ip()
        }
    }
}

pub(crate) fn routes(app: Arc<App>) -> Router {
    let sign_in = Router::new()
        .route(paths::AUTHORIZE, get(authorize::authorize))
        .route(paths::TOKEN, post(token::token))
        .layer(from_fn_with_state(Arc::clone(&app), limit_sign_in));
    let limited = Router::new()
        .merge(sign_in)
        .route("/oauth/callback/{provider}", get(callback::callback))
        .route(paths::PROOF, post(proof::proof))
        .route(paths::BINDINGS, get(bindings::list))
        .route(paths::BINDINGS_RENEW, post(bindings::renew))
        .route(paths::BINDINGS_REMOVE, post(bindings::remove))
        .route(
            &format!("{}/{{kind}}/{{platform_id}}", paths::BINDINGS),
            delete(bindings::unbind),
        )
        .route("/passes", get(pages::passes))
        .merge(events_in::calls())
        .route("/metrics", get(metrics::page::guarded))
        .fallback(not_found)
        .layer(from_fn_with_state(Arc::clone(&app), limit_address));
    Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route(paths::STREAM, get(stream::open))
        .merge(events_in::public())
        .merge(limited)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_MAX,
        ))
        .layer(from_fn_with_state(Arc::clone(&app), security_headers))
        .layer(
            TraceLayer::new_for_http().make_span_with(|request: &Request| {
                // The route, not the path: some paths carry what only their caller should know.
                let route = request
                    .extensions()
                    .get::<MatchedPath>()
                    .map_or("", MatchedPath::as_str);
                tracing::info_span!("request", method = %request.method(), route)
            }),
        )
        .merge(events_in::webhooks())
        .layer(CatchPanicLayer::new())
        .with_state(app)
}

/// Longest nonce that is answered.
const NONCE_MAX: usize = 64;

#[derive(Deserialize)]
struct Asked {
    nonce: Option<String>,
}

/// `ok`; with a nonce also what only this relay can answer to it.
async fn healthy(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Response {
    match asked.nonce {
        None => "ok".into_response(),
        Some(nonce) if nonce.len() <= NONCE_MAX => {
            format!("ok {}", app.key.vouch(&nonce)).into_response()
        }
        Some(_) => Failure::from(Refusal::InvalidRequest).answer(app.now_ms()),
    }
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.storage.ready().await {
        "ready".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "storage does not answer").into_response()
    }
}

async fn not_found(State(app): State<Arc<App>>) -> Response {
    Failure::from(Refusal::NotFound).answer(app.now_ms())
}

/// The address of the caller. For endpoints outside `limit_address`, which ask the gate themselves.
pub(crate) struct CallerAddress(pub(crate) IpAddr);

impl FromRequestParts<Arc<App>> for CallerAddress {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, app)
            .await
            .map_err(|missing| missing.into_response())?;
        Ok(Self(app.address(peer, &parts.headers)))
    }
}

async fn limit_sign_in(
    State(app): State<Arc<App>>,
    CallerAddress(ip): CallerAddress,
    request: Request,
    next: Next,
) -> Response {
    match app.gate.by_address(Limit::SignIn, ip) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.answer(app.now_ms()),
    }
}

async fn limit_address(
    State(app): State<Arc<App>>,
    CallerAddress(ip): CallerAddress,
    request: Request,
    next: Next,
) -> Response {
    match app.gate.address(ip) {
        // axum answers HEAD with the GET handler: a link preview would use the sign-in up.
        Ok(()) if request.method() == Method::HEAD => {
            StatusCode::METHOD_NOT_ALLOWED.into_response()
        }
        Ok(()) => next.run(request).await,
        Err(failure) => failure.answer(app.now_ms()),
    }
}

async fn security_headers(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    if app.public_url.scheme() == "https" {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}
