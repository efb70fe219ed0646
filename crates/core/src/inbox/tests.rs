#![allow(clippy::unwrap_used)]
//! The list, the thread and the head over a small shop; and the plans of the statements that are built.

use super::{facts::Facts, messages, *};
use crate::{
    api::types::{ConversationsQuery, InboxView},
    domain::{ConversationId, ConversationState, IncomingAttachment, IncomingStory, Source},
    ingest::testing::*,
    profile::testing::Opened,
    store::Priority,
};
use sqlx::{AssertSqlSafe, Execute, Row};

fn ask(view: InboxView, limit: u32) -> ConversationsQuery {
    ConversationsQuery {
        view,
        account_id: None,
        cursor: None,
        limit,
    }
}

/// All pages of a view, as the customers' ids.
async fn walk(shop: &Opened, query: ConversationsQuery) -> Vec<String> {
    let mut connection = shop.profile.store.read().await.unwrap();
    let facts = Facts::read(&mut connection, false, shop.profile.now_ms())
        .await
        .unwrap();
    let (mut query, mut found) = (query, Vec::new());
    loop {
        let part = page(&mut connection, &query, &facts).await.unwrap();
        assert!(part.rows.len() <= query.limit as usize);
        found.extend(part.rows.iter().map(|row| row.preview.clone()));
        query.cursor = part.next;
        if query.cursor.is_none() {
            return found;
        }
    }
}

async fn run(shop: &Opened, sql: &'static str) {
    let mut tx = shop.profile.store.write(Priority::Owner).await.unwrap();
    sqlx::query(sql).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// Ana waits since yesterday, Bea since an hour, Cem was answered, Dora is done, Emil on the other account waits, Fred's answer failed.
async fn busy_shop() -> Opened {
    let shop = shop().await;
    let now = shop.profile.now_ms();
    let hour = 3_600_000;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_ana", now - 25 * hour, "ana"))],
    )
    .await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7022", "m_bea", now - hour, "bea"))],
    )
    .await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![
            item(from("7033", "m_c1", now - 5 * hour, "c")),
            item(to("7033", "m_c2", now - 4 * hour, "cem")),
        ],
    )
    .await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7044", "m_dora", now - 3 * hour, "dora"))],
    )
    .await;
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![item(from("9055", "i_emil", now - 20 * hour, "emil"))],
    )
    .await;
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![item(to("9066", "i_fred", now - 2 * hour, "fred"))],
    )
    .await;
    let dora = ConversationId(talk_with(&shop, BAKERY, "7044").await);
    set_state(&shop.profile.store, dora, ConversationState::Resolved)
        .await
        .unwrap();
    run(
        &shop,
        "UPDATE conversations SET trouble = 'failed' WHERE preview = 'fred'",
    )
    .await;
    shop
}

#[tokio::test]
async fn every_view_holds_what_it_says_and_pages_lose_nothing() {
    let shop = busy_shop().await;
    for limit in [1, 2, 200] {
        assert_eq!(
            walk(&shop, ask(InboxView::NeedsYou, limit)).await,
            ["bea", "fred", "emil", "ana"]
        );
        assert_eq!(
            walk(&shop, ask(InboxView::ClosingSoon, limit)).await,
            ["emil", "bea"],
            "soonest end first, open windows only"
        );
        assert_eq!(
            walk(&shop, ask(InboxView::WaitingOnThem, limit)).await,
            ["cem"]
        );
        assert_eq!(walk(&shop, ask(InboxView::Done, limit)).await, ["dora"]);
        assert_eq!(
            walk(&shop, ask(InboxView::All, limit)).await,
            ["bea", "fred", "dora", "cem", "emil", "ana"]
        );
    }
    let one = |view| ConversationsQuery {
        account_id: Some(BOUTIQUE.0),
        ..ask(view, 1)
    };
    assert_eq!(
        walk(&shop, one(InboxView::NeedsYou)).await,
        ["fred", "emil"]
    );
    assert_eq!(walk(&shop, one(InboxView::ClosingSoon)).await, ["emil"]);
    assert_eq!(walk(&shop, one(InboxView::All)).await, ["fred", "emil"]);
    run(
        &shop,
        "UPDATE conversations SET state = 'archived' WHERE preview = 'bea'",
    )
    .await;
    assert_eq!(
        walk(&shop, ask(InboxView::All, 2)).await,
        ["fred", "dora", "cem", "emil", "ana"]
    );
}

