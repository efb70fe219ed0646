//! Shops and websites: hooks are made by a bound computer, what is posted there reaches it sealed, and shops never see a failure that
//! is not theirs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::HeaderMap;
use serde_json::json;
use shopbell_wire::*;

use super::{events::*, harness::*};

const ORDER: &str =
    r##"{"id":820982911946154508,"name":"#9999","total_price":"403.00","currency":"USD"}"##;
const SHOPIFY_SIGNATURE: &str = "FUeshH13ROu3c1HrtoMuaFV8kEp5Yik16wykML1MQjo=";
const WOO_SIGNATURE: &str = "yGUM6eN1wqW6+kpObgVaIeW+JiUiLUD/UMyiJuudhH4=";

async fn bound() -> World {
    let world = World::new().await;
    world.sign_in(Provider::Facebook).await;
    world
}

async fn post(world: &World, url: &str, body: &[u8], headers: &[(&str, &str)]) -> u16 {
    let mut request = world.device.http.post(url).body(body.to_vec());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_shops_order_reaches_the_computer_that_made_the_hook() {
    let world = bound().await;
    let shopify = make_hook(
        &world.device,
        json!({"kind": "shopify", "secret": "shpss_test"}),
    )
    .await;
    let woo = make_hook(
        &world.device,
        json!({"kind": "woocommerce", "secret": "wc_secret"}),
    )
    .await;
    assert!(
        shopify
            .url
            .ends_with(&format!("/webhooks/shopify/{}", shopify.id))
    );
    assert_ne!(shopify.id, woo.id);
    world.pass(1000);
    let headers = [
        ("x-shopify-hmac-sha256", SHOPIFY_SIGNATURE),
        ("x-shopify-topic", "orders/create"),
        ("x-shopify-webhook-id", "b54557e4"),
        ("x-shopify-shop-domain", "acme.myshopify.com"),
    ];
    assert_eq!(
        post(&world, &shopify.url, ORDER.as_bytes(), &headers).await,
        200
    );
    let headers = [
        ("x-wc-webhook-signature", WOO_SIGNATURE),
        ("x-wc-webhook-topic", "order.updated"),
        ("x-wc-webhook-delivery-id", "d1"),
        ("x-wc-webhook-source", "https://shop.example/"),
    ];
    assert_eq!(
        post(&world, &woo.url, ORDER.as_bytes(), &headers).await,
        200
    );

    let events = reached(&world, &world.device).await;
    assert_eq!(events.len(), 2);
    let first: HookEvent = events[0].json();
    assert_eq!(
        first,
        HookEvent {
            hook: shopify.id.clone(),
            kind: HookKind::Shopify,
            topic: Some("orders/create".into()),
            delivery: Some("b54557e4".into()),
            source: Some("acme.myshopify.com".into()),
            visitor: None,
            body: ORDER.into(),
        }
    );
    let second: HookEvent = events[1].json();
    assert_eq!(
        (second.kind, second.topic.as_deref()),
        (HookKind::Woocommerce, Some("order.updated"))
    );
    for (event, hook) in events.iter().zip([&shopify, &woo]) {
        assert_eq!(
            (event.kind, &event.subject),
            (EventKind::SHOP, &format!("hook/{}", hook.id))
        );
    }
    let list: HookList = ok(world.device.get(paths::HOOKS).await).await;
    let seen: Vec<_> = list.hooks.iter().map(|hook| hook.last_ms).collect();
    assert_eq!(seen, [Some(NOW + 1000); 2]);
    assert_eq!(list.hooks[0].created_at_ms, NOW);
}

#[tokio::test]
async fn a_shop_is_told_no_only_for_its_own_faults() {
    let world = bound().await;
    let hook = make_hook(
        &world.device,
        json!({"kind": "shopify", "secret": "shpss_test"}),
    )
    .await;
    let signed = [("x-shopify-hmac-sha256", SHOPIFY_SIGNATURE)];
    let at = |path: &str| world.device.url(path).to_string();
    let sent = async |url: &str| post(&world, url, ORDER.as_bytes(), &signed).await;

    for headers in [
        &[][..],
        &[("x-shopify-hmac-sha256", "AAAA")],
        &[("x-shopify-hmac-sha256", WOO_SIGNATURE)],
    ] {
        assert_eq!(
            post(&world, &hook.url, ORDER.as_bytes(), headers).await,
            401
        );
    }
    assert_eq!(
        post(&world, &hook.url, b"webhook_id=12", &[]).await,
        401,
        "only WooCommerce pings"
    );
    assert_eq!(post(&world, &hook.url, b"{}", &signed).await, 401);
    let latin = b"{\"name\":\"Caf\xe9\"}";
    let signature = STANDARD.encode(hmac("shpss_test", latin));
    assert_eq!(
        post(
            &world,
            &hook.url,
            latin,
            &[("x-shopify-hmac-sha256", &signature)]
        )
        .await,
        400
    );
    let large = vec![b' '; SHOP_BODY_MAX + 1];
    assert_eq!(post(&world, &hook.url, &large, &signed).await, 413);

    for never in [
        at(&format!("/webhooks/shopify/{}", "A".repeat(32))),
        at(&format!("/webhooks/woocommerce/{}", hook.id)),
        at("/webhooks/shopify/short"),
        at("/webhooks/shopify/%2e%2e%2fmeta"),
    ] {
        assert_eq!(sent(&never).await, 404, "{never}");
    }
    assert_eq!(sent(&at(&format!("/collect/{}", hook.id))).await, 404);

    let path = format!("{}/{}", paths::HOOKS, hook.id);
    let paused: HookView = ok(world
        .device
        .post_json(&path, &json!({"paused": true}))
        .await)
    .await;
    assert!(paused.paused);
    assert_eq!(sent(&hook.url).await, 200);
    assert_eq!(
        post(&world, &hook.url, b"x", &[]).await,
        200,
        "paused takes anything and passes nothing on"
    );
    ok::<HookView>(
        world
            .device
            .post_json(&path, &json!({"paused": false}))
            .await,
    )
    .await;
    assert_eq!(reached(&world, &world.device).await, []);
    assert_eq!(sent(&hook.url).await, 200);
    assert_eq!(reached(&world, &world.device).await.len(), 1);

    let changed = json!({"secret": "another"});
    ok::<HookView>(world.device.post_json(&path, &changed).await).await;
    assert_eq!(sent(&hook.url).await, 401);
    assert_eq!(world.device.delete(&path).await.status(), 204);
    assert_eq!(
        sent(&hook.url).await,
        200,
        "shops go on posting to what was removed"
    );
    assert_eq!(reached(&world, &world.device).await.len(), 1);
    assert_eq!(
        refused(world.device.delete(&path).await).await,
        Refusal::NotFound
    );
    assert_eq!(
        refused(world.device.post_json(&path, &changed).await).await,
        Refusal::NotFound
    );
    let list: HookList = ok(world.device.get(paths::HOOKS).await).await;
    assert_eq!(list.hooks, []);
    for (outcome, count) in [
        ("paused", 2),
        ("removed", 1),
        ("unknown", 3),
        ("accepted", 1),
        ("too_large", 1),
        ("unparsed", 1),
    ] {
        let line = format!("hooks_total{{kind=\"shopify\",outcome=\"{outcome}\"}}");
        assert_eq!(figure(&world, &line), count, "{outcome}");
    }
}

#[tokio::test]
async fn woocommerce_pings_unsigned_and_signs_with_an_unescaped_secret() {
    let world = bound().await;
    let hook = make_hook(
        &world.device,
        json!({"kind": "woocommerce", "secret": "a&amp;b&#039;c"}),
    )
    .await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(
        post(&world, &hook.url, b"webhook_id=12", &[form]).await,
        200
    );
    for body in [
        &b"webhook_id="[..],
        b"webhook_id=1&x=2",
        b"other=12",
        b"webhook_id=12x",
        &[b'1'; 100],
    ] {
        assert_eq!(post(&world, &hook.url, body, &[form]).await, 401);
    }
    assert_eq!(
        post(
            &world,
            &hook.url,
            b"webhook_id=12",
            &[("content-type", "application/json")]
        )
        .await,
        401
    );
    assert_eq!(reached(&world, &world.device).await, []);
    for key in ["a&b'c", "a&amp;b&#039;c"] {
        let signature = STANDARD.encode(hmac(key, ORDER.as_bytes()));
        let headers = [("x-wc-webhook-signature", signature.as_str())];
        assert_eq!(
            post(&world, &hook.url, ORDER.as_bytes(), &headers).await,
            200,
            "{key}"
        );
    }
    assert_eq!(reached(&world, &world.device).await.len(), 2);
}

#[tokio::test]
async fn hooks_belong_to_the_computer_that_made_them_and_to_bound_ones_only() {
    let world = World::new().await;
    let asked = json!({"kind": "shopify", "secret": "shpss_test"});
    let unbound = world.device.post_json(paths::HOOKS, &asked).await;
    assert_eq!(refused(unbound).await, Refusal::NotBound);
    world.sign_in(Provider::Facebook).await;
    let hook = make_hook(&world.device, asked.clone()).await;
    let other = world.device(2);
    bind(&world, &other, "2002", "3333").await;
    let list: HookList = ok(other.get(paths::HOOKS).await).await;
    assert_eq!(list.hooks, []);
    let path = format!("{}/{}", paths::HOOKS, hook.id);
    assert_eq!(refused(other.delete(&path).await).await, Refusal::NotFound);
    let change = other.post_json(&path, &json!({"paused": true})).await;
    assert_eq!(refused(change).await, Refusal::NotFound);
    let unsigned = world
        .device
        .http
        .get(world.device.url(paths::HOOKS))
        .send()
        .await
        .unwrap();
    assert_eq!(refused(unsigned).await, Refusal::ProofMissing);

    for bad in [
        json!({"kind": "shopify"}),
        json!({"kind": "shopify", "secret": ""}),
        json!({"kind": "shopify", "secret": "x".repeat(513)}),
        json!({"kind": "shopify", "secret": "x", "origins": ["https://shop.example"]}),
        json!({"kind": "collect"}),
        json!({"kind": "collect", "origins": []}),
        json!({"kind": "collect", "origins": ["http://shop.example"]}),
        json!({"kind": "collect", "origins": ["https://shop.example"], "secret": "x"}),
        json!({"kind": "magento", "secret": "x"}),
        json!([]),
    ] {
        let answer = world.device.post_json(paths::HOOKS, &bad).await;
        assert_eq!(refused(answer).await, Refusal::InvalidRequest, "{bad}");
    }
    let wrong = world
        .device
        .post_json(&path, &json!({"origins": ["https://shop.example"]}))
        .await;
    assert_eq!(refused(wrong).await, Refusal::InvalidRequest);

    // The lease has run out: nobody is there, and the shop is not to blame.
    world.pass(LEASE_MS + 1);
    let signed = [("x-shopify-hmac-sha256", SHOPIFY_SIGNATURE)];
    assert_eq!(
        post(&world, &hook.url, ORDER.as_bytes(), &signed).await,
        200
    );
    assert_eq!(figure(&world, "appends_total"), 0);
}

#[tokio::test]
async fn a_computer_has_so_many_hooks_and_no_more() {
    let world = bound().await;
    for n in 0..HOOKS_PER_DEVICE {
        make_hook(
            &world.device,
            json!({"kind": "collect", "origins": [format!("https://s{n}.example")]}),
        )
        .await;
        world.pass(1);
    }
    let one_more = json!({"kind": "collect", "origins": ["https://shop.example"]});
    let answer = world.device.post_json(paths::HOOKS, &one_more).await;
    assert_eq!(refused(answer).await, Refusal::RateLimited);
    let list: HookList = ok(world.device.get(paths::HOOKS).await).await;
    let path = format!("{}/{}", paths::HOOKS, list.hooks[0].id);
    assert_eq!(world.device.delete(&path).await.status(), 204);
    make_hook(&world.device, one_more).await;
    let hurried = World::with(|config| config.limits.hook_changes_per_minute = 2).await;
    hurried.sign_in(Provider::Facebook).await;
    for n in 0..3 {
        let asked = json!({"kind": "collect", "origins": ["https://shop.example"]});
        let answer = hurried.device.post_json(paths::HOOKS, &asked).await;
        assert_eq!(answer.status() == 429, n == 2);
    }
}

const PAGE: &str = "https://shop.example";

fn allowed(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("access-control-allow-origin")
        .map(|v| v.to_str().unwrap())
}

#[tokio::test]
async fn a_visitor_of_the_owners_website_is_passed_on_and_nobody_elses() {
    let world = World::with(|config| config.trust_forwarded = true).await;
    world.sign_in(Provider::Facebook).await;
    let hook = make_hook(
        &world.device,
        json!({"kind": "collect", "origins": [PAGE, "https://www.shop.example"]}),
    )
    .await;
    assert!(hook.url.ends_with(&format!("/collect/{}", hook.id)));
    let http = &world.device.http;
    let ask = async |origin: Option<&str>| {
        let mut request = http.request(reqwest::Method::OPTIONS, &hook.url);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request
            .header("access-control-request-method", "POST")
            .send()
            .await
            .unwrap()
    };
    let preflight = ask(Some(PAGE)).await;
    assert_eq!(preflight.status(), 204);
    assert_eq!(allowed(preflight.headers()), Some(PAGE));
    assert_eq!(preflight.headers()["access-control-allow-methods"], "POST");
    assert_eq!(preflight.headers()["vary"], "origin");
    assert!(
        !preflight
            .headers()
            .contains_key("access-control-allow-credentials")
    );
    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some("https://shop.example.evil.example"),
        Some("http://shop.example"),
    ] {
        let answer = ask(origin).await;
        assert_eq!(answer.status(), 403, "{origin:?}");
        assert_eq!(allowed(answer.headers()), None);
    }

    let send = async |body: Vec<u8>, origin: &str| {
        let request = http
            .post(&hook.url)
            .header("origin", origin)
            .header("x-forwarded-for", "203.0.113.9");
        request
            .header("user-agent", "A".repeat(600))
            .body(body)
            .send()
            .await
            .unwrap()
    };
    let answer = send(br#"{"event":"ViewContent"}"#.to_vec(), PAGE).await;
    assert_eq!(
        (answer.status().as_u16(), allowed(answer.headers())),
        (204, Some(PAGE))
    );
    assert_eq!(
        send(b"{}".to_vec(), "https://evil.example").await.status(),
        403
    );
    assert_eq!(
        send(vec![b'x'; COLLECT_BODY_MAX + 1], PAGE).await.status(),
        413
    );
    assert_eq!(send(b"\xff".to_vec(), PAGE).await.status(), 400);
    assert_eq!(send(Vec::new(), PAGE).await.status(), 400);

    let events = reached(&world, &world.device).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, EventKind::COLLECT);
    let event: HookEvent = events[0].json();
    assert_eq!(
        event,
        HookEvent {
            hook: hook.id.clone(),
            kind: HookKind::Collect,
            topic: None,
            delivery: None,
            source: Some(PAGE.into()),
            visitor: Some(Visitor {
                address: "203.0.113.9".into(),
                agent: "A".repeat(512),
            }),
            body: r#"{"event":"ViewContent"}"#.into(),
        }
    );

    let path = format!("{}/{}", paths::HOOKS, hook.id);
    ok::<HookView>(
        world
            .device
            .post_json(
                &path,
                &json!({"origins": ["https://new.example"], "paused": true}),
            )
            .await,
    )
    .await;
    assert_eq!(
        send(b"{}".to_vec(), PAGE).await.status(),
        204,
        "a page sees no errors because of a pause"
    );
    ok::<HookView>(
        world
            .device
            .post_json(&path, &json!({"paused": false}))
            .await,
    )
    .await;
    assert_eq!(send(b"{}".to_vec(), PAGE).await.status(), 403);
    assert_eq!(
        send(b"{}".to_vec(), "https://new.example").await.status(),
        204
    );
    assert_eq!(reached(&world, &world.device).await.len(), 2);
}

#[tokio::test]
async fn a_visitor_who_hurries_waits_before_anything_is_written() {
    let world = World::with(|config| {
        config.trust_forwarded = true;
        config.limits.collect_per_address_minute = 3;
        config.limits.collect_posts_per_minute = 5;
    })
    .await;
    world.sign_in(Provider::Facebook).await;
    let hook = make_hook(&world.device, json!({"kind": "collect", "origins": [PAGE]})).await;
    let send = async |from: &str| {
        let headers = [("origin", PAGE), ("x-forwarded-for", from)];
        post(&world, &hook.url, b"{}", &headers).await
    };
    let mut statuses = Vec::new();
    for from in ["203.0.113.9"; 4].into_iter().chain(["203.0.113.10"; 3]) {
        statuses.push(send(from).await);
    }
    assert_eq!(
        statuses,
        [204, 204, 204, 429, 204, 204, 429],
        "the address first, then the website"
    );
    assert_eq!(figure(&world, "appended_records_total"), 5);
    world.pass(60_000);
    assert_eq!(send("203.0.113.9").await, 204);
}
