//! What happens to messages after they were sent, also when it is told before them.

use crate::{
    domain::{IncomingAttachment, IncomingItem, Source},
    ingest::testing::*,
};

const STATE: &str = "SELECT group_concat(mid || ' ' || state || ' ' || coalesce(text, '-') || ' ' || num_edit || ' ' || deleted, ', ') FROM (SELECT * FROM messages ORDER BY sort_key)";

fn edit(mid: &str, text: &str, num_edit: i64) -> IncomingItem {
    IncomingItem::Edit {
        mid: mid.into(),
        text: text.into(),
        num_edit,
        at_ms: MORNING + num_edit,
    }
}

fn unsend(mid: &str) -> IncomingItem {
    IncomingItem::Unsend {
        mid: mid.into(),
        at_ms: MORNING + 77,
    }
}

#[tokio::test]
async fn news_before_its_message_waits_for_it() {
    let shop = shop().await;
    let told = tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![
            edit("m_1", "zweite Fassung", 2),
            edit("m_1", "erste Fassung", 1),
            reaction("9001", "m_1", Some("❤"), MORNING + 5),
            IncomingItem::Read {
                person: "9001".into(),
                watermark_ms: None,
                mid: Some("m_2".into()),
                at_ms: MORNING + 9,
            },
            unsend("m_3"),
            edit("m_3", "canarywort", 1),
        ],
    )
    .await;
    assert_eq!((told.new_messages, told.waiting), (0, 5));
    tell(
        &shop,
        BOUTIQUE,
        Source::Poll,
        vec![
            item(from("9001", "m_3", MORNING + 3000, "canarywort")),
            item(to("9001", "m_2", MORNING + 2000, "gern")),
            item(from("9001", "m_1", MORNING, "Urfassung")),
        ],
    )
    .await;
    assert_eq!(
        look(&shop, STATE).await,
        "m_1 received zweite Fassung 2 0, m_2 read gern 0 0, m_3 received - 0 1"
    );
    assert_eq!(
        look(&shop, "SELECT count(*) || '' FROM waiting_news").await,
        "0"
    );
    assert_eq!(look(&shop, "SELECT emoji FROM reactions").await, "❤");
    assert_eq!(look(&shop, "SELECT count(*) || '' FROM message_search WHERE message_search MATCH '\"urfassung\" OR \"canarywort\"'").await, "0");
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || '' FROM message_search WHERE message_search MATCH '\"zweite\"'"
        )
        .await,
        "1"
    );
}

#[tokio::test]
async fn an_edit_count_only_rises_and_a_taken_reaction_stays_taken() {
    let shop = shop().await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_1", MORNING, "eins"))],
    )
    .await;
    for news in [
        edit("m_1", "drei", 3),
        edit("m_1", "zwei", 2),
        edit("m_1", "noch drei", 3),
    ] {
        tell(&shop, BAKERY, Source::Webhook, vec![news]).await;
    }
    assert_eq!(look(&shop, STATE).await, "m_1 received drei 3 0");
    assert_eq!(
        look(&shop, "SELECT preview FROM conversations").await,
        "drei"
    );
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![reaction("7011", "m_1", None, MORNING + 20)],
    )
    .await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![reaction("7011", "m_1", Some("👍"), MORNING + 10)],
    )
    .await;
    assert_eq!(look(&shop, "SELECT emoji FROM reactions").await, "");
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![reaction("7011", "m_1", Some("🥐"), MORNING + 30)],
    )
    .await;
    assert_eq!(look(&shop, "SELECT emoji FROM reactions").await, "🥐");
    assert_eq!(
        look(&shop, "SELECT customer_at_ms || '' FROM conversations").await,
        (MORNING + 30).to_string(),
        "a reaction opens the window"
    );
}

#[tokio::test]
async fn a_poll_shows_an_edit_whose_event_was_missed() {
    let shop = shop().await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_1", MORNING + 4, "um acht"))],
    )
    .await;
    tell(
        &shop,
        BAKERY,
        Source::Poll,
        vec![item(from("7011", "m_1", MORNING, "um neun"))],
    )
    .await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_1", MORNING + 4, "um acht"))],
    )
    .await;
    assert_eq!(look(&shop, STATE).await, "m_1 received um neun 0 0");
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || '' FROM message_search WHERE message_search MATCH '\"acht\"'"
        )
        .await,
        "0"
    );
}

