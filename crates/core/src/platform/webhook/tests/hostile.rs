//! Whatever comes: no panic, bounds hold, and one bad part costs no other.

use super::*;
use crate::platform::webhook::{MAX_BYTES, MAX_EVENTS, WebhookError};
use proptest::prelude::*;

#[test]
fn what_is_no_entry_is_refused_with_its_reason() {
    let read = |bytes: &[u8]| entry(Channel::Messenger, PAGE, bytes).err();
    for bytes in [
        &b""[..],
        b"[",
        b"nonsense",
        b"\xff\xfe",
        b"{\"object\":\"page\"",
    ] {
        assert_eq!(read(bytes), Some(WebhookError::NotJson));
    }
    for bytes in [
        &b"null"[..],
        b"[]",
        b"{}",
        br#"{"object":"page"}"#,
        br#"{"object":"page","entry":[]}"#,
        br#"{"object":7,"entry":{}}"#,
    ] {
        assert_eq!(read(bytes), Some(WebhookError::NotAnEntry));
    }
    assert_eq!(
        read(br#"{"object":"instagram","entry":{"messaging":[]}}"#),
        Some(WebhookError::OtherProduct)
    );
    assert_eq!(
        read(&vec![b' '; MAX_BYTES + 1]),
        Some(WebhookError::TooLarge)
    );
    let deep = format!(
        "{{\"object\":\"page\",\"entry\":{{\"messaging\":{}{}}}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(read(deep.as_bytes()), Some(WebhookError::NotJson));
}

#[test]
fn one_bad_event_never_costs_its_siblings() {
    let good = |mid: &str| from_ana("message", json!({"mid": mid, "text": "x"}));
    let list = json!([
        good("m_1"),
        null_event(),
        7,
        "text",
        [],
        {},
        {"message": null},
        {"message": []},
        {"message": {"mid": null}},
        {"sender": {"id": "7011"}, "message": {"mid": "x".repeat(600), "text": "long"}},
        {"sender": {"id": "a\u{0}b"}, "message": {"mid": "m_9"}},
        {"sender": {"id": -5}, "message": {"mid": "m_9"}},
        {"sender": {"id": 1.5}, "message": {"mid": "m_9"}},
        good("m_2"),
    ]);
    let body = json!({"object": "page", "entry": {"id": PAGE, "time": SENT_MS, "messaging": list, "standby": "no list", "changes": [{"field": 7}]}});
    let news = entry(Channel::Messenger, PAGE, body.to_string().as_bytes()).unwrap();
    let mids: Vec<&str> = news
        .items
        .iter()
        .map(|item| match item {
            IncomingItem::Message(message) => message.mid.as_str(),
            _ => panic!(),
        })
        .collect();
    assert_eq!(mids, ["m_1", "m_2"]);
    assert_eq!(news.ignored.len(), 14);
}

fn null_event() -> Value {
    Value::Null
}

#[test]
fn an_entry_with_too_much_in_it_ends_somewhere() {
    let event = from_ana("message", json!({"mid": "m", "text": "x"}));
    let body = json!({"object": "page", "entry": {"messaging": vec![event; MAX_EVENTS + 5], "standby": vec![json!({}); 500]}});
    let news = entry(Channel::Messenger, PAGE, body.to_string().as_bytes()).unwrap();
    assert_eq!(news.items.len(), MAX_EVENTS);
    assert_eq!(news.ignored, ["too_many", "too_many"]);
    let nothing = json!({"object": "page", "entry": {"messaging": vec![json!({}); 1500]}});
    let news = entry(Channel::Messenger, PAGE, nothing.to_string().as_bytes()).unwrap();
    assert!(news.ignored.len() <= 100 && news.items.is_empty());
}

#[test]
fn texts_are_cut_and_half_an_emoji_is_no_reason_to_lose_a_message() {
    let long = from_ana(
        "message",
        json!({"mid": "m", "text": "ä".repeat(100_000), "metadata": "ö".repeat(5_000)}),
    );
    let news = of_page("messaging", long);
    let IncomingItem::Message(message) = &news.items[0] else {
        panic!()
    };
    assert_eq!(message.text.as_ref().unwrap().len(), 64 * 1024);
    assert_eq!(message.metadata.as_ref().unwrap().len(), 2_000);
    for (written, text) in [
        (r"halb \ud83d", "halb \u{fffd}"),
        (r"halb \ude0a!", "halb \u{fffd}!"),
        (r"\ud83d\ud83d\ude0a", "\u{fffd}😊"),
        (r"\\ud83d \ud83d", "\\ud83d \u{fffd}"),
    ] {
        let body = format!(
            r#"{{"object":"page","entry":{{"messaging":[{{"sender":{{"id":"7011"}},"timestamp":5,"message":{{"mid":"m","text":"{written}"}}}}]}}}}"#
        );
        let news = entry(Channel::Messenger, PAGE, body.as_bytes()).unwrap();
        let IncomingItem::Message(message) = &news.items[0] else {
            panic!()
        };
        assert_eq!(message.text.as_deref(), Some(text));
    }
}

#[test]
fn the_vector_of_the_facts_sheet_reads_as_it_was_written() {
    let body = r#"{"object":"instagram","entry":{"id":"17841400000000001","time":1764000000123,"messaging":[{"sender":{"id":"9001"},"recipient":{"id":"17841400000000001"},"timestamp":1764000000001,"message":{"mid":"aWdtZXNzYWdl","text":"caf\u00e9 \u2615 \ud83d\ude0a https:\/\/x.example\/a"}}]}}"#;
    let news = entry(Channel::Instagram, BOUTIQUE, body.as_bytes()).unwrap();
    assert_eq!(
        lines(&news),
        ["customer aWdtZXNzYWdl 9001 1764000000001 text=\"café ☕ 😊 https://x.example/a\" window"]
    );
}

/// JSON of any shape, with Meta's own words among its keys and texts.
fn json_value() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "messaging",
        "standby",
        "changes",
        "field",
        "value",
        "sender",
        "recipient",
        "id",
        "timestamp",
        "message",
        "mid",
        "text",
        "attachments",
        "type",
        "payload",
        "url",
        "is_echo",
        "is_deleted",
        "is_self",
        "reaction",
        "action",
        "react",
        "read",
        "watermark",
        "delivery",
        "postback",
        "title",
        "referral",
        "message_edit",
        "num_edit",
        "item",
        "verb",
        "comment",
        "comment_id",
        "post_id",
        "feed",
        "comments",
        "mentions",
        "media",
        "media_id",
        "from",
        "add",
        "remove",
        "policy_enforcement",
        "pass_thread_control",
        "story",
        "reply_to",
        "quick_reply",
        "sticker_id",
        "coordinates",
        "elements",
        "1001",
        "7011",
        "time",
        "created_time",
        "hide",
        "block",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        words.clone().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 200, 12, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..10).prop_map(|pairs| {
                Value::Object(
                    pairs
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// Every id that leaves is short and printable, every text bounded.
fn sound(news: &EntryNews) {
    assert!(news.items.len() <= 2 * MAX_EVENTS && news.ignored.len() <= 100);
    for id in &news.refs {
        assert!(!id.is_empty() && id.len() <= 512 && !id.chars().any(char::is_control));
    }
    for item in &news.items {
        if let IncomingItem::Message(message) = item {
            assert!(!message.mid.is_empty() && !message.person.platform_id.is_empty());
            assert!(message.attachments.len() <= 30);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..2000), instagram in any::<bool>()) {
        let channel = if instagram { Channel::Instagram } else { Channel::Messenger };
        if let Ok(news) = entry(channel, PAGE, &bytes) {
            sound(&news);
        }
    }

    #[test]
    fn no_json_breaks_it(value in json_value(), list in prop::sample::select(vec!["messaging", "standby", "changes", "value"])) {
        for (channel, object) in [(Channel::Messenger, "page"), (Channel::Instagram, "instagram")] {
            let whole = json!({"object": object, "entry": value});
            let inside = json!({"object": object, "entry": {"id": PAGE, "time": SENT_MS, "field": "feed", list: value}});
            let listed = json!({"object": object, "entry": {"id": PAGE, list: [value]}});
            for body in [whole, inside, listed] {
                if let Ok(news) = entry(channel, PAGE, body.to_string().as_bytes()) {
                    sound(&news);
                }
            }
        }
    }

    /// A real entry with some of its bytes changed or cut off.
    #[test]
    fn no_damage_breaks_it(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let body = json!({"object": "page", "entry": {"id": PAGE, "time": SENT_MS, "messaging": [
            from_ana("message", json!({"mid": "m_1", "text": "Grüße \u{1f60a}", "attachments": [{"type": "image", "payload": {"url": "https://cdn.example/i"}}]})),
            from_ana("postback", json!({"title": "x", "payload": "y"}))],
            "changes": [{"field": "feed", "value": {"item": "comment", "verb": "add", "comment_id": "5_7", "post_id": "1001_5", "message": "?"}}]}});
        let mut bytes = body.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(news) = entry(Channel::Messenger, PAGE, &bytes) {
            sound(&news);
        }
        bytes.truncate(cut.index(bytes.len()));
        if let Ok(news) = entry(Channel::Messenger, PAGE, &bytes) {
            sound(&news);
        }
    }
}
