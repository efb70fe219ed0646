//! What counts as unread, and what opens a finished conversation again.

use crate::{
    domain::{ConversationId, ConversationState, Source},
    inbox,
    ingest::testing::*,
};

const UNREAD: &str = "SELECT unread || ' ' || state || ' ' || zone FROM conversations";

#[tokio::test]
async fn history_before_our_last_answer_was_read() {
    let shop = shop().await;
    let history = vec![
        item(from("9001", "m_4", MORNING + 4000, "danke!")),
        item(from("9001", "m_3", MORNING + 3000, "super")),
        item(to("9001", "m_2", MORNING + 2000, "um acht")),
        item(from("9001", "m_1", MORNING + 1000, "wann?")),
    ];
    tell(&shop, BOUTIQUE, Source::Backfill, history).await;
    assert_eq!(look(&shop, UNREAD).await, "2 open needs_you");
    tell(
        &shop,
        BOUTIQUE,
        Source::Backfill,
        vec![item(from("9001", "m_0", MORNING, "hallo"))],
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "2 open needs_you");
    tell(
        &shop,
        BOUTIQUE,
        Source::Webhook,
        vec![item(to("9001", "m_5", MORNING + 5000, "gern"))],
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "0 open waiting_on_them");
}

#[tokio::test]
async fn messenger_counts_for_us_when_something_new_comes_with_it() {
    let shop = shop().await;
    let history: Vec<_> = (0..5)
        .rev()
        .map(|n| item(from("7011", &format!("m_{n}"), MORNING + n * 1000, "?")))
        .collect();
    let listed = |unread| thread(person("7011"), "t_1", MORNING + 4000, Some(unread));
    tell(
        &shop,
        BAKERY,
        Source::Backfill,
        [vec![listed(2)], history.clone()].concat(),
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "2 open needs_you");
    // The next page of the same thread is older: it adds nothing unread.
    tell(
        &shop,
        BAKERY,
        Source::Backfill,
        vec![item(from("7011", "m_old", MORNING - 9000, "?"))],
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "2 open needs_you");
    // Listed again without anything new: what the owner set here stays.
    tell(
        &shop,
        BAKERY,
        Source::Poll,
        [vec![listed(0)], history].concat(),
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "2 open needs_you");
    // Read on the phone before we heard of it.
    let newest = vec![
        thread(person("7011"), "t_1", MORNING + 6000, Some(0)),
        item(from("7011", "m_6", MORNING + 6000, "!")),
    ];
    tell(&shop, BAKERY, Source::Poll, newest).await;
    assert_eq!(look(&shop, UNREAD).await, "0 open needs_you");
}

#[tokio::test]
async fn opening_reads_and_unread_by_hand_survives_news_of_ours() {
    let shop = shop().await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![
            item(from("7011", "m_1", MORNING, "a")),
            item(from("7011", "m_2", MORNING + 1, "b")),
        ],
    )
    .await;
    let ana = ConversationId(talk_with(&shop, BAKERY, "7011").await);
    assert!(inbox::opened(&shop.profile.store, ana).await.unwrap());
    assert_eq!(look(&shop, UNREAD).await, "0 open needs_you");
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(to("7011", "m_3", MORNING + 2, "c"))],
    )
    .await;
    assert!(
        inbox::set_unread(&shop.profile.store, ana, true)
            .await
            .unwrap()
    );
    assert_eq!(look(&shop, UNREAD).await, "1 open waiting_on_them");
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![reaction("7011", "m_3", Some("👍"), MORNING + 9)],
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "1 open waiting_on_them");
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_4", MORNING + 10, "d"))],
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "2 open needs_you");
    assert!(
        !inbox::opened(&shop.profile.store, ConversationId(4))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn only_a_new_message_of_the_customer_opens_what_is_done() {
    let shop = shop().await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_1", MORNING, "a"))],
    )
    .await;
    let ana = ConversationId(talk_with(&shop, BAKERY, "7011").await);
    assert!(
        inbox::set_state(&shop.profile.store, ana, ConversationState::Resolved)
            .await
            .unwrap()
    );
    let old = vec![
        item(from("7011", "m_1", MORNING, "a")),
        item(to("7011", "m_2", MORNING + 1, "b")),
        reaction("7011", "m_2", Some("❤"), MORNING + 2),
    ];
    tell(&shop, BAKERY, Source::Webhook, old).await;
    tell(
        &shop,
        BAKERY,
        Source::Backfill,
        vec![item(from("7011", "m_0", MORNING - 5000, "früher"))],
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "0 resolved done");
    tell(
        &shop,
        BAKERY,
        Source::Poll,
        vec![item(from("7011", "m_3", MORNING + 3000, "noch etwas"))],
    )
    .await;
    assert_eq!(look(&shop, UNREAD).await, "1 open needs_you");
}

#[tokio::test]
async fn the_window_never_moves_back_and_ours_does_not_move_it() {
    let shop = shop().await;
    let at = "SELECT customer_at_ms || '' FROM conversations";
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(from("7011", "m_2", MORNING + 2000, "b"))],
    )
    .await;
    tell(
        &shop,
        BAKERY,
        Source::Backfill,
        vec![
            item(from("7011", "m_1", MORNING, "a")),
            item(to("7011", "m_3", MORNING + 3000, "c")),
        ],
    )
    .await;
    assert_eq!(look(&shop, at).await, (MORNING + 2000).to_string());
    let mut quiet = from("7011", "m_4", MORNING + 4000, "d");
    quiet.opens_window = false;
    tell(&shop, BAKERY, Source::Webhook, vec![item(quiet)]).await;
    assert_eq!(look(&shop, at).await, (MORNING + 2000).to_string());
}
