//! Webhooks around conversations: where people come from, who owns a thread, every kind of attachment, the odd ones.

use serde_json::{Value, json};
use shopbell_sandbox::{
    CardKind, Feedback, Handover, HandoverStep, OneMessage, Optin, PageSays, Policy, Refer,
    ReferralKind, Say, Tap, ToSelf,
};

use crate::bench::{BAKERY, BAKERY_IG, Bench, DAY};
use crate::ear::{Ear, listening, say, subscribe_instagram, subscribe_page};

const PRODUCTS: [&str; 2] = [BAKERY, "kornblume.brot"];

async fn both() -> (Bench, Ear) {
    let (bench, ear) = listening().await;
    subscribe_page(&bench).await;
    subscribe_instagram(&bench).await;
    (bench, ear)
}

async fn heard(bench: &Bench, ear: &Ear) -> Vec<Value> {
    bench.world().settled().await;
    let events = ear.events();
    ear.forget();
    events
}

fn refer(account: &str, from: ReferralKind) -> Refer {
    Refer {
        account: Some(account.into()),
        customer: Some("Ana B".into()),
        from,
        word: "herbst".into(),
        ad_title: "Brot im Herbst".into(),
        product: "77".into(),
        ..Refer::default()
    }
}

#[tokio::test]
async fn people_come_through_links_ads_and_products() {
    let (bench, ear) = both().await;
    for account in PRODUCTS {
        bench
            .world()
            .refer(refer(account, ReferralKind::Link))
            .unwrap();
        bench
            .world()
            .refer(refer(account, ReferralKind::Ad))
            .unwrap();
        let events = heard(&bench, &ear).await;
        assert_eq!(
            (
                &events[0]["referral"]["ref"],
                &events[0]["referral"]["type"]
            ),
            (&json!("herbst"), &json!("OPEN_THREAD"))
        );
        let source = events[0]["referral"]["source"].as_str().unwrap();
        assert!(
            source == "SHORTLINK" || source.starts_with("https://ig.me/m/"),
            "{source}"
        );
        let ad = &events[1]["referral"];
        assert_eq!(
            (&ad["source"], &ad["ads_context_data"]["ad_title"]),
            (&json!("ADS"), &json!("Brot im Herbst"))
        );
        assert!(ad["ad_id"].is_string());
    }
    for account in PRODUCTS {
        for (from, key) in [
            (ReferralKind::Ad, "ad_id"),
            (ReferralKind::Product, "product"),
        ] {
            let order = Refer {
                text: Some("Ist das noch da?".into()),
                ..refer(account, from)
            };
            bench.world().refer(order).unwrap();
            let events = heard(&bench, &ear).await;
            assert_eq!(events.len(), 1, "the message carries it");
            assert!(
                !events[0]["message"]["referral"][key].is_null(),
                "{events:?}"
            );
        }
        let order = Refer {
            text: Some("Hallo".into()),
            ..refer(account, ReferralKind::Link)
        };
        bench.world().refer(order).unwrap();
        let events = heard(&bench, &ear).await;
        assert!(!events[0]["referral"].is_null() && events[1]["message"]["referral"].is_null());
        let order = Refer {
            started: true,
            ..refer(account, ReferralKind::Link)
        };
        bench.world().refer(order).unwrap();
        let started = heard(&bench, &ear).await.remove(0);
        assert_eq!(
            (
                &started["postback"]["payload"],
                &started["postback"]["referral"]["ref"]
            ),
            (&json!("GET_STARTED"), &json!("herbst"))
        );
    }
}

#[tokio::test]
async fn a_link_opens_the_window_again_and_an_ad_alone_does_not() {
    let (bench, _) = both().await;
    let token = bench.page(BAKERY).await;
    let said = bench.world().say(say(BAKERY, "Hallo")).unwrap();
    let answer = async || {
        let body = json!({"recipient": {"id": said.customer_id}, "message": {"text": "Ja"}});
        bench.post("v25.0/me/messages", &token, body).await.status
    };
    bench.world().advance_ms(2 * DAY);
    bench
        .world()
        .refer(refer(BAKERY, ReferralKind::Ad))
        .unwrap();
    assert_eq!(answer().await, 403);
    bench
        .world()
        .refer(refer(BAKERY, ReferralKind::Link))
        .unwrap();
    assert_eq!(answer().await, 200);
}

