//! News of posts and comments into rows. Called by `ingest` only, inside its transaction.
//!
//! Invariant: each column is a maximum, a minimum or the later of two by its own time, so any order and any repetition of the same news
//! ends in the same rows. A comment that is hidden, removed or answered before it is told leaves a stub that its own telling fills.
//! Removed is final: the words go and never come back.

use super::fetch;
use crate::{
    api::types::Change,
    domain::{AccountId, IncomingComment, IncomingItem, IncomingPerson, IncomingPost},
    ingest::rows::{decode, encode},
    store::{StoreError, WriteTx},
};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Comments that could not be read here before.
    pub new: u64,
    /// Comments and posts whose words were erased.
    pub erased: u64,
    /// Platform ids of comments and posts of this news that are removed, now or before.
    pub gone: Vec<String>,
}

/// A post as the statement below takes it.
#[derive(Default, Serialize)]
struct PostRow<'a> {
    id: &'a str,
    own: Option<i64>,
    author: [Option<&'a str>; 3],
    kind: Option<&'a str>,
    text: Option<String>,
    text_at_ms: i64,
    permalink: Option<&'a str>,
    picture: Option<&'a str>,
    /// Id and title of the ad, and what it was made of.
    ad: [Option<&'a str>; 3],
    mention: i64,
    posted_at_ms: Option<i64>,
    removed: i64,
}

impl<'a> PostRow<'a> {
    /// A post of which only the id was told.
    fn stub(id: &'a str) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    fn of(post: &'a IncomingPost) -> Self {
        let text = post.text.as_ref();
        Self {
            id: &post.platform_id,
            own: post.own.map(i64::from),
            author: author(post.author.as_ref()),
            kind: post.kind.as_deref(),
            text: text
                .map(|(text, _)| clean(text))
                .filter(|text| !text.is_empty()),
            text_at_ms: text.map_or(0, |(_, at_ms)| (*at_ms).max(0)),
            permalink: post.permalink.as_deref(),
            picture: post.picture.as_deref(),
            ad: [
                post.ad_id.as_deref(),
                post.ad_title.as_deref(),
                post.original.as_deref(),
            ],
            mention: i64::from(post.mention),
            posted_at_ms: post.posted_at_ms,
            removed: 0,
        }
    }
}

/// Id, name, handle.
fn author(person: Option<&IncomingPerson>) -> [Option<&str>; 3] {
    [
        person
            .map(|person| person.platform_id.as_str())
            .filter(|id| !id.is_empty()),
        person.and_then(|person| person.name.as_deref()),
        person.and_then(|person| person.username.as_deref()),
    ]
}

/// A comment as the statement below takes it.
#[derive(Default, Serialize)]
struct CommentRow<'a> {
    id: &'a str,
    post: Option<&'a str>,
    parent: Option<&'a str>,
    author: [Option<&'a str>; 3],
    /// Own, live, mention, known.
    marks: [i64; 4],
    text: Option<String>,
    text_at_ms: i64,
    photo: Option<&'a str>,
    written_at_ms: i64,
    edited_at_ms: Option<i64>,
    hidden: i64,
    hidden_at_ms: i64,
    removed: i64,
    removed_at_ms: Option<i64>,
}

impl<'a> CommentRow<'a> {
    fn of(comment: &'a IncomingComment) -> Self {
        Self {
            id: &comment.platform_id,
            post: Some(&comment.post.platform_id),
            parent: comment.parent.as_deref(),
            author: author(comment.author.as_ref()),
            marks: [comment.own, comment.live, comment.mention, true].map(i64::from),
            text: comment.text.as_deref().map(clean),
            text_at_ms: comment.text_at_ms.max(0),
            photo: comment.photo.as_deref(),
            written_at_ms: comment.written_at_ms.max(0),
            edited_at_ms: comment.edited.then_some(comment.text_at_ms.max(0)),
            ..Self::default()
        }
    }

    /// The comment that another one answers: it stands where its first answer stands until it is told itself.
    fn above(comment: &'a IncomingComment, parent: &'a str) -> Self {
        Self {
            id: parent,
            post: Some(&comment.post.platform_id),
            written_at_ms: comment.written_at_ms.max(0),
            ..Self::default()
        }
    }
}

fn clean(text: &str) -> String {
    // A NUL would end the text early inside SQLite.
    text.replace('\0', "")
}

/// Writes them. `items` holds posts, comments, what became of them, and mentions; anything else is left alone.
///
/// # Errors
/// What the database says.
pub(crate) async fn take(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    items: &[&IncomingItem],
    now_ms: i64,
) -> Result<Taken, StoreError> {
    let (mut posts, mut comments, mut mentions) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item {
            IncomingItem::Post(post) => posts.push(PostRow::of(post)),
            IncomingItem::PostRemoved { post, .. } => posts.push(PostRow {
                removed: 1,
                ..PostRow::stub(post)
            }),
            IncomingItem::Comment(comment) => {
                posts.push(PostRow::of(&comment.post));
                if let Some(parent) = &comment.parent {
                    comments.push(CommentRow::above(comment, parent));
                }
                comments.push(CommentRow::of(comment));
            }
            IncomingItem::CommentHidden {
                comment,
                post,
                hidden,
                at_ms,
            } => {
                posts.extend(post.as_deref().map(PostRow::stub));
                comments.push(CommentRow {
                    id: comment,
                    post: post.as_deref(),
                    hidden: i64::from(*hidden),
                    // At 0 nothing was ever told; a telling without a time must still count.
                    hidden_at_ms: (*at_ms).max(1),
                    ..CommentRow::default()
                });
            }
            IncomingItem::CommentRemoved {
                comment,
                post,
                at_ms,
            } => {
                posts.extend(post.as_deref().map(PostRow::stub));
                comments.push(CommentRow {
                    id: comment,
                    post: post.as_deref(),
                    removed: 1,
                    removed_at_ms: Some((*at_ms).max(0)),
                    ..CommentRow::default()
                });
            }
            IncomingItem::Mention {
                post,
                comment,
                at_ms,
            } => mentions.push((
                post.as_str(),
                comment.as_deref().unwrap_or_default(),
                *at_ms,
            )),
            _ => {}
        }
    }
    let mut taken = Taken::default();
    if !posts.is_empty() {
        write_posts(tx, account, &posts, &mut taken).await?;
    }
    let mut touched: BTreeSet<i64> = BTreeSet::new();
    if !comments.is_empty() {
        touched = write_comments(tx, account, &comments, &mut taken).await?;
    }
    let named: Vec<&str> = posts.iter().map(|post| post.id).collect();
    finish(tx, account, &named, touched, now_ms).await?;
    if !mentions.is_empty() {
        fetch::wanted(tx, account, &mentions, now_ms).await?;
    }
    Ok(taken)
}

