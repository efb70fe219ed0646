//! `GET /metrics`: on an address of its own, or on the main one for whoever has the token, or nowhere.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use shopbell_wire::Refusal;
use subtle::ConstantTimeEq as _;

use crate::{app::App, failure::Failure};

/// Content type of the text format.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the metrics address serves.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new().route("/metrics", get(page)).with_state(app)
}

/// The page. The token is asked for wherever one is configured.
pub(crate) async fn page(State(app): State<Arc<App>>, request: Request) -> Response {
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if let Some(token) = &app.config.metrics_token {
        let right: bool = shown.is_some_and(|shown| shown.ct_eq(token.expose().as_bytes()).into());
        if !right {
            return (
                StatusCode::UNAUTHORIZED,
                [(header::WWW_AUTHENTICATE, "Bearer")],
            )
                .into_response();
        }
    }
    ([(header::CONTENT_TYPE, OPENMETRICS)], app.metrics.text()).into_response()
}

/// The same on the main address: without a token there is nothing.
pub(crate) async fn guarded(state: State<Arc<App>>, request: Request) -> Response {
    if state.config.metrics_token.is_none() {
        return Failure::from(Refusal::NotFound).answer(state.now_ms());
    }
    page(state, request).await
}