#[tokio::test]
async fn a_thread_that_another_app_owns_is_only_listened_to() {
    let (bench, ear) = both().await;
    for account in PRODUCTS {
        let said = bench.world().say(say(account, "Hallo")).unwrap();
        let step = |step: HandoverStep| Handover {
            conversation: said.conversation_id.clone(),
            step,
            metadata: "m".into(),
            ..Handover::default()
        };
        bench.world().hand_over(step(HandoverStep::Take)).unwrap();
        bench
            .world()
            .hand_over(step(HandoverStep::Request))
            .unwrap();
        bench.world().hand_over(step(HandoverStep::Roles)).unwrap();
        let taken = heard(&bench, &ear).await;
        let control = &taken[1]["take_thread_control"];
        assert_ne!(
            control["previous_owner_app_id"],
            control["new_owner_app_id"]
        );
        assert!(taken[2]["request_thread_control"]["requested_owner_app_id"].is_string());
        assert!(taken[3]["app_roles"].is_object());
        bench.world().say(say(account, "Noch da?")).unwrap();
        let tap = Tap {
            conversation: said.conversation_id.clone(),
            title: "Preise".into(),
            payload: "SECRET".into(),
            ..Tap::default()
        };
        bench.world().tap(tap).unwrap();
        bench.world().settled().await;
        let entries = ear.entries();
        ear.forget();
        assert!(entries.iter().all(|entry| entry["messaging"].is_null()));
        assert_eq!(entries[0]["standby"][0]["message"]["text"], "Noch da?");
        let tapped = &entries[1]["standby"][0]["postback"];
        assert_eq!(
            (&tapped["title"], tapped["payload"].is_null()),
            (&json!("Preise"), true)
        );
        bench.world().hand_over(step(HandoverStep::Pass)).unwrap();
        bench.world().say(say(account, "Ah!")).unwrap();
        let back = heard(&bench, &ear).await;
        assert!(back[0]["pass_thread_control"].is_object());
        assert_eq!(back[1]["message"]["text"], "Ah!");
    }
}

#[tokio::test]
async fn optins_policy_and_feedback() {
    let (bench, ear) = both().await;
    let said = bench.world().say(say(BAKERY, "Hallo")).unwrap();
    let optin = Optin {
        conversation: Some(said.conversation_id.clone()),
        payload: "news".into(),
        title: "Neues".into(),
        ..Optin::default()
    };
    bench.world().opt_in(optin).unwrap();
    let plugin = Optin {
        account: Some(BAKERY.into()),
        payload: "checkout".into(),
        ..Optin::default()
    };
    bench.world().opt_in(plugin).unwrap();
    let policy = Policy {
        account: BAKERY.into(),
        action: "warning".into(),
        reason: "spam".into(),
    };
    bench.world().policy(policy.clone()).unwrap();
    assert!(
        bench
            .world()
            .policy(Policy {
                action: "hang".into(),
                ..policy
            })
            .is_err()
    );
    bench
        .world()
        .feedback(Feedback {
            message: said.message_id.clone(),
            good: false,
        })
        .unwrap();
    let events = heard(&bench, &ear).await;
    assert_eq!(
        (&events[1]["optin"]["type"], &events[1]["optin"]["payload"]),
        (&json!("notification_messages"), &json!("news"))
    );
    assert!(events[2]["sender"].is_null() && events[2]["optin"]["user_ref"].is_string());
    assert!(events[3]["sender"].is_null());
    assert_eq!(
        events[3]["policy_enforcement"],
        json!({"action": "warning", "reason": "spam"})
    );
    assert_eq!(
        events[4]["response_feedback"],
        json!({"feedback": "Bad response", "mid": said.message_id})
    );
}

