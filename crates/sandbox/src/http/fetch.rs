//! Fetching a media URL before a send, as the platform does: it really asks, once, within a limit of
//! time and size. Its own signed links are read from the world without a request.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::call::{Call, Host};

const LIMIT: usize = 25 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Fetched {
    /// A file.
    File { mime: String, bytes: Bytes },
    /// Nothing usable: 2018008.
    Failed,
    /// More than 25 MB: 2018109.
    TooBig,
}

/// The URLs of media in a send or an upload.
pub(crate) fn urls(call: &Call) -> Vec<String> {
    let edge = call.segments.last().map(String::as_str).unwrap_or_default();
    let graph = matches!(call.host, Host::GraphFacebook | Host::GraphInstagram);
    if !graph || call.method != "POST" || !matches!(edge, "messages" | "message_attachments") {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(message) = call.value("message") {
        for key in ["attachment", "attachments"] {
            match &message[key] {
                Value::Array(list) => found.extend(list.iter().filter_map(payload_url)),
                one => found.extend(payload_url(one)),
            }
        }
    }
    found
}

fn payload_url(attachment: &Value) -> Option<String> {
    attachment["payload"]["url"].as_str().map(str::to_owned)
}

/// Asks for one URL.
pub(crate) async fn fetch(client: &reqwest::Client, address: &str) -> Fetched {
    let answer = client.get(address).timeout(PATIENCE).send().await;
    let Ok(answer) = answer else {
        return Fetched::Failed;
    };
    if !answer.status().is_success() {
        return Fetched::Failed;
    }
    if answer
        .content_length()
        .is_some_and(|length| length > LIMIT as u64)
    {
        return Fetched::TooBig;
    }
    let mime = answer
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("application/octet-stream")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned();
    match answer.bytes().await {
        Ok(bytes) if bytes.len() > LIMIT => Fetched::TooBig,
        Ok(bytes) => Fetched::File { mime, bytes },
        Err(_) => Fetched::Failed,
    }
}
