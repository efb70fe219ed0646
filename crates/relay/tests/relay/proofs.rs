//! Device proofs, limits, and `POST /oauth/proof`.

use reqwest::StatusCode;
use serde_json::json;
use shopbell_wire::*;

use super::{harness::*, meta::*};

#[tokio::test]
async fn only_a_fresh_proof_of_this_request_opens_the_door() {
    let world = World::new().await;
    let device = &world.device;
    let url = device.url(paths::BINDINGS);
    let send = async |proof: &str| {
        refused(
            device
                .http
                .get(url.clone())
                .header(PROOF_HEADER, proof)
                .send()
                .await
                .unwrap(),
        )
        .await
    };

    assert_eq!(
        refused(device.http.get(url.clone()).send().await.unwrap()).await,
        Refusal::ProofMissing
    );
    assert_eq!(send("nonsense").await, Refusal::ProofInvalid);
    assert_eq!(
        send(device.proof("POST", paths::BINDINGS).as_str()).await,
        Refusal::ProofInvalid
    );
    assert_eq!(
        send(device.proof("GET", paths::TOKEN).as_str()).await,
        Refusal::ProofInvalid
    );
    let elsewhere = url::Url::parse("https://evil.example/v1/bindings").unwrap();
    let stolen = DeviceProof::sign(&device.keys, "GET", &elsewhere, NOW, &[9; 16]);
    assert_eq!(send(stolen.as_str()).await, Refusal::ProofInvalid);
    for off in [PROOF_SKEW_MS + 1, -PROOF_SKEW_MS - 1] {
        let stale = DeviceProof::sign(&device.keys, "GET", &url, NOW + off, &[10; 16]);
        assert_eq!(send(stale.as_str()).await, Refusal::ProofStale);
    }
    let good = device.proof("GET", paths::BINDINGS);
    let twice = device
        .http
        .get(url.clone())
        .header(PROOF_HEADER, good.as_str())
        .header(PROOF_HEADER, good.as_str());
    assert_eq!(
        refused(twice.send().await.unwrap()).await,
        Refusal::ProofInvalid
    );
    let once = device
        .http
        .get(url.clone())
        .header(PROOF_HEADER, good.as_str())
        .send()
        .await
        .unwrap();
    assert_eq!(once.status(), StatusCode::OK);
    assert_eq!(send(good.as_str()).await, Refusal::ProofReplayed);

    // From the future edge it can be shown for twice the skew; the mark is kept as long.
    let ahead = DeviceProof::sign(&device.keys, "GET", &url, NOW + PROOF_SKEW_MS, &[11; 16]);
    let answer = device
        .http
        .get(url.clone())
        .header(PROOF_HEADER, ahead.as_str())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    world.pass(2 * PROOF_SKEW_MS);
    world.relay.purge_now().await.unwrap();
    assert_eq!(send(ahead.as_str()).await, Refusal::ProofReplayed);
}

#[tokio::test]
async fn a_stale_proof_is_told_the_relays_time() {
    let world = World::new().await;
    let url = world.device.url(paths::BINDINGS);
    let stale = DeviceProof::sign(&world.device.keys, "GET", &url, NOW - 7_200_000, &[1; 16]);
    let answer = world
        .device
        .http
        .get(url)
        .header(PROOF_HEADER, stale.as_str())
        .send()
        .await
        .unwrap();
    let error: ErrorAnswer = answer.json().await.unwrap();
    assert_eq!(error.relay_time_ms, NOW);
}