#[tokio::test]
async fn numbers_beside_the_views_are_the_lengths_of_the_views() {
    let shop = busy_shop().await;
    for account in [None, Some(BAKERY.0), Some(BOUTIQUE.0)] {
        let mut connection = shop.profile.store.read().await.unwrap();
        let counted = counts(&mut connection, account, shop.profile.now_ms())
            .await
            .unwrap();
        drop(connection);
        assert_eq!(counted.accounts, [(BAKERY.0, 2), (BOUTIQUE.0, 2)]);
        assert_eq!(counted.views.len(), 5);
        for (view, count) in counted.views {
            let rows = walk(
                &shop,
                ConversationsQuery {
                    account_id: account,
                    ..ask(view, 200)
                },
            )
            .await;
            assert_eq!(
                count,
                i64::try_from(rows.len()).unwrap(),
                "{view:?} of {account:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_thread_is_read_from_any_place_in_both_directions() {
    let shop = shop().await;
    let items = (0..10).map(|n| item(from("7011", &format!("m_{n}"), MORNING + n, &n.to_string())));
    tell(&shop, BAKERY, Source::Webhook, items.collect()).await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7022", "m_x", MORNING + 5, "other"))],
    )
    .await;
    let ana = talk_with(&shop, BAKERY, "7011").await;
    let keys: Vec<i64> = {
        let mut connection = shop.profile.store.read().await.unwrap();
        let sql = "SELECT sort_key FROM messages WHERE conversation_id = ? ORDER BY sort_key";
        sqlx::query_scalar(sql)
            .bind(ana)
            .fetch_all(&mut *connection)
            .await
            .unwrap()
    };
    let read = async |place, limit| {
        let mut connection = shop.profile.store.read().await.unwrap();
        let part = messages(&mut connection, ana, place, limit, shop.profile.now_ms())
            .await
            .unwrap();
        let texts: String = part
            .messages
            .iter()
            .map(|message| message.text.clone().unwrap())
            .collect();
        (texts, part.more_before, part.more_after)
    };
    assert_eq!(read(Place::Newest, 3).await, ("789".into(), true, false));
    assert_eq!(
        read(Place::Newest, 10).await,
        ("0123456789".into(), false, false)
    );
    assert_eq!(
        read(Place::Before(keys[7]), 3).await,
        ("456".into(), true, true)
    );
    assert_eq!(
        read(Place::Before(keys[2]), 3).await,
        ("01".into(), false, true)
    );
    assert_eq!(
        read(Place::After(keys[6]), 2).await,
        ("78".into(), true, true)
    );
    assert_eq!(
        read(Place::After(keys[6]), 5).await,
        ("789".into(), true, false)
    );
    assert_eq!(
        read(Place::Around(keys[5]), 4).await,
        ("3456".into(), true, true)
    );
    assert_eq!(
        read(Place::Around(keys[0]), 4).await,
        ("01".into(), false, true)
    );
    assert_eq!(
        read(Place::Around(keys[5]), 1).await,
        ("5".into(), true, true)
    );
    assert_eq!(
        read(Place::After(i64::MAX), 5).await,
        (String::new(), true, false)
    );
}

#[tokio::test]
async fn a_message_shows_everything_that_belongs_to_it() {
    let shop = shop().await;
    let now = shop.profile.now_ms();
    let mut asked = from("9001", "i_1", now - 1000, "¿Cuánto?");
    asked.story = Some(IncomingStory {
        kind: "reply".into(),
        id: None,
        url: Some("https://a.fbcdn.net/s".into()),
    });
    asked.attachments = vec![IncomingAttachment {
        kind: "image".into(),
        url: Some("https://a.fbcdn.net/p".into()),
        width: Some(640),
        ..Default::default()
    }];
    asked.referral = Some(("ad".into(), "Rebajas".into()));
    let mut answer = to("9001", "i_2", now - 500, "25 €");
    answer.reply_to_mid = Some("i_1".into());
    let mut lost = to("9001", "i_3", now, "antes");
    lost.reply_to_mid = Some("i_never".into());
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![
            item(asked),
            item(answer),
            item(lost),
            reaction("9001", "i_2", Some("❤"), now),
        ],
    )
    .await;
    let carmen = talk_with(&shop, BOUTIQUE, "9001").await;
    let read = async |now_ms| {
        let mut connection = shop.profile.store.read().await.unwrap();
        messages(&mut connection, carmen, Place::Newest, 50, now_ms)
            .await
            .unwrap()
            .messages
    };
    let found = read(now).await;
    let story = found[0].story.as_ref().unwrap();
    assert_eq!(
        (
            story.kind.as_str(),
            story.media.is_some(),
            story.expires_at_ms
        ),
        ("reply", true, None)
    );
    assert_eq!(found[0].attachments.len(), 1);
    assert_eq!(found[0].attachments[0].width, Some(640));
    assert_eq!(found[0].referral.as_ref().unwrap().code, "ad");
    let quoted = found[1].reply_to.as_ref().unwrap();
    assert_eq!(
        (quoted.id, quoted.preview.as_deref()),
        (Some(found[0].id), Some("¿Cuánto?"))
    );
    assert_eq!(
        (
            found[1].reactions[0].by.as_str(),
            found[1].reactions[0].emoji.as_str()
        ),
        ("customer", "❤")
    );
    assert_eq!(found[2].reply_to.as_ref().unwrap().id, None);
    assert!(
        read(now + window::STANDARD_MS).await[0]
            .story
            .as_ref()
            .unwrap()
            .media
            .is_none(),
        "a story ends after 24 hours"
    );
    // The quoted message is taken back: the quote loses its words.
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![crate::domain::IncomingItem::Unsend {
            mid: "i_1".into(),
            at_ms: now,
        }],
    )
    .await;
    let found = read(now).await;
    assert!(
        found[0].deleted
            && found[0].text.is_none()
            && found[0].attachments.is_empty()
            && found[0].story.is_none()
    );
    assert_eq!(found[1].reply_to.as_ref().unwrap().preview, None);
}

