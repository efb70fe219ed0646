#![allow(clippy::unwrap_used)]
use super::*;
use crate::domain::{AccountId, CredentialId, Provider};
use serde_json::json;
use shopbell_wire::Secret;

fn access(channel: Channel) -> Access {
    Access {
        account: AccountId(1),
        channel,
        provider: Provider::Facebook,
        platform_id: if channel == Channel::Messenger {
            "1001"
        } else {
            "17841400000000001"
        }
        .into(),
        page_id: (channel == Channel::Instagram).then(|| "1001".into()),
        username: Some("acme".into()),
        credential: CredentialId(1),
        token: Secret::new("t"),
        proof: None,
    }
}

fn raw(value: serde_json::Value) -> RawMessage {
    serde_json::from_value(value).unwrap()
}

#[test]
fn times_in_every_form_seen() {
    let ms = 1_657_653_067_000;
    for told in [
        json!("2022-07-12T19:11:07+0000"),
        json!("2022-07-12T19:11:07+00:00"),
        json!("2022-07-12T19:11:07Z"),
        json!("2022-07-12T21:11:07+0200"),
        json!(1_657_653_067),
        json!(1_657_653_067_000_i64),
        json!("1657653067"),
    ] {
        assert_eq!(time_ms(&told), Some(ms), "{told}");
    }
    for odd in [
        json!(null),
        json!("yesterday"),
        json!(-5),
        json!(1.5),
        json!("9".repeat(80)),
        json!({}),
    ] {
        assert_eq!(time_ms(&odd), None, "{odd}");
    }
}

