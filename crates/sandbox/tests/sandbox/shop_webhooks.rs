//! Shops and websites that post by themselves: headers, signatures, retries, giving up.

use serde_json::{Value, json};
use shopbell_sandbox::{ShopKind, ShopPost};

use crate::bench::{Bench, HOUR};
use crate::ear::Ear;

const BODY: &str =
    r##"{"id":820982911946154508,"name":"#9999","total_price":"403.00","currency":"USD"}"##;

fn post(url: &str, kind: ShopKind) -> ShopPost {
    let secret = match kind {
        ShopKind::Shopify => "shpss_test",
        _ => "wc_secret",
    };
    ShopPost {
        url: url.into(),
        kind,
        secret: secret.into(),
        body: Some(json!(BODY)),
        ..ShopPost::default()
    }
}

fn header(ear: &Ear, at: usize, name: &str) -> String {
    let heard = ear.heard.lock().unwrap();
    let value = heard[at].0.get(name);
    value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
}

fn count(ear: &Ear) -> usize {
    ear.heard.lock().unwrap().len()
}

#[tokio::test]
async fn each_shop_signs_the_bytes_its_own_way() {
    let bench = Bench::empty().await;
    let (ear, url) = Ear::open().await;
    let shopify = bench
        .world()
        .shop(post(&url, ShopKind::Shopify))
        .await
        .unwrap();
    let woo = bench
        .world()
        .shop(post(&url, ShopKind::Woocommerce))
        .await
        .unwrap();
    assert_eq!((shopify.status, woo.status), (200, 200));
    assert_eq!(
        header(&ear, 0, "x-shopify-hmac-sha256"),
        "FUeshH13ROu3c1HrtoMuaFV8kEp5Yik16wykML1MQjo="
    );
    assert_eq!(header(&ear, 0, "x-shopify-topic"), "orders/create");
    assert_eq!(header(&ear, 0, "x-shopify-webhook-id"), shopify.id);
    assert_eq!(
        header(&ear, 1, "x-wc-webhook-signature"),
        "yGUM6eN1wqW6+kpObgVaIeW+JiUiLUD/UMyiJuudhH4="
    );
    assert_eq!(header(&ear, 1, "x-wc-webhook-resource"), "order");
    assert_eq!(header(&ear, 1, "x-wc-webhook-delivery-id"), woo.id);
    assert_eq!(ear.heard.lock().unwrap()[0].1, BODY.as_bytes());
    let forged = ShopPost {
        forged: true,
        ..post(&url, ShopKind::Shopify)
    };
    bench.world().shop(forged).await.unwrap();
    assert_ne!(
        header(&ear, 2, "x-shopify-hmac-sha256"),
        header(&ear, 0, "x-shopify-hmac-sha256")
    );
    let again = ShopPost {
        again: Some(shopify.id.clone()),
        ..post(&url, ShopKind::Shopify)
    };
    assert_eq!(bench.world().shop(again).await.unwrap().id, shopify.id);
    assert_eq!(header(&ear, 3, "x-shopify-webhook-id"), shopify.id);
}

#[tokio::test]
async fn shopify_repeats_the_same_payload_for_four_hours_and_then_deletes_the_subscription() {
    let bench = Bench::empty().await;
    let (ear, url) = Ear::open().await;
    ear.answer(302);
    let first = bench
        .world()
        .shop(post(&url, ShopKind::Shopify))
        .await
        .unwrap();
    assert_eq!(
        (first.status, first.given_up),
        (302, false),
        "a redirect is a failure and is not followed"
    );
    bench.world().advance_ms(60_000);
    bench.world().settled().await;
    assert_eq!(count(&ear), 2);
    for _ in 0..60 {
        bench.world().advance_ms(HOUR / 10);
        bench.world().settled().await;
    }
    assert_eq!(count(&ear), 9, "eight retries");
    let heard = ear.heard.lock().unwrap().clone();
    assert!(
        heard
            .iter()
            .all(|(headers, body)| headers["x-shopify-webhook-id"] == first.id && body == BODY)
    );
    ear.answer(200);
    let refused = bench
        .world()
        .shop(post(&url, ShopKind::Shopify))
        .await
        .unwrap();
    assert_eq!((refused.status, refused.given_up), (0, true));
    assert_eq!(bench.world().shops()[&url]["given_up"], true);
}

