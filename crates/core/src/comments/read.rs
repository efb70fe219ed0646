//! Reading posts and comments: pages with an index under each, one packed row per statement.

use crate::{
    api::types::{
        CommentPage, CommentThread, CommentView, CommentsQuery, PostPage, PostView, PostsQuery,
        Reason,
    },
    domain::Channel,
    inbox::PageError,
    inbox::cursor,
    ingest::{
        preview,
        rows::{decode, encode},
    },
    store::StoreError,
};
use serde::Deserialize;
use sqlx::SqliteConnection;
use std::collections::HashMap;

/// Answers of one page at most; a comment with more shows its oldest.
const MOST_ANSWERS: i64 = 1_000;
/// Answers to answers: Facebook shows two levels, and a circle must end.
const DEEPEST: i64 = 8;

/// Columns in the order of the statement below.
#[derive(Deserialize)]
struct Post {
    id: i64,
    account: i64,
    channel: String,
    own: Option<i64>,
    author: Option<String>,
    mention: i64,
    kind: Option<String>,
    text: Option<String>,
    permalink: Option<String>,
    picture: Option<String>,
    ad_title: Option<String>,
    posted_at_ms: Option<i64>,
    removed: i64,
    unavailable: Option<String>,
    comments: i64,
    last_at_ms: i64,
    last: Option<(Option<String>, Option<String>)>,
}

/// Posts with comments, the one with the newest comment first.
///
/// # Errors
/// A cursor of something else, or what the database says.
pub async fn posts_page(
    connection: &mut SqliteConnection,
    query: &PostsQuery,
) -> Result<PostPage, PageError> {
    let (last_at_ms, last_id) = place(query.cursor.as_deref())?;
    let limit = i64::from(query.limit) + 1;
    let packed = match query.account_id {
        None => sqlx::query_scalar!(
            r#"SELECT json_group_array(json_array(p.id, p.account_id, a.channel, p.own, coalesce(p.author_name, p.author_username), p.mention,
                 p.kind, p.text, p.permalink, iif(p.picture_url IS NULL, NULL, p.media_id), p.ad_title, p.posted_at_ms, p.removed,
                 p.fetch_error, p.comments, p.last_at_ms,
                 (SELECT json_array(c.text, coalesce(c.author_name, c.author_username)) FROM comments c
                  WHERE c.post_id = p.id AND c.known = 1 AND c.removed = 0 ORDER BY c.written_at_ms DESC, c.id DESC LIMIT 1))) AS "rows!: String"
               FROM (SELECT * FROM posts WHERE last_at_ms > 0 AND (last_at_ms, id) < (?1, ?2) ORDER BY last_at_ms DESC, id DESC LIMIT ?3) p
               JOIN accounts a ON a.id = p.account_id"#,
            last_at_ms,
            last_id,
            limit
        )
        .fetch_one(connection)
        .await,
        Some(account) => sqlx::query_scalar!(
            r#"SELECT json_group_array(json_array(p.id, p.account_id, a.channel, p.own, coalesce(p.author_name, p.author_username), p.mention,
                 p.kind, p.text, p.permalink, iif(p.picture_url IS NULL, NULL, p.media_id), p.ad_title, p.posted_at_ms, p.removed,
                 p.fetch_error, p.comments, p.last_at_ms,
                 (SELECT json_array(c.text, coalesce(c.author_name, c.author_username)) FROM comments c
                  WHERE c.post_id = p.id AND c.known = 1 AND c.removed = 0 ORDER BY c.written_at_ms DESC, c.id DESC LIMIT 1))) AS "rows!: String"
               FROM (SELECT * FROM posts WHERE account_id = ?4 AND last_at_ms > 0 AND (last_at_ms, id) < (?1, ?2)
                     ORDER BY last_at_ms DESC, id DESC LIMIT ?3) p
               JOIN accounts a ON a.id = p.account_id"#,
            last_at_ms,
            last_id,
            limit,
            account
        )
        .fetch_one(connection)
        .await,
    }
    .map_err(StoreError::from)?;
    let mut rows: Vec<Post> = decode(&packed)?;
    // An aggregate keeps the order of its input in practice, not by promise.
    rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.last_at_ms, row.id)));
    let more = rows.len() > query.limit as usize;
    rows.truncate(query.limit as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|last| cursor::write(last.last_at_ms, last.id));
    Ok(PostPage {
        posts: rows.into_iter().map(post).collect(),
        next,
    })
}

