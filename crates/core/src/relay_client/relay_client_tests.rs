#![allow(clippy::unwrap_used)]
//! Against a double that checks proofs with the wire crate and answers as told.

use super::*;
use crate::{Changes, Endpoints, ManualClock, SeededEntropy};
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use shopbell_wire::{
    Envelope, EnvelopeKind, Grant, GrantedUser, PROOF_SKEW_MS, TokenAnswer, Verifier,
};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

const RELAY_NOW: i64 = 1_790_000_000_000;

enum Say {
    Grant(Box<Grant>),
    Refuse(Refusal),
    Page,
    Json(&'static str),
}

#[derive(Clone)]
struct Double {
    base: Url,
    says: Arc<Mutex<VecDeque<Say>>>,
    bodies: Arc<Mutex<Vec<(String, String)>>>,
    nonces: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(double): State<Double>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().to_owned();
    double
        .bodies
        .lock()
        .unwrap()
        .push((path.clone(), String::from_utf8_lossy(&body).into_owned()));
    let refuse = |refusal: Refusal| {
        let body = serde_json::to_string(&ErrorAnswer::new(refusal, RELAY_NOW, None)).unwrap();
        (StatusCode::from_u16(refusal.status()).unwrap(), body).into_response()
    };
    let proof = parts.headers.get(PROOF_HEADER).unwrap().to_str().unwrap();
    let url = double.base.join(&path).unwrap();
    let Ok(proof) =
        DeviceProof::verify(proof, parts.method.as_str(), &url, RELAY_NOW, PROOF_SKEW_MS)
    else {
        return refuse(Refusal::ProofStale);
    };
    double.nonces.lock().unwrap().push(proof.nonce);
    match double
        .says
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front()
        .unwrap()
    {
        Say::Grant(grant) => {
            let mut rng = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1);
            let sealed = Envelope::seal(
                &proof.device,
                EnvelopeKind::Grant,
                "jti",
                grant.as_ref(),
                &mut rng,
            )
            .unwrap();
            serde_json::to_string(&TokenAnswer::new(&sealed))
                .unwrap()
                .into_response()
        }
        Say::Refuse(refusal) => refuse(refusal),
        Say::Page => (StatusCode::BAD_GATEWAY, "<html>").into_response(),
        Say::Json(text) => text.into_response(),
    }
}

async fn scene(app_now_ms: i64) -> (Double, RelayClient, Vault) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let double = Double {
        base: base.clone(),
        says: Arc::default(),
        bodies: Arc::default(),
        nonces: Arc::default(),
    };
    let app = Router::new().fallback(answer).with_state(double.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(7));
    let parts = Parts {
        clock: Arc::new(ManualClock::at(app_now_ms)),
        entropy: Arc::clone(&entropy),
        endpoints: Endpoints::sandbox(&base, base.clone()).unwrap(),
        changes: Changes::default(),
    };
    (double, RelayClient::new(&parts), Vault::in_memory(entropy))
}

fn grant() -> Grant {
    Grant {
        provider: shopbell_wire::Provider::Instagram,
        user: GrantedUser {
            id: "1".into(),
            name: "Ana".into(),
        },
        user_token: None,
        granted: vec![],
        declined: vec![],
        accounts: vec![],
        renewal: None,
        issued_at_ms: RELAY_NOW,
    }
}

fn redeem<'a>(verifier: &'a Secret, code: &'a Secret) -> Redeem<'a> {
    Redeem {
        redirect_uri: shopbell_wire::SCHEME_REDIRECT,
        state: "state-state-state-1",
        verifier,
        code,
    }
}

#[tokio::test]
async fn the_browsers_address_is_the_wire_crates() {
    let (_, relay, vault) = scene(RELAY_NOW).await;
    let keys = relay.keys(&vault).await.unwrap();
    let verifier = Verifier::from_random_bytes(&[7; 32]);
    let (url, number) = relay
        .authorize_url(
            Provider::Facebook,
            shopbell_wire::SCHEME_REDIRECT,
            "state-state-state-1",
            &verifier,
            &keys.thumbprint(),
            true,
        )
        .unwrap();
    let asked: std::collections::BTreeMap<String, String> =
        url.query_pairs().into_owned().collect();
    let mut params = shopbell_wire::AuthorizeParams::new(
        shopbell_wire::Provider::Facebook,
        shopbell_wire::SCHEME_REDIRECT,
        "state-state-state-1",
        verifier.challenge(),
        keys.thumbprint(),
    );
    params.rerequest = true;
    params.check().unwrap();
    let expected = params.url(&url);
    assert_eq!(asked, expected.query_pairs().into_owned().collect());
    assert_eq!(url.path(), expected.path());
    assert_eq!(number, verifier.challenge().number().to_string());
    assert!(!url.as_str().contains(verifier.expose()));
}

