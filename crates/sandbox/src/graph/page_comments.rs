//! Comments on Page posts: lists below a post (`filter`, `order`, `summary`) and below a comment, one comment as
//! a node.

use serde_json::{Map, Value, json};

use super::Visit;
use super::catalog;
use super::content::{self, Right};
use super::error::{GraphError, GraphResult};
use super::fields::{self, Field};
use super::paging::{self, Ask};
use crate::clock::{DAY, iso};
use crate::http::answer::Answer;
use crate::pictures;
use crate::world::people::Platform;
use crate::world::posts::{Comment, Level, Post};

const DEFAULTS: &[&str] = &["created_time", "from", "message", "id"];
/// How long one private reply may follow a comment.
pub(crate) const PRIVATE_REPLY_MS: i64 = 7 * DAY;

/// How a list was asked for.
struct Wish<'a> {
    order: Option<&'a str>,
    filter: Option<&'a str>,
    summary: Option<&'a str>,
}

/// `GET /{post}/comments` and `GET /{comment}/comments`
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
    let call = visit.call;
    let wish = Wish {
        order: call.param("order"),
        filter: call.param("filter"),
        summary: call.param("summary"),
    };
    let ask = Ask::of(call, visit.empty);
    let extra = paging::repeated(call, &["fields", "order", "filter", "summary", "limit"]);
    page(visit, &post, parent.as_deref(), &asked, &ask, &wish, &extra).map(Answer::json)
}

/// The same as an expanded field.
pub(crate) fn nested(
    visit: &mut Visit<'_>,
    post: &str,
    parent: Option<&str>,
    field: &Field,
) -> Result<Value, GraphError> {
    let asked = fields::inner_or(field, DEFAULTS);
    let wish = Wish {
        order: field.arg("order"),
        filter: field.arg("filter"),
        summary: field.arg("summary"),
    };
    let ask = Ask::nested(field);
    let extra = [
        ("fields", fields::join(&asked)),
        ("limit", ask.limit.to_string()),
    ];
    let mut list = page(visit, post, parent, &asked, &ask, &wish, &extra)?;
    if content::counts_only(field)
        && let Some(list) = list.as_object_mut()
    {
        list.insert("data".into(), json!([]));
        list.remove("paging");
    }
    Ok(list)
}

fn page(
    visit: &mut Visit<'_>,
    post: &str,
    parent: Option<&str>,
    asked: &[Field],
    ask: &Ask,
    wish: &Wish<'_>,
    extra: &[(&str, String)],
) -> Result<Value, GraphError> {
    let level = match (parent, wish.filter) {
        (Some(parent), _) => Level::Answers(parent),
        (None, Some("stream")) => Level::All,
        (None, _) => Level::Top,
    };
    let order = match wish.order {
        Some("reverse_chronological") => "reverse_chronological",
        _ => "chronological",
    };
    let newest_first = order == "reverse_chronological";
    let mut found: Vec<(String, String)> = visit
        .world
        .comments_below(post, level)
        .into_iter()
        .map(|comment| {
            let key = if newest_first {
                paging::newest_first(comment.created_ms, &comment.id)
            } else {
                format!("{:014}/{}", comment.created_ms, comment.id)
            };
            (key, comment.id.clone())
        })
        .collect();
    found.sort();
    let keys: Vec<String> = found.iter().map(|(key, _)| key.clone()).collect();
    let cut = paging::cut(&keys, ask);
    let mut data = Vec::new();
    for (_, comment) in found.get(cut.range.clone()).unwrap_or_default() {
        data.push(value(visit, comment, asked)?);
    }
    let place = format!("{}/comments", parent.unwrap_or(post));
    let mut list = cut.list(data, visit.call, &place, extra);
    if content::wants_summary(wish.summary) {
        list["summary"] = json!({"order": order, "total_count": keys.len(), "can_comment": true});
    }
    Ok(list)
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
    catalog::check("Comment", asked)?;
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
    let own = comment.by.is_none();
    let answers = |visit: &Visit<'_>| {
        let level = Level::Answers(&comment.id);
        visit.world.comments_below(&post.id, level).len()
    };
    Ok(match field.name.as_str() {
        "id" => Some(json!(comment.id)),
        "message" => Some(json!(comment.text)),
        "created_time" => Some(json!(iso(comment.created_ms))),
        "from" => author(visit, comment, post),
        "parent" => parent(visit, comment),
        "object" => Some(json!({"id": post.id, "created_time": iso(post.created_ms)})),
        "is_hidden" => Some(json!(comment.hidden)),
        "is_private" => Some(json!(false)),
        "can_hide" => Some(json!(!own)),
        "can_remove" | "can_like" => Some(json!(true)),
        "can_comment" => Some(json!(post.takes_comments())),
        "can_reply_privately" => Some(json!(open_to_private_reply(visit, comment))),
        "comment_count" => Some(json!(answers(visit))),
        "like_count" => Some(json!(comment.likes + u64::from(comment.liked_by_account))),
        "user_likes" => Some(json!(comment.liked_by_account)),
        "attachment" => comment.picture.as_ref().map(|path| {
            let url = visit.world.signed(path);
            let (width, height) = pictures::PRODUCT_SIZE;
            json!({"type": "photo", "url": url,
                   "media": {"image": {"src": url, "width": width, "height": height}}})
        }),
        "permalink_url" => {
            let link = crate::webhooks::content::permalink(visit.world, post);
            let number = comment.id.rsplit('_').next().unwrap_or(&comment.id);
            Some(json!(format!("{link}?comment_id={number}")))
        }
        "private_reply_conversation" => comment.private_reply.as_ref().map(|id| json!({"id": id})),
        "comments" => Some(nested(visit, &post.id, Some(&comment.id), field)?),
        other => return Err(GraphError::no_field(other, "Comment")),
    })
}

fn author(visit: &Visit<'_>, comment: &Comment, post: &Post) -> Option<Value> {
    if !content::shows_authors(visit, Platform::Messenger) {
        return None;
    }
    Some(match &comment.by {
        Some(person) => {
            let name = visit.world.person(person).map(|person| person.name());
            json!({"name": name.unwrap_or_default(), "id": person})
        }
        None => {
            let (name, _) = visit.world.account_names(&post.account);
            json!({"name": name, "id": post.account.id})
        }
    })
}

fn parent(visit: &Visit<'_>, comment: &Comment) -> Option<Value> {
    let parent = visit.world.comments.get(comment.parent.as_ref()?)?;
    Some(json!({
        "created_time": iso(parent.created_ms), "message": parent.text, "id": parent.id,
    }))
}

fn open_to_private_reply(visit: &Visit<'_>, comment: &Comment) -> bool {
    comment.by.is_some()
        && comment.private_reply.is_none()
        && visit.world.now_ms() - comment.created_ms < PRIVATE_REPLY_MS
}
