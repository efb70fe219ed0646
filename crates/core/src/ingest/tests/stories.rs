//! One message, told in many ways.

use crate::{
    api::types::Change,
    domain::{Channel, IncomingAttachment, IncomingItem, IncomingStory, Source},
    ingest::testing::*,
};

#[tokio::test]
async fn the_same_message_by_three_ways_is_one_row() {
    let shop = shop().await;
    let told = tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from(
            "7011",
            "m_1",
            MORNING + 250,
            "Ist das Brot fertig?",
        ))],
    )
    .await;
    assert_eq!((told.new_messages, told.new_conversations), (1, 1));
    let again = tell(
        &shop,
        BAKERY,
        Source::Poll,
        vec![
            thread(named("7011", "Ana Bäcker"), "t_9", MORNING, None),
            item(from("7011", "m_1", MORNING, "Ist das Brot fertig?")),
        ],
    )
    .await;
    assert_eq!((again.new_messages, again.new_conversations), (0, 0));
    tell(
        &shop,
        BAKERY,
        Source::Backfill,
        vec![item(from("7011", "m_1", MORNING, "Ist das Brot fertig?"))],
    )
    .await;
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || ' ' || max(sent_at_ms) FROM messages"
        )
        .await,
        format!("1 {}", MORNING + 250)
    );
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || ' ' || name || ' ' || profile_source FROM identities"
        )
        .await,
        "1 Ana Bäcker conversation"
    );
    assert_eq!(
        look(
            &shop,
            "SELECT platform_id || ' ' || messages || ' ' || unread FROM conversations"
        )
        .await,
        "t_9 1 1"
    );
}

#[tokio::test]
async fn one_id_on_two_accounts_is_two_people() {
    let shop = shop().await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_1", MORNING, "Brot"))],
    )
    .await;
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![item(from("7011", "m_1", MORNING, "Bluse"))],
    )
    .await;
    assert_eq!(
        look(
            &shop,
            "SELECT group_concat(account_id || ':' || text, ' ') FROM messages"
        )
        .await,
        "101:Brot 205:Bluse"
    );
    assert_eq!(
        look(&shop, "SELECT count(*) || '' FROM contacts").await,
        "2"
    );
}

#[tokio::test]
async fn a_polled_twin_with_another_id_is_the_same_message_but_three_oks_stay_three() {
    let shop = shop().await;
    let oks: Vec<_> = (0..3)
        .map(|n| {
            item(from(
                "9001",
                &format!("web{n}"),
                MORNING + 100 * n + 1,
                "ok",
            ))
        })
        .collect();
    tell(&shop, BOUTIQUE, Source::Webhook, oks).await;
    let polled: Vec<_> = (0..3)
        .map(|n| item(from("9001", &format!("poll{n}"), MORNING, "ok")))
        .collect();
    assert_eq!(
        tell(&shop, BOUTIQUE, Source::Poll, polled.clone())
            .await
            .new_messages,
        0
    );
    assert_eq!(
        tell(&shop, BOUTIQUE, Source::Poll, polled)
            .await
            .new_messages,
        0,
        "the second id is remembered"
    );
    // A fourth one, another text, another second, and ours: none of them is a twin.
    let others = vec![
        item(from("9001", "poll3", MORNING, "ok")),
        item(from("9001", "poll4", MORNING, "okay")),
        item(from("9001", "poll5", MORNING + 5000, "ok")),
        item(to("9001", "poll6", MORNING, "ok")),
    ];
    assert_eq!(
        tell(&shop, BOUTIQUE, Source::Poll, others)
            .await
            .new_messages,
        4
    );
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![reaction("9001", "poll0", Some("❤"), MORNING + 9)],
    )
    .await;
    assert_eq!(
        look(&shop, "SELECT count(*) || '' FROM reactions").await,
        "1",
        "news about the second id finds the message"
    );
}

#[tokio::test]
async fn inside_one_second_the_order_of_the_api_stays() {
    let shop = shop().await;
    let newest_first =
        ["d", "c", "b"].map(|text| item(from("9001", &format!("m{text}"), MORNING, text)));
    tell(&shop, BOUTIQUE, Source::Backfill, newest_first.to_vec()).await;
    // The next page is older, the next poll newer.
    tell(
        &shop,
        BOUTIQUE,
        Source::Backfill,
        vec![item(from("9001", "ma", MORNING, "a"))],
    )
    .await;
    tell(
        &shop,
        BOUTIQUE,
        Source::Poll,
        ["f", "e", "d"]
            .map(|text| item(from("9001", &format!("m{text}"), MORNING, text)))
            .to_vec(),
    )
    .await;
    assert_eq!(
        look(
            &shop,
            "SELECT group_concat(text, '') FROM (SELECT text FROM messages ORDER BY sort_key)"
        )
        .await,
        "abcdef"
    );
    assert_eq!(look(&shop, "SELECT preview FROM conversations").await, "f");
}