#[tokio::test]
async fn a_code_becomes_a_grant_and_may_be_redeemed_again() {
    let (double, relay, vault) = scene(RELAY_NOW).await;
    let (verifier, code) = (Secret::new("v".repeat(43)), Secret::new("sbc1.x"));
    for _ in 0..2 {
        double
            .says
            .lock()
            .unwrap()
            .push_back(Say::Grant(Box::new(grant())));
        assert_eq!(
            relay
                .redeem(&vault, &redeem(&verifier, &code))
                .await
                .unwrap(),
            grant()
        );
    }
    let (path, body) = double.bodies.lock().unwrap()[0].clone();
    assert_eq!(path, paths::TOKEN);
    let form: std::collections::BTreeMap<String, String> =
        url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect();
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["client_id"], CLIENT_ID_TEXT);
    assert_eq!(
        (form["code"].as_str(), form["state"].as_str()),
        ("sbc1.x", "state-state-state-1")
    );
    assert_eq!(form["redirect_uri"], shopbell_wire::SCHEME_REDIRECT);
    let nonces = double.nonces.lock().unwrap();
    assert_ne!(nonces[0], nonces[1]);
}

const CLIENT_ID_TEXT: &str = "shopbell-desktop";

#[tokio::test]
async fn a_wrong_clock_is_corrected_by_the_relays() {
    let (double, relay, vault) = scene(RELAY_NOW - 7_200_000).await;
    double
        .says
        .lock()
        .unwrap()
        .push_back(Say::Grant(Box::new(grant())));
    let (verifier, code) = (Secret::new("v".repeat(43)), Secret::new("sbc1.x"));
    relay
        .redeem(&vault, &redeem(&verifier, &code))
        .await
        .unwrap();
    assert_eq!(
        double.bodies.lock().unwrap().len(),
        2,
        "one stale, one good"
    );
}

#[tokio::test]
async fn refusals_are_typed_and_a_proxys_page_is_no_answer() {
    let (double, relay, vault) = scene(RELAY_NOW).await;
    let (verifier, code) = (Secret::new("v".repeat(43)), Secret::new("sbc1.x"));
    double.says.lock().unwrap().extend([
        Say::Refuse(Refusal::CodeReused),
        Say::Page,
        Say::Json("{}"),
        Say::Json("[]"),
    ]);
    let mut errors = Vec::new();
    for _ in 0..4 {
        errors.push(
            relay
                .redeem(&vault, &redeem(&verifier, &code))
                .await
                .unwrap_err(),
        );
    }
    assert!(
        matches!(
            errors[0],
            RelayError::Refused {
                refusal: Refusal::CodeReused,
                ..
            }
        ) && !errors[0].passes()
    );
    assert!(matches!(errors[1], RelayError::Unreachable) && errors[1].passes());
    assert!(matches!(errors[2], RelayError::Answer));
    assert!(matches!(errors[3], RelayError::Answer));
    assert_eq!(relay.answered(), Some(true));
    assert!(!format!("{errors:?}").contains("sbc1"));
}

#[tokio::test]
async fn keys_are_made_once_and_kept() {
    let (_, relay, vault) = scene(RELAY_NOW).await;
    let first = relay.keys(&vault).await.unwrap().thumbprint();
    let kept = vault.get_secret("device-keys").await.unwrap().unwrap();
    assert_eq!(keys_from_secret(&kept).unwrap().thumbprint(), first);
    let (_, again, _) = scene(RELAY_NOW).await;
    assert_eq!(again.keys(&vault).await.unwrap().thumbprint(), first);
}

#[tokio::test]
async fn proofs_keep_their_order_and_unbinding_twice_is_fine() {
    let (double, relay, vault) = scene(RELAY_NOW).await;
    double.says.lock().unwrap().extend([
        Say::Json(r#"{"proofs":["aa",null]}"#),
        Say::Json(r#"{"proofs":["aa"]}"#),
        Say::Refuse(Refusal::NotBound),
    ]);
    let tokens = [Secret::new("one"), Secret::new("two")];
    let proofs = relay
        .proofs(&vault, Provider::Facebook, &tokens)
        .await
        .unwrap();
    assert_eq!(proofs, vec![Some(Secret::new("aa")), None]);
    assert!(matches!(
        relay.proofs(&vault, Provider::Facebook, &tokens).await,
        Err(RelayError::Answer)
    ));
    relay
        .unbind(&vault, AccountKind::Page, "1001")
        .await
        .unwrap();
    assert!(
        relay
            .unbind(&vault, AccountKind::Page, "../x")
            .await
            .is_err()
    );
    assert_eq!(double.bodies.lock().unwrap()[2].0, "/v1/bindings/page/1001");
}
