//! Deauthorize and data-deletion callbacks: signed with the secret of the product they belong to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use shopbell_sandbox::{CallbackAnswer, SignedRequest};

use crate::bench::{Bench, HOUR, NOON};
use crate::ear::{Ear, FACEBOOK, INSTAGRAM};

async fn posted(bench: &Bench, order: SignedRequest) -> (CallbackAnswer, String, String) {
    let (ear, url) = Ear::open().await;
    let order = SignedRequest { url, ..order };
    let answer = bench.world().signed_request(order).await.unwrap();
    let body = ear.heard.lock().unwrap()[0].1.clone();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let (_, word) = url::form_urlencoded::parse(text.as_bytes())
        .find(|(key, _)| key == "signed_request")
        .unwrap();
    let (signature, payload) = word.split_once('.').unwrap();
    (answer, signature.to_owned(), payload.to_owned())
}

fn signed(secret: &str, payload: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn each_product_signs_with_its_own_secret_and_hears_the_answer() {
    let bench = Bench::empty().await;
    for (instagram, own, other) in [(false, FACEBOOK, INSTAGRAM), (true, INSTAGRAM, FACEBOOK)] {
        let order = SignedRequest {
            user_id: "77".into(),
            instagram,
            ..SignedRequest::default()
        };
        let (answer, signature, payload) = posted(&bench, order).await;
        assert_eq!(signature, signed(own, &payload));
        assert_ne!(signature, signed(other, &payload));
        let read: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&payload).unwrap()).unwrap();
        assert_eq!(
            (&read["user_id"], &read["algorithm"]),
            (&"77".into(), &"HMAC-SHA256".into())
        );
        assert_eq!(read["issued_at"], NOON / 1_000);
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            (answer.status, &said["confirmation_code"]),
            (200, &"c0".into())
        );
    }
}

#[tokio::test]
async fn forged_and_old_ones_can_be_made() {
    let bench = Bench::empty().await;
    let order = SignedRequest {
        user_id: "77".into(),
        forged: true,
        age_ms: 30 * HOUR,
        ..SignedRequest::default()
    };
    let (_, signature, payload) = posted(&bench, order).await;
    assert!(
        ![FACEBOOK, INSTAGRAM]
            .iter()
            .any(|secret| signature == signed(secret, &payload))
    );
    let read: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&payload).unwrap()).unwrap();
    assert_eq!(read["issued_at"], (NOON - 30 * HOUR) / 1_000);
    let nobody = SignedRequest {
        url: "http://127.0.0.1:9/".into(),
        ..SignedRequest::default()
    };
    assert_eq!(
        bench.world().signed_request(nobody).await.unwrap().status,
        0
    );
}