#[tokio::test]
async fn limits_refuse_with_the_time_to_wait() {
    let world = World::with(|config| config.limits.device_per_minute = 3).await;
    for _ in 0..3 {
        assert_eq!(
            world.device.get(paths::BINDINGS).await.status(),
            StatusCode::OK
        );
    }
    let answer = world.device.get(paths::BINDINGS).await;
    assert_eq!(answer.headers()["retry-after"], "20");
    assert_eq!(refused(answer).await, Refusal::RateLimited);
    assert_eq!(
        world.device(2).get(paths::BINDINGS).await.status(),
        StatusCode::OK
    );
    world.pass(20_000);
    assert_eq!(
        world.device.get(paths::BINDINGS).await.status(),
        StatusCode::OK
    );

    let world = World::with(|config| config.limits.address_per_minute = 2).await;
    let ask = || {
        world
            .device
            .http
            .get(world.device.url(paths::AUTHORIZE))
            .send()
    };
    for _ in 0..2 {
        assert_eq!(ask().await.unwrap().status(), StatusCode::BAD_REQUEST);
    }
    assert_eq!(refused(ask().await.unwrap()).await, Refusal::RateLimited);
    let health = world
        .device
        .http
        .get(world.device.url("/healthz"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        health.status(),
        StatusCode::OK,
        "a watchdog is never refused"
    );
}

#[tokio::test]
async fn behind_a_proxy_the_last_forwarded_address_counts() {
    let world = World::with(|config| {
        config.limits.address_per_minute = 1;
        config.trust_forwarded = true;
    })
    .await;
    let ask = async |forwarded: &str| {
        let url = world.device.url("/passes");
        world
            .device
            .http
            .get(url)
            .header("x-forwarded-for", forwarded)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(ask("192.0.2.1").await, StatusCode::OK);
    assert_eq!(
        ask("198.51.100.9, 192.0.2.1").await,
        StatusCode::TOO_MANY_REQUESTS,
        "the first entry is the caller's own word"
    );
    assert_eq!(ask("192.0.2.1, 192.0.2.2").await, StatusCode::OK);
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let world = World::new().await;
    let large = "x".repeat(70_000);
    assert_eq!(
        refused(world.device.post_form(&[("code", &large)]).await).await,
        Refusal::TooLarge
    );
    assert_eq!(
        refused(world.device.post_json(paths::PROOF, &large).await).await,
        Refusal::TooLarge
    );
}

#[tokio::test]
async fn unknown_addresses_answer_in_the_same_shape() {
    let world = World::new().await;
    for path in ["/", "/oauth/callback/tiktok", "/v1/streams"] {
        let answer = world
            .device
            .http
            .get(world.device.url(path))
            .send()
            .await
            .unwrap();
        assert_eq!(refused(answer).await, Refusal::NotFound, "{path}");
    }
    let ready = world
        .device
        .http
        .get(world.device.url("/readyz"))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
}

fn request(provider: Provider, tokens: &[&str]) -> ProofRequest {
    ProofRequest {
        provider,
        tokens: tokens.iter().map(|token| Secret::new(*token)).collect(),
    }
}

#[tokio::test]
async fn a_living_token_gets_its_proof_and_a_dead_one_nothing() {
    let world = World::new().await;
    let asked = request(
        Provider::Facebook,
        &[PAGE_TOKEN, "EAAsomeDeadToken00000", LONG],
    );
    let answer: ProofAnswer = ok(world.device.post_json(paths::PROOF, &asked).await).await;
    let [Some(page), None, Some(user)] = &answer.proofs[..] else {
        panic!("{answer:?}")
    };
    let granted = world.sign_in(Provider::Facebook).await;
    assert_eq!(granted.accounts[0].appsecret_proof.as_ref(), Some(page));
    assert_eq!(
        granted.user_token.unwrap().appsecret_proof.as_ref(),
        Some(user)
    );

    let asked = request(Provider::Instagram, &[IG_LONG]);
    let answer: ProofAnswer = ok(world.device.post_json(paths::PROOF, &asked).await).await;
    let granted = world.sign_in(Provider::Instagram).await;
    assert_eq!(granted.accounts[0].appsecret_proof, answer.proofs[0]);
}

#[tokio::test]
async fn nothing_but_a_token_is_ever_signed() {
    let world = World::new().await;
    // What Meta signs with the same secret: a webhook body and the payload of a signed_request.
    let body = r#"{"object":"page","entry":[{"id":"1001"}]}"#;
    let payload = "eyJ1c2VyX2lkIjoiMTIwNyIsImFsZ29yaXRobSI6IkhNQUMtU0hBMjU2In0";
    let asked = request(Provider::Facebook, &[body, payload]);
    let answer: ProofAnswer = ok(world.device.post_json(paths::PROOF, &asked).await).await;
    assert_eq!(answer.proofs, [None, None]);
    assert_eq!(
        world.meta.asked(FB_DEBUG).len(),
        1,
        "the body was not even shown to Meta"
    );

    world.meta.once(
        FB_DEBUG,
        200,
        json!({"data": {"is_valid": true, "app_id": "another"}}),
    );
    let answer: ProofAnswer = ok(world
        .device
        .post_json(paths::PROOF, &request(Provider::Facebook, &[LONG]))
        .await)
    .await;
    assert_eq!(answer.proofs, [None], "another app's token");

    world.meta.fixed(FB_DEBUG, 500, json!({}));
    let answer = world
        .device
        .post_json(paths::PROOF, &request(Provider::Facebook, &[LONG]))
        .await;
    assert_eq!(
        refused(answer).await,
        Refusal::PlatformUnavailable,
        "not knowing is not a no"
    );

    let many = vec![LONG; PROOF_REQUEST_MAX_TOKENS + 1];
    for tokens in [&[][..], &many] {
        let answer = world
            .device
            .post_json(paths::PROOF, &request(Provider::Facebook, tokens))
            .await;
        assert_eq!(refused(answer).await, Refusal::InvalidRequest);
    }
}
