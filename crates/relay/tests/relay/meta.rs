//! A scripted stand-in for Meta: answers by path, keeps what it was asked, can be told to fail once.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use url::Url;

/// One request Meta got: query and form together.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub params: HashMap<String, String>,
    pub bearer: Option<String>,
}

type Script = Box<dyn Fn(&Asked) -> (u16, Value) + Send>;

#[derive(Default)]
struct Inner {
    scripts: HashMap<String, Script>,
    once: HashMap<String, VecDeque<(u16, Value)>>,
    gates: HashMap<String, Arc<tokio::sync::Semaphore>>,
    asked: Vec<Asked>,
}

/// Handle on the stand-in.
#[derive(Clone)]
pub struct Meta {
    pub base: Url,
    inner: Arc<Mutex<Inner>>,
    arrived: Arc<tokio::sync::Notify>,
}

pub const FB_TOKEN: &str = "/graph.facebook.com/v25.0/oauth/access_token";
pub const FB_DEBUG: &str = "/graph.facebook.com/v25.0/debug_token";
pub const FB_ME: &str = "/graph.facebook.com/v25.0/me";
pub const FB_PERMISSIONS: &str = "/graph.facebook.com/v25.0/me/permissions";
pub const FB_ACCOUNTS: &str = "/graph.facebook.com/v25.0/me/accounts";
pub const FB_PAGE: &str = "/graph.facebook.com/v25.0/1001";
pub const IG_TOKEN: &str = "/api.instagram.com/oauth/access_token";
pub const IG_EXTEND: &str = "/graph.instagram.com/access_token";
pub const IG_ME: &str = "/graph.instagram.com/v25.0/me";

pub const APP_SECRET: &str = "canary-app-secret-facebook";
pub const IG_SECRET: &str = "canary-app-secret-instagram";
pub const SHORT: &str = "EAAcanaryShortUserToken0001";
pub const LONG: &str = "EAAcanaryLongUserToken0002";
pub const LONGER: &str = "EAAcanaryLongerUserToken0003";
pub const PAGE_TOKEN: &str = "EAAcanaryPageToken1001";
pub const IG_SHORT: &str = "IGAAcanaryShort0001";
pub const IG_LONG: &str = "IGAAcanaryLong0002";
pub const IG_ID: &str = "17841400000000001";
pub const DAY: i64 = 86_400;

impl Meta {
    pub async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .unwrap();
        let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let meta = Self {
            base,
            inner,
            arrived: Arc::default(),
        };
        meta.defaults();
        let router = Router::new().fallback(answer).with_state(meta.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        meta
    }

    /// Answers `path` with this from now on.
    pub fn script(&self, path: &str, script: impl Fn(&Asked) -> (u16, Value) + Send + 'static) {
        self.inner
            .lock()
            .unwrap()
            .scripts
            .insert(path.into(), Box::new(script));
    }

    /// Answers `path` always the same.
    pub fn fixed(&self, path: &str, status: u16, body: Value) {
        self.script(path, move |_| (status, body.clone()));
    }

    /// Answers the next call of `path` with this; several queue up.
    pub fn once(&self, path: &str, status: u16, body: Value) {
        self.inner
            .lock()
            .unwrap()
            .once
            .entry(path.into())
            .or_default()
            .push_back((status, body));
    }

    /// Holds every call of `path` until the returned semaphore gets permits.
    pub fn hold(&self, path: &str) -> Arc<tokio::sync::Semaphore> {
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        self.inner
            .lock()
            .unwrap()
            .gates
            .insert(path.into(), Arc::clone(&gate));
        gate
    }

    /// Waits until `path` was asked at least `count` times.
    pub async fn until_asked(&self, path: &str, count: usize) {
        loop {
            let arrived = self.arrived.notified();
            if self.asked(path).len() >= count {
                return;
            }
            arrived.await;
        }
    }

