//! The core behind loopback HTTP, so that a browser can drive the whole product in tests and during UI work.
//!
//! It cannot ship: it is an example, and it refuses a profile that is not a sandbox's (decision T28). It listens on 127.0.0.1 only,
//! checks Host and Origin against rebinding, and wants its token in a header or a WebSocket subprotocol, never in an address.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a tool for developers"
)]

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        Path, Request, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use shopbell_core::{
    Core, CoreConfig, OsEntropy, SystemClock,
    api::{self, ApiError, types::Change},
    endpoints, media,
    vault::Keychain,
};
use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

struct Bridge {
    core: Core,
    token: String,
    authority: String,
    pages: PathBuf,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(profile), Some(pages)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: bridge PROFILE_FOLDER UI_FOLDER [PORT]");
        std::process::exit(2);
    };
    let port: u16 = arguments
        .next()
        .map_or(0, |port| port.parse().expect("a port"));
    let profile = PathBuf::from(profile);
    let endpoints = endpoints::load(&profile).expect("endpoints.json");
    if !endpoints.sandbox {
        eprintln!("The bridge serves only a profile whose endpoints.json names a sandbox.");
        std::process::exit(2);
    }
    let core = Core::new(CoreConfig {
        dir: profile,
        endpoints,
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(OsEntropy),
        keychain: Keychain::os(),
    });
    let opening = core.clone();
    tokio::spawn(async move { opening.open().await });

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("a free port");
    let authority = listener.local_addr().unwrap().to_string();
    let token = hex::encode(shopbell_core::Entropy::key(&OsEntropy));
    println!(
        "{}",
        serde_json::json!({ "bridge": format!("http://{authority}"), "token": token })
    );
    let bridge = Arc::new(Bridge {
        core,
        token,
        authority,
        pages: pages.into(),
    });
    let guarded = Router::new()
        .route("/api/{name}", post(use_case))
        .route("/media/{id}", get(picture))
        .route_layer(middleware::from_fn_with_state(bridge.clone(), with_token));
    let app = Router::new()
        .merge(guarded)
        .route("/changes", get(changes))
        .fallback(get(page))
        .layer(middleware::from_fn_with_state(bridge.clone(), from_here))
        .with_state(bridge);
    axum::serve(listener, app).await.expect("serve");
}

/// Host must be the address we listen on, Origin (when sent) too.
async fn from_here(State(bridge): State<Arc<Bridge>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|value| value.to_str().ok());
    let own = format!("http://{}", bridge.authority);
    if host != Some(bridge.authority.as_str()) || origin.is_some_and(|origin| origin != own) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

async fn with_token(State(bridge): State<Arc<Bridge>>, request: Request, next: Next) -> Response {
    let sent = request
        .headers()
        .get("x-shopbell-token")
        .and_then(|value| value.to_str().ok());
    if sent != Some(bridge.token.as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

async fn use_case(
    State(bridge): State<Arc<Bridge>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let argument = match body.is_empty() {
        true => serde_json::Value::Null,
        false => match serde_json::from_slice(&body) {
            Ok(argument) => argument,
            Err(_) => return failed(ApiError::new("bad_argument", "The body is not JSON.")),
        },
    };
    match api::dispatch(&bridge.core, &name, argument).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => failed(error),
    }
}

fn failed(error: ApiError) -> Response {
    let status = if error.code == "internal" {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::BAD_REQUEST
    };
    (status, Json(error)).into_response()
}

async fn picture(State(bridge): State<Arc<Bridge>>, Path(id): Path<String>) -> Response {
    let Ok(profile) = bridge.core.profile() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match media::load(&profile, &id).await {
        Ok(found) => (
            [(header::CONTENT_TYPE, found.mime.to_string())],
            found.bytes.to_vec(),
        )
            .into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn changes(
    State(bridge): State<Arc<Bridge>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let wanted = format!("shopbell.{}", bridge.token);
    let offered = headers
        .get(header::SEC_WEBSOCKET_PROTOCOL)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !offered.split(',').any(|protocol| protocol.trim() == wanted) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade
        .protocols([wanted])
        .on_upgrade(move |socket| tell(socket, bridge.core.clone()))
}

/// Gathers changes per frame, as the window does.
async fn tell(mut socket: WebSocket, core: Core) {
    let mut incoming = core.changes().listen();
    loop {
        let mut gathered = HashSet::new();
        tokio::select! {
            change = incoming.recv() => { gathered.insert(change.unwrap_or(Change::Everything)); }
            told = socket.recv() => match told { Some(Ok(_)) => continue, _ => return },
        }
        tokio::time::sleep(Duration::from_millis(16)).await;
        while let Ok(change) = incoming.try_recv() {
            gathered.insert(change);
        }
        let text =
            serde_json::to_string(&gathered.into_iter().collect::<Vec<_>>()).unwrap_or_default();
        if socket.send(Message::Text(text.into())).await.is_err() {
            return;
        }
    }
}

/// The built UI, with the policy the window has.
async fn page(State(bridge): State<Arc<Bridge>>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    if path
        .split('/')
        .any(|part| part == ".." || part.starts_with('.'))
    {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(bytes) = tokio::fs::read(bridge.pages.join(path)).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob: data:; media-src blob:; connect-src 'self'";
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, policy),
        ],
        bytes,
    )
        .into_response()
}
