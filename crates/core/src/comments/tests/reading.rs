//! Pages of posts and comments.

use super::*;
use crate::{
    domain::{IncomingComment, Source},
    ingest::testing::{BAKERY, BOUTIQUE, MORNING, answer, comment, shop, tell},
};

#[tokio::test]
async fn posts_come_by_their_newest_comment_and_no_page_repeats_or_skips() {
    let shop = shop().await;
    for n in 0..7_i64 {
        let account = if n % 3 == 0 { BOUTIQUE } else { BAKERY };
        // Two posts share a moment: the place in between is still one.
        let at_ms = MORNING + (n / 2) * 1_000;
        let told = comment(
            "7011",
            &format!("c{n}"),
            &format!("p{n}"),
            at_ms,
            &format!("Wort {n}"),
        );
        tell(&shop, account, Source::Webhook, vec![item(&told)]).await;
    }
    let mut walked = Vec::new();
    let mut cursor = None;
    loop {
        let page = posts(&shop, cursor, 2).await;
        walked.extend(page.posts.iter().map(|post| post.last_preview.clone()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        walked,
        [
            "Wort 6", "Wort 5", "Wort 4", "Wort 3", "Wort 2", "Wort 1", "Wort 0"
        ]
    );
    let mut connection = shop.profile.store.read().await.unwrap();
    let query = PostsQuery {
        account_id: Some(BOUTIQUE.0),
        cursor: None,
        limit: 100,
    };
    let of_one = comments::posts_page(&mut connection, &query).await.unwrap();
    assert_eq!(of_one.posts.len(), 3);
    let foreign = PostsQuery {
        cursor: Some("x".into()),
        ..query
    };
    assert!(
        comments::posts_page(&mut connection, &foreign)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn comments_come_newest_first_with_their_answers_in_order() {
    let shop = shop().await;
    let tops: Vec<IncomingComment> = (0..5_i64)
        .map(|n| {
            comment(
                "7011",
                &format!("c{n}"),
                "p",
                MORNING + n * 1_000,
                &format!("{n}"),
            )
        })
        .collect();
    let mut news: Vec<IncomingItem> = tops.iter().map(item).collect();
    for (n, text) in [(3, "zweitens"), (3, "drittens")] {
        let mut told = answer(&tops[n], "7022", &format!("a{text}"), text);
        told.written_at_ms += i64::from(text == "drittens");
        news.push(item(&told));
    }
    tell(&shop, BAKERY, Source::Webhook, news).await;
    let post = posts(&shop, None, 1).await.posts.remove(0).id;
    let mut walked = Vec::new();
    let mut cursor = None;
    loop {
        let page = page(&shop, post, cursor, 2).await;
        walked.extend(page.comments.iter().map(line));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(walked, ["4", "3 > zweitens > drittens", "2", "1", "0"]);
}
