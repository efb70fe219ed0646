//! The Send API: three routes, windows and tags, lengths, media, actions, and what the person sees.

use serde_json::{Value, json};
use shopbell_sandbox::{AccountChange, Person, React, Said, Say};

use crate::bench::{Answer, BAKERY, BAKERY_IG, Bench, DAY, HOUR};

async fn customer(bench: &Bench, account: &str) -> Said {
    let say = Say {
        account: Some(account.into()),
        customer: Some("Ana B".into()),
        text: "Hallo".into(),
        ..Say::default()
    };
    bench.world().say(say).unwrap()
}

fn text(to: &str, text: &str) -> Value {
    json!({"recipient": {"id": to}, "messaging_type": "RESPONSE", "message": {"text": text, "metadata": "job:1"}})
}

async fn messenger(bench: &Bench, token: &str, body: Value) -> Answer {
    bench
        .post(
            &format!("graph.facebook.com/v25.0/{BAKERY}/messages"),
            token,
            body,
        )
        .await
}

#[tokio::test]
async fn all_three_routes_store_what_was_sent() {
    let bench = Bench::empty().await;
    let (psid, igsid) = (
        customer(&bench, BAKERY).await,
        customer(&bench, "kornblume.brot").await,
    );
    let page = bench.page(BAKERY).await;
    let instagram = bench.instagram().await;
    let sent = messenger(&bench, &page, text(&psid.customer_id, "eins"))
        .await
        .json();
    assert_eq!(sent["recipient_id"], psid.customer_id.as_str());
    assert!(sent["message_id"].as_str().unwrap().starts_with("m_"));
    let linked = messenger(&bench, &page, text(&igsid.customer_id, "zwei"))
        .await
        .json();
    assert!(linked["message_id"].as_str().unwrap().starts_with("aWdf"));
    let own = bench
        .post(
            &format!("graph.instagram.com/v25.0/{BAKERY_IG}/messages"),
            &instagram,
            text(&igsid.customer_id, "drei"),
        )
        .await;
    assert_eq!(own.status, 200);
    let form = [
        ("recipient", format!("{{\"id\":\"{}\"}}", psid.customer_id)),
        ("message", "{\"text\":\"vier\"}".into()),
    ];
    let url = format!("{}/v25.0/me/messages", bench.sandbox.base_url());
    assert_eq!(
        bench
            .send(bench.client.post(url).bearer_auth(&page).form(&form))
            .await
            .status,
        200
    );
    let state = bench.world().state().to_string();
    for word in ["eins", "zwei", "drei", "vier"] {
        assert_eq!(state.matches(&format!("\"{word}\"")).count(), 1, "{word}");
    }
}