#[tokio::test]
async fn every_attachment_of_the_tables_can_be_sent() {
    let (bench, ear) = both().await;
    for account in PRODUCTS {
        let files = Say {
            attachments: ["bread", "voice", "clip", "pdf"]
                .map(str::to_owned)
                .to_vec(),
            ..say(account, "")
        };
        bench.world().say(files).unwrap();
        let event = heard(&bench, &ear).await.remove(0);
        let parts = event["message"]["attachments"].as_array().unwrap().clone();
        let kinds: Vec<&str> = parts
            .iter()
            .map(|part| part["type"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["image", "audio", "video", "file"]);
        for part in &parts {
            assert_eq!(
                bench
                    .fetch(part["payload"]["url"].as_str().unwrap())
                    .await
                    .status,
                200
            );
        }
    }
    let told = async |account: &str, kind: CardKind| {
        let said = bench
            .world()
            .say(Say {
                cards: vec![kind],
                ..say(account, "")
            })
            .unwrap();
        (
            said,
            heard(&bench, &ear).await[0]["message"]["attachments"][0].clone(),
        )
    };
    for (kind, word, key) in [
        (CardKind::Reel, "reel", "reel_video_id"),
        (CardKind::IgReel, "ig_reel", "reel_video_id"),
        (CardKind::Post, "post", "id"),
        (CardKind::IgPost, "ig_post", "id"),
        (CardKind::Template, "template", "product"),
        (CardKind::Appointment, "appointment_booking", "booking_id"),
        (CardKind::Location, "location", "coordinates"),
    ] {
        let (_, part) = told(BAKERY, kind).await;
        assert_eq!(part["type"], word);
        assert!(!part["payload"][key].is_null(), "{part}");
    }
    for (kind, word) in [
        (CardKind::Media, "media"),
        (CardKind::Share, "share"),
        (CardKind::IgPost, "ig_post"),
        (CardKind::IgReel, "ig_reel"),
        (CardKind::Reel, "reel"),
        (CardKind::Story, "story"),
        (CardKind::IgStory, "ig_story"),
    ] {
        let (_, part) = told("kornblume.brot", kind).await;
        assert_eq!(part["type"], word);
        assert!(part["payload"]["url"].is_string(), "{part}");
    }
    let (_, part) = told("kornblume.brot", CardKind::Ephemeral).await;
    assert_eq!(part, json!({"type": "ephemeral"}));
    let (_, part) = told(BAKERY, CardKind::FallbackNull).await;
    assert_eq!(part, json!({"type": "fallback", "payload": null}));
    let (said, part) = told(BAKERY, CardKind::FallbackOld).await;
    assert!(part["url"].is_string() && part["payload"].is_null());
    let token = bench.page(BAKERY).await;
    let path = format!("v25.0/{}?fields=message,shares", said.message_id);
    assert!(bench.get(&path, &token).await.json()["shares"]["data"][0]["link"].is_string());
}

#[tokio::test]
async fn stickers_stories_quick_replies_and_what_cannot_be_shown() {
    let (bench, ear) = both().await;
    bench
        .world()
        .set_switches(|switches| switches.sticker_twice = true);
    bench
        .world()
        .say(Say {
            sticker: true,
            ..say(BAKERY, "")
        })
        .unwrap();
    let parts = heard(&bench, &ear).await[0]["message"]["attachments"].clone();
    assert_eq!(
        (&parts[0]["type"], &parts[1]["type"]),
        (&json!("image"), &json!("sticker"))
    );
    assert_eq!(parts[0]["payload"]["sticker_id"], 369_239_263_222_822_u64);
    for order in [
        Say {
            story_reply: true,
            ..say("kornblume.brot", "love it")
        },
        Say {
            story_mention: true,
            ..say("kornblume.brot", "")
        },
        Say {
            quick_reply: Some("SIZE_M".into()),
            ..say("kornblume.brot", "M")
        },
        Say {
            unsupported: true,
            ..say("kornblume.brot", "")
        },
    ] {
        bench.world().say(order).unwrap();
    }
    let events = heard(&bench, &ear).await;
    assert!(events[0]["message"]["reply_to"]["story"]["url"].is_string());
    assert_eq!(
        events[1]["message"]["attachments"][0]["type"],
        "story_mention"
    );
    assert_eq!(events[2]["message"]["quick_reply"]["payload"], "SIZE_M");
    assert_eq!(events[3]["message"]["is_unsupported"], true);
}

#[tokio::test]
async fn a_message_may_be_announced_by_a_bare_edit_alone_and_then_be_read() {
    let (bench, ear) = listening().await;
    let token = subscribe_instagram(&bench).await;
    bench
        .world()
        .set_switches(|switches| switches.num_edit_as_text = true);
    let said = bench
        .world()
        .say(Say {
            bare_edit_only: true,
            ..say("kornblume.brot", "Hallo")
        })
        .unwrap();
    let edit = OneMessage {
        message: said.message_id.clone(),
        text: "Hallo!".into(),
    };
    bench.world().edit(edit).unwrap();
    let events = heard(&bench, &ear).await;
    assert_eq!(events.len(), 2);
    assert_eq!(
        events[0]["message_edit"],
        json!({"mid": said.message_id, "num_edit": "0"})
    );
    assert!(events[0]["sender"].is_null() && events[0]["recipient"].is_null());
    assert_eq!(events[1]["message_edit"]["num_edit"], "1");
    let path = format!(
        "graph.instagram.com/v25.0/{}?fields=from,message",
        said.message_id
    );
    let read = bench.get(&path, &token).await.json();
    assert_eq!(
        (&read["message"], &read["from"]["id"]),
        (&json!("Hallo!"), &json!(said.customer_id))
    );
}

#[tokio::test]
async fn the_owner_writes_to_the_own_account_and_from_other_apps() {
    let (bench, ear) = both().await;
    let own = |tapped| ToSelf {
        account: "kornblume.brot".into(),
        text: "Test".into(),
        tapped,
    };
    bench.world().to_self(own(false)).unwrap();
    bench.world().to_self(own(true)).unwrap();
    let events = heard(&bench, &ear).await;
    assert_eq!(
        (
            &events[0]["message"]["is_self"],
            &events[0]["message"]["is_echo"]
        ),
        (&json!(true), &json!(true))
    );
    assert_eq!(events[0]["sender"]["id"], BAKERY_IG);
    assert_eq!(
        (&events[1]["is_self"], &events[1]["postback"]["title"]),
        (&json!(true), &json!("Test"))
    );
    let said = bench.world().say(say(BAKERY, "Hallo")).unwrap();
    for app in [None, Some("731000000000009".to_owned())] {
        bench
            .world()
            .page_says(PageSays {
                conversation: said.conversation_id.clone(),
                attachments: vec!["cake".into()],
                app_id: app,
                ..PageSays::default()
            })
            .unwrap();
    }
    let events = heard(&bench, &ear).await;
    let apps: Vec<&Value> = events[1..]
        .iter()
        .map(|event| &event["message"]["app_id"])
        .collect();
    assert_eq!(
        apps,
        [
            &json!(26_390_203_743_090_u64),
            &json!(731_000_000_000_009_u64)
        ]
    );
    assert!(events[1]["message"]["attachments"][0]["payload"]["attachment_id"].is_u64());
}

#[tokio::test]
async fn an_ice_breaker_names_no_message() {
    let (bench, ear) = both().await;
    let said = bench.world().say(say("kornblume.brot", "Hallo")).unwrap();
    let tap = Tap {
        conversation: said.conversation_id,
        title: "Zeiten?".into(),
        payload: "HOURS".into(),
        ice_breaker: true,
    };
    bench.world().tap(tap).unwrap();
    let tapped = heard(&bench, &ear).await.remove(1);
    assert_eq!(
        tapped["postback"],
        json!({"title": "Zeiten?", "payload": "HOURS"})
    );
}
