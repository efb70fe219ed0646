//! Comments on Instagram media: top-level ones newest first, at most fifty at a time, their replies, one comment as
//! a node. Comments of a broadcast that ended are not given.

use serde_json::{Map, Value, json};

use super::Visit;
use super::catalog;
use super::content::{self, Right};
use super::error::{GraphError, GraphResult};
use super::fields::{self, Field};
use super::media;
use super::paging::{self, Ask};
use crate::clock::iso;
use crate::http::answer::Answer;
use crate::webhooks::content::instagram_author;
use crate::world::people::Platform;
use crate::world::posts::{Comment, Level, Post};

const DEFAULTS: &[&str] = &["timestamp", "text", "id"];
const MOST: usize = 50;

/// `GET /{media}/comments` and `GET /{comment}/replies`
pub(crate) fn list(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let (post, parent) = match visit.world.comments.get(id) {
        Some(comment) => (comment.post.clone(), Some(id.to_owned())),
        None => (id.to_owned(), None),
    };
    let account = visit.world.posts.get(&post).map(|post| &post.account);
    let Some(account) = account.cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    content::enter(visit, &account, id, Right::Read)?;
    let asked = fields::read(visit.call.param("fields"), DEFAULTS)?;
    let ask = content::at_most(Ask::of(visit.call, visit.empty), MOST);
    let extra = paging::repeated(visit.call, &["fields", "limit"]);
    page(visit, &post, parent.as_deref(), &asked, &ask, &extra).map(Answer::json)
}

/// The same as an expanded field.
pub(crate) fn nested(
    visit: &mut Visit<'_>,
    post: &str,
    parent: Option<&str>,
    field: &Field,
) -> Result<Value, GraphError> {
    let asked = fields::inner_or(field, DEFAULTS);
    let ask = content::at_most(Ask::nested(field), MOST);
    let extra = [
        ("fields", fields::join(&asked)),
        ("limit", ask.limit.to_string()),
    ];
    page(visit, post, parent, &asked, &ask, &extra)
}

fn page(
    visit: &mut Visit<'_>,
    post: &str,
    parent: Option<&str>,
    asked: &[Field],
    ask: &Ask,
    extra: &[(&str, String)],
) -> Result<Value, GraphError> {
    let ended = visit
        .world
        .posts
        .get(post)
        .is_some_and(|post| post.ended_ms.is_some());
    let level = match parent {
        Some(parent) => Level::Answers(parent),
        None => Level::Top,
    };
    let mut found: Vec<(String, String)> = visit
        .world
        .comments_below(post, level)
        .into_iter()
        .filter(|_| !ended)
        .map(|comment| {
            (
                paging::newest_first(comment.created_ms, &comment.id),
                comment.id.clone(),
            )
        })
        .collect();
    found.sort();
    let keys: Vec<String> = found.iter().map(|(key, _)| key.clone()).collect();
    let cut = paging::cut(&keys, ask);
    let mut data = Vec::new();
    for (_, comment) in found.get(cut.range.clone()).unwrap_or_default() {
        data.push(value(visit, comment, asked)?);
    }
    let place = match parent {
        Some(parent) => format!("{parent}/replies"),
        None => format!("{post}/comments"),
    };
    Ok(cut.list(data, visit.call, &place, extra))
}

/// `GET /{comment}`
pub(crate) fn node(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let account = visit
        .world
        .comment_with_post(id)
        .map(|(_, post)| post.account.clone());
    let Some(account) = account else {
        return Err(GraphError::no_object(id, "GET"));
    };
    content::enter(visit, &account, id, Right::Read)?;
    let asked = fields::read(visit.call.param("fields"), DEFAULTS)?;
    value(visit, id, &asked).map(Answer::json)
}

fn value(visit: &mut Visit<'_>, id: &str, asked: &[Field]) -> Result<Value, GraphError> {
    let found = visit
        .world
        .comment_with_post(id)
        .map(|(comment, post)| (comment.clone(), post.clone()));
    let Some((comment, post)) = found else {
        return Err(GraphError::no_object(id, "GET"));
    };
    catalog::check("IGComment", asked)?;
    let mut node = Map::new();
    for field in asked {
        if let Some(value) = field_value(visit, &comment, &post, field)? {
            node.insert(field.name.clone(), value);
        }
    }
    Ok(Value::Object(node))
}

fn field_value(
    visit: &mut Visit<'_>,
    comment: &Comment,
    post: &Post,
    field: &Field,
) -> Result<Option<Value>, GraphError> {
    let authors = content::shows_authors(visit, Platform::Instagram);
    let author = || instagram_author(visit.world, &post.account, comment.by.as_deref());
    Ok(match field.name.as_str() {
        "id" => Some(json!(comment.id)),
        "text" => Some(json!(comment.text)),
        "timestamp" => Some(json!(iso(comment.created_ms))),
        "like_count" => Some(json!(comment.likes)),
        "hidden" => Some(json!(comment.hidden)),
        "parent_id" => comment.parent.as_ref().map(|parent| json!(parent)),
        "username" => authors.then(|| author()["username"].clone()),
        "from" => authors.then(|| {
            let author = author();
            json!({"id": author["id"], "username": author["username"]})
        }),
        // Only the account's own comments show it.
        "user" => comment.by.is_none().then(|| json!({"id": post.account.id})),
        "media" => Some(media::value(
            visit,
            &post.id,
            &fields::inner_or(field, &["id"]),
        )?),
        "replies" => Some(nested(visit, &post.id, Some(&comment.id), field)?),
        other => return Err(GraphError::no_field(other, "IGComment")),
    })
}