async fn write_posts(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    posts: &[PostRow<'_>],
    taken: &mut Taken,
) -> Result<(), StoreError> {
    let removed: Vec<&str> = posts
        .iter()
        .filter(|post| post.removed != 0)
        .map(|post| post.id)
        .collect();
    if !removed.is_empty() {
        let removed = encode(&removed);
        let had_words = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!: i64" FROM json_each(?1) j CROSS JOIN posts p ON p.account_id = ?2 AND p.platform_id = j.value
               WHERE p.removed = 0 AND (p.text IS NOT NULL OR p.picture_url IS NOT NULL)"#,
            removed,
            account.0
        )
        .fetch_one(&mut **tx)
        .await?;
        taken.erased += had_words.unsigned_abs();
    }
    let rows = encode(posts);
    let gone = sqlx::query_scalar!(
        r#"INSERT INTO posts (account_id, platform_id, own, author_id, author_name, author_username, kind, text, text_at_ms, permalink,
             picture_url, media_id, ad_id, ad_title, original_id, mention, posted_at_ms, removed)
           SELECT ?2, value ->> 'id', value ->> 'own', value ->> '$.author[0]', value ->> '$.author[1]', value ->> '$.author[2]',
             value ->> 'kind', value ->> 'text', value ->> 'text_at_ms', value ->> 'permalink', value ->> 'picture',
             lower(hex(randomblob(16))), value ->> '$.ad[0]', value ->> '$.ad[1]', value ->> '$.ad[2]', value ->> 'mention',
             value ->> 'posted_at_ms', value ->> 'removed'
           FROM json_each(?1) WHERE true
           ON CONFLICT (account_id, platform_id) DO UPDATE SET
             own = coalesce(max(own, excluded.own), own, excluded.own),
             author_id = coalesce(max(author_id, excluded.author_id), author_id, excluded.author_id),
             author_name = coalesce(max(author_name, excluded.author_name), author_name, excluded.author_name),
             author_username = coalesce(max(author_username, excluded.author_username), author_username, excluded.author_username),
             kind = coalesce(max(kind, excluded.kind), kind, excluded.kind),
             text = CASE WHEN removed + excluded.removed > 0 THEN NULL
               WHEN (excluded.text_at_ms, coalesce(excluded.text, '')) > (text_at_ms, coalesce(text, '')) THEN excluded.text ELSE text END,
             text_at_ms = max(text_at_ms, excluded.text_at_ms),
             permalink = coalesce(max(permalink, excluded.permalink), permalink, excluded.permalink),
             picture_url = iif(removed + excluded.removed > 0, NULL, coalesce(excluded.picture_url, picture_url)),
             ad_id = coalesce(max(ad_id, excluded.ad_id), ad_id, excluded.ad_id),
             ad_title = coalesce(max(ad_title, excluded.ad_title), ad_title, excluded.ad_title),
             original_id = coalesce(max(original_id, excluded.original_id), original_id, excluded.original_id),
             mention = max(mention, excluded.mention),
             posted_at_ms = coalesce(min(posted_at_ms, excluded.posted_at_ms), posted_at_ms, excluded.posted_at_ms),
             removed = max(removed, excluded.removed)
           RETURNING iif(removed = 1, platform_id, NULL) AS "gone: String""#,
        rows,
        account.0
    )
    .fetch_all(&mut **tx)
    .await?;
    taken.gone.extend(gone.into_iter().flatten());
    Ok(())
}

