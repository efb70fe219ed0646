//! Nothing that is secret may be seen: not in a log line at the loudest level, not in an error, not on disk.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::json;
use shopbell_wire::*;
use tracing_subscriber::fmt::MakeWriter;

use super::{events::*, harness::*, meta::*};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_reaches_a_log_an_error_or_the_disk() {
    let log = Captured::default();
    // Every crate's events, `log` records included: the loudest an operator can turn it.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();
    let dir = tempfile::tempdir().unwrap();
    let storage = format!("sqlite:{}", dir.path().join("relay.db").display());
    let world = World::with(|config| {
        config.storage = storage;
        config.trust_forwarded = true;
        config.operator_key = Some(shopbell_relay::operator_public_key(&[9; 32]));
        config.verify_token = Some(Secret::new("canary-verify-token"));
    })
    .await;
    let mut errors = Vec::new();
    let mut secrets = vec![];

    for provider in [Provider::Facebook, Provider::Instagram] {
        let (signin, code) = world.code(provider).await;
        secrets.extend([
            code.clone(),
            signin.verifier.expose().to_owned(),
            signin.meta_state(),
        ]);
        secrets.push(signin.cookie.split_once('=').unwrap().1.to_owned());
        let wrong = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
        ];
        errors.push(world.device.post_form(&wrong).await.text().await.unwrap());
        let answer: TokenAnswer = ok(world.device.redeem(&signin, &code).await).await;
        let grant: Grant = answer.envelope().unwrap().open(&world.device.keys).unwrap();
        secrets.extend(
            grant
                .accounts
                .iter()
                .filter_map(|a| Some(a.appsecret_proof.as_ref()?.expose().to_owned())),
        );
    }
    let renew = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT_ID),
        ("refresh_token", LONG),
    ];
    ok::<TokenAnswer>(world.device.post_form(&renew).await).await;
    let shown = ShowToken {
        account: AccountRef {
            kind: AccountKind::Page,
            platform_id: "1001".into(),
        },
        provider: Provider::Facebook,
        token: Secret::new(PAGE_TOKEN),
    };
    ok::<BindingList>(world.device.post_json(paths::BINDINGS_RENEW, &shown).await).await;
    let proof = ProofRequest {
        provider: Provider::Instagram,
        tokens: vec![Secret::new(IG_LONG)],
    };
    ok::<ProofAnswer>(world.device.post_json(paths::PROOF, &proof).await).await;

    // The bad days: refused with a message, broken answer, nobody there.
    world.meta.fixed(FB_DEBUG, 400, graph_error(190, 463));
    errors.push(world.device.post_form(&renew).await.text().await.unwrap());
    world.meta.fixed(
        FB_DEBUG,
        200,
        json!({"canary-odd-shape": [LONG, PAGE_TOKEN]}),
    );
    errors.push(
        world
            .device
            .post_json(paths::BINDINGS_RENEW, &shown)
            .await
            .text()
            .await
            .unwrap(),
    );
    errors.push(
        world
            .device
            .post_json(paths::PROOF, &json!({"tokens": [LONG, 7]}))
            .await
            .text()
            .await
            .unwrap(),
    );
    let (signin, code) = world.code(Provider::Facebook).await;
    world.meta.fixed(FB_TOKEN, 400, graph_error(100, 36009));
    errors.push(
        world
            .device
            .redeem(&signin, &code)
            .await
            .text()
            .await
            .unwrap(),
    );

    secrets.extend(events_pass(&world, &mut errors).await);

    let files: Vec<u8> = std::fs::read_dir(dir.path())
        .unwrap()
        .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect();
    let relay_key = std::fs::read_to_string(dir.path().join("relay.db.key")).unwrap();
    let database: Vec<u8> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|end| end != "key"))
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    let log = log.0.lock().unwrap().clone();
    assert!(log.len() > 10_000, "the capture works");
    let seen = |hay: &[u8], needle: &str| {
        hay.windows(needle.len())
            .any(|window| window == needle.as_bytes())
    };
    assert!(
        seen(&files, world.device.keys.thumbprint().as_str()),
        "looking at the right files"
    );
    assert!(seen(&log, "signed in"), "looking at the right log");
    assert!(dir.path().join("relay.db.unreadable").exists());

    secrets.extend(
        [
            APP_SECRET, IG_SECRET, SHORT, LONG, LONGER, PAGE_TOKEN, IG_SHORT, IG_LONG,
        ]
        .map(String::from),
    );
    secrets.extend(["AQDcanaryMetaCode", "canary message", "canary-odd-shape"].map(String::from));
    for secret in &secrets {
        assert!(!seen(&log, secret), "in the log: {secret}");
        assert!(!seen(&database, secret), "on disk: {secret}");
        assert!(
            errors.iter().all(|error| !error.contains(secret.as_str())),
            "in an error: {secret}"
        );
    }
    assert!(!seen(&log, &relay_key) && !seen(&database, &relay_key));
    for name in ["Canary Owner Name", "Canary Page Name"] {
        assert!(!seen(&log, name) && !seen(&database, name), "{name}");
    }
    let keys = hex::encode(world.device.keys.to_secret_bytes().as_slice());
    assert!(!seen(&log, &keys));
}