#[tokio::test]
async fn a_success_ends_the_retries() {
    let bench = Bench::empty().await;
    let (ear, url) = Ear::open().await;
    ear.answer(500);
    bench
        .world()
        .shop(post(&url, ShopKind::Shopify))
        .await
        .unwrap();
    ear.answer(200);
    bench.world().advance_ms(4 * HOUR);
    bench.world().settled().await;
    bench.world().advance_ms(4 * HOUR);
    bench.world().settled().await;
    assert_eq!(count(&ear), 2);
    assert_eq!(bench.world().shops()[&url]["failures"], 0);
}

#[tokio::test]
async fn woocommerce_pings_never_repeats_and_disables_itself() {
    let bench = Bench::empty().await;
    let (ear, url) = Ear::open().await;
    let ping = ShopPost {
        ping: true,
        ..post(&url, ShopKind::Woocommerce)
    };
    assert_eq!(bench.world().shop(ping).await.unwrap().status, 200);
    assert_eq!(header(&ear, 0, "x-wc-webhook-signature"), "");
    assert_eq!(ear.heard.lock().unwrap()[0].1, "webhook_id=12");
    ear.answer(500);
    let failing = async || {
        bench
            .world()
            .shop(post(&url, ShopKind::Woocommerce))
            .await
            .unwrap()
    };
    for _ in 0..5 {
        assert!(!failing().await.given_up);
    }
    ear.answer(302);
    assert!(
        !failing().await.given_up,
        "a redirect counts as a success here"
    );
    ear.answer(500);
    for _ in 0..6 {
        assert!(!failing().await.given_up);
    }
    assert!(failing().await.given_up, "the failure after more than five");
    let before = count(&ear);
    bench.world().advance_ms(4 * HOUR);
    bench.world().settled().await;
    failing().await;
    assert_eq!(count(&ear), before);
}

#[tokio::test]
async fn a_website_posts_with_its_origin_and_a_browser_asks_first_for_json() {
    let bench = Bench::empty().await;
    let (ear, url) = Ear::open().await;
    let visit = ShopPost {
        source: "https://brot.example".into(),
        body: Some(json!({"event": "ViewContent"})),
        ..post(&url, ShopKind::Website)
    };
    assert_eq!(bench.world().shop(visit.clone()).await.unwrap().status, 200);
    assert_eq!(header(&ear, 0, "origin"), "https://brot.example");
    assert!(header(&ear, 0, "content-type").starts_with("text/plain"));
    let json = ShopPost {
        content_type: Some("application/json".into()),
        ..visit
    };
    let refused = bench.world().shop(json).await.unwrap();
    assert_eq!(
        (refused.status, refused.given_up),
        (0, true),
        "this ear allows nobody"
    );
    assert_eq!(count(&ear), 1);
}

#[tokio::test]
async fn made_up_payloads_fit_their_topic() {
    let bench = Bench::empty().await;
    let (ear, url) = Ear::open().await;
    for (kind, topic, key) in [
        (ShopKind::Shopify, "orders/create", "order_number"),
        (
            ShopKind::Shopify,
            "checkouts/create",
            "abandoned_checkout_url",
        ),
        (ShopKind::Shopify, "carts/create", "token"),
        (ShopKind::Woocommerce, "order.updated", "order_key"),
        (ShopKind::Woocommerce, "order.deleted", "id"),
    ] {
        let order = ShopPost {
            topic: topic.into(),
            body: None,
            ..post(&url, kind)
        };
        bench.world().shop(order).await.unwrap();
        let body = ear.bodies().last().unwrap().clone();
        assert!(!body[key].is_null(), "{topic}: {body}");
        let money = [&body["total_price"], &body["total"]]
            .into_iter()
            .find(|value| !value.is_null());
        assert!(money.is_none_or(Value::is_string), "money is text");
    }
    let over_http = bench
        .control(
            "shop",
            json!({"url": url, "kind": "shopify", "secret": "s", "topic": "orders/paid"}),
        )
        .await
        .json();
    assert_eq!(over_http["status"], 200);
    let base = bench.sandbox.base_url();
    assert!(
        bench.fetch(&format!("{base}/_sandbox/shops")).await.json()[&url]["statuses"].is_array()
    );
}
