//! Events from the sandbox, which signs, escapes, batches, retries and gives up by its own reading of the facts: what reaches the
//! computer is what the sandbox sent, and the sandbox is content with every answer.

use serde_json::{Value, json};
use shopbell_sandbox::{Burst, BurstKind, Callback, Publish, ShopKind, ShopPost, SignedRequest};
use shopbell_wire::*;

use super::{events::*, harness::*, sandbox::*};

const PAGE_FIELDS: &str = "messages,message_echoes,message_deliveries,message_reads,message_reactions,message_edits,messaging_postbacks,feed";
const INSTAGRAM_FIELDS: &str = "messages,comments";

/// Signed in by both logins, subscribed by both, the callback verified.
async fn subscribed() -> Town {
    let town = Town::new().await;
    let (facebook, instagram) = (
        town.sign_in(Provider::Facebook).await,
        town.sign_in(Provider::Instagram).await,
    );
    let callback = Callback {
        webhook_url: Some(town.world.device.url(paths::WEBHOOKS_META).into()),
        verify: true,
        ..Callback::default()
    };
    town.sandbox.world().callback(callback).await.unwrap();
    let page = facebook
        .accounts
        .iter()
        .find(|account| account.platform_id == BAKERY)
        .unwrap();
    for (host, id, token, fields) in [
        ("graph.facebook.com", BAKERY, &page.token, PAGE_FIELDS),
        (
            "graph.instagram.com",
            "me",
            &instagram.accounts[0].token,
            INSTAGRAM_FIELDS,
        ),
    ] {
        let url = format!("{}/v25.0/{id}/subscribed_apps", town.sandbox.host(host));
        let request = town.world.device.http.post(url).bearer_auth(token.expose());
        let answer = request.query(&[("subscribed_fields", fields)]).send().await;
        assert_eq!(answer.unwrap().status(), 200);
    }
    town
}

#[tokio::test]
async fn everything_that_happens_at_the_platform_reaches_the_computer_as_it_was_sent() {
    use BurstKind::*;
    let town = subscribed().await;
    for account in [BAKERY, BAKERY_IG] {
        let post = Publish {
            account: account.into(),
            silent: true,
            ..Publish::default()
        };
        town.sandbox.world().publish(post).unwrap();
    }
    let made = town.sandbox.world().burst(Burst {
        accounts: vec![BAKERY.into(), BAKERY_IG.into()],
        count: 180,
        kinds: vec![
            Message, Echo, Reaction, Edit, Unsend, Read, Delivery, Postback, Comment,
        ],
        per_post: 25,
        ..Burst::default()
    });
    town.sandbox.world().settled().await;
    let deliveries = town.sandbox.world().deliveries();
    let mut sent: Vec<(Value, Value)> = Vec::new();
    for delivery in deliveries["delivered"].as_array().unwrap() {
        assert_eq!(delivery["status"], 200, "{delivery}");
        let body: Value = serde_json::from_str(delivery["body"].as_str().unwrap()).unwrap();
        for entry in body["entry"].as_array().unwrap() {
            sent.push((body["object"].clone(), entry.clone()));
        }
    }
    let silent = 10; // Messenger says nothing of an unsent message.
    assert_eq!(sent.len(), made.unwrap().events - silent);
    let came: Vec<(Value, Value)> = reached(&town.world, &town.world.device)
        .await
        .iter()
        .map(Reached::json)
        .map(|event: Value| (event["object"].clone(), event["entry"].clone()))
        .collect();
    assert_eq!(came, sent, "all of it, in order, once");
    let by = |secret: &str| {
        figure(
            &town.world,
            &format!("signed_by_total{{secret=\"{secret}\"}}"),
        )
    };
    assert!(
        by("facebook") > 0 && by("instagram") > 0,
        "each product signs with its own app's secret"
    );
}

#[tokio::test]
async fn the_sandboxs_shops_and_website_are_understood() {
    let town = subscribed().await;
    let device = &town.world.device;
    let origin = "https://kornblume.example";
    let mut expected = Vec::new();
    for (kind, word, asked) in [
        (
            ShopKind::Shopify,
            "shopify",
            json!({"kind": "shopify", "secret": "shpss_test"}),
        ),
        (
            ShopKind::Woocommerce,
            "woocommerce",
            json!({"kind": "woocommerce", "secret": "wc & secret"}),
        ),
        (
            ShopKind::Website,
            "collect",
            json!({"kind": "collect", "origins": [origin]}),
        ),
    ] {
        let hook = make_hook(device, asked).await;
        let post = ShopPost {
            url: hook.url,
            kind,
            secret: match kind {
                ShopKind::Shopify => "shpss_test",
                _ => "wc & secret",
            }
            .into(),
            source: match kind {
                ShopKind::Website => origin.into(),
                _ => String::new(),
            },
            content_type: Some("application/json".into()),
            ..ShopPost::default()
        };
        if kind == ShopKind::Woocommerce {
            let ping = ShopPost {
                ping: true,
                ..post.clone()
            };
            assert_eq!(town.sandbox.world().shop(ping).await.unwrap().status, 200);
        }
        let answer = town.sandbox.world().shop(post.clone()).await.unwrap();
        assert!(
            (200..300).contains(&answer.status) && !answer.given_up,
            "{answer:?}"
        );
        if kind != ShopKind::Website {
            let forged = ShopPost {
                forged: true,
                ..post
            };
            assert_eq!(town.sandbox.world().shop(forged).await.unwrap().status, 401);
        }
        expected.push((word, answer.id));
    }
    let events = reached(&town.world, device).await;
    assert_eq!(events.len(), 3);
    for (event, (word, delivery)) in events.iter().zip(expected) {
        let event: HookEvent = event.json();
        assert_eq!(event.kind.as_str(), word);
        assert_eq!(event.delivery.unwrap_or_default(), delivery);
        assert!(serde_json::from_str::<Value>(&event.body).is_ok());
        assert_eq!(event.visitor.is_some(), word == "collect");
    }
}

#[tokio::test]
async fn the_sandboxs_word_about_an_owner_is_understood() {
    let town = Town::new().await;
    let instagram = town.sign_in(Provider::Instagram).await.user.id;
    let facebook = town.sign_in(Provider::Facebook).await.user.id;
    let ask = async |path: &str, user_id: &str, change: fn(&mut SignedRequest)| {
        let mut order = SignedRequest {
            url: town.world.device.url(path).into(),
            user_id: user_id.into(),
            ..SignedRequest::default()
        };
        change(&mut order);
        town.sandbox.world().signed_request(order).await.unwrap()
    };
    let none = |_: &mut SignedRequest| {};
    let forged = ask(paths::DEAUTHORIZE, &facebook, |order| order.forged = true).await;
    assert_eq!(forged.status, 403);
    let old = ask(paths::DEAUTHORIZE, &instagram, |order| {
        order.instagram = true;
        order.age_ms = 30 * 24 * 3600 * 1000;
    });
    assert_eq!(old.await.status, 200, "late is not too late");
    let deletion = ask(paths::DATA_DELETION, &facebook, none).await;
    assert_eq!(deletion.status, 200);
    let answer: Value = serde_json::from_str(&deletion.body).unwrap();
    let page = town
        .world
        .device
        .http
        .get(answer["url"].as_str().unwrap())
        .send();
    assert_eq!(page.await.unwrap().status(), 200);
    let own: BindingList = ok(town.world.device.get(paths::BINDINGS).await).await;
    let left: Vec<_> = own
        .bindings
        .iter()
        .map(|binding| binding.provider)
        .collect();
    assert!(!left.contains(&Provider::Facebook), "{left:?}");
}
