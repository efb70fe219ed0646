//! From Meta's bytes to rows: what only webhooks tell.

use crate::{
    domain::{Author, Channel, IncomingItem, Source},
    ingest::{IngestReport, testing::*},
    platform::webhook,
    profile::testing::Opened,
};
use serde_json::{Value, json};

const AT: i64 = MORNING + 137;

/// An entry of the bakery's Page with these events.
async fn hears(shop: &Opened, list: &str, events: Value) -> IngestReport {
    let body = json!({"object": "page", "entry": {"id": "page-101", "time": AT, list: events}});
    let news = webhook::entry(Channel::Messenger, "page-101", body.to_string().as_bytes()).unwrap();
    assert!(news.ignored.is_empty(), "{:?}", news.ignored);
    tell(shop, BAKERY, Source::Webhook, news.items).await
}

fn by_ana(key: &str, payload: Value) -> Value {
    json!({"sender": {"id": "7011"}, "recipient": {"id": "page-101"}, "timestamp": AT, key: payload})
}

fn by_us(message: Value) -> Value {
    json!({"sender": {"id": "page-101"}, "recipient": {"id": "7011"}, "timestamp": AT, "message": message})
}

#[tokio::test]
async fn a_tap_is_shown_as_what_was_tapped_and_opens_the_window() {
    let shop = shop().await;
    let tap = by_ana(
        "postback",
        json!({"title": "Öffnungszeiten", "payload": "HOURS"}),
    );
    for _ in 0..2 {
        hears(&shop, "messaging", json!([tap])).await;
    }
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || ' ' || text || ' ' || tap || ' ' || author FROM messages"
        )
        .await,
        "1 Öffnungszeiten HOURS customer"
    );
    assert_eq!(
        look(
            &shop,
            "SELECT customer_at_ms || ' ' || preview || ' ' || unread FROM conversations"
        )
        .await,
        format!("{AT} Öffnungszeiten 1")
    );
    // A poll knows the same tap under an id of its own.
    let polled = item(from("7011", "m_real", MORNING, "Öffnungszeiten"));
    assert_eq!(
        tell(&shop, BAKERY, Source::Poll, vec![polled])
            .await
            .new_messages,
        0
    );
    assert_eq!(
        look(&shop, "SELECT alias_mid FROM messages").await,
        "m_real"
    );
}

#[tokio::test]
async fn what_a_poll_could_not_know_is_filled_in_by_the_webhook() {
    let shop = shop().await;
    tell(
        &shop,
        BAKERY,
        Source::Poll,
        vec![item(from("7011", "m_1", MORNING, "S"))],
    )
    .await;
    let told = by_ana(
        "message",
        json!({"mid": "m_1", "text": "S", "quick_reply": {"payload": "SIZE_S"},
        "referral": {"source": "ADS", "ad_id": "6", "ads_context_data": {"ad_title": "Sommer"}}}),
    );
    let first = hears(&shop, "messaging", json!([told])).await;
    assert_eq!(first.touched_conversations.len(), 1);
    assert_eq!(
        look(&shop, "SELECT tap || ' ' || (referral ->> '$.code') || ' ' || (referral ->> '$.params.label') || ' ' || sent_at_ms FROM messages").await,
        format!("SIZE_S ad Sommer {AT}")
    );
    let again = hears(&shop, "messaging", json!([told])).await;
    assert_eq!(again.touched_conversations, [], "told again it is no news");
}