/// A page begins behind this place.
fn place(cursor: Option<&str>) -> Result<(i64, i64), PageError> {
    let place = cursor.map(cursor::read).transpose()?;
    Ok(place.unwrap_or((i64::MAX, i64::MAX)))
}

fn post(row: Post) -> PostView {
    let (last_text, last_author) = row.last.unwrap_or_default();
    PostView {
        id: row.id,
        account_id: row.account,
        channel: Channel::parse(&row.channel).unwrap_or(Channel::Messenger),
        own: row.own.map(|own| own != 0),
        author: row.author,
        mention: row.mention != 0,
        kind: row.kind,
        text: row.text,
        permalink: row.permalink,
        picture: row.picture,
        ad_title: row.ad_title,
        posted_at_ms: row.posted_at_ms,
        removed: row.removed != 0,
        unavailable: row
            .unavailable
            .and_then(|json| serde_json::from_str::<Reason>(&json).ok()),
        comments: row.comments,
        last_at_ms: row.last_at_ms,
        last_preview: preview::one_line(last_text.as_deref().unwrap_or_default()),
        last_author,
    }
}

/// Columns in the order of the statements below.
#[derive(Deserialize)]
struct Comment {
    root: i64,
    id: i64,
    post: Option<i64>,
    parent: Option<i64>,
    known: i64,
    name: Option<String>,
    username: Option<String>,
    picture: Option<String>,
    conversation: Option<i64>,
    own: i64,
    live: i64,
    mention: i64,
    text: Option<String>,
    photo: Option<String>,
    written_at_ms: i64,
    edited_at_ms: Option<i64>,
    hidden: i64,
    removed: i64,
}

/// Comments of a post that answer none, newest first, each with its answers. One that was never told stands there while something
/// answers it.
///
/// # Errors
/// A cursor of something else, or what the database says.
pub async fn comments_page(
    connection: &mut SqliteConnection,
    query: &CommentsQuery,
) -> Result<CommentPage, PageError> {
    let (written_at_ms, id) = place(query.cursor.as_deref())?;
    let limit = i64::from(query.limit) + 1;
    let tops = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(c.id, c.written_at_ms)) AS "rows!: String" FROM (
             SELECT id, written_at_ms FROM comments t WHERE post_id = ?1 AND parent_id IS NULL AND (written_at_ms, id) < (?2, ?3)
               AND (known = 1 OR EXISTS (SELECT 1 FROM comments r WHERE r.account_id = t.account_id AND r.parent_id = t.platform_id AND r.known = 1))
             ORDER BY written_at_ms DESC, id DESC LIMIT ?4) c"#,
        query.post_id,
        written_at_ms,
        id,
        limit
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(StoreError::from)?;
    let mut tops: Vec<(i64, i64)> = decode(&tops)?;
    tops.sort_unstable_by_key(|(id, at_ms)| std::cmp::Reverse((*at_ms, *id)));
    let more = tops.len() > query.limit as usize;
    tops.truncate(query.limit as usize);
    let next = tops
        .last()
        .filter(|_| more)
        .map(|(id, at_ms)| cursor::write(*at_ms, *id));
    let roots: Vec<i64> = tops.iter().map(|(id, _)| *id).collect();
    Ok(CommentPage {
        comments: threads(connection, &roots).await?,
        next,
    })
}

