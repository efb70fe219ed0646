//! Posting as each shop does: its headers, its signature, its patience. Redirects are never followed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder, Version};
use sha2::Sha256;

use super::{Parcel, ShopAnswer, ShopKind, bodies};
use crate::clock::iso;
use crate::http::Shared;

/// `base64(HMAC-SHA256(body))`, the signature of both shops.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            STANDARD.encode(mac.finalize().into_bytes())
        }
        Err(_) => String::new(),
    }
}

/// Posts once and books the result.
pub(crate) async fn post(shared: &Shared, parcel: Parcel) -> ShopAnswer {
    let id = parcel.id.clone();
    let url = parcel.order.url.clone();
    let allowed = preflight(shared, &parcel).await;
    let answer = if allowed {
        request(shared, &parcel).send().await.ok()
    } else {
        None
    };
    let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
    let body = match answer {
        Some(answer) => answer.text().await.unwrap_or_default(),
        None => String::new(),
    };
    let mut world = shared.world();
    let now = world.now_ms();
    world.shops.book(parcel, status, now);
    let given_up = world
        .shops
        .hooks
        .get(&url)
        .is_some_and(|hook| hook.given_up);
    ShopAnswer {
        id,
        status,
        body,
        given_up: given_up || !allowed,
    }
}

fn request(shared: &Shared, parcel: &Parcel) -> RequestBuilder {
    let order = &parcel.order;
    let post = shared.direct.post(&order.url).body(parcel.body.clone());
    let secret = if order.forged {
        format!("{}?", order.secret)
    } else {
        order.secret.clone()
    };
    let signed = signature(&secret, parcel.body.as_bytes());
    let topic = bodies::topic(order);
    match order.kind {
        ShopKind::Shopify => {
            let event = parcel.id.chars().rev().collect::<String>();
            post.timeout(Duration::from_secs(5))
                .header("content-type", "application/json")
                .header("x-shopify-topic", topic)
                .header("x-shopify-hmac-sha256", signed)
                .header(
                    "x-shopify-shop-domain",
                    source(parcel, "kornblume.myshopify.example"),
                )
                .header("x-shopify-api-version", "2026-07")
                .header("x-shopify-webhook-id", &parcel.id)
                .header("x-shopify-event-id", event)
                .header("x-shopify-triggered-at", triggered(parcel.triggered_ms))
        }
        ShopKind::Woocommerce => {
            let post = post
                .version(Version::HTTP_10)
                .timeout(Duration::from_secs(60))
                .header("user-agent", "WooCommerce/9.4.1 Hookshot (WordPress/6.7)");
            if order.ping {
                return post.header("content-type", "application/x-www-form-urlencoded");
            }
            let (resource, event) = topic.split_once('.').unwrap_or((topic, ""));
            post.header("content-type", "application/json")
                .header(
                    "x-wc-webhook-source",
                    source(parcel, "https://kornblume.example/"),
                )
                .header("x-wc-webhook-topic", topic)
                .header("x-wc-webhook-resource", resource)
                .header("x-wc-webhook-event", event)
                .header("x-wc-webhook-signature", signed)
                .header("x-wc-webhook-id", parcel.hook.to_string())
                .header("x-wc-webhook-delivery-id", &parcel.id)
        }
        ShopKind::Website => post
            .timeout(Duration::from_secs(10))
            .header("content-type", website_type(parcel))
            .header("origin", origin(parcel))
            .header("referer", format!("{}/brot", origin(parcel)))
            .header("user-agent", "Mozilla/5.0 (example)"),
    }
}

/// A browser asks first when the content type is not one that a form can have.
async fn preflight(shared: &Shared, parcel: &Parcel) -> bool {
    let simple = website_type(parcel).starts_with("text/plain");
    if parcel.order.kind != ShopKind::Website || simple {
        return true;
    }
    let answer = shared
        .direct
        .request(Method::OPTIONS, &parcel.order.url)
        .header("origin", origin(parcel))
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .timeout(Duration::from_secs(10))
        .send()
        .await;
    let Ok(answer) = answer else {
        return false;
    };
    let header = |name: &str| {
        let value = answer.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    };
    let origin_fits = ["*", origin(parcel)].contains(&header("access-control-allow-origin"));
    let type_fits = header("access-control-allow-headers")
        .to_ascii_lowercase()
        .contains("content-type");
    answer.status().is_success() && origin_fits && type_fits
}

fn website_type(parcel: &Parcel) -> &str {
    let given = parcel.order.content_type.as_deref();
    given.unwrap_or("text/plain;charset=UTF-8")
}

fn origin(parcel: &Parcel) -> &str {
    source(parcel, "https://kornblume.example")
}

fn source<'a>(parcel: &'a Parcel, usual: &'a str) -> &'a str {
    match parcel.order.source.as_str() {
        "" => usual,
        given => given,
    }
}

/// With a fraction, as the header has it.
fn triggered(ms: i64) -> String {
    let fraction = ms.rem_euclid(1_000) * 1_000_000;
    iso(ms).replace("+0000", &format!(".{fraction:09}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] =
        br##"{"id":820982911946154508,"name":"#9999","total_price":"403.00","currency":"USD"}"##;

    #[test]
    fn signatures_are_those_of_the_facts_sheet() {
        assert_eq!(
            signature("shpss_test", BODY),
            "FUeshH13ROu3c1HrtoMuaFV8kEp5Yik16wykML1MQjo="
        );
        assert_eq!(
            signature("wc_secret", BODY),
            "yGUM6eN1wqW6+kpObgVaIeW+JiUiLUD/UMyiJuudhH4="
        );
    }

    #[test]
    fn a_time_has_its_fraction() {
        assert_eq!(
            triggered(1_795_165_200_042),
            "2026-11-20T09:00:00.042000000Z"
        );
    }
}