#[tokio::test]
async fn who_on_our_side_wrote_is_known_by_the_echo_whichever_came_first() {
    let shop = shop().await;
    let polled = |mid: &str| item(to("7011", mid, MORNING, "Guten Tag"));
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_0", MORNING - 5000, "Hallo"))],
    )
    .await;
    tell(&shop, BAKERY, Source::Poll, vec![polled("m_1")]).await;
    let before = "SELECT author || ' ' || (SELECT unread || ' ' || last_author FROM conversations) FROM messages WHERE mid = 'm_1'";
    assert_eq!(look(&shop, before).await, "phone 0 phone");
    hears(
        &shop,
        "messaging",
        json!([by_us(
            json!({"mid": "m_1", "text": "Guten Tag", "is_echo": true, "app_id": 99})
        )]),
    )
    .await;
    assert_eq!(
        look(&shop, before).await,
        "other_app 1 other_app",
        "a program's answer does not say that somebody has read"
    );
    // The inbox of Meta is a person; this program on another computer is us.
    for (mid, extra, author) in [
        (
            "m_2",
            json!({"app_id": 26_390_203_743_090_u64}),
            Author::Phone,
        ),
        (
            "m_3",
            json!({"metadata": "sb:elsewhere", "app_id": 5}),
            Author::You,
        ),
    ] {
        let mut message = json!({"mid": mid, "text": "x", "is_echo": true});
        message
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        hears(&shop, "messaging", json!([by_us(message)])).await;
        let sql = if mid == "m_2" {
            "SELECT author FROM messages WHERE mid = 'm_2'"
        } else {
            "SELECT author FROM messages WHERE mid = 'm_3'"
        };
        assert_eq!(look(&shop, sql).await, author.as_str());
    }
}

#[tokio::test]
async fn a_bystander_knows_who_holds_the_thread() {
    let shop = shop().await;
    let holder = "SELECT iif(coalesce(standby_at_ms, 0) > coalesce(control_at_ms, 0), 'another', 'we') FROM conversations";
    hears(
        &shop,
        "standby",
        json!([by_ana(
            "message",
            json!({"mid": "m_1", "text": "Hallo Bot"})
        )]),
    )
    .await;
    assert_eq!(look(&shop, holder).await, "another");
    assert_eq!(
        look(&shop, "SELECT text || ' ' || (SELECT zone || ' ' || customer_at_ms FROM conversations) FROM messages").await,
        format!("Hallo Bot needs_you {AT}"),
        "shown like any other, and the window is the Page's"
    );
    let handed = json!([{"sender": {"id": "7011"}, "recipient": {"id": "page-101"}, "timestamp": AT + 5,
        "pass_thread_control": {"previous_owner_app_id": "99", "new_owner_app_id": "1"}}]);
    hears(&shop, "messaging", handed).await;
    assert_eq!(look(&shop, holder).await, "we");
    let taken = json!([{"sender": {"id": "7011"}, "recipient": {"id": "page-101"}, "timestamp": AT + 9, "take_thread_control": {"new_owner_app_id": "99"}}]);
    hears(&shop, "messaging", taken).await;
    assert_eq!(look(&shop, holder).await, "another");
    let next = json!([{"sender": {"id": "7011"}, "recipient": {"id": "page-101"}, "timestamp": AT + 20, "message": {"mid": "m_2", "text": "Hallo?"}}]);
    hears(&shop, "messaging", next).await;
    assert_eq!(
        look(&shop, holder).await,
        "we",
        "the customer's next message came to us"
    );
}

#[tokio::test]
async fn a_link_opens_the_window_and_an_ad_alone_does_not() {
    let shop = shop().await;
    let came = |referral: Value, at: i64| json!([{"sender": {"id": "7011"}, "recipient": {"id": "page-101"}, "timestamp": AT + at, "referral": referral}]);
    hears(
        &shop,
        "messaging",
        came(json!({"source": "ADS", "ad_id": "6"}), 5),
    )
    .await;
    let sql = "SELECT coalesce(customer_at_ms, 'never') || ' ' || (referral ->> '$.code') || ' ' || (referral ->> '$.params.label') FROM conversations";
    assert_eq!(look(&shop, sql).await, "never ad 6");
    hears(
        &shop,
        "messaging",
        came(json!({"source": "SHORTLINK", "ref": "bio"}), 9),
    )
    .await;
    assert_eq!(look(&shop, sql).await, format!("{} link bio", AT + 9));
    hears(
        &shop,
        "messaging",
        came(json!({"source": "SHORTLINK", "ref": "früher"}), 1),
    )
    .await;
    assert_eq!(look(&shop, sql).await, format!("{} link bio", AT + 9));
}