/// The whole thread in which a comment stands; `None` when it is not here.
///
/// # Errors
/// What the database says.
pub async fn thread_of(
    connection: &mut SqliteConnection,
    comment: i64,
) -> Result<Option<CommentThread>, StoreError> {
    let root = sqlx::query_scalar!(
        r#"WITH RECURSIVE up (id, account_id, parent_id, depth) AS (
             SELECT id, account_id, parent_id, 0 FROM comments WHERE id = ?1
             UNION ALL SELECT c.id, c.account_id, c.parent_id, up.depth + 1 FROM up
               CROSS JOIN comments c ON c.account_id = up.account_id AND c.platform_id = up.parent_id WHERE up.depth < ?2)
           SELECT id AS "id!: i64" FROM up ORDER BY depth DESC LIMIT 1"#,
        comment,
        DEEPEST
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(root) = root else { return Ok(None) };
    Ok(threads(connection, &[root]).await?.pop())
}

/// The comments named, in that order, with everything below them.
async fn threads(
    connection: &mut SqliteConnection,
    roots: &[i64],
) -> Result<Vec<CommentThread>, StoreError> {
    let named = encode(roots);
    let packed = sqlx::query_scalar!(
        r#"WITH RECURSIVE below (root, id, parent, depth) AS (
             SELECT c.id, c.id, NULL, 0 FROM json_each(?1) j CROSS JOIN comments c ON c.id = j.value
             UNION ALL SELECT b.root, c.id, b.id, b.depth + 1 FROM below b CROSS JOIN comments p ON p.id = b.id
               CROSS JOIN comments c ON c.account_id = p.account_id AND c.parent_id = p.platform_id
               WHERE b.depth < ?2 LIMIT ?3)
           SELECT json_group_array(json_array(b.root, c.id, c.post_id, b.parent, c.known, coalesce(i.name, c.author_name),
             coalesce(i.username, c.author_username), f.media_id, v.id, c.own, c.live, c.mention, c.text,
             iif(c.photo_url IS NULL, NULL, c.media_id), c.written_at_ms, c.edited_at_ms, c.hidden, c.removed)) AS "rows!: String"
           FROM below b CROSS JOIN comments c ON c.id = b.id
           LEFT JOIN identities i ON i.account_id = c.account_id AND i.platform_id = c.author_id
           LEFT JOIN avatars f ON f.identity_id = i.id
           LEFT JOIN conversations v ON v.account_id = c.account_id AND v.identity_id = i.id AND v.last_key > 0"#,
        named,
        DEEPEST,
        MOST_ANSWERS
    )
    .fetch_one(connection)
    .await?;
    let mut rows: Vec<Comment> = decode(&packed)?;
    rows.sort_unstable_by_key(|row| (row.written_at_ms, row.id));
    let mut found: HashMap<i64, (Option<CommentView>, Vec<CommentView>)> = HashMap::new();
    for row in rows {
        let thread = found.entry(row.root).or_default();
        let is_root = row.root == row.id;
        // Spoken of but never told, and nothing to see of it.
        let nothing = row.known == 0 && !is_root;
        let view = view(row);
        if is_root {
            thread.0 = Some(view);
        } else if !nothing {
            thread.1.push(view);
        }
    }
    Ok(roots
        .iter()
        .filter_map(|root| {
            let (comment, answers) = found.remove(root)?;
            Some(CommentThread {
                comment: comment?,
                answers,
            })
        })
        .collect())
}

fn view(row: Comment) -> CommentView {
    CommentView {
        id: row.id,
        post_id: row.post.unwrap_or(0),
        parent_id: row.parent,
        known: row.known != 0,
        name: row.name,
        username: row.username,
        picture: row.picture,
        conversation_id: row.conversation,
        own: row.own != 0,
        live: row.live != 0,
        mention: row.mention != 0,
        text: row.text,
        photo: row.photo,
        written_at_ms: row.written_at_ms,
        edited_at_ms: row.edited_at_ms,
        hidden: row.hidden != 0,
        removed: row.removed != 0,
    }
}