#[tokio::test]
async fn the_head_tells_the_person_the_window_and_the_limit() {
    let shop = busy_shop().await;
    let read = async |id: i64, sample: bool| {
        let mut connection = shop.profile.store.read().await.unwrap();
        let facts = Facts::read(&mut connection, sample, shop.profile.now_ms())
            .await
            .unwrap();
        super::conversation(&mut connection, id, &facts)
            .await
            .unwrap()
    };
    let ana = talk_with(&shop, BAKERY, "7011").await;
    let emil = talk_with(&shop, BOUTIQUE, "9055").await;
    set_draft(&shop.profile.store, ConversationId(ana), "ich wollte")
        .await
        .unwrap();
    let head = read(ana, false).await.unwrap();
    assert_eq!(
        (
            head.row.window.state.as_str(),
            head.row.window.lock.clone().unwrap().code.as_str()
        ),
        ("closed", "window_closed")
    );
    assert_eq!(
        (
            head.draft.as_deref(),
            head.row.has_draft,
            head.text_limit.max
        ),
        (Some("ich wollte"), true, 2000)
    );
    assert_eq!((head.person.messages, head.person.name), (1, None));
    set_draft(&shop.profile.store, ConversationId(ana), "  ")
        .await
        .unwrap();
    assert_eq!(read(ana, false).await.unwrap().draft, None);
    let head = read(emil, false).await.unwrap();
    assert_eq!(
        (
            head.row.window.state.as_str(),
            head.row.window.lock.clone(),
            head.text_limit.unit.as_str()
        ),
        ("open", None, "bytes")
    );
    assert_eq!(
        read(emil, true)
            .await
            .unwrap()
            .row
            .window
            .lock
            .unwrap()
            .code,
        "sample"
    );
    run(
        &shop,
        "UPDATE accounts SET state = 'reconnect_now' WHERE id = 205",
    )
    .await;
    assert_eq!(
        read(emil, false)
            .await
            .unwrap()
            .row
            .window
            .lock
            .unwrap()
            .code,
        "signed_out"
    );
    assert!(read(4, false).await.is_none());
}

#[tokio::test]
async fn a_foreign_cursor_is_refused() {
    let shop = busy_shop().await;
    let mut connection = shop.profile.store.read().await.unwrap();
    let facts = Facts::read(&mut connection, false, 0).await.unwrap();
    let query = ConversationsQuery {
        cursor: Some("'; --".into()),
        ..ask(InboxView::All, 5)
    };
    assert!(matches!(
        page(&mut connection, &query, &facts).await,
        Err(PageError::Cursor(_))
    ));
}

/// No built statement walks through a table or sorts: a page costs the same at any depth.
#[tokio::test]
async fn built_statements_seek_and_never_sort() {
    let shop = shop().await;
    let mut statements = Vec::new();
    for view in [
        InboxView::NeedsYou,
        InboxView::ClosingSoon,
        InboxView::WaitingOnThem,
        InboxView::Done,
        InboxView::All,
    ] {
        for account_id in [None, Some(BAKERY.0)] {
            for cursor in [None, Some(cursor::write(5, 7))] {
                let query = ConversationsQuery {
                    view,
                    account_id,
                    cursor,
                    limit: 50,
                };
                statements.push(
                    list::statement(&query, MORNING)
                        .unwrap()
                        .build()
                        .sql()
                        .as_str()
                        .to_owned(),
                );
            }
        }
    }
    for older in [true, false] {
        statements.push(
            thread::statement(7001, MORNING << 20, older, 50)
                .build()
                .sql()
                .as_str()
                .to_owned(),
        );
    }
    let mut connection = shop.profile.store.read().await.unwrap();
    for sql in statements {
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
        let picks = steps
            .iter()
            .filter(|step| step.contains("conversations") || step.contains("messages"))
            .collect::<Vec<_>>();
        assert!(
            !picks.is_empty() && steps.iter().all(|step| !step.contains("TEMP B-TREE")),
            "{sql}: {steps:?}"
        );
        let whole = picks
            .iter()
            .filter(|step| {
                step.starts_with("SCAN") && !step.contains("USING INDEX conversations_order")
            })
            .count();
        assert_eq!(whole, 0, "{sql}: {steps:?}");
    }
}