#[test]
fn messenger_thread_with_its_messages_oldest_first() {
    let raw: RawThread = serde_json::from_value(json!({
        "id": "t_1", "updated_time": "2022-07-12T19:11:07+0000", "message_count": 12, "unread_count": 1,
        "participants": {"data": [{"name": "Ana B", "email": "7011@facebook.com", "id": "7011"}, {"name": "Acme", "id": "1001"}]},
        "messages": {"data": [
            {"id": "m_2", "created_time": "2022-07-12T19:11:07+0000", "from": {"name": "Acme", "id": "1001"},
             "to": {"data": [{"name": "Ana B", "id": "7011"}]}, "message": "Hello", "reply_to": {"mid": "m_1"}},
            {"id": "m_1", "created_time": "2022-07-12T19:10:07+0000", "from": {"name": "Ana B", "id": "7011"},
             "to": {"data": [{"id": "1001"}]}, "message": "Hi"}
        ]}
    }))
    .unwrap();
    let access = access(Channel::Messenger);
    let head = thread(&access, &raw).unwrap();
    assert_eq!(
        (head.platform_id.as_str(), head.person.platform_id.as_str()),
        ("t_1", "7011")
    );
    assert_eq!(
        (head.person.name.as_deref(), head.unread),
        (Some("Ana B"), Some(1))
    );
    assert!(head.older_missing, "12 counted, 2 given, no further page");
    let news = thread_news(&access, &raw);
    let messages: Vec<&IncomingMessage> = news
        .iter()
        .filter_map(|item| {
            if let IncomingItem::Message(m) = item {
                Some(m)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(
        messages.iter().map(|m| m.mid.as_str()).collect::<Vec<_>>(),
        ["m_1", "m_2"]
    );
    assert_eq!(
        (messages[0].author, messages[1].author),
        (Author::Customer, Author::Phone)
    );
    assert!(messages[0].opens_window && !messages[1].opens_window);
    assert_eq!(messages[1].person.platform_id, "7011");
    assert_eq!(messages[1].reply_to_mid.as_deref(), Some("m_1"));
    assert_eq!(messages[1].thread.as_deref(), Some("t_1"));
}

#[test]
fn instagram_knows_us_by_any_id_or_by_handle() {
    let access = access(Channel::Instagram);
    for us in [
        json!({"id": "17841400000000001"}),
        json!({"id": "1001"}),
        json!({"id": "999", "username": "Acme"}),
    ] {
        let m = message(
            &access,
            &raw(
                json!({"id": "aWd", "created_time": "2022-07-12T19:11:07+0000", "from": us,
                        "to": {"data": [{"id": "9001", "username": "ana.b"}]}, "message": "x"}),
            ),
        )
        .unwrap();
        assert_eq!(m.author, Author::Phone);
        assert_eq!(
            (m.person.platform_id.as_str(), m.person.username.as_deref()),
            ("9001", Some("ana.b"))
        );
    }
}

#[test]
fn files_shares_stickers_stories_reactions_and_what_cannot_be_shown() {
    let m = message(
        &access(Channel::Instagram),
        &raw(json!({
            "id": "aWd", "created_time": 1_657_653_067, "from": {"id": "9001"}, "to": {"data": [{"id": "17841400000000001"}]}, "message": "",
            "attachments": {"data": [
                {"mime_type": "image/jpeg", "name": "a.jpg", "size": 12, "image_data": {"width": 3, "height": 4, "url": "https://cdn/a"}},
                {"mime_type": "audio/mp4", "file_url": "https://cdn/b"},
                {"video_data": {"url": "https://cdn/c", "width": 0}},
                {"generic_template": {"title": "Card"}},
                {"image_data": {"url": "javascript:alert(1)"}},
                {}
            ]},
            "shares": {"data": [{"link": "https://cdn/reel", "name": "Reel"}]},
            "story": {"reply_to": {"id": 5, "link": "https://cdn/story"}},
            "reactions": {"data": [{"reaction": "love", "users": [{"id": "9001"}, {"username": "acme"}]}, {"reaction": "odd", "users": []}]},
            "is_unsupported": true
        })),
    )
    .unwrap();
    let kinds: Vec<&str> = m.attachments.iter().map(|a| a.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "image",
            "audio",
            "video",
            "template",
            "image",
            "unsupported",
            "share"
        ]
    );
    assert_eq!(
        (m.attachments[0].width, m.attachments[2].width),
        (Some(3), None)
    );
    assert_eq!(m.attachments[4].url, None, "only web addresses");
    assert_eq!(m.attachments[6].link.as_deref(), Some("https://cdn/reel"));
    assert_eq!(m.text, None);
    assert!(m.unsupported);
    let story = m.story.unwrap();
    assert_eq!(
        (story.kind.as_str(), story.id.as_deref()),
        ("reply", Some("5"))
    );
    let by: Vec<bool> = m.reactions.iter().map(|r| r.by_customer).collect();
    assert_eq!(by, [true, false]);
    assert_eq!(m.reactions[0].emoji.as_deref(), Some("❤"));
}

#[test]
fn what_has_no_id_time_person_or_content_is_left_out() {
    let access = access(Channel::Messenger);
    let whole =
        json!({"id": "m", "created_time": 1_657_653_067, "from": {"id": "7011"}, "message": "x"});
    assert!(message(&access, &raw(whole.clone())).is_some());
    for member in ["id", "created_time", "from"] {
        let mut less = whole.clone();
        less.as_object_mut().unwrap().remove(member);
        assert!(message(&access, &raw(less)).is_none(), "{member}");
    }
    assert!(is_bare(&raw(
        json!({"id": "m_old", "created_time": 1_657_653_067})
    )));
    let lonely: RawThread =
        serde_json::from_value(json!({"id": "t", "participants": {"data": [{"id": "1001"}]}}))
            .unwrap();
    assert!(thread(&access, &lonely).is_none());
}

#[test]
fn a_known_thread_supplies_the_person_that_a_message_does_not_name() {
    let access = access(Channel::Messenger);
    let ana = IncomingPerson {
        platform_id: "7011".into(),
        name: Some("Ana".into()),
        username: None,
    };
    let nameless = raw(
        json!({"id": "m", "created_time": 1_657_653_067, "message": "x", "to": {"data": [{"id": "1001"}]}}),
    );
    let m = message_in(&access, &nameless, Some(&ana), Some("t_1")).unwrap();
    assert_eq!(
        (m.author, m.person.platform_id.as_str()),
        (Author::Customer, "7011")
    );
    // Somebody else in a thread of two is us, under an id of ours that we do not know.
    let other = raw(
        json!({"id": "m", "created_time": 1_657_653_067, "message": "x", "from": {"id": "5555"}}),
    );
    assert_eq!(
        message_in(&access, &other, Some(&ana), None)
            .unwrap()
            .author,
        Author::Phone
    );
}

#[test]
fn long_text_is_cut_at_a_letter() {
    let text = "é".repeat(40_000);
    let m = message(
        &access(Channel::Messenger),
        &raw(
            json!({"id": "m", "created_time": 1_657_653_067, "from": {"id": "7"}, "message": text}),
        ),
    )
    .unwrap();
    assert!(m.text.unwrap().len() <= 64 * 1024);
}