/// A comment as it was before.
type Before = (String, i64, i64, Option<i64>, i64);

/// Writes comments; answers the posts whose counts may have changed.
async fn write_comments(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    comments: &[CommentRow<'_>],
    taken: &mut Taken,
) -> Result<BTreeSet<i64>, StoreError> {
    let ids: BTreeSet<&str> = comments.iter().map(|comment| comment.id).collect();
    let before: HashMap<String, Before> = states(tx, account, &ids).await?;
    let rows = encode(comments);
    sqlx::query!(
        "INSERT INTO comments (account_id, post_id, platform_id, parent_id, author_id, author_name, author_username, own, live, mention, known,
           text, text_at_ms, photo_url, media_id, written_at_ms, edited_at_ms, hidden, hidden_at_ms, removed, removed_at_ms)
         SELECT ?2, (SELECT p.id FROM posts p WHERE p.account_id = ?2 AND p.platform_id = value ->> 'post'), value ->> 'id',
           value ->> 'parent', value ->> '$.author[0]', value ->> '$.author[1]', value ->> '$.author[2]', value ->> '$.marks[0]',
           value ->> '$.marks[1]', value ->> '$.marks[2]', value ->> '$.marks[3]', value ->> 'text', value ->> 'text_at_ms',
           value ->> 'photo', lower(hex(randomblob(16))), value ->> 'written_at_ms', value ->> 'edited_at_ms', value ->> 'hidden',
           value ->> 'hidden_at_ms', value ->> 'removed', value ->> 'removed_at_ms'
         FROM json_each(?1) WHERE true
         ON CONFLICT (account_id, platform_id) DO UPDATE SET
           post_id = coalesce(post_id, excluded.post_id),
           parent_id = coalesce(max(parent_id, excluded.parent_id), parent_id, excluded.parent_id),
           author_id = coalesce(max(author_id, excluded.author_id), author_id, excluded.author_id),
           author_name = coalesce(max(author_name, excluded.author_name), author_name, excluded.author_name),
           author_username = coalesce(max(author_username, excluded.author_username), author_username, excluded.author_username),
           own = max(own, excluded.own), live = max(live, excluded.live), mention = max(mention, excluded.mention),
           known = max(known, excluded.known),
           text = CASE WHEN removed + excluded.removed > 0 THEN NULL
             WHEN (excluded.text_at_ms, coalesce(excluded.text, '')) > (text_at_ms, coalesce(text, '')) THEN excluded.text ELSE text END,
           text_at_ms = max(text_at_ms, excluded.text_at_ms),
           photo_url = iif(removed + excluded.removed > 0, NULL, coalesce(excluded.photo_url, photo_url)),
           written_at_ms = CASE WHEN excluded.known > known OR written_at_ms = 0 THEN excluded.written_at_ms
             WHEN excluded.known < known OR excluded.written_at_ms = 0 THEN written_at_ms
             ELSE min(written_at_ms, excluded.written_at_ms) END,
           edited_at_ms = coalesce(max(edited_at_ms, excluded.edited_at_ms), edited_at_ms, excluded.edited_at_ms),
           hidden = iif((excluded.hidden_at_ms, excluded.hidden) > (hidden_at_ms, hidden), excluded.hidden, hidden),
           hidden_at_ms = max(hidden_at_ms, excluded.hidden_at_ms),
           removed = max(removed, excluded.removed),
           removed_at_ms = coalesce(min(removed_at_ms, excluded.removed_at_ms), removed_at_ms, excluded.removed_at_ms)",
        rows,
        account.0
    )
    .execute(&mut **tx)
    .await?;
    let mut touched = BTreeSet::new();
    for (id, now) in states(tx, account, &ids).await? {
        let (_, known, removed, post, _) = &now;
        let (was_known, was_removed, had_words) = before
            .get(&id)
            .map_or((0, 0, 0), |(_, known, removed, _, words)| {
                (*known, *removed, *words)
            });
        if *known > was_known && *removed == 0 {
            taken.new += 1;
        }
        if *removed > was_removed && had_words != 0 {
            taken.erased += 1;
        }
        if *removed != 0 {
            taken.gone.push(id);
        }
        touched.extend(post);
    }
    Ok(touched)
}

