//! Webhooks: signatures, who gets what, retries, the hour after which Meta gives up, odd deliveries.

use serde_json::{Value, json};
use shopbell_sandbox::{Callback, OneMessage, PageSays, RawEvent, React, Receipt, Tap};

use crate::bench::{BAKERY, BAKERY_IG, Bench, HOUR};
use crate::ear::{Ear, FACEBOOK, INSTAGRAM, listening, mac, say, subscribe_page};

#[tokio::test]
async fn a_message_arrives_escaped_and_signed_in_both_headers() {
    let (bench, ear) = listening().await;
    subscribe_page(&bench).await;
    let said = bench.world().say(say(BAKERY, "Café ☕ 😊 a/b")).unwrap();
    bench.world().settled().await;
    let (headers, body) = ear.heard.lock().unwrap()[0].clone();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        text.contains(r"Caf\u00e9 \u2615 \ud83d\ude0a a\/b"),
        "{text}"
    );
    assert_eq!(headers["x-hub-signature-256"], mac(FACEBOOK, &body));
    assert!(
        headers["x-hub-signature"]
            .to_str()
            .unwrap()
            .starts_with("sha1=")
    );
    let parsed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed["object"], "page");
    let event = &parsed["entry"][0]["messaging"][0];
    assert_eq!(
        (&event["message"]["mid"], &event["recipient"]["id"]),
        (&json!(said.message_id), &json!(BAKERY))
    );
    assert_eq!(event["timestamp"], said.created_ms);
}

#[tokio::test]
async fn instagram_is_signed_by_the_route_it_came_through() {
    let (bench, ear) = listening().await;
    let page = subscribe_page(&bench).await;
    bench
        .world()
        .say(say("kornblume.brot", "über die Seite"))
        .unwrap();
    bench.world().settled().await;
    let token = bench.instagram().await;
    let answer = bench
        .post(
            "graph.instagram.com/v25.0/me/subscribed_apps?subscribed_fields=messages",
            &token,
            json!({}),
        )
        .await;
    assert_eq!(answer.status, 200);
    bench.world().say(say("kornblume.brot", "direkt")).unwrap();
    bench.world().settled().await;
    let heard = ear.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 2);
    for ((headers, body), secret) in heard.iter().zip([FACEBOOK, INSTAGRAM]) {
        assert_eq!(headers["x-hub-signature-256"], mac(secret, body));
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(
            (&body["object"], &body["entry"][0]["id"]),
            (&json!("instagram"), &json!(BAKERY_IG))
        );
    }
    let list = bench
        .get(&format!("v25.0/{BAKERY}/subscribed_apps"), &page)
        .await
        .json();
    assert_eq!(list["data"][0]["id"], "138000000000001");
    assert_eq!(list["data"][0]["subscribed_fields"][0], "messages");
    bench
        .world()
        .set_switches(|switches| switches.success_as_string = true);
    let url = format!(
        "{}/v25.0/{BAKERY}/subscribed_apps",
        bench.sandbox.base_url()
    );
    let gone = bench
        .send(bench.client.delete(url).bearer_auth(&page))
        .await;
    assert_eq!(gone.json(), json!({"success": "true"}));
    assert_eq!(
        bench
            .get(&format!("v25.0/{BAKERY}/subscribed_apps"), &page)
            .await
            .json(),
        json!({"data": []})
    );
}

#[tokio::test]
async fn events_of_unsubscribed_accounts_and_fields_are_dropped() {
    let (bench, ear) = listening().await;
    bench.world().say(say(BAKERY, "zu früh")).unwrap();
    let token = bench.page(BAKERY).await;
    let only = json!({"subscribed_fields": ["messages"]});
    bench
        .post(&format!("v25.0/{BAKERY}/subscribed_apps"), &token, only)
        .await;
    let said = bench.world().say(say(BAKERY, "jetzt")).unwrap();
    bench
        .world()
        .page_says(PageSays {
            conversation: said.conversation_id,
            text: "Echo".into(),
            ..PageSays::default()
        })
        .unwrap();
    bench.world().settled().await;
    assert_eq!(ear.events().len(), 1);
    let dropped = bench.world().deliveries()["dropped"].clone();
    assert_eq!(dropped.as_array().unwrap().len(), 2);
    assert_eq!(dropped[1]["field"], "message_echoes");
    let wrong = bench
        .post(
            &format!("v25.0/{BAKERY}/subscribed_apps"),
            &token,
            json!({"subscribed_fields": "message_edit"}),
        )
        .await;
    assert_eq!(wrong.error().0, 100);
    let none = bench
        .post(
            &format!("v25.0/{BAKERY}/subscribed_apps"),
            &token,
            json!({}),
        )
        .await;
    assert_eq!(none.error().0, 100);
}

