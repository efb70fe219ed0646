//! Limits as callers meet them. Which limit has which option is proved beside the code.

use reqwest::StatusCode;
use shopbell_wire::*;

use super::harness::*;

async fn status(world: &World, path: &str, forwarded: &str) -> StatusCode {
    let request = world.device.http.get(world.device.url(path));
    let request = request.header("x-forwarded-for", forwarded);
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn sign_ins_have_a_limit_of_their_own() {
    let world = World::with(|config| config.limits.sign_ins_per_minute = 2).await;
    let ask = async || {
        let url = world.device.url(paths::AUTHORIZE);
        world.device.http.get(url).send().await.unwrap()
    };
    for _ in 0..2 {
        assert_eq!(ask().await.status(), StatusCode::BAD_REQUEST);
    }
    let answer = ask().await;
    assert_eq!(answer.headers()["retry-after"], "30");
    assert_eq!(refused(answer).await, Refusal::RateLimited);
    let tokens = world.device.post_form(&[]).await;
    assert_eq!(refused(tokens).await, Refusal::RateLimited);
    assert_eq!(
        world.device.get(paths::BINDINGS).await.status(),
        StatusCode::OK,
        "who is signed in goes on working"
    );
    let text = world.relay.metrics_text();
    assert!(text.contains(r#"shopbell_relay_limited_total{limit="sign_in"} 2"#));
}

#[tokio::test]
async fn metas_webhooks_are_no_matter_of_the_address_limit() {
    let world = World::with(|config| {
        config.limits.address_per_minute = 1;
        config.trust_forwarded = true;
    })
    .await;
    let meta = "203.0.113.9";
    assert_eq!(status(&world, "/passes", meta).await, StatusCode::OK);
    assert_eq!(
        status(&world, "/passes", meta).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    for _ in 0..20 {
        assert_eq!(
            status(&world, paths::WEBHOOKS_META, meta).await,
            StatusCode::FORBIDDEN,
            "a verification without our token is refused, not put off"
        );
    }
}

#[tokio::test]
async fn forged_webhooks_shut_out_their_sender_alone() {
    let world = World::with(|config| {
        config.limits.unsigned_webhooks_per_minute = 3;
        config.trust_forwarded = true;
    })
    .await;
    let post = async |from: &str| {
        let request = world
            .device
            .http
            .post(world.device.url(paths::WEBHOOKS_META));
        let request = request
            .header("x-forwarded-for", from)
            .header("x-hub-signature-256", format!("sha256={}", "0".repeat(64)))
            .body(r#"{"object":"page","entry":[]}"#);
        request.send().await.unwrap().status()
    };
    let (forger, other) = ("198.51.100.7", "203.0.113.9");
    let first = post(forger).await;
    assert!(first.is_client_error() && first != StatusCode::TOO_MANY_REQUESTS);
    for _ in 0..3 {
        assert_eq!(post(forger).await, first);
    }
    assert_eq!(post(forger).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(post(other).await, first);
    world.pass(60_000);
    assert_eq!(post(forger).await, first);
}
