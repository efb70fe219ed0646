//! A callback that listens: answers the challenge, keeps what it heard, answers as told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use shopbell_sandbox::{Callback, Say};

use crate::bench::{BAKERY, Bench};

pub(crate) const FACEBOOK: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const INSTAGRAM: &str = "fedcba9876543210fedcba9876543210";
/// Every field of a Page that the product will want.
pub(crate) const ALL: &str = "messages,message_echoes,message_deliveries,message_reads,message_reactions,message_edits,messaging_postbacks,messaging_referrals,messaging_optins,messaging_handovers,messaging_policy_enforcement,response_feedback,standby,feed";

/// An empty shop whose webhooks go to an ear.
pub(crate) async fn listening() -> (Bench, Ear) {
    hearing(Bench::empty().await).await
}

/// Points the webhooks of a sandbox to a new ear.
pub(crate) async fn hearing(bench: Bench) -> (Bench, Ear) {
    let (ear, url) = Ear::open().await;
    bench
        .world()
        .callback(Callback {
            webhook_url: Some(url),
            verify: true,
            ..Callback::default()
        })
        .await
        .unwrap();
    (bench, ear)
}

/// Subscribes the bakery's Page to everything; answers its token.
pub(crate) async fn subscribe_page(bench: &Bench) -> String {
    let token = bench.page(BAKERY).await;
    let answer = bench
        .post(
            &format!("v25.0/{BAKERY}/subscribed_apps"),
            &token,
            json!({"subscribed_fields": ALL}),
        )
        .await;
    assert_eq!(answer.json(), json!({"success": true}));
    token
}

/// Subscribes kornblume.brot by Instagram Login; answers its token, which may do everything.
pub(crate) async fn subscribe_instagram(bench: &Bench) -> String {
    let token = bench
        .instagram_with(
            "instagram_business_basic,instagram_business_manage_messages,instagram_business_manage_comments",
        )
        .await;
    let answer = bench
        .post(
            "graph.instagram.com/v25.0/me/subscribed_apps?subscribed_fields=messages,comments",
            &token,
            json!({}),
        )
        .await;
    assert_eq!(answer.status, 200);
    token
}

/// Ana writes.
pub(crate) fn say(account: &str, text: &str) -> Say {
    Say {
        account: Some(account.into()),
        customer: Some("Ana B".into()),
        text: text.into(),
        ..Say::default()
    }
}

#[derive(Clone, Default)]
pub(crate) struct Ear {
    pub(crate) heard: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    pub(crate) status: Arc<Mutex<u16>>,
}

impl Ear {
    pub(crate) async fn open() -> (Self, String) {
        let ear = Ear {
            status: Arc::new(Mutex::new(200)),
            ..Ear::default()
        };
        let router = Router::new()
            .route("/hook", get(challenge).post(hear))
            .with_state(ear.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (ear, url)
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.heard
            .lock()
            .unwrap()
            .iter()
            .map(|(_, body)| serde_json::from_slice(body).unwrap())
            .collect()
    }

    pub(crate) fn entries(&self) -> Vec<Value> {
        self.bodies()
            .into_iter()
            .flat_map(|body| body["entry"].as_array().unwrap().clone())
            .collect()
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.entries()
            .into_iter()
            .flat_map(|entry| entry["messaging"].as_array().unwrap().clone())
            .collect()
    }

    /// Content events in either form: field and value.
    pub(crate) fn changes(&self) -> Vec<(String, Value)> {
        let read = |change: &Value| {
            let field = change["field"].as_str().unwrap().to_owned();
            (field, change["value"].clone())
        };
        self.entries()
            .iter()
            .flat_map(|entry| match entry["changes"].as_array() {
                Some(changes) => changes.iter().map(read).collect(),
                None => vec![read(entry)],
            })
            .collect()
    }

    pub(crate) fn forget(&self) {
        self.heard.lock().unwrap().clear();
    }

    pub(crate) fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }
}

async fn challenge(Query(pairs): Query<Vec<(String, String)>>) -> Result<String, StatusCode> {
    let find = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    if find("hub.verify_token") == "shopbell-verify" {
        Ok(find("hub.challenge"))
    } else {
        Err(StatusCode::FORBIDDEN)
    }
}

/// Deletion callbacks answer with words; everybody else ignores them.
const ANSWER: &str = r#"{"url":"https://relay.example/deletion/c0","confirmation_code":"c0"}"#;

async fn hear(
    State(ear): State<Ear>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    ear.heard.lock().unwrap().push((headers, body));
    let status = *ear.status.lock().unwrap();
    (StatusCode::from_u16(status).unwrap(), ANSWER)
}

pub(crate) fn mac(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
