//! Posts of a Page: `feed` (with visitors' posts), `posts`, `published_posts`, and one post as a node.

use serde_json::{Map, Value, json};

use super::Visit;
use super::catalog;
use super::content::{self, Right};
use super::error::{GraphError, GraphResult};
use super::fields::{self, Field};
use super::page_comments;
use super::paging::{self, Ask};
use crate::clock::iso;
use crate::http::answer::Answer;
use crate::pictures;
use crate::webhooks::content::{permalink, status_type};
use crate::world::people::Platform;
use crate::world::posts::{Post, PostForm};

const DEFAULTS: &[&str] = &["created_time", "message", "id"];

/// `GET /{page}/feed | posts | published_posts`, newest first.
pub(crate) fn list(visit: &mut Visit<'_>, id: &str, edge: &str) -> GraphResult {
    let page = content::owner(visit, id, Platform::Messenger)?;
    let asked = fields::read(visit.call.param("fields"), DEFAULTS)?;
    let mut found: Vec<(String, String)> = visit
        .world
        .posts
        .values()
        .filter(|post| post.account == page && post.ad.is_none())
        .filter(|post| match edge {
            "feed" => post.published,
            "published_posts" => post.published && post.visitor.is_none(),
            _ => post.visitor.is_none(),
        })
        .filter(|post| content::within(visit.call, post.created_ms))
        .map(|post| {
            (
                paging::newest_first(post.created_ms, &post.id),
                post.id.clone(),
            )
        })
        .collect();
    found.sort();
    let keys: Vec<String> = found.iter().map(|(key, _)| key.clone()).collect();
    let cut = paging::cut(&keys, &Ask::of(visit.call, visit.empty));
    let mut data = Vec::new();
    for (_, post) in found.get(cut.range.clone()).unwrap_or_default() {
        data.push(value(visit, post, &asked)?);
    }
    let extra = paging::repeated(visit.call, &["fields", "since", "until", "limit"]);
    Ok(Answer::json(cut.list(
        data,
        visit.call,
        &format!("{id}/{edge}"),
        &extra,
    )))
}

/// `GET /{post}`
pub(crate) fn node(visit: &mut Visit<'_>, id: &str) -> GraphResult {
    let Some(post) = visit.world.posts.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    content::enter(visit, &post.account, id, Right::Read)?;
    let asked = fields::read(visit.call.param("fields"), DEFAULTS)?;
    value(visit, id, &asked).map(Answer::json)
}

fn value(visit: &mut Visit<'_>, id: &str, asked: &[Field]) -> Result<Value, GraphError> {
    let Some(post) = visit.world.posts.get(id).cloned() else {
        return Err(GraphError::no_object(id, "GET"));
    };
    catalog::check("PagePost", asked)?;
    let mut node = Map::new();
    for field in asked {
        if let Some(value) = field_value(visit, &post, field)? {
            node.insert(field.name.clone(), value);
        }
    }
    Ok(Value::Object(node))
}

fn field_value(
    visit: &mut Visit<'_>,
    post: &Post,
    field: &Field,
) -> Result<Option<Value>, GraphError> {
    let still = still(post).map(|path| visit.world.signed(path));
    Ok(match field.name.as_str() {
        "id" => Some(json!(post.id)),
        "message" => (!post.text.is_empty()).then(|| json!(post.text)),
        "created_time" => Some(json!(iso(post.created_ms))),
        "updated_time" => Some(json!(iso(post.updated_ms))),
        "permalink_url" => Some(json!(permalink(visit.world, post))),
        "full_picture" | "picture" => still.map(Value::String),
        "status_type" => Some(json!(status_type(post))),
        "is_published" => Some(json!(post.published)),
        "is_hidden" => Some(json!(false)),
        "promotion_status" => Some(json!(if post.ad.is_some() {
            "active"
        } else {
            "inactive"
        })),
        "can_reply_privately" => Some(json!(post.visitor.is_some())),
        "from" => Some(author(visit, post)),
        "shares" => (post.shares > 0).then(|| json!({"count": post.shares})),
        "attachments" => attachments(visit, post),
        "reactions" | "likes" => Some(content::count(field, likes(post))),
        "comments" => Some(page_comments::nested(visit, &post.id, None, field)?),
        other => return Err(GraphError::no_field(other, "PagePost")),
    })
}

/// Named and unnamed likes together.
pub(crate) fn likes(post: &Post) -> u64 {
    post.likes + post.reactions.len() as u64
}

fn author(visit: &Visit<'_>, post: &Post) -> Value {
    match &post.visitor {
        Some(visitor) => {
            let name = visit.world.person(visitor).map(|person| person.name());
            json!({"id": visitor, "name": name.unwrap_or_default()})
        }
        None => {
            let (name, _) = visit.world.account_names(&post.account);
            json!({"id": post.account.id, "name": name})
        }
    }
}

/// The picture that stands for a post; a film has its still behind it.
pub(crate) fn still(post: &Post) -> Option<&str> {
    let at = usize::from(post.form == PostForm::Reel);
    post.pictures.get(at).map(String::as_str)
}

fn attachments(visit: &Visit<'_>, post: &Post) -> Option<Value> {
    let still = still(post)?;
    let link = permalink(visit.world, post);
    let picture = |path: &str| {
        let (width, height) = pictures::PRODUCT_SIZE;
        json!({"image": {"src": visit.world.signed(path), "width": width, "height": height}})
    };
    let number = post.id.rsplit('_').next().unwrap_or(&post.id);
    let target = json!({"id": number, "url": link});
    let (media_type, kind) = match post.form {
        PostForm::Carousel => ("album", "album"),
        PostForm::Reel => ("video", "video_inline"),
        _ => ("photo", "photo"),
    };
    let mut one = json!({
        "media_type": media_type, "type": kind, "url": link, "target": target,
        "media": picture(still),
    });
    if post.form == PostForm::Reel {
        one["title"] = post.text.chars().take(60).collect::<String>().into();
        let film = post.pictures.first().map(|path| visit.world.signed(path));
        one["media"]["source"] = film.into();
    }
    if post.form == PostForm::Carousel {
        let parts: Vec<Value> = post
            .pictures
            .iter()
            .map(|path| {
                json!({"media_type": "photo", "type": "photo", "url": link, "target": target,
                       "media": picture(path)})
            })
            .collect();
        one["subattachments"] = json!({"data": parts});
    }
    Some(json!({"data": [one]}))
}
