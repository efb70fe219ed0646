//! How the tests post as Meta, shops and browsers do, and read what reached a computer.

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use shopbell_wire::*;

use super::{
    harness::*,
    line::{Line, Said},
    meta::*,
};

/// HMAC-SHA256, as everybody here signs.
pub fn hmac(secret: &str, message: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap()
        .chain_update(message)
        .finalize()
        .into_bytes()
        .to_vec()
}

/// The value of `X-Hub-Signature-256`.
pub fn hub(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(hmac(secret, body)))
}

/// A request of Meta with any signature.
pub fn meta_post(world: &World, body: &[u8], signature: &str) -> reqwest::RequestBuilder {
    world
        .device
        .http
        .post(world.device.url(paths::WEBHOOKS_META))
        .header("content-type", "application/json")
        .header("x-hub-signature-256", signature)
        .body(body.to_vec())
}

/// A delivery of Meta, signed by the Meta app.
pub async fn deliver(world: &World, body: &str) -> StatusCode {
    let signature = hub(APP_SECRET, body.as_bytes());
    meta_post(world, body.as_bytes(), &signature)
        .send()
        .await
        .unwrap()
        .status()
}

/// The envelope around entries.
pub fn envelope(object: &str, entries: &[&str]) -> String {
    format!(r#"{{"object":"{object}","entry":[{}]}}"#, entries.join(","))
}

/// One message of a customer to a Page.
pub fn message(page: &str, mid: &str) -> String {
    json!({"id": page, "time": NOW, "messaging": [{"sender": {"id": "7011"}, "recipient": {"id": page},
        "timestamp": NOW, "message": {"mid": mid, "text": "Hi"}}]})
    .to_string()
}

/// Binds a Page to a computer by a token that Meta knows once.
pub async fn bind(world: &World, device: &Device, page: &str, user: &str) {
    let data = json!({"app_id": "138", "is_valid": true, "type": "PAGE", "profile_id": page, "user_id": user,
        "expires_at": 0, "scopes": []});
    world.meta.once(FB_DEBUG, 200, json!({ "data": data }));
    let shown = ShowToken {
        account: AccountRef {
            kind: AccountKind::Page,
            platform_id: page.into(),
        },
        provider: Provider::Facebook,
        token: Secret::new(format!("EAAcanaryPageToken{page}")),
    };
    ok::<BindingList>(device.post_json(paths::BINDINGS_RENEW, &shown).await).await;
}

/// An event as it reached a computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub offset: u64,
    pub kind: EventKind,
    pub id: [u8; 16],
    pub subject: String,
    pub received_ms: i64,
    pub content: String,
}

impl Reached {
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.content).unwrap()
    }

    /// Of a webhook of Meta: the entry, as text.
    pub fn entry(&self) -> String {
        let (_, rest) = self.content.split_once(r#""entry":"#).unwrap();
        rest.strip_suffix('}').unwrap().to_owned()
    }
}

/// Everything in a computer's stream, opened. Acknowledges nothing as long as the window holds it all, so it can be asked again.
pub async fn reached(world: &World, device: &Device) -> Vec<Reached> {
    let mut line = Line::dial(world).await;
    let (RelayMessage::Ready(state) | RelayMessage::Gap { state, .. }) =
        line.greet(world, device, None, 0).await
    else {
        panic!("no stream")
    };
    let mut opener = EventOpener::new(&device.keys);
    let mut all: Vec<Reached> = Vec::new();
    while state.oldest <= state.newest && all.last().is_none_or(|last| last.offset < state.newest) {
        let deliveries = match line.next().await {
            Said::Events(deliveries) => deliveries,
            Said::Message(_) => continue,
            Said::Closed(why) => panic!("{why:?} after {} events", all.len()),
        };
        for delivery in deliveries {
            let sealed = SealedEvent::from_bytes(&delivery.event).unwrap();
            let content = opener.open(&sealed).unwrap();
            all.push(Reached {
                offset: delivery.offset,
                kind: sealed.kind,
                id: sealed.id,
                subject: sealed.subject.clone(),
                received_ms: sealed.received_ms,
                content: String::from_utf8(content.to_vec()).unwrap(),
            });
        }
        if all.len() >= WINDOW_EVENTS {
            line.ack(all.last().unwrap().offset).await;
        }
    }
    all
}

/// A figure of the relay, by its line without the number.
pub fn figure(world: &World, line: &str) -> u64 {
    let text = world.relay.metrics_text();
    let found = text.lines().find_map(|l| {
        let number = l.strip_prefix("shopbell_relay_")?.strip_prefix(line)?;
        number.trim().parse().ok()
    });
    found.unwrap_or_else(|| panic!("no {line} in\n{text}"))
}

/// Makes a hook.
pub async fn make_hook(device: &Device, asked: Value) -> HookView {
    ok(device.post_json(paths::HOOKS, &asked).await).await
}

/// Status and text.
pub async fn told(answer: Response) -> (u16, String) {
    (answer.status().as_u16(), answer.text().await.unwrap())
}
