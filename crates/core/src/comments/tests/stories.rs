//! What becomes of comments and posts when news of them comes in any order.

use super::*;
use crate::{
    api::types::Change,
    domain::{IncomingComment, IncomingPost, Source},
    ingest::testing::{
        BAKERY, BOUTIQUE, MORNING, answer, comment, from, item as message, look, named, shop, tell,
    },
};

fn hidden(id: &str, hidden: bool, at_ms: i64) -> IncomingItem {
    IncomingItem::CommentHidden {
        comment: id.into(),
        post: Some("1001_5".into()),
        hidden,
        at_ms,
    }
}

fn removed(id: &str) -> IncomingItem {
    IncomingItem::CommentRemoved {
        comment: id.into(),
        post: None,
        at_ms: MORNING + 99,
    }
}

fn price() -> IncomingComment {
    let mut told = comment("7011", "5_1", "1001_5", MORNING, "Preis?");
    told.author = Some(named("7011", "Ana"));
    told
}

#[tokio::test]
async fn a_comment_its_answers_and_its_post_are_kept_together() {
    let shop = shop().await;
    let mut changes = shop.profile.parts.changes.listen();
    let mut ours = answer(&price(), "page-101", "5_2", "12 €");
    ours.own = true;
    let told = tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(&price()), item(&ours)],
    )
    .await;
    assert_eq!((told.new_comments, told.new_messages), (2, 0));
    assert_eq!(shown(&shop).await, ["Preis? > 12 €[o]"]);
    let post = posts(&shop, None, 10).await.posts.remove(0);
    assert_eq!(
        (post.comments, post.last_at_ms, post.last_preview.as_str()),
        (2, MORNING + 60_000, "12 €")
    );
    assert_eq!(
        changes.try_recv(),
        Ok(Change::Comments { post_id: post.id })
    );
    let again = tell(&shop, BAKERY, Source::Webhook, vec![item(&price())]).await;
    assert_eq!(again.new_comments, 0);
    assert_eq!(
        look(
            &shop,
            "SELECT (SELECT count(*) FROM conversations) || ' ' || (SELECT count(*) FROM contacts)"
        )
        .await,
        "0 0",
        "who comments is nobody one can write to"
    );
}

#[tokio::test]
async fn an_answer_stands_under_a_comment_that_was_never_told() {
    let shop = shop().await;
    let reply = answer(&price(), "7022", "5_3", "ich auch");
    tell(&shop, BAKERY, Source::Webhook, vec![item(&reply)]).await;
    assert_eq!(shown(&shop).await, ["-[u] > ich auch"]);
    let deeper = answer(&reply, "7011", "5_4", "eben");
    tell(&shop, BAKERY, Source::Webhook, vec![item(&deeper)]).await;
    tell(&shop, BAKERY, Source::Webhook, vec![item(&price())]).await;
    assert_eq!(shown(&shop).await, ["Preis? > ich auch > eben"]);
    let mut connection = shop.profile.store.read().await.unwrap();
    let deepest: i64 = sqlx::query_scalar("SELECT id FROM comments WHERE platform_id = '5_4'")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let thread = comments::thread_of(&mut connection, deepest)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(line(&thread), "Preis? > ich auch > eben");
    let parents: Vec<_> = thread
        .answers
        .iter()
        .map(|answer| answer.parent_id)
        .collect();
    assert_eq!(
        parents,
        [Some(thread.comment.id), Some(thread.answers[0].id)]
    );
    assert!(
        comments::thread_of(&mut connection, 999_999)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn an_older_wording_never_comes_back() {
    let shop = shop().await;
    let mut edited = price();
    edited.text = Some("Preis bitte?".into());
    edited.text_at_ms = MORNING + 5_000;
    edited.edited = true;
    for told in [&edited, &price()] {
        tell(&shop, BAKERY, Source::Webhook, vec![item(told)]).await;
    }
    assert_eq!(shown(&shop).await, ["Preis bitte?[e]"]);
    assert_eq!(
        look(&shop, "SELECT written_at_ms || '' FROM comments").await,
        MORNING.to_string()
    );
}

#[tokio::test]
async fn hiding_follows_the_later_word_and_may_come_first() {
    let shop = shop().await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![
            hidden("5_1", false, MORNING + 20_000),
            hidden("5_1", true, MORNING + 10_000),
        ],
    )
    .await;
    assert_eq!(
        shown(&shop).await,
        Vec::<String>::new(),
        "nothing to show yet"
    );
    tell(&shop, BAKERY, Source::Webhook, vec![item(&price())]).await;
    assert_eq!(shown(&shop).await, ["Preis?"]);
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![hidden("5_1", true, MORNING + 30_000)],
    )
    .await;
    assert_eq!(shown(&shop).await, ["Preis?[h]"]);
}