#[tokio::test]
async fn windows_and_tags() {
    let bench = Bench::empty().await;
    let (psid, igsid) = (
        customer(&bench, BAKERY).await,
        customer(&bench, "kornblume.brot").await,
    );
    bench.world().advance_ms(DAY - 1);
    let page = bench.page(BAKERY).await;
    let people = [
        (&psid.customer_id, 2_018_278),
        (&igsid.customer_id, 2_534_022),
    ];
    for (person, _) in people {
        assert_eq!(
            messenger(&bench, &page, text(person, "noch")).await.status,
            200
        );
    }
    bench.world().advance_ms(1);
    for (person, subcode) in people {
        assert_eq!(
            messenger(&bench, &page, text(person, "zu spät"))
                .await
                .error(),
            (10, subcode)
        );
        let mut tagged = text(person, "Mensch");
        tagged["messaging_type"] = "MESSAGE_TAG".into();
        assert_eq!(
            messenger(&bench, &page, tagged.clone()).await.error().0,
            100
        );
        tagged["tag"] = "HUMAN_AGENT".into();
        assert_eq!(messenger(&bench, &page, tagged.clone()).await.status, 200);
        tagged["tag"] = "ACCOUNT_UPDATE".into();
        assert_eq!(messenger(&bench, &page, tagged).await.error(), (100, 0));
    }
    bench
        .world()
        .set_switches(|switches| switches.human_agent_approved = false);
    let mut tagged = text(&psid.customer_id, "Mensch");
    tagged["tag"] = "HUMAN_AGENT".into();
    assert_eq!(
        messenger(&bench, &page, tagged.clone()).await.error(),
        (10, 0)
    );
    bench
        .world()
        .set_switches(|switches| switches.human_agent_approved = true);
    bench.world().advance_ms(6 * DAY);
    assert_eq!(
        messenger(&bench, &page, tagged).await.error(),
        (10, 2_018_278)
    );
    // A reaction opens the window as a message does.
    bench
        .world()
        .react(React {
            message: psid.message_id,
            emoji: "❤".into(),
        })
        .unwrap();
    assert_eq!(
        messenger(&bench, &page, text(&psid.customer_id, "wieder da"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn instagram_counts_bytes_and_messenger_letters() {
    let bench = Bench::empty().await;
    let (psid, igsid) = (
        customer(&bench, BAKERY).await,
        customer(&bench, "kornblume.brot").await,
    );
    let page = bench.page(BAKERY).await;
    for (person, fits, too_long) in [
        (&igsid.customer_id, "é".repeat(500), "é".repeat(500) + "x"),
        (&psid.customer_id, "é".repeat(2_000), "é".repeat(2_001)),
    ] {
        assert_eq!(
            messenger(&bench, &page, text(person, &fits)).await.status,
            200
        );
        assert_eq!(
            messenger(&bench, &page, text(person, &too_long))
                .await
                .error(),
            (100, 0)
        );
    }
}

#[tokio::test]
async fn refusals_have_their_subcodes() {
    let bench = Bench::empty().await;
    let (psid, igsid) = (
        customer(&bench, BAKERY).await,
        customer(&bench, "kornblume.brot").await,
    );
    let page = bench.page(BAKERY).await;
    let instagram = bench.instagram().await;
    assert_eq!(
        messenger(&bench, &page, text("5", "x")).await.error(),
        (100, 2_018_001)
    );
    let unknown = bench
        .post(
            "graph.instagram.com/v25.0/me/messages",
            &instagram,
            text(&psid.customer_id, "x"),
        )
        .await;
    assert_eq!(unknown.error(), (100, 2_534_014));
    assert_eq!(
        messenger(
            &bench,
            &page,
            json!({"recipient": {"id": psid.customer_id}})
        )
        .await
        .error(),
        (100, 2_018_034)
    );
    let both = json!({"recipient": {"id": psid.customer_id}, "sender_action": "typing_on", "message": {"text": "x"}});
    assert_eq!(
        messenger(&bench, &page, both).await.error(),
        (100, 2_018_014)
    );
    let person = Person {
        customer: psid.customer_id.clone(),
        blocked: Some(true),
        ..Person::default()
    };
    bench.world().person(person).unwrap();
    assert_eq!(
        messenger(&bench, &page, text(&psid.customer_id, "x"))
            .await
            .error(),
        (551, 1_545_041)
    );
    let other = |account: &str, thread: &str| AccountChange {
        account: account.into(),
        thread_owned_by_other: Some((thread.into(), true)),
        ..AccountChange::default()
    };
    bench
        .world()
        .account(other("kornblume.brot", &igsid.conversation_id))
        .unwrap();
    assert_eq!(
        messenger(&bench, &page, text(&igsid.customer_id, "x"))
            .await
            .error(),
        (100, 2_534_037)
    );
    let closed = AccountChange {
        account: "kornblume.brot".into(),
        messages_allowed: Some(false),
        ..AccountChange::default()
    };
    bench.world().account(closed).unwrap();
    assert_eq!(
        messenger(&bench, &page, text(&igsid.customer_id, "x"))
            .await
            .error(),
        (200, 2_534_041)
    );
}

#[tokio::test]
async fn media_is_fetched_checked_and_kept() {
    let bench = Bench::empty().await;
    let (psid, igsid) = (
        customer(&bench, BAKERY).await,
        customer(&bench, "kornblume.brot").await,
    );
    let page = bench.page(BAKERY).await;
    let profile = bench
        .get(
            &format!("v25.0/{}?fields=profile_pic", psid.customer_id),
            &page,
        )
        .await
        .json();
    let photo = profile["profile_pic"].as_str().unwrap();
    let by_url = |to: &str, kind: &str, url: &str| json!({"recipient": {"id": to}, "message": {"attachment": {"type": kind, "payload": {"url": url, "is_reusable": true}}}});
    let sent = messenger(&bench, &page, by_url(&psid.customer_id, "image", photo))
        .await
        .json();
    assert!(sent["attachment_id"].is_string(), "{sent}");
    let stored = bench
        .get(
            &format!(
                "v25.0/{}?fields=attachments",
                sent["message_id"].as_str().unwrap()
            ),
            &page,
        )
        .await
        .json();
    assert_eq!(stored["attachments"]["data"][0]["image_data"]["width"], 200);
    for (kind, url, subcode) in [
        ("image", "http://127.0.0.1:9/none.jpg", 2_018_008),
        (
            "image",
            &format!("{}/cdn/avatar/1.jpg?oe=1&oh=2", bench.sandbox.base_url()),
            2_018_008,
        ),
        ("video", photo, 2_018_047),
    ] {
        assert_eq!(
            messenger(&bench, &page, by_url(&psid.customer_id, kind, url))
                .await
                .error(),
            (100, subcode),
            "{kind}"
        );
    }
    assert_eq!(
        messenger(&bench, &page, by_url(&igsid.customer_id, "file", photo))
            .await
            .error(),
        (100, 2_534_015)
    );
    let again = json!({"recipient": {"id": psid.customer_id}, "message": {"attachment": {"type": "image", "payload": {"attachment_id": sent["attachment_id"]}}}});
    assert_eq!(messenger(&bench, &page, again.clone()).await.status, 200);
    let bikes = bench.page("100000000000103").await;
    let stranger = Say {
        account: Some("Speiche & Kette".into()),
        customer: Some("Zed".into()),
        text: "Hi".into(),
        ..Say::default()
    };
    let stranger = bench.world().say(stranger).unwrap();
    let mut foreign = again;
    foreign["recipient"]["id"] = stranger.customer_id.into();
    assert_eq!(
        bench
            .post("v25.0/me/messages", &bikes, foreign)
            .await
            .error(),
        (100, 2_018_074)
    );
}

#[tokio::test]
async fn files_are_uploaded_by_multipart() {
    let bench = Bench::empty().await;
    let psid = customer(&bench, BAKERY).await;
    let page = bench.page(BAKERY).await;
    let url = format!(
        "{}/v25.0/{BAKERY}/message_attachments",
        bench.sandbox.base_url()
    );
    let form = |name: &str| {
        let part = reqwest::multipart::Part::bytes(b"%PDF-1.4 x".to_vec())
            .file_name(name.to_owned())
            .mime_str("application/pdf")
            .unwrap();
        reqwest::multipart::Form::new()
            .text(
                "message",
                r#"{"attachment":{"type":"file","payload":{"is_reusable":true}}}"#,
            )
            .part("filedata", part)
    };
    let uploaded = bench
        .send(
            bench
                .client
                .post(&url)
                .bearer_auth(&page)
                .multipart(form("offer.pdf")),
        )
        .await
        .json();
    let id = uploaded["attachment_id"].as_str().unwrap();
    let body = json!({"recipient": {"id": psid.customer_id}, "message": {"attachment": {"type": "file", "payload": {"attachment_id": id}}}});
    let sent = messenger(&bench, &page, body).await.json();
    let stored = bench
        .get(
            &format!(
                "v25.0/{}?fields=attachments",
                sent["message_id"].as_str().unwrap()
            ),
            &page,
        )
        .await
        .json();
    let file = bench
        .fetch(
            stored["attachments"]["data"][0]["file_url"]
                .as_str()
                .unwrap(),
        )
        .await;
    assert_eq!((file.status, file.text.as_str()), (200, "%PDF-1.4 x"));
    let mangled = bench
        .send(
            bench
                .client
                .post(&url)
                .bearer_auth(&page)
                .multipart(form("Angebot für Ana.pdf")),
        )
        .await;
    assert_eq!(mangled.error().0, 100);
    let instagram = bench.instagram().await;
    let none = bench
        .post(
            "graph.instagram.com/v25.0/me/message_attachments",
            &instagram,
            json!({}),
        )
        .await;
    assert_eq!(none.error(), (100, 33));
}

#[tokio::test]
async fn actions_answer_only_the_recipient() {
    let bench = Bench::empty().await;
    let igsid = customer(&bench, "kornblume.brot").await;
    let token = bench.instagram().await;
    let act = async |body: Value| {
        bench
            .post("graph.instagram.com/v25.0/me/messages", &token, body)
            .await
    };
    let person = json!({"id": igsid.customer_id});
    for action in ["typing_on", "typing_off", "mark_seen"] {
        let answer = act(json!({"recipient": person, "sender_action": action})).await;
        assert_eq!(answer.json(), json!({"recipient_id": igsid.customer_id}));
    }
    let react = json!({"recipient": person, "sender_action": "react", "payload": {"message_id": igsid.message_id, "reaction": "love"}});
    assert_eq!(act(react).await.status, 200);
    let read = async || {
        let path = format!(
            "graph.instagram.com/v25.0/{}?fields=reactions",
            igsid.message_id
        );
        bench.get(&path, &token).await.json()["reactions"]["data"][0]["users"][0]["username"]
            .clone()
    };
    assert_eq!(read().await, "kornblume.brot");
    let unreact = json!({"recipient": person, "sender_action": "unreact", "payload": {"message_id": igsid.message_id}});
    assert_eq!(act(unreact).await.status, 200);
    assert_eq!(read().await, Value::Null);
    assert_eq!(
        act(json!({"recipient": person, "sender_action": "dance"}))
            .await
            .error()
            .0,
        100
    );
}

#[tokio::test]
async fn sends_have_their_own_rate() {
    let bench = Bench::empty().await;
    let psid = customer(&bench, BAKERY).await;
    let page = bench.page(BAKERY).await;
    bench
        .world()
        .set_switches(|switches| switches.sends_per_second_messenger = 2);
    for _ in 0..2 {
        assert_eq!(
            messenger(&bench, &page, text(&psid.customer_id, "x"))
                .await
                .status,
            200
        );
    }
    assert_eq!(
        messenger(&bench, &page, text(&psid.customer_id, "x"))
            .await
            .error(),
        (613, 2_534_040)
    );
    bench.world().advance_ms(HOUR);
    assert_eq!(
        messenger(&bench, &page, text(&psid.customer_id, "x"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn hearts_and_shared_posts_are_sent_on_instagram() {
    let bench = Bench::empty().await;
    let igsid = customer(&bench, "kornblume.brot").await;
    let token = bench.instagram().await;
    let send = async |attachment: Value| {
        let body =
            json!({"recipient": {"id": igsid.customer_id}, "message": {"attachment": attachment}});
        let sent = bench
            .post("graph.instagram.com/v25.0/me/messages", &token, body)
            .await
            .json();
        let path = format!(
            "graph.instagram.com/v25.0/{}?fields=sticker,shares",
            sent["message_id"].as_str().unwrap()
        );
        bench.get(&path, &token).await.json()
    };
    assert!(send(json!({"type": "like_heart"})).await["sticker"].is_string());
    let shared = send(json!({"type": "MEDIA_SHARE", "payload": {"id": "17890"}})).await;
    assert_eq!(shared["shares"]["data"][0]["id"], "17890");
}