async fn states(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    ids: &BTreeSet<&str>,
) -> Result<HashMap<String, Before>, StoreError> {
    let ids = encode(ids);
    let rows = sqlx::query_scalar!(
        r#"SELECT json_group_array(json_array(c.platform_id, c.known, c.removed, c.post_id,
             c.text IS NOT NULL OR c.photo_url IS NOT NULL)) AS "rows!: String"
           FROM json_each(?1) j CROSS JOIN comments c ON c.account_id = ?2 AND c.platform_id = j.value"#,
        ids,
        account.0
    )
    .fetch_one(&mut **tx)
    .await?;
    let rows: Vec<Before> = decode(&rows)?;
    Ok(rows.into_iter().map(|row| (row.0.clone(), row)).collect())
}

/// Counts and order of the posts, what has to be fetched of them, and who is told.
async fn finish(
    tx: &mut WriteTx<'_>,
    account: AccountId,
    named: &[&str],
    touched: BTreeSet<i64>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let named = encode(named);
    let mut posts: BTreeSet<i64> = sqlx::query_scalar!(
        r#"SELECT p.id AS "id!: i64" FROM json_each(?1) j CROSS JOIN posts p ON p.account_id = ?2 AND p.platform_id = j.value"#,
        named,
        account.0
    )
    .fetch_all(&mut **tx)
    .await?
    .into_iter()
    .collect();
    posts.extend(&touched);
    if !touched.is_empty() {
        let touched = encode(&touched);
        sqlx::query!(
            "UPDATE posts SET
               comments = (SELECT count(*) FROM comments c WHERE c.post_id = posts.id AND c.known = 1 AND c.removed = 0),
               last_at_ms = coalesce((SELECT max(c.written_at_ms) FROM comments c WHERE c.post_id = posts.id AND c.known = 1 AND c.removed = 0), 0)
             WHERE id IN (SELECT value FROM json_each(?1))",
            touched
        )
        .execute(&mut **tx)
        .await?;
        // Only a post that somebody commented on is worth a call, and only once.
        let unseen = sqlx::query_scalar!(
            r#"UPDATE posts SET asked_at_ms = ?2 WHERE id IN (SELECT value FROM json_each(?1)) AND asked_at_ms IS NULL AND removed = 0
               AND comments > 0 RETURNING id AS "id!: i64""#,
            touched,
            now_ms
        )
        .fetch_all(&mut **tx)
        .await?;
        for post in unseen {
            fetch::schedule(tx, account, post, now_ms).await?;
        }
    }
    for id in posts {
        tx.tell(Change::Comments { post_id: id });
    }
    Ok(())
}