#[tokio::test]
async fn sends_are_echoed_delivered_and_read() {
    let (bench, ear) = listening().await;
    let token = subscribe_page(&bench).await;
    bench.world().set_switches(|switches| {
        switches.delivered_after_ms = Some(300);
        switches.read_after_ms = Some(5_000);
    });
    let said = bench.world().say(say(BAKERY, "Hallo")).unwrap();
    let body = json!({"recipient": {"id": said.customer_id}, "message": {"text": "Ja", "metadata": "job:7"}});
    let sent = bench.post("v25.0/me/messages", &token, body).await.json();
    bench.world().settled().await;
    bench.world().advance_ms(300);
    bench.world().settled().await;
    assert_eq!(ear.events().len(), 3);
    bench.world().advance_ms(4_700);
    bench.world().settled().await;
    let events = ear.events();
    let echo = &events[1];
    assert_eq!(echo["sender"]["id"], BAKERY);
    assert_eq!(
        echo["message"],
        json!({"mid": sent["message_id"], "text": "Ja", "is_echo": true, "app_id": 138_000_000_000_001_u64, "metadata": "job:7"})
    );
    assert_eq!(events[2]["delivery"]["mids"][0], sent["message_id"]);
    assert!(
        events[3]["read"]["watermark"].as_i64().unwrap() >= echo["timestamp"].as_i64().unwrap()
    );
}

#[tokio::test]
async fn instagram_reads_by_message_and_never_delivers() {
    let (bench, ear) = listening().await;
    let token = bench.instagram().await;
    bench
        .post(
            "graph.instagram.com/v25.0/me/subscribed_apps?subscribed_fields=messages",
            &token,
            json!({}),
        )
        .await;
    bench.world().set_switches(|switches| {
        switches.delivered_after_ms = Some(0);
        switches.ig_bare_edit_first = true;
        switches.webhook_mids_differ = true;
    });
    let said = bench.world().say(say("kornblume.brot", "Hallo")).unwrap();
    let body = json!({"recipient": {"id": said.customer_id}, "message": {"text": "Ja", "metadata": "job:7"}});
    let sent = bench
        .post("graph.instagram.com/v25.0/me/messages", &token, body)
        .await
        .json();
    bench
        .world()
        .read(Receipt {
            conversation: said.conversation_id,
            ..Receipt::default()
        })
        .unwrap();
    bench.world().settled().await;
    let events = ear.events();
    assert_eq!(events.len(), 4);
    assert_eq!(events[0]["message_edit"]["num_edit"], 0);
    assert!(events[0]["sender"].is_null());
    let shown = events[1]["message"]["mid"].as_str().unwrap();
    assert_ne!(shown, said.message_id);
    let read = bench
        .get(
            &format!("graph.instagram.com/v25.0/{shown}?fields=message"),
            &token,
        )
        .await
        .json();
    assert_eq!(
        (&read["message"], &read["id"]),
        (&json!("Hallo"), &json!(said.message_id))
    );
    assert!(events[2]["message"]["metadata"].is_null());
    assert_eq!(events[3]["read"]["mid"], sent["message_id"]);
}

#[tokio::test]
async fn customers_react_edit_unsend_and_tap() {
    let (bench, ear) = listening().await;
    let token = bench.instagram().await;
    bench
        .post(
            "graph.instagram.com/v25.0/me/subscribed_apps?subscribed_fields=messages",
            &token,
            json!({}),
        )
        .await;
    let world = bench.world();
    let said = world.say(say("kornblume.brot", "Halo")).unwrap();
    let mid = said.message_id.clone();
    world
        .react(React {
            message: mid.clone(),
            emoji: "😮".into(),
        })
        .unwrap();
    world
        .react(React {
            message: mid.clone(),
            emoji: String::new(),
        })
        .unwrap();
    world
        .edit(OneMessage {
            message: mid.clone(),
            text: "Hallo".into(),
        })
        .unwrap();
    world
        .tap(Tap {
            conversation: said.conversation_id.clone(),
            title: "Preise".into(),
            payload: "PRICES".into(),
            ..Tap::default()
        })
        .unwrap();
    world
        .unsend(OneMessage {
            message: mid.clone(),
            ..OneMessage::default()
        })
        .unwrap();
    world
        .event(RawEvent {
            account: "kornblume.brot".into(),
            field: "standby".into(),
            entry: json!({"id": BAKERY_IG, "time": 0, "messaging": [{"is_self": true}]}),
        })
        .unwrap();
    world.settled().await;
    let events = ear.events();
    assert_eq!(
        events[1]["reaction"],
        json!({"mid": mid, "action": "react", "reaction": "other", "emoji": "😮"})
    );
    assert_eq!(
        events[2]["reaction"],
        json!({"mid": mid, "action": "unreact"})
    );
    assert_eq!(
        events[3]["message_edit"],
        json!({"mid": mid, "text": "Hallo", "num_edit": 1})
    );
    assert_eq!(events[4]["postback"]["payload"], "PRICES");
    assert_eq!(
        events[5]["message"],
        json!({"mid": mid, "is_deleted": true})
    );
    assert_eq!(events[6], json!({"is_self": true}));
}

