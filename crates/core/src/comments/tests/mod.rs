#![allow(clippy::unwrap_used)]
mod fetching;
mod reading;
mod stories;

use crate::{
    api::types::{CommentPage, CommentThread, CommentsQuery, PostPage, PostsQuery},
    comments,
    domain::IncomingItem,
    profile::testing::Opened,
};

/// Posts as the list shows them.
async fn posts(shop: &Opened, cursor: Option<String>, limit: u32) -> PostPage {
    let mut connection = shop.profile.store.read().await.unwrap();
    let query = PostsQuery {
        account_id: None,
        cursor,
        limit,
    };
    comments::posts_page(&mut connection, &query).await.unwrap()
}

/// Comments of a post.
async fn page(shop: &Opened, post_id: i64, cursor: Option<String>, limit: u32) -> CommentPage {
    let mut connection = shop.profile.store.read().await.unwrap();
    let query = CommentsQuery {
        post_id,
        cursor,
        limit,
    };
    comments::comments_page(&mut connection, &query)
        .await
        .unwrap()
}

/// The comments of the newest post, one line each.
async fn shown(shop: &Opened) -> Vec<String> {
    let Some(post) = posts(shop, None, 1).await.posts.pop() else {
        return Vec::new();
    };
    let page = page(shop, post.id, None, 100).await;
    page.comments.iter().map(line).collect()
}

/// A comment and its answers: words, `-` without any, marks in brackets.
fn line(thread: &CommentThread) -> String {
    let one = |view: &crate::api::types::CommentView| {
        let marks: String = [
            (!view.known, 'u'),
            (view.hidden, 'h'),
            (view.removed, 'r'),
            (view.own, 'o'),
            (view.edited_at_ms.is_some(), 'e'),
        ]
        .iter()
        .filter_map(|(is, mark)| is.then_some(*mark))
        .collect();
        let words = view.text.as_deref().unwrap_or("-");
        if marks.is_empty() {
            words.to_owned()
        } else {
            format!("{words}[{marks}]")
        }
    };
    let mut line = one(&thread.comment);
    for answer in &thread.answers {
        line.push_str(" > ");
        line.push_str(&one(answer));
    }
    line
}

fn item(comment: &crate::domain::IncomingComment) -> IncomingItem {
    IncomingItem::Comment(comment.clone())
}