/// Events of every kind, good and bad, with marks in everything that people wrote or shops keep secret. Answers what must not be seen.
async fn events_pass(world: &World, errors: &mut Vec<String>) -> Vec<String> {
    let device = &world.device;
    let entry = r#"{"id":"1001","messaging":[{"sender":{"id":"70110000canary"},"recipient":{"id":"1001"},
        "message":{"mid":"m_canary","text":"canary message text","from":{"name":"Canary Customer Name"}}}]}"#;
    let body = envelope("page", &[entry, r#"{"canary-no-account":1}"#]);
    assert_eq!(deliver(world, &body).await, 200);
    let unreadable = format!("canary-unreadable {body}");
    assert_eq!(deliver(world, &unreadable).await, 200);
    let signature = hub("another secret", body.as_bytes());
    let forged = meta_post(world, body.as_bytes(), &signature);
    errors.push(told(forged.send().await.unwrap()).await.1);
    let verify = device.url(
        "/webhooks/meta?hub.mode=subscribe&hub.verify_token=canary-verify-token&hub.challenge=7",
    );
    device.http.get(verify).send().await.unwrap();

    let secret = "canary-shop-secret";
    let shop = make_hook(device, json!({"kind": "shopify", "secret": secret})).await;
    let order = r#"{"email":"canary@customer.example","name":"Canary Buyer"}"#;
    let mac = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        hmac(secret, order.as_bytes()),
    );
    for (mac, status) in [(mac.as_str(), 200), (signature.as_str(), 401)] {
        let request = device
            .http
            .post(&shop.url)
            .header("x-shopify-hmac-sha256", mac);
        let answer = request
            .header("x-shopify-topic", "canary-topic")
            .body(order)
            .send();
        let answer = told(answer.await.unwrap()).await;
        assert_eq!(answer.0, status);
        errors.push(answer.1);
    }
    let page = "https://canary-shop.example";
    let site = make_hook(device, json!({"kind": "collect", "origins": [page]})).await;
    for (origin, status) in [(page, 204), ("https://evil.example", 403)] {
        let request = device.http.post(&site.url).header("origin", origin);
        let request = request.header("x-forwarded-for", "203.0.113.77");
        let request = request
            .header("user-agent", "canary-browser")
            .body("canary-visit");
        let answer = told(request.send().await.unwrap()).await;
        assert_eq!(answer.0, status);
        errors.push(answer.1);
    }
    let wrong = json!({"kind": "shopify", "secret": [secret]});
    errors.push(told(device.post_json(paths::HOOKS, &wrong).await).await.1);

    let address = "canarymedia".repeat(4);
    let mut picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR canary-picture".to_vec();
    picture.resize(500, 1);
    for (mime, status) in [("image/jpeg", 400), ("image/png", 200)] {
        let path = format!("{}/{address}", paths::MEDIA);
        let proof = device.proof("PUT", &path);
        let request = device
            .http
            .put(device.url(&path))
            .header(PROOF_HEADER, proof.as_str());
        let request = request.header("content-type", mime).body(picture.clone());
        let answer = told(request.send().await.unwrap()).await;
        assert_eq!(answer.0, status);
        if status == 400 {
            errors.push(answer.1);
        }
    }
    let missing = device.url(&format!("/media/{}", "canarymissing".repeat(3)));
    errors.push(told(device.http.get(missing).send().await.unwrap()).await.1);
    assert!(
        reached(world, device)
            .await
            .iter()
            .any(|event| event.content.contains("canary-visit"))
    );

    let mut seen: Vec<String> = [
        "70110000canary",
        "m_canary",
        "canary message text",
        "Canary Customer Name",
        "canary-no-account",
        "canary-unreadable",
        "canary-verify-token",
        "canary@customer.example",
        "Canary Buyer",
        "canary-topic",
        "203.0.113.77",
        "canary-browser",
        "canary-visit",
        "canary-picture",
    ]
    .map(String::from)
    .into();
    seen.extend([
        secret.to_owned(),
        address,
        "canarymissing".repeat(3),
        signature,
    ]);
    seen
}