#[tokio::test]
async fn files_and_stories_get_opaque_ids() {
    let shop = shop().await;
    let mut mention = from("9001", "m_1", MORNING, "");
    mention.text = None;
    mention.story = Some(IncomingStory {
        kind: "mention".into(),
        id: Some("1790".into()),
        url: Some("https://a.fbcdn.net/s".into()),
    });
    let mut picture = from("9001", "m_2", MORNING + 9000, "");
    picture.attachments = vec![
        IncomingAttachment {
            kind: "image".into(),
            url: Some("https://a.fbcdn.net/p".into()),
            ..Default::default()
        },
        IncomingAttachment {
            kind: "share".into(),
            link: Some("https://example.org/".into()),
            ..Default::default()
        },
    ];
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![item(mention), item(picture)],
    )
    .await;
    let ids = "SELECT group_concat(position || kind || iif(media_id IS NULL, '-', length(media_id)), ' ') FROM (SELECT * FROM attachments ORDER BY message_id, position)";
    assert_eq!(look(&shop, ids).await, "-1story_ref32 0image32 1share-");
    assert_eq!(
        look(&shop, "SELECT preview_kind FROM conversations").await,
        "image"
    );
    assert_eq!(
        look(
            &shop,
            "SELECT count(DISTINCT media_id) || '' FROM attachments"
        )
        .await,
        "2"
    );
}

#[tokio::test]
async fn whoever_listens_hears_once_per_conversation_and_nothing_for_old_news() {
    let shop = shop().await;
    let mut changes = shop.profile.parts.changes.listen();
    let news = vec![
        item(from("7011", "m_1", MORNING, "a")),
        item(from("7011", "m_2", MORNING + 1, "b")),
        item(from("7022", "m_3", MORNING + 2, "c")),
    ];
    tell(&shop, BAKERY, Source::Webhook, news.clone()).await;
    let ana = talk_with(&shop, BAKERY, "7011").await;
    let bea = talk_with(&shop, BAKERY, "7022").await;
    let mut heard = Vec::new();
    while let Ok(change) = changes.try_recv() {
        heard.push(change);
    }
    let expected: Vec<Change> = [ana, bea]
        .into_iter()
        .flat_map(|id| {
            [
                Change::Conversation { id },
                Change::Messages {
                    conversation_id: id,
                },
            ]
        })
        .collect();
    assert_eq!(heard, expected);
    assert_eq!(
        tell(&shop, BAKERY, Source::Webhook, news)
            .await
            .touched_conversations,
        []
    );
    assert!(changes.try_recv().is_err());
}

#[tokio::test]
async fn a_thousand_messages_go_in_several_transactions_and_all_arrive() {
    let shop = shop().await;
    let mut items = Vec::new();
    for talk in 0..10 {
        let who = format!("80{talk}");
        items.push(thread(
            named(&who, &format!("Kundin {talk}")),
            &format!("t_{talk}"),
            MORNING,
            None,
        ));
        items.extend((0..100).map(|n| {
            item(from(
                &who,
                &format!("m_{talk}_{n}"),
                MORNING - 60_000 * n,
                &format!("Frage {n}"),
            ))
        }));
    }
    let told = tell(&shop, BAKERY, Source::Backfill, items).await;
    assert_eq!(
        (
            told.new_messages,
            told.new_conversations,
            told.touched_conversations.len()
        ),
        (1000, 10, 10)
    );
    assert_eq!(
        look(
            &shop,
            "SELECT sum(messages) || ' ' || min(first_at_ms) FROM conversations"
        )
        .await,
        format!("1000 {}", MORNING - 99 * 60_000)
    );
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || '' FROM message_search WHERE message_search MATCH '\"frage\"'"
        )
        .await,
        "1000"
    );
}

#[tokio::test]
async fn nothing_from_outside_can_break_it() {
    let shop = shop().await;
    add_account(
        &shop,
        crate::domain::AccountId(307),
        Channel::Messenger,
        "Leer",
    )
    .await;
    let mut items = vec![
        item(from("", "m_1", MORNING, "nobody")),
        item(from("7011", "", MORNING, "no id")),
        reaction("", "", Some("x"), 0),
        IncomingItem::Edit {
            mid: String::new(),
            text: "x".into(),
            num_edit: 1,
            at_ms: 0,
        },
        IncomingItem::Read {
            person: String::new(),
            watermark_ms: None,
            mid: None,
            at_ms: 0,
        },
        IncomingItem::Delivered {
            person: "nobody".into(),
            watermark_ms: i64::MAX,
        },
        thread(person(""), "t", i64::MIN, Some(-5)),
        IncomingItem::Edit {
            mid: "m_edit0".into(),
            text: String::new(),
            num_edit: 0,
            at_ms: 0,
        },
    ];
    for (n, at_ms) in [i64::MIN, -1, 0, i64::MAX].into_iter().enumerate() {
        items.push(item(from(
            "7011",
            &format!("m_odd{n}"),
            at_ms,
            "a\0b '\"; DROP TABLE messages; --",
        )));
    }
    let told = tell(&shop, BAKERY, Source::Webhook, items).await;
    assert_eq!(told.new_messages, 4);
    assert!(told.ignored >= 6, "{told:?}");
    assert_eq!(
        look(&shop, "SELECT DISTINCT text FROM messages").await,
        "ab '\"; DROP TABLE messages; --"
    );
    let gone = tell(
        &shop,
        crate::domain::AccountId(999),
        Source::Poll,
        vec![item(from("1", "m", MORNING, "x"))],
    )
    .await;
    assert_eq!(
        gone,
        Default::default(),
        "an account that was erased takes nothing in"
    );
}