    /// The calls of `path` so far.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        self.inner
            .lock()
            .unwrap()
            .asked
            .iter()
            .filter(|asked| asked.path == path)
            .cloned()
            .collect()
    }

    /// How many calls there were in all.
    pub fn calls(&self) -> usize {
        self.inner.lock().unwrap().asked.len()
    }

    fn defaults(&self) {
        self.script(FB_TOKEN, |asked| {
            match asked.params.get("fb_exchange_token").map(String::as_str) {
                None => (
                    200,
                    json!({"access_token": SHORT, "token_type": "bearer", "expires_in": 5400}),
                ),
                Some(SHORT) => (
                    200,
                    json!({"access_token": LONG, "token_type": "bearer", "expires_in": 60 * DAY}),
                ),
                Some(_) => (
                    200,
                    json!({"access_token": LONGER, "token_type": "bearer", "expires_in": 60 * DAY}),
                ),
            }
        });
        self.script(FB_DEBUG, |asked| {
            let data = |more: Value| {
                let mut data = json!({"app_id": "138", "application": "Shopbell", "is_valid": true, "user_id": "1207",
                    "scopes": ["pages_show_list"], "data_access_expires_at": super::harness::NOW / 1000 + 90 * DAY});
                data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                (200, json!({ "data": data }))
            };
            let ends = |days: i64| super::harness::NOW / 1000 + days * DAY;
            match asked.params["input_token"].as_str() {
                LONG => data(json!({"type": "USER", "expires_at": ends(60)})),
                LONGER => data(json!({"type": "USER", "expires_at": ends(75)})),
                PAGE_TOKEN => data(json!({"type": "PAGE", "profile_id": "1001", "expires_at": 0})),
                _ => (200, json!({"data": {"is_valid": false, "error": {"code": 190, "message": "m"}}})),
            }
        });
        self.fixed(
            FB_ME,
            200,
            json!({"id": "1207", "name": "Canary Owner Name"}),
        );
        self.fixed(
            FB_PERMISSIONS,
            200,
            json!({"data": [
                {"permission": "pages_show_list", "status": "granted"},
                {"permission": "pages_messaging", "status": "granted"},
                {"permission": "read_insights", "status": "declined"},
                {"permission": "email", "status": "expired"},
            ]}),
        );
        self.fixed(FB_ACCOUNTS, 200, json!({"data": [
            {"id": "1001", "name": "Canary Page Name", "access_token": PAGE_TOKEN, "category": "Shop",
             "tasks": ["MESSAGING", "MODERATE"],
             "instagram_business_account": {"id": IG_ID, "username": "acme", "profile_picture_url": "https://x/p.jpg"}},
            {"id": 1002, "name": "Second", "access_token": "EAAcanaryPageToken1002", "tasks": []},
        ], "paging": {"cursors": {"before": "a", "after": "b"}}}));
        self.fixed(
            FB_PAGE,
            200,
            json!({"id": "1001", "instagram_business_account": {"id": IG_ID}}),
        );
        self.fixed(IG_TOKEN, 200, json!({"data": [{"access_token": IG_SHORT, "user_id": 1_020_000_000_000_000_017_u64,
            "permissions": "instagram_business_basic,instagram_business_manage_messages,instagram_business_manage_comments"}]}));
        self.fixed(
            IG_EXTEND,
            200,
            json!({"access_token": IG_LONG, "token_type": "bearer", "expires_in": 5_183_944}),
        );
        self.script(IG_ME, |asked| match asked.bearer.as_deref() {
            Some(IG_LONG | IG_SHORT) => (
                200,
                json!({"id": "24600000000000017", "user_id": 17_841_400_000_000_001_u64,
                "username": "acme", "name": "Acme", "account_type": "BUSINESS"}),
            ),
            _ => (
                400,
                json!({"error": {"message": "m", "type": "OAuthException", "code": 190}}),
            ),
        });
    }
}

async fn answer(
    State(meta): State<Meta>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let form = url::form_urlencoded::parse(&body);
    let asked = Asked {
        method: method.to_string(),
        path: uri.path().to_owned(),
        params: query
            .chain(form)
            .map(|(k, v)| (k.into_owned(), v.into_owned()))
            .collect(),
        bearer: headers.get("authorization").and_then(|value| {
            value
                .to_str()
                .ok()?
                .strip_prefix("Bearer ")
                .map(str::to_owned)
        }),
    };
    let gate = {
        let mut inner = meta.inner.lock().unwrap();
        inner.asked.push(asked.clone());
        inner.gates.get(&asked.path).cloned()
    };
    meta.arrived.notify_waiters();
    if let Some(gate) = gate {
        gate.acquire().await.unwrap().forget();
    }
    let mut inner = meta.inner.lock().unwrap();
    let queued = inner
        .once
        .get_mut(&asked.path)
        .and_then(VecDeque::pop_front);
    let (status, body) = match (queued, inner.scripts.get(&asked.path)) {
        (Some(answer), _) => answer,
        (None, Some(script)) => script(&asked),
        (None, None) => (
            404,
            json!({"error": {"message": "m", "type": "GraphMethodException", "code": 100}}),
        ),
    };
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}