#[tokio::test]
async fn a_receipt_by_id_counts_whichever_way_told_the_time_first() {
    let shop = shop().await;
    let read = |mid: &str| IncomingItem::Read {
        person: "9001".into(),
        watermark_ms: None,
        mid: Some(mid.into()),
        at_ms: MORNING,
    };
    // The poll knows the second; the webhook brings the receipt, and then the millisecond, in one go.
    tell(
        &shop,
        BOUTIQUE,
        Source::Poll,
        vec![item(to("9001", "i_1", MORNING, "listo"))],
    )
    .await;
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![read("i_1"), item(to("9001", "i_1", MORNING + 137, "listo"))],
    )
    .await;
    let state = "SELECT m.state || ' ' || c.read_until_ms FROM messages m JOIN conversations c ON c.id = m.conversation_id";
    assert_eq!(look(&shop, state).await, format!("read {}", MORNING + 137));
}

#[tokio::test]
async fn a_message_that_was_later_than_its_second_is_not_read_by_an_earlier_mark() {
    let shop = shop().await;
    let mark = IncomingItem::Read {
        person: "7011".into(),
        watermark_ms: Some(MORNING + 300),
        mid: None,
        at_ms: MORNING + 300,
    };
    tell(
        &shop,
        BAKERY,
        Source::Poll,
        vec![item(to("7011", "m_1", MORNING, "x"))],
    )
    .await;
    tell(&shop, BAKERY, Source::Webhook, vec![mark]).await;
    assert_eq!(
        look(&shop, "SELECT state FROM messages").await,
        "read",
        "as far as the poll knows"
    );
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(to("7011", "m_1", MORNING + 900, "x"))],
    )
    .await;
    assert_eq!(look(&shop, "SELECT state FROM messages").await, "sent");
}

#[tokio::test]
async fn what_was_taken_back_is_named_for_everybody_who_keeps_it_elsewhere() {
    let shop = shop().await;
    hears(
        &shop,
        "messaging",
        json!([by_ana("message", json!({"mid": "m_1", "text": "geheim"}))]),
    )
    .await;
    let unsend = json!([by_ana("message", json!({"mid": "m_1", "is_deleted": true}))]);
    assert_eq!(hears(&shop, "messaging", unsend).await.erased_refs, ["m_1"]);
    let again = hears(
        &shop,
        "messaging",
        json!([by_ana("message", json!({"mid": "m_1", "text": "geheim"}))]),
    )
    .await;
    assert_eq!(
        again.erased_refs,
        ["m_1"],
        "told again, the telling itself must go"
    );
    let early = json!([by_ana("message", json!({"mid": "m_9", "is_deleted": true}))]);
    assert_eq!(
        hears(&shop, "messaging", early).await.erased_refs,
        ["m_9"],
        "an edit of it may have been told before"
    );
}

#[tokio::test]
async fn an_announced_message_is_asked_for_once_and_only_until_it_comes() {
    let shop = shop().await;
    let bare = |mid: &str| json!({"timestamp": AT, "message_edit": {"mid": mid, "num_edit": 0}});
    let told = hears(
        &shop,
        "messaging",
        json!([bare("m_1"), bare("m_2"), bare("m_1")]),
    )
    .await;
    assert_eq!(told.waiting, 2);
    let jobs = "SELECT group_concat(name || ' ' || (due_at_ms - 1767603600000), ', ') FROM jobs WHERE name GLOB 'announced:*'";
    assert_eq!(look(&shop, jobs).await, "announced:101 60000");
    hears(
        &shop,
        "messaging",
        json!([by_ana("message", json!({"mid": "m_1", "text": "da"}))]),
    )
    .await;
    assert_eq!(
        look(&shop, "SELECT group_concat(mid) FROM waiting_news").await,
        "m_2"
    );
    let late = hears(&shop, "messaging", json!([bare("m_1")])).await;
    assert_eq!(late.waiting, 0, "it is here");
}
