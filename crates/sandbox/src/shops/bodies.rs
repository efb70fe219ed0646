//! What shops send: orders, checkouts and carts in the words of Shopify and WooCommerce, made up from the seed.
//! Nobody in them exists; addresses end in `.example`.

use serde_json::{Value, json};

use super::{ShopKind, ShopPost};
use crate::clock::iso;
use crate::world::World;

/// The body of a post: the given one, or one that fits the topic.
pub(crate) fn of(world: &mut World, order: &ShopPost) -> String {
    if order.ping {
        return "webhook_id=12".to_owned();
    }
    match &order.body {
        Some(Value::String(text)) => return text.clone(),
        Some(body) => return body.to_string(),
        None => {}
    }
    let made = match order.kind {
        ShopKind::Shopify => shopify(world, topic(order)),
        ShopKind::Woocommerce => woocommerce(world, topic(order)),
        ShopKind::Website => json!({"event": "PageView", "url": "https://kornblume.example/brot"}),
    };
    made.to_string()
}

/// The topic, or the one that matters most.
pub(crate) fn topic(order: &ShopPost) -> &str {
    match (order.topic.as_str(), order.kind) {
        ("", ShopKind::Shopify) => "orders/create",
        ("", ShopKind::Woocommerce) => "order.created",
        (topic, _) => topic,
    }
}

fn price(world: &mut World) -> String {
    let cents = world.chance.between(390, 42_000);
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn shopify(world: &mut World, topic: &str) -> Value {
    let number = world.chance.between(1_001, 9_999);
    let id = world
        .chance
        .between(820_982_911_946_154_000, 820_982_911_946_154_999);
    let price = price(world);
    let token = world.chance.word(32).to_lowercase();
    let at = iso(world.now_ms()).replace("+0000", "+00:00");
    let line = json!({"id": id + 1, "product_id": 632_910_392, "variant_id": 808_950_810,
        "sku": "BROT-01", "title": "Kornblumenbrot", "quantity": 1, "price": price});
    if topic.starts_with("carts/") {
        return json!({"id": token, "token": token, "line_items": [line], "note": null,
            "created_at": at, "updated_at": at});
    }
    let customer = json!({"id": 115_310_627, "email": "ana@kunde.example", "first_name": "Ana",
        "last_name": "Beispiel", "phone": null});
    let address = json!({"first_name": "Ana", "last_name": "Beispiel", "city": "Freiburg",
        "province_code": null, "zip": "79098", "country_code": "DE", "phone": null});
    let mut body = json!({
        "id": id, "created_at": at, "currency": "EUR", "total_price": price,
        "subtotal_price": price, "email": "ana@kunde.example", "phone": null,
        "customer": customer, "billing_address": address, "shipping_address": address,
        "line_items": [line], "landing_site": "/?fbclid=IwAR0example",
        "referring_site": "https://l.facebook.com", "cart_token": token,
    });
    if topic.starts_with("checkouts/") {
        body["token"] = token.into();
        body["completed_at"] = Value::Null;
        body["customer_locale"] = "de-DE".into();
        body["buyer_accepts_marketing"] = false.into();
        body["abandoned_checkout_url"] = "https://kornblume.example/checkouts/1".into();
        return body;
    }
    let more = json!({
        "admin_graphql_api_id": format!("gid://shopify/Order/{id}"),
        "name": format!("#{number}"), "order_number": number, "processed_at": at,
        "presentment_currency": "EUR", "total_tax": "0.00", "financial_status": "paid",
        "test": false, "contact_email": "ana@kunde.example", "browser_ip": "203.0.113.9",
        "client_details": {"browser_ip": "203.0.113.9", "user_agent": "Mozilla/5.0 (example)",
                           "accept_language": "de"},
        "source_name": "web", "checkout_id": id + 7, "checkout_token": token,
        "note_attributes": [],
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

fn woocommerce(world: &mut World, topic: &str) -> Value {
    let id = world.chance.between(700, 9_999);
    if topic.ends_with(".deleted") {
        return json!({ "id": id });
    }
    let price = price(world);
    let at = iso(world.now_ms()).replace("+0000", "");
    let status = if topic == "order.created" {
        "pending"
    } else {
        "processing"
    };
    let key = world.chance.word(13);
    json!({
        "id": id, "number": id.to_string(), "status": status, "currency": "EUR", "total": price,
        "date_created_gmt": at, "customer_id": 0, "customer_ip_address": "203.0.113.9",
        "customer_user_agent": "Mozilla/5.0 (example)",
        "billing": {"first_name": "Ana", "last_name": "Beispiel", "email": "ana@kunde.example",
                    "phone": "", "city": "Freiburg", "state": "", "postcode": "79098",
                    "country": "DE"},
        "line_items": [{"product_id": 31, "variation_id": 0, "sku": "BROT-01", "quantity": 1,
                        "total": price, "price": price}],
        "meta_data": [], "order_key": format!("wc_order_{key}"), "payment_method": "bacs",
    })
}