#[tokio::test]
async fn receipts_move_states_forward_only_and_instagram_has_no_delivery() {
    let shop = shop().await;
    let delivered = |at_ms| IncomingItem::Delivered {
        person: "7011".into(),
        watermark_ms: at_ms,
    };
    let read = |at_ms| IncomingItem::Read {
        person: "7011".into(),
        watermark_ms: Some(at_ms),
        mid: None,
        at_ms,
    };
    tell(&shop, BAKERY, Source::Webhook, vec![read(MORNING + 1500)]).await;
    assert_eq!(
        look(&shop, "SELECT zone FROM conversations").await,
        "empty",
        "nothing to show yet"
    );
    let ours = (0..4)
        .map(|n| item(to("7011", &format!("m_{n}"), MORNING + n * 1000, "x")))
        .collect();
    tell(&shop, BAKERY, Source::Webhook, ours).await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![delivered(MORNING + 2500)],
    )
    .await;
    let states =
        "SELECT group_concat(state, ' ') FROM (SELECT state FROM messages ORDER BY sort_key)";
    assert_eq!(look(&shop, states).await, "read read delivered sent");
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![delivered(MORNING), read(MORNING)],
    )
    .await;
    assert_eq!(look(&shop, states).await, "read read delivered sent");
    tell(&shop, BAKERY, Source::Webhook, vec![read(MORNING + 9000)]).await;
    assert_eq!(look(&shop, states).await, "read read read read");

    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![item(to("9001", "i_1", MORNING, "hola"))],
    )
    .await;
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![IncomingItem::Delivered {
            person: "9001".into(),
            watermark_ms: i64::MAX,
        }],
    )
    .await;
    assert_eq!(
        look(&shop, "SELECT state FROM messages WHERE mid = 'i_1'").await,
        "sent"
    );
}

#[tokio::test]
async fn what_was_taken_back_is_nowhere_any_more() {
    let shop = shop().await;
    let mut secret = from("9001", "m_1", MORNING, "canarywort auf meiner Adresse");
    secret.attachments = vec![IncomingAttachment {
        kind: "image".into(),
        url: Some("https://a.fbcdn.net/canarywort".into()),
        ..Default::default()
    }];
    let mut answer = to("9001", "m_2", MORNING + 1000, "danke");
    answer.reply_to_mid = Some("m_1".into());
    tell(&shop, BOUTIQUE, Source::Webhook, vec![item(secret.clone())]).await;
    let media = look(&shop, "SELECT media_id FROM attachments").await;
    let mut tx = shop
        .profile
        .store
        .write(crate::store::Priority::Owner)
        .await
        .unwrap();
    sqlx::query("INSERT INTO media_blobs VALUES (?, 'image/png', CAST('canarywort' AS BLOB), 0)")
        .bind(&media)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![edit("m_1", "canarywort, geändert", 1)],
    )
    .await;
    assert_eq!(
        look(&shop, "SELECT preview FROM conversations").await,
        "canarywort, geändert"
    );
    let told = tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![item(answer), unsend("m_1")],
    )
    .await;
    assert_eq!(told.erased, 1);
    // Told again afterwards, by any way, nothing of it returns.
    tell(&shop, BOUTIQUE, Source::Poll, vec![item(secret)]).await;
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![edit("m_1", "canarywort", 2), unsend("m_1")],
    )
    .await;
    assert_eq!(
        find_everywhere(&shop, "canarywort").await,
        Vec::<String>::new()
    );
    let path = shop.folder.path().join("shopbell.db-wal");
    assert!(
        std::fs::metadata(path).map_or(0, |log| log.len()) < 200_000,
        "the log was emptied"
    );
    assert_eq!(
        look(&shop, "SELECT count(*) || '' FROM media_blobs").await,
        "0"
    );
    assert_eq!(
        look(
            &shop,
            "SELECT last_author || ' ' || preview FROM conversations"
        )
        .await,
        "phone danke"
    );
}

/// Tables with a column that holds `word`, the index's own included.
async fn find_everywhere(shop: &crate::profile::testing::Opened, word: &str) -> Vec<String> {
    let mut connection = shop.profile.store.read().await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert!(columns.len() > 100);
    let mut found = Vec::new();
    for (table, column) in columns {
        let sql = format!(
            "SELECT count(*) FROM \"{table}\" WHERE instr(CAST(\"{column}\" AS BLOB), CAST(? AS BLOB)) > 0"
        );
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(word)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        if count > 0 {
            found.push(format!("{table}.{column}"));
        }
    }
    found
}
