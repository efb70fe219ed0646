//! A callback that listens: answers the challenge, keeps what it heard, answers as told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

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

    pub(crate) fn events(&self) -> Vec<Value> {
        let entries = self
            .bodies()
            .into_iter()
            .flat_map(|body| body["entry"].as_array().unwrap().clone());
        entries
            .flat_map(|entry| entry["messaging"].as_array().unwrap().clone())
            .collect()
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

async fn hear(State(ear): State<Ear>, headers: HeaderMap, body: Bytes) -> StatusCode {
    ear.heard.lock().unwrap().push((headers, body));
    StatusCode::from_u16(*ear.status.lock().unwrap()).unwrap()
}

pub(crate) fn mac(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