#[tokio::test]
async fn a_removed_comment_loses_its_words_for_good() {
    let shop = shop().await;
    let mut secret = price();
    secret.text = Some("canarywort, meine Nummer".into());
    secret.photo = Some("https://a.fbcdn.net/canarywort".into());
    let reply = answer(&secret, "7022", "5_3", "oh");
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(&secret), item(&reply)],
    )
    .await;
    let gone = tell(&shop, BAKERY, Source::Webhook, vec![removed("5_1")]).await;
    assert_eq!((gone.erased, gone.erased_refs), (1, vec!["5_1".to_owned()]));
    let mut edited = secret.clone();
    edited.text_at_ms += 99_999;
    edited.edited = true;
    let late = tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![item(&secret), item(&edited)],
    )
    .await;
    assert_eq!((late.erased, late.new_comments), (0, 0));
    assert_eq!(
        late.erased_refs,
        ["5_1"],
        "what told it again is to be erased again"
    );
    assert_eq!(shown(&shop).await, ["-[re] > oh"]);
    assert_eq!(
        look(
            &shop,
            "SELECT count(*) || '' FROM comments WHERE text LIKE '%canary%' OR photo_url IS NOT NULL"
        )
        .await,
        "0"
    );
    let post = posts(&shop, None, 10).await.posts.remove(0);
    assert_eq!((post.comments, post.last_preview.as_str()), (1, "oh"));
}

#[tokio::test]
async fn removed_before_it_was_told_it_is_never_seen() {
    let shop = shop().await;
    tell(&shop, BAKERY, Source::Webhook, vec![removed("5_1")]).await;
    let late = tell(&shop, BAKERY, Source::Webhook, vec![item(&price())]).await;
    assert_eq!(
        (late.new_comments, late.erased_refs),
        (0, vec!["5_1".to_owned()])
    );
    assert!(posts(&shop, None, 10).await.posts.is_empty());
    assert_eq!(look(&shop, "SELECT text FROM comments").await, "");
}

#[tokio::test]
async fn a_post_is_told_edited_and_removed_in_any_order() {
    let shop = shop().await;
    let post = |text: &str, at_ms| {
        IncomingItem::Post(IncomingPost {
            platform_id: "1001_5".into(),
            own: Some(true),
            text: Some((text.into(), at_ms)),
            posted_at_ms: Some(MORNING),
            ..IncomingPost::default()
        })
    };
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![
            item(&price()),
            post("neu", MORNING + 9_000),
            post("alt", MORNING),
        ],
    )
    .await;
    let view = posts(&shop, None, 10).await.posts.remove(0);
    assert_eq!((view.text.as_deref(), view.own), (Some("neu"), Some(true)));
    let gone = IncomingItem::PostRemoved {
        post: "1001_5".into(),
        at_ms: MORNING + 20_000,
    };
    let told = tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![gone, post("zurück", MORNING + 30_000)],
    )
    .await;
    assert_eq!(
        (told.erased, told.erased_refs),
        (1, vec!["1001_5".to_owned()])
    );
    let view = posts(&shop, None, 10).await.posts.remove(0);
    assert_eq!((view.text, view.removed), (None, true));
}

#[tokio::test]
async fn one_id_on_two_accounts_is_two_comments() {
    let shop = shop().await;
    tell(&shop, BAKERY, Source::Webhook, vec![item(&price())]).await;
    tell(&shop, BOUTIQUE, Source::Webhook, vec![item(&price())]).await;
    assert_eq!(
        look(&shop, "SELECT group_concat(account_id, ' ') FROM comments").await,
        "101 205"
    );
}

#[tokio::test]
async fn a_comment_opens_no_reply_window_and_a_message_makes_the_face_known() {
    let shop = shop().await;
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![
            message(from("7011", "m_1", MORNING - 90_000_000, "hallo")),
            item(&price()),
        ],
    )
    .await;
    assert_eq!(
        look(&shop, "SELECT customer_at_ms || '' FROM conversations").await,
        (MORNING - 90_000_000).to_string()
    );
    let post = posts(&shop, None, 1).await.posts.remove(0);
    let seen = page(&shop, post.id, None, 10).await.comments.remove(0);
    assert!(
        seen.comment.conversation_id.is_some(),
        "the same person wrote to us"
    );
}

#[tokio::test]
async fn odd_values_from_outside_stay_values() {
    let shop = shop().await;
    let mut odd = comment("", "", "", i64::MIN, "a\0b '\"; DROP TABLE comments; --");
    odd.parent = Some(String::new());
    odd.author = None;
    let mut circle = comment("7011", "5_8", "1001_5", MORNING, "Kreis");
    circle.parent = Some("5_9".into());
    let mut other = comment("7011", "5_9", "1001_5", i64::MAX, "Kreis");
    other.parent = Some("5_8".into());
    tell(
        &shop,
        BAKERY,
        Source::Webhook,
        vec![
            item(&odd),
            item(&circle),
            item(&other),
            removed(""),
            hidden("x", true, i64::MIN),
        ],
    )
    .await;
    let mut connection = shop.profile.store.read().await.unwrap();
    let id: i64 = sqlx::query_scalar("SELECT id FROM comments WHERE platform_id = '5_8'")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert!(
        comments::thread_of(&mut connection, id)
            .await
            .unwrap()
            .is_some(),
        "a circle ends"
    );
}
