//! How events come: many in one POST, twice, late and overtaken; and who gets none any more.

use std::collections::HashSet;

use serde_json::{Value, json};
use shopbell_sandbox::{Burst, BurstKind, Config, Consent, Sandbox, Size};

use crate::bench::{BAKERY, Bench, HOUR};
use crate::ear::{ALL, Ear, hearing, listening, say, subscribe_instagram, subscribe_page};

fn burst(count: usize, per_post: usize) -> Burst {
    Burst {
        count,
        per_post,
        ..Burst::default()
    }
}

#[tokio::test]
async fn a_thousand_events_of_a_hundred_accounts_share_one_post() {
    let (bench, ear) = listening().await;
    bench.world().consent(Consent {
        person: Some("Astrid Lund".into()),
        ..Consent::default()
    });
    let user = bench.user().await;
    let list = bench.get("v25.0/me/accounts?limit=100", &user).await.json();
    let mut accounts = Vec::new();
    for page in list["data"].as_array().unwrap() {
        let (id, token) = (
            page["id"].as_str().unwrap(),
            page["access_token"].as_str().unwrap(),
        );
        let path = format!("v25.0/{id}/subscribed_apps");
        bench
            .post(&path, token, json!({"subscribed_fields": ALL}))
            .await;
        accounts.push(id.to_owned());
    }
    let order = Burst {
        accounts: accounts.clone(),
        people: 1,
        ..burst(1_000, 1_000)
    };
    let made = bench.world().burst(order).unwrap();
    bench.world().settled().await;
    assert_eq!(ear.bodies().len(), 1);
    let entries = ear.entries();
    assert_eq!(entries.len(), 1_000);
    let owners: HashSet<&str> = entries
        .iter()
        .map(|entry| entry["id"].as_str().unwrap())
        .collect();
    assert_eq!(owners.len(), 100);
    let mids: HashSet<String> = ear
        .events()
        .iter()
        .map(|event| event["message"]["mid"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(mids, made.messages.into_iter().collect());
}

#[tokio::test]
async fn a_burst_of_every_kind_is_split_by_product_and_size() {
    let bench = Bench::small().await;
    let (bench, ear) = hearing(bench).await;
    subscribe_page(&bench).await;
    subscribe_instagram(&bench).await;
    let kinds = vec![
        BurstKind::Message,
        BurstKind::Echo,
        BurstKind::Reaction,
        BurstKind::Edit,
        BurstKind::Read,
        BurstKind::Delivery,
        BurstKind::Postback,
        BurstKind::Comment,
    ];
    let order = Burst {
        kinds,
        letters: 300,
        ..burst(64, 10)
    };
    let made = bench.world().burst(order).unwrap();
    assert_eq!((made.events, made.comments.len()), (64, 8));
    bench.world().settled().await;
    let bodies = ear.bodies();
    let objects: HashSet<&str> = bodies
        .iter()
        .map(|body| body["object"].as_str().unwrap())
        .collect();
    assert_eq!(objects.len(), 2);
    assert!(
        bodies
            .iter()
            .all(|body| body["entry"].as_array().unwrap().len() <= 10)
    );
    let entries = ear.entries();
    assert_eq!(entries.len(), 64);
    for key in [
        "message",
        "reaction",
        "message_edit",
        "read",
        "delivery",
        "postback",
    ] {
        let told = entries
            .iter()
            .filter(|entry| !entry["messaging"][0][key].is_null());
        assert!(told.count() >= 4, "{key}");
    }
    let long = entries
        .iter()
        .filter_map(|entry| entry["messaging"][0]["message"]["text"].as_str());
    assert!(long.map(str::len).max() == Some(300));
    let unsend = Burst {
        account: Some("kornblume.brot".into()),
        kinds: vec![BurstKind::Unsend],
        people: 2,
        ..burst(2, 1)
    };
    ear.forget();
    bench.world().burst(unsend).unwrap();
    bench.world().settled().await;
    assert!(
        ear.events()
            .iter()
            .all(|event| event["message"]["is_deleted"] == true)
    );
    assert!(
        bench
            .world()
            .burst(Burst {
                account: Some("nobody".into()),
                ..burst(1, 1)
            })
            .is_err()
    );
}

async fn disorder(seed: &str) -> Vec<String> {
    let config = Config {
        seed: seed.into(),
        size: Size::Empty,
        start_ms: Some(crate::bench::NOON),
        auto_consent: true,
        ..Config::default()
    };
    let bench = Bench {
        sandbox: Sandbox::start(config).await.unwrap(),
        client: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap(),
    };
    let (bench, ear) = hearing(bench).await;
    subscribe_page(&bench).await;
    bench.world().set_switches(|switches| {
        switches.webhook_duplicate = 30;
        switches.webhook_reorder = 50;
        switches.delivered_after_ms = None;
    });
    for number in 0..40 {
        bench.world().say(say(BAKERY, &number.to_string())).unwrap();
        bench.world().settled().await;
        bench.world().advance_ms(500);
        bench.world().settled().await;
    }
    bench.world().advance_ms(10_000);
    bench.world().settled().await;
    let texts = ear.events();
    texts
        .iter()
        .map(|event| event["message"]["text"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_seed_decides_what_comes_twice_and_what_is_overtaken() {
    let heard = disorder("a").await;
    assert!(heard.len() > 40, "some come twice: {heard:?}");
    let once: HashSet<&String> = heard.iter().collect();
    assert_eq!(once.len(), 40, "none is lost");
    let numbers: Vec<u32> = heard.iter().map(|text| text.parse().unwrap()).collect();
    assert!(!numbers.is_sorted(), "some are overtaken");
    assert_eq!(heard, disorder("a").await);
    assert_ne!(heard, disorder("b").await);
}

async fn fields(bench: &Bench, token: &str) -> Value {
    let path = format!("v25.0/{BAKERY}/subscribed_apps");
    bench.get(&path, token).await.json()["data"][0]["subscribed_fields"].clone()
}

#[tokio::test]
async fn after_an_hour_of_failures_an_account_hears_nothing_until_it_subscribes_again() {
    let (bench, ear) = listening().await;
    let token = subscribe_page(&bench).await;
    assert_eq!(fields(&bench, &token).await[0], "messages");
    ear.answer(503);
    for text in ["eins", "zwei"] {
        bench.world().say(say(BAKERY, text)).unwrap();
    }
    bench.world().settled().await;
    for _ in 0..7 {
        bench.world().advance_ms(10 * 60_000);
        bench.world().settled().await;
    }
    assert_eq!(fields(&bench, &token).await, Value::Null, "Meta gave up");
    let dropped = bench.world().deliveries()["dropped"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(dropped, 2, "both waiting events are gone");
    ear.answer(200);
    ear.forget();
    bench.world().say(say(BAKERY, "drei")).unwrap();
    bench.world().settled().await;
    assert!(
        ear.bodies().is_empty(),
        "nothing of an unsubscribed account"
    );
    subscribe_page(&bench).await;
    bench.world().say(say(BAKERY, "vier")).unwrap();
    bench.world().advance_ms(HOUR);
    bench.world().settled().await;
    let texts: Vec<Value> = ear
        .events()
        .iter()
        .map(|event| event["message"]["text"].clone())
        .collect();
    assert_eq!(texts, ["vier"], "what was missed is not told again");
    // The hour counts from the first failure after the new subscription.
    ear.answer(500);
    bench.world().say(say(BAKERY, "fünf")).unwrap();
    bench.world().settled().await;
    bench.world().advance_ms(HOUR / 2);
    bench.world().settled().await;
    assert_eq!(fields(&bench, &token).await[0], "messages");
    ear.answer(200);
    bench.world().advance_ms(HOUR / 2);
    bench.world().settled().await;
    assert_eq!(ear.events().last().unwrap()["message"]["text"], "fünf");
    bench.world().clear_deliveries();
    assert_eq!(bench.world().deliveries()["dropped"], json!([]));
}

#[tokio::test]
async fn the_app_subscription_lists_every_field_when_none_was_named() {
    let (bench, _) = listening().await;
    let url = format!(
        "{}/v25.0/138000000000001/subscriptions",
        bench.sandbox.base_url()
    );
    let app = [(
        "access_token",
        "138000000000001|0123456789abcdef0123456789abcdef",
    )];
    let list = bench.send(bench.client.get(url).query(&app)).await.json();
    let named = |at: usize| -> Vec<Value> {
        let fields = list["data"][at]["fields"].as_array().unwrap();
        fields.iter().map(|field| field["name"].clone()).collect()
    };
    assert!(named(0).contains(&json!("comments")) && named(1).contains(&json!("feed")));
}

#[tokio::test]
async fn a_fault_for_one_method_is_an_order_and_no_override() {
    let bench = Bench::empty().await;
    let token = bench.page(BAKERY).await;
    let order =
        json!({"method": "GET", "path": "me", "times": 1, "before": {"status": {"status": 502}}});
    assert_eq!(
        bench.control("faults", order).await.json(),
        json!({"ok": true})
    );
    assert_eq!(
        bench
            .post("v25.0/me/messages", &token, json!({}))
            .await
            .error()
            .0,
        100
    );
    assert_eq!(bench.get("v25.0/me", &token).await.status, 502);
    assert_eq!(bench.get("v25.0/me", &token).await.status, 200);
}

#[tokio::test]
async fn delivery_receipts_may_come_without_names() {
    let (bench, ear): (Bench, Ear) = listening().await;
    let token = subscribe_page(&bench).await;
    bench.world().set_switches(|switches| {
        switches.delivered_after_ms = Some(0);
        switches.delivery_mids = false;
    });
    let said = bench.world().say(say(BAKERY, "Hallo")).unwrap();
    let body = json!({"recipient": {"id": said.customer_id}, "message": {"text": "Ja"}});
    bench.post("v25.0/me/messages", &token, body).await;
    bench.world().settled().await;
    let receipt = ear.events().last().unwrap()["delivery"].clone();
    assert!(receipt["mids"].is_null() && receipt["watermark"].is_i64());
}

#[tokio::test]
async fn a_new_callback_takes_over_what_waits_and_posts_may_overlap() {
    let (bench, old) = listening().await;
    subscribe_page(&bench).await;
    old.answer(500);
    bench.world().burst(burst(20, 1)).unwrap();
    bench.world().settled().await;
    bench
        .world()
        .set_switches(|switches| switches.webhook_parallel = 8);
    let (bench, new) = hearing(bench).await;
    bench.world().advance_ms(1_000);
    bench.world().settled().await;
    assert_eq!((old.entries().len(), new.entries().len()), (20, 20));
}