#[tokio::test]
async fn failures_are_retried_and_after_an_hour_the_account_is_unsubscribed() {
    let (bench, ear) = listening().await;
    let token = subscribe_page(&bench).await;
    *ear.status.lock().unwrap() = 500;
    bench.world().say(say(BAKERY, "eins")).unwrap();
    bench.world().settled().await;
    assert_eq!(ear.bodies().len(), 1);
    bench.world().advance_ms(2_000);
    bench.world().settled().await;
    assert_eq!(ear.bodies().len(), 2);
    *ear.status.lock().unwrap() = 200;
    bench.world().advance_ms(60_000);
    bench.world().settled().await;
    assert_eq!(ear.bodies().len(), 3);
    *ear.status.lock().unwrap() = 503;
    bench.world().say(say(BAKERY, "zwei")).unwrap();
    bench.world().settled().await;
    bench.world().advance_ms(HOUR);
    bench.world().settled().await;
    let list = bench
        .get(&format!("v25.0/{BAKERY}/subscribed_apps"), &token)
        .await
        .json();
    assert_eq!(list, json!({"data": []}));
    let before = ear.bodies().len();
    *ear.status.lock().unwrap() = 200;
    bench.world().advance_ms(HOUR);
    bench.world().settled().await;
    assert_eq!(ear.bodies().len(), before);
    assert!(
        bench.world().deliveries()["dropped"]
            .to_string()
            .contains("after an hour of failures")
    );
}

#[tokio::test]
async fn copies_batches_and_reverse_order() {
    let (bench, ear) = listening().await;
    subscribe_page(&bench).await;
    *ear.status.lock().unwrap() = 500;
    for text in ["a", "b", "c"] {
        bench.world().say(say(BAKERY, text)).unwrap();
    }
    bench.world().settled().await;
    ear.heard.lock().unwrap().clear();
    *ear.status.lock().unwrap() = 200;
    bench.world().set_switches(|switches| {
        switches.webhook_batch = 10;
        switches.webhook_reversed = true;
        switches.webhook_copies = 2;
    });
    bench.world().advance_ms(2_000);
    bench.world().settled().await;
    let bodies = ear.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
    let texts: Vec<Value> = ear.events()[..3]
        .iter()
        .map(|event| event["message"]["text"].clone())
        .collect();
    assert_eq!(texts, ["c", "b", "a"]);
}

#[tokio::test]
async fn the_app_subscription_is_saved_only_after_the_challenge() {
    let bench = Bench::empty().await;
    let (_, url) = Ear::open().await;
    let app = "138000000000001|0123456789abcdef0123456789abcdef";
    let path = format!(
        "{}/v25.0/138000000000001/subscriptions",
        bench.sandbox.base_url()
    );
    let save = async |token: &str| {
        let form = [
            ("access_token", app),
            ("object", "page"),
            ("callback_url", &url),
            ("fields", "messages"),
            ("verify_token", token),
        ];
        bench.send(bench.client.post(&path).form(&form)).await
    };
    assert_eq!(save("wrong").await.error().0, 2200);
    assert_eq!(save("shopbell-verify").await.status, 200);
    let list = bench
        .send(bench.client.get(&path).query(&[("access_token", app)]))
        .await
        .json();
    assert_eq!(
        (&list["data"][0]["object"], &list["data"][0]["callback_url"]),
        (&json!("page"), &json!(url))
    );
    let dead = Callback {
        webhook_url: Some("http://127.0.0.1:9/".into()),
        verify: true,
        ..Callback::default()
    };
    assert!(bench.world().callback(dead).await.is_err());
}
